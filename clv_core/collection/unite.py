"""Several readings become one log: what is held already is left out, the rest is written, counted and described."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from clv_core.collection.engine import connect, file_text, name, one, run, text
from clv_core.collection.figures import Figures, figures
from clv_core.collection.overlap import Overlap, Rows, find_overlap, write_new
from clv_core.collection.reading import ORDERED_ROWS, check_enough
from clv_core.collection.store import Dataset, Manifest, version_of
from clv_core.columns import BY_NAME, COLUMNS, Kind
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

TYPES: Final = {Kind.TEXT: "VARCHAR", Kind.TIME: "TIMESTAMP", Kind.NUMBER: "DOUBLE"}
NAMED_SOURCES: Final = 3


@dataclass(frozen=True)
class LogPart:
    """A log that is to be one with others.

    Args:
        manifest: what it is.
        events: Parquet file of its rows.
        set_aside: Parquet file of the others.
    """

    manifest: Manifest
    events: Path
    set_aside: Path

    @classmethod
    def of(cls, dataset: Dataset) -> LogPart:
        """Return a stored version as a part."""
        return cls(dataset.manifest, dataset.events_path, dataset.set_aside_path)


@dataclass(frozen=True)
class _Member:
    """A part among the others: the columns as the whole calls them, the rows that are new, and what it shares."""

    part: LogPart
    columns: dict[str, str]
    events: Path
    overlap: Overlap


def unite(
    parts: Sequence[LogPart], scratch: Path, progress: Progress, *, compare: Sequence[bool] = (), always: bool = True
) -> LogPart:
    """Return the union of ``parts``, the first of which gives its name, time zone and mapping.

    A row that earlier parts hold already is left out and counts as a duplicate and as ``rows_overlap`` of its part.
    Columns that a part has not are NULL in its rows; columns are matched without regard to case. Rows set aside are
    kept with the file they are from.

    Args:
        parts: at least one.
        scratch: an empty folder on the workspace's disk.
        progress: who listens.
        compare: for each part, whether its rows are looked up in the earlier ones; empty: all are.
        always: whether the files are written where later parts bring no new row too; if not, they are then the first
            part's.

    Raises:
        Refused: amounts are in two currencies, ids are hashed under two keys or only in some parts, or the whole has no
            purchases or one customer only.
    """
    first = parts[0]
    for part in parts[1:]:
        _check_alike(first.manifest, part.manifest)
    names = _all_columns(parts)
    with _engine(scratch, sum(part.manifest.rows_kept for part in parts)) as connection:
        members = [_Member(first, _own(first, names), first.events, Overlap(0))]
        for number, part in enumerate(parts[1:], 1):
            target, wanted = scratch / f"new-{number}.parquet", not compare or compare[number]
            members.append(_join(connection, members, part, names, target, wanted, progress))
        whole = _described(members, names)
        fresh = sum(member.part.manifest.rows_kept - member.overlap.rows for member in members[1:])
        if fresh == 0 and not always:
            return replace(first, manifest=whole)
        events, aside = scratch / "whole.parquet", scratch / "whole_aside.parquet"
        rows = whole.rows_kept
        query = " UNION ALL ".join(_select(member, names) for member in members)
        run(connection, f"COPY ({query}) TO {text(str(events))} (FORMAT parquet)", progress, "write", rows)
        query = " UNION ALL BY NAME ".join(_aside(connection, member.part) for member in members)
        run(connection, f"COPY ({query}) TO {text(str(aside))} (FORMAT parquet)", progress, "set_aside")
        progress.report("figures", 0, 1)
        sums = figures(connection, events, whole.timezone, progress)
        check_enough(sums, whole.source)
        content = one(connection, f"SELECT sum(hash({_list(names)}))::VARCHAR FROM {file_text(events)}")[0]
        return LogPart(_counted(whole, sums, content), events, aside)


def _check_alike(first: Manifest, other: Manifest) -> None:
    """Refuse parts whose amounts or ids cannot stand beside each other."""
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
    connection = connect(scratch)
    try:
        connection.execute("SET disabled_optimizers = ''")
        connection.execute(f"SET preserve_insertion_order = {str(rows <= ORDERED_ROWS).lower()}")
        yield connection
    except duckdb.OutOfMemoryException as error:
        raise Refused("union_out_of_memory", rows=rows) from error
    finally:
        connection.close()


def _all_columns(parts: Sequence[LogPart]) -> list[str]:
    """Return the columns of the whole: canonical ones in their order, then extras as they first occur."""
    seen: dict[str, str] = {}
    for part in parts:
        for column in part.manifest.columns:
            seen.setdefault(column.lower(), column)
    canonical = [column.name for column in COLUMNS if column.name in seen]
    return canonical + [column for key, column in seen.items() if key not in BY_NAME]


def _own(part: LogPart, names: Sequence[str]) -> dict[str, str]:
    """Return the whole's column names -> the part's, for columns that the part has."""
    own = {column.lower(): column for column in part.manifest.columns}
    return {column: own[column.lower()] for column in names if column.lower() in own}


def _join(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[_Member],
    part: LogPart,
    names: Sequence[str],
    target: Path,
    compare: bool,
    progress: Progress,
) -> _Member:
    columns = _own(part, names)
    known = {column: column for member in members for column in member.columns}
    log = Rows(f"({' UNION ALL '.join(_select(member, list(known)) for member in members)})", known)
    found = find_overlap(connection, log, part.events, columns, progress, compare=compare)
    if found.rows == 0:
        return _Member(part, columns, part.events, found)
    write_new(connection, part.events, target, progress, part.manifest.rows_kept)
    return _Member(part, columns, target, found)


def _select(member: _Member, names: Sequence[str]) -> str:
    """Return the query of a member's new rows with all columns of the whole."""
    shown = []
    for column in names:
        own = member.columns.get(column)
        kind = TYPES[BY_NAME[column].kind] if column in BY_NAME else "VARCHAR"
        shown.append(f"{name(own) if own else f'NULL::{kind}'} AS {name(column)}")
    return f"SELECT {', '.join(shown)} FROM {file_text(member.events)}"


def _aside(connection: duckdb.DuckDBPyConnection, part: LogPart) -> str:
    """Return the query of a part's rows set aside, with the file that each is from."""
    file = file_text(part.set_aside)
    columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()]
    source = text(part.manifest.source)
    if "file" in columns:  # rows that a cleaning rule took are from no one file
        return f"SELECT * REPLACE (coalesce(file, {source}) AS file) FROM {file}"
    return f"SELECT {source} AS file, * FROM {file}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(name(column) for column in names)


def _described(members: Sequence[_Member], names: list[str]) -> Manifest:
    """Return the manifest of the whole as far as it follows from the parts'."""
    first = members[0].part.manifest
    manifests = [member.part.manifest for member in members]
    held = sum(member.overlap.rows for member in members)
    sources = [item["source"] for manifest in manifests for item in manifest.parts]
    mapping = {key: column for manifest in reversed(manifests) for key, column in manifest.mapping.items()}
    return replace(
        first,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=_named(sources),
        currency=next((manifest.currency for manifest in manifests if manifest.currency), ""),
        columns=names,
        mapping={key: mapping[key] for key in names if key in mapping},
        rows_read=sum(manifest.rows_read for manifest in manifests),
        rows_kept=sum(manifest.rows_kept for manifest in manifests) - held,
        rows_set_aside=sum(manifest.rows_set_aside for manifest in manifests),
        rows_duplicate=sum(manifest.rows_duplicate for manifest in manifests) + held,
        parts=[*first.parts, *(entry for member in members[1:] for entry in _entries(member))],
        warnings=[*first.warnings, *(said for member in members[1:] for said in _said(member, first, names))],
    )


def _entries(member: _Member) -> list[dict[str, Any]]:
    """Return the part's own entries; rows that are held are no longer kept but duplicates of the last of them."""
    entries = [dict(entry) for entry in member.part.manifest.parts]
    entries[-1]["rows_kept"] -= member.overlap.rows
    entries[-1]["rows_duplicate"] += member.overlap.rows
    entries[-1]["rows_overlap"] += member.overlap.rows
    return entries


def _said(member: _Member, first: Manifest, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the part's own warnings and those about how it goes with the others, each with its file."""
    manifest, found = member.part.manifest, member.overlap
    file = manifest.source
    messages = list(manifest.messages)
    if found.rows:
        params = {"file": file, "rows": found.rows, "first": found.first[:10], "last": found.last[:10]}
        messages.append(Message("warning.rows_overlap", params))
    if found.other_ids:
        params = {"file": file, "known": found.known_customers, "customers": found.window_customers}
        messages.append(Message("warning.other_ids", params))
    elif found.written_otherwise:
        messages.append(Message("warning.written_otherwise", {"file": file, "rows": found.alike}))
    missing = [column for column in first.columns if column not in member.columns]
    if missing:
        messages.append(Message("warning.columns_missing", {"file": file, "columns": ", ".join(missing[:20])}))
    known = {column.lower() for column in first.columns}
    added = [column for column in member.columns if column.lower() not in known]
    if added:
        messages.append(Message("warning.columns_added", {"file": file, "columns": ", ".join(added[:20])}))
    if manifest.timezone != first.timezone:
        params = {"file": file, "timezone": first.timezone, "found": manifest.timezone}
        messages.append(Message("warning.timezone_differs", params))
    return [message.coded() | {"file": file} for message in messages]


def _named(sources: Sequence[str]) -> str:
    shown = list(dict.fromkeys(sources))
    return ", ".join(shown[:NAMED_SOURCES]) + (
        f" (+{len(shown) - NAMED_SOURCES})" if len(shown) > NAMED_SOURCES else ""
    )


def _counted(whole: Manifest, sums: Figures, content: str) -> Manifest:
    """Return the manifest with what was counted in the rows."""
    meaning = (content, sums.rows, whole.columns, whole.timezone, whole.currency)
    return replace(
        whole,
        version=version_of(*meaning),
        **sums.recorded(),
    )
