"""What was spent on winning customers, split by month, and what a person says about its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.rows.rejected_rows import Problem
from clv_core.columns import CHANNEL
from clv_core.errors import Message, Refused

DAY, END, CAMPAIGN, SPEND, CURRENCY = "day", "last_day", "campaign", "spend", "currency"
COLUMNS: Final = (DAY, END, CHANNEL, CAMPAIGN, SPEND, CURRENCY)
"""What a column of a spend table can be; a day, a sum, and a channel (of each row, or of the file) are needed."""
PERIODS: Final = ("day", "week", "month")


@dataclass(frozen=True)
class SpendSettings:
    """What a person says about a spend table; all of it may be left out.

    Args:
        columns: meaning (of :data:`COLUMNS`) -> column of the file.
        channel: of all rows, where no column names it.
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


@dataclass(frozen=True, eq=False)
class Spend:
    """What was spent.

    Args:
        file: its name.
        rows: ``start`` (datetime64[D]), ``days`` (that the row is about), ``channel``, ``campaign`` ("" unknown) and
            ``amount``, one row a row that is kept.
        currency: code; empty where neither the file nor the person says it.
        rows_read: kept and rejected.
        problems: rejected rows by reason, with line and text of the first.
        recipe: title of the platform whose export it is; empty for another table.
        warnings: what has to be said about the reading.
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

    def to_json(self) -> dict[str, Any]:
        """Return what was read, in counts and sums."""
        return {
            "file": self.file,
            "recipe": self.recipe,
            "currency": self.currency,
            "rows_read": self.rows_read,
            "rows_kept": len(self.rows),
            "rows_rejected": {problem.reason: problem.rows for problem in self.problems},
            "total": round(self.total, 2),
        }

    @classmethod
    def together(cls, tables: Sequence[Spend]) -> Spend:
        """Return several tables as one.

        Raises:
            Refused: they are in different currencies.
        """
        found = sorted({table.currency for table in tables if table.currency})
        if len(found) > 1:
            raise Refused("spend_currencies", file=", ".join(table.file for table in tables), found=found)
        return cls(
            file=", ".join(table.file for table in tables),
            rows=pd.concat([table.rows for table in tables], ignore_index=True),
            currency=found[0] if found else "",
            rows_read=sum(table.rows_read for table in tables),
            problems=tuple(problem for table in tables for problem in table.problems),
            recipe=", ".join(dict.fromkeys(table.recipe for table in tables if table.recipe)),
            warnings=tuple(message for table in tables for message in table.warnings),
        )

    def by_month(self, start: date, stop: date) -> tuple[pd.DataFrame, float]:
        """Return the spend of each channel, campaign and month from ``start`` to before ``stop``, and all other spend.

        A row of several days counts evenly on each.
        """
        first = self.rows["start"].to_numpy("datetime64[D]")
        days = self.rows["days"].to_numpy(np.int64)
        last = first + days
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

    def span(self, start: date, stop: date) -> tuple[np.datetime64, np.datetime64]:
        """Return the first day from ``start`` on that a row is about, and the first behind the last before ``stop``."""
        first = self.rows["start"].to_numpy("datetime64[D]")
        last = first + self.rows["days"].to_numpy(np.int64)
        return max(first.min(), np.datetime64(start, "D")), min(last.max(), np.datetime64(stop, "D"))
