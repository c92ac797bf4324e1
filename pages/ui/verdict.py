"""Whether a model may be trusted: badge, verdict, reasons, the gate of lists, and data it was not trained for."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.collection.store import version_store as store
from clv_core.deployment import Bundle, learned_from_objected
from clv_core.errors import ClvError
from clv_core.evaluation import REASONS, Trust
from pages.ui import i18n, session, widgets
from pages.ui.cache import cached
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


PAGES: Final = (
    *("evaluate", "explain", "segments", "customer", "forecast", "strategy", "exports", "report", "monitor"),
)
"""Pages that show what the model in use makes of the dataset in use."""
PAGES_OF_PARTS: Final = ("segments", "customer", "strategy", "exports", "report")
"""Those whose figures are of customers with predictions."""


def badge(bundle: Bundle) -> None:
    """Show the verdict as a badge that opens the reasons."""
    trust = session.trust(bundle)
    colour, icon = VERDICTS[trust.verdict]
    with st.popover(f":{colour}[{icon} {t(f'trust.{trust.verdict}')}]", width="stretch", help=t("trust.help")):
        show(trust)
        reasons(bundle)


def show(trust: Trust) -> None:
    """Say in one line whether a model may be trusted."""
    colour, icon = VERDICTS[trust.verdict]
    meaning = t(f"trust.{trust.verdict}.meaning")
    st.markdown(f":{colour}-badge[{icon} {t(f'trust.{trust.verdict}')}] {meaning}", width="content")


def grades(bundle: Bundle) -> None:
    """Show how the ranking, the total and the purchase probabilities were each measured to hold."""
    by_question = session.grades(bundle)
    badges = [
        f":{colour}-badge[{icon} {i18n.with_label(t(f'grade.{question}'), t(f'grade.{grade}'))}]"
        for question, grade in by_question.items()
        for colour, icon in [GRADES[grade]]
    ]
    if badges:
        st.markdown(" ".join(badges), help=t("grade.help"), width="content")


def reasons(bundle: Bundle) -> None:
    """List why the model may be trusted or not: the reasons against it first."""
    for line in [*_reasons(bundle, support=False), *_reasons(bundle, support=True)]:
        st.markdown(line)


def cautions(bundle: Bundle) -> None:
    """List the reasons against trusting the model."""
    for line in _reasons(bundle, support=False):
        st.markdown(line)


def support(bundle: Bundle) -> None:
    """Offer the reasons for trusting the model behind a button."""
    lines = _reasons(bundle, support=True)
    if lines:
        with st.popover(t("trust.supports", n=len(lines)), icon=KINDS["supports"][1]):
            for line in lines:
                st.markdown(line)


def _reasons(bundle: Bundle, *, support: bool) -> list[str]:
    lines = []
    for reason in session.trust(bundle).reasons:
        kind = REASONS[reason.code.removeprefix("reason.")]
        if (kind == "supports") is support:
            colour, icon = KINDS[kind]
            lines.append(f":{colour}[{icon}] {widgets.escape(i18n.message_text(reason))}")
    return lines


def is_acknowledged(bundle: Bundle) -> bool:
    """Return whether lists may be made: of a model that is not trusted only after its main reason was acknowledged."""
    trust = session.trust(bundle)
    if trust.verdict != "not_trusted":
        return True
    main = trust.reasons[0]
    st.warning(widgets.escape(i18n.message_text(main)), icon=VERDICTS["not_trusted"][1])
    because = t(f"trust.because.{main.code.removeprefix('reason.')}")
    return st.checkbox(t("trust.acknowledge", because=because), key=f"acknowledge_{bundle.id}", persist_state="session")


def warn_if_stale(page: str) -> None:
    """Warn of what the model learned from: a log that ends later, other cleaning rules, customers who objected since.

    Pages of predictions also count who objected and has none.
    """
    if page not in PAGES:
        return
    dataset, bundle = session.dataset(), session.model()
    if dataset is None or bundle is None:
        return
    cutoff = bundle.record.cutoff
    names = {"dataset": widgets.escape(dataset.name), "cutoff": i18n.day(cutoff)}
    if dataset.log_end < cutoff:
        st.warning(t("learned_from.longer", last=i18n.day(dataset.last_day), **names), icon=":material/history:")
    rules = _rules(bundle, dataset.name)
    if rules is not None and rules != dataset.manifest.rules:
        then, now = _rule_titles(rules), _rule_titles(dataset.manifest.rules)
        st.warning(t("learned_from.rules", then=then, now=now, **names), icon=":material/mop:")
    learned = learned_from_objected(session.workspace(), bundle)
    if learned:
        st.warning(t("learned_from.objected", n=learned), icon=":material/do_not_disturb_on:")
    if page in PAGES_OF_PARTS:
        show_objected(session.scored(dataset, bundle).dataset)


def show_objected(dataset: Dataset) -> None:
    """Say in one line how many customers objected to profiling, and what they spent; nothing where nobody did."""
    objected = dataset.objected
    if objected.customers:
        revenue = i18n.money(objected.net_revenue, dataset.manifest.currency)
        st.caption(t("objections.line", n=objected.customers, revenue=revenue))


@cached()
def _rules(bundle: Bundle, name: str) -> dict[str, float | None] | None:
    """Return the cleaning rules of the version that a model learned from; None where it is not there any more."""
    try:
        version = bundle.record.dataset.version
        return dict(store.open_version(session.workspace(), name, version).manifest.rules)
    except ClvError:
        return None


def _rule_titles(rules: dict[str, float | None]) -> str:
    titles = [
        t(f"clean.{rule}.title") if limit is None else i18n.with_label(t(f"clean.{rule}.title"), f"{limit:g}")
        for rule, limit in rules.items()
    ]
    return i18n.join_names(titles) if titles else t("learned_from.no_rule")
