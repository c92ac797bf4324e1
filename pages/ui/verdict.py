"""Whether a model may be trusted, as pages show it: badge, verdict in a line, reasons, and the gate of lists."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.trust import REASONS, Trust
from pages.ui import i18n, session, widgets
from pages.ui.i18n import t

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
    trust = session.trust(bundle)
    colour, icon = VERDICTS[trust.verdict]
    with st.popover(f":{colour}[{icon} {t(f'trust.{trust.verdict}')}]", width="stretch", help=t("trust.help")):
        verdict(trust)
        reasons(bundle)


def verdict(trust: Trust) -> None:
    """Say in one line whether a model may be trusted."""
    colour, icon = VERDICTS[trust.verdict]
    st.markdown(f":{colour}-badge[{icon} {t(f'trust.{trust.verdict}')}] {t(f'trust.{trust.verdict}.meaning')}")


def grades(bundle: Bundle) -> None:
    """Show how the ranking, the total and the purchase probabilities were each measured to hold."""
    found = session.grades(bundle)
    badges = [
        f":{colour}-badge[{icon} {i18n.with_label(t(f'grade.{question}'), t(f'grade.{grade}'))}]"
        for question, grade in found.items()
        for colour, icon in [GRADES[grade]]
    ]
    if badges:
        st.markdown(" ".join(badges), help=t("grade.help"))


def reasons(bundle: Bundle, *, fold_support: bool = False) -> None:
    """List why the model may be trusted or not: what speaks against it first.

    Args:
        bundle: the model.
        fold_support: whether what speaks for it is a click away.
    """
    lines: dict[bool, list[str]] = {True: [], False: []}
    for reason in session.trust(bundle).reasons:
        kind = REASONS[reason.code.removeprefix("reason.")]
        colour, icon = KINDS[kind]
        lines[fold_support and kind == "supports"].append(
            f":{colour}[{icon}] {widgets.escape(i18n.message_text(reason))}"
        )
    for line in lines[False]:
        st.markdown(line)
    if lines[True]:
        with st.expander(t("trust.supports", n=len(lines[True])), icon=KINDS["supports"][1]):
            for line in lines[True]:
                st.markdown(line)


def acknowledged(bundle: Bundle) -> bool:
    """Say whether lists may be made: of a model that is not trusted only after its main reason was acknowledged."""
    trust = session.trust(bundle)
    if trust.verdict != "not_trusted":
        return True
    main = trust.reasons[0]
    st.warning(widgets.escape(i18n.message_text(main)), icon=VERDICTS["not_trusted"][1])
    because = t(f"trust.because.{main.code.removeprefix('reason.')}")
    return st.checkbox(t("trust.acknowledge", because=because), key=f"acknowledge_{bundle.id}", persist_state="session")
