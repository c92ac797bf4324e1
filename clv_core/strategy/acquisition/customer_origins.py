"""The origin of each customer, read from the log at the first event and the first order, and her spending since.

Origin columns of the customers table (``acquired_on``, ``acquisition_channel``, ``acquisition_campaign``) take
precedence over the log's own columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection import file_text
from clv_core.collection import name as identifier
from clv_core.collection.parse import TimeReading
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import ACQUIRED_ON, ACQUISITION_CAMPAIGN, ACQUISITION_CHANNEL, fold, load_vocabulary
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    PRODUCT_ID,
    PURCHASE,
    RETURN,
)
from clv_core.deployment import ArtifactKind, Scored, Terms, companion_path, shared_error
from clv_core.disk import ignore_unwritable
from clv_core.errors import Message
from clv_core.evaluation import SharedError, fifth_of
from clv_core.features import Engine
from clv_core.jobs import Progress
from clv_core.strategy.purchase_history import load_history
from clv_core.strategy.segments.segment_figures import (
    HOLDOUT,
    PastPredictions,
    other_origins_error,
    past_predictions,
    read_past,
)
from clv_core.workspace import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CAMPAIGN: Final = "campaign"
PRODUCT: Final = "product"
DISCOUNT_BAND: Final = "discount"
COHORT: Final = "cohort"
DIMENSIONS: Final = (CHANNEL, CAMPAIGN, COUNTRY, PRODUCT, CATEGORY, DISCOUNT_BAND, COHORT)
"""What customers can be grouped by. Channel, campaign and country are those of the first event that has one; product,
category and discount those of the first order; the cohort is the month of the first event."""
DISCOUNT_BANDS: Final = ("0%", "<10%", "10-20%", "20-30%", "30%+")
CAMPAIGN_NAMES: Final = frozenset(load_vocabulary().folded("acquisition", "campaign"))
"""Folded names of columns of a log that hold the campaign."""
VERSION: Final = b"dataset_version"
MONTH_DAYS: Final = 365.25 / 12
"""Length of a month of a customer's age."""


@dataclass(frozen=True, eq=False)
class PastPeriod:
    """Predictions at an earlier cutoff, with what came after it.

    Args:
        cutoff: as of when.
        row: place of each of its customers among the new customers, [m].
        scores: their ``p_purchase`` and ``predicted_clv``, [m].
        actual: net value in the horizon, [m].
        shared: prediction error estimated from the other origins; None where there are none.
    """

    cutoff: date
    row: Ints
    scores: pd.DataFrame
    actual: Floats
    shared: SharedError | None


@dataclass(frozen=True, eq=False)
class NewCustomers:
    """All scored customers with their origin and their value; what :func:`.economics.acquisition_report` counts.

    Money is net value in the log's currency, before any margin.

    Args:
        log_start: first day of the log.
        as_of: the cutoff; only events before it are read.
        currency: of the values, may be empty.
        terms: horizon and discount of ``predicted``.
        origin: text of each dimension that has values, each categorical, [n]; missing is unknown.
        acquired: day of the first event, datetime64[D], [n].
        bought: whether she has ordered, bool [n].
        orders: purchase days, [n].
        value_so_far: before ``as_of``, [n].
        predicted: after it, to the horizon, [n].
        p_purchase: chance of an order in the trained horizon, [n].
        fifth: by predicted value among all customers, 0 to 4, [n].
        spent_row: place of the customer of each entry of ``spent``, [m].
        spent_month: her age in months then, 0 the first, [m].
        spent: net value in that month of her age, [m].
        shared: prediction error estimated from past origins; None where there are none.
        past: earlier predictions whose horizon is over, the latest first.
    """

    log_start: date
    as_of: date
    currency: str
    terms: Terms
    origin: Mapping[str, pd.Categorical]
    acquired: NDArray[np.datetime64]
    bought: NDArray[np.bool_]
    orders: Ints
    value_so_far: Floats
    predicted: Floats
    p_purchase: Floats
    fifth: Ints
    spent_row: Ints
    spent_month: Ints
    spent: Floats
    shared: SharedError | None
    past: tuple[PastPeriod, ...] = ()
    warnings: tuple[Message, ...] = field(default=())

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.acquired)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those of :data:`DIMENSIONS` that have values."""
        return tuple(name for name in DIMENSIONS if name in self.origin)


def load_new_customers(scored: Scored, progress: Progress) -> NewCustomers:
    """Return the customers of a dataset with origin and value; origins are computed once and saved with the scores.

    Args:
        scored: model, dataset and cutoff, with horizon and discount of predicted value; its margin is left to the
            report.
        progress: listener.
    """
    scored = scored.at(replace(scored.terms, margin_rate=1.0))
    trained = scored.trained
    if not trained.scores_path.exists():
        trained.scores(progress)
    past = past_predictions(scored)
    with_ids = bool(past) or not scored.is_trained
    columns = ["p_purchase", "predicted_clv", *([CUSTOMER_ID] if with_ids else [])]
    scores = scored.at_terms(pd.read_parquet(trained.scores_path, columns=columns), progress)
    history = load_history(scored)
    table = load_origins(scored, progress)
    lists = table.column("months").combine_chunks()
    row = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
    month, spent = lists.values.field("month").to_numpy(), lists.values.field("value").to_numpy()
    acquired = table.column("acquired").to_numpy().astype("datetime64[D]")
    origin = {
        name: table.column(name).combine_chunks().to_pandas() for name in DIMENSIONS if name in table.column_names
    }
    origin = {name: text.array for name, text in origin.items() if text.notna().any()}
    origin[COHORT] = _months(acquired)
    predicted = scores["predicted_clv"].to_numpy(np.float64)
    return NewCustomers(
        log_start=scored.dataset.log_start,
        as_of=scored.as_of,
        currency=scored.currency,
        terms=scored.terms,
        origin=origin,
        acquired=acquired,
        bought=history["purchase_days"].to_numpy() > 0,
        orders=history["purchase_days"].to_numpy(np.int64),
        value_so_far=history["historic_value"].to_numpy(np.float64),
        predicted=predicted,
        p_purchase=scores["p_purchase"].to_numpy(np.float64),
        fifth=fifth_of(predicted),
        spent_row=row,
        spent_month=month.astype(np.int64),
        spent=spent.astype(np.float64),
        shared=shared_error(scored.workspace, scored.model),
        past=tuple(_past(period, scored, scores[CUSTOMER_ID]) for period in past),
        warnings=tuple(scored.warnings()),
    )


def _past(past: PastPredictions, scored: Scored, ids: pd.Series[str]) -> PastPeriod:
    """Return earlier predictions by the place of their customers among those of today; others are left out."""
    columns = (CUSTOMER_ID, "p_purchase", "predicted_clv", "actual")
    frame = scored.model.holdout(scored.model.record.model, columns) if past.kind == HOLDOUT else None
    if frame is None:
        frame = read_past(past, scored)[list(columns)]
    row = pd.Index(ids).get_indexer(pd.Index(frame[CUSTOMER_ID]))
    frame, row = frame[row >= 0], row[row >= 0]
    shared = other_origins_error(scored, past)
    return PastPeriod(past.cutoff, row, frame[["p_purchase", "predicted_clv"]], frame["actual"].to_numpy(float), shared)


def _months(days: NDArray[np.datetime64]) -> Any:
    """Return the calendar month of each day as a categorical of texts, ``2024-03``."""
    months = days.astype("datetime64[M]")
    names = np.arange(months.min(), months.max() + np.timedelta64(1, "M"))
    return pd.Categorical.from_codes((months - months.min()).astype(np.int64), names.astype("str").tolist())


def load_origins(scored: Scored, progress: Progress) -> pa.Table:
    """Return the origin of the customers of saved scores, row by row in their order; computed and saved if need be.

    Returns:
        acquired (date), the text of each dimension (dictionary), and months: of each month of her age with an order or
        a return ``{month, value}``.
    """
    import pyarrow.parquet as pq

    scores, version = scored.trained.scores_path, scored.dataset.version
    path = companion_path(scores, ArtifactKind.ORIGINS)
    if path.exists() and path.stat().st_mtime_ns >= scores.stat().st_mtime_ns:
        table = pq.read_table(path)
        # A version that differs in its customers table alone has the results of the one before it.
        if (table.schema.metadata or {}).get(VERSION) == version.encode():
            return table
    progress.report("origins", 0, 1)
    table = _origins(scored.dataset, scored.as_of, scores).replace_schema_metadata({VERSION: version})
    with ignore_unwritable(), atomic_path(path) as temporary:
        pq.write_table(table, temporary)
    return table


def _origins(dataset: Dataset, cutoff: date, scores: Path) -> pa.Table:
    """Compute the table of :func:`load_origins` from the log."""
    import pyarrow as pa

    engine = Engine()
    try:
        run = engine.connection.raw_sql
        events = dataset.events(engine.connection)
        before = events.filter(events[EVENT_TIME] < datetime.combine(cutoff, time()))
        run(f"CREATE TEMP VIEW log AS {before.compile()}")
        run(f"CREATE TEMP TABLE origins AS {_query(dataset, scores)}")
        table = run(f"SELECT * EXCLUDE ({CUSTOMER_ID}, place) FROM origins ORDER BY place").to_arrow_table()
        spent = run(
            f"SELECT place, greatest(floor(({EVENT_TIME}::DATE - acquired) / {MONTH_DAYS}), 0)::INT AS month,"
            f" sum({AMOUNT}) AS value FROM log JOIN origins USING ({CUSTOMER_ID})"
            f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') GROUP BY 1, 2 ORDER BY 1, 2"
        ).to_arrow_table()
    finally:
        engine.close()
    for name in set(DIMENSIONS) & set(table.column_names):
        table = table.set_column(table.column_names.index(name), name, table.column(name).dictionary_encode())
    count = np.bincount(spent.column("place").to_numpy(), minlength=len(table))
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    months = pa.StructArray.from_arrays(
        [spent.column(name).combine_chunks() for name in ("month", "value")], ["month", "value"]
    )
    return table.append_column("months", pa.ListArray.from_arrays(offsets, months))


def _query(dataset: Dataset, scores: Path) -> str:
    """Return the SQL of one row a scored customer, with its place among the scores.

    ``stated``: origin from the customers table, which takes precedence. ``seen``: origin from the first events of the
    log. ``lines``: discount and payment of each day with purchases; ``first_orders``: the discount's share on the first
    of these days. ``scored``: the customers with their place in the file of scores, to which all others are joined.
    """
    campaign = campaign_column(dataset)
    columns = {CHANNEL: CHANNEL, COUNTRY: COUNTRY, **({CAMPAIGN: campaign} if campaign else {})}
    ordered = {PRODUCT: PRODUCT_ID, CATEGORY: CATEGORY}
    seen = [_first(name, column, "true") for name, column in columns.items()]
    seen += [_first(name, column, f"{EVENT_TYPE} = '{PURCHASE}'") for name, column in ordered.items()]
    limits = zip((0.001, 0.1, 0.2, 0.3), DISCOUNT_BANDS, strict=False)
    bands = " ".join(f"WHEN share < {limit} THEN '{band}'" for limit, band in limits)
    cells = {CHANNEL: f"seen.{CHANNEL}", CAMPAIGN: f"seen.{CAMPAIGN}" if campaign else "NULL"}
    selected_cells = [f"coalesce(stated.{name}, {cell}) AS {name}" for name, cell in cells.items()]
    selected_cells += [f"seen.{name}" for name in (COUNTRY, *ordered)]
    return f"""
WITH stated AS ({_stated(dataset)}),
seen AS (SELECT {CUSTOMER_ID}, min({EVENT_TIME})::DATE AS day, {", ".join(seen)} FROM log GROUP BY 1),
lines AS (SELECT {CUSTOMER_ID}, {EVENT_TIME}::DATE AS day, sum({DISCOUNT}) AS off, sum({AMOUNT}) AS paid
    FROM log WHERE {EVENT_TYPE} = '{PURCHASE}' AND {DISCOUNT} IS NOT NULL GROUP BY 1, 2),
first_orders AS (SELECT {CUSTOMER_ID}, arg_min(coalesce(off / nullif(off + paid, 0), 0), day) AS share
    FROM lines GROUP BY 1)
SELECT scored.{CUSTOMER_ID}, place, least(stated.acquired, seen.day) AS acquired, {", ".join(selected_cells)},
    CASE WHEN share IS NULL THEN NULL {bands} ELSE '{DISCOUNT_BANDS[-1]}' END AS {DISCOUNT_BAND}
FROM (SELECT {CUSTOMER_ID}, file_row_number AS place
    FROM read_parquet({file_text(scores)}, file_row_number = true)) AS scored
LEFT JOIN seen USING ({CUSTOMER_ID}) LEFT JOIN stated USING ({CUSTOMER_ID})
LEFT JOIN first_orders USING ({CUSTOMER_ID})
"""


def campaign_column(dataset: Dataset) -> str | None:
    """Return the column of the log that holds campaigns, None where none does by its name."""
    extra = (column for column in dataset.manifest.columns if column not in BY_NAME)
    return next((column for column in extra if fold(column) in CAMPAIGN_NAMES), None)


def _first(name: str, column: str, where: str) -> str:
    """Return SQL for the first text of a column; of two at one time, the first by the alphabet."""
    cell = identifier(column)
    return f"arg_min({cell}, {{'t': {EVENT_TIME}, 'x': {cell}}}) FILTER ({where} AND trim({cell}) <> '') AS {name}"


def _stated(dataset: Dataset) -> str:
    """Return SQL for the origin columns of the customers table: acquired, channel, campaign.

    A day that cannot be read, or that lies behind the customer's first event, counts as missing.
    """
    table = dataset.manifest.customers_table
    fields = {field.lower() for field in table.contacts} if table else set()
    day = f"({TimeReading().value(ACQUIRED_ON)})::DATE" if ACQUIRED_ON in fields else "NULL::DATE"
    texts = ((CHANNEL, ACQUISITION_CHANNEL), (CAMPAIGN, ACQUISITION_CAMPAIGN))
    cells = [f"min(nullif(trim({field}), '')) AS {name}" for name, field in texts if field in fields]
    cells += [f"NULL AS {name}" for name, field in texts if field not in fields]
    source = file_text(dataset.customers_path) if table else f"(SELECT '' AS {CUSTOMER_ID} LIMIT 0)"
    return f"SELECT {CUSTOMER_ID}, min({day}) AS acquired, {', '.join(cells)} FROM {source} GROUP BY 1"
