"""Spend tables that are saved with a dataset.

datasets/<name>/spend/<digest of the file's name>.parquet   rows; the accounting is in the file's metadata

They lie in the dataset's folder, next to its versions: they hold for all versions and models, and are renamed or
deleted with the dataset. A file of the same name replaces the one before.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from clv_core.collection.rows import Problem
from clv_core.collection.store import Dataset
from clv_core.errors import Message
from clv_core.strategy.acquisition.spend import Spend
from clv_core.workspace import atomic_path

FOLDER: Final = "spend"
META: Final = b"spend"


def spend_folder(dataset: Dataset) -> Path:
    """Return the folder of a dataset's spend tables, which may be missing."""
    return dataset.folder.parent / FOLDER


def save_spend(dataset: Dataset, spend: Spend) -> None:
    """Save a spend table with a dataset; one of the same file name is replaced.

    Raises:
        Refused: it is in another currency than those that are saved.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    Spend.together([*(one for one in load_spends(dataset) if one.file != spend.file), spend])
    about = {
        "file": spend.file,
        "currency": spend.currency,
        "rows_read": spend.rows_read,
        "recipe": spend.recipe,
        "problems": [asdict(problem) for problem in spend.problems],
        "warnings": [message.coded() for message in spend.warnings],
    }
    table = pa.Table.from_pandas(spend.rows, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), META: json.dumps(about)}
    path = _path(dataset, spend.file)
    path.parent.mkdir(exist_ok=True)
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary)


def load_spends(dataset: Dataset) -> list[Spend]:
    """Return the spend tables of a dataset, by the name of their files."""
    return sorted(map(_load, spend_folder(dataset).glob("*.parquet")), key=lambda spend: spend.file)


def load_spend(dataset: Dataset) -> Spend | None:
    """Return the spend tables of a dataset as one; None where there is none."""
    tables = load_spends(dataset)
    return Spend.together(tables) if tables else None


def spend_mark(dataset: Dataset) -> str:
    """Return what tells one state of a dataset's spend tables from another."""
    return " ".join(
        f"{path.stem}-{path.stat().st_mtime_ns:x}" for path in sorted(spend_folder(dataset).glob("*.parquet"))
    )


def remove_spend(dataset: Dataset, file: str) -> None:
    """Remove the spend table that was in ``file``."""
    _path(dataset, file).unlink(missing_ok=True)


def _path(dataset: Dataset, file: str) -> Path:
    return spend_folder(dataset) / f"{hashlib.sha256(file.encode()).hexdigest()[:16]}.parquet"


def _load(path: Path) -> Spend:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[META])
    problems = [
        Problem(**{**one, "examples": tuple((line, text) for line, text in one["examples"])})
        for one in about.pop("problems")
    ]
    warnings = tuple(Message(**one) for one in about.pop("warnings"))
    rows = table.to_pandas().astype({"start": "datetime64[s]"})  # Parquet has no seconds
    return Spend(rows=rows, problems=tuple(problems), warnings=warnings, **about)
