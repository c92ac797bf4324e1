"""How a recipe is read, checked, recognised by a file's columns, and combined with what a person said."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from clv_core.collection.infer.answers import CHOICES, Answers, named_anew
from clv_core.collection.read.derived_columns import operands
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import MEANINGS
from clv_core.columns import READ
from clv_core.errors import NotFound, UsageError

FOLDER: Final = Path(__file__).parent
NONE: Final = "none"
SUFFIX: Final = ".toml"
WORDS: Final = ("date_order", "decimal", "amount_scope", "amount_unit", "discount", "sign", "duplicates")
"""Answers with a few choices; those about broken rows, later files and spellings are no matter of the system."""
KEYS: Final = ("title", "headers", "without", "mapping", "events", "states", "currency", *WORDS)

Names = tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """What is known of one system's export.

    Args:
        name: of its file, without the ending.
        title: what people call the export.
        headers: columns that all have to be there; of each, the names of which one is enough.
        without: columns of which none may be there.
        mapping: canonical name -> names of source columns, of which the first that is there is read; or two of them, as
            :class:`~clv_core.collection.infer.answers.Answers` takes it.
        said: the other answers, by field.
    """

    name: str
    title: str
    headers: tuple[Names, ...]
    without: Names = ()
    mapping: Mapping[str, Names] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)

    def missing(self, columns: Iterable[str]) -> list[str]:
        """Return the columns that a file lacks for it, spelling aside."""
        there = set(map(fold, columns))
        return [names[0] for names in self.headers if not there & set(map(fold, names))]

    def recognises(self, columns: Iterable[str]) -> bool:
        """Say whether a file of these columns is such an export."""
        there = set(columns)
        return not self.missing(there) and not set(map(fold, there)) & set(map(fold, self.without))

    def columns(self, columns: Sequence[str]) -> dict[str, str]:
        """Return canonical -> source column, as a file of these columns spells it; none for what it lacks."""
        spelled = {fold(column): column for column in reversed(columns)}
        found = {}
        for canonical, names in self.mapping.items():
            spellings = (_spelled(name, spelled) for name in names)
            found[canonical] = next((name for name in spellings if name is not None), None)
        return {canonical: column for canonical, column in found.items() if column is not None}


def _spelled(column: str, spelled: Mapping[str, str]) -> str | None:
    """Return a column's name, or that of two, as a file spells it; None where it lacks one."""
    if column == "" or fold(column) in spelled:
        return spelled.get(fold(column), "")
    parts = operands(column)
    if parts is None or not all(fold(part) in spelled for part in (parts[0], parts[2])):
        return None
    return "".join((spelled[fold(parts[0])], parts[1], spelled[fold(parts[2])]))


@cache
def shipped_recipes() -> Mapping[str, Recipe]:
    """Return the recipes of this package by name, in the order of their titles."""
    recipes = sorted((load_recipe(path) for path in FOLDER.glob(f"*{SUFFIX}")), key=lambda recipe: recipe.title)
    return {recipe.name: recipe for recipe in recipes}


def find_recipe(said: str, columns: Sequence[str], file: str) -> Recipe | None:
    """Return the recipe that a file is read by, None where it has none.

    Of several that recognise its columns, it is the one that names most of them.

    Args:
        said: a recipe's name, the path of one, ``none``, or empty: then the columns tell.
        columns: the file's.
        file: what the person calls it.

    Raises:
        NotFound: there is no such recipe.
        UsageError: it is none, or the file lacks columns that it needs.
    """
    if said == NONE:
        return None
    if not said:
        found = [recipe for recipe in shipped_recipes().values() if recipe.recognises(columns)]
        return max(found, key=lambda recipe: len(recipe.headers), default=None)
    recipe = load_recipe(Path(said)) if said.lower().endswith(SUFFIX) else shipped_recipes().get(said)
    if recipe is None:
        raise NotFound("recipe_unknown", recipe=said[:60], known=list(shipped_recipes()))
    if missing := recipe.missing(columns):
        raise UsageError("recipe_headers", recipe=recipe.name, missing=missing, file=file, found=list(columns[:40]))
    return recipe


def completed_answers(answers: Answers, recipe: Recipe | None, columns: Sequence[str]) -> Answers:
    """Return what the person said, and of the rest what the recipe says about a file of these columns."""
    if recipe is None:
        return answers
    more = {name: value for name, value in recipe.said.items() if not getattr(answers, name)}
    words = {name: {**recipe.said.get(name, {}), **getattr(answers, name)} for name in ("events", "states")}
    mapping = named_anew(recipe.columns(columns), answers.mapping)
    return replace(answers, **{**more, **words, "mapping": mapping, "recipe": recipe.name})


def load_recipe(path: Path) -> Recipe:
    """Return the recipe in a file.

    Raises:
        NotFound: there is no such file.
        UsageError: it is no TOML, has no headers, or says what no person could say: the message names key and value.
    """
    try:
        text = path.read_text(encoding="utf-8")
        told = tomllib.loads(text)
    except OSError as error:
        raise NotFound("recipe_unknown", recipe=str(path), known=list(shipped_recipes())) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("recipe_broken", file=path.name, reason=str(error)) from error
    for key in told:
        _require(key in KEYS, "recipe_key", path, name=key, known=list(KEYS))
    tables = {key: told.get(key, {}) for key in ("mapping", "events", "states")}
    for key, table in tables.items():
        fits = isinstance(table, dict) and all(_names(value) or value == "" for value in table.values())
        _require(fits, "recipe_value", path, name=key, value=str(table)[:60], known=['{name = "…"}'])
    for canonical in tables["mapping"]:
        _require(canonical in READ, "recipe_column", path, column=canonical, known=list(READ))
    for key in ("events", "states"):
        for word, meaning in tables[key].items():
            known = MEANINGS if key == "states" else ("purchase",)
            fits = isinstance(meaning, str) and bool(meaning) and (key == "events" or meaning in known)
            _require(fits, "recipe_value", path, name=f"{key}.{word}", value=str(meaning)[:60], known=list(known))
    for key in WORDS:
        fits = told.get(key, CHOICES[key][0]) in CHOICES[key]
        _require(fits, "recipe_value", path, name=key, value=str(told.get(key)), known=list(CHOICES[key]))
    for key in ("title", "currency"):
        value = told.get(key, "")
        _require(isinstance(value, str), "recipe_value", path, name=key, value=str(value), known=['"…"'])
    headers = told.get("headers")
    fits = isinstance(headers, list) and bool(headers) and all(map(_names, headers))
    _require(fits, "recipe_value", path, name="headers", value=str(headers)[:60], known=['["…", "…"]'])
    without = told.get("without", [])
    _require(
        not without or bool(_names(without)),
        "recipe_value",
        path,
        name="without",
        value=str(without)[:60],
        known=['["…"]'],
    )
    return Recipe(
        name=path.stem,
        title=told.get("title", path.stem),
        headers=tuple(map(_names, headers or ())),
        without=_names(without),
        mapping={canonical: _names(names) or ("",) for canonical, names in tables["mapping"].items()},
        said={key: told[key] for key in ("events", "states", "currency", *WORDS) if told.get(key)},
    )


def _names(value: Any) -> Names:
    """Return one name or a list of them as a tuple, an empty one for anything else."""
    values = value if isinstance(value, list) else [value]
    return tuple(values) if all(isinstance(item, str) and item for item in values) else ()


def _require(fits: bool, code: str, path: Path, **params: Any) -> None:
    if not fits:
        raise UsageError(code, file=path.name, **params)
