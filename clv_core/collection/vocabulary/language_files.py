"""The files of all languages, checked and merged: tables of words, looked up by :func:`fold`.

A file is named after its language's code and holds ``name`` and any of the tables of :data:`SCHEMA`. Words are written
as people write them: case, blanks, ``_`` and punctuation do not count. Within a table whose words mean one thing
each (:data:`UNIQUE`), no word may have two meanings, in whatever files.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from clv_core.columns import EVENT_TYPES, READ

FOLDER: Final = Path(__file__).parent
FIRST: Final = ("en", "zh")
"""Languages whose words come first where the order of names counts; the others follow by their codes."""

WORDS, PATTERNS, GROUPS = "words", "regular expressions", "lists of words"
ANY: Final = "any key"
STATUSES: Final = dict.fromkeys(("sold", "cancelled", "refunded"), WORDS)
ROLES: Final = dict.fromkeys((*READ, "price", "currency"), WORDS)
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SCHEMA: Final[Mapping[str, Mapping[str, str]]] = {
    "columns.sure": ROLES,
    "columns.likely": ROLES,
    "columns.preferred": ROLES,
    "columns.customers": dict.fromkeys(("name_or_id", "email", "phone", "person", "recipient"), WORDS),
    "customer_ids": dict.fromkeys(("columns", "traits", "groups", "merged", "about", "ends"), PATTERNS),
    "events": dict.fromkeys(EVENT_TYPES, WORDS),
    "statuses": STATUSES,
    "refund_statuses": STATUSES,
    "payment_statuses": dict.fromkeys(("paid", "unpaid", "captured", "authorized"), WORDS)
    | {"authorization": PATTERNS},
    "status_phrases": dict.fromkeys((*STATUSES, "partly", "deleted", "unfinished"), PATTERNS),
    # certain of orders whatever the column is called; names of columns of states, of whom, and those of their codes
    "certain_statuses": dict.fromkeys(("off", "tried"), WORDS),
    "state_columns": dict.fromkeys(("columns", "of_others", "of_payments", "codes"), PATTERNS),
    "status_times": dict.fromkeys(("deleted", "cancelled", "refunded", "paid"), WORDS),
    "flags": dict.fromkeys(("cancelled", "refunded", "test", "paid"), WORDS),
    "deals": {"columns": WORDS, "won": PATTERNS},
    "order_steps": dict.fromkeys(("paid", "cancelled", "placed"), WORDS),
    "row_types": {
        **dict.fromkeys(("columns", "bills", "credits", "payments", "neither", "nouns"), WORDS),
        **STATUSES,
        **dict.fromkeys(("stored_value", "no_purchase"), PATTERNS),
    },
    "sides": {**dict.fromkeys(("booked", "paid", "booked_marks", "paid_marks"), GROUPS), "columns": PATTERNS},
    "taxes": dict.fromkeys(
        ("names", "with", "with_before", "with_behind", "without", "without_before", "without_behind"), PATTERNS
    ),
    "parents": {"columns": PATTERNS},
    # what names of columns of money hold, of prices, of discounts, and of figures that are none of these
    "amounts": dict.fromkeys(
        (
            *("columns", "paid", "not_paid", "not_paid_within", "gross_or_net", "subtotals", "postage"),
            *("converted", "exchange_rates", "millions", "ten_thousands", "thousands"),
        ),
        PATTERNS,
    ),
    "prices": dict.fromkeys(("columns", "ends", "of_line", "of_all", "of_piece", "pieces"), PATTERNS),
    "discounts": dict.fromkeys(
        ("columns", "shortened", "vouchers", "rates", "percent_off", "per", "pieces", "pieces_within", "prices"),
        PATTERNS,
    ),
    "other_figures": dict.fromkeys(("ends", "within"), PATTERNS),
    "values": {
        **dict.fromkeys(("missing", "yes", "no", "ticks", "guests", "means_of_payment"), WORDS),
        "totals": PATTERNS,
    },
    "scales": {ANY: WORDS},
    "dates": dict.fromkeys(("before_clock", "clock_columns", "time_columns"), PATTERNS),
    "months": dict.fromkeys(MONTHS, WORDS),
    "contacts": {
        **dict.fromkeys(("email", "phone", "madid", "first_name", "last_name", "city", "state", "zip"), WORDS),
        **dict.fromkeys(("country", "consent", "gclid", "fbc"), WORDS),
        **dict.fromkeys(("acquired_on", "acquisition_channel", "acquisition_campaign"), WORDS),
        "consent_names": PATTERNS,
    },
    "acquisition": dict.fromkeys(("campaign", "day", "spend", "currency", "channel"), WORDS) | {"totals": PATTERNS},
    # columns and ids of test orders and lines that sell no product; names of columns that would leak the outcome to a
    # model
    "cleaning": {
        **dict.fromkeys(("email_columns", "email_columns_within", "test_ids", "test_ids_within"), PATTERNS),
        "services": WORDS,
    },
    "leaks": dict.fromkeys(
        ("deeds", "whole", "last", "last_deeds", "numbers_of", "columns", "others", "ends", "within"), PATTERNS
    ),
    "personal": {**dict.fromkeys(("words", "name", "beside_name"), WORDS), "together": GROUPS, "within": PATTERNS},
}
"""Table -> key -> what its entries are. Where those of a key match entire words only, or the end, those of
scripts without blanks are under ``<key>_within``, or ``within``, and match anywhere."""
UNIQUE: Final = frozenset(
    (
        "columns.sure",
        "columns.likely",
        "columns.customers",
        "events",
        "statuses",
        "refund_statuses",
        "flags",
        "contacts",
    )
)


class VocabularyError(ValueError):
    """A language's file holds what it should not; the message names file, table and key."""


def fold(name: str) -> str:
    """Return ``name`` without what spelling varies by: form, case (that of a Turkish ı too), blanks, punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).lower()).replace("ı", "i")


@dataclass(frozen=True)
class Vocabulary:
    """The words of all languages.

    Args:
        languages: code -> table -> key -> entries, in the order in which names count.
        unique: table of :data:`UNIQUE` -> folded word -> key.
    """

    languages: Mapping[str, Mapping[str, Mapping[str, Any]]]
    unique: Mapping[str, Mapping[str, str]]

    def entries(self, table: str, *keys: str) -> tuple[Any, ...]:
        """Return the entries of some keys of a table, of all languages."""
        return tuple(
            entry for tables in self.languages.values() for key in keys for entry in tables.get(table, {}).get(key, ())
        )

    def keys(self, table: str) -> tuple[str, ...]:
        """Return the keys of a table that any language has."""
        return tuple(dict.fromkeys(key for tables in self.languages.values() for key in tables.get(table, {})))

    def folded(self, table: str, *keys: str) -> frozenset[str]:
        """Return the words of some keys of a table, folded."""
        return frozenset(map(fold, self.entries(table, *keys)))

    def index(self, table: str, *keys: str) -> dict[str, str]:
        """Return folded word -> key, of all keys of a table or of some."""
        if table in self.unique:
            return {word: key for word, key in self.unique[table].items() if not keys or key in keys}
        return {fold(word): key for key in keys or self.keys(table) for word in self.entries(table, key)}

    def pattern(self, table: str, key: str) -> str:
        """Return one regular expression of all of a key's."""
        return "|".join(self.entries(table, key))


@cache
def load_vocabulary(folder: Path | None = None) -> Vocabulary:
    """Return what the files of a folder hold, read once a process.

    Args:
        folder: of the files; the package's own unless given.

    Raises:
        VocabularyError: a file is no TOML, or holds what :data:`SCHEMA` does not know.
    """
    paths = sorted(
        (folder or FOLDER).glob("*.toml"),
        key=lambda path: (path.stem not in FIRST, path.stem not in FIRST[:1], path.stem),
    )
    tables: dict[str, dict[str, tuple[str, str]]] = {table: {} for table in UNIQUE}
    languages = {path.stem: _checked(path, tables) for path in paths}
    return Vocabulary(
        languages, {table: {word: key for word, (key, _) in words.items()} for table, words in tables.items()}
    )


def _checked(path: Path, meanings: Mapping[str, dict[str, tuple[str, str]]]) -> dict[str, dict[str, Any]]:
    """Return the tables of one file.

    Args:
        path: the file.
        meanings: table -> folded word -> (key, file) of the files before it; those of this one are added.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{path.name}: {error}") from error
    if not isinstance(document.pop("name", None), str):
        raise VocabularyError(f"{path.name}: name of the language is missing")
    columns = document.pop("columns", {})
    tables = {**{f"columns.{key}": table for key, table in columns.items()}, **document}
    for table, keys in tables.items():
        if table not in SCHEMA:
            raise VocabularyError(f"{path.name}: there is no table [{table}]")
        for key, entries in keys.items():
            where = f"{path.name}: [{table}] {key}"
            kind = SCHEMA[table].get(key) or SCHEMA[table].get(ANY)
            if kind is None:
                raise VocabularyError(f"{where}: there is no such key; there are {', '.join(SCHEMA[table])}")
            if not _is(kind, entries):
                raise VocabularyError(f"{where}: should hold {kind}")
            for word in entries if table in UNIQUE and kind == WORDS else ():
                other, file = meanings[table].setdefault(fold(word), (key, path.name))
                if other != key:
                    raise VocabularyError(f"{where}: {word!r} is {other} in {file}")
    return tables


def _is(kind: str, entries: object) -> bool:
    if not isinstance(entries, list):
        return False
    if kind == GROUPS:
        return all(_is(WORDS, group) for group in entries)
    return all(isinstance(entry, str) and (kind != PATTERNS or _compiles(entry)) for entry in entries)


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
