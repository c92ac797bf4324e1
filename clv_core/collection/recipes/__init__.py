"""Recipes: one TOML file for each export, with how it is recognised and what a person would answer about it.

``find_recipe`` returns the recipe for a file's columns; ``completed_answers`` fills up
the person's answers with the recipe's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from clv_core.collection.answers import CHOICES, Answers, named_anew
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
TABLES: Final = ("mapping", "events", "states")
KEYS: Final = ("title", "headers", "without", *TABLES, "currency", *WORDS)

Names = tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """How the export of one system is recognised and read.

    Args:
        name: of its file, without the ending.
        title: what people call the export.
        headers: columns that all have to be there; of each, the names of which one is enough.
        without: columns of which none may be there.
        mapping: canonical name -> names of source columns, of which the first that is there is read; or two of them, as
            :class:`~clv_core.collection.answers.Answers` takes it.
        answers: the other answers, by field.
    """

    name: str
    title: str
    headers: tuple[Names, ...]
    without: Names = ()
    mapping: Mapping[str, Names] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)

    def missing(self, columns: Iterable[str]) -> list[str]:
        """Return the columns that a file lacks for it, however they are spelled."""
        there = set(map(fold, columns))
        return [names[0] for names in self.headers if not there & set(map(fold, names))]

    def recognises(self, columns: Iterable[str]) -> bool:
        """Say whether a file of these columns is such an export."""
        there = set(columns)
        return not self.missing(there) and not set(map(fold, there)) & set(map(fold, self.without))

    def columns(self, columns: Sequence[str]) -> dict[str, str]:
        """Return canonical -> source column, as a file of these columns spells it; none for what it lacks.

        Gumroad has "Refunded?" and "Refunded ($)", which are one name but for their marks: the exact one counts.
        """
        spelled = {fold(column): column for column in reversed(columns)} | {column: column for column in columns}
        matches = {}
        for canonical, names in self.mapping.items():
            spellings = (_spelled(name, spelled) for name in names)
            matches[canonical] = next((name for name in spellings if name is not None), None)
        return {canonical: column for canonical, column in matches.items() if column is not None}


def _spelled(column: str, spelled: Mapping[str, str]) -> str | None:
    """Return a column's name, or that of two, as a file spells it; None where it lacks one."""
    if column in spelled or fold(column) in spelled or column == "":
        return spelled.get(column) or spelled.get(fold(column), "")
    parts = operands(column)
    if parts is None or not all(fold(part) in spelled for part in (parts[0], parts[2])):
        return None
    return "".join((spelled[fold(parts[0])], parts[1], spelled[fold(parts[2])]))


@cache
def shipped_recipes() -> Mapping[str, Recipe]:
    """Return the recipes of this package by name, in the order of their titles."""
    recipes = sorted((load_recipe(path) for path in FOLDER.glob(f"*{SUFFIX}")), key=lambda recipe: recipe.title)
    return {recipe.name: recipe for recipe in recipes}


def find_recipe(choice: str, columns: Sequence[str], file: str) -> Recipe | None:
    """Return the recipe that a file is read by, None where it has none.

    Of several that recognise its columns, it is the one that names most of them.

    Args:
        choice: a recipe's name, the path of one, ``none``, or empty: then the columns decide.
        columns: the file's.
        file: what the person calls it.

    Raises:
        NotFound: there is no such recipe.
        UsageError: it is none, or the file lacks columns that it needs.
    """
    if choice == NONE:
        return None
    if not choice:
        matches = [recipe for recipe in shipped_recipes().values() if recipe.recognises(columns)]
        return max(matches, key=lambda recipe: len(recipe.headers), default=None)
    recipe = load_recipe(Path(choice)) if choice.lower().endswith(SUFFIX) else shipped_recipes().get(choice)
    if recipe is None:
        raise NotFound("recipe_unknown", recipe=choice[:60], known=list(shipped_recipes()))
    if missing := recipe.missing(columns):
        raise UsageError("recipe_headers", recipe=recipe.name, missing=missing, file=file, found=list(columns[:40]))
    return recipe


def completed_answers(answers: Answers, recipe: Recipe | None, columns: Sequence[str]) -> Answers:
    """Return the person's answers, completed by those of the recipe for a file of these columns."""
    if recipe is None:
        return answers
    more = {name: value for name, value in recipe.answers.items() if not getattr(answers, name)}
    words = {name: {**recipe.answers.get(name, {}), **getattr(answers, name)} for name in ("events", "states")}
    mapping = named_anew(recipe.columns(columns), answers.mapping)
    return replace(answers, **{**more, **words, "mapping": mapping, "recipe": recipe.name})


def load_recipe(path: Path) -> Recipe:
    """Return the recipe in a file.

    Raises:
        NotFound: there is no such file.
        UsageError: it is no TOML, has no headers, or holds an invalid answer: the message names key
            and value.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise NotFound("recipe_unknown", recipe=str(path), known=list(shipped_recipes())) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("recipe_broken", file=path.name, reason=str(error)) from error
    for code, params in _faults(document):
        raise UsageError(code, file=path.name, **params)
    return Recipe(
        name=path.stem,
        title=document.get("title", path.stem),
        headers=tuple(map(_names, document["headers"])),
        without=_names(document.get("without", [])),
        mapping={canonical: _names(names) or ("",) for canonical, names in document.get("mapping", {}).items()},
        answers={key: document[key] for key in ("events", "states", "currency", *WORDS) if document.get(key)},
    )


def _faults(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield code and parameters of the error for each invalid key or value of a recipe."""
    for key, value in {"headers": None, **document}.items():
        if key not in KEYS:
            yield "recipe_key", {"name": key, "known": list(KEYS)}
        elif key in WORDS:
            yield from _unless(value in CHOICES[key], key, value, *CHOICES[key])
        elif key == "headers":
            yield from _unless(isinstance(value, list) and value and all(map(_names, value)), key, value, '["…", "…"]')
        elif key == "without":
            yield from _unless(_names(value), key, value, '["…"]')
        elif key not in TABLES:
            yield from _unless(isinstance(value, str), key, value, '"…"')
        elif not isinstance(value, dict):
            yield from _unless(False, key, value, f"[{key}]")
        else:
            for word, meaning in value.items():
                if key == "mapping" and word not in READ:
                    yield "recipe_column", {"column": word, "known": list(READ)}
                fits = _names(meaning) or meaning == "" if key == "mapping" else isinstance(meaning, str) and meaning
                allowed = MEANINGS if key == "states" else ('"…"',)
                yield from _unless(fits and (key != "states" or meaning in allowed), f"{key}.{word}", meaning, *allowed)


def _unless(fits: object, key: str, value: Any, *allowed: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not fits:
        yield "recipe_value", {"name": key, "value": str(value)[:60], "known": list(allowed)}


def _names(value: Any) -> Names:
    """Return one name or a list of them as a tuple, an empty one for anything else."""
    values = value if isinstance(value, list) else [value]
    return tuple(values) if all(isinstance(item, str) and item for item in values) else ()
