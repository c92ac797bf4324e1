"""How much of what customers did in a span an attribute knows that the rest of their log does not.

For a span of the log, each customer's net value in it is predicted out of fold, once from what the customer did before
and after it, once from this and the attribute. An attribute that is known on its own account (age, country, the
channel that brought the customer) can only tell how much the customer tends to buy, which the rest of the log tells
as well: it adds next to nothing. A total over the whole log, a tier cut from it, a last date hold the span itself:
the error falls at once. That fall, as a share of the error, with its lower confidence bound, is the evidence.

The last two quarters of the log are judged, each by itself: the third shows what was summed over everything, the
fourth also what tells only of the end. Of a dated attribute the value before the span counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection import connect, fetch, file_text, local_time, name
from clv_core.collection.customers import NUMBER
from clv_core.collection.store import Attribute, Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, RETURN
from clv_core.jobs import Progress
from clv_core.scratch import temporary_folder

LARGEST_SAMPLE: Final = 15_000
"""Customers of the table and the log, picked by a hash of their ids, so that the same are picked again."""

VALUE: Final = "value"
FACTS: Final = ("net", "days", "first", "last", "events", "seen")
REST: Final = tuple(f"{when}_{fact}" for when in ("before", "after") for fact in FACTS)
"""Columns on what a customer did outside the span: net value, purchase days, the first and last of them (in days from
the span's start), rows, and the last day seen."""


def facts_about(
    dataset: Dataset,
    customers: Path,
    attributes: Sequence[Attribute],
    spans: Sequence[tuple[date, date]],
    progress: Progress,
) -> list[pd.DataFrame]:
    """Return one frame a span: one row a customer seen before it, with ``value`` (net in the span), :data:`REST`, and
    ``attribute_0`` and so on, dated ones as known before the span.

    Args:
        dataset: the log; it is read once, whatever its size, and only the sample's rows are kept.
        customers: the customers table, ids written as in the log.
        attributes: those to be looked at.
        spans: first day and first day after.
        progress: who listens.
    """
    table, events = file_text(customers), file_text(dataset.events_path)
    day = f"{local_time(EVENT_TIME, dataset.manifest.timezone)}::DATE"
    with temporary_folder("clv-leaks-") as folder, connect(folder) as connection:
        picked = (
            f"CREATE TEMP TABLE picked AS SELECT {CUSTOMER_ID} FROM (SELECT DISTINCT {CUSTOMER_ID} FROM {events})"
            f" SEMI JOIN {table} USING ({CUSTOMER_ID})"
            f" ORDER BY hash({CUSTOMER_ID}), {CUSTOMER_ID} LIMIT {LARGEST_SAMPLE}"
        )
        fetch(connection, picked, progress, "leaks")
        kept = (
            f"CREATE TEMP TABLE kept AS SELECT {CUSTOMER_ID}, {AMOUNT}, {day} AS day,"
            f" {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') AS money, {EVENT_TYPE} = '{PURCHASE}' AS bought"
            f" FROM {events} SEMI JOIN picked USING ({CUSTOMER_ID})"
        )
        fetch(connection, kept, progress, "leaks")
        return [_facts(connection, table, attributes, start, end) for start, end in spans]


def _facts(
    connection: duckdb.DuckDBPyConnection, table: str, attributes: Sequence[Attribute], start: date, end: date
) -> pd.DataFrame:
    known = [f"{_known(attribute, start)} AS attribute_{number}" for number, attribute in enumerate(attributes)]
    facts = [f"coalesce(sum({AMOUNT}) FILTER (money AND NOT before AND NOT after), 0) AS {VALUE}"]
    facts += [fact for when in ("before", "after") for fact in _sums(when)]
    query = f"""
        WITH wanted AS (
            SELECT {", ".join([CUSTOMER_ID, *known])} FROM {table} SEMI JOIN picked USING ({CUSTOMER_ID}) GROUP BY 1
        ),
        days AS (
            SELECT * REPLACE (day - DATE '{start}' AS day), day < DATE '{start}' AS before, day >= DATE '{end}' AS after
            FROM kept
        ),
        facts AS (SELECT {CUSTOMER_ID}, {", ".join(facts)} FROM days GROUP BY 1 HAVING bool_or(before))
        SELECT * FROM facts JOIN wanted USING ({CUSTOMER_ID}) ORDER BY hash({CUSTOMER_ID}), {CUSTOMER_ID}
    """
    frame: pd.DataFrame = connection.execute(query).df()
    return frame


def _sums(when: str) -> list[str]:
    parts = {
        "net": f"coalesce(sum({AMOUNT}) FILTER (money AND {when}), 0)",
        "days": f"count(DISTINCT day) FILTER (bought AND {when})",
        "first": f"min(day) FILTER (bought AND {when})",
        "last": f"max(day) FILTER (bought AND {when})",
        "events": f"count(*) FILTER ({when})",
        "seen": f"max(day) FILTER ({when})",
    }
    return [f"{parts[fact]} AS {when}_{fact}" for fact in FACTS]


def _known(attribute: Attribute, start: date) -> str:
    column = name(attribute.name)
    if attribute.dated_by is None:
        return f"max({column})"
    date_column = name(attribute.dated_by)
    return f"arg_max({column}, {date_column}) FILTER ({date_column} < DATE '{start}' AND {column} IS NOT NULL)"


FEWEST_CUSTOMERS: Final = 200
FEWEST_BUYERS: Final = 50
SHORTEST_DAYS: Final = 14
"""A quarter of the log that is shorter says nothing."""

FOLDS: Final = 4
GROUPS: Final = 200
ONE_SIDED_99: Final = 2.326


@dataclass(frozen=True)
class Evidence:
    """What an attribute knows of one span.

    Args:
        column: the attribute.
        share: by how much the error falls when the attribute is known, 0 to 1; below 0 where it only adds noise.
        low: lower end of ``share``, one-sided 99%.
        start: first day of the span.
        end: first day after it.
        customers: customers that were looked at.
    """

    column: str
    share: float
    low: float
    start: date
    end: date
    customers: int


def spans(dataset: Dataset) -> list[tuple[date, date]]:
    """Return the third and the fourth quarter of the log; nothing where they are too short."""
    days = (dataset.log_end - dataset.log_start).days
    half, quarter = (dataset.log_start + timedelta(days * part // 4) for part in (2, 3))
    return [(half, quarter), (quarter, dataset.log_end)] if days >= 4 * SHORTEST_DAYS else []


def gather_evidence(
    dataset: Dataset, customers: Path, attributes: Sequence[Attribute], progress: Progress
) -> list[Evidence]:
    """Return the evidence of each attribute in each span that enough customers were there for.

    Args:
        dataset: the log.
        customers: the customers table, ids written as in the log.
        attributes: those to be judged.
        progress: who listens.
    """
    found: list[Evidence] = []
    windows = spans(dataset)
    frames = facts_about(dataset, customers, attributes, windows, progress) if windows else []
    for place, ((start, end), frame) in enumerate(zip(windows, frames, strict=True)):
        buyers = int((frame[VALUE] > 0).sum())
        if len(frame) < FEWEST_CUSTOMERS or buyers < FEWEST_BUYERS:
            continue
        # The rest of the log, [customers, facts]; money on a scale where no single customer decides.
        rest = np.column_stack([_filled(frame[fact].to_numpy(float)) for fact in REST])
        value = np.log1p(frame[VALUE].clip(lower=0) / frame.loc[frame[VALUE] > 0, VALUE].median()).to_numpy(float)
        without = _errors(rest, value, None)
        for number, attribute in enumerate(attributes):
            progress.report("leaks", 1 + place * len(attributes) + number, 1 + len(windows) * len(attributes))
            known, group = _values(frame[f"attribute_{number}"], attribute)
            with_it = _errors(np.column_stack([rest, known]), value, rest.shape[1] if group else None)
            share, low = _fall(without, with_it)
            found.append(Evidence(attribute.name, share, low, start, end, len(frame)))
    return found


def _values(column: pd.Series[Any], attribute: Attribute) -> tuple[NDArray[np.float64], bool]:
    """Return an attribute as numbers and whether they are numbers of groups."""
    if attribute.kind == NUMBER:
        return _filled(column.to_numpy(float)), False
    frequent = column.value_counts().index[:GROUPS]
    codes = pd.Categorical(column.where(column.isin(frequent)), categories=frequent).codes.astype(np.float64)
    return np.where(codes < 0, GROUPS, codes), True


def _filled(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with a value of its own, below all others, for unknown ones; trees need no more."""
    known = numbers[np.isfinite(numbers)]
    return np.where(np.isfinite(numbers), numbers, known.min() - 1 if len(known) else 0.0)


def _errors(known: NDArray[np.float64], value: NDArray[np.float64], group: int | None) -> NDArray[np.float64]:
    """Return the squared error of each customer's value, predicted from the other folds, [customers]."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold

    errors = np.empty(len(value))
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(known):
        model = HistGradientBoostingRegressor(
            max_iter=60,
            max_leaf_nodes=15,
            early_stopping=False,
            random_state=0,
            categorical_features=None if group is None else [group],
        )
        errors[test] = (value[test] - model.fit(known[train], value[train]).predict(known[test])) ** 2
    return errors


def _fall(without: NDArray[np.float64], with_it: NDArray[np.float64]) -> tuple[float, float]:
    """Return by what share the mean error falls, and the lower bound of this ratio of means (delta method)."""
    fall = without - with_it
    mean = float(without.mean())
    if mean == 0:
        return 0.0, 0.0
    share = float(fall.mean()) / mean
    spread = float((fall - share * without).std()) / mean / np.sqrt(len(fall))
    return share, float(share - ONE_SIDED_99 * spread)
