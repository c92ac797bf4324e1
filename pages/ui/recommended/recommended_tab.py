"""The recommendations part of the strategy page: what to put in each tier's mail, and what each customer is offered."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError
from clv_core.strategy.recommend.holdout_month import FEWEST_CUSTOMERS
from clv_core.strategy.recommend.ranking import KINDS, TOP, WITH_BOUGHT, WITHOUT_BOUGHT
from clv_core.strategy.recommend.stored_recommendations import StoredRecommendations, customer_rows
from clv_core.strategy.recommend_and_price import recommendation_side
from pages.ui import row_files, saying, state, tiers, widgets
from pages.ui.recommended.kept import need_advice
from pages.ui.recommended.one_customer import of_customer
from pages.ui.recommended.tier import of_tier
from pages.ui.saying import percent, say, t

METHODS: Final = ("blend", "popular", "own")
DOUBLE: Final = 2.0


def show(dataset: Dataset, bundle: Bundle) -> None:
    """Show how good the recommendations were, then those of a tier, of a customer, and the list."""
    try:
        advice = need_advice(dataset, bundle)
    except ClvError as error:
        widgets.refused(error)
        return
    top = st.container()
    kind = st.segmented_control(
        t("recommend.kind"),
        KINDS,
        format_func=lambda name: t(f"recommend.kind.{name}"),
        default=WITH_BOUGHT,
        required=True,
        key="recommend_kind",
        help=t("recommend.kind.help"),
        persist_state="session",
    )
    with top:
        widgets.headline(headline(advice, kind), widgets.context_line(bundle, dataset.log_end), _rests(advice, kind))
    _figures(advice, kind)
    st.header(t("recommend.tiers"), anchor=False)
    names = tiers.names(dataset)
    of_tier(advice, kind, names, dataset.manifest.currency)
    st.header(t("recommend.customer"), anchor=False)
    of_customer(advice, kind, names, dataset.manifest.currency)
    what = "recommendations" if kind == WITH_BOUGHT else "recommendations-new"

    language, stop = state.language(), state.suppression_list()
    mark = f"{bundle.id} {dataset.version} {len(advice.customers)} {stop.mark}"
    row_files.table(
        bundle,
        what,
        "recommend",
        recommendation_side(state.scored(dataset, bundle), language),
        lambda: customer_rows(advice.everyone(kind, TOP), names, language),
        most=len(advice.customers) * TOP,
        suppressed=int(row_files.stopped(mark, advice.customers, stop).sum()),
    )


def _quality(advice: StoredRecommendations, kind: str) -> dict[str, dict[str, Any]]:
    return {one["method"]: one for one in advice.record["quality"].get(kind, [])}


def headline(advice: StoredRecommendations, kind: str) -> str:
    """Return how much of what customers then bought was among ten recommendations, against simple lists."""
    found = _quality(advice, kind)
    if not found:
        return t("recommend.headline.unmeasured", customers=saying.count(len(advice.customers)))
    recall = {name: found[name]["recall"]["value"] for name in METHODS}
    about = {"share": percent(recall["blend"], 1), "than": _than_popular(found)}
    if kind == WITHOUT_BOUGHT or recall["own"] <= 0:
        return t(f"recommend.headline.{kind}", **about, more="")
    return t(f"recommend.headline.{kind}", **about, more=_than_own(found))


def _than_popular(found: dict[str, dict[str, Any]]) -> str:
    """Return how the recommendations compare with the best sellers, and whether chance may explain it."""
    ours, simple = (float(found[name]["recall"]["value"]) for name in ("blend", "popular"))
    if found["popular"]["ahead"]["low"] <= 0:
        key = "no_better" if ours <= simple else "perhaps"
        return t(f"recommend.than_popular.{key}", share=percent(simple, 1))
    return t("recommend.than_popular.times", times=say(ours / simple, 2) if simple > 0 else "–")


def _than_own(found: dict[str, dict[str, Any]]) -> str:
    """Return how the recommendations compare with what a customer bought most often, and whether that may be chance."""
    ours, own = (float(found[name]["recall"]["value"]) for name in ("blend", "own"))
    ahead = found["own"]["ahead"]
    if ahead["low"] <= 0 <= ahead["high"]:
        return t(f"recommend.than_own.{'perhaps' if ours > own else 'no_better'}", share=percent(own, 1))
    ratio = ours / own
    if ratio >= DOUBLE:
        return t("recommend.than_own.times", times=say(ratio, 2))
    return t(f"recommend.than_own.{'more' if ratio >= 1 else 'less'}", share=percent(abs(ratio - 1)))


def _rests(advice: StoredRecommendations, kind: str) -> str:
    """Return what was measured and what is a rule."""
    record = advice.record
    rule = t("warning.recommend_price_rule")
    if not _quality(advice, kind):
        return f"{t('recommend.unmeasured', customers=FEWEST_CUSTOMERS)} {rule}"
    said = t(
        "recommend.measured",
        customers=saying.count(record["customers"][kind]),
        start=saying.day(record["start"]),
        days=record["window_days"],
        months=record["earlier_months"],
    )
    return f"{said}  \n{rule}"


def _figures(advice: StoredRecommendations, kind: str) -> None:
    found = _quality(advice, kind)
    if not found:
        return
    row = []
    for name in METHODS:
        recall = found[name]["recall"]
        note = t("recommend.interval", low=percent(recall["low"], 1), high=percent(recall["high"], 1))
        if name == "own" and kind == WITHOUT_BOUGHT:
            note = t("recommend.own.nothing")
        row.append(
            widgets.Figure(
                t(f"recommend.method.{name}"), percent(recall["value"], 1), t(f"recommend.method.{name}.help"), note
            )
        )
    ndcg = found["blend"]["ndcg"]
    note = t("recommend.ndcg.note", popular=say(found["popular"]["ndcg"]["value"], 2))
    row.append(widgets.Figure(t("recommend.ndcg"), say(ndcg["value"], 2), t("recommend.ndcg.help"), note))
    widgets.figures(row)
