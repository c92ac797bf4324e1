"""A file becomes a dataset: read as text, mapped, typed, accounted for, stored. A failure leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from clv_core.collection.profile import Answers
from clv_core.collection.reading import Reading, read_log
from clv_core.collection.store import Manifest, save_dataset
from clv_core.jobs import NoProgress, Progress
from clv_core.workspace import Workspace, check_name


def ingest(
    workspace: Workspace,
    source: Path,
    name: str,
    *,
    mapping: Mapping[str, str] | None = None,
    date_order: str | None = None,
    decimal: str | None = None,
    timezone: str = "UTC",
    currency: str = "",
    duplicates: str | None = None,
    events: Mapping[str, str] | None = None,
    header: bool = True,
    progress: Progress | None = None,
    original: str = "",
) -> Manifest:
    """Read ``source`` into the dataset ``name`` and return its manifest.

    Args:
        workspace: where the dataset is stored.
        source: CSV or other delimited text, XLSX, JSON lines, Parquet (a file or a folder), also gzipped or zipped.
        name: the dataset's name; a dataset of this name gets a new version.
        mapping: canonical column -> source column, where the proposal is to be overruled.
        date_order: ``dmy``, ``mdy`` or ``ymd`` for dates that can be read in several ways.
        decimal: ``point`` or ``comma`` for amounts such as 1.234.
        timezone: IANA zone of times without an offset, and of the log's days.
        currency: what the amounts are in.
        duplicates: ``keep`` or ``drop`` exact repetitions; None: the rule (dropped where rows carry an order or event
            id or a time of day).
        events: event name in the file -> event type.
        header: whether a text file's first line names its columns.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name (uploads).

    Raises:
        NeedsAnswer: something can be read in two ways; the message names the option that settles it.
        Refused: the file cannot be used; nothing is left behind.
    """
    name = check_name(name)
    answers = Answers(mapping or {}, date_order, decimal, timezone, currency, duplicates, events or {}, header)
    with scratch_folder(workspace) as scratch:
        reading = read_log(source, answers, scratch, progress or NoProgress(), original=original)
        manifest = describe(reading, name, answers)
        save_dataset(workspace, manifest, reading.events, reading.set_aside)
    return manifest


@contextmanager
def scratch_folder(workspace: Workspace) -> Iterator[Path]:
    """Yield a folder on the workspace's disk that is removed whatever happens."""
    with tempfile.TemporaryDirectory(dir=workspace.folder("datasets"), prefix=".reading-") as folder:
        yield Path(folder)


def describe(reading: Reading, name: str, answers: Answers) -> Manifest:
    """Return the manifest of ``reading`` as the dataset ``name``."""
    sums, plan = reading.figures, reading.profile.plan
    return Manifest(
        name=name,
        version=reading.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=reading.source.file,
        timezone=answers.timezone,
        currency=reading.profile.currency,
        columns=plan.stored,
        mapping={key: column for key, column in plan.chosen.items() if key in plan.stored},
        rows_read=reading.rows_read,
        rows_kept=sums.rows,
        rows_set_aside=reading.rows_set_aside,
        rows_duplicate=reading.rows_duplicate,
        customers=sums.customers,
        purchases=sums.purchases,
        first_event=sums.first_event.isoformat(timespec="seconds") + "Z",
        last_event=sums.last_event.isoformat(timespec="seconds") + "Z",
        log_start=sums.log_start.isoformat(),
        log_end=sums.log_end.isoformat(),
        net_revenue=sums.net_revenue,
        event_types=sums.event_types,
        warnings=[{"code": message.code, "params": message.params} for message in reading.warnings],
    )
