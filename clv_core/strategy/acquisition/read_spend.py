"""Reads a table of what was spent on winning customers as a log is read: every row is accounted for.

Recipes (``recipes/*.toml``) describe the exports of Google Ads, Meta and TikTok; in other files the columns are
recognised by their names, or the user assigns them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection import connect, name, text
from clv_core.collection.parse import ColumnDates, cell_text, currencies, date_order, numbers, times
from clv_core.collection.read import Reject, Source, lines_without_rows, open_source, recorded_rejects
from clv_core.collection.rows import EXAMPLES, Problem
from clv_core.collection.vocabulary import fold, load_vocabulary
from clv_core.columns import CHANNEL, Kind
from clv_core.errors import Message, NeedsAnswer, NotFound, Refused, UsageError
from clv_core.scratch import temporary_folder
from clv_core.strategy.acquisition.spend import (
    CAMPAIGN,
    COLUMNS,
    CURRENCY,
    DAY,
    END,
    PERIODS,
    SPEND,
    Spend,
    SpendSettings,
)

RECIPES: Final = Path(__file__).parent / "recipes"
REPLACED: Final = "warning.spend_channel"
MAX_LISTED: Final = 10
"""Names that a warning lists."""
KINDS: Final = {DAY: Kind.TIME, END: Kind.TIME, SPEND: Kind.NUMBER}
MONTH: Final = r"^\s*\d{4}\s*[-/.年]\s*\d{1,2}\s*月?\s*$"
WEEK: Final = r"^\s*\d{4}-?W\d{2}\s*$"
TOTAL: Final = rf"(?i)^\s*(?:{load_vocabulary().pattern('acquisition', 'totals')})"
"""A cell of a row of sums, as exports have them above or below the rows that they add up."""


@dataclass(frozen=True)
class SpendRecipe:
    """How to read one platform's export.

    Args:
        title: what people call it; the channel of its rows unless another is given.
        headers: columns that all have to be there; of each, the names of which one is enough.
        columns: meaning -> names, of which the first that is there is read.
    """

    title: str
    headers: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]


def read_spend(path: Path, settings: SpendSettings | None = None, *, original: str = "") -> Spend:
    """Return the spend table in a file.

    Args:
        path: CSV, workbook, JSON Lines or Parquet, in any encoding and dialect that a log may have.
        settings: of the user.
        original: the name that the user gave the file, where it is not the path's name.

    Raises:
        NotFound: there is no such file.
        NeedsAnswer: no column looks like the day, the sum or the channel, or dates can be read in two ways.
        UsageError: a setting names what there is not.
        Refused: it holds no table, no row of it can be used, or it is in several currencies.
    """
    settings, called = settings or SpendSettings(), original or path.name
    if not path.is_file():
        raise NotFound("spend_missing", file=called)
    with temporary_folder("clv-spend-") as scratch:
        connection = connect(scratch, reads=path)
        try:
            source = open_source(connection, path, scratch, original=original, fewest=1)
            return _Reader(connection, source, settings, called).read()
        except duckdb.OutOfMemoryException as error:
            raise Refused("out_of_memory", file=called) from error
        except duckdb.Error as error:
            raise Refused("unreadable_table", file=called) from error
        finally:
            connection.close()


def read_spends(paths: Sequence[Path], channels: Sequence[str], settings: SpendSettings) -> list[Spend]:
    """Return the spend tables in several files.

    Args:
        paths: the files.
        channels: one for the rows of each file, in the files' order, "" where a file has its own; one alone is that of
            all files; or none.
        settings: of the user, for all of them.

    Raises:
        UsageError: as many channels as can belong to no files, or one for all where a file has its own.
        NotFound, NeedsAnswer, Refused: see :func:`read_spend`.
    """
    if len(channels) not in (0, 1, len(paths)):
        raise UsageError("spend_channels", channels=len(channels), files=len(paths))
    by_file = channels if len(channels) == len(paths) else [*(channels or [settings.channel])] * len(paths)
    tables = [
        read_spend(path, replace(settings, channel=channel)) for path, channel in zip(paths, by_file, strict=True)
    ]
    if len(channels) == 1 < len(paths):
        for message in (warning for table in tables for warning in table.warnings if warning.code == REPLACED):
            raise UsageError("spend_channel_own", **message.params)
    return tables


@cache
def spend_recipes() -> tuple[SpendRecipe, ...]:
    """Return the recipes of this package."""
    recipes = []
    for path in sorted(RECIPES.glob("*.toml")):
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
        headers = tuple((header,) if isinstance(header, str) else tuple(header) for header in recipe["headers"])
        columns = {meaning: tuple(names) for meaning, names in recipe["columns"].items()}
        recipes.append(SpendRecipe(recipe["title"], headers, columns))
    return tuple(recipes)


def find_spend_recipe(columns: Sequence[str]) -> SpendRecipe | None:
    """Return the recipe whose headers a file has; of several, the one that names most."""
    there = set(map(_bare, columns))
    fitting = [recipe for recipe in spend_recipes() if all(there & set(map(_bare, names)) for names in recipe.headers)]
    return max(fitting, key=lambda recipe: len(recipe.headers), default=None)


def propose_columns(columns: Sequence[str], recipe: SpendRecipe | None) -> dict[str, str]:
    """Return meaning -> column of a file, by the recipe, else by the columns' names."""
    by_name = {_bare(column): column for column in reversed(columns)}
    words = load_vocabulary()
    proposed: dict[str, str] = {}
    for meaning in COLUMNS:
        if recipe is not None:
            names: Sequence[str] = recipe.columns.get(meaning, ())
        else:
            names = () if meaning == END else words.entries("acquisition", meaning)
        column = next((by_name[_bare(header)] for header in names if _bare(header) in by_name), None)
        if column is not None and column not in proposed.values():
            proposed[meaning] = column
    return proposed


def _bare(column: str) -> str:
    """Return a column's folded name without a unit in brackets: Amount spent (USD)."""
    return fold(re.sub(r"\s*[(（\[][^()（）\[\]]*[)）\]]\s*$", "", column))


@dataclass(frozen=True)
class _Reader:
    """One file on its way to a :class:`Spend`."""

    connection: duckdb.DuckDBPyConnection
    source: Source
    settings: SpendSettings
    called: str

    def read(self) -> Spend:
        """Return the table; the engine holds its rows as ``raw``."""
        recipe = find_spend_recipe(self.source.columns)
        columns = self._columns(recipe)
        cells = [
            f"{cell_text(name(columns[meaning]), KINDS.get(meaning, Kind.TEXT))} AS {meaning}"
            if meaning in columns
            else f"NULL::VARCHAR AS {meaning}"
            for meaning in COLUMNS
        ]
        any_cell = " OR ".join(f"regexp_matches({name(column)}, {text(TOTAL)})" for column in self.source.columns)
        self.connection.execute(
            f"CREATE TEMP TABLE raw AS SELECT row_number() OVER () AS place, {', '.join(cells)},"
            f" coalesce({any_cell}, false) AS is_total FROM {self.source.relation(record=True)}"
        )
        rejects = recorded_rejects(self.connection, self.source)
        day, notes = self._days(DAY, columns[DAY])
        end, more = self._days(END, columns[END]) if END in columns else ("NULL::DATE", [])
        forms = self._forms(SPEND, numbers.form(SPEND))
        reading, doubts = numbers.decide(forms, columns[SPEND], self.settings.decimal)
        rows = self._judged(day, end, reading.value(SPEND))
        problems = self._problems(rows, rejects, columns)
        accepted = rows[rows["reason"] == ""]
        if accepted.empty:
            first = problems[0].message().text() if problems else ""
            raise Refused("spend_no_rows", file=self.called, rows=len(rows) + len(rejects), first=first)
        currency, about = self._currency(accepted, columns)
        days, period = self._lengths(accepted)
        channel, replaced = self._channel(accepted, columns, recipe)
        table = pd.DataFrame(
            {
                "start": accepted["start"].to_numpy("datetime64[D]").astype("datetime64[s]"),
                "days": days,
                CHANNEL: channel,
                CAMPAIGN: accepted[CAMPAIGN].fillna("").astype("str"),
                "amount": accepted["amount"].to_numpy(np.float64),
            }
        ).reset_index(drop=True)
        counted = (problem.message() for problem in problems)
        return Spend(
            file=self.called,
            rows=table,
            currency=currency,
            rows_read=len(rows) + len(rejects),
            problems=problems,
            recipe="" if recipe is None else recipe.title,
            warnings=(*replaced, *self.source.notes, *notes, *more, *doubts, *about, *period, *counted),
        )

    def _columns(self, recipe: SpendRecipe | None) -> dict[str, str]:
        """Return meaning -> column; the user's assignment takes precedence."""
        columns = list(self.source.columns)
        unknown = [meaning for meaning in dict(self.settings.columns) if meaning not in COLUMNS]
        lacking = [column for column in dict(self.settings.columns).values() if column not in columns]
        if unknown or lacking:
            raise UsageError("spend_column", column=(unknown or lacking)[0], known=list(COLUMNS), found=columns[:40])
        assigned = propose_columns(columns, recipe)
        stated = dict(self.settings.columns)
        assigned = {meaning: column for meaning, column in assigned.items() if column not in stated.values()} | stated
        missing = [meaning for meaning in (DAY, SPEND) if meaning not in assigned]
        missing += [CHANNEL] if not (CHANNEL in assigned or self.settings.channel or recipe) else []
        if missing:
            raise NeedsAnswer("spend_columns", file=self.called, missing=missing, found=columns[:40])
        return assigned

    def _channel(
        self, accepted: pd.DataFrame, columns: Mapping[str, str], recipe: SpendRecipe | None
    ) -> tuple[Any, list[Message]]:
        """Return the channel of each row, or that of all, and a warning if the user's channel replaces some."""
        stated = self.settings.channel
        if CHANNEL not in columns:
            return stated or (recipe.title if recipe else ""), []
        channel = accepted[CHANNEL].fillna("").astype("str")
        if not stated:
            return channel.to_numpy(), []
        other = sorted(set(channel[channel.map(fold) != fold(stated)]) - {""})
        params = {"file": self.called, "channel": stated, "column": columns[CHANNEL], "names": other[:MAX_LISTED]}
        return stated, [Message(REPLACED, params)] if other else []

    def _forms(self, column: str, form: str) -> dict[str, int]:
        rows = self.connection.execute(f"SELECT {form}, count(*) FROM raw WHERE NOT is_total GROUP BY 1").fetchall()
        return {str(kind): int(count) for kind, count in rows}

    def _days(self, column: str, called: str) -> tuple[str, list[Message]]:
        """Return SQL for the day in a column, and warnings; a month is its first day, a week its Monday."""
        week = f"strptime(regexp_replace({column}, '-?W', '-'), '%G-%V')::DATE"
        month = f"strptime(regexp_replace(regexp_replace({column}, '[年/.]', '-'), '[月 ]', '', 'g'), '%Y-%m')::DATE"
        plain = f"CASE WHEN NOT regexp_matches({column}, {text(MONTH)}) AND NOT regexp_matches({column}, {text(WEEK)})"
        plain = f"{plain} THEN {column} END"
        self.connection.execute(f"ALTER TABLE raw ADD COLUMN {column}_plain VARCHAR")
        self.connection.execute(f"UPDATE raw SET {column}_plain = {plain}")
        forms = self._forms(f"{column}_plain", times.form(f"{column}_plain"))
        evidence = ColumnDates(self.connection, f"SELECT {column}_plain AS x FROM raw")
        readable = any(kind not in date_order.NO_TIMES for kind in forms)
        order = self.settings.date_order
        if readable:
            reading, messages = date_order.decide(forms, called, order, "UTC", evidence=evidence)
        else:
            reading, messages = times.TimeReading(), ()
        cases = f"WHEN regexp_matches({column}, {text(MONTH)}) THEN {month}"
        cases += f" WHEN regexp_matches({column}, {text(WEEK)}) THEN {week}"
        return f"CASE {cases} ELSE ({reading.value(f'{column}_plain')})::DATE END", list(messages)

    def _judged(self, day: str, end: str, amount: str) -> pd.DataFrame:
        """Return all rows with their values, and the reason why each is rejected, "" where it is not.

        The inner query converts the cells of each row; the outer one takes the first reason that applies to the result.
        """
        reason = (
            "CASE WHEN is_total THEN 'spend_total' WHEN day IS NULL THEN 'spend_no_day'"
            " WHEN start IS NULL THEN 'spend_bad_day' WHEN spend IS NULL THEN 'spend_no_amount'"
            " WHEN amount IS NULL THEN 'spend_bad_amount' WHEN stop < start THEN 'spend_bad_day' ELSE '' END"
        )
        query = (
            f"SELECT *, {reason} AS reason FROM"
            f" (SELECT *, {day} AS start, {end} AS stop, {amount} AS amount FROM raw) ORDER BY place"
        )
        frame: pd.DataFrame = self.connection.execute(query).df()
        return frame

    def _problems(
        self, rows: pd.DataFrame, rejects: Sequence[Reject], columns: Mapping[str, str]
    ) -> tuple[Problem, ...]:
        """Return the rejected rows by reason, the most frequent first, with the lines that they stand on."""
        gap, size = (array.tolist() for array in lines_without_rows(self.source, rejects, len(rows)))
        header = self.source.dialect.header_line if self.source.dialect else 0

        def line(place: int) -> int:
            at = header + place
            for first, lines in zip(gap, size, strict=True):
                at += lines if first <= at else 0
            return at

        about = {"spend_no_amount": SPEND, "spend_bad_amount": SPEND}
        problems = []
        for reason, rejected in rows[rows["reason"] != ""].groupby("reason"):
            meaning = about.get(str(reason), DAY)
            first = rejected.head(EXAMPLES)
            texts = first[meaning].fillna("").astype("str")
            examples = tuple((line(int(place)), cell[:60]) for place, cell in zip(first["place"], texts, strict=True))
            problems.append(Problem(str(reason), len(rejected), meaning, columns[meaning], examples))
        for reason in dict.fromkeys(item.reason for item in rejects):
            same = [item for item in rejects if item.reason == reason]
            problems.append(
                Problem(reason, len(same), "", "", tuple((reject.line, reject.text[:60]) for reject in same[:EXAMPLES]))
            )
        return tuple(sorted(problems, key=lambda problem: -problem.rows))

    def _currency(self, accepted: pd.DataFrame, columns: Mapping[str, str]) -> tuple[str, list[Message]]:
        """Return the currency: a column's, else one in the name of the sums' column, else marks at the sums.

        Raises:
            Refused: there are several.
        """
        named = sorted(set(accepted[CURRENCY].dropna().astype("str"))) if CURRENCY in columns else []
        named = named or [mark for mark in [currencies.in_name(columns[SPEND])] if mark]
        marks = self.connection.execute(f"SELECT DISTINCT {numbers.currencies(SPEND)} FROM raw WHERE NOT is_total")
        signs = sorted(str(row[0]) for row in marks.fetchall() if row[0])
        code, notes = currencies.decide(named, signs, self.settings.currency, columns[SPEND])
        if any(note.code == "warning.mixed_currency" for note in notes):
            raise Refused("spend_currencies", file=self.called, found=named or signs)
        return code, list(notes)

    def _lengths(self, accepted: pd.DataFrame) -> tuple[NDArray[np.int64], list[Message]]:
        """Return how many days each row covers, with a warning where that was inferred."""
        start = accepted["start"].to_numpy("datetime64[D]")
        period = self.settings.period
        warnings: list[Message] = []
        if period and period not in PERIODS:
            raise UsageError("setting_choice", setting="period", value=period, known=list(PERIODS))
        if not period and accepted["stop"].notna().all():
            return (accepted["stop"].to_numpy("datetime64[D]") - start).astype(np.int64) + 1, warnings
        if not period:
            period = _period(start)
            warnings = [Message("warning.spend_period", {"period": period})]
        if period == "month":
            month = start.astype("datetime64[M]")
            return ((month + 1).astype("datetime64[D]") - start).astype(np.int64), warnings
        return np.full(len(start), 7 if period == "week" else 1, np.int64), warnings


def _period(start: NDArray[np.datetime64]) -> str:
    """Return what rows that begin on these days are about: months where all are firsts, weeks where all are 7 apart."""
    days = np.unique(start)
    if (days == days.astype("datetime64[M]").astype("datetime64[D]")).all():
        return "month"
    gaps = np.diff(days).astype(np.int64)
    return "week" if len(gaps) and (gaps % 7 == 0).all() else "day"
