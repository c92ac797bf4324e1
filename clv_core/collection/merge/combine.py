"""Several datasets become a new one: their rows together, as they stand, cleaning rules included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clv_core.collection.customers.reading import carry_over
from clv_core.collection.ingest import scratch_folder
from clv_core.collection.merge.merging import merge_logs
from clv_core.collection.rows.read_settings import one_part
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.version_store import Dataset, Manifest, open_dataset, save_dataset, version_of
from clv_core.errors import Message, Refused, UsageError
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changing
from clv_core.workspace import Workspace, check_name


def combine(workspace: Workspace, names: Sequence[str], new_name: str, *, progress: Progress | None = None) -> Manifest:
    """Store the union of the datasets ``names`` as ``new_name`` and return its manifest.

    Datasets of the same columns are taken for exports of one log: a row that an earlier one holds counts once, as often
    as it is there (:mod:`clv_core.collection.merge.overlap`). Datasets of other columns hold other events, and
    nothing of theirs is compared. Time zone, name of the columns' sources and answers are the first's; the customers
    table is that of the first dataset that has one. The originals stay.

    Args:
        workspace: where the datasets are.
        names: at least two, each once.
        new_name: of a dataset that is not there yet.
        progress: who listens.

    Raises:
        UsageError: fewer than two, or one twice.
        NotFound: there is no dataset of a name.
        Refused: the new name is taken; currencies or pseudonyms differ; nothing is left behind.
    """
    new_name = check_name(new_name)
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError("combine_two", names=list(names))
    with changing(workspace, new_name), scratch_folder(workspace) as scratch:
        datasets = [open_dataset(workspace, name) for name in names]
        if (workspace.datasets / new_name).exists():
            raise Refused("combine_name_taken", new=new_name)
        parts = [_part(dataset) for dataset in datasets]
        alike = [_columns(part) == _columns(parts[0]) for part in parts]
        whole = merge_logs(parts, scratch, progress or NoProgress(), compare=alike, ask=False)
        keeper = next((item for item in datasets if item.manifest.customers_table is not None), None)
        table, customers = (None, {}) if keeper is None else carry_over(keeper, whole.events, scratch)
        manifest = replace(
            whole.manifest,
            name=new_name,
            version=version_of(whole.manifest.version, *(dataset.version for dataset in datasets)),
            made="combine",
            parent="",
            raw_version="",
            rules={},
            warnings=[*whole.manifest.warnings, *_warnings(datasets)],
            customers_table=table,
        )
        save_dataset(workspace, manifest, whole.events, whole.rejected, customers.get("customers"), whole.voided)
    return manifest


def _part(dataset: Dataset) -> LogFiles:
    """Return a dataset as one part, whatever it was made of."""
    manifest = replace(dataset.manifest, source=dataset.name)
    part = replace(one_part(manifest), version=dataset.version)
    return replace(LogFiles.of(dataset), manifest=replace(manifest, parts=[part]))


def _columns(part: LogFiles) -> set[str]:
    return {column.lower() for column in part.manifest.columns}


def _warnings(datasets: Sequence[Dataset]) -> list[Message]:
    """Return what is to be said about customers tables and cleaning rules."""
    tables = [dataset.name for dataset in datasets if dataset.manifest.customers_table is not None]
    cleaned = [dataset.name for dataset in datasets if dataset.manifest.rules]
    return [
        *([Message("warning.customers_of", {"name": tables[0], "left": tables[1:]})] if tables else []),
        *([Message("warning.combined_cleaned", {"names": cleaned})] if cleaned else []),
    ]
