"""What the kept rows of a file hold that a person should know: unknown events, odd ids, mistyped dates and amounts.

Most checks are one entry of :data:`CHECKS`: a code and a query whose one row, if it has any, gives the parameters of
the warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, local_time, one, text
from clv_core.collection.infer.plan.cells import UNKNOWN, UNPRICED
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.rows.log_summary import LogSummary
from clv_core.collection.vocabulary.order_statuses import is_no_sale
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
from clv_core.records import JsonObject

MIXED_SCRIPTS: Final = r"[A-Za-z].*[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}].*[A-Za-z]"
ROUNDED_ID: Final = r"\d([.,]\d+)?[eE]\+\d+"
"""A long number as spreadsheets show it: its last digits are lost."""
MAX_ROUNDED: Final = 0.01
"""Share of the rows with such ids, above which a log is refused."""
MIN_SILENT_DAYS: Final = 3
"""Days at the end of a log without a purchase that may be a long weekend."""
MISSED_PURCHASES: Final = 20
"""Purchases that these days would have had at the usual rate, from which on they are missing (a guess)."""
MAX_ODD_ROWS, MAX_ODD_SHARE = 3, 0.001
"""Rows, or the share of all rows, that may be slips: of more, a log has a reason for them (a guess)."""
FAR_DAYS, FAR_TIMES = 30, 5
"""So few rows, so many days and times the longest other pause from the rest, are mistyped dates (a guess)."""
MAX_TYPES: Final = 12
"""Unknown event types whose revenue is shown: more do not fit a form."""
MIN_RETURNS: Final = 20
"""Returns without which a log that has more of them than purchases is only short (a guess)."""
PARTS: Final = 20
"""Parts of a file whose amounts are compared: the row where cents begin is as exact as a part is long."""
MIN_PART: Final = 5
"""Purchases of the first part without which its median means nothing (a guess)."""
MIN_FRACTIONS: Final = 0.5
"""Share of amounts with fractions from which on integers elsewhere are no accident (a guess)."""
CENTS: Final = (20, 500)
"""Times that amounts rise where they are in cents from one row on, give or take what shops' prices do meanwhile."""

PURCHASES: Final = f"(SELECT * FROM {{file}} WHERE {EVENT_TYPE} = '{PURCHASE}')"


@dataclass(frozen=True)
class QualityCheck:
    """A check of the kept rows.

    Args:
        code: of the warning, without ``warning.``.
        query: SQL with ``{file}`` for the rows; its columns are the warning's parameters, and without a row there is
            none.
        column: the canonical column that the file must have mapped; its source column is a parameter, too.
    """

    code: str
    query: str
    column: str = ""


CHECKS: Final = (
    # Four purchases of a customer, each larger than the one before it: of amounts as they come, one customer in 24.
    # ``days``: purchases at one time are one; ``steps``: whether each is larger; ``people``: whether all of one's are.
    QualityCheck(
        "running_totals",
        f"WITH days AS (SELECT {CUSTOMER_ID} AS id, {EVENT_TIME} AS time, max({AMOUNT}) AS worth FROM"
        f" (SELECT * FROM {PURCHASES} WHERE {AMOUNT} > 0 LIMIT 200000) GROUP BY 1, 2),"
        " steps AS (SELECT id, worth > lag(worth) OVER (PARTITION BY id ORDER BY time) AS rises FROM days),"
        " people AS (SELECT bool_and(rises) AS rises FROM steps GROUP BY id HAVING count(*) >= 4)"
        " SELECT count(*) AS customers, count(*) FILTER (rises) AS rising FROM people"
        " HAVING customers >= 10 AND rising >= 0.95 * customers",
        AMOUNT,
    ),
    # Suppliers, fees, other accounts: people who never bought, and get more than 3% of all sales. From the inside: sums
    # by customer, sums of those without a purchase, their share of all sales.
    QualityCheck(
        "returns_only",
        "SELECT customers, amount, amount / sold AS share FROM (SELECT count(*) FILTER (bought = 0) AS customers,"
        " -sum(back) FILTER (bought = 0) AS amount, sum(worth) AS sold FROM"
        f" (SELECT count(*) FILTER ({EVENT_TYPE} = '{PURCHASE}') AS bought, sum({AMOUNT}) FILTER ({EVENT_TYPE} ="
        f" '{RETURN}') AS back, sum({AMOUNT}) FILTER ({EVENT_TYPE} = '{PURCHASE}') AS worth FROM {{file}}"
        f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') GROUP BY {CUSTOMER_ID}))"
        " WHERE customers >= 3 AND sold <> 0 AND amount >= 0.03 * sold",
    ),
    # One id for many people: it bought 20 times as often as the next of 20 customers or more. ``buyers``: rows by
    # customer; ``top``: the first two; ``times``: their times of purchase, as lines of one order are one.
    QualityCheck(
        "many_in_one",
        f"WITH buyers AS (SELECT {CUSTOMER_ID} AS id, count(*) AS rows FROM {PURCHASES} GROUP BY 1),"
        " top AS (SELECT *, count(*) OVER () AS people, sum(rows) OVER () AS every,"
        " row_number() OVER (ORDER BY rows DESC, id) AS rank FROM buyers QUALIFY rank <= 2),"
        f" times AS (SELECT {CUSTOMER_ID} AS id, count(DISTINCT {EVENT_TIME}) AS times FROM {PURCHASES}"
        f" WHERE {CUSTOMER_ID} IN (SELECT id FROM top) GROUP BY 1),"
        " pair AS (SELECT * FROM top JOIN times USING (id))"
        ' SELECT left(a.id, 40) AS customer, a.times AS purchases, b.times AS "next", a.rows / a.every AS share'
        " FROM pair a JOIN pair b ON a.rank = 1 AND b.rank = 2"
        " WHERE a.people >= 20 AND a.rows >= 0.05 * a.every AND a.times >= 20 * b.times",
    ),
    # One amount 100 times the second largest (a guess). From the inside: amounts, the largest of them next to each, the
    # largest and the second.
    QualityCheck(
        "outlier",
        "SELECT amount, second, amount / second AS times FROM (SELECT count(*) AS rows, max(worth) AS amount,"
        " max(worth) FILTER (worth < largest) AS second FROM (SELECT *, max(worth) OVER () AS largest FROM"
        f" (SELECT abs({AMOUNT}) AS worth FROM {{file}} WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}'))))"
        " WHERE rows >= 50 AND second > 0 AND amount >= 100 * second",
    ),
)
AMOUNT_CHECKS: Final = (
    QualityCheck(
        "zero_purchases",
        f'SELECT count(*) FILTER ({AMOUNT} = 0) AS "rows", count(*) FILTER ({AMOUNT} = 0) / count(*) AS share'
        f' FROM {PURCHASES} HAVING "rows" > 0',
    ),
    QualityCheck(
        "constant_amount",
        f"SELECT min({AMOUNT}) AS amount FROM {PURCHASES} HAVING count(*) > 20 AND min({AMOUNT}) = max({AMOUNT})",
    ),
    QualityCheck(
        "odd_quantity",
        f'SELECT count(*) AS "rows" FROM {PURCHASES} WHERE {QUANTITY} <= 0 HAVING count(*) > 0',
        QUANTITY,
    ),
)
ODD_IDS: Final = QualityCheck(
    "odd_ids",
    f"SELECT count(*) AS customers, arg_min(id, id, 3) AS examples FROM (SELECT DISTINCT {CUSTOMER_ID} AS id FROM"
    f" {{file}} WHERE strlen({CUSTOMER_ID}) <> length({CUSTOMER_ID}))"
    f" WHERE regexp_matches(id, {text(MIXED_SCRIPTS.replace('{', '{{').replace('}', '}}'))}) HAVING customers > 0",
)
ROUNDED_IDS: Final = QualityCheck(
    "rounded_ids",
    f'SELECT count(*) AS "rows", count(DISTINCT {CUSTOMER_ID}) AS customers, left(min({CUSTOMER_ID}), 40) AS example'
    f" FROM {{file}} WHERE contains({CUSTOMER_ID}, '+') AND regexp_full_match({CUSTOMER_ID}, {text(ROUNDED_ID)})"
    ' HAVING "rows" > 0',
)
DEEP_DISCOUNTS: Final = QualityCheck(
    "deep_discounts",
    f'SELECT count(*) FILTER (abs({DISCOUNT}) >= gross) AS "rows", count(*) AS discounted FROM'
    f" (SELECT {DISCOUNT}, {UNIT_PRICE} * {{quantity}} AS gross FROM {{file}}) WHERE {DISCOUNT} <> 0 AND gross > 0"
    ' HAVING "rows" > 0.05 * discounted',
    DISCOUNT,
)
"""Many discounts leave nothing of quantity x unit price: they may be percentages."""


def check_quality(
    connection: duckdb.DuckDBPyConnection, events: Path, plan: ReadingPlan, summary: LogSummary, source: str
) -> list[Message]:
    """Return warnings about what the kept rows of the file ``source`` hold.

    Raises:
        Refused: more than a few ids are rounded.
    """
    file = file_text(events)

    def run(*checks: QualityCheck) -> list[Message]:
        """Return the warnings of some checks."""
        warnings = []
        for check in checks:
            if check.column and not plan.column_of.get(check.column):
                continue
            query = check.query.format(file=file, quantity=QUANTITY if QUANTITY in plan.column_of else 1)
            result = connection.execute(query)
            names = [item[0] for item in result.description or ()]
            column = {"column": plan.column_of[check.column]} if check.column else {}
            warnings += [
                Message(f"warning.{check.code}", {**dict(zip(names, row, strict=True)), **column})
                for row in result.fetchall()
            ]
        return warnings

    warnings = _unknown_types(connection, file, plan, summary)
    for kind, code, column in ((UNKNOWN, "no_event_type", EVENT_TYPE), (UNPRICED, "unpriced", AMOUNT)):
        if summary.event_types.get(kind):
            warnings.append(Message(f"warning.{code}", {"rows": summary.event_types[kind], "column": column}))
    for odd in run(ODD_IDS):
        shown = [str(item).encode("unicode_escape").decode()[:40] for item in odd.params["examples"]]
        warnings.append(Message(odd.code, {**odd.params, "examples": shown}))
    for rounded in run(ROUNDED_IDS):
        if rounded.params["rows"] > max(MAX_ODD_ROWS, MAX_ROUNDED * summary.rows):
            raise Refused("ids_rounded", file=source, every=summary.rows, **rounded.params)
        warnings.append(rounded)
    warnings += _far_dates(connection, file) + run(*CHECKS) + _cents_later(connection, file)
    warnings += _purchases_end(connection, file, plan.time.timezone, summary) + run(*AMOUNT_CHECKS)
    if plan.discounted:
        warnings += run(DEEP_DISCOUNTS)
    if summary.net_revenue < 0 and summary.returns > max(summary.purchases, MIN_RETURNS):
        money = plan.column_of.get(AMOUNT) or plan.column_of.get(UNIT_PRICE, "")
        warnings.append(Message("warning.returns_mostly", {"rows": summary.returns, "column": money}))
    elif EVENT_TYPE not in plan.column_of and not plan.orders.returns and summary.returns:
        warnings.append(Message("warning.returns_found", {"rows": summary.returns}))
    return warnings


def _unknown_types(
    connection: duckdb.DuckDBPyConnection, file: str, plan: ReadingPlan, summary: LogSummary
) -> list[Message]:
    """Return a warning of unknown event types; with amounts, net revenue without them, with each, and with all, too."""
    settled = (kind for kind, meaning in plan.values.items() if kind == meaning)  # by the person, or the file
    handled = {*EVENT_TYPES, UNKNOWN, UNPRICED, *settled}
    unknown = {kind: rows for kind, rows in summary.event_types.items() if kind not in handled}
    if not unknown:
        return []
    params: JsonObject = {"types": [f"{kind[:30]} ({rows:,})" for kind, rows in list(unknown.items())[:8]]}
    query = (
        f"SELECT {EVENT_TYPE}, sum({AMOUNT}) AS worth FROM {file} WHERE {EVENT_TYPE} IN (SELECT unnest(?))"
        " GROUP BY 1 HAVING worth <> 0 ORDER BY 1"
    )
    kinds = [kind for kind in unknown if not is_no_sale(kind)][:MAX_TYPES]
    worth = dict(connection.execute(query, [kinds]).fetchall())
    if worth:
        sums = [0.0, *worth.values(), *([sum(worth.values())] if len(worth) > 1 else [])]
        params |= {"words": list(worth), "revenues": [round(summary.net_revenue + value, 2) for value in sums]}
    return [Message("warning.other_event_types", {**params, "column": EVENT_TYPE})]


def _far_dates(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return warnings where a few rows lie far before or after all others: a mistyped year moves the log's end."""
    query = f"SELECT {EVENT_TIME}::DATE AS day, count(*) FROM {file} GROUP BY 1 ORDER BY 1"
    days: list[tuple[date, int]] = connection.execute(query).fetchall()
    most = max(MAX_ODD_ROWS, MAX_ODD_SHARE * sum(rows for _, rows in days))
    warnings = []
    for ordered in (days, days[::-1]):
        gaps = [abs((later - day).days) for (day, _), (later, _) in pairwise(ordered)]
        rows = 0
        for place, gap in enumerate(gaps):
            rows += ordered[place][1]
            usual = max(gaps[place + 1 :], default=0)
            if rows > most:
                break
            if usual and gap >= max(FAR_DAYS, FAR_TIMES * usual):
                shown = {"day": str(ordered[place][0]), "others": str(ordered[place + 1][0])}
                warnings.append(Message("warning.far_dates", {"rows": rows, "days": gap, **shown}))
                break
    return warnings


def _cents_later(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where amounts have fractions in one part of the file and are larger integers in the rest.

    The inner query numbers the rows in the file's order; the outer one returns, for each of :data:`PARTS` equal parts,
    its first row, purchases, share of fractions and median.
    """
    parts = connection.execute(
        "SELECT min(r), count(*), avg((a <> floor(a))::INT), approx_quantile(a, 0.5) FROM"
        f" (SELECT row_number() OVER () AS r, {AMOUNT} AS a, {EVENT_TYPE} AS kind FROM {file})"
        f" WHERE kind = '{PURCHASE}' AND a > 0"
        f" GROUP BY (r - 1) * {PARTS} // (SELECT count(*) FROM {file}) ORDER BY 1"
    ).fetchall()
    integers = [share == 0 for _, _, share, _ in parts]
    cut = integers.index(not integers[0]) if len(set(integers)) == 2 else 0
    if not cut or len(set(integers[cut:])) > 1 or parts[0][1] < MIN_PART:
        return []
    cents, units = (parts[:cut], parts[cut:]) if integers[0] else (parts[cut:], parts[:cut])
    times = median(item[3] for item in cents) / median(item[3] for item in units)
    if min(share for _, _, share, _ in units) < MIN_FRACTIONS or not CENTS[0] < times < CENTS[1]:
        return []
    return [Message("warning.cents_later", {"row": int(parts[cut][0]), "times": times})]


def _purchases_end(
    connection: duckdb.DuckDBPyConnection, file: str, timezone: str, summary: LogSummary
) -> list[Message]:
    """Return a warning where events continue after the last purchase for so long that many must be missing."""
    last, day = one(
        connection,
        f"SELECT max({EVENT_TIME}), {local_time(f'max({EVENT_TIME})', timezone)}::DATE FROM {file}"
        f" WHERE {EVENT_TYPE} = '{PURCHASE}'",
    )
    if last is None:
        return []
    days, before = (summary.last_event - last).days, max((last - summary.first_event).days, 1)
    missing = summary.purchases * days / before
    if days < MIN_SILENT_DAYS or missing < MISSED_PURCHASES:
        return []
    return [Message("warning.purchases_end", {"last": day.isoformat(), "days": days, "purchases": f"{missing:,.0f}"})]
