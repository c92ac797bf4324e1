"""The recommendations part of the strategy page: what to put in each tier's mail, and what each customer is offered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.columns import PRODUCT_ID
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError, NotEnoughData, NotFound
from clv_core.strategy.advising import recommendation_side
from clv_core.strategy.files import XLSX_ROWS
from clv_core.strategy.find import find_customers
from clv_core.strategy.recommend.blend import TOP
from clv_core.strategy.recommend.kept import RECORD, KeptAdvice, load_advice, recommendations_folder
from clv_core.strategy.recommend.split import KINDS
from clv_core.strategy.recommend.worded import customer_rows, reasons
from clv_core.strategy.segments import TIER
from clv_core.strategy.tables import write_rows
from clv_core.strategy.tiers import DEFAULT_SCHEME, tier_names
from pages.ui import charts_advice, progress, state, widgets
from pages.ui.state import percent, say, t

METHODS: Final = ("blend", "popular", "own")
DOUBLE: Final = 2.0


def show(dataset: Dataset, bundle: Bundle) -> None:
    """Show how good the recommendations were, then those of a tier, of a customer, and the list."""
    try:
        advice = need_advice(dataset, bundle)
    except ClvError as error:
        refused(error)
        return
    top = st.container()
    kind = st.segmented_control(
        t("recommend.kind"),
        KINDS,
        format_func=lambda name: t(f"recommend.kind.{name}"),
        default=KINDS[0],
        required=True,
        key="recommend_kind",
        help=t("recommend.kind.help"),
        persist_state="session",
    )
    with top:
        widgets.headline(headline(advice, kind), widgets.context_line(bundle, dataset.log_end), _rests(advice, kind))
    _figures(advice, kind)
    st.subheader(t("recommend.tiers"), anchor=False)
    of_tier(advice, kind, dataset.manifest.currency)
    st.subheader(t("recommend.customer"), anchor=False)
    of_customer(advice, kind, dataset.manifest.currency)
    downloads(advice, kind, dataset, bundle)


def refused(error: ClvError) -> None:
    """Say why there is nothing to show: the log does not hold what is needed."""
    with st.container(border=True):
        st.subheader(t("strategy.refused"), anchor=False)
        st.write(widgets.plain(error.message(state.language())))


def need_advice(dataset: Dataset, bundle: Bundle) -> KeptAdvice:
    """Return the recommendations; while they are not there, show the run that makes them.

    Raises:
        NotEnoughData: the log names no products.
    """
    if PRODUCT_ID not in dataset.manifest.columns:
        raise NotEnoughData("recommend_no_products", dataset=dataset.name, products=0)
    command, folder, record = _run(dataset, bundle)
    progress.need(record.is_file(), command, folder.name, t("recommend.wait"))
    return load(str(folder), record.stat().st_mtime)


@st.cache_resource(max_entries=4, show_spinner=False)
def load(folder: str, written: float) -> KeptAdvice:
    """Return the recommendations of a folder; read once."""
    found = load_advice(Path(folder))
    if found is None:
        raise ClvError("explanation_missing", folder=folder)
    return found


def _quality(advice: KeptAdvice, kind: str) -> dict[str, dict[str, Any]]:
    return {one["method"]: one for one in advice.record["quality"].get(kind, [])}


def headline(advice: KeptAdvice, kind: str) -> str:
    """Return how much of what customers then bought was among ten recommendations, against simple lists."""
    found = _quality(advice, kind)
    if not found:
        return t("recommend.headline.unmeasured", customers=say(len(advice.customers)))
    recall = {name: found[name]["recall"]["value"] for name in METHODS}
    times = say(recall["blend"] / recall["popular"], 2) if recall["popular"] > 0 else "–"
    about = {"share": percent(recall["blend"], 1), "times": times}
    if kind == KINDS[1] or recall["own"] <= 0:
        return t(f"recommend.headline.{kind}", **about, more="")
    return t(f"recommend.headline.{kind}", **about, more=_than_own(recall["blend"] / recall["own"]))


def _than_own(ratio: float) -> str:
    """Return how the recommendations compare with what a customer bought most often."""
    if ratio >= DOUBLE:
        return t("recommend.than_own.times", times=say(ratio, 2))
    return t(f"recommend.than_own.{'more' if ratio >= 1 else 'less'}", share=percent(abs(ratio - 1)))


def _rests(advice: KeptAdvice, kind: str) -> str:
    """Return what was measured and what is a rule."""
    record = advice.record
    rule = t("warning.recommend_price_rule")
    if not _quality(advice, kind):
        return f"{t('recommend.unmeasured')} {rule}"
    said = t(
        "recommend.measured",
        customers=say(record["customers"][kind]),
        start=state.day(record["start"]),
        days=record["window_days"],
        months=record["earlier_months"],
    )
    return f"{said}  \n{rule}"


def _figures(advice: KeptAdvice, kind: str) -> None:
    found = _quality(advice, kind)
    if not found:
        return
    row = []
    for name in METHODS:
        recall = found[name]["recall"]
        note = t("recommend.interval", low=percent(recall["low"], 1), high=percent(recall["high"], 1))
        if name == "own" and kind == KINDS[1]:
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


def of_tier(advice: KeptAdvice, kind: str, currency: str) -> None:
    """Show what to put in one tier's mail, and how dear the tiers' products are."""
    names = tier_names(DEFAULT_SCHEME.tiers, state.language())
    rows = advice.tiers[advice.tiers["kind"] == kind]
    if rows.empty:
        st.caption(t("recommend.customer.none"))
        return
    known = sorted(rows[TIER].unique().tolist())
    left, right = st.columns([3, 2])
    with left:
        tier = st.segmented_control(
            t("column.tier"),
            known,
            format_func=lambda tier: names[tier - 1],
            default=known[0],
            required=True,
            key=f"recommend_tier_{len(known)}",
        )
        shown = rows[rows[TIER] == tier].assign(share=lambda frame: 100 * frame["share"])
        columns = product_columns(currency) | {
            "share": st.column_config.NumberColumn(
                t("recommend.column.share"), format="%.0f%%", help=t("recommend.column.share.help")
            ),
        }
        order = ["product_id", "category", "price", "grade", "share"]
        st.dataframe(
            _shown_grade(shown)[order],
            hide_index=True,
            column_config=columns,
            alt=t("recommend.tiers"),
            height=388,
            placeholder="–",
        )
    with right:
        level = rows.groupby(TIER)["grade"].mean()
        highest, lowest = level.iloc[0], level.iloc[-1]
        key = "recommend.chart.rising" if highest > lowest else "recommend.chart.flat"
        message = t(key, first=names[int(level.index[0]) - 1], last=names[int(level.index[-1]) - 1])
        table = pd.DataFrame({"name": [names[tier - 1] for tier in level.index], "level": level.to_numpy()})
        widgets.chart(charts_advice.price_levels(table, message), "recommend_levels", height=320)


def product_columns(currency: str) -> dict[str, Any]:
    """Return how the columns of a list of products are named and shown."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "place": number(t("recommend.column.place"), width="small"),
        "product_id": text(t("recommend.column.product")),
        "category": text(t("recommend.column.category")),
        "price": number(f"{t('recommend.column.price')} ({state.unit(currency)})", format="%.2f"),
        "grade": st.column_config.ProgressColumn(
            t("recommend.column.grade"),
            min_value=0,
            max_value=100,
            format="%d",
            width="small",
            help=t("recommend.column.grade.help"),
        ),
        "reason": text(t("recommend.column.reason"), width="large"),
    }


def _shown_grade(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(grade=(100 * rows["grade"]).round())


def of_customer(advice: KeptAdvice, kind: str, currency: str) -> None:
    """Let the person name a customer, and show what she is recommended and why."""
    ids = advice.customers["customer_id"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            t("card.search"), key="recommend_search", type="search", placeholder=t("card.search.hint"), width=320
        )
        if not (text or "").strip():
            st.caption(t("recommend.customer.first"))
            chosen = str(ids.iloc[0])
        else:
            hits = find_customers(ids, text)
            if not hits:
                cutoff = state.day(advice.record["cutoff"])
                widgets.error_box(NotFound("customer_unknown", customer=text.strip(), cutoff=cutoff))
                return
            chosen = (
                hits[0] if len(hits) == 1 else str(st.selectbox(t("card.hits"), hits, key="recommend_hit", width=320))
            )
    about = advice.customers.iloc[int(ids.searchsorted(chosen))]
    tier = tier_names(DEFAULT_SCHEME.tiers, state.language())[int(about[TIER]) - 1]
    level = {name: say(100 * about[f"{name}_level"], 2) for name in ("own", "aimed")}
    st.markdown(t("recommend.customer.about", customer=widgets.plain(chosen), tier=tier, **level))
    customer_table(advice, chosen, kind, currency)


def customer_table(advice: KeptAdvice, customer: str, kind: str, currency: str) -> None:
    """Show the products of one customer and why each is recommended."""
    rows = advice.of_customer(customer, kind).head(TOP)
    if rows.empty:
        st.caption(t("recommend.customer.none"))
        return
    rows = _shown_grade(rows).assign(reason=reasons(rows, state.language()))
    st.dataframe(
        rows[["place", "product_id", "category", "price", "grade", "reason"]],
        hide_index=True,
        column_config=product_columns(currency),
        alt=t("recommend.customer"),
        placeholder="–",
    )


def on_card(dataset: Dataset, bundle: Bundle, customer: str) -> None:
    """Show a customer's products on the customer page, or offer to look for them; nothing where the log has none."""
    if PRODUCT_ID not in dataset.manifest.columns:
        return
    st.subheader(t("card.recommended"), anchor=False)
    command, folder, record = _run(dataset, bundle)
    if record.is_file():
        advice = load(str(folder), record.stat().st_mtime)
        customer_table(advice, customer, KINDS[0], dataset.manifest.currency)
        return
    job = progress.latest(command[0], folder.name)
    if job is not None and progress.running(job):
        progress.watch(job)
        return
    if job is not None:
        progress.ended(job)
    st.caption(t("card.recommended.make"))
    if st.button(t("card.recommended.button"), key="card_recommend", icon=":material/shopping_bag:"):
        state.start_job(command, folder.name)
        st.rerun()


def _run(dataset: Dataset, bundle: Bundle) -> tuple[list[str], Path, Path]:
    """Return the command that makes the recommendations, their folder, and the file that says they are there."""
    folder = recommendations_folder(state.workspace(), bundle, dataset)
    out = state.workspace().exports / f"{folder.name}-recommendations.parquet"
    return ["recommend", dataset.name, "--model", bundle.id, "--out", str(out)], folder, folder / RECORD


def downloads(advice: KeptAdvice, kind: str, dataset: Dataset, bundle: Bundle) -> None:
    """Offer the list of all customers as CSV and workbook; an untrusted model has to be acknowledged first."""
    allowed = widgets.acknowledged(bundle)
    many = len(advice.customers) * TOP > XLSX_ROWS
    if many:
        st.caption(t("recommend.xlsx.many", rows=f"{XLSX_ROWS:,}"))
    what = "recommendations" if kind == KINDS[0] else "recommendations-new"
    with st.container(horizontal=True):
        for ending in ("csv", "xlsx"):
            name = widgets.file_name(bundle, what, dataset.log_end, ending)
            widgets.download(
                t("segments.download", format=t(f"export.{ending}")),
                _maker(advice, kind, dataset, bundle, name),
                name,
                f"download_recommend_{ending}",
                disabled=not allowed or (many and ending == "xlsx"),
                type="primary" if ending == "csv" else "secondary",
            )


def _maker(advice: KeptAdvice, kind: str, dataset: Dataset, bundle: Bundle, name: str) -> Callable[[], bytes]:
    work, language = state.workspace(), state.language()

    def make() -> bytes:
        rows = customer_rows(advice.everyone(kind, TOP), language)
        side = recommendation_side(dataset, bundle, language)
        return write_rows(work, rows, work.exports / name, side).files[0].read_bytes()

    return make
