"""Whether a model may be trusted, as pages show it: badge, verdict in a line, reasons, and the gate of lists."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.trust import REASONS, Trust
from pages.ui import saying, state, widgets
from pages.ui.saying import t

VERDICTS: Final = {
    "trusted": ("green", ":material/verified:"),
    "caution": ("orange", ":material/warning:"),
    "not_trusted": ("red", ":material/block:"),
}
GRADES: Final = {"good": VERDICTS["trusted"], "fair": VERDICTS["caution"], "poor": VERDICTS["not_trusted"]}
KINDS: Final = {
    "refuses": ("red", ":material/block:"),
    "cautions": ("orange", ":material/warning:"),
    "supports": ("green", ":material/check_circle:"),
}


def badge(bundle: Bundle) -> None:
    """Show the verdict as a badge that opens the reasons."""
    trust = state.trust(bundle)
    colour, icon = VERDICTS[trust.verdict]
    with st.popover(f":{colour}[{icon} {t(f'trust.{trust.verdict}')}]", width="stretch", help=t("trust.help")):
        verdict(trust)
        reasons(bundle)


def verdict(trust: Trust) -> None:
    """Say in one line whether a model may be trusted."""
    colour, icon = VERDICTS[trust.verdict]
    meaning = t(f"trust.{trust.verdict}.meaning")
    st.markdown(f":{colour}-badge[{icon} {t(f'trust.{trust.verdict}')}] {meaning}", width="content")


def grades(bundle: Bundle) -> None:
    """Show how the ranking, the total and the purchase probabilities were each measured to hold."""
    found = state.grades(bundle)
    badges = [
        f":{colour}-badge[{icon} {saying.labelled(t(f'grade.{question}'), t(f'grade.{grade}'))}]"
        for question, grade in found.items()
        for colour, icon in [GRADES[grade]]
    ]
    if badges:
        st.markdown(" ".join(badges), help=t("grade.help"), width="content")


def reasons(bundle: Bundle) -> None:
    """List why the model may be trusted or not: what speaks against it first."""
    for line in [*_reasons(bundle, support=False), *_reasons(bundle, support=True)]:
        st.markdown(line)


def cautions(bundle: Bundle) -> None:
    """List what speaks against trusting the model."""
    for line in _reasons(bundle, support=False):
        st.markdown(line)


def support(bundle: Bundle) -> None:
    """Offer what speaks for trusting the model behind a button."""
    lines = _reasons(bundle, support=True)
    if lines:
        with st.popover(t("trust.supports", n=len(lines)), icon=KINDS["supports"][1]):
            for line in lines:
                st.markdown(line)


def _reasons(bundle: Bundle, *, support: bool) -> list[str]:
    lines = []
    for reason in state.trust(bundle).reasons:
        kind = REASONS[reason.code.removeprefix("reason.")]
        if (kind == "supports") is support:
            colour, icon = KINDS[kind]
            lines.append(f":{colour}[{icon}] {widgets.plain(saying.said(reason))}")
    return lines


def acknowledged(bundle: Bundle) -> bool:
    """Say whether lists may be made: of a model that is not trusted only after its main reason was acknowledged."""
    trust = state.trust(bundle)
    if trust.verdict != "not_trusted":
        return True
    main = trust.reasons[0]
    st.warning(widgets.plain(saying.said(main)), icon=VERDICTS["not_trusted"][1])
    because = t(f"trust.because.{main.code.removeprefix('reason.')}")
    return st.checkbox(t("trust.acknowledge", because=because), key=f"acknowledge_{bundle.id}", persist_state="session")
