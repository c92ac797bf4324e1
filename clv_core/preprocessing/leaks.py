"""Attributes that know the future: refused by default, by their name or by what they explain.

``total_spent`` or ``last_order_date`` in a customers table is the classic leak: exported today, it holds what a model
at a past cutoff must not know. A dated attribute has the day from which it held, so that evidence alone judges it where
there is any.

The evidence: for a span of the log, each customer's net value in it is predicted out of fold, once from what the
customer did before and after it, once from this and the attribute. An attribute that does not come from the log (age,
country, the channel that brought the customer) can only show how much the customer tends to buy, which the rest of the
log shows as well: it adds next to nothing. A total over the entire log, a tier cut from it, a last date hold the span
itself: the error falls at once. That fall, as a share of the error, with its lower confidence bound, is what counts.

The last two quarters of the log are judged, each by itself: the third shows what was summed over everything, the
fourth also what is of the end alone. Of a dated attribute the value before the span counts.
"""

from __future__ import annotations

import re
import unicodedata
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
from clv_core.collection.vocabulary import load_vocabulary
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import Message, Refused, UsageError
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.scratch import temporary_folder

SHARE: Final = 0.10
LOW: Final = 0.05
"""An attribute is a leak where it explains this share of the rest, and surely (99%) more than the lower one.

Measured on simulated logs: channel, age, country and even the true tendency to buy with its own size of noise stay
below; an exact total reaches 0.6 to 0.9, a total with 50% noise 0.2 to 0.3, a tier cut from it 0.1 to 0.4.
"""


@dataclass(frozen=True)
class Judgement:
    """The leaks among the attributes of a customers table.

    Args:
        named: attributes whose name means a count over the entire log.
        measured: the strongest evidence of each attribute that explains what it should not know.
        notes: why evidence could not be gathered, if so.
        untested: dated attributes with such a name, where no evidence could be gathered.
    """

    named: tuple[str, ...]
    measured: tuple[Evidence, ...]
    notes: tuple[Message, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All attributes that are refused by default."""
        return (*self.named, *self.untested, *(item.column for item in self.measured))

    def only(self, columns: Sequence[str]) -> Judgement:
        """Return the findings about ``columns``."""
        named, untested = (tuple(column for column in of if column in columns) for of in (self.named, self.untested))
        return Judgement(
            named, tuple(item for item in self.measured if item.column in columns), self.notes, untested=untested
        )

    def params(self) -> JsonObject:
        """Return the words' parameters: columns by name, and columns by evidence with their figures."""
        strongest = max(self.measured, key=lambda item: item.low, default=None)
        return {
            "named": list(self.named),
            "untested": list(self.untested),
            "measured": [f"{item.column} ({item.share:.0%})" for item in self.measured],
            "start": strongest.start.isoformat() if strongest else "",
            "end": strongest.end.isoformat() if strongest else "",
            "first": self.columns[0] if self.columns else "",
        }


def judge(dataset: Dataset, customers: Path, attributes: Sequence[Attribute], progress: Progress) -> Judgement:
    """Return which attributes are refused by default, and why.

    Args:
        dataset: the log.
        customers: the customers table, ids written as in the log.
        attributes: those that are on.
        progress: who listens.
    """
    suspicious = [attribute for attribute in attributes if says_leak(attribute.name)]
    named = [attribute.name for attribute in suspicious if attribute.dated_by is None]
    open_ones = [attribute for attribute in attributes if attribute.name not in named]
    evidence = gather_evidence(dataset, customers, open_ones, progress) if open_ones else []
    notes: tuple[Message, ...] = ()
    untested: tuple[str, ...] = ()
    if open_ones and not evidence:
        untested = tuple(attribute.name for attribute in suspicious if attribute.dated_by is not None)
        notes = (_unjudged(dataset),)
    strongest: dict[str, Evidence] = {}
    for item in evidence:
        if item.share >= SHARE and item.low >= LOW:
            before = strongest.get(item.column)
            strongest[item.column] = item if before is None or item.low > before.low else before
    return Judgement(tuple(named), tuple(strongest.values()), notes, untested)


def refuse_leaks(judgement: Judgement, attributes: Sequence[Attribute], accept: Sequence[str]) -> tuple[str, ...]:
    """Return the leaks that the person takes all the same; refuse the others.

    Args:
        judgement: of :func:`judge`.
        attributes: those that are on.
        accept: attributes that the person names.

    Raises:
        UsageError: ``accept`` names no attribute that is on.
        Refused: an attribute knows the future and is not named in ``accept``.
    """
    by_lower_name = {attribute.name.lower(): attribute.name for attribute in attributes}
    for word in accept:
        if word.strip().lower() not in by_lower_name:
            raise UsageError("customers_accept", column=word[:60], known=list(by_lower_name.values()) or "-")
    taken = {by_lower_name[word.strip().lower()] for word in accept}
    left = judgement.only([column for column in judgement.columns if column not in taken])
    if left.named and left.measured:
        raise Refused("leaks_both", **left.params())
    if left.named:
        raise Refused("leaks_by_name", **left.only(left.named).params())
    if left.untested:
        raise Refused("leaks_untested", **left.params())
    if left.measured:
        raise Refused("leaks_by_evidence", **left.params())
    return tuple(column for column in judgement.columns if column in taken)


def accepted_notes(judgement: Judgement, accepted: Sequence[str]) -> tuple[Message, ...]:
    """Return the warnings about leaks that were accepted, and about what could not be judged."""
    taken = judgement.only(accepted)
    notes = taken.notes
    if taken.named or taken.untested:
        columns = [*taken.named, *taken.untested]
        notes += (Message("warning.leaks_accepted_by_name", {"columns": columns}),)
    if taken.measured:
        notes += (Message("warning.leaks_accepted_by_evidence", {"columns": taken.params()["measured"]}),)
    return notes


def _unjudged(dataset: Dataset) -> Message:
    if not spans(dataset):
        days = (dataset.log_end - dataset.log_start).days
        return Message("warning.leaks_log_too_short", {"days": days, "needed": 4 * MIN_SPAN_DAYS})
    return Message("warning.leaks_too_few", {"customers": MIN_CUSTOMERS, "buyers": MIN_BUYERS})


_VOCABULARY: Final = load_vocabulary()
_DEED: Final = f"(?:{_VOCABULARY.pattern('leaks', 'deeds')})"
_IN_ALL: Final = f"(?:{_VOCABULARY.pattern('leaks', 'whole')})"
_LAST: Final = f"(?:{_VOCABULARY.pattern('leaks', 'last')})"
LEAK_NAMES: Final = re.compile(
    rf"{_VOCABULARY.pattern('leaks', 'columns')}|{_IN_ALL}_(?:\w+_)?{_DEED}|{_DEED}_(?:\w+_)?{_IN_ALL}"
    rf"|(?:{_VOCABULARY.pattern('leaks', 'numbers_of')})_{_DEED}"
    rf"|{_LAST}_(?:\w+_)?(?:{_VOCABULARY.pattern('leaks', 'last_deeds')})"
)
"""Complete names, in lower case with words joined by ``_``."""
PLACED: Final = re.compile(_VOCABULARY.pattern("leaks", "others"))
"""Tiers and segments of something else than the customer's buying."""
ENDS: Final = re.compile(f"_(?:{_VOCABULARY.pattern('leaks', 'ends')})$")
"""Endings of a name without a meaning of their own."""
WITHIN: Final = re.compile(_VOCABULARY.pattern("leaks", "within"))
"""Anywhere in a name, without ``_``."""


def says_leak(column: str) -> bool:
    """Say whether a column's name means that it was counted or cut from what customers did in the entire log."""
    plain = unicodedata.normalize("NFKC", column).strip()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    words = ENDS.sub("", _snake(spaced))
    if PLACED.fullmatch(words):
        return False
    if any(map(LEAK_NAMES.fullmatch, (words, _snake(spaced)))):
        return True
    return bool(WITHIN.search(words.replace("_", "")))


def _snake(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


MIN_CUSTOMERS: Final = 200
MIN_BUYERS: Final = 50
"""A span with fewer is not judged: four folds of so few leave bounds that are too wide to refuse anything. Guesses."""
MIN_SPAN_DAYS: Final = 14
"""A quarter of the log that is shorter is no evidence; a guess."""

FOLDS: Final = 4
GROUPS: Final = 200
"""Texts that count, the most frequent first; scikit-learn's trees take at most 255 categories."""
ONE_SIDED_99: Final = 2.326
"""The 99% quantile of the normal distribution."""


@dataclass(frozen=True)
class Evidence:
    """What an attribute knows of one span.

    Args:
        column: the attribute.
        share: by how much the error falls when the attribute is given, 0 to 1; below 0 where it only adds noise.
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
    evidence: list[Evidence] = []
    windows = spans(dataset)
    frames = facts_about(dataset, customers, attributes, windows, progress) if windows else []
    for place, ((start, end), frame) in enumerate(zip(windows, frames, strict=True)):
        buyers = int((frame[VALUE] > 0).sum())
        if len(frame) < MIN_CUSTOMERS or buyers < MIN_BUYERS:
            continue
        # The rest of the log, [customers, facts]; money on a scale where no single customer decides.
        rest = np.column_stack([_filled(frame[fact].to_numpy(float)) for fact in REST])
        value = np.log1p(frame[VALUE].clip(lower=0) / frame.loc[frame[VALUE] > 0, VALUE].median()).to_numpy(float)
        without = _errors(rest, value, None)
        for number, attribute in enumerate(attributes):
            progress.report("leaks", 1 + place * len(attributes) + number, 1 + len(windows) * len(attributes))
            column, group = _values(frame[f"attribute_{number}"], attribute)
            with_it = _errors(np.column_stack([rest, column]), value, rest.shape[1] if group else None)
            share, low = _fall(without, with_it)
            evidence.append(Evidence(attribute.name, share, low, start, end, len(frame)))
    return evidence


def spans(dataset: Dataset) -> list[tuple[date, date]]:
    """Return the third and the fourth quarter of the log; nothing where they are too short."""
    days = (dataset.log_end - dataset.log_start).days
    half, quarter = (dataset.log_start + timedelta(days * part // 4) for part in (2, 3))
    return [(half, quarter), (quarter, dataset.log_end)] if days >= 4 * MIN_SPAN_DAYS else []


MAX_SAMPLE: Final = 15_000
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
    ``attribute_0`` and so on, dated ones as they were before the span.

    Args:
        dataset: the log; it is read once, whatever its size, and only the sample's rows are kept.
        customers: the customers table, ids written as in the log.
        attributes: those to be judged.
        spans: first day and first day after.
        progress: who listens.
    """
    # ``picked``: the sample, from the ids that both the log and the table have (the inner query has each id once).
    # ``kept``: the sample's rows of the log, which every span is read from.
    table, events = file_text(customers), file_text(dataset.events_path)
    day = f"{local_time(EVENT_TIME, dataset.manifest.timezone)}::DATE"
    with temporary_folder("clv-leaks-") as folder, connect(folder) as connection:
        picked = (
            f"CREATE TEMP TABLE picked AS SELECT {CUSTOMER_ID} FROM (SELECT DISTINCT {CUSTOMER_ID} FROM {events})"
            f" SEMI JOIN {table} USING ({CUSTOMER_ID})"
            f" ORDER BY hash({CUSTOMER_ID}), {CUSTOMER_ID} LIMIT {MAX_SAMPLE}"
        )
        fetch(connection, picked, progress, "leaks")
        selected_rows = (
            f"CREATE TEMP TABLE kept AS SELECT {CUSTOMER_ID}, {AMOUNT}, {day} AS day,"
            f" {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') AS money, {EVENT_TYPE} = '{PURCHASE}' AS bought"
            f" FROM {events} SEMI JOIN picked USING ({CUSTOMER_ID})"
        )
        fetch(connection, selected_rows, progress, "leaks")
        return [_facts(connection, table, attributes, start, end) for start, end in spans]


def _facts(
    connection: duckdb.DuckDBPyConnection, table: str, attributes: Sequence[Attribute], start: date, end: date
) -> pd.DataFrame:
    """Return :func:`facts_about` of one span.

    ``wanted`` has each customer's attributes; ``days`` the rows with their day counted from the span's start, and
    whether they lie before or after the span; ``facts`` sums them by customer, without those first seen in the span.
    """
    cells = [f"{_value_before(attribute, start)} AS attribute_{number}" for number, attribute in enumerate(attributes)]
    facts = [f"coalesce(sum({AMOUNT}) FILTER (money AND NOT before AND NOT after), 0) AS {VALUE}"]
    facts += [fact for when in ("before", "after") for fact in _sums(when)]
    query = f"""
        WITH wanted AS (
            SELECT {", ".join([CUSTOMER_ID, *cells])} FROM {table} SEMI JOIN picked USING ({CUSTOMER_ID}) GROUP BY 1
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


def _value_before(attribute: Attribute, start: date) -> str:
    """Return SQL of an attribute's value; of a dated one, of the last before ``start``."""
    column = name(attribute.name)
    if attribute.dated_by is None:
        return f"max({column})"
    date_column = name(attribute.dated_by)
    return f"arg_max({column}, {date_column}) FILTER ({date_column} < DATE '{start}' AND {column} IS NOT NULL)"


def _values(column: pd.Series[Any], attribute: Attribute) -> tuple[NDArray[np.float64], bool]:
    """Return an attribute as numbers and whether they are numbers of groups."""
    if attribute.kind == NUMBER:
        return _filled(column.to_numpy(float)), False
    frequent = column.value_counts().index[:GROUPS]
    codes = pd.Categorical(column.where(column.isin(frequent)), categories=frequent).codes.astype(np.float64)
    return np.where(codes < 0, GROUPS, codes), True


def _filled(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with a value of its own, below all others, for unknown ones; trees need no more."""
    finite = numbers[np.isfinite(numbers)]
    return np.where(np.isfinite(numbers), numbers, finite.min() - 1 if len(finite) else 0.0)


def _errors(predictors: NDArray[np.float64], value: NDArray[np.float64], group: int | None) -> NDArray[np.float64]:
    """Return the squared error of each customer's value, predicted from the other folds, [customers]."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold

    errors = np.empty(len(value))
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(predictors):
        model = HistGradientBoostingRegressor(
            max_iter=60,
            max_leaf_nodes=15,
            early_stopping=False,
            random_state=0,
            categorical_features=None if group is None else [group],
        )
        errors[test] = (value[test] - model.fit(predictors[train], value[train]).predict(predictors[test])) ** 2
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
