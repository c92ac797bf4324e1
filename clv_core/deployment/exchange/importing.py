"""Import a bundle from a zip: everything is checked before anything is kept, and nothing in it is ever run."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from clv_core.deployment.bundle import FILES, HISTORY, HOLDOUT, MODEL_FILES, STATE, WEIGHTS, place, staging
from clv_core.deployment.exchange.archive import limit_of, read_archive
from clv_core.deployment.exchange.documents import read_document
from clv_core.deployment.exchange.expectations import check_model
from clv_core.deployment.exchange.fields import Number
from clv_core.deployment.exchange.record import check_record
from clv_core.deployment.exchange.reference import check_reference
from clv_core.deployment.exchange.weights import read_weights
from clv_core.deployment.record import RECORD, digest, intact
from clv_core.deployment.registry import Registry, Version
from clv_core.errors import Refused
from clv_core.workspace import Workspace, check_name

MOST_ROWS: Final = 50_000_000
_BARE: Final = (".json", ".safetensors")


def import_bundle(workspace: Workspace, path: Path, *, name: str | None = None) -> Version:
    """Import a bundle and register it as a version of its dataset's name.

    Args:
        workspace: where it goes.
        path: a zip made by ``models export``.
        name: the dataset that it is for here; None is the name that it was trained under.

    Returns:
        The version; one that is known by its content already is returned as it is.

    Raises:
        Refused: anything of it is not as a bundle is; the error says what, and nothing was kept.
    """
    if path.suffix.lower() in _BARE and path.is_file():
        _refuse_bare(path)
    files = read_archive(path)
    record = check_files(files)
    if name is not None:
        record = {**record, "dataset": {**record["dataset"], "name": check_name(name)}}
    stem = f"{record['dataset']['name']}-{record['model']}-{record['cutoff'].replace('-', '')}"
    with staging(workspace) as folder:
        for file in FILES:
            if file in files:
                (folder / file).write_bytes(files[file])
        bundle = place(workspace, folder, stem, record)
    return Registry(workspace).register(bundle, source="imported")


def check_files(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Check the content of a foreign bundle's files and return its record.

    Raises:
        Refused: something of it is not as it should be.
    """
    record = check_record(read_document(files[RECORD], RECORD), RECORD)
    if not intact(files[RECORD].decode("utf-8"), record):
        raise Refused("import_checksum", member=RECORD)
    held = {file: content for file, content in files.items() if file in FILES}
    if set(record["checksums"]) != set(held):
        different = sorted(set(record["checksums"]) ^ set(held))[0]
        raise Refused("import_missing" if different not in held else "import_checksum", member=different[:80])
    for file, content in held.items():
        if hashlib.sha256(content).hexdigest() != record["checksums"][file]:
            raise Refused("import_checksum", member=file)
    if digest(record, {file: record["checksums"][file] for file in MODEL_FILES}) != record["digest"]:
        raise Refused("import_checksum", member=RECORD)
    tensors, state = read_weights(files[WEIGHTS], WEIGHTS), read_document(files[STATE], STATE)
    check_model(record, tensors, state)
    _check_history(read_document(files[HISTORY], HISTORY))
    if HOLDOUT in files:
        _check_holdout(files[HOLDOUT])
    check_reference(files)
    return record


def _refuse_bare(path: Path) -> None:
    """Say what is wrong with a file that is one part of a bundle at most."""
    if path.stat().st_size > limit_of(path.name):
        raise Refused("import_format", file=path.name)
    if path.suffix.lower() == ".json":
        check_record(read_document(path.read_bytes(), path.name), path.name)
    else:
        read_weights(path.read_bytes(), path.name)
    raise Refused("import_missing", member=RECORD if path.suffix.lower() != ".json" else WEIGHTS)


def _check_history(history: Any) -> None:
    try:
        TypeAdapter(list[dict[str, Number]]).validate_python(history, strict=True)
    except ValidationError as error:
        raise Refused("import_field", member=HISTORY, field="[]") from error


def _check_holdout(content: bytes) -> None:
    """A table of predictions: our columns, of text and numbers, numbers finite."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from clv_core.model.predictions import COLUMNS

    numbers = {*COLUMNS, "actual"} - {"customer_id", "as_of", "model"}
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MOST_ROWS:
            raise ValueError("too many rows")
        schema = file.schema_arrow
        text = {"customer_id", "as_of", "model", "origin"}
        if set(schema.names) != numbers | text or len(schema.names) != len(numbers | text):
            raise ValueError("other columns")
        for field in schema:
            kinds = (pa.types.is_floating, pa.types.is_integer) if field.name in numbers else (_is_text,)
            if not any(is_kind(field.type) for is_kind in kinds):
                raise ValueError("other types")
        for batch in file.iter_batches(columns=sorted(numbers)):
            if any(column.null_count or not np.isfinite(column.to_numpy()).all() for column in batch.columns):
                raise ValueError("no numbers")
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise Refused("import_table", member=HOLDOUT) from error


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
