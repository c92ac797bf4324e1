"""Retention: how long each kind of data stays, what goes when, and removing what is due.

``workspace/retention.json`` has the days by kind (:data:`KINDS`); 0 keeps a kind for good, which is the default.
Nothing goes by itself: ``clv prune --expired`` removes what is due, also as a step of a schedule.

=========  =========================================================================================================
raw        uploaded files, and versions of a dataset that are not in use (nor the raw one behind a cleaned one)
events     events of all datasets, by their own time; with them rejected rows, earlier versions, and customers of the
           customers table who have no event left
scores     predictions, explanations and what else models made of customers, by when it was made; what the current model
           and the one before it made of the version in use stays
exports    files in ``exports/``; the export log keeps its lines, which name no customer
campaigns  who is in a campaign's list or control group, from its due date on; what it brought stays, as sums
jobs       records of runs that ended
audit      lines of the audit log; a sealed checkpoint stays
=========  =========================================================================================================
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from clv_core import audit, jobs
from clv_core.collection import connect_memory, file_text, scratch_folder
from clv_core.collection.customers import recount
from clv_core.collection.privacy import CUSTOMERS, EVENTS, SET_ASIDE, VOIDED, erase_before, versions_in_use
from clv_core.collection.store import (
    Dataset,
    derive,
    list_datasets,
    open_dataset,
    version_of,
    versions,
)
from clv_core.columns import EVENT_TIME
from clv_core.deployment import ArtifactKind, check_idle, remove, saved_score_files
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.registry import Registry, Version
from clv_core.errors import Message, UsageError
from clv_core.jobs import Progress
from clv_core.locks import changing
from clv_core.records import StoredRecord
from clv_core.scratch import SENT, UPLOADS
from clv_core.strategy.audiences import LOG, export_log
from clv_core.strategy.campaigns import groups_ends, remove_groups, store_outcomes
from clv_core.upkeep.lifecycle import remove_earlier
from clv_core.workspace import Workspace, read_json, write_json

FILE: Final = "retention.json"
MADE: Final = "expire"
"""How a version without old events says that it was made."""
MAX_DAYS: Final = 36_500
NEEDED_PERIODS: Final = 2
"""Forecast periods that a log must span to be tested on its end."""
NAMES_NOBODY: Final = (
    *(ArtifactKind.TUNING, ArtifactKind.SERVING, ArtifactKind.FORECAST),
    *(ArtifactKind.WATCH, ArtifactKind.DEMAND),
)
"""Artifacts without customers, which stay."""
Days = Annotated[int, Field(ge=0, le=MAX_DAYS)]


@dataclass(frozen=True)
class Retention(StoredRecord):
    """Days that each kind of data stays; 0 for good. The kinds are described in this module's text."""

    FILE: ClassVar[str] = FILE

    raw: Days = 0
    events: Days = 0
    scores: Days = 0
    exports: Days = 0
    campaigns: Days = 0
    jobs: Days = 0
    audit: Days = 0

    def days(self, kind: str) -> int:
        """Return the days of one of :data:`KINDS`."""
        value: int = getattr(self, kind)
        return value

    def with_days(self, days: Mapping[str, int]) -> Retention:
        """Return the same with other days of some kinds.

        Raises:
            UsageError: there is no such kind, or its days are out of bounds.
        """
        for kind, value in days.items():
            if kind not in KINDS or not 0 <= value <= MAX_DAYS:
                raise UsageError("retention_days", pair=f"{kind[:20]}={value}", kinds=list(KINDS), most=MAX_DAYS)
        return dataclasses.replace(self, **days)


KINDS: Final = tuple(field.name for field in dataclasses.fields(Retention))


def load_retention(workspace: Workspace) -> Retention:
    """Return how long each kind stays."""
    path = workspace.place(FILE)
    return Retention.from_json(read_json(path)) if path.exists() else Retention()


def save_retention(workspace: Workspace, retention: Retention) -> None:
    """Set how long each kind stays, and note it in the audit log; nothing is removed yet."""
    before = load_retention(workspace)
    write_json(workspace.root / FILE, retention.to_json())
    for kind in KINDS:
        if retention.days(kind) != before.days(kind):
            audit.note(workspace, "retention", kind=kind, days=retention.days(kind))


@dataclass(frozen=True)
class Due:
    """What of one kind is there and what is due.

    Args:
        kind: one of :data:`KINDS`.
        days: that it stays; 0 for good.
        items: how many of the kind there are: files, versions, events, runs or lines.
        due: how many of them are past their days.
        oldest: when the oldest was made, ISO UTC; "" where there is none.
        next: when the next one is due, ISO UTC; "" where the kind stays for good or nothing is left of it.
        notes: what somebody may miss once it is gone, and what stays though it is old.
    """

    kind: str
    days: int
    items: int
    due: int
    oldest: str
    next: str
    notes: tuple[Message, ...]


@dataclass(frozen=True)
class _Item:
    """Something that goes at once.

    Args:
        made: when, or when its first part was.
        remove: removes what is due of it.
        count: of how many things it consists.
        due: how many of them are due where that is not all or none.
        next: when the first of the others was made.
    """

    made: datetime
    remove: Callable[[Progress], object]
    count: int = 1
    due: int | None = None
    next: datetime | None = None

    def is_due(self, limit: datetime | None) -> bool:
        """Return whether anything of it was made before ``limit``; None is no limit."""
        return limit is not None and self.made < limit and self.due != 0


Found = tuple[list[_Item], list[Message]]


def plan_retention(workspace: Workspace, retention: Retention | None = None) -> list[Due]:
    """Return what of each kind is due, when the next is, and what somebody may miss; nothing is removed.

    Args:
        workspace: whose.
        retention: the days; None for those that are set.
    """
    chosen, now = load_retention(workspace) if retention is None else retention, datetime.now(UTC)
    return [_due(kind, days, now, *_find(workspace, kind, days, now)) for kind, days in chosen.to_json().items()]


def expire(workspace: Workspace, progress: Progress) -> list[Due]:
    """Remove what is due, and return what :func:`plan_retention` said before; each kind is noted in the audit log.

    Raises:
        Refused: a run works on a dataset whose events or versions are due; what came before it was removed.
    """
    now, done = datetime.now(UTC), []
    for place, (kind, days) in enumerate(load_retention(workspace).to_json().items()):
        progress.report("expiring", place, len(KINDS))
        items, notes = _find(workspace, kind, days, now)
        due = _due(kind, days, now, items, notes)
        done.append(due)
        removed = 0
        try:
            for item in items:
                if item.is_due(_limit(now, days)):
                    item.remove(progress)
                    removed += item.count if item.due is None else item.due
        finally:
            if due.due:
                outcome = "done" if removed == due.due else "failed"
                audit.note(workspace, "expire", kind=kind, days=days, rows=removed, outcome=outcome)
    progress.report("expiring", len(KINDS), len(KINDS))
    return done


def _limit(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _find(workspace: Workspace, kind: str, days: int, now: datetime) -> Found:
    return _FINDERS[kind](workspace, _limit(now, days))


def _due(kind: str, days: int, now: datetime, items: Sequence[_Item], notes: Sequence[Message]) -> Due:
    limit = _limit(now, days)
    due = [item for item in items if item.is_due(limit)]
    later = [item.made for item in items if item not in due] + [item.next for item in due if item.next is not None]
    return Due(
        kind,
        days,
        sum(item.count for item in items),
        sum(item.count if item.due is None else item.due for item in due),
        min((item.made.isoformat(timespec="seconds") for item in items), default=""),
        (min(later) + timedelta(days=days)).isoformat(timespec="seconds") if later and days else "",
        tuple(notes),
    )


def _find_raw(workspace: Workspace, limit: datetime | None) -> Found:
    """Find uploaded files and versions that are not in use."""
    running = [word for job in jobs.jobs(workspace) if job.status().is_running for word in job.status().args]
    uploads = [
        path
        for path in workspace.place(UPLOADS).glob("[!.]*")
        if not path.name.startswith(SENT) and not any(str(path) in word for word in running)
    ]
    items, notes = [_file_item(path) for path in uploads], []
    for current in list_datasets(workspace):
        needed = {current.version, current.manifest.raw_version}
        earlier = [dataset for dataset in versions(workspace, current.name) if dataset.version not in needed]
        made = [_version_item(workspace, dataset) for dataset in earlier]
        items += made
        if due := sum(item.is_due(limit) for item in made):
            notes.append(Message("retention.note.versions", {"name": current.name, "n": due}))
    return items, notes


def _version_item(workspace: Workspace, dataset: Dataset) -> _Item:
    def remove_it(progress: Progress) -> None:
        with changing(workspace, dataset.name):
            check_idle(workspace, dataset.name)
            remove_earlier(workspace, dataset.name, [dataset.version])

    return _Item(datetime.fromisoformat(dataset.manifest.created), remove_it)


def _find_events(workspace: Workspace, limit: datetime | None) -> Found:
    """Find datasets with events; one all of whose events are old is left as it is, for it would be empty."""
    items, notes = [], []
    for dataset in list_datasets(workspace):
        old = "false" if limit is None else f"{EVENT_TIME} < TIMESTAMP '{limit:%Y-%m-%d %H:%M:%S}'"
        query = (
            f"SELECT count(*), min({EVENT_TIME}), count(*) FILTER (WHERE {old}),"
            f" min({EVENT_TIME}) FILTER (WHERE NOT ({old})) FROM {file_text(dataset.events_path)}"
        )
        with connect_memory() as connection:
            count, first, due, following = connection.execute(query).fetchall()[0]
        first = first.replace(tzinfo=UTC)
        following = None if following is None else following.replace(tzinfo=UTC)
        if following is None:
            notes.append(Message("retention.note.all_events", {"name": dataset.name, "n": count}))
            due = 0
        elif limit is not None and due:
            notes += _events_missed(workspace, dataset, due, limit)
        items.append(_Item(first, partial(_expire_events, workspace, dataset.name, limit), count, due, following))
    return items, notes


def _events_missed(workspace: Workspace, dataset: Dataset, due: int, limit: datetime) -> Iterator[Message]:
    """Yield what the loss of old events means for the current model and the one that a rollback returns to."""
    registry, name = Registry(workspace), dataset.name
    champion, earlier = registry.champion(name), registry.earlier(name)
    if champion is not None:
        yield Message("retention.note.champion", {"name": name, "version": champion.number, "n": due})
        left = (dataset.log_end - limit.date()).days
        if left < NEEDED_PERIODS * champion.record.horizon_days:
            needed = NEEDED_PERIODS * champion.record.horizon_days
            yield Message("retention.note.short", {"name": name, "left": left, "needed": needed})
    if earlier:
        yield Message("retention.note.rollback", {"name": name, "version": earlier[0].number})


def _expire_events(workspace: Workspace, name: str, limit: datetime | None, progress: Progress) -> None:
    """Write the version in use, and the raw one behind it, without old events; destroy the versions that have some."""
    if limit is None:
        return
    with changing(workspace, name):
        check_idle(workspace, name)
        current, stored = open_dataset(workspace, name), versions(workspace, name)
        store_outcomes(workspace, current)  # of campaigns that are measured by events that go
        raw_name = current.manifest.raw_version
        for dataset in stored:
            if dataset.version == raw_name:
                raw_name = _write_recent(workspace, dataset, limit, "", progress, is_current=False)
        in_use = _write_recent(workspace, current, limit, raw_name, progress, is_current=True)
        stay = {in_use, raw_name}
        old = [dataset.version for dataset in stored if dataset.version not in stay and _has_events(dataset, limit)]
        remove_earlier(workspace, name, old)


def _write_recent(
    workspace: Workspace, dataset: Dataset, limit: datetime, raw_name: str, progress: Progress, *, is_current: bool
) -> str:
    """Write a version without old events, and return its name."""
    paths = {EVENTS: dataset.events_path, SET_ASIDE: dataset.rejected_path, CUSTOMERS: dataset.customers_path}
    paths |= {VOIDED: dataset.voided_path} if dataset.voided_path else {}
    tables = {table: path for table, path in paths.items() if path.exists()}
    with scratch_folder(workspace) as scratch:
        left = erase_before(dataset.manifest, tables, limit, scratch, progress)
        manifest = dataclasses.replace(
            left.manifest,
            version=version_of(left.manifest.version, MADE, raw_name),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            made=MADE,
            parent="",
            raw_version=raw_name,
        )
        if manifest.customers_table is not None:
            files = {**tables, **left.files}
            table = recount(files[CUSTOMERS], files[EVENTS], manifest.customers_table)
            manifest = dataclasses.replace(manifest, customers_table=table)
        return derive(dataset, manifest, current=is_current, **left.files).version


def _has_events(dataset: Dataset, limit: datetime) -> bool:
    """Return whether a version has events from before a time."""
    with connect_memory() as connection:
        query = f"SELECT min({EVENT_TIME}) FROM {file_text(dataset.events_path)}"
        (first,) = connection.execute(query).fetchall()[0]
    return first is not None and first.replace(tzinfo=UTC) < limit


def _find_scores(workspace: Workspace, limit: datetime | None) -> Found:
    """Find what models made of customers, but for what the current model and the one before it need."""
    items, notes, registry = [], [], Registry(workspace)
    for dataset in list_datasets(workspace):
        champion, earlier = registry.champion(dataset.name), registry.earlier(dataset.name)
        needed = {version.bundle for version in (champion, *earlier[:1]) if version is not None}
        in_use, kept = versions_in_use(workspace, dataset), 0
        for artifact in artifacts(workspace, dataset.name):
            item = _file_item(artifact.path)
            if artifact.kind in NAMES_NOBODY:
                continue
            if artifact.version in in_use and artifact.model in needed:
                kept += item.is_due(limit)
            else:
                items.append(item)
        if kept:
            notes.append(Message("retention.note.scores_kept", {"name": dataset.name, "n": kept}))
        if champion is not None and (unchecked := _unchecked(workspace, dataset, champion, limit)):
            notes.append(Message("retention.note.unchecked", {"name": dataset.name, "n": unchecked}))
    return items, notes


def _unchecked(workspace: Workspace, dataset: Dataset, champion: Version, limit: datetime | None) -> int:
    """Return how many saved scores of the current model go before their forecast period has ended."""
    span, in_use = timedelta(days=champion.record.horizon_days), versions_in_use(workspace, dataset)
    return sum(
        cutoff + span > dataset.log_end and _file_item(path).is_due(limit)
        for cutoff, path in saved_score_files(workspace, champion.bundle, dataset.name)
        if path.parent.parent.name not in in_use
    )


def _find_exports(workspace: Workspace, limit: datetime | None) -> Found:
    """Find files in ``exports/``; those that were written elsewhere are only told of."""
    stored = [path for path in workspace.place("exports").rglob("[!.]*") if path.is_file() and path.name != LOG]
    written = {path for entry in export_log(workspace) for path in entry.paths}
    outside = sum(
        path.is_file() and not path.is_relative_to(workspace.root) and _file_item(path).is_due(limit)
        for path in written
    )
    notes = [Message("retention.note.outside", {"n": outside})] if outside else []
    return [_file_item(path) for path in stored], notes


def _find_campaigns(workspace: Workspace, limit: datetime | None) -> Found:
    """Find who is in a campaign; while it, or another of the same days, is not due in the log, they stay."""
    items, notes = [], []
    for dataset in list_datasets(workspace):
        due = kept = 0
        for end in groups_ends(dataset):
            remove_them = partial(_remove_groups, workspace, dataset, end.campaign.name)
            item = _Item(datetime.combine(end.due, time(), UTC), remove_them, end.customers)
            kept += end.is_needed and item.is_due(limit)
            due += not end.is_needed and item.is_due(limit)
            items.append(dataclasses.replace(item, due=0) if end.is_needed else item)
        if due:
            notes.append(Message("retention.note.campaigns", {"name": dataset.name, "n": due}))
        if kept:
            notes.append(Message("retention.note.campaigns_kept", {"name": dataset.name, "n": kept}))
    return items, notes


def _remove_groups(workspace: Workspace, dataset: Dataset, name: str, progress: Progress) -> None:
    remove_groups(workspace, dataset, name)


def _find_jobs(workspace: Workspace, limit: datetime | None) -> Found:
    """Find records of runs that ended."""
    ended = [(job.folder, job.status()) for job in jobs.jobs(workspace)]
    return [
        _Item(datetime.fromtimestamp(status.updated, UTC), partial(_remove, folder))
        for folder, status in ended
        if not status.is_running
    ], []


def _find_audit(workspace: Workspace, limit: datetime | None) -> Found:
    """Find the lines of the audit log."""
    times = [str(line.get("at")) for line in audit.lines(workspace)][::-1]
    if not times:
        return [], []
    due = audit.prune(workspace, limit, dry_run=True) if limit is not None else 0
    following = datetime.fromisoformat(times[due]) if due < len(times) else None
    notes = [Message("retention.note.audit", {"n": due})] if due else []
    remove_them = partial(_prune_audit, workspace, limit)
    return [_Item(datetime.fromisoformat(times[0]), remove_them, len(times), due, following)], notes


def _prune_audit(workspace: Workspace, limit: datetime | None, progress: Progress) -> None:
    if limit is not None:
        audit.prune(workspace, limit)


def _file_item(path: Path) -> _Item:
    return _Item(datetime.fromtimestamp(path.stat().st_mtime, UTC), partial(_remove, path))


def _remove(path: Path, progress: Progress) -> None:
    remove(path)


_FINDERS: Final[dict[str, Callable[[Workspace, datetime | None], Found]]] = {
    "raw": _find_raw,
    "events": _find_events,
    "scores": _find_scores,
    "exports": _find_exports,
    "campaigns": _find_campaigns,
    "jobs": _find_jobs,
    "audit": _find_audit,
}
