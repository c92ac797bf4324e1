"""Erases customers from a workspace, in an order in which a killed run can be repeated, and proves it by a search.

What can be made again is removed, the rest is rewritten; then all is searched. By place:

========================================  ===========================================================================
datasets/<name>/<version>/                rewritten as a new version; those that held a customer are destroyed
datasets/<name>/made/, .relations/        removed and made again when needed (:data:`MADE_AGAIN`): explanations, views,
                                          recommendations, prices, scores on other terms; rewritten: saved scores of a
                                          model's own terms, backtests, monitoring
datasets/<name>/<version>/view.json       a dataset without those who objected: removed, and made again when needed
datasets/<name>/segments/, campaigns/     rewritten
models/<id>/                              holdout and record rewritten; weights stay, the certificate names the model
runs/<name>-<run>/                        removed: a resumed training would still learn from the customers
uploads/                                  removed; an upload that is not read yet is sent again
jobs/<id>/                                removed if it names a customer or was run for one
exports/<list>                            removed, with its side file, if it names a customer or holds her contacts
scratch/<process>/                        of killed processes removed; of running ones named on the certificate
audit/cards/                              the key of a customer is destroyed: no line on her card can be told for hers
erasures/ledger.jsonl, suppression/,      hold hashes only: searched, never changed
objections/, audit/
all other files                           rewritten by kind (:mod:`~clv_core.erasure.file_erasure`) if they name one
files exported to other places            searched; named on the certificate
========================================  ===========================================================================
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clv_core import audit, jobs
from clv_core.audit import FOLDER as AUDIT
from clv_core.collection.privacy import DATASET, LEDGER, forget_cards, made_without
from clv_core.collection.privacy import FILE as SUPPRESSION
from clv_core.collection.privacy.erased_customers import erased_customers
from clv_core.collection.store import (
    OBJECTIONS,
    UNFINISHED,
    Dataset,
    known_versions,
    list_datasets,
    open_dataset,
    versions,
)
from clv_core.deployment import (
    PREDICTION_KINDS,
    REMOVING,
    STAGING,
    ArtifactKind,
    list_bundles,
    remove,
    saved_score_files,
)
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.registry import Registry
from clv_core.erasure.certificate import FOLDER as CERTIFICATES
from clv_core.erasure.certificate import Certificate, Remains, Unsure, begin, save
from clv_core.erasure.data_subjects import DataSubjects, find_data_subjects, given_ids
from clv_core.erasure.file_erasure import FileHits, erase_from, search
from clv_core.erasure.version_erasure import (
    count_learned,
    erase_from_bundle,
    first_events,
    rewrite_dataset,
    versions_holding,
)
from clv_core.errors import Refused
from clv_core.features import FOLDER as RELATIONS
from clv_core.jobs import Progress
from clv_core.locks import exclusive_lock
from clv_core.scratch import FOLDER as SCRATCH
from clv_core.scratch import LOCK_FILE, READING, UPLOADS, held_elsewhere, sweep_killed
from clv_core.strategy.audiences import LOG, export_log, exported_files
from clv_core.strategy.campaigns import FOLDER as CAMPAIGNS
from clv_core.strategy.segments import FOLDER as SEGMENTS
from clv_core.training import states_of
from clv_core.workspace import Workspace

REMAINS: Final = ("dataset", "model", "file", "process", "export")
"""Kinds of what still names a customer, in the order in which a certificate lists them."""
MADE_AGAIN: Final[dict[str, str]] = {
    **dict.fromkeys(PREDICTION_KINDS, "predictions"),
    ArtifactKind.EXPLANATION: "explanations",
    **{kind: kind for kind in (ArtifactKind.EXPLORED, ArtifactKind.RECOMMENDATIONS, ArtifactKind.PRICING)},
}
"""Kinds of artifacts that are removed, and what a certificate counts them as."""
UNFINISHED_FILES: Final = (
    f"datasets/{READING}*",
    *(f"datasets/*/{pattern}" for pattern in UNFINISHED),
    f"models/{STAGING}*",
    f"**/{REMOVING}*",
    "**/.*.tmp",
)
"""Patterns of files that a killed run left half written or half removed."""
HASHES: Final = (LEDGER, SUPPRESSION, f"{OBJECTIONS}/", f"{AUDIT}/")
IN_USE: Final = (".safetensors", ".lock", ".sqlite-wal", ".sqlite-shm")
"""Endings of files that belong to a model, a lock or a database, and are never changed by themselves."""


def erase(
    workspace: Workspace, ids: Iterable[str], *, dataset: str = "", source: Path | None = None, progress: Progress
) -> Certificate:
    """Erase customers for good and return the certificate.

    The ids go into the ledger first, so that no file brings them back; then everything that was made from the datasets
    is removed or rewritten, then the models' files, the datasets last. A run that was
    cut off is finished by the next one with the same ids, and the certificate covers both. At the end every file that
    is left is searched.

    Args:
        workspace: where.
        ids: customers, as their files call them; in a pseudonymised dataset their pseudonyms are erased too.
        dataset: the only dataset that is changed, with what is of it; "" for all.
        source: the file that the ids were read from; if it is in the workspace it is removed at the end, for it names
            them, and a run that was cut off is finished from it.
        progress: receives the progress.

    Raises:
        UsageError: no id.
        NotFound: there is no such dataset.
        Refused: something else runs in the workspace, or the key of a dataset's pseudonyms is not there.
    """
    check_no_jobs(workspace)
    with exclusive_lock(workspace):
        names = (
            [open_dataset(workspace, dataset).name]
            if dataset
            else [version.name for version in list_datasets(workspace)]
        )
        progress.report("erasing_find", 0, 1)
        if workspace.place("models").is_dir():
            Registry(workspace)  # finishes or undoes what a killed run left of a bundle
        remove_unfinished(workspace)
        subjects = find_data_subjects(
            workspace, ids, [version for name in names for version in versions(workspace, name)]
        )
        run = _Erasure(workspace, subjects, begin(workspace, subjects.given, dataset), source)
        mark = {DATASET: dataset, "certificate": run.certificate.id}
        erased_customers(workspace).add(subjects.given, **mark)
        affected = {name: versions_holding(workspace, name, subjects) for name in names}
        run.note_learned(affected)
        progress.report("erasing_files", 0, 1)
        run.erase_from_places(affected)
        for place, name in enumerate(names):
            progress.report("erasing_datasets", place, len(names))
            run.save(run.certificate.with_dataset(rewrite_dataset(workspace, name, affected[name], subjects, progress)))
        progress.report("erasing_check", 0, 1)
        run.finish()
        progress.report("erasing_check", 1, 1)
        return run.certificate


class _Erasure:
    """The steps of an erasure; the certificate is saved after each."""

    def __init__(
        self, workspace: Workspace, subjects: DataSubjects, certificate: Certificate, source: Path | None
    ) -> None:
        self.workspace, self.subjects, self.certificate, self.source = workspace, subjects, certificate, source

    def save(self, certificate: Certificate) -> None:
        self.certificate = certificate
        save(self.workspace, certificate)

    def note_learned(self, affected: Mapping[str, Sequence[Dataset]]) -> None:
        """Note who is in any dataset, and which models learned from them, while the datasets still have them."""
        aliases, certificate = given_ids(self.workspace, self.subjects), self.certificate
        for name, versions_held in affected.items():
            first = first_events(versions_held, self.subjects)
            certificate = certificate.with_customers(self.workspace, (aliases[customer] for customer in first))
            for bundle in list_bundles(self.workspace, name):
                if learned := count_learned(bundle, first):
                    certificate = certificate.with_model(bundle, customers=learned)
        self.save(certificate)

    def erase_from_places(self, affected: Mapping[str, Sequence[Dataset]]) -> None:
        """Erase them from everything but the datasets."""
        workspace, subjects = self.workspace, self.subjects
        limit = list(affected) if self.certificate.dataset else None
        folders = [path.name for path in sorted(workspace.datasets.glob("*")) if path.is_dir()]
        for name in folders if limit is None else limit:  # also what is left of a deleted dataset
            removed = remove_made_again(workspace, name, subjects, is_held=bool(affected.get(name)))
            self.save(self.certificate.with_removed(removed))
        self.save(self.certificate.with_removed({"uploads": remove_uploads(workspace)}))
        self.save(self.certificate.with_removed({"jobs": remove_jobs(workspace, subjects)}))
        self.save(self.certificate.with_removed({"card_keys": forget_cards(workspace, subjects.ids)}))
        exports = [subjects.matcher.redacted(name) for name in remove_exports(workspace, subjects, limit)]
        self.save(replace(self.certificate, exports=[*self.certificate.exports, *exports]))
        for bundle in list_bundles(workspace):
            if limit is None or bundle.record.dataset.name in limit:
                with suppress(Refused):  # a damaged one is named at the end as what remains
                    rows = erase_from_bundle(workspace, bundle, subjects)
                    if rows is not None:
                        self.save(self.certificate.with_model(bundle, holdout_rows=rows))
        self.save(self.certificate.with_files(erase_from_others(workspace, subjects, limit, self.source)))

    def finish(self) -> None:
        """Search every file that is left, complete the certificate, and remove the file that names the customers."""
        remains, unsure = search_workspace(self.workspace, self.subjects, self.certificate.dataset, self.source)
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        self.save(replace(self.certificate, finished=finished, remains=remains, unsure=unsure))
        done, count = self.certificate, sum(self.certificate.customers.values())
        audit.note(self.workspace, "erase", dataset=done.dataset, customers=count, certificate=done.id, outcome="done")
        if self.source is not None and self.source.resolve().is_relative_to(self.workspace.root.resolve()):
            self.source.unlink(missing_ok=True)


def check_no_jobs(workspace: Workspace) -> None:
    """Refuse while a job works in the workspace, and name it; whatever else runs is kept out by its lock.

    Raises:
        Refused: there is such a job.
    """
    for job in jobs.jobs(workspace):
        status = job.status()
        if status.runs_elsewhere:
            raise Refused("workspace_busy", command=status.command, job=job.id)


def remove_unfinished(workspace: Workspace) -> None:
    """Remove leftovers of killed runs; no run may be active in the workspace."""
    sweep_killed(workspace)
    for path in [path for pattern in UNFINISHED_FILES for path in workspace.root.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def remove_made_again(workspace: Workspace, name: str, subjects: DataSubjects, *, is_held: bool) -> dict[str, int]:
    """Remove what can be made again from a dataset; return how many of each kind.

    Args:
        workspace: whose.
        name: the dataset; its folder need not hold a version any more.
        subjects: the customers.
        is_held: whether a version holds one of them: then all of it is removed, else what names one of them.
    """
    rewritten = set(_saved_scores(workspace, name))
    made = [
        artifact
        for artifact in artifacts(workspace, name)
        if artifact.kind in MADE_AGAIN and artifact.path not in rewritten
    ]
    counts = dict.fromkeys((*MADE_AGAIN.values(), "states"), 0) if is_held else {}
    for artifact in made:
        if is_held or subjects.in_path(Path(artifact.path.name)) or _any_named(artifact.path, subjects):
            remove(artifact.path)
            counts[MADE_AGAIN[artifact.kind]] = counts.get(MADE_AGAIN[artifact.kind], 0) + 1
    relations = workspace.place("datasets", name, RELATIONS)
    if is_held or _any_named(relations, subjects):
        shutil.rmtree(relations, ignore_errors=True)
    for path in made_without(workspace, name) if is_held else ():
        remove(path)
    for path in states_of(workspace, name) if is_held else ():
        remove(path)
        counts["states"] += 1
    return counts


def remove_uploads(workspace: Workspace) -> int:
    """Remove uploaded files and their copies; return how many folders held any."""
    uploads = [path for path in workspace.place(UPLOADS).glob("*") if path.is_dir()]
    filled = [path for path in uploads if any(file.name != LOCK_FILE for file in files_below(path))]
    for path in uploads:
        shutil.rmtree(path, ignore_errors=True)
    return len(filled)


def remove_jobs(workspace: Workspace, subjects: DataSubjects) -> int:
    """Remove the records of runs for a customer, or that name one in a file; return how many."""
    count = 0
    for job in jobs.jobs(workspace):
        is_own = job.status().pid == os.getpid()
        if not is_own and (_was_run_for(job, subjects) or _any_named(job.folder, subjects)):
            remove(job.folder)
            count += 1
    return count


def remove_exports(workspace: Workspace, subjects: DataSubjects, datasets: Collection[str] | None) -> list[str]:
    """Remove exported lists that name a customer or hold her contacts, with their side files; return their names.

    Args:
        workspace: whose.
        subjects: the customers.
        datasets: whose lists; None for all.
    """
    lists = (path for path in sorted(workspace.place("exports").rglob("*")) if path.is_file() and path.name != LOG)
    if datasets is not None:
        exported = (
            path for name in datasets for path in exported_files(workspace, name, known_versions(workspace, name))
        )
        selected_paths = {path.absolute() for path in exported}
        lists = (path for path in lists if path.absolute() in selected_paths)
    removed = []
    for path in lists:
        if search(path, subjects, any_column=True).named:
            path.unlink()
            path.with_name(f"{path.name}.json").unlink(missing_ok=True)
            removed.append(path.name)
    return removed


def erase_from_others(
    workspace: Workspace, subjects: DataSubjects, datasets: Collection[str] | None, source: Path | None
) -> dict[str, int]:
    """Erase customers from the files that are rewritten; return how many rows, records or texts by file.

    Args:
        workspace: whose.
        subjects: the customers.
        datasets: whose files; None for all files of the workspace.
        source: the file that names the customers, which a run that continues this one reads again.
    """
    files = files_below(workspace.root)
    if datasets is not None:
        made = (artifact for name in datasets for artifact in artifacts(workspace, name))
        folders = [artifact.path for artifact in made if artifact.kind == ArtifactKind.BACKTEST]
        folders += [workspace.place("datasets", name, part) for name in datasets for part in (SEGMENTS, CAMPAIGNS)]
        folders += [path for name in datasets for path in _saved_scores(workspace, name)]
        files = (path for folder in folders for path in files_below(folder))
    skipped_folders = ("jobs", "uploads", "exports", SCRATCH)
    skipped = {workspace.place(name) for name in skipped_folders} | {
        bundle.folder for bundle in list_bundles(workspace)
    }
    skipped |= {version.folder for dataset in list_datasets(workspace) for version in versions(workspace, dataset.name)}
    counts = {}
    for path in files:
        relative = str(path.relative_to(workspace.root))
        is_log = path == workspace.place("exports", LOG)
        unchanged = (
            path.suffix in IN_USE or relative.startswith(HASHES) or path.resolve() == (source and source.resolve())
        )
        if not unchanged and (is_log or skipped.isdisjoint(path.parents)):
            counts[relative] = erase_from(path, subjects)
    return {path: count for path, count in counts.items() if count}


def search_workspace(
    workspace: Workspace, subjects: DataSubjects, dataset: str = "", source: Path | None = None
) -> tuple[list[Remains], list[Unsure]]:
    """Search the files of a workspace, and those exported from it, for customers.

    Args:
        workspace: the workspace.
        subjects: the customers.
        dataset: if one, only its files, all datasets, all models and exported files elsewhere are searched.
        source: the file that the ids were read from, which is left out.

    Returns:
        What names a customer, of the kinds :data:`REMAINS`; and texts in which short ids are words that may mean
        something else.
    """
    names = [version.name for version in list_datasets(workspace)]
    logs = {version.folder: name for name in names for version in versions(workspace, name)}
    models = {bundle.folder: bundle.id for bundle in list_bundles(workspace)}
    own_jobs = {job.folder for job in jobs.jobs(workspace) if job.status().pid == os.getpid()}
    folders = [*logs, *models, workspace.place("datasets", dataset)] if dataset else [workspace.root]
    remains: list[tuple[str, str]] = []
    unsure: list[Unsure] = []

    def note(hits: FileHits, file: str, kind: str, name: str) -> None:
        if hits.named:
            remains.append((kind, name))
            return
        for column, (cells, ids) in hits.unsure.items():
            unsure.append(Unsure(file, column, cells, len(ids)))

    for path in _files_to_search(workspace, folders, source):
        relative, home = path.relative_to(workspace.root), path.parent
        is_export = relative.parts[0] == "exports" and path.name != LOG
        hits = search(path, subjects, any_column=is_export, matcher=subjects.matcher if home in logs else None)
        if subjects.in_path(relative):
            hits = FileHits(True)
        elif holds_hashes(relative) or not own_jobs.isdisjoint(path.parents):
            hits = FileHits(hits.named)
        if home in logs:
            note(hits, str(relative), "dataset", logs[home])
        elif home in models:
            note(hits, str(relative), "model", f"{models[home]}/{path.name}")
        else:
            note(hits, str(relative), "file", str(relative))
    for path in held_elsewhere(workspace):
        note(FileHits(True), "", "process", str(path.relative_to(workspace.root)))
    for path in exported_elsewhere(workspace):
        note(search(path, subjects, any_column=True), str(path), "export", str(path))
    ordered = sorted(dict.fromkeys(remains), key=lambda pair: REMAINS.index(pair[0]))
    return [Remains(kind, name) for kind, name in ordered], unsure


def _files_to_search(workspace: Workspace, folders: Iterable[Path], source: Path | None) -> Iterator[Path]:
    """Yield the files below some folders, those that versions share once; without ``source`` and running processes'."""
    scratch, searched = workspace.place(SCRATCH), set()
    for path in dict.fromkeys(path for folder in folders for path in files_below(folder)):
        if path.is_file() and scratch not in path.parents and path.resolve() != (source and source.resolve()):
            file = (path.stat().st_dev, path.stat().st_ino)
            if file not in searched:
                searched.add(file)
                yield path


def holds_hashes(path: Path) -> bool:
    """Return whether a file, relative to the workspace, holds hashes and counts: a word in it is no short id."""
    certificate = path.parts[0] == CERTIFICATES and path.suffix in (".json", ".md")
    return certificate or str(path).startswith(HASHES)


def files_below(path: Path) -> Iterator[Path]:
    """Yield the files of a folder and its folders, by name, or the file itself."""
    yield from (file for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file())


def exported_elsewhere(workspace: Workspace) -> list[Path]:
    """Return the files that were exported to places outside the workspace and are still there."""
    exported = (path for entry in reversed(export_log(workspace)) for path in entry.paths)
    return [path for path in dict.fromkeys(exported) if path.is_file() and not path.is_relative_to(workspace.root)]


def _saved_scores(workspace: Workspace, name: str) -> list[Path]:
    """Return a dataset's scores on each model's own terms, which a service reads and outcomes are compared with."""
    models = {artifact.model for artifact in artifacts(workspace, name)}
    return [path for model in sorted(models - {""}) for _, path in saved_score_files(workspace, model, name)]


def _any_named(path: Path, subjects: DataSubjects) -> bool:
    return any(search(file, subjects).named for file in files_below(path))


def _was_run_for(job: jobs.Job, subjects: DataSubjects) -> bool:
    """Return whether a run's command has one of the ids as ``--customer``, of any length."""
    words = job.status().args
    given = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "--customer"]
    given += [word.removeprefix("--customer=") for word in words if word.startswith("--customer=")]
    return any(map(subjects.names, given))
