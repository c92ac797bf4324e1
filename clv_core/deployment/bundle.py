"""A bundle: one trained model in one folder, safetensors and JSON only.

bundle.json          the record: dataset, cutoff, horizon, config, metrics, trust, cost, checksums, with a seal
state.json           what the model needs besides its weights (encoders, vocabularies)
weights.safetensors  the weights
history.json         losses by seed and step
holdout.parquet      predictions of the model and the baselines at the holdout origin, with actual values
reference.json, reference.parquet   statistics of the data before the cutoff, for monitoring; no single customer
population.json      of an export from Python: what predictions share over all customers of the log

The folder is named by its content: the same data, settings, code and weights are the same folder. Every file is
checked against its checksum when it is read, and the checked bytes are the ones that are used. The record's own seal
is the SHA-256 of its file with the seal itself read as zeros, and the last value of the file, so that a change of any
byte is noticed. It detects damage; it does not authenticate the author.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from clv_core.collection.store import names_to_follow
from clv_core.deployment.model_record import FORMAT, ModelRecord
from clv_core.errors import NotFound, Refused
from clv_core.locks import running
from clv_core.workspace import Workspace, sync_all, write_text

if TYPE_CHECKING:
    from clv_core.training import Fitted, Model

WEIGHTS: Final = "weights.safetensors"
STATE: Final = "state.json"
HISTORY: Final = "history.json"
HOLDOUT: Final = "holdout.parquet"
MODEL_FILES: Final = (STATE, WEIGHTS)
"""What the model is loaded from; the content address is made of them."""
REFERENCE: Final = ("reference.json", "reference.parquet")
POPULATION: Final = "population.json"
FILES: Final = (*MODEL_FILES, HISTORY, HOLDOUT, *REFERENCE, POPULATION)
LEAVING: Final = ".leaving-"
"""Prefix of folders that are being removed."""
STAGING: Final = ".staging-"
"""Prefix of folders that are being written."""


@dataclass(frozen=True)
class Bundle:
    """One trained model on disk.

    Args:
        folder: the bundle's folder.
        record: the content of ``bundle.json``.
    """

    folder: Path
    record: ModelRecord

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def untrained(self) -> bool:
        """Whether it is the pre-trained network, which has not learned from the log (:mod:`.zero_shot`)."""
        return self.record.untrained

    @cached_property
    def model(self) -> Model:
        """The model, loaded from bytes that passed their checksums.

        Raises:
            Refused: a file is missing or was changed, or is of a version with other networks.
        """
        from safetensors.numpy import load

        from clv_core.training import MODELS

        tensors, state = load(self.read(WEIGHTS)), json.loads(self.read(STATE))
        try:
            return MODELS[self.record.model].load(tensors, state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise Refused("bundle_of_other_version", model=self.id, created=self.record.created[:10]) from error

    def read(self, name: str) -> bytes:
        """Return the content of a file that passes its checksum.

        Raises:
            Refused: it is missing or was changed.
        """
        path, expected = self.folder / name, self.record.checksums.get(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Refused("bundle_damaged", model=self.id, file=name) from error
        if hashlib.sha256(content).hexdigest() != expected:
            raise Refused("bundle_damaged", model=self.id, file=name)
        return content

    def check(self) -> None:
        """Check every file against its checksum.

        Hidden files are ignored: file systems, desktops and killed runs leave them (``.nfs...``, ``.DS_Store``).

        Raises:
            Refused: a file is missing, was changed, or belongs to no bundle.
        """
        names: set[str] = set()
        with suppress(OSError):  # it may be deleted at this moment
            names = set(os.listdir(self.folder))
        for name in sorted(names - {RECORD} - set(self.record.checksums)):
            if not name.startswith("."):
                raise Refused("bundle_damaged", model=self.id, file=name)
        for name in {*MODEL_FILES, *self.record.checksums}:
            self.read(name)

    def holdout(self, model: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame | None:
        """Return the holdout's predictions with ``actual``, or None where there are none.

        Args:
            model: whose; None is all models that were measured.
            columns: which, in their order; None is all.
        """
        if not self.has_holdout:
            return None
        only = None if model is None else [("model", "==", model)]
        return pd.read_parquet(
            io.BytesIO(self.read(HOLDOUT)), columns=None if columns is None else list(columns), filters=only
        )

    @property
    def has_holdout(self) -> bool:
        """Whether it has the holdout's predictions: not where the log was too short, or an import came without."""
        return HOLDOUT in self.record.checksums

    def history(self) -> list[dict[str, float]]:
        """Return the losses of the final fit."""
        history: list[dict[str, float]] = json.loads(self.read(HISTORY))
        return history


def save_bundle(
    workspace: Workspace,
    stem: str,
    fitted: Fitted,
    record: ModelRecord,
    holdout: pd.DataFrame | None,
    write_reference: Callable[[Path], None] | None = None,
) -> Bundle:
    """Write a bundle atomically; an existing one of the same content stays.

    Args:
        workspace: where.
        stem: start of its name; the rest is its content address.
        fitted: the model.
        record: of the model.
        holdout: predictions of the holdout with ``actual``, or None where there was none.
        write_reference: writes the files of :data:`REFERENCE` into a folder; None where there is no reference.
    """
    from safetensors.numpy import save_file

    tensors, state = fitted.model.state()
    with staging(workspace) as folder:
        save_file(tensors, folder / WEIGHTS)
        _write(folder / STATE, state)
        _write(folder / HISTORY, fitted.history)
        if holdout is not None:
            holdout.to_parquet(folder / HOLDOUT, index=False)
        if write_reference is not None:
            write_reference(folder)
        return place(workspace, folder, stem, record)


@contextmanager
def staging(workspace: Workspace) -> Iterator[Path]:
    """Yield a new folder to write a bundle into; it is removed unless it was placed."""
    folder = workspace.models / f"{STAGING}{uuid.uuid4().hex}"
    with running(workspace):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def place(workspace: Workspace, folder: Path, stem: str, record: ModelRecord) -> Bundle:
    """Seal the files of a staging folder and give it its name, in one move."""
    record = with_checksums(folder, record)
    write_record(folder, record)
    sync_all(folder)
    target = workspace.models / f"{stem}-{record.digest[:12]}"
    while not _move(folder, target):
        try:
            existing = Bundle(target, read_record(target))
            existing.check()
            return existing
        except Refused:
            _clear(target)
    return Bundle(target, read_record(target))


def with_checksums(folder: Path, record: ModelRecord) -> ModelRecord:
    """Return a record with the checksums of the files in ``folder``, and its content address."""
    sums = {name: checksum(folder / name) for name in FILES if (folder / name).is_file()}
    return replace(record, checksums=sums, digest=record.address({name: sums[name] for name in MODEL_FILES}))


def open_bundle(workspace: Workspace, model_id: str) -> Bundle:
    """Return the bundle ``model_id``.

    Raises:
        NotFound: there is none of that name.
        Refused: its record is damaged.
    """
    folder = workspace.place("models") / model_id
    if Path(model_id).name != model_id or model_id.startswith(".") or not (folder / RECORD).is_file():
        ids = ", ".join(bundle.id for bundle in list_bundles(workspace)) or "-"
        raise NotFound("no_model", model=model_id, known=ids)
    return _open(folder, names_to_follow(workspace))


def list_bundles(workspace: Workspace, dataset: str | None = None) -> list[Bundle]:
    """Return all bundles whose record is sound, the newest first, optionally of one dataset."""
    moved = names_to_follow(workspace)
    bundles = []
    for path in workspace.place("models").glob(f"*/{RECORD}"):
        if not path.parent.name.startswith("."):
            try:
                bundles.append(_open(path.parent, moved))
            except Refused:
                continue
    bundles.sort(key=lambda bundle: bundle.record.created, reverse=True)
    return [bundle for bundle in bundles if dataset is None or bundle.record.dataset.name == dataset]


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(folder: Path, moved: dict[str, str]) -> Bundle:
    """Open a bundle; the dataset that it was trained on may have been renamed."""
    record = read_record(folder)
    name = record.dataset.name
    return Bundle(folder, record.named(moved[name]) if name in moved else record)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def _move(folder: Path, target: Path) -> bool:
    """Move a folder to a free name; return whether it was free."""
    try:
        os.rename(folder, target)
    except OSError:
        if target.exists():
            return False
        raise
    sync_all(target.parent, deep=False)
    return True


def _clear(target: Path) -> None:
    """Remove a damaged bundle."""
    leaving = target.with_name(f"{LEAVING}{target.name}")
    shutil.rmtree(leaving, ignore_errors=True)
    try:
        os.rename(target, leaving)
    except FileNotFoundError:
        return
    shutil.rmtree(leaving, ignore_errors=True)


RECORD: Final = "bundle.json"
_BLANK: Final = "0" * 64
"""In place of the seal while it is computed: as long as a SHA-256 in hexadecimal digits."""
_END: Final = '"\n}'
RACY_NANOSECONDS: Final = 2_000_000_000
"""A file that was written more recently may be written again without another time of change."""


def write_record(folder: Path, record: ModelRecord) -> None:
    """Write the record of the bundle in ``folder`` atomically, sealed anew."""
    write_text(folder / RECORD, sealed(record.to_json()))


def sealed(values: Mapping[str, Any]) -> str:
    """Return the text of a record's JSON with its seal; NaN and infinity are refused by the encoder."""
    fields = {name: value for name, value in values.items() if name not in ("format", "seal")}
    text = json.dumps({**fields, "format": FORMAT, "seal": _BLANK}, ensure_ascii=False, indent=1, allow_nan=False)
    start = len(text) - len(_END) - len(_BLANK)
    return text[:start] + _seal(text) + _END


def read_record(folder: Path) -> ModelRecord:
    """Return the record of the bundle in ``folder``; it may be shared.

    Raises:
        Refused: it is missing, is no record, its bytes do not match its seal, or a later version wrote it.
    """
    path = folder / RECORD
    try:
        stat = path.stat()
        if time.time_ns() - stat.st_mtime_ns < RACY_NANOSECONDS:
            return _read(path)
        return _cached(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused("bundle_damaged", model=folder.name, file=RECORD) from error


@lru_cache(maxsize=256)
def _cached(path: Path, *_version: int) -> ModelRecord:
    """Return a record from memory if the file was not written since: pages list all records each time."""
    return _read(path)


def _read(path: Path) -> ModelRecord:
    text = path.read_bytes().decode("utf-8")
    values = json.loads(text)
    if not isinstance(values, dict) or not intact(text, values):
        raise ValueError("no record with its seal")
    return ModelRecord.from_json(values)


def intact(text: str, values: Mapping[str, Any]) -> bool:
    """Return whether the text of a record matches the seal among its values."""
    start = len(text) - len(_END) - len(_BLANK)
    seal = text[start : -len(_END)]
    blank = text[:start] + _BLANK + text[-len(_END) :]
    return values.get("seal") == seal == _seal(blank) and text.endswith(_END)


def _seal(blank: str) -> str:
    return hashlib.sha256(blank.encode("utf-8")).hexdigest()
