"""What several logs are together: its parts, what each brought, and the manifest that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from clv_core.collection.readings.figures import Figures
from clv_core.collection.readings.overlap import Overlap
from clv_core.collection.readings.withdrawn import OrderSums
from clv_core.collection.stored.store import Dataset, Manifest, version_of
from clv_core.columns import BY_NAME
from clv_core.errors import Message

NAMED_SOURCES: Final = 3


@dataclass(frozen=True)
class LogPart:
    """A log that is to be one with others.

    Args:
        manifest: what it is.
        events: Parquet file of its rows.
        set_aside: Parquet file of the others.
        withdrawn: of a file that says how orders stand
            (:func:`~clv_core.collection.readings.withdrawn.write_withdrawn`).
    """

    manifest: Manifest
    events: Path
    set_aside: Path
    withdrawn: Path | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> LogPart:
        """Return a stored version as a part."""
        return cls(dataset.manifest, dataset.events_path, dataset.set_aside_path, dataset.withdrawn_path)


@dataclass(frozen=True)
class Member:
    """A part among the others.

    Args:
        part: as it came.
        columns: the whole's column names -> the part's.
        events: its rows that count in the whole.
        overlap: what it shares with earlier parts.
        gone: how many of its rows later parts tell otherwise.
        restated: how many rows of earlier parts it has in another state or amount.
        outdated: how many of its rows earlier parts hold in a newer state.
        named: how many orders it calls cancelled or refunded.
        taken: rows of earlier parts that went with these.
        stays_out: its rows of orders that earlier parts call cancelled or refunded.
    """

    part: LogPart
    columns: dict[str, str]
    events: Path
    overlap: Overlap
    gone: int = 0
    restated: int = 0
    outdated: int = 0
    named: int = 0
    taken: OrderSums = OrderSums()
    stays_out: OrderSums = OrderSums()

    @property
    def not_kept(self) -> int:
        """Rows of the part that do not count in the whole."""
        return self.overlap.rows + self.outdated + self.gone + self.stays_out.rows


def described(members: Sequence[Member], names: list[str]) -> Manifest:
    """Return the manifest of the whole as far as it follows from the parts'."""
    first = members[0].part.manifest
    manifests = [member.part.manifest for member in members]
    held = sum(member.not_kept for member in members)
    sources = [item["source"] for manifest in manifests for item in manifest.parts]
    mapping = {key: column for manifest in reversed(manifests) for key, column in manifest.mapping.items()}
    return replace(
        first,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=_named(sources),
        currency=next((manifest.currency for manifest in manifests if manifest.currency), ""),
        columns=names,
        mapping={key: column for key, column in mapping.items() if key in names or key not in BY_NAME},
        rows_read=sum(manifest.rows_read for manifest in manifests),
        rows_kept=sum(manifest.rows_kept for manifest in manifests) - held,
        rows_set_aside=sum(manifest.rows_set_aside for manifest in manifests),
        rows_duplicate=sum(manifest.rows_duplicate for manifest in manifests) + held,
        parts=[entry for member in members for entry in _entries(member)],
        warnings=[*first.warnings, *(said for member in members[1:] for said in _said(member, first, names))],
    )


def _entries(member: Member) -> list[dict[str, Any]]:
    """Return the part's own entries; rows that do not count are duplicates, of the last of them that keep so many."""
    entries = [dict(entry) for entry in member.part.manifest.parts]
    entries[-1]["rows_overlap"] += member.overlap.rows
    left = member.not_kept
    for entry in reversed(entries):
        moved = min(left, entry["rows_kept"])
        entry["rows_kept"] -= moved
        entry["rows_duplicate"] += moved
        left -= moved
    return entries


def _local_day(when: str, timezone: str) -> str:
    """Return the day of an ISO time in UTC in the log's own time zone."""
    return datetime.fromisoformat(when.replace("Z", "+00:00")).astimezone(ZoneInfo(timezone)).date().isoformat()


def _said(member: Member, first: Manifest, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the part's own warnings and those about how it goes with the others, each with its file."""
    manifest, found = member.part.manifest, member.overlap
    file = manifest.source
    messages = list(manifest.messages)
    if found.rows:
        days = (_local_day(when, first.timezone) for when in (found.first, found.last))
        params = {"file": file, "rows": found.rows, **dict(zip(("first", "last"), days, strict=True))}
        messages.append(Message("warning.rows_overlap", params))
    worth = {"file": file, "currency": first.currency or manifest.currency}
    if member.taken.rows:
        params = worth | {"orders": member.taken.orders, "amount": member.taken.amount}
        messages.append(Message("warning.orders_taken_out", params))
    elif member.named and not manifest.rows_kept:
        messages.append(Message("warning.orders_not_here", {"file": file, "orders": member.named}))
    if member.stays_out.rows:
        params = worth | {"orders": member.stays_out.orders, "amount": member.stays_out.amount}
        messages.append(Message("warning.orders_stay_out", params))
    if member.restated:
        messages.append(Message("warning.orders_restated", {"file": file, "rows": member.restated}))
    if member.outdated:
        messages.append(Message("warning.orders_outdated", {"file": file, "rows": member.outdated}))
    if found.other_ids:
        params = {"file": file, "known": found.known_customers, "customers": found.window_customers}
        messages.append(Message("warning.other_ids", params))
    elif found.written_otherwise and (added := found.alike - member.restated - member.outdated) > 0:
        messages.append(Message("warning.written_otherwise", {"file": file, "rows": added}))
    missing = [column for column in first.columns if column not in member.columns]
    if missing:
        messages.append(Message("warning.columns_missing", {"file": file, "columns": list(missing[:20])}))
    known = {column.lower() for column in first.columns}
    new = [column for column in member.columns if column.lower() not in known]
    if new:
        messages.append(Message("warning.columns_added", {"file": file, "columns": list(new[:20])}))
    if manifest.timezone != first.timezone:
        params = {"file": file, "timezone": first.timezone, "found": manifest.timezone}
        messages.append(Message("warning.timezone_differs", params))
    return [message.coded() | {"file": file} for message in messages]


def _named(sources: Sequence[str]) -> str:
    shown = list(dict.fromkeys(sources))
    return ", ".join(shown[:NAMED_SOURCES]) + (
        f" (+{len(shown) - NAMED_SOURCES})" if len(shown) > NAMED_SOURCES else ""
    )


def counted(whole: Manifest, sums: Figures, content: str) -> Manifest:
    """Return the manifest with what was counted in the rows."""
    meaning = (content, sums.rows, whole.columns, whole.timezone, whole.currency)
    return replace(
        whole,
        version=version_of(*meaning),
        **sums.recorded(),
    )
