"""Spend on winning customers: the settings of its table, its rows split by month, and where it is stored.

datasets/<name>/spend/<digest of the file's name>.parquet   rows; the accounting is in the file's metadata

Saved tables are in the dataset's folder, next to its versions: they hold for all versions and models, and are renamed
or deleted with the dataset. A file of the same name replaces the one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.rows import Problem
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import fold
from clv_core.columns import CHANNEL
from clv_core.errors import Message, Refused
from clv_core.records import JsonObject
from clv_core.workspace import atomic_path

DAY, END, CAMPAIGN, SPEND, CURRENCY = "day", "last_day", "campaign", "spend", "currency"
COLUMNS: Final = (DAY, END, CHANNEL, CAMPAIGN, SPEND, CURRENCY)
"""What a column of a spend table can be; a day, a sum, and a channel (of each row, or of the file) are needed."""
PERIODS: Final = ("day", "week", "month")
FOLDER: Final = "spend"
META: Final = b"spend"


@dataclass(frozen=True)
class SpendSettings:
    """Settings of a user for a spend table, all optional.

    Args:
        columns: meaning (of :data:`COLUMNS`) -> column of the file.
        channel: of all rows; it counts before a column, which is warned of.
        currency: of the amounts, as a code.
        period: ``day``, ``week`` or ``month`` that a row is about; empty looks at the days.
        date_order: ``dmy``, ``mdy``, ``ymd`` or None.
        decimal: ``point``, ``comma`` or None.
    """

    columns: Mapping[str, str] = ()  # type: ignore[assignment]
    channel: str = ""
    currency: str = ""
    period: str = ""
    date_order: str | None = None
    decimal: str | None = None


@dataclass(frozen=True)
class SpendDays:
    """Days that a spend table covers: from the first row's to the last one's.

    Exports leave out days without spend. A calendar month without any row is taken for a file that is missing.

    Args:
        spans: first day and first day after the last, datetime64[D], in order and apart.
    """

    spans: tuple[tuple[np.datetime64, np.datetime64], ...]

    @classmethod
    def of(cls, first: NDArray[np.datetime64], end: NDArray[np.datetime64], start: date, stop: date) -> Self:
        """Return the days from ``start`` to before ``stop`` of rows that go from ``first`` to before ``end``, [n]."""
        low, high = np.datetime64(start, "D"), np.datetime64(stop, "D")
        rows = np.unique(np.stack([np.maximum(first, low), np.minimum(end, high)], axis=1), axis=0)
        spans: list[tuple[np.datetime64, np.datetime64]] = []
        for begin, after in rows[rows[:, 0] < rows[:, 1]]:
            last = spans[-1][1] - np.timedelta64(1, "D") if spans else begin
            if spans and begin.astype("datetime64[M]") <= last.astype("datetime64[M]") + 1:
                spans[-1] = spans[-1][0], max(spans[-1][1], after)
            else:
                spans.append((begin, after))
        return cls(tuple(spans))

    def hold(self, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Return whether each day is one of these, [n]."""
        inside = np.zeros(len(days), bool)
        for first, end in self.spans:
            inside |= (days >= first) & (days < end)
        return inside

    def texts(self) -> list[tuple[str, str]]:
        """Return the first and the last day of each span, as ISO dates."""
        return [(str(first), str(end - np.timedelta64(1, "D"))) for first, end in self.spans]


@dataclass(frozen=True, eq=False)
class Spend:
    """What was spent.

    Args:
        file: its name.
        rows: ``start`` (datetime64[D]), ``days`` (that the row is about), ``channel``, ``campaign`` ("" unknown) and
            ``amount``, one row a row that is kept.
        currency: code; empty where neither the file nor the settings have one.
        rows_read: kept and rejected.
        problems: rejected rows by reason, with line and text of the first.
        recipe: title of the platform whose export it is; empty for another table.
        warnings: about how the file was read.
    """

    file: str
    rows: pd.DataFrame
    currency: str
    rows_read: int
    problems: tuple[Problem, ...] = ()
    recipe: str = ""
    warnings: tuple[Message, ...] = ()

    @property
    def total(self) -> float:
        """The sum of all kept rows."""
        return float(self.rows["amount"].sum())

    @property
    def rows_rejected(self) -> int:
        """How many rows could not be used."""
        return sum(problem.rows for problem in self.problems)

    def to_json(self) -> JsonObject:
        """Return what was read, in counts and sums."""
        return {
            "file": self.file,
            "recipe": self.recipe,
            "currency": self.currency,
            "rows_read": self.rows_read,
            "rows_kept": len(self.rows),
            "rows_rejected": {problem.reason: problem.rows for problem in self.problems},
            "total": round(self.total, 2),
            "channels": {name: round(amount, 2) for name, amount in self.by_channel().items()},
        }

    def by_channel(self) -> dict[str, float]:
        """Return the sum of each channel, "" where a row has none."""
        return {str(name): float(amount) for name, amount in self.rows.groupby(CHANNEL)["amount"].sum().items()}

    @classmethod
    def together(cls, tables: Sequence[Spend]) -> Spend:
        """Return several tables as one.

        Raises:
            Refused: they are in different currencies.
        """
        currencies = sorted({table.currency for table in tables if table.currency})
        if len(currencies) > 1:
            raise Refused("spend_currencies", file=", ".join(table.file for table in tables), found=currencies)
        return cls(
            file=", ".join(table.file for table in tables),
            rows=pd.concat([table.rows for table in tables], ignore_index=True),
            currency=currencies[0] if currencies else "",
            rows_read=sum(table.rows_read for table in tables),
            problems=tuple(problem for table in tables for problem in table.problems),
            recipe=", ".join(dict.fromkeys(table.recipe for table in tables if table.recipe)),
            warnings=tuple(message for table in tables for message in table.warnings),
        )

    def by_month(self, start: date, stop: date) -> tuple[pd.DataFrame, float]:
        """Return the spend of each channel, campaign and month from ``start`` to before ``stop``, and all other spend.

        A row of several days counts evenly on each.
        """
        first, last = self._ends()
        days = self.rows["days"].to_numpy(np.int64)
        low, high = np.datetime64(start, "D"), np.datetime64(stop, "D")
        rows, month = [], first.astype("datetime64[M]")
        left = np.ones(len(first), bool)
        while left.any():
            begin = np.maximum(first, month.astype("datetime64[D]"))
            end = np.minimum(last, (month + 1).astype("datetime64[D]"))
            inside = (np.minimum(end, high) - np.maximum(begin, low)).astype(np.int64)
            share = np.where(left, np.maximum(inside, 0) / days, 0.0)
            amount = self.rows["amount"].to_numpy() * share
            rows.append(self.rows.assign(cohort=month.astype("str"), amount=amount)[share > 0])
            month = month + 1
            left = month.astype("datetime64[D]") < last
        cells = pd.concat(rows, ignore_index=True)
        summed = cells.groupby([CHANNEL, CAMPAIGN, "cohort"], sort=True)["amount"].sum().reset_index()
        return summed, self.total - float(summed["amount"].sum())

    def days(self, start: date, stop: date) -> SpendDays:
        """Return the days from ``start`` to before ``stop`` that the rows of all channels are about."""
        return SpendDays.of(*self._ends(), start, stop)

    def days_by_channel(self, start: date, stop: date) -> dict[str, SpendDays]:
        """Return folded name of a channel -> the days from ``start`` to before ``stop`` that its own rows are about."""
        first, end = self._ends()
        names = self.rows[CHANNEL].map({name: fold(name) for name in self.rows[CHANNEL].unique()})
        places = names[names != ""].groupby(names).indices
        return {str(name): SpendDays.of(first[rows], end[rows], start, stop) for name, rows in places.items()}

    def _ends(self) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
        """Return the first day of each row, and the first one after it."""
        first = self.rows["start"].to_numpy("datetime64[D]")
        return first, first + self.rows["days"].to_numpy(np.int64)


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

    Spend.together([*(saved for saved in load_spends(dataset) if saved.file != spend.file), spend])
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
    """Return a key that changes whenever a dataset's spend tables do."""
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
        Problem(**{**problem, "examples": tuple((line, text) for line, text in problem["examples"])})
        for problem in about.pop("problems")
    ]
    warnings = tuple(Message(**warning) for warning in about.pop("warnings"))
    rows = table.to_pandas().astype({"start": "datetime64[s]"})  # Parquet has no seconds
    return Spend(rows=rows, problems=tuple(problems), warnings=warnings, **about)
