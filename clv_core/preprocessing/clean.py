"""Cleaning: rules that reject rows, each measured before it is switched on, all undone by choosing others.

Rules are always applied to the raw version of a dataset, so that a choice never depends on the one before. Rows that a
rule takes are kept in ``set_aside.parquet`` under the reason ``rule_<id>``, as they were, next to those that could not
be read; the accounting of rows stays complete.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clv_core import audit
from clv_core.collection import Answers, file_text, run, text
from clv_core.collection import name as quoted
from clv_core.collection.customers import carry_over
from clv_core.collection.merge import WholeOrders
from clv_core.collection.merge.append import append as append_raw
from clv_core.collection.rows import ORDERED_ROWS, OWN_COLUMNS, LogSummary, summarize
from clv_core.collection.store import (
    Dataset,
    LogFiles,
    Manifest,
    activate,
    derive,
    open_dataset,
    open_version,
    raw_version,
    version_of,
)
from clv_core.columns import EVENT_TIME
from clv_core.errors import Message, Refused, UsageError
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changes
from clv_core.preprocessing.clean_effects import Effect, Marks, marked, measure
from clv_core.preprocessing.clean_rules import POSITION, RULES
from clv_core.workspace import Workspace

__all__ = ["RULES", "Effect", "apply_rules", "checked", "clean", "effects", "raw_version"]

REPEATED: Final = "repeated"
KEPT: Final = "warning.duplicates_kept"


def effects(
    dataset: Dataset, progress: Progress | None = None, limits: Mapping[str, float | None] | None = None
) -> list[Effect]:
    """Return what each rule of :data:`RULES` would change by itself in the raw version; nothing is changed.

    Args:
        dataset: any version.
        progress: who listens.
        limits: limits other than those in force (a rule that is on keeps its own) or the defaults.

    Raises:
        UsageError: a limit makes no sense.
        Refused: the raw version was deleted.
    """
    raw, on = raw_version(dataset), dataset.manifest.rules
    rule_limits = checked({key: None for key in RULES} | dict(on) | dict(limits or {}))
    with marked(raw, rule_limits, progress or NoProgress()) as marks:
        return [measure(marks, key, limit, on=key in on) for key, limit in rule_limits.items()]


@changes
def clean(
    workspace: Workspace, name: str, rules: Mapping[str, float | None], *, progress: Progress | None = None
) -> Manifest:
    """Make the version of a dataset in which exactly ``rules`` are on, note it in the audit log, return its manifest.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        rules: rule id -> limit (None: the default, or none); empty returns to the raw version.
        progress: who listens.

    Raises:
        UsageError: there is no such rule, or its limit makes no sense.
        Refused: fewer than two customers or no purchase would be left, or another run is changing the dataset; nothing
            is changed.
    """
    rule_limits = checked(rules)
    dataset = open_dataset(workspace, name)
    if not rule_limits:
        made = _raw_again(dataset, raw_version(dataset))
    else:
        made = apply_rules(dataset, rule_limits, progress or NoProgress())
    audit.note(workspace, "clean", dataset=name, version=made.version, outcome="done")
    return made


def apply_rules(dataset: Dataset, rules: Mapping[str, float | None], progress: Progress) -> Manifest:
    """Apply rules to the raw version of ``dataset``, make the outcome the current version, and return its manifest.

    Args:
        dataset: any version; its customers table goes with the new one.
        rules: rule id -> limit, at least one.
        progress: who listens.

    Raises:
        UsageError: there is no such rule, or its limit makes no sense.
        Refused: fewer than two customers or no purchase would be left; nothing is changed.
    """
    rule_limits, raw = checked(rules), raw_version(dataset)
    with marked(raw, rule_limits, progress) as marks:
        counts = _share_out(marks, rule_limits)
        events, rejected = marks.scratch / "events.parquet", marks.scratch / "set_aside.parquet"
        files = {}
        if sum(counts.values()):
            _write(marks, raw, events, rejected, progress)
            files = {"events": events, "set_aside": rejected}
        progress.report("figures", 0, 1)
        sums = summarize(marks.connection, files.get("events", raw.events_path), raw.manifest.timezone, progress)
        if sums.customers < 2 or sums.purchases == 0:
            rows = sum(counts.values())
            params = {"rows": rows, "customers": sums.customers, "purchases": sums.purchases}
            raise Refused("clean_leaves_nothing", rules=list(rule_limits), **params)
        table, customers = carry_over(dataset, files.get("events", raw.events_path), marks.scratch)
        manifest = _manifest(dataset, raw, rule_limits, counts, sums)
        manifest = dataclasses.replace(manifest, customers_table=table or manifest.customers_table)
        return derive(raw, manifest, current=True, **files, **customers).manifest


def checked(rules: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the rules in the order of :data:`RULES`, each with its limit.

    Raises:
        UsageError: there is no such rule, or its limit makes no sense.
    """
    for key, limit in rules.items():
        if key not in RULES:
            raise UsageError("clean_rule", rule=key[:60], known=list(RULES))
        if limit is not None and RULES[key].limit is None:
            raise UsageError("clean_no_limit", rule=key)
        if limit is not None and not (math.isfinite(limit) and limit >= RULES[key].lowest):
            raise UsageError("clean_limit", rule=key, limit=str(limit)[:20], lowest=RULES[key].lowest)
    selected = {key: rules[key] for key in RULES if key in rules}
    return {key: RULES[key].limit if limit is None else float(limit) for key, limit in selected.items()}


def _share_out(marks: Marks, rules: Mapping[str, float | None]) -> dict[str, int]:
    """Make the table ``taken``: each marked row once, with the first rule that takes it; return rows by rule.

    The inner query numbers the rules of each marked row by their place; the outer one keeps the first of each row.
    """
    parts = " UNION ALL ".join(f"SELECT position, {i} AS place FROM rule_{key}" for i, key in enumerate(rules))
    names = ", ".join(text(key) for key in rules)
    marks.connection.execute(
        f"CREATE TEMP TABLE taken AS SELECT position, [{names}][min(place) + 1] AS rule FROM ({parts})"
        " GROUP BY position"
    )
    row_counts = dict(marks.connection.execute("SELECT rule, count(*) FROM taken GROUP BY rule").fetchall())
    return {key: int(row_counts.get(key, 0)) for key in rules}


def _write(marks: Marks, raw: Dataset, events: Path, rejected: Path, progress: Progress) -> None:
    """Write the rows that stay, and all rejected rows: those of the raw version, then those that the rules took."""
    rows, source = raw.manifest.rows_kept, marks.scope.events
    marks.connection.execute(f"SET preserve_insertion_order = {str(rows <= ORDERED_ROWS).lower()}")
    stay = f"SELECT * EXCLUDE ({POSITION}) FROM {source} WHERE {POSITION} NOT IN (SELECT position FROM taken)"
    run(marks.connection, f"COPY ({stay}) TO {text(str(events))} (FORMAT parquet)", progress, "write", rows)
    cells = ", ".join(f"{cell} AS {quoted(column)}" for column, cell in _as_text(marks, raw).items())
    removed = f"SELECT 'rule_' || rule AS reason, {cells} FROM {source} JOIN taken ON {POSITION} = position"
    query = f"SELECT * FROM {file_text(raw.rejected_path)} UNION ALL BY NAME {removed}"
    run(marks.connection, f"COPY ({query}) TO {text(str(rejected))} (FORMAT parquet)", progress, "set_aside", rows)


def _as_text(marks: Marks, raw: Dataset) -> dict[str, str]:
    """Return column of the file of rejected rows -> text of a stored row, under the names that the log's file had."""
    cells = {}
    for column in raw.manifest.columns:
        cell = f"strftime({marks.scope.local_time}, '%Y-%m-%d %H:%M:%S')" if column == EVENT_TIME else quoted(column)
        file_column = raw.manifest.mapping.get(column, column)
        cells[f"{file_column} (source)" if file_column.lower() in OWN_COLUMNS else file_column] = f"{cell}::VARCHAR"
    return cells


def _manifest(
    dataset: Dataset, raw: Dataset, rules: dict[str, float | None], counts: Mapping[str, int], sums: LogSummary
) -> Manifest:
    warnings = [item for item in raw.manifest.warnings if not (REPEATED in rules and item.code == KEPT)]
    warnings += [Message(f"warning.rule_{key}", {"rows": rows}) for key, rows in counts.items()]
    meaning = (raw.version, rules, sums.rows, sums.net_revenue, _customers(dataset))
    return dataclasses.replace(
        raw.manifest,
        name=dataset.name,
        version=version_of(*meaning),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        rows_set_aside=raw.manifest.rows_set_aside + sum(counts.values()),
        **sums.recorded(),
        warnings=warnings,
        made="clean",
        parent=dataset.version,
        raw_version=raw.version,
        rules=rules,
    )


def _raw_again(dataset: Dataset, raw: Dataset) -> Manifest:
    """Return to the raw version; a customers table that came after the cleaning stays."""
    if _customers(dataset) == _customers(raw):
        activate(raw)
        return raw.manifest
    manifest = dataclasses.replace(
        raw.manifest,
        name=dataset.name,
        version=version_of(raw.version, _customers(dataset)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        made="clean",
        parent=dataset.version,
    )
    with marked(raw, {}, NoProgress()) as marks:
        table, customers = carry_over(dataset, raw.events_path, marks.scratch)
        manifest = dataclasses.replace(manifest, customers_table=table)
        return derive(raw, manifest, current=True, **customers).manifest


def _customers(dataset: Dataset) -> tuple[str, str]:
    """Return what the customers table is made of: its description and a hash of its bytes."""
    table = dataset.manifest.customers_table
    if table is None:
        return "", ""
    with dataset.customers_path.open("rb") as file:
        about = {key: value for key, value in table.to_json().items() if key != "matched"}
        return repr(about), hashlib.file_digest(file, "sha256").hexdigest()


@dataclasses.dataclass(frozen=True)
class SourceFiles:
    """Facts of a source on the files that it has fetched.

    Args:
        original: what the person calls the file, where it is not the path's name.
        whole_orders: the orders that the files have all rows of; None where they replace none.
        on_read: gets the files as they were read.
    """

    original: str = ""
    whole_orders: WholeOrders | None = None
    on_read: Callable[[Sequence[LogFiles]], None] | None = None


@changes
def append(
    workspace: Workspace,
    name: str,
    source: Path | Sequence[Path],
    *,
    answers: Answers | None = None,
    progress: Progress | None = None,
    fetched: SourceFiles = SourceFiles(),
) -> Manifest:
    """Append files to a dataset as :func:`clv_core.collection.merge.append.append` does, then apply its rules again.

    The dataset turns once, to the version with its rules: where they cannot be applied, or the run is stopped or
    killed, it is left at the version that it had.

    Raises:
        NotFound: there is no such dataset.
        NeedsAnswer: something can be read in two ways, or the file's currency is not the dataset's.
        Refused: a file cannot be used, too little would be left by the rules, or another run is changing the dataset.
    """
    before = open_dataset(workspace, name)
    rules = before.manifest.rules
    made = append_raw(
        workspace,
        name,
        source,
        answers=answers,
        progress=progress,
        original=fetched.original,
        inactive=bool(rules),
        whole=fetched.whole_orders,
        on_read=fetched.on_read,
    )
    if not rules or made.version == before.version:
        return made
    return apply_rules(open_version(workspace, name, made.version), rules, progress or NoProgress())
