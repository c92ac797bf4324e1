"""Erases customers from a workspace, in an order in which a killed run can be repeated, and proves it by a search."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clv_core import audit, jobs
from clv_core.collection.privacy import DATASET
from clv_core.collection.privacy.erased_customers import erased_customers
from clv_core.collection.store import Dataset, list_datasets, open_dataset, versions
from clv_core.deployment import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.erasure import places
from clv_core.erasure.certificate import Certificate, Remains, Unsure, begin, save
from clv_core.erasure.data_subjects import DataSubjects, find_data_subjects, given_ids
from clv_core.erasure.file_erasure import FileHits, search
from clv_core.erasure.version_erasure import (
    count_learned,
    erase_from_bundle,
    first_events,
    rewrite_dataset,
    versions_holding,
)
from clv_core.errors import Refused
from clv_core.jobs import Progress
from clv_core.locks import exclusive_lock
from clv_core.scratch import FOLDER as SCRATCH
from clv_core.scratch import held_elsewhere
from clv_core.strategy.audiences import LOG
from clv_core.workspace import Workspace

REMAINS: Final = ("dataset", "model", "file", "process", "export")
"""Kinds of what still names a customer, in the order in which a certificate lists them."""


def erase(
    workspace: Workspace, ids: Iterable[str], *, dataset: str = "", source: Path | None = None, progress: Progress
) -> Certificate:
    """Erase customers for good and return the certificate.

    The ids go into the ledger first, so that no file brings them back; then everything that was made from the datasets
    is removed or rewritten (:mod:`~clv_core.erasure.places`), then the models' files, the datasets last. A run that was
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
    places.check_no_jobs(workspace)
    with exclusive_lock(workspace):
        names = [open_dataset(workspace, dataset).name] if dataset else [one.name for one in list_datasets(workspace)]
        progress.report("erasing_find", 0, 1)
        if workspace.place("models").is_dir():
            Registry(workspace)  # finishes or undoes what a killed run left of a bundle
        places.remove_unfinished(workspace)
        subjects = find_data_subjects(workspace, ids, [one for name in names for one in versions(workspace, name)])
        run = _Erasure(workspace, subjects, begin(workspace, subjects.given, dataset), source)
        mark = {DATASET: dataset, "certificate": run.certificate.id}
        erased_customers(workspace).add(subjects.given, **mark)
        held = {name: versions_holding(workspace, name, subjects) for name in names}
        run.note_learned(held)
        progress.report("erasing_files", 0, 1)
        run.erase_from_places(held)
        for place, name in enumerate(names):
            progress.report("erasing_datasets", place, len(names))
            run.save(run.certificate.with_dataset(rewrite_dataset(workspace, name, held[name], subjects, progress)))
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

    def note_learned(self, held: Mapping[str, Sequence[Dataset]]) -> None:
        """Note who is in any dataset, and which models learned from them, while the datasets still have them."""
        aliases, certificate = given_ids(self.workspace, self.subjects), self.certificate
        for name, versions_held in held.items():
            first = first_events(versions_held, self.subjects)
            certificate = certificate.with_customers(self.workspace, (aliases[customer] for customer in first))
            for bundle in list_bundles(self.workspace, name):
                if learned := count_learned(bundle, first):
                    certificate = certificate.with_model(bundle, customers=learned)
        self.save(certificate)

    def erase_from_places(self, held: Mapping[str, Sequence[Dataset]]) -> None:
        """Erase them from everything but the datasets (:mod:`~clv_core.erasure.places`)."""
        workspace, subjects = self.workspace, self.subjects
        limit = list(held) if self.certificate.dataset else None
        folders = [path.name for path in sorted(workspace.datasets.glob("*")) if path.is_dir()]
        for name in folders if limit is None else limit:  # also what is left of a deleted dataset
            removed = places.remove_made_again(workspace, name, subjects, is_held=bool(held.get(name)))
            self.save(self.certificate.with_removed(removed))
        self.save(self.certificate.with_removed({"uploads": places.remove_uploads(workspace)}))
        self.save(self.certificate.with_removed({"jobs": places.remove_jobs(workspace, subjects)}))
        exports = [subjects.matcher.redacted(name) for name in places.remove_exports(workspace, subjects, limit)]
        self.save(replace(self.certificate, exports=[*self.certificate.exports, *exports]))
        for bundle in list_bundles(workspace):
            if limit is None or bundle.record.dataset.name in limit:
                with suppress(Refused):  # a damaged one is named at the end as what remains
                    rows = erase_from_bundle(workspace, bundle, subjects)
                    if rows is not None:
                        self.save(self.certificate.with_model(bundle, holdout_rows=rows))
        self.save(self.certificate.with_files(places.erase_from_others(workspace, subjects, limit, self.source)))

    def finish(self) -> None:
        """Search every file that is left, complete the certificate, and remove the file that names the customers."""
        remains, unsure = search_workspace(self.workspace, self.subjects, self.certificate.dataset, self.source)
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        self.save(replace(self.certificate, finished=finished, remains=remains, unsure=unsure))
        done, count = self.certificate, sum(self.certificate.customers.values())
        audit.note(self.workspace, "erase", dataset=done.dataset, customers=count, certificate=done.id, outcome="done")
        if self.source is not None and self.source.resolve().is_relative_to(self.workspace.root.resolve()):
            self.source.unlink(missing_ok=True)


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
    names = [one.name for one in list_datasets(workspace)]
    logs = {one.folder: name for name in names for one in versions(workspace, name)}
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
        own, home = path.relative_to(workspace.root), path.parent
        is_export = own.parts[0] == "exports" and path.name != LOG
        hits = search(path, subjects, any_column=is_export, matcher=subjects.matcher if home in logs else None)
        if subjects.in_path(own):
            hits = FileHits(True)
        elif places.holds_hashes(own) or not own_jobs.isdisjoint(path.parents):
            hits = FileHits(hits.named)
        if home in logs:
            note(hits, str(own), "dataset", logs[home])
        elif home in models:
            note(hits, str(own), "model", f"{models[home]}/{path.name}")
        else:
            note(hits, str(own), "file", str(own))
    for path in held_elsewhere(workspace):
        note(FileHits(True), "", "process", str(path.relative_to(workspace.root)))
    for path in places.exported_elsewhere(workspace):
        note(search(path, subjects, any_column=True), str(path), "export", str(path))
    ordered = sorted(dict.fromkeys(remains), key=lambda one: REMAINS.index(one[0]))
    return [Remains(kind, name) for kind, name in ordered], unsure


def _files_to_search(workspace: Workspace, folders: Iterable[Path], source: Path | None) -> Iterator[Path]:
    """Yield the files below some folders, those that versions share once; without ``source`` and running processes'."""
    scratch, searched = workspace.place(SCRATCH), set()
    for path in dict.fromkeys(path for folder in folders for path in places.files_below(folder)):
        if path.is_file() and scratch not in path.parents and path.resolve() != (source and source.resolve()):
            file = (path.stat().st_dev, path.stat().st_ino)
            if file not in searched:
                searched.add(file)
                yield path
