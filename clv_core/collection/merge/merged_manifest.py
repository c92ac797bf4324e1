"""The manifest of several logs as one: what each brought, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from clv_core.collection.merge.order_updates import OrderSums
from clv_core.collection.merge.overlap import Overlap
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.manifest import COUNTS, FileMessage, Manifest, Part
from clv_core.columns import BY_NAME
from clv_core.errors import Message

NAMED_SOURCES: Final = 3
NAMED_COLUMNS: Final = 20


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
        own = {column.lower(): column for column in log.manifest.columns}
        return cls(log, {column: own[column.lower()] for column in names if column.lower() in own}, log.events)

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
    """Return the log's own warnings and those about how it goes with the first, each with its file."""
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
    elif overlap.written_otherwise and (added := overlap.alike - item.updated - item.outdated - item.repeated) > 0:
        warn("written_otherwise", rows=added)
    known = {column.lower() for column in first.columns}
    if missing := [column for column in first.columns if column not in item.columns]:
        warn("columns_missing", columns=missing[:NAMED_COLUMNS])
    if new := [column for column in item.columns if column.lower() not in known]:
        warn("columns_added", columns=new[:NAMED_COLUMNS])
    if manifest.timezone != first.timezone:
        warn("timezone_differs", timezone=first.timezone, found=manifest.timezone)
    return [FileMessage(message.code, message.params, file=file) for message in messages]


def _local_day(when: str, timezone: str) -> str:
    """Return the day of an ISO time in UTC in the log's own time zone."""
    return datetime.fromisoformat(when).astimezone(ZoneInfo(timezone)).date().isoformat()
