"""A file becomes a dataset: read as text, mapped, typed, accounted for, stored."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from clv_core.collection.aliases import EVENT_NAMES, LIKELY_NAMES, SURE_NAMES, fold
from clv_core.collection.store import Manifest, save_dataset
from clv_core.columns import AMOUNT, BY_NAME, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, Kind
from clv_core.errors import Refused
from clv_core.jobs import NoProgress, Progress
from clv_core.workspace import Workspace


def ingest(
    workspace: Workspace,
    source: Path,
    name: str,
    *,
    mapping: Mapping[str, str] | None = None,
    date_order: str | None = None,
    timezone: str = "UTC",
    currency: str = "",
    duplicates: str | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Read ``source`` into the dataset ``name`` and return its manifest.

    Raises:
        Refused: the file cannot be used; nothing is left behind.
    """
    progress = progress or NoProgress()
    if not source.exists():
        raise Refused("no_file", path=str(source))
    with tempfile.TemporaryDirectory(dir=workspace.datasets, prefix=".ingest-") as folder:
        scratch = Path(folder)
        connection = duckdb.connect(config={"temp_directory": folder})
        connection.execute(f"SET TimeZone = '{timezone}'")
        progress.report("read", 0, 1)
        raw = _raw(connection, source, scratch)
        names = {fold(column): column for column in raw.columns}
        chosen = {LIKELY_NAMES[key]: column for key, column in names.items() if key in LIKELY_NAMES}
        chosen.update({SURE_NAMES[key]: column for key, column in names.items() if SURE_NAMES.get(key) in BY_NAME})
        chosen.update(mapping or {})
        for needed in (CUSTOMER_ID, EVENT_TIME, AMOUNT):
            if needed not in chosen:
                raise Refused("missing_column", column=needed, found=", ".join(raw.columns))
        select = _select(chosen, raw.columns)
        connection.execute(f"CREATE TEMP VIEW typed AS SELECT row_number() OVER () AS line, {select} FROM raw")
        bad = f"({CUSTOMER_ID} IS NULL OR {EVENT_TIME} IS NULL OR (event_type = 'purchase' AND {AMOUNT} IS NULL))"
        kept, aside = scratch / "kept.parquet", scratch / "aside.parquet"
        progress.report("write", 0, 1)
        connection.execute(f"COPY (SELECT * EXCLUDE line FROM typed WHERE NOT {bad}) TO '{kept}'")
        connection.execute(f"COPY (SELECT * FROM typed WHERE {bad}) TO '{aside}'")
        rows = connection.execute(
            f"SELECT count(*), count(DISTINCT {CUSTOMER_ID}), count(*) FILTER (event_type = 'purchase'),"
            f" min({EVENT_TIME}), max({EVENT_TIME}),"
            f" sum({AMOUNT}::DECIMAL(38,6)) FILTER (event_type IN ('purchase', 'return')),"
            f" min(timezone('{timezone}', timezone('UTC', {EVENT_TIME})))::DATE,"
            f" max(timezone('{timezone}', timezone('UTC', {EVENT_TIME})))::DATE + 1,"
            f" (SELECT count(*) FROM typed WHERE {bad}), bit_xor(hash(COLUMNS(*)))"
            f" FROM '{kept}'"
        ).fetchone()
        assert rows is not None
        types = connection.execute(f"SELECT event_type, count(*) FROM '{kept}' GROUP BY ALL ORDER BY 1").fetchall()
        version = hashlib.sha256(repr(rows).encode()).hexdigest()[:12]
        columns = [str(row[0]) for row in connection.execute(f"DESCRIBE SELECT * FROM '{kept}'").fetchall()]
        manifest = Manifest(
            name=name,
            version=version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            source=source.name,
            timezone=timezone,
            currency=currency,
            columns=columns,
            mapping=chosen,
            rows_read=int(rows[0]) + int(rows[8]),
            rows_kept=int(rows[0]),
            rows_set_aside=int(rows[8]),
            rows_duplicate=0,
            customers=int(rows[1]),
            purchases=int(rows[2]),
            first_event=rows[3].isoformat() + "Z",
            last_event=rows[4].isoformat() + "Z",
            log_start=rows[6].isoformat(),
            log_end=rows[7].isoformat(),
            net_revenue=round(float(rows[5]), 2),
            event_types=dict(types),
        )
        connection.close()
        save_dataset(workspace, manifest, kept, aside)
    progress.report("write", 1, 1)
    return manifest


def _raw(connection: duckdb.DuckDBPyConnection, source: Path, scratch: Path) -> duckdb.DuckDBPyRelation:
    path = source
    if source.suffix == ".parquet":
        relation = connection.read_parquet(str(path))
        relation = relation.select("COLUMNS(*)::VARCHAR")
    else:
        with source.open("rb") as file:
            head = file.readline()
        if re.fullmatch(rb"\s*[^\s,;|]+( +[^\s,;|]+)+\s*", head) and b"\t" not in head:
            path = scratch / "tabs.txt"
            with source.open("rb") as file, path.open("wb") as out:
                out.writelines(re.sub(rb"[ \t]+", b"\t", line.strip(b" \t")) for line in file)
        relation = connection.read_csv(str(path), all_varchar=True, header=True)
    relation.create_view("raw")
    return relation


def _select(chosen: Mapping[str, str], columns: list[str]) -> str:
    parts = []
    for canonical, column in chosen.items():
        text = f"nullif(trim(\"{column}\"), '')"
        if canonical == EVENT_TIME:
            text = (
                f"timezone('UTC', coalesce(try_cast({text} AS TIMESTAMPTZ),"
                f" try_strptime({text}, '%Y%m%d')::TIMESTAMPTZ))"
            )
        elif canonical == EVENT_TYPE:
            pairs = ", ".join(f"'{key}': '{value}'" for key, value in EVENT_NAMES.items())
            text = f"coalesce(MAP {{{pairs}}}[regexp_replace(lower({text}), '[\\W_]+', '', 'g')], {text})"
        elif BY_NAME[canonical].kind is Kind.NUMBER:
            text = f"try_cast({text} AS DOUBLE)"
        parts.append(f"{text} AS {canonical}")
    if EVENT_TYPE not in chosen:
        parts.append(f"'{PURCHASE}' AS {EVENT_TYPE}")
    parts += [f'"{column}"' for column in columns if column not in chosen.values()]
    return ", ".join(parts)
