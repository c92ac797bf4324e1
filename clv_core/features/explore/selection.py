"""What the views look at: a cube cut to channels and countries (:class:`CubePart`), and a period (:class:`Selection`).

One rule for all views: they show what the log would show if it held only the chosen channels and countries, and of that
what lies in the period. Purchases before the period still decide who is a new and who a returning buyer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from clv_core.collection import one_file, text
from clv_core.disk import ignore_unwritable
from clv_core.errors import UsageError
from clv_core.features.duckdb_engine import Engine
from clv_core.features.explore.cube import ACTIVE, MONEY_DAYS, RATED, RECORD, Cube
from clv_core.workspace import atomic_path

if TYPE_CHECKING:
    import pandas as pd


MEMORY_LIMIT_MB: Final = 512
"""Of one engine; each part of a cube that is open has its own. A guess."""
DAY, WEEK, MONTH, QUARTER = UNITS = ("day", "week", "month", "quarter")
DAYS_BY_DAY: Final = 62
"""Longest period that is shown by day: two months of points fit a chart."""
DAYS_BY_WEEK: Final = 366
"""Longest period that is shown by week: a year."""


@dataclass(frozen=True)
class Filters:
    """The filters of a page.

    Args:
        start: first day; None for the log's first.
        end: first day that is no longer part of it; None for the log's end.
        channels: only these; empty for all.
        countries: only these; empty for all.
    """

    start: date | None = None
    end: date | None = None
    channels: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


class CubePart:
    """A cube cut to channels and countries, in an engine of its own that is made for the first question.

    Args:
        cube: what to look at.
        channels: only these; empty for all.
        countries: only these; empty for all.
    """

    def __init__(self, cube: Cube, channels: Sequence[str] = (), countries: Sequence[str] = ()) -> None:
        self.cube = cube
        conditions = [_codes(cube, "channel", channels), _codes(cube, "country", countries)]
        self._where = " AND ".join(condition for condition in conditions if condition)

    @property
    def is_full(self) -> bool:
        """Whether nothing was cut away."""
        return not self._where

    @cached_property
    def _engine(self) -> Engine:
        """The engine with the relations in it; two threads that come at once may each make one."""
        engine, where = Engine(MEMORY_LIMIT_MB), self._where
        connection: Any = engine.connection
        run = connection.raw_sql
        for relation, file in (("cells", "cells/*"), ("sold", "sold"), ("categories", "categories")):
            narrowed = f" WHERE {where}" if where and relation != "categories" else ""
            run(f"CREATE VIEW {relation} AS FROM {self._file(file)}{narrowed}")
        if not where:
            run("CREATE VIEW active AS SELECT customer, day, previous FROM cells")
            run(f"CREATE VIEW money_days AS FROM {self._file('money_days/*')}")
            run(f"CREATE VIEW rated AS FROM {self._file('rated/*')}")
            return engine
        run(f"CREATE TABLE active AS {ACTIVE}")
        run(f"CREATE TABLE money_days AS {MONEY_DAYS}")
        run(f"CREATE VIEW ratings AS SELECT * EXCLUDE next FROM {self._file('rated/*')} WHERE {where}")
        run(f"CREATE TABLE rated AS {RATED}")
        return engine

    def _file(self, name: str) -> str:
        """Return SQL for a file of the cube, or for all of a folder (``rated/*``)."""
        return text(f"{one_file(self.cube.folder)}/{name}.parquet")

    def frame(self, query: str) -> pd.DataFrame:
        """Return the rows of a query over the relations; safe to call from several threads."""
        connection: Any = self._engine.connection
        with connection.con.cursor() as cursor:
            rows: pd.DataFrame = cursor.execute(query).df()
        return rows


def _codes(cube: Cube, column: str, selected: Sequence[str]) -> str:
    """Return the condition that keeps the chosen texts of a column; nothing for all of them."""
    if not selected:
        return ""
    options = cube.channels if column == "channel" else cube.countries
    unknown = [value for value in selected if value not in options]
    if unknown:
        raise UsageError("explore_option", column=column, value=unknown[0][:60], known=list(options[:20]) or "-")
    return f"{column} IN ({', '.join(str(options.index(value)) for value in selected)})"


@dataclass(frozen=True, eq=False)
class Selection:
    """A part of a cube in a period.

    Args:
        part: what to look at.
        start: first day.
        end: first day that is no longer part of it.
    """

    part: CubePart
    start: date
    end: date

    @classmethod
    def of(cls, part: CubePart, start: date | None = None, end: date | None = None) -> Self:
        """Return the selection of a period, cut to the log's span.

        Raises:
            UsageError: the period holds no day of the log.
        """
        cube = part.cube
        first, after = max(start or cube.start, cube.start), min(end or cube.end, cube.end)
        if first >= after:
            requested = {"start": str(start or cube.start), "end": str(end or cube.end)}
            raise UsageError("explore_period", **requested, log_start=str(cube.start), log_end=str(cube.end))
        return cls(part, first, after)

    @property
    def days(self) -> int:
        """Length of the period."""
        return (self.end - self.start).days

    @property
    def period(self) -> str:
        """SQL condition on ``day``."""
        return f"day >= {sql_day(self.start)} AND day < {sql_day(self.end)}"

    @property
    def unit(self) -> str:
        """What time is shown by: days up to two months, weeks up to a year, then months."""
        return DAY if self.days <= DAYS_BY_DAY else WEEK if self.days <= DAYS_BY_WEEK else MONTH

    def before(self) -> Selection | None:
        """Return the span of the same length just before; None where the log does not hold all of it."""
        start = self.start - timedelta(days=self.days)
        return replace(self, start=start, end=self.start) if start >= self.part.cube.start else None

    @property
    def is_full(self) -> bool:
        """Whether this is all of the log."""
        cube = self.part.cube
        return self.part.is_full and (self.start, self.end) == (cube.start, cube.end)

    def frame(self, query: str) -> pd.DataFrame:
        """Return the rows of a query over the relations; those over the full log are cached on disk."""
        return cached_answer(self.part.cube.folder, query, self.part.frame) if self.is_full else self.part.frame(query)


def sql_day(day: date) -> str:
    """Return a date as SQL."""
    return f"DATE '{day.isoformat()}'"


def bucket(unit: str, day: str = "day") -> str:
    """Return the SQL of the first day of the week (from Monday), month or quarter that a day lies in."""
    return day if unit == DAY else f"date_trunc('{unit}', {day})::DATE"


def next_bucket(unit: str, first: date, steps: int = 1) -> date:
    """Return the first day of the bucket ``steps`` after the one that begins with ``first``."""
    if unit in (DAY, WEEK):
        return first + timedelta(days=steps * (7 if unit == WEEK else 1))
    months = first.year * 12 + first.month - 1 + steps * (3 if unit == QUARTER else 1)
    return date(months // 12, months % 12 + 1, 1)


def bucket_of(unit: str, day: date) -> date:
    """Return the first day of the bucket that ``day`` lies in."""
    if unit == DAY:
        return day
    if unit == WEEK:
        return day - timedelta(days=day.weekday())
    return date(day.year, day.month - (day.month - 1) % (3 if unit == QUARTER else 1), 1)


ANSWERS: Final = "answers"


def cached_answer(folder: Path, query: str, run: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of a query from its file, which is written at the first call.

    Args:
        folder: of the cube.
        query: over the relations of the full cube.
        run: returns the rows of a query.
    """
    import pandas as pd

    path = folder / ANSWERS / f"{hashlib.sha256(query.encode()).hexdigest()[:32]}.parquet"
    if path.is_file():
        return pd.read_parquet(path)
    frame = run(query)
    if (folder / RECORD).is_file():  # not of a cube that was removed in the meantime
        with ignore_unwritable(), atomic_path(path) as temporary:
            frame.to_parquet(temporary, index=False)
    return frame
