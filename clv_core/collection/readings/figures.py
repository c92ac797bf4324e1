"""What the kept rows amount to, and what about them a person should know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb

from clv_core.collection.engine import fetch, file_text, one, text
from clv_core.collection.mapping.plan.names import UNKNOWN, UNPRICED
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.readings.doubts import doubts
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

TOTALS: Final = (
    r"((grand |sub)?totals?|sum|(zwischen|gesamt)?summe|gesamt|итого|всего|sous-total|totale|totaal|toplam|ara toplam"
    r"|genel toplam|razem|suma|celkem|összesen|yhteensä|tổng( cộng)?|الإجمالي|المجموع|합계|총계|소계"
    r"|合计|总计|小计|合計|總計|総計|小計)(\PL.*)?"
)
"""What rows of totals are called, alone or before what they are the totals of: Summe 01.2023."""
TOTAL_OFF: Final = 0.01
"""The share by which rows of totals may miss the sum of the others, which those of months and of all hold twice."""


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
        found.append(Message("warning.other_event_types", {"types": names, "column": EVENT_TYPE}))
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
    found += _totals(connection, file) + _far_off(connection, file)
    found += doubts(connection, file, plan.chosen.get(AMOUNT, ""))
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
    if EVENT_TYPE not in plan.chosen and not plan.orders.returns and sums.returns:
        found.append(Message("warning.returns_found", {"rows": sums.returns}))
    return found


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


def _totals(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where customers are called totals and have bought about as much as all others together."""
    rows, customers, theirs, rest, called = one(
        connection,
        f"SELECT count(*) FILTER (total), count(DISTINCT {CUSTOMER_ID}) FILTER (total), sum({AMOUNT}) FILTER (total),"
        f" sum({AMOUNT}) FILTER (NOT total), min({CUSTOMER_ID}) FILTER (total) FROM (SELECT {CUSTOMER_ID}, {AMOUNT},"
        f" regexp_full_match(lower(trim({CUSTOMER_ID}, ' :：')), {text(TOTALS)}) AS total FROM {file}"
        f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}'))",
    )
    if not rows or not rest or all(abs(theirs - times * rest) > TOTAL_OFF * abs(rest) for times in (1, 2)):
        return []
    params = {"rows": rows, "customer": called[:40], "amount": float(theirs)}
    if customers == 1:
        return [Message("warning.totals_row", params)]
    return [Message("warning.totals_rows", params | {"customers": customers})]


def _deep_discounts(connection: duckdb.DuckDBPyConnection, file: str, plan: ReadingPlan) -> list[Message]:
    """Return a warning where many discounts leave nothing of quantity x unit price: they may be percentages."""
    gross = f"{UNIT_PRICE} * {QUANTITY}" if QUANTITY in plan.chosen else UNIT_PRICE
    counts = f"count(*) FILTER (abs({DISCOUNT}) >= {gross}), count(*)"
    deep, known = one(connection, f"SELECT {counts} FROM {file} WHERE {DISCOUNT} <> 0 AND {gross} > 0")
    if deep <= MANY * known:
        return []
    params = {"column": plan.chosen[DISCOUNT], "rows": int(deep), "discounted": int(known)}
    return [Message("warning.deep_discounts", params)]
