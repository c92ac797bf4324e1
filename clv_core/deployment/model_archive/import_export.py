"""Import a model from a zip, and export one.

Everything is checked before anything is stored, and nothing in the zip is ever executed. An export has no customers but
those of the holdout, where they are requested. A model of the user's own is neither exported nor imported: its code is
not in the file, and a file may not name code.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from clv_core.config import OWN
from clv_core.deployment.bundle import (
    FILES,
    HISTORY,
    HOLDOUT,
    MODEL_FILES,
    POPULATION,
    RECORD,
    STATE,
    WEIGHTS,
    Bundle,
    intact,
    place,
    sealed,
    staging,
)
from clv_core.deployment.model_archive.archive_reader import CARD, max_bytes, read_archive, read_document, read_weights
from clv_core.deployment.model_archive.archive_schemas import check_record
from clv_core.deployment.model_archive.model_checks import (
    check_history,
    check_holdout,
    check_model,
    check_reference,
    read_population,
)
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.population_context import PopulationContext
from clv_core.deployment.registry import Registry, Version
from clv_core.deployment.registry.model_card import model_card
from clv_core.deployment.scoring_warnings import learned_from_objected
from clv_core.errors import Refused, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.workspace import Workspace, atomic_path, check_name

SINGLE_FILES: Final = (".json", ".safetensors")
ENDING: Final = ".zip"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip holds; a fixed one makes the same files the same bytes."""


def import_bundle(
    workspace: Workspace, path: Path, *, name: str | None = None, allow_own_model: bool = False
) -> Version:
    """Import a bundle and register it as a version of its dataset's name.

    Args:
        workspace: where it goes.
        path: a zip made by ``models export``.
        name: the dataset that it is for here; None is the name that it was trained under.
        allow_own_model: whether it may be a model of the user's own, whose class this process can import; never for a
            file from elsewhere.

    Returns:
        The version; where the same content is registered already, that one.

    Raises:
        Refused: a check failed; the error names it, and nothing was stored.
    """
    if path.suffix.lower() in SINGLE_FILES and path.is_file():
        _refuse_single_file(path)
    files = read_archive(path)
    record = check_files(files, allow_own_model=allow_own_model)
    if name is not None:
        record = record.named(check_name(name))
    stem = f"{record.dataset.name}-{record.model}-{record.cutoff:%Y%m%d}"
    with staging(workspace) as folder:
        for file in FILES:
            if file in files:
                (folder / file).write_bytes(files[file])
        bundle = place(workspace, folder, stem, record)
    return Registry(workspace).register(bundle, source="imported")


def check_files(files: Mapping[str, bytes], *, allow_own_model: bool = False) -> ModelRecord:
    """Return the record of an imported bundle whose files all pass their checks.

    Args:
        files: content by name.
        allow_own_model: as in :func:`import_bundle`.

    Raises:
        Refused: a check failed.
    """
    values, state = (read_document(files[member], member) for member in (RECORD, STATE))
    for member, value in ((RECORD, values), (STATE, state)):
        if not allow_own_model and _names_code(value):
            raise Refused("import_own_model", member=member)
    record = check_record(values, RECORD)
    if not intact(files[RECORD].decode("utf-8"), values):
        raise Refused("import_checksum", member=RECORD)
    contents = {file: content for file, content in files.items() if file in FILES}
    if set(record.checksums) != set(contents):
        different = sorted(set(record.checksums) ^ set(contents))[0]
        raise Refused("import_missing" if different not in contents else "import_checksum", member=different[:80])
    for file, content in contents.items():
        if hashlib.sha256(content).hexdigest() != record.checksums[file]:
            raise Refused("import_checksum", member=file)
    if record.address({file: record.checksums[file] for file in MODEL_FILES}) != record.digest:
        raise Refused("import_checksum", member=RECORD)
    check_model(record, read_weights(files[WEIGHTS], WEIGHTS), state)
    check_history(files[HISTORY])
    if HOLDOUT in files:
        check_holdout(files[HOLDOUT])
    check_reference(files)
    if POPULATION in files:
        read_population(files[POPULATION], record)
    return record


def _refuse_single_file(path: Path) -> None:
    """Raise the error of a JSON or safetensors file that is given in place of a zip."""
    if path.stat().st_size > max_bytes(path.name):
        raise Refused("import_format", file=path.name)
    if path.suffix.lower() == ".json":
        check_record(read_document(path.read_bytes(), path.name), path.name)
    else:
        read_weights(path.read_bytes(), path.name)
    raise Refused("import_missing", member=RECORD if path.suffix.lower() != ".json" else WEIGHTS)


def export_bundle(
    workspace: Workspace,
    version: Version,
    out: Path,
    *,
    holdout: bool = False,
    language: str = DEFAULT_LANGUAGE,
    population: PopulationContext | None = None,
) -> list[str]:
    """Write a version, with its model card, to ``out``; the same version gives the same bytes.

    Args:
        workspace: that has it.
        version: all its files are checked first.
        out: a name that ends in ``.zip``.
        holdout: whether to include the holdout's predictions, which name customers and what they spent.
        language: of the model card.
        population: with which the model predicts any customers' events, without the log; None leaves it out.

    Returns:
        The names of the files in it.

    Raises:
        UsageError: the name does not end in ``.zip``.
        Refused: a file of the version is damaged, or it is a model of the user's own, or the holdout may name customers
            who objected to profiling since.
    """
    if out.suffix.lower() != ENDING:
        raise UsageError("export_zip", path=out.name)
    bundle = Registry(workspace).open(version)
    if bundle.record.model == OWN:
        raise Refused("export_own_model", path=bundle.record.train_config.code)
    if holdout and (objected := learned_from_objected(workspace, bundle)):
        raise Refused("holdout_objected", model=bundle.id, customers=objected)
    files = {**_files(bundle, holdout, population), CARD: model_card(version, language).encode("utf-8")}
    with atomic_path(out) as temporary:
        _write(temporary, files)
    return list(files)


def archive_bytes(bundle: Bundle, *, holdout: bool = False, population: PopulationContext | None = None) -> bytes:
    """Return a bundle as the bytes of a zip, for :func:`import_bundle`; a model of the user's own too.

    Args:
        bundle: all its files are checked first.
        holdout: whether to include the holdout's predictions, which name customers and what they spent.
        population: what predictions share over all customers, as in :func:`export_bundle`.

    Raises:
        Refused: a file of the bundle is damaged.
    """
    archive = io.BytesIO()
    _write(archive, _files(bundle, holdout, population))
    return archive.getvalue()


def _write(target: Path | IO[bytes], files: Mapping[str, bytes]) -> None:
    """Write a zip; the same files give the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def _names_code(value: Any) -> bool:
    """Say whether a record or a state, or the settings in it, are of a model of the user's own or name its class."""
    if not isinstance(value, dict):
        return False
    parts = (value.get(name) for name in ("config", "hybrid", "instant_tuned"))
    return value.get("model") == OWN or value.get("code", "") != "" or any(map(_names_code, parts))


def _files(bundle: Bundle, holdout: bool, population: PopulationContext | None) -> dict[str, bytes]:
    files = {name: bundle.read(name) for name in bundle.record.checksums if holdout or name != HOLDOUT}
    if population is not None:
        files[POPULATION] = json.dumps(population.to_json(), allow_nan=False).encode("utf-8")
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    record = sealed(replace(bundle.record, checksums=sums).to_json())
    return {RECORD: record.encode("utf-8"), **files}
