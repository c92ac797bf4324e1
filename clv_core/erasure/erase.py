"""Customers erased from a workspace, in an order that a killed run can be run again from."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clv_core import audit
from clv_core.collection.privacy.erased_customers import DATASET, erased
from clv_core.collection.stored.store import list_datasets, open_dataset, versions
from clv_core.collection.values.id_texts import unified
from clv_core.collection.values.pseudonyms import load_key, pseudonym
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.erasure import certificate as certificates
from clv_core.erasure import places
from clv_core.erasure.bundle_erasure import clean_bundle, sound_bundles, trained_with
from clv_core.erasure.certificate import Certificate
from clv_core.erasure.data_subjects import DataSubjects, wanted
from clv_core.erasure.dataset_erasure import Rewritten, first_events, holding, rewrite
from clv_core.erasure.dataset_erasure import unsure as unsure_cells
from clv_core.erasure.file_erasure import holds
from clv_core.errors import Refused
from clv_core.jobs import Progress
from clv_core.locks import alone
from clv_core.workspace import Workspace, read_json


def erase(
    workspace: Workspace, ids: Iterable[str], *, dataset: str = "", source: Path | None = None, progress: Progress
) -> Certificate:
    """Erase customers, for good, and return the certificate of it.

    The ids go into the ledger first, so that no file brings them back. Then what is made from the datasets goes, then
    the models' files, the datasets last: a run that was cut off is finished by the next one with the same ids, and the
    certificate tells of both. At the end everything is looked through once more.

    Args:
        workspace: where.
        ids: customers, as their files called them; in a pseudonymised dataset their pseudonyms are found too.
        dataset: the only dataset that is looked through, with what is of it; "" for all.
        source: the file that the ids were read from; where it lies in the workspace it goes too, for it names them,
            and last, for a run that was cut off is finished from it.
        progress: who listens.

    Raises:
        UsageError: no id.
        NotFound: there is no such dataset.
        Refused: something else runs in the workspace, or the key of a dataset's pseudonyms is not there.
    """
    places.check_free(workspace)
    with alone(workspace):
        return _erased(workspace, ids, dataset, source, progress)


def _erased(
    workspace: Workspace, ids: Iterable[str], dataset: str, source: Path | None, progress: Progress
) -> Certificate:
    names = [open_dataset(workspace, dataset).name] if dataset else [one.name for one in list_datasets(workspace)]
    progress.report("erasing_find", 0, 1)
    sound_bundles(workspace)
    places.clear_halves(workspace)
    everywhere = [one for name in names for one in versions(workspace, name)]
    people = wanted(workspace, ids, everywhere)
    told = _begun(workspace, people, dataset)
    erased(workspace).add(people.given, **{DATASET: dataset, "certificate": told.id})
    told = _found(workspace, told, people, names)
    certificates.save(workspace, told)
    progress.report("erasing_files", 0, 1)
    told = _outside(workspace, told, people, names, source)
    certificates.save(workspace, told)
    for place, name in enumerate(names):
        progress.report("erasing_datasets", place, len(names))
        done = rewrite(workspace, name, people, progress)
        if done is not None:
            told = _add_dataset(told, done)
            certificates.save(workspace, told)
    progress.report("erasing_check", 0, 1)
    remains = _remaining(workspace, people, source, whole=not dataset)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    unsure = [one for name in _alive(workspace) for one in unsure_cells(workspace, name, people)]
    unsure += places.unsure(workspace, people, source, whole=not dataset)
    told = replace(told, finished=finished, remains=remains, unsure=[dataclasses.asdict(one) for one in unsure])
    certificates.save(workspace, told)
    known = sum(told.customers.values())
    audit.note(workspace, "erase", dataset=dataset, customers=known, certificate=told.id, outcome="done")
    if source is not None and source.resolve().is_relative_to(workspace.root.resolve()):
        source.unlink(missing_ok=True)
    progress.report("erasing_check", 1, 1)
    return told


def _begun(workspace: Workspace, people: DataSubjects, dataset: str) -> Certificate:
    """Return the certificate of the same request that was cut off, or a new one."""
    names = "\n".join([dataset, *sorted(people.given)])
    identity = hmac.new(load_key(workspace), f"request\n{names}".encode(), hashlib.sha256).hexdigest()[:12]
    path = workspace.root / certificates.FOLDER / f"{identity}.json"
    if path.exists() and not (found := Certificate(**read_json(path))).finished:
        return found
    now = datetime.now(UTC)
    identity = identity if not path.exists() else f"{identity}-{now:%Y%m%d%H%M%S}"
    salt = secrets.token_hex(16)
    hashes = {certificates.salted(workspace, salt, customer): False for customer in people.given}
    begun = now.isoformat(timespec="seconds")
    return Certificate(identity, salt, begun, who=audit.actor(), dataset=dataset, customers=hashes)


def _found(workspace: Workspace, told: Certificate, people: DataSubjects, names: list[str]) -> Certificate:
    """Say who is in any dataset, and which models learned from them, while it can still be known."""
    aliases = _aliases(workspace, people)
    customers, models = dict(told.customers), {one["model"]: one for one in told.models}
    for name in names:
        first = first_events(holding(workspace, name, people), people)
        for customer in first:
            customers[certificates.salted(workspace, told.salt, aliases[customer])] = True
        for bundle in list_bundles(workspace, name):
            learned = trained_with(bundle, first)
            if learned:
                _model(models, bundle)["customers"] = max(learned, _model(models, bundle)["customers"])
    return replace(told, customers=customers, models=list(models.values()))


def _outside(
    workspace: Workspace, told: Certificate, people: DataSubjects, names: list[str], source: Path | None
) -> Certificate:
    """Take the customers out of everything but the datasets; the certificate is kept after each step."""
    limit = names if told.dataset else None

    def keep(**changes: Any) -> None:
        nonlocal told
        told = replace(told, **changes)
        certificates.save(workspace, told)

    def count(**numbers: int) -> None:
        keep(removed={**told.removed, **{kind: told.removed.get(kind, 0) + n for kind, n in numbers.items()}})

    for name in names:
        if holding(workspace, name, people):
            count(**places.remove_made(workspace, name))
    count(uploads=places.clear_uploads(workspace))
    count(jobs=places.clear_records(workspace, people))
    keep(exports=[*told.exports, *places.clear_exports(workspace, people, limit)])
    for bundle in _bundles(workspace, limit):
        with suppress(Refused):  # a damaged one is named at the end as what remains
            cleaned = clean_bundle(workspace, bundle, people)
            if cleaned is not None:
                models = {one["model"]: one for one in told.models}
                _model(models, bundle)["holdout_rows"] += cleaned.rows
                keep(models=list(models.values()))
    taken = places.clean_others(workspace, people, limit, source)
    keep(files={**told.files, **{path: told.files.get(path, 0) + n for path, n in taken.items()}})
    return told


def _remaining(workspace: Workspace, people: DataSubjects, source: Path | None, *, whole: bool) -> list[dict[str, str]]:
    """Look through everything once more and name what still holds a customer."""
    left = [{"kind": "dataset", "name": name} for name in _alive(workspace) if holding(workspace, name, people)]
    for bundle in _bundles(workspace, None):
        files = [path for path in sorted(bundle.folder.iterdir()) if path.suffix not in places.NO_TEXT]
        left += [{"kind": "model", "name": f"{bundle.id}/{path.name}"} for path in files if holds(path, people)]
    if whole:
        found = (path for path in places.others(workspace, source) if holds(path, people))
        left += [{"kind": "file", "name": str(path.relative_to(workspace.root))} for path in found]
    left += [{"kind": "process", "name": name} for name in places.of_processes(workspace)]
    return left + [{"kind": "export", "name": path} for path in dict.fromkeys(places.elsewhere(workspace, people))]


def _alive(workspace: Workspace) -> list[str]:
    return [one.name for one in list_datasets(workspace)]


def _bundles(workspace: Workspace, names: list[str] | None) -> list[Bundle]:
    found = list_bundles(workspace)
    return found if names is None else [one for one in found if one.record["dataset"]["name"] in names]


def _aliases(workspace: Workspace, people: DataSubjects) -> dict[str, str]:
    """Return the id as given by every name that a dataset may know a customer by."""
    found = {customer: customer for customer in people.given}
    if len(people.ids) > len(found):
        key = load_key(workspace)
        found |= {pseudonym(key, unified(customer)): customer for customer in people.given}
        found |= {pseudonym(key, customer): customer for customer in people.given}
    return found


def _model(models: dict[str, dict[str, Any]], bundle: Bundle) -> dict[str, Any]:
    name = str(bundle.record["dataset"]["name"])
    empty = {"model": bundle.id, "dataset": name, "customers": 0, "holdout_rows": 0}
    return models.setdefault(bundle.id, dict(empty))


def _add_dataset(told: Certificate, done: Rewritten) -> Certificate:
    """Return the certificate with a dataset added, or put together with what a killed run did of it."""
    new = {**dataclasses.asdict(done), "destroyed": list(done.destroyed)}
    earlier = next((one for one in told.datasets if one["name"] == done.name), None)
    if earlier is not None:
        new |= {key: earlier[key] + new[key] for key in ("destroyed", "events", "aside", "people")}
    return replace(told, datasets=[*(one for one in told.datasets if one["name"] != done.name), new])
