"""After each load: do the source and its dataset have the same rows and the same revenue on each day?

Days that a run fetched completely may differ by the rows that the reader rejected or dropped as repetitions, and by
nothing else. Earlier days may differ by what they differed by when they were fetched completely: whatever changes there
came late, was changed or was deleted beyond the look-back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from clv_core.collection import connect_memory, file_text, local_time, name
from clv_core.collection.merge import WholeOrders
from clv_core.collection.parse import NumberReading
from clv_core.collection.sources import (
    KINDS,
    NO_ORDERS,
    REPLACE,
    ComparedDays,
    Days,
    Held,
    Pulled,
    Source,
    SourceState,
    first_day,
)
from clv_core.collection.store import Dataset, LogFiles, Manifest
from clv_core.columns import AMOUNT, EVENT_TIME, ORDER_ID, QUANTITY, UNIT_PRICE
from clv_core.errors import Message
from clv_core.jobs import Progress

CENT: Final = 0.005
"""Half a cent: a smaller difference of two sums is rounding."""
ROUNDING: Final = 1e-9
"""Share of a sum by which adding its amounts in another order may change it, with room."""
MAX_DELETED_SHARE: Final = 0.2
"""Share of the orders that may be missing at once, before the source is taken for broken; a guess."""
MAX_DELETED_ORDERS: Final = 20
"""So many may be missing whatever their share: a small shop may cancel a day's orders. A guess."""
NAMED: Final = 5
"""Days, and orders, that a sentence names."""
Gaps = dict[str, tuple[int, float]]
"""Day, ISO -> rows and amount that the source has more than the dataset; days without a difference are left out."""


@dataclass(frozen=True)
class Reconciled:
    """What a source and its dataset have on the days of the look-back, and how they differ.

    Args:
        first: first day of the look-back that has rows, ISO.
        last: its last.
        rows: of the source on these days.
        amount: what they come to; None where the amounts are computed and cannot be added up there.
        held_rows: of the dataset on these days.
        held_amount: what those come to.
        left_out: rows that were read and not kept: rejected, or dropped as repetitions.
        days: days that differ, in the look-back by more than ``left_out``, and before it.
        in_utc: whether days are those of UTC, as the source's times say their offset.
        gaps: by day, as :class:`~clv_core.collection.sources.SourceState` keeps it.
        messages: sentences on the comparison.
    """

    first: str = ""
    last: str = ""
    rows: int = 0
    amount: float | None = None
    held_rows: int = 0
    held_amount: float = 0.0
    left_out: int = 0
    days: tuple[str, ...] = ()
    in_utc: bool = False
    gaps: Gaps = field(default_factory=dict)
    messages: tuple[Message, ...] = ()

    def recorded(self) -> ComparedDays | None:
        """Return what is kept of it; None where nothing was compared."""
        values = {key: value for key, value in vars(self).items() if key not in ("gaps", "messages")}
        return ComparedDays(**values) if self.first else None


def comparison(source: Source, state: SourceState) -> Message | None:
    """Return what the last run of a source compared, in a sentence; None where it has compared nothing."""
    days = state.reconciled
    if days is None:
        return None
    figures = {key: getattr(days, key) for key in ("first", "last", "rows", "held_rows", "left_out", "held_amount")}
    amount = days.amount
    code = "rows" if amount is None else "sums"
    return Message(f"source.compared_{code}", {"source": source.name, **figures, "amount": amount or 0.0})


def held_of(source: Source, dataset: Dataset, state: SourceState) -> Held:
    """Return what a dataset has of its source: names of columns, and the orders of the look-back.

    Args:
        source: which.
        dataset: its raw version.
        state: how far it was read.
    """
    mapping, since = dataset.manifest.mapping, first_day(source, state)
    order = source.order_column or mapping.get(ORDER_ID, "")
    order = "" if order == NO_ORDERS else order
    amounts = [mapping[AMOUNT]] if mapping.get(AMOUNT) else [mapping.get(UNIT_PRICE, ""), mapping.get(QUANTITY, "")]
    orders: Sequence[str] = ()
    if since is not None and order and ORDER_ID in dataset.manifest.columns and not dataset.manifest.pseudonymised:
        with connect_memory() as connection:
            time = local_time(EVENT_TIME, dataset.manifest.timezone)
            rows = connection.execute(
                f"SELECT DISTINCT {ORDER_ID} FROM {file_text(dataset.events_path)}"
                f" WHERE {time} >= DATE '{since}' AND {ORDER_ID} IS NOT NULL"
            ).fetchall()
        orders = [row[0] for row in rows]
    return Held(order, orders, mapping.get(EVENT_TIME, ""), [column for column in amounts if column])


@dataclass(frozen=True)
class DeletedOrders:
    """Orders of a dataset that its source does not have any more, and what becomes of them.

    Args:
        whole_orders: for the merge; None where lines of orders are merged one by one.
        removed: hashes of the numbers of all orders that left so.
        messages: sentences on the comparison.
    """

    whole_orders: WholeOrders | None = None
    removed: list[str] = field(default_factory=list)
    messages: tuple[Message, ...] = ()


def deleted_orders(
    source: Source, raw: Dataset | None, pulled: Pulled, existing: Held, state: SourceState
) -> DeletedOrders:
    """Return which orders leave the dataset, as their days were fetched completely and they did not come.

    They stay, and are named, where somebody brought them back by returning to an earlier version, where more than
    :data:`MAX_DELETED_SHARE` of the orders are missing at once, and where the dataset holds other files too.
    """
    removed = list(state.removed)
    if raw is None or source.grows == REPLACE or not KINDS[source.kind].dialect or not pulled.paths:
        return DeletedOrders(removed=removed)
    if not pulled.has_orders or ORDER_ID not in raw.manifest.columns:
        wanted = source.time_column and source.order_column != NO_ORDERS
        notes = (Message("warning.source_not_whole", {"source": source.name}),) if wanted else ()
        return DeletedOrders(removed=removed, messages=notes)
    other_sources = sorted({part.source for part in raw.manifest.parts} - {source.name})
    if other_sources:
        return DeletedOrders(
            removed=removed,
            messages=(Message("warning.source_not_alone", {"source": source.name, "files": other_sources[:NAMED]}),),
        )
    missing, every = pulled.gone, len(existing.orders)
    if not pulled.since and not raw.manifest.pseudonymised:
        missing, every = _missing_orders(raw, pulled.paths[0], existing.order_column)
    marks = {order: sha256(order.encode()).hexdigest()[:16] for order in missing}
    back = [order for order in missing if marks[order] in state.removed]
    leaving = [order for order in missing if marks[order] not in state.removed]
    messages = [_of_orders("orders_back", source, back)] if back else []
    if len(leaving) > max(MAX_DELETED_ORDERS, MAX_DELETED_SHARE * every):
        messages.append(_of_orders("orders_missing", source, leaving))
        leaving = []
    elif leaving:
        messages.append(_of_orders("orders_gone", source, leaving))
    return DeletedOrders(WholeOrders(leaving), removed + [marks[order] for order in leaving], tuple(messages))


def _missing_orders(dataset: Dataset, path: Path, column: str) -> tuple[tuple[str, ...], int]:
    """Return the orders of a dataset that a fetched file does not have, and how many the dataset has."""
    with connect_memory() as connection:
        orders = f"SELECT DISTINCT {ORDER_ID} AS id FROM {file_text(dataset.events_path)} WHERE {ORDER_ID} IS NOT NULL"
        fetched_ids = f"SELECT {name(column)}::VARCHAR AS id FROM {file_text(path)}"
        missing = connection.execute(f"{orders} EXCEPT ({fetched_ids})").fetchall()
        (every,) = connection.execute(f"SELECT count(*) FROM ({orders})").fetchone() or (0,)
    return tuple(row[0] for row in missing), int(every)


def _of_orders(code: str, source: Source, orders: Sequence[str]) -> Message:
    shown = sorted(orders)[:NAMED] + (["..."] if len(orders) > NAMED else [])
    return Message(f"warning.source_{code}", {"source": source.name, "orders": len(orders), "names": shown})


def compare(
    source: Source, raw: Dataset, pulled: Pulled, state: SourceState, not_kept: int, progress: Progress
) -> Reconciled:
    """Return how a database and its dataset compare after a run; an empty record where days cannot be counted.

    Args:
        source: which.
        raw: the dataset's raw version after the run.
        pulled: what the run fetched.
        state: of the run before; an empty one where everything was fetched.
        not_kept: rows that the run rejected or dropped as repetitions.
        progress: who listens.
    """
    progress.report("reconcile", 0, 1)
    existing, in_utc = held_of(source, raw, SourceState()), state.reconciled is not None and state.reconciled.in_utc
    source_days, since = pulled.days, pulled.since
    if pulled.paths and source_days is None and not since:
        source_days = days_of_file(pulled.paths[0], existing)
    if pulled.paths and source_days is not None:
        in_utc = is_in_utc(pulled.paths[0], existing.event_column)
    dataset_days = days_of_dataset(raw, "UTC" if in_utc else raw.manifest.timezone)
    if source_days is None or not _is_comparable(source_days, dataset_days):
        missing = Message("warning.source_not_compared", {"source": source.name})
        return Reconciled(messages=() if missing in pulled.warnings or not pulled.paths else (missing,))
    if state.gaps is None:  # never measured: all that was ever left out may be missing, on any day
        not_kept = sum(part.rows_not_kept for part in raw.manifest.parts)
        since = ""
    return dataclasses.replace(reconcile(source, source_days, dataset_days, state, since, not_kept), in_utc=in_utc)


def _is_comparable(source_days: Days, dataset_days: Days) -> bool:
    """Return whether a source's rows are the dataset's: days are days, and a row there is not several here."""
    try:
        days = [day for day in source_days if day and date.fromisoformat(day)]
    except ValueError:
        return False
    both = [day for day in days if day in dataset_days]
    return bool(both) and 2 * sum(dataset_days[day][0] > source_days[day][0] for day in both) <= len(both)


def compare_files(source: Source, raw: Dataset, read: Days, not_kept: int) -> Reconciled:
    """Return how the files that a run read compare with the dataset, on the days that they have.

    The dataset may have more on such a day, from other files; where it has fewer rows, the day is named.

    Args:
        source: which.
        raw: the dataset's raw version after the run.
        read: rows and amount by day as the files were read.
        not_kept: rows that were rejected or dropped as repetitions.
    """
    if not read:
        return Reconciled()
    dataset_days = {day: counts for day, counts in days_of_dataset(raw, raw.manifest.timezone).items() if day in read}
    lost = {
        day: _gap(day, read, dataset_days, True) for day in read if dataset_days.get(day, (0, 0.0))[0] < read[day][0]
    }
    return Reconciled(
        min(read),
        max(read),
        rows=sum(rows for rows, _ in read.values()),
        amount=round(sum(amount or 0.0 for _, amount in read.values()), 2),
        held_rows=sum(rows for rows, _ in dataset_days.values()),
        held_amount=round(sum(amount or 0.0 for _, amount in dataset_days.values()), 2),
        left_out=not_kept,
        days=tuple(sorted(lost)),
        messages=(_message(source, "differs", lost),) if lost else (),
    )


def days_of_files(files: Sequence[LogFiles]) -> Days:
    """Return rows and amount by day of files as they were read; of a day that several have, those of the largest."""
    days: dict[str, tuple[int, float | None]] = {}
    for file in files:
        file_days = _count_days(file.events, file.manifest)
        days |= {day: counts for day, counts in file_days.items() if counts[0] > days.get(day, (0, 0.0))[0]}
    return days


def days_of_file(path: Path, existing: Held) -> Days | None:
    """Return rows and amount by day of a fetched file, as its columns have them; None where it has no such column."""
    with connect_memory() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = [row[0] for row in connection.execute(f"DESCRIBE FROM {file_text(path)}").fetchall()]
        if existing.event_column not in columns:
            return None
        amounts = [column for column in existing.amounts if column in columns]
        worth = " * ".join(NumberReading().value(f"{name(column)}::VARCHAR") for column in amounts) or "NULL::DOUBLE"
        day = f"coalesce(left({name(existing.event_column)}::VARCHAR, 10), '')"
        query = f"SELECT {day}, count(*), sum({worth}) FROM {file_text(path)} GROUP BY 1"
        return {str(day): (int(rows), amount) for day, rows, amount in connection.execute(query).fetchall()}


def days_of_dataset(dataset: Dataset, timezone: str) -> Days:
    """Return rows and amount by day of a dataset, days as ``timezone`` has them."""
    return _count_days(dataset.events_path, dataclasses.replace(dataset.manifest, timezone=timezone))


def _count_days(events: Path, manifest: Manifest) -> Days:
    day = f"strftime({local_time(EVENT_TIME, manifest.timezone)}, '%Y-%m-%d')"
    amount = f"sum({AMOUNT})" if AMOUNT in manifest.columns else "NULL"
    with connect_memory() as connection:
        query = f"SELECT {day}, count(*), coalesce({amount}, 0) FROM {file_text(events)} GROUP BY 1"
        return {str(day): (int(rows), float(worth)) for day, rows, worth in connection.execute(query).fetchall()}


def is_in_utc(path: Path, column: str) -> bool:
    """Return whether the times of a fetched file's column say their offset; the database then counts days of UTC."""
    with connect_memory() as connection:
        ((_, kind, *_),) = connection.execute(f"DESCRIBE SELECT {name(column)} FROM {file_text(path)}").fetchall()
        if kind != "VARCHAR":
            return "TIME ZONE" in kind
        pattern = r"(Z|[+-]\d\d:?\d\d)$"
        query = f"SELECT bool_or(regexp_matches({name(column)}, '{pattern}')) FROM {file_text(path)}"
        return bool((connection.execute(query).fetchone() or (False,))[0])


def reconcile(
    source: Source, source_days: Days, dataset_days: Days, state: SourceState, since: str, not_kept: int
) -> Reconciled:
    """Compare a source with its dataset by day.

    Args:
        source: which.
        source_days: rows and amounts of the source.
        dataset_days: those of the dataset.
        state: of the run before, with the gaps of earlier days.
        since: first day of the look-back; empty where everything was fetched.
        not_kept: rows that the run rejected or dropped as repetitions.
    """
    has_sums = _adds_up(source_days, dataset_days)
    differences = {day: _gap(day, source_days, dataset_days, has_sums) for day in {*source_days, *dataset_days}}
    before = dict(state.gaps or {}) if since else {}
    gaps = {day: gap for day, gap in differences.items() if day >= since and _is_one(gap, source_days.get(day))}
    late = {}
    for day in {*differences, *before}:
        now, then = differences.get(day, (0, 0.0)), before.get(day, (0, 0.0))
        change = (now[0] - then[0], round(now[1] - then[1], 2) if has_sums else 0.0)
        if day < since and _is_one(change, source_days.get(day)):
            late[day] = change
    missing = sum(gap[0] for gap in gaps.values())
    explained = 0 <= missing <= not_kept and all(gap[0] > 0 for gap in gaps.values())
    untold = {day: gap for day, gap in gaps.items() if gap != (state.gaps or {}).get(day)} if explained else gaps
    messages = [_message(source, "left_out" if explained else "differs", untold)] if untold else []
    messages += [_message(source, "late", late)] if late else []
    window = sorted(day for day in {*source_days, *dataset_days} if day and day >= since)
    of_source, of_dataset = ([days[day] for day in window if day in days] for days in (source_days, dataset_days))
    return Reconciled(
        window[0] if window else "",
        window[-1] if window else "",
        rows=sum(rows for rows, _ in of_source),
        amount=round(sum(amount or 0.0 for _, amount in of_source), 2) if has_sums else None,
        held_rows=sum(rows for rows, _ in of_dataset),
        held_amount=round(sum(amount or 0.0 for _, amount in of_dataset), 2),
        left_out=missing if explained else 0,
        days=tuple(sorted([*late, *(() if explained else gaps)])),
        gaps=gaps | {day: gap for day, gap in before.items() if day < since},
        messages=tuple(messages),
    )


def _gap(day: str, source_days: Days, dataset_days: Days, has_sums: bool) -> tuple[int, float]:
    """Return rows and amount that a day has more in the source than in the dataset."""
    rows, amount = source_days.get(day, (0, 0.0))
    held_rows, held_amount = dataset_days.get(day, (0, 0.0))
    return rows - held_rows, round((amount or 0.0) - (held_amount or 0.0), 2) if has_sums else 0.0


def _is_one(gap: tuple[int, float], of_day: tuple[int, float | None] | None) -> bool:
    worth = abs((of_day or (0, 0.0))[1] or 0.0)
    return gap[0] != 0 or abs(gap[1]) > CENT + ROUNDING * worth


def _adds_up(source_days: Days, dataset_days: Days) -> bool:
    """Return whether the source's amounts are the dataset's: on most days with equal rows they come to the same.

    They are not where amounts are converted, signed by another column, or shares of an order's total.
    """
    both = [day for day in source_days if day in dataset_days and source_days[day][0] == dataset_days[day][0]]
    same = [
        day
        for day in both
        if source_days[day][1] is not None and not _is_one(_gap(day, source_days, dataset_days, True), source_days[day])
    ]
    return bool(both) and 2 * len(same) > len(both)


def _message(source: Source, code: str, gaps: Mapping[str, tuple[int, float]]) -> Message:
    days = sorted(gaps)
    shown = [day or "-" for day in days[:NAMED]] + (["..."] if len(days) > NAMED else [])
    rows, amount = sum(gap[0] for gap in gaps.values()), round(sum(gap[1] for gap in gaps.values()), 2)
    return Message(f"warning.source_{code}", {"source": source.name, "rows": rows, "amount": amount, "days": shown})
