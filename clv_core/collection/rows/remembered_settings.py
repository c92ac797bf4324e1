"""A person's answers about a file are remembered by the file's shape, and offered again for the next one like it.

One JSON file a shape under ``workspace/mappings/``. A shape is the set of column names, folded
(:func:`~clv_core.collection.vocabulary.column_names.fold`); nothing of a file's rows is kept.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clv_core.collection.answers import SHEET, Answers, named_anew
from clv_core.collection.engine import reading_file
from clv_core.collection.read.encoding import single_byte
from clv_core.collection.read.source import open_source
from clv_core.collection.rows.read_settings import ReadSettings
from clv_core.collection.vocabulary.column_names import fold
from clv_core.errors import NotFound
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, read_json, write_json

FOLDER: Final = "mappings"
TAKEN_OVER: Final = (
    "currency",
    "duplicates",
    "amount_scope",
    "amount_unit",
    "discount",
    "sign",
    "similar_ids",
    "recipe",
)
"""Answers about an earlier file that hold for the next one where it has none."""


def remember(workspace: Workspace, columns: Sequence[str], answers: Answers, read_in: str = "") -> None:
    """Store the answers about a file with these columns, in place of earlier ones.

    Where no answer was needed, that is stored for a new shape, and replaces nothing for an existing one.

    Args:
        workspace: where it is kept.
        columns: the file's column names.
        answers: those given.
        read_in: the encoding that the file was read in.
    """
    path = _path(workspace, columns)
    if answers == Answers(header=answers.header) and path.exists():
        return
    about: JsonObject = {
        "columns": list(columns),
        "answers": replace(answers, encoding="", sheet="").to_json(),
        "encoding": read_in if read_in and single_byte(read_in) else "",
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_json(path, about)


def recall(workspace: Workspace, columns: Sequence[str]) -> Answers | None:
    """Return the answers about the last file of this shape, with this one's column names; None for a new shape.

    An encoding is no part of it: the next file may be in UTF-8, and :func:`recalled` takes it for a setting.
    """
    path = _path(workspace, columns)
    if not path.exists():
        return None
    answers = Answers(**read_json(path)["answers"])
    spelled = {_plain(column): column for column in columns}
    mapping = {
        canonical: column if column in columns else spelled.get(_plain(column), column)
        for canonical, column in answers.mapping.items()
    }
    return replace(answers, mapping=mapping)


def forget(workspace: Workspace, columns: Sequence[str]) -> bool:
    """Forget the answers about files of this shape; return whether there were any."""
    path = _path(workspace, columns)
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def recalled(
    workspace: Workspace, path: Path, answers: Answers, scratch: Path, original: str = "", *, zoned: bool = False
) -> tuple[Answers, ReadSettings]:
    """Return ``answers`` completed by what is remembered of the file's shape, for ``load_with_settings``.

    Date order, decimal mark and encoding are settings only: what the file itself proves comes first. The time zone of
    ``answers`` holds where it was given (``zoned``).

    Raises:
        NotFound: nothing is remembered of this shape.
        Refused: it holds no table.
    """
    columns = _columns(path, scratch / "look", answers, original)
    before = recall(workspace, columns)
    if before is None:
        raise NotFound("nothing_remembered", file=original or path.name, columns=list(columns[:40]))
    usual = str(read_json(_path(workspace, columns)).get("encoding", ""))
    settings = ReadSettings(date_order=before.date_order or "", decimal=before.decimal or "", encoding=usual)
    combined = replace(
        answers,
        mapping=named_anew(before.mapping, answers.mapping),
        timezone=answers.timezone if zoned else before.timezone,
        events={**before.events, **answers.events},
        states={**before.states, **answers.states},
        rows={**before.rows, **answers.rows},
        **{name: getattr(answers, name) or getattr(before, name) for name in TAKEN_OVER},
    )
    return combined, settings


def completed(answers: Answers, settings: ReadSettings) -> Answers:
    """Return the answers of :func:`recalled` with its settings, to be remembered in turn."""
    order, decimal = settings.date_order or None, settings.decimal or None
    return replace(answers, date_order=answers.date_order or order, decimal=answers.decimal or decimal)


def _columns(path: Path, scratch: Path, answers: Answers, original: str) -> tuple[str, ...]:
    scratch.mkdir()
    try:
        with reading_file(original or path.name, scratch) as connection:
            return open_source(connection, path, scratch, answers, original=original).columns
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _path(workspace: Workspace, columns: Sequence[str]) -> Path:
    shape = "\n".join(sorted(_plain(column) for column in columns if column != SHEET))
    return workspace.place(FOLDER) / f"{hashlib.sha256(shape.encode()).hexdigest()[:16]}.json"


def _plain(column: str) -> str:
    return fold(column) or column
