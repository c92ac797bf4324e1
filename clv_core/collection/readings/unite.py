"""Several readings become one log: what is held already is left out, the rest is written, counted and described."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import connect, file_text, name, one, run, text
from clv_core.collection.parse.id_texts import MERGE
from clv_core.collection.questions import MATTERS
from clv_core.collection.readings.figures import figures
from clv_core.collection.readings.overlap import Overlap, Rows, find_overlap, write_new
from clv_core.collection.readings.reading import ORDERED_ROWS, check_enough
from clv_core.collection.readings.restated import Changed, find_changed, find_restated, write_standing
from clv_core.collection.readings.similar_ids import find_spellings, write_respelled
from clv_core.collection.readings.united import LogPart, Member, counted, described
from clv_core.collection.readings.withdrawn import hold_out, last_event, lines_in, merge, orders_in
from clv_core.collection.stored.store import Manifest
from clv_core.columns import AMOUNT, BY_NAME, COLUMNS, CUSTOMER_ID, Kind
from clv_core.errors import NeedsAnswer, Refused
from clv_core.jobs import Progress

TYPES: Final = {Kind.TEXT: "VARCHAR", Kind.TIME: "TIMESTAMP", Kind.NUMBER: "DOUBLE"}


def unite(
    parts: Sequence[LogPart],
    scratch: Path,
    progress: Progress,
    *,
    compare: Sequence[bool] = (),
    always: bool = True,
    overlap: str | None = "add",
    ask: bool = True,
) -> LogPart:
    """Return the union of ``parts``, the first of which gives its name, time zone and mapping.

    A row that earlier parts hold already is left out and counts as a duplicate and as ``rows_overlap`` of its part. Of
    an order that stands otherwise in two parts, the rows of the one that ends later count
    (:mod:`clv_core.collection.readings.restated`); the others are duplicates, and so are those of orders that an
    earlier part calls off (:mod:`clv_core.collection.readings.withdrawn`).
    Columns that a part has not are NULL in its rows; columns are matched without regard to case. Rows set aside are
    kept with the file they are from.

    Args:
        parts: at least one.
        scratch: an empty folder on the workspace's disk.
        progress: who listens.
        compare: for each part, whether its rows are looked up in the earlier ones; empty: all are.
        overlap: whether orders that a later part has with other amounts ``replace`` those before it, or ``add`` to
            them; None asks where that changes the total.
        always: whether the files are written where later parts bring no new row too; if not, they are then the first
            part's.
        ask: whether to ask where it is not plain that ids of two parts that hardly differ are one customer.

    Raises:
        NeedsAnswer: similar ids may be one customer, or orders of two parts have other amounts in the later one.
        Refused: amounts are in two currencies, ids are hashed under two keys or only in some parts, or the whole has no
            purchases or one customer only.
    """
    first = parts[0]
    for part in parts[1:]:
        _check_alike(first.manifest, part.manifest)
    names = _all_columns(parts)
    with _engine(scratch, sum(part.manifest.rows_kept for part in parts)) as connection:
        members = [Member(first, _own(first, names), first.events, Overlap(0))]
        for number, part in enumerate(parts[1:], 1):
            folder, wanted = scratch / f"joined-{number}", not compare or compare[number]
            folder.mkdir()
            spelt = _spelt_as_before(connection, members, part, folder, ask=ask)
            members = _join(connection, members, spelt, names, folder, wanted, overlap, progress)
        whole = described(members, names)
        fresh = sum(member.part.manifest.rows_kept - member.not_kept for member in members[1:])
        withdrawn = _called_off(connection, members, scratch / "withdrawn.parquet")
        same = lines_in(connection, withdrawn) == lines_in(connection, first.withdrawn)
        if fresh == 0 and not always and members[0].gone == 0 and same:
            return replace(first, manifest=whole)
        if whole.rows_kept == 0:
            raise Refused("nothing_but_withdrawn", file=whole.source, rows=whole.rows_read)
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
        return LogPart(counted(whole, sums, content), events, aside, withdrawn)


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


def _spelt_as_before(
    connection: duckdb.DuckDBPyConnection, log: Sequence[Member], part: LogPart, folder: Path, *, ask: bool
) -> LogPart:
    """Return a part with its ids written as in the log, where they differ in capitals, blanks or leading zeros only."""
    if part.manifest.pseudonymised:
        return part
    files = [(member.events, True) for member in log] + [(part.events, False)]
    ids = (f"SELECT DISTINCT {CUSTOMER_ID} AS id, {old} AS old FROM {file_text(path)}" for path, old in files)
    said = find_spellings(connection, " UNION ALL ".join(ids), part.manifest.answers.get("similar_ids"), ask=ask)
    if not said:
        return part
    events = folder / "spelt.parquet"
    withdrawn = None if part.withdrawn is None else folder / "spelt_withdrawn.parquet"
    write_respelled(connection, part.events, events)
    if part.withdrawn is not None and withdrawn is not None:
        write_respelled(connection, part.withdrawn, withdrawn)
    manifest = part.manifest
    entries = [*manifest.parts[:-1], {**manifest.parts[-1], "similar_ids": MERGE}]
    warnings = [*manifest.warnings, *(message.coded() for message in said)]
    return replace(
        part, manifest=replace(manifest, parts=entries, warnings=warnings), events=events, withdrawn=withdrawn
    )


def _join(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[Member],
    part: LogPart,
    names: Sequence[str],
    folder: Path,
    compare: bool,
    overlap: str | None,
    progress: Progress,
) -> list[Member]:
    """Return the members with ``part`` as the last; new files are written to ``folder``."""
    columns = _own(part, names)
    known = {column: column for member in members for column in member.columns}
    log = Rows(f"({' UNION ALL '.join(_select(member, list(known)) for member in members)})", known)
    found = find_overlap(
        connection,
        log,
        part.events,
        columns,
        progress,
        compare=compare,
        timezones=(members[0].part.manifest.timezone, part.manifest.timezone),
    )
    member, standing = Member(part, columns, part.events, found), list(members)
    if compare:
        files = [(one.events, one.columns) for one in members]
        told = find_restated(connection, files, (part.events, columns), part.withdrawn, progress)
        if not any(told.gone) and not told.held:
            changed = find_changed(connection, files, (part.events, columns), overlap=overlap)
            told = replace(told, gone=changed.gone)
            if overlap is None and not any(changed.gone):
                _ask_overlap(connection, members, part, changed)
        restated = sum(told.gone) - told.taken.rows
        named = orders_in(connection, part.withdrawn) if part.withdrawn is not None else 0
        member = replace(member, restated=restated, outdated=told.held, named=named, taken=told.taken)
        for number, rows in enumerate(told.gone):
            if rows:
                target, earlier = folder / f"standing-{number}.parquet", members[number]
                write_standing(connection, earlier.events, number, target, progress, earlier.part.manifest.rows_kept)
                standing[number] = replace(earlier, events=target, gone=earlier.gone + rows)
    called_off = [one.part.withdrawn for one in members if one.part.withdrawn is not None]
    if compare and called_off and part.manifest.rows_kept:
        last = last_event(connection, [part.events], [part.withdrawn])
        member = replace(member, stays_out=hold_out(connection, called_off, (part.events, columns), last, progress))
    if member.not_kept:
        member = replace(member, events=folder / "new.parquet")
        write_new(connection, part.events, member.events, progress, part.manifest.rows_kept)
    return [*standing, member]


def _ask_overlap(
    connection: duckdb.DuckDBPyConnection, members: Sequence[Member], part: LogPart, changed: Changed
) -> None:
    """Ask whether purchases that a file has otherwise than the log are the log's, where that changes the total.

    Raises:
        NeedsAnswer: it does.
    """
    held = f"read_parquet({file_text(part.events)}, file_row_number = true) WHERE file_row_number NOT IN (FROM held)"
    fresh = one(connection, f"SELECT coalesce(sum({AMOUNT}), 0) FROM {held}")[0]
    added = sum(member.part.manifest.net_revenue for member in members) + float(fresh)
    sums = {"replace": round(added - changed.before, 2), "add": round(added, 2)}
    if changed.rows and changed.before > MATTERS * abs(added):
        readings = [
            {"option": f"--overlap {how}", "answers": {"overlap": how}, "net_revenue": total}
            for how, total in sums.items()
        ]
        file = part.manifest.source
        if changed.orders:
            raise NeedsAnswer("orders_changed", file=file, orders=changed.orders, readings=readings)
        raise NeedsAnswer("purchases_alike", file=file, rows=changed.rows, readings=readings)


def _called_off(connection: duckdb.DuckDBPyConnection, members: Sequence[Member], target: Path) -> Path | None:
    """Write what the parts together say of orders that were called off; None where none says how orders stand."""
    parts = [member.part for member in members]
    if all(part.withdrawn is None for part in parts):
        return None
    ends = [last_event(connection, [part.events], [part.withdrawn]) for part in parts]
    rows = [(member.part.events, member.columns) for member in members]
    return merge(connection, list(zip([part.withdrawn for part in parts], rows, ends, strict=True)), target)


def _select(member: Member, names: Sequence[str]) -> str:
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
