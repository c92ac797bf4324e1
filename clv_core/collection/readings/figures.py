"""What the kept rows amount to, and what about them a person should know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

import duckdb

from clv_core.collection.engine import fetch, file_text, one, text
from clv_core.collection.mapping.plan.cells import UNKNOWN, UNPRICED
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan, is_total
from clv_core.collection.readings.doubts import doubts
from clv_core.collection.vocabulary.row_types import is_no_sale
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    EVENT_TYPES,
    PURCHASE,
    QUANTITY,
    RETURN,
    UNIT_PRICE,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

MANY: Final = 0.05
"""Share of the discounted rows that free ones may have before the discount is doubted."""

MIXED_SCRIPTS: Final = r"[A-Za-z].*[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}].*[A-Za-z]"

ROUNDED_ID: Final = r"\d([.,]\d+)?[eE]\+\d+"
"""A long number as spreadsheets show it: its last digits are lost."""
MAX_ROUNDED: Final = 0.01
"""Share of the rows with such ids, above which a log is refused."""

SILENT_DAYS: Final = 3
MISSED_PURCHASES: Final = 20
"""Events without a purchase for so many days, where so many were usual, are a log whose purchases end early."""

FEW_ROWS, FEW_SHARE = 3, 0.001
FAR_DAYS, FAR_TIMES = 30, 5
"""So few rows, so many days and times the longest other pause away from the rest, are looked upon as mistyped dates."""

TOTAL_OFF: Final = 0.01
"""The share by which rows of totals may miss the sum of the others, which those of months and of all hold twice."""


MOST_KINDS: Final = 12
SLIP: Final = 100
"""Times the next largest amount that an amount has to be, before it looks like a slip."""
FEWEST_JUDGED: Final = 20
FEWEST_AMOUNTS: Final = 50
PARTS: Final = 20
FEWEST_PART: Final = 5
HALF: Final = 0.5
CENTS: Final = (20, 500)
"""Times that amounts rise where they are in cents from one row on, give or take what shops' prices do meanwhile."""


@dataclass(frozen=True)
class Figures:
    """Sums over the kept rows.

    Args:
        rows: kept rows.
        customers: distinct customers.
        purchases: purchase rows.
        returns: return rows.
        first_event: earliest event, UTC.
        last_event: latest event, UTC.
        log_start: local date of the first event.
        log_end: first local midnight after the last event.
        net_revenue: purchases and returns, to the cent.
        event_types: rows by event type.
        example_customer: one customer id.
    """

    rows: int
    customers: int
    purchases: int
    returns: int
    first_event: datetime
    last_event: datetime
    log_start: date
    log_end: date
    net_revenue: float
    event_types: dict[str, int]
    example_customer: str

    def recorded(self) -> dict[str, Any]:
        """Return what a manifest records of the kept rows, by its fields' names."""
        return {
            "rows_kept": self.rows,
            "customers": self.customers,
            "purchases": self.purchases,
            "first_event": self.first_event.isoformat(timespec="seconds") + "Z",
            "last_event": self.last_event.isoformat(timespec="seconds") + "Z",
            "log_start": self.log_start.isoformat(),
            "log_end": self.log_end.isoformat(),
            "net_revenue": self.net_revenue,
            "event_types": self.event_types,
        }


def figures(connection: duckdb.DuckDBPyConnection, events: Path, timezone: str, progress: Progress) -> Figures:
    """Return the sums; money is added in decimals, so that it is exact to the cent."""
    file = file_text(events)

    row = one(
        connection,
        f"SELECT count(*), min({EVENT_TIME}), max({EVENT_TIME}), {_local(f'min({EVENT_TIME})', timezone)},"
        f" {_local(f'max({EVENT_TIME})', timezone)} + 1, sum({AMOUNT}::DECIMAL(38, 6))"
        f" FILTER ({EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')), any_value({CUSTOMER_ID}) FROM {file}",
    )
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {CUSTOMER_ID} FROM {file})"
    customers = fetch(connection, distinct, progress, "figures")[0][0]
    types = connection.execute(
        f"SELECT {EVENT_TYPE}, count(*) FROM {file} GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 1000"
    ).fetchall()
    counts = {str(kind): int(rows) for kind, rows in types}
    return Figures(
        rows=int(row[0]),
        customers=int(customers),
        purchases=counts.get(PURCHASE, 0),
        returns=counts.get(RETURN, 0),
        first_event=row[1],
        last_event=row[2],
        log_start=row[3],
        log_end=row[4],
        net_revenue=round(float(row[5] or 0), 2),
        event_types=counts,
        example_customer=str(row[6]),
    )


def notices(
    connection: duckdb.DuckDBPyConnection, events: Path, plan: ReadingPlan, sums: Figures, source: str
) -> list[Message]:
    """Return warnings about what the kept rows of the file ``source`` hold.

    Raises:
        Refused: more than a few ids are rounded.
    """
    found: list[Message] = []
    settled = (
        one for one, kind in plan.values.items() if one == kind
    )  # by the person, or by what was found in the file
    known = {*EVENT_TYPES, UNKNOWN, UNPRICED, *settled}
    unknown = {kind: rows for kind, rows in sums.event_types.items() if kind not in known}
    if unknown:
        names = [f"{kind[:30]} ({rows:,})" for kind, rows in list(unknown.items())[:8]]
        params = {"types": names, "column": EVENT_TYPE} | _worth(connection, file_text(events), unknown, sums)
        found.append(Message("warning.other_event_types", params))
    if sums.event_types.get(UNKNOWN):
        found.append(Message("warning.no_event_type", {"rows": sums.event_types[UNKNOWN], "column": EVENT_TYPE}))
    if sums.event_types.get(UNPRICED):
        found.append(Message("warning.unpriced", {"rows": sums.event_types[UNPRICED], "column": AMOUNT}))
    file = file_text(events)
    odd = connection.execute(
        f"SELECT count(*), arg_min(id, id, 3) FROM (SELECT DISTINCT {CUSTOMER_ID} AS id FROM {file}"
        f" WHERE strlen({CUSTOMER_ID}) <> length({CUSTOMER_ID})) WHERE regexp_matches(id, {text(MIXED_SCRIPTS)})"
    ).fetchone()
    if odd and odd[0]:
        shown = [str(item).encode("unicode_escape").decode()[:40] for item in odd[1]]
        found.append(Message("warning.odd_ids", {"customers": int(odd[0]), "examples": shown}))
    found += _rounded_ids(connection, file, sums, source)
    found += _far_off(connection, file)
    found += doubts(connection, file, plan.chosen.get(AMOUNT, ""))
    found += _outlier(connection, file) + _cents_later(connection, file)
    amounts = one(
        connection,
        f"SELECT min({AMOUNT}), max({AMOUNT}), count(*), max({EVENT_TIME}), count(*) FILTER ({AMOUNT} = 0),"
        f" {_local(f'max({EVENT_TIME})', plan.time.timezone)} FROM {file} WHERE {EVENT_TYPE} = '{PURCHASE}'",
    )
    found += _early_end(sums, amounts[3], amounts[5])
    if amounts[4]:
        params = {"rows": int(amounts[4]), "share": int(amounts[4]) / int(amounts[2])}
        found.append(Message("warning.zero_purchases", params))
    if amounts[2] > 20 and amounts[0] == amounts[1]:
        found.append(Message("warning.constant_amount", {"amount": float(amounts[0])}))
    if QUANTITY in plan.chosen:
        rows = one(connection, f"SELECT count(*) FROM {file} WHERE {EVENT_TYPE} = '{PURCHASE}' AND {QUANTITY} <= 0")[0]
        if rows:
            found.append(Message("warning.odd_quantity", {"rows": int(rows), "column": plan.chosen[QUANTITY]}))
    if plan.discounted:
        found += _deep_discounts(connection, file, plan)
    money = plan.chosen.get(AMOUNT) or plan.chosen.get(UNIT_PRICE, "")
    if sums.net_revenue < 0 and sums.returns > max(sums.purchases, FEWEST_JUDGED):
        found.append(Message("warning.returns_mostly", {"rows": sums.returns, "column": money}))
    elif EVENT_TYPE not in plan.chosen and not plan.orders.returns and sums.returns:
        found.append(Message("warning.returns_found", {"rows": sums.returns}))
    return found


def _worth(connection: duckdb.DuckDBPyConnection, file: str, unknown: dict[str, int], sums: Figures) -> dict[str, Any]:
    """Return unknown kinds of rows with amounts, and net revenue without them, with each, and with all."""
    kinds = [kind for kind in unknown if not is_no_sale(kind)][:MOST_KINDS]
    worth = dict(
        connection.execute(
            f"SELECT {EVENT_TYPE}, sum({AMOUNT}) AS worth FROM {file} WHERE {EVENT_TYPE} IN (SELECT unnest(?))"
            " GROUP BY 1 HAVING worth <> 0 ORDER BY 1",
            [kinds],
        ).fetchall()
    )
    if not worth:
        return {}
    each = [round(sums.net_revenue + value, 2) for value in worth.values()]
    every = [round(sums.net_revenue + sum(worth.values()), 2)] if len(worth) > 1 else []
    return {"words": list(worth), "revenues": [sums.net_revenue, *each, *every]}


def _outlier(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where one amount is so many times the next largest that it looks like a slip."""
    amounts = f"SELECT abs({AMOUNT}) AS a FROM {file} WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')"
    rows, largest, second = one(
        connection,
        f"WITH amounts AS ({amounts}) SELECT count(*), max(a), max(a) FILTER (a < (SELECT max(a) FROM amounts))"
        " FROM amounts",
    )
    if rows < FEWEST_AMOUNTS or not second or largest < SLIP * second:
        return []
    params = {"amount": float(largest), "second": float(second), "times": float(largest / second)}
    return [Message("warning.outlier", params)]


def _cents_later(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where amounts have fractions in one part of the file and are whole and larger in the rest."""
    parts = connection.execute(
        "SELECT min(r), count(*), avg((a <> floor(a))::INT), approx_quantile(a, 0.5) FROM"
        f" (SELECT row_number() OVER () AS r, {AMOUNT} AS a, {EVENT_TYPE} AS kind FROM {file})"
        f" WHERE kind = '{PURCHASE}' AND a > 0"
        f" GROUP BY (r - 1) * {PARTS} // (SELECT count(*) FROM {file}) ORDER BY 1"
    ).fetchall()
    whole = [share == 0 for _, _, share, _ in parts]
    cut = whole.index(not whole[0]) if len(set(whole)) == 2 else 0
    if not cut or len(set(whole[cut:])) > 1 or parts[0][1] < FEWEST_PART:
        return []
    cents, others = (parts[:cut], parts[cut:]) if whole[0] else (parts[cut:], parts[:cut])
    if min(share for _, _, share, _ in others) < HALF:
        return []
    times = median(item[3] for item in cents) / median(item[3] for item in others)
    if not CENTS[0] < times < CENTS[1]:
        return []
    return [Message("warning.cents_later", {"row": int(parts[cut][0]), "times": times})]


def _local(time: str, timezone: str) -> str:
    """Return SQL for the day of a UTC time in the log's own zone."""
    return f"timezone({text(timezone)}, timezone('UTC', {time}))::DATE"


def _early_end(sums: Figures, last: datetime | None, day: date | None) -> list[Message]:
    """Return a warning where events go on after the last purchase for so long that many must be missing.

    Args:
        sums: of the log.
        last: time of its last purchase, UTC; None: there is none.
        day: the same in the log's own zone.
    """
    if last is None or day is None:
        return []
    days, before = (sums.last_event - last).days, max((last - sums.first_event).days, 1)
    missing = sums.purchases * days / before
    if days < SILENT_DAYS or missing < MISSED_PURCHASES:
        return []
    params = {"last": day.isoformat(), "days": days, "purchases": f"{missing:,.0f}"}
    return [Message("warning.purchases_end", params)]


def _far_off(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return warnings where a few rows lie far before or after all others: a mistyped year moves the log's end."""
    counted = connection.execute(
        f"SELECT {EVENT_TIME}::DATE AS day, count(*) FROM {file} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    most = max(FEW_ROWS, FEW_SHARE * sum(rows for _, rows in counted))
    return [*_far("warning.far_before", counted, most), *_far("warning.far_after", counted[::-1], most)]


def _far(code: str, counted: list[tuple[date, int]], most: float) -> list[Message]:
    """Return a warning where the first of some days hold few rows and lie far from the rest.

    Args:
        code: of the warning.
        counted: days with their rows, in order or the other way round.
        most: as many rows are few.
    """
    gaps = [abs((later - day).days) for (day, _), (later, _) in pairwise(counted)]
    rows = 0
    for place, gap in enumerate(gaps):
        rows += counted[place][1]
        if rows > most:
            break
        usual = max(gaps[place + 1 :], default=0)
        if usual and gap >= max(FAR_DAYS, FAR_TIMES * usual):
            params = {"rows": rows, "days": gap, "day": str(counted[place][0]), "others": str(counted[place + 1][0])}
            return [Message(code, params)]
    return []


def _rounded_ids(connection: duckdb.DuckDBPyConnection, file: str, sums: Figures, source: str) -> list[Message]:
    """Return a warning where a spreadsheet has made a few customers' ids the same.

    Raises:
        Refused: they are more than a few.
    """
    rows, ids, example = one(
        connection,
        f"SELECT count(*), count(DISTINCT {CUSTOMER_ID}), min({CUSTOMER_ID}) FROM {file}"
        f" WHERE contains({CUSTOMER_ID}, '+') AND regexp_full_match({CUSTOMER_ID}, {text(ROUNDED_ID)})",
    )
    if not rows:
        return []
    params = {"rows": rows, "customers": ids, "example": example[:40]}
    if rows > max(FEW_ROWS, MAX_ROUNDED * sums.rows):
        raise Refused("ids_rounded", file=source, every=sums.rows, **params)
    return [Message("warning.rounded_ids", params)]


def has_totals(connection: duckdb.DuckDBPyConnection, events: Path) -> bool:
    """Say whether customers are called totals and have bought about as much as all others together."""
    rows, theirs, rest = one(
        connection,
        "SELECT count(*) FILTER (total), sum(amount) FILTER (total), sum(amount) FILTER (NOT total) FROM"
        f" (SELECT {AMOUNT} AS amount, {is_total(CUSTOMER_ID)} AS total FROM {file_text(events)}"
        f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}'))",
    )
    return bool(rows and rest) and any(abs(theirs - times * rest) <= TOTAL_OFF * abs(rest) for times in (1, 2))


def _deep_discounts(connection: duckdb.DuckDBPyConnection, file: str, plan: ReadingPlan) -> list[Message]:
    """Return a warning where many discounts leave nothing of quantity x unit price: they may be percentages."""
    gross = f"{UNIT_PRICE} * {QUANTITY}" if QUANTITY in plan.chosen else UNIT_PRICE
    counts = f"count(*) FILTER (abs({DISCOUNT}) >= {gross}), count(*)"
    deep, known = one(connection, f"SELECT {counts} FROM {file} WHERE {DISCOUNT} <> 0 AND {gross} > 0")
    if deep <= MANY * known:
        return []
    params = {"column": plan.chosen[DISCOUNT], "rows": int(deep), "discounted": int(known)}
    return [Message("warning.deep_discounts", params)]
