"""Recommendations: what to put in each tier's mail, what one customer is offered and why, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.columns import PRODUCT_ID
from clv_core.deployment import Scored
from clv_core.errors import ClvError, NotFound
from clv_core.records import JsonObject
from clv_core.strategy import recommendation_side
from clv_core.strategy.plans import update_offers
from clv_core.strategy.recommend import (
    KINDS,
    MIN_HOLDOUT_CUSTOMERS,
    RECORD,
    TOP,
    WITH_BOUGHT,
    WITHOUT_BOUGHT,
    StoredRecommendations,
    check_columns,
    customer_rows,
    load_recommendations,
    reasons,
    recommendations_folder,
)
from clv_core.strategy.segments import TIER
from pages.ui import access, cells, i18n, progress, row_files, session, tiers, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.charts import advising
from pages.ui.customer_search import search
from pages.ui.i18n import percent, say, t

METHODS: Final = ("blend", "popular", "own")
MIN_TIMES_RATIO: Final = 2.0
"""From this ratio on it reads as "2.1 times" instead of "110% more"."""
MAX_CHOICES: Final = 1000
"""So many of the most bought products can be chosen to be left out."""
TABLE_HEIGHT: Final = 388
"""Ten rows and their head, as high as the chart next to them."""


def show(scored: Scored) -> None:
    """Show the measured quality, then the recommendations of a tier and of a customer, and the list."""
    dataset, bundle = scored.dataset, scored.model
    try:
        stored = need_recommendations(scored)
    except ClvError as error:
        widgets.show_refusal(error)
        return
    top = st.container()
    kinds = {name: t(f"recommend.kind.{name}") for name in KINDS}
    kind = widgets.choose(t("recommend.kind"), kinds, "recommend_kind", help=t("recommend.kind.help"))
    with top:
        widgets.headline(headline(stored, kind), widgets.context_line(bundle, dataset.log_end), _basis(stored, kind))
        _figures(stored, kind)
    names, currency, language = tiers.names(dataset), dataset.manifest.currency, session.language()
    _tier_mail(stored, kind, names, currency)
    _exclusions(stored, scored)
    st.header(t("recommend.customer"), anchor=False)
    _one_customer(stored, kind, names, currency)
    stop = session.suppression_list()
    mark = f"{bundle.id} {dataset.version} {len(stored.customers)} {stop.mark}"
    row_files.table(
        bundle,
        "recommendations" if kind == WITH_BOUGHT else "recommendations-new",
        "recommend",
        recommendation_side(scored, language),
        lambda: customer_rows(stored.everyone(kind, TOP), names, language),
        most=len(stored.customers) * TOP,
        suppressed=int(row_files.stopped(mark, stored.customers, stop).sum()),
    )


def on_card(scored: Scored, customer: str) -> None:
    """Show a customer's products on the customer page, or offer to look for them; nothing where the log has none."""
    facts = scored.dataset.manifest
    if PRODUCT_ID not in facts.columns:
        return
    st.header(t("card.recommended"), anchor=False)
    stored = load(scored)
    if stored is not None:
        _customer_table(stored.of_customer(customer, WITH_BOUGHT).head(TOP), facts.currency)
        return
    command, label = _run(scored)
    job = progress.latest_run(command[0], label)
    if job is not None and progress.is_running(job):
        progress.watch(job)
        return
    if job is not None:
        progress.show_outcome(job)
    st.caption(t("card.recommended.make"))
    if st.button(t("card.recommended.button"), key="card_recommend", icon=":material/shopping_bag:"):
        progress.start_job(command, label)
        st.rerun()


def load(scored: Scored) -> StoredRecommendations | None:
    """Return the recommendations of a model for a dataset, or None while they are not there."""
    return _load(recommendations_folder(scored) / RECORD)


@cached(CUSTOMERS)
def _load(record: Path) -> StoredRecommendations | None:
    return load_recommendations(record.parent)


def _run(scored: Scored) -> tuple[list[str], str]:
    """Return the command that makes the recommendations, and the label of its runs."""
    return ["recommend", scored.dataset.name, "--model", scored.model.id], recommendations_folder(scored).name


def need_recommendations(scored: Scored) -> StoredRecommendations:
    """Return the recommendations; while they are not there, show the run that makes them.

    Raises:
        NotEnoughData: the log names no products.
    """
    check_columns(scored.dataset)
    command, label = _run(scored)
    job = progress.latest_run(command[0], label)
    stored = None if job is not None and progress.is_running(job) else load(scored)
    progress.need_result(stored is not None, command, label, t("recommend.wait"))
    assert stored is not None
    return stored


def _quality(stored: StoredRecommendations, kind: str) -> dict[str, JsonObject]:
    return {row["method"]: row for row in stored.record["quality"].get(kind, [])}


def headline(stored: StoredRecommendations, kind: str) -> str:
    """Return how much of what customers then bought was among ten recommendations, against simple lists."""
    quality = _quality(stored, kind)
    if not quality:
        return t("recommend.headline.unmeasured", customers=i18n.count(len(stored.customers)))
    recall = {name: quality[name]["recall"]["value"] for name in METHODS}
    more = "" if kind == WITHOUT_BOUGHT or recall["own"] <= 0 else _against_own(quality)
    than = _against_popular(quality)
    return t(f"recommend.headline.{kind}", share=percent(recall["blend"], 1), than=than, more=more)


def _against_popular(quality: dict[str, JsonObject]) -> str:
    """Return how the recommendations compare with the best sellers, and whether chance may explain it."""
    ours, simple = (float(quality[name]["recall"]["value"]) for name in ("blend", "popular"))
    times = say(ours / simple, 2) if simple > 0 else "–"
    if quality["popular"]["ahead"]["low"] > 0 and times != say(1, 2):
        return t("recommend.than_popular.times", times=times)
    key = "no_better" if ours <= simple or times == say(1, 2) else "perhaps"
    return t(f"recommend.than_popular.{key}", share=percent(simple, 1))


def _against_own(quality: dict[str, JsonObject]) -> str:
    """Return how the recommendations compare with what a customer bought most often, and whether that may be chance."""
    ours, baseline = (float(quality[name]["recall"]["value"]) for name in ("blend", "own"))
    ahead, ratio = quality["own"]["ahead"], ours / baseline
    if ahead["low"] <= 0 <= ahead["high"] or percent(abs(ratio - 1)) == percent(0):
        return t(f"recommend.than_own.{'perhaps' if ours > baseline else 'no_better'}", share=percent(baseline, 1))
    if ratio >= MIN_TIMES_RATIO:
        return t("recommend.than_own.times", times=say(ratio, 2))
    return t(f"recommend.than_own.{'more' if ratio >= 1 else 'less'}", share=percent(abs(ratio - 1)))


def _basis(stored: StoredRecommendations, kind: str) -> str:
    """Return what was measured and what is a rule."""
    record, rule = stored.record, t("warning.recommend_price_rule")
    if not _quality(stored, kind):
        return f"{t('recommend.unmeasured', customers=MIN_HOLDOUT_CUSTOMERS)} {rule}"
    measured = t(
        "recommend.measured",
        customers=i18n.count(record["customers"][kind]),
        start=i18n.day(record["start"]),
        days=record["window_days"],
        months=record["earlier_months"],
    )
    return f"{measured}  \n{rule}"


def _figures(stored: StoredRecommendations, kind: str) -> None:
    quality = _quality(stored, kind)
    if not quality:
        return
    row = []
    for name in METHODS:
        recall = quality[name]["recall"]
        note = t("recommend.interval", low=percent(recall["low"], 1), high=percent(recall["high"], 1))
        if name == "own" and kind == WITHOUT_BOUGHT:
            note = t("recommend.own.nothing")
        label, help = t(f"recommend.method.{name}"), t(f"recommend.method.{name}.help")
        row.append(widgets.Figure(label, percent(recall["value"], 1), help, note))
    ndcg, popular = (quality[name]["ndcg"]["value"] for name in ("blend", "popular"))
    note = t("recommend.ndcg.note", popular=say(popular, 2))
    row.append(widgets.Figure(t("recommend.ndcg"), say(ndcg, 2), t("recommend.ndcg.help"), note))
    widgets.figures(row)


def _tier_mail(stored: StoredRecommendations, kind: str, names: Sequence[str], currency: str) -> None:
    """Show what to put in one tier's mail, and how dear the tiers' products are, the tiers by their names."""
    st.header(t("recommend.tiers"), anchor=False)
    rows = stored.tiers[stored.tiers["kind"] == kind]
    if rows.empty:
        st.caption(t("recommend.customer.none"))
        return
    left, right = st.columns([3, 2])
    with left:
        numbers = sorted(rows[TIER].unique().tolist())
        called = {number: widgets.escape(names[number - 1]) for number in numbers}
        tier = widgets.choose(t("column.tier"), called, f"recommend_tier_{len(numbers)}")
        columns = ["product_id", "name", "category", "price", "grade", "share"]
        _products(rows[rows[TIER] == tier], columns, currency, alt=t("recommend.tiers"), height=TABLE_HEIGHT)
    level = rows.groupby(TIER)["grade"].mean()
    table = pd.DataFrame({"name": [names[tier - 1] for tier in level.index], "level": level.to_numpy()})
    key = f"recommend.chart.{compare_levels(table['level'].iloc[0], table['level'].iloc[-1])}"
    message = t(key, first=table["name"].iloc[0], last=table["name"].iloc[-1])
    with right:
        widgets.chart(advising.price_levels(table, message), "recommend_levels")


def compare_levels(first: float, last: float) -> str:
    """Return how the price level of the highest tier compares with the lowest's, both 0 to 1, as the bars show them.

    ``rising``, ``equal`` or ``flat``.
    """
    shown, other = advising.shown(first), advising.shown(last)
    return "equal" if shown == other else "rising" if shown > other else "flat"


def _exclusions(stored: StoredRecommendations, scored: Scored) -> None:
    """Say which products are left out and why, and let the person change that."""
    excluded, dataset = stored.excluded, scored.dataset
    names = {row["product_id"]: str(row["name"]) for row in excluded}
    with st.expander(t("recommend.excluded", count=len(excluded)), icon=":material/block:"):
        st.caption(t("recommend.excluded.note"))
        for row in excluded:
            name = widgets.escape(_called(row["product_id"], row["name"]))
            if "share" in row:
                facts = {"share": percent(row["share"]), "partners": percent(row["partners"])}
                price = i18n.money(row["price"], dataset.manifest.currency, 2)
                st.markdown(f"- {t('recommend.excluded.why', product=name, price=price, **facts)}")
            else:
                st.markdown(f"- {t('recommend.excluded.chosen', product=name)}")
        sold = stored.products.nlargest(MAX_CHOICES, "buyers", keep="all")
        names |= dict(zip(sold["product_id"], sold["name"], strict=True))
        selected = st.multiselect(
            t("recommend.exclude"),
            list(names),
            [row["product_id"] for row in excluded],
            format_func=lambda product: _called(product, names.get(product, "")),
            key=f"recommend_exclude_{stored.record['cutoff']}_{len(excluded)}",
            placeholder=t("recommend.exclude.none"),
        )
        changed = set(selected) != {row["product_id"] for row in excluded}
        label, may = t("recommend.exclude.button"), access.if_may("change", disabled=not changed)
        if st.button(label, key="recommend_again", icon=":material/refresh:", **may):
            access.require("change")
            update_offers(dataset, excluded=tuple(selected))
            command, name = _run(scored)
            progress.start_job([*command, *[f"--exclude={product}" for product in selected or [""]]], name)
            st.rerun()


def _called(product: str, name: str) -> str:
    """Return a product's name with its id; its id where it has no name."""
    return f"{name} ({product})" if name else product


def _one_customer(stored: StoredRecommendations, kind: str, names: Sequence[str], currency: str) -> None:
    """Let the person name a customer, and show what she is recommended and why, her tier by its name."""
    ids, cutoff, stop = stored.customers["customer_id"], stored.record["cutoff"], session.suppression_list()
    stopped = stop.hides(stored.customers)
    try:
        customer_id = search(
            ids,
            cutoff,
            first=int((~stopped).to_numpy().argmax()),
            default_caption=t("recommend.customer.first"),
            key="recommend_search",
            hits_key="recommend_hit",
            offered=ids[~stopped],
        )
        stop.check(customer_id)
    except NotFound as error:
        widgets.show_error(error)
        return
    about = stored.customers.iloc[int(ids.searchsorted(customer_id))]
    tier = widgets.escape(names[int(about[TIER]) - 1])
    rows = stored.of_customer(customer_id, kind).head(TOP)
    if not rows.empty:
        levels = {"own": about["own_level"], "aimed": about["aimed_level"], "listed": rows["grade"].mean()}
        level = {name: say(100 * share, 2) for name, share in levels.items()}
        st.markdown(t("recommend.customer.about", customer=widgets.escape(customer_id), tier=tier, **level))
    _customer_table(rows, currency)


def _customer_table(rows: pd.DataFrame, currency: str) -> None:
    """Show the products of one customer and why each is recommended."""
    if rows.empty:
        st.caption(t("recommend.customer.none"))
        return
    columns = ["place", "product_id", "name", "category", "price", "grade", "reason"]
    rows = rows.assign(reason=reasons(rows, session.language()))
    _products(rows, columns, currency, alt=t("recommend.customer"), height="auto")


def _products(rows: pd.DataFrame, columns: list[str], currency: str, *, alt: str, height: Any) -> None:
    """Show products, one row each; names and categories where the log has them.

    Args:
        rows: what is shown; ``grade`` and ``share`` are shares of one.
        columns: which are shown, in order.
        currency: of the prices.
        alt: what the table holds, for those who cannot see it.
        height: in pixels, or ``auto``.
    """
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    config = {
        "place": number(t("recommend.column.place"), width="small"),
        "product_id": text(t("recommend.column.product")),
        "name": text(t("recommend.column.name"), width="medium"),
        "category": text(t("recommend.column.category")),
        "price": cells.money(t("recommend.column.price"), currency),
        "grade": st.column_config.ProgressColumn(
            t("recommend.column.grade"),
            min_value=0,
            max_value=100,
            format="%d",
            width="small",
            help=t("recommend.column.grade.help"),
        ),
        "share": number(t("recommend.column.share"), format="%.0f%%", help=t("recommend.column.share.help")),
        "reason": text(t("recommend.column.reason"), width="large"),
    }
    shown = rows.assign(grade=(100 * rows["grade"]).round(), share=100 * rows.get("share", 0.0))
    given = [name for name in columns if name not in ("name", "category") or (rows[name] != "").any()]
    cells.table(shown[given], alt, config, height=height)
