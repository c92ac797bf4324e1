"""Several logs become one: what is there already is left out, the rest is written, counted and described.

The merged manifest records what each log brought, and its warnings (:func:`describe_merge`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from clv_core.collection.engine import connect, file_text, name, one, run, text
from clv_core.collection.merge.order_updates import (
    OrderSums,
    OrderUpdates,
    WholeOrders,
    exclude_voided_orders,
    find_order_updates,
    last_event,
    merge_voided,
    replace_orders,
)
from clv_core.collection.merge.overlap import POSITION, MergeStep, Overlap, find_overlap, select_rows, write_remaining
from clv_core.collection.merge.repeated_purchases import (
    SAME_RATIO,
    RepeatedPurchases,
    find_changed_orders,
    find_repeated_purchases,
)
from clv_core.collection.parse.id_texts import MERGE
from clv_core.collection.rows.log_loader import ORDERED_ROWS, check_enough
from clv_core.collection.rows.log_summary import summarize
from clv_core.collection.rows.similar_ids import find_spellings, write_respelled
from clv_core.collection.rows.voided_orders import count_voided
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.manifest import COUNTS, FileMessage, Manifest, Part
from clv_core.collection.store.version_store import version_of
from clv_core.columns import AMOUNT, BY_NAME, COLUMNS, CUSTOMER_ID
from clv_core.errors import Message, NeedsAnswer, Refused
from clv_core.jobs import Progress


def merge_logs(
    logs: Sequence[LogFiles],
    scratch: Path,
    progress: Progress,
    *,
    compare: Sequence[bool] = (),
    always: bool = True,
    overlap: str | None = "add",
    ask: bool = True,
    whole: WholeOrders | None = None,
) -> LogFiles:
    """Return the union of ``logs``, the first of which gives its name, time zone and mapping.

    A row that earlier logs hold already is left out and counts as a duplicate and as ``rows_overlap`` of its part. Of
    an order that differs between two logs, the rows of the one that ends later count
    (:mod:`clv_core.collection.merge.order_updates`); the others are duplicates, and so are those of orders that an
    earlier log voids. Columns that a log has not are NULL in its rows; columns are matched without regard to case.
    Rejected rows are kept with the file they are from.

    Args:
        logs: at least one.
        scratch: an empty folder on the workspace's disk.
        progress: who listens.
        compare: for each log, whether its rows are looked up in the earlier ones; empty: all are.
        always: whether the files are written where later logs bring no new row too; if not, they are then the first
            log's.
        overlap: whether purchases that a later log has in another form ``replace`` those before it, ``add`` to them,
            or are left out (``keep``); None asks.
        ask: whether to ask where it is not plain that ids of two logs that hardly differ are one customer.
        whole: given where the later logs hold all lines of each of their orders; None: they may hold some.

    Raises:
        NeedsAnswer: similar ids may be one customer, or a later log has purchases in another form.
        Refused: amounts are in two currencies, ids are hashed under two keys or only in some logs, or the merged log
            has no purchases or one customer only.
    """
    first = logs[0]
    for log in logs[1:]:
        _check_compatible(first.manifest, log.manifest)
    names = _all_columns(logs)
    with _engine(scratch, sum(log.manifest.rows_kept for log in logs)) as connection:
        inputs = [MergeInput.of(first, names)]
        for number, log in enumerate(logs[1:], 1):
            folder = scratch / f"joined-{number}"
            folder.mkdir()
            new = MergeInput.of(_respell_ids(connection, inputs, log, folder, ask=ask), names)
            compared = not compare or compare[number]
            inputs = _merge_next(connection, inputs, new, folder, compared, overlap, progress, whole)
        manifest = describe_merge(inputs, names)
        added = sum(item.log.manifest.rows_kept - item.rows_left_out for item in inputs[1:])
        voided = merge_voided(connection, [(item.log, item.columns) for item in inputs], scratch / "withdrawn.parquet")
        same = count_voided(connection, voided)[0] == count_voided(connection, first.voided)[0]
        if added == 0 and not always and inputs[0].superseded == 0 and same:
            return replace(first, manifest=manifest)
        if manifest.rows_kept == 0:
            raise Refused("nothing_but_withdrawn", file=manifest.source, rows=manifest.rows_read)
        events, rejected = scratch / "whole.parquet", scratch / "whole_aside.parquet"
        query = " UNION ALL ".join(select_rows(item.events, item.columns, names) for item in inputs)
        run(
            connection, f"COPY ({query}) TO {text(str(events))} (FORMAT parquet)", progress, "write", manifest.rows_kept
        )
        query = " UNION ALL BY NAME ".join(_rejected_rows(connection, item.log) for item in inputs)
        run(connection, f"COPY ({query}) TO {text(str(rejected))} (FORMAT parquet)", progress, "set_aside")
        progress.report("figures", 0, 1)
        sums = summarize(connection, events, manifest.timezone, progress)
        check_enough(sums, manifest.source)
        columns = ", ".join(map(name, names))
        content = one(connection, f"SELECT sum(hash({columns}))::VARCHAR FROM {file_text(events)}")[0]
        version = version_of(content, sums.rows, manifest.columns, manifest.timezone, manifest.currency)
        return LogFiles(replace(manifest, version=version, **sums.recorded()), events, rejected, voided)


def _check_compatible(first: Manifest, other: Manifest) -> None:
    """Refuse logs whose amounts or ids cannot be combined."""
    if first.currency and other.currency and first.currency != other.currency:
        params = {"first": first.source, "other": other.source, "currency": first.currency, "found": other.currency}
        raise Refused("currencies_differ", **params)
    if first.pseudonymised != other.pseudonymised:
        hashed, readable = (first, other) if first.pseudonymised else (other, first)
        raise Refused("pseudonyms_differ", hashed=hashed.source, readable=readable.source)
    if first.key_fingerprint != other.key_fingerprint:
        raise Refused("pseudonym_keys_differ", first=first.source, other=other.source)


@contextmanager
def _engine(scratch: Path, rows: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection for Parquet files of ``rows`` rows; running out of memory is an error of ours."""
    try:
        with connect(scratch) as connection:
            connection.execute("SET disabled_optimizers = ''")
            connection.execute(f"SET preserve_insertion_order = {str(rows <= ORDERED_ROWS).lower()}")
            yield connection
    except duckdb.OutOfMemoryException as error:
        raise Refused("union_out_of_memory", rows=rows) from error


def _all_columns(logs: Sequence[LogFiles]) -> list[str]:
    """Return the columns of the merged log: canonical ones in their order, then extras as they first occur."""
    seen: dict[str, str] = {}
    for log in logs:
        for column in log.manifest.columns:
            seen.setdefault(column.lower(), column)
    canonical = [column.name for column in COLUMNS if column.name in seen]
    return canonical + [column for key, column in seen.items() if key not in BY_NAME]


def _respell_ids(
    connection: duckdb.DuckDBPyConnection, inputs: Sequence[MergeInput], log: LogFiles, folder: Path, *, ask: bool
) -> LogFiles:
    """Return a log with its ids written as in the earlier ones, where only capitals, blanks or leading zeros differ."""
    manifest = log.manifest
    if manifest.pseudonymised:
        return log
    files = [(item.events, True) for item in inputs] + [(log.events, False)]
    ids = (f"SELECT DISTINCT {CUSTOMER_ID} AS id, {old} AS old FROM {file_text(path)}" for path, old in files)
    answer = manifest.answers.similar_ids if manifest.answers else None
    warnings = find_spellings(connection, " UNION ALL ".join(ids), answer, ask=ask)
    if not warnings:
        return log
    events, voided = folder / "spelt.parquet", folder / "spelt_withdrawn.parquet" if log.voided else None
    write_respelled(connection, log.events, events)
    if log.voided is not None and voided is not None:
        write_respelled(connection, log.voided, voided)
    manifest = replace(
        manifest,
        parts=[*manifest.parts[:-1], replace(manifest.parts[-1], similar_ids=MERGE)],
        warnings=[*manifest.warnings, *warnings],
    )
    return replace(log, manifest=manifest, events=events, voided=voided)


def _merge_next(
    connection: duckdb.DuckDBPyConnection,
    inputs: Sequence[MergeInput],
    new: MergeInput,
    folder: Path,
    compare: bool,
    overlap: str | None,
    progress: Progress,
    whole: WholeOrders | None,
) -> list[MergeInput]:
    """Return the inputs with ``new`` as the last; new files are written to ``folder``."""
    step = MergeStep.begin(connection, [(i.events, i.columns) for i in inputs], (new.events, new.columns), progress)
    manifest, earlier = new.log.manifest, list(inputs)
    timezones = (inputs[0].log.manifest.timezone, manifest.timezone)
    new = replace(new, overlap=find_overlap(step, compare=compare, timezones=timezones))
    if compare:
        last = last_event(connection, new.log)
        if whole is not None:
            updates, repeated = replace_orders(step, new.log.voided, whole), 0
            marked = step.one(f"SELECT count(*) FROM {step.present}")[0]
            new = replace(new, overlap=replace(new.overlap, rows=int(marked)))
        else:
            updates = find_order_updates(step, new.log.voided, last)
            repeated = 0 if overlap == "add" else _resolve_repeated(step, inputs, new, updates, overlap)
        superseded = step.superseded_rows()
        new = replace(
            new,
            updated=sum(superseded) - updates.removed.rows,
            outdated=updates.outdated,
            repeated=repeated,
            voided_orders=count_voided(connection, new.log.voided)[1],
            removed=updates.removed,
        )
        for number, rows in enumerate(superseded):
            if rows:
                item, target = inputs[number], folder / f"standing-{number}.parquet"
                write_remaining(step, item.events, number, target, item.log.manifest.rows_kept)
                earlier[number] = replace(item, events=target, superseded=item.superseded + rows)
        voided = [item.log.voided for item in inputs if item.log.voided is not None]
        if manifest.rows_kept:
            new = replace(new, excluded=exclude_voided_orders(step, voided, last))
    if new.rows_left_out:
        target = folder / "new.parquet"
        write_remaining(step, new.events, -1, target, manifest.rows_kept)
        new = replace(new, events=target)
    return [*earlier, new]


def _resolve_repeated(
    step: MergeStep, inputs: Sequence[MergeInput], new: MergeInput, updates: OrderUpdates, overlap: str | None
) -> int:
    """Mark purchases that a file has in another form by the answer about them; return how many of the file's are out.

    Raises:
        NeedsAnswer: there is no answer, and they are not plainly corrections.
    """
    manifest = new.log.manifest
    is_updated = any(updates.superseded) or updates.outdated
    repeated = RepeatedPurchases() if is_updated else find_changed_orders(step)
    if not repeated.rows:
        repeated = find_repeated_purchases(step, (inputs[0].log.manifest.timezone, manifest.timezone))
    if not repeated.rows:
        return 0
    if overlap == "replace" or repeated.is_update:
        step.add_superseded("FROM repeated_old")
        return 0
    if overlap == "keep":
        return step.add_present("FROM repeated_new")
    raise _overlap_question(step, inputs, manifest.source, repeated)


def _overlap_question(
    step: MergeStep, inputs: Sequence[MergeInput], file: str, repeated: RepeatedPurchases
) -> NeedsAnswer:
    """Return the question whether purchases that a file has otherwise are the log's, with what each answer makes."""
    rows = f"{step.new_rows} WHERE {POSITION} NOT IN (FROM {step.present})"
    total = sum(item.log.manifest.net_revenue for item in inputs)
    total += float(step.one(f"SELECT coalesce(sum({AMOUNT}), 0) FROM {rows}")[0])
    sums = {"replace": total - repeated.before, "keep": total - repeated.after, "add": total}
    readings = [
        {"option": f"--overlap {how}", "answers": {"overlap": how}, "net_revenue": round(value, 2)}
        for how, value in sums.items()
    ]
    if repeated.orders:
        return NeedsAnswer("orders_changed", file=file, orders=repeated.orders, readings=readings)
    if repeated.other_customers:
        return NeedsAnswer("customers_renamed", file=file, rows=repeated.rows, readings=readings)
    if repeated.ratio is not None and abs(repeated.ratio - 1) > SAME_RATIO:
        ratio = f"{repeated.ratio:.4g}"
        return NeedsAnswer("amounts_scaled", file=file, rows=repeated.rows, ratio=ratio, readings=readings)
    return NeedsAnswer("purchases_alike", file=file, rows=repeated.rows, readings=readings)


def _rejected_rows(connection: duckdb.DuckDBPyConnection, log: LogFiles) -> str:
    """Return the query of a log's rejected rows, with the file that each is from."""
    rejected, source = file_text(log.rejected), text(log.manifest.source)
    columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {rejected}").fetchall()]
    if "file" in columns:  # rows that a cleaning rule took are from no one file
        return f"SELECT * REPLACE (coalesce(file, {source}) AS file) FROM {rejected}"
    return f"SELECT {source} AS file, * FROM {rejected}"


NAMED_SOURCES: Final = 3
"""Files quoted in the name of a merged source."""
NAMED_COLUMNS: Final = 20
"""Columns quoted in a message."""


@dataclass(frozen=True)
class MergeInput:
    """A log among those that become one.

    Args:
        log: as it came.
        columns: the merged log's column names -> its own.
        events: its rows that count.
        overlap: what it shares with earlier logs.
        superseded: how many of its rows later logs have in another state.
        updated: how many rows of earlier logs it has in another state or amount.
        outdated: how many of its rows earlier logs have in a newer state.
        repeated: how many of its rows earlier logs have in another form, which counts.
        voided_orders: how many orders it calls cancelled or refunded.
        removed: rows of earlier logs that went with these.
        excluded: its rows of orders that earlier logs call cancelled or refunded.
    """

    log: LogFiles
    columns: dict[str, str]
    events: Path
    overlap: Overlap = Overlap()
    superseded: int = 0
    updated: int = 0
    outdated: int = 0
    repeated: int = 0
    voided_orders: int = 0
    removed: OrderSums = OrderSums()
    excluded: OrderSums = OrderSums()

    @classmethod
    def of(cls, log: LogFiles, names: Sequence[str]) -> MergeInput:
        """Return a log of which every row counts, among others whose columns are ``names`` together."""
        spelled = {column.lower(): column for column in log.manifest.columns}
        return cls(log, {column: spelled[column.lower()] for column in names if column.lower() in spelled}, log.events)

    @property
    def rows_left_out(self) -> int:
        """Rows of the log that do not count in the merged one."""
        return self.overlap.rows + self.outdated + self.repeated + self.superseded + self.excluded.rows


def describe_merge(inputs: Sequence[MergeInput], names: list[str]) -> Manifest:
    """Return the manifest of the merged log as far as it follows from the inputs'."""
    manifests = [item.log.manifest for item in inputs]
    first, left_out = manifests[0], sum(item.rows_left_out for item in inputs)
    mapping = {key: column for manifest in reversed(manifests) for key, column in manifest.mapping.items()}
    sums = {count: sum(getattr(manifest, count) for manifest in manifests) for count in COUNTS}
    sums["rows_kept"] -= left_out
    sums["rows_duplicate"] += left_out
    sources = list(dict.fromkeys(part.source for manifest in manifests for part in manifest.parts))
    more = f" (+{len(sources) - NAMED_SOURCES})" if len(sources) > NAMED_SOURCES else ""
    return replace(
        first,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=", ".join(sources[:NAMED_SOURCES]) + more,
        currency=next((manifest.currency for manifest in manifests if manifest.currency), ""),
        columns=names,
        mapping={key: column for key, column in mapping.items() if key in names or key not in BY_NAME},
        parts=[part for item in inputs for part in _parts(item)],
        warnings=[*first.warnings, *(warning for item in inputs[1:] for warning in _warnings(item, first))],
        **sums,
    )


def _parts(item: MergeInput) -> list[Part]:
    """Return the log's own parts; rows that do not count are duplicates, of the last of them that keep so many."""
    *before, last = item.log.manifest.parts
    parts, left = [], item.rows_left_out
    for part in (replace(last, rows_overlap=last.rows_overlap + item.overlap.rows), *reversed(before)):
        moved = min(left, part.rows_kept)
        parts.append(replace(part, rows_kept=part.rows_kept - moved, rows_duplicate=part.rows_duplicate + moved))
        left -= moved
    return parts[::-1]


def _warnings(item: MergeInput, first: Manifest) -> list[FileMessage]:
    """Return the log's own warnings and those about how it differs from the first, each with its file."""
    manifest, overlap = item.log.manifest, item.overlap
    file, messages = manifest.source, list(manifest.messages)

    def warn(code: str, **params: Any) -> None:
        messages.append(Message(f"warning.{code}", {"file": file, **params}))

    currency = first.currency or manifest.currency
    if overlap.rows:
        days = (_local_day(when, first.timezone) for when in (overlap.first, overlap.last))
        warn("rows_overlap", rows=overlap.rows, **dict(zip(("first", "last"), days, strict=True)))
    if item.removed.rows:
        warn("orders_taken_out", currency=currency, orders=item.removed.orders, amount=item.removed.amount)
    elif item.voided_orders and not manifest.rows_kept:
        warn("orders_not_here", orders=item.voided_orders)
    if item.excluded.rows:
        warn("orders_stay_out", currency=currency, orders=item.excluded.orders, amount=item.excluded.amount)
    if item.updated:
        warn("orders_restated", rows=item.updated)
    if item.outdated:
        warn("orders_outdated", rows=item.outdated)
    if item.repeated:
        warn("purchases_kept", rows=item.repeated)
    if overlap.other_ids:
        warn("other_ids", known=overlap.known_customers, customers=overlap.window_customers)
    elif overlap.written_otherwise and (added := overlap.similar - item.updated - item.outdated - item.repeated) > 0:
        warn("written_otherwise", rows=added)
    present = {column.lower() for column in first.columns}
    if missing := [column for column in first.columns if column not in item.columns]:
        warn("columns_missing", columns=missing[:NAMED_COLUMNS])
    if new := [column for column in item.columns if column.lower() not in present]:
        warn("columns_added", columns=new[:NAMED_COLUMNS])
    if manifest.timezone != first.timezone:
        warn("timezone_differs", timezone=first.timezone, found=manifest.timezone)
    return [FileMessage(message.code, message.params, file=file) for message in messages]


def _local_day(when: str, timezone: str) -> str:
    """Return the day of an ISO time in UTC in the log's own time zone."""
    return datetime.fromisoformat(when).astimezone(ZoneInfo(timezone)).date().isoformat()
