"""The log that every foreign file holds, and how it is written as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from clv_core.collection.answers import Answers


@dataclass(frozen=True)
class Row:
    """One event of the log: money is negative where goods came back."""

    customer: str
    time: datetime
    amount: Decimal
    item: str
    note: str = ""


def log(notes: tuple[str, ...] = ("",), rows: int = 60, ids: str = "K{:04}") -> list[Row]:
    """Return a log of 13 customers; days run past the twelfth, hours past noon, amounts past a thousand."""
    start = datetime(2024, 1, 3, 8, 5, 9)
    made = []
    for i in range(rows):
        amount = Decimal((i * 7919) % 260_000 + 250) / 100 * (-1 if i % 17 == 5 else 1)
        time = start + timedelta(hours=31 * i, minutes=7 * i)
        made.append(Row(ids.format(i % 13), time, amount, f"sku-{i % 7}", notes[i % len(notes)]))
    return made


def plain(value: Decimal) -> str:
    return f"{value:.2f}"


def comma(value: Decimal) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


ENGLISH = ["customer_id", "event_time", "amount", "product_id", "note"]


def table(
    rows: list[Row],
    *,
    header: list[str] = ENGLISH,
    time: Callable[[datetime], str] | str = "%Y-%m-%d %H:%M:%S",
    money: Callable[[Decimal], str] = plain,
    delimiter: str = ",",
    end: str = "\n",
    quoting: int = csv.QUOTE_MINIMAL,
) -> str:
    """Return the log as delimited text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(header)
    for row in rows:
        moment = row.time.strftime(time) if isinstance(time, str) else time(row.time)
        writer.writerow([row.customer, moment, money(row.amount), row.item, row.note])
    return out.getvalue()


@dataclass(frozen=True)
class Foreign:
    """A file, what it holds, and what has to be said of it."""

    content: bytes
    rows: list[Row]
    name: str = "log.csv"
    answers: Answers = field(default_factory=Answers)
    aside: int = 0
    said: tuple[str, ...] = ()
