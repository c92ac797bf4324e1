"""Purchases that a later file has again in another form: other times, other amounts, other customers' ids.

Equal rows are one purchase (:mod:`clv_core.collection.merge.overlap`), and orders with ids are updated by them
(:mod:`clv_core.collection.merge.order_updates`). What is left is compared by customer and day, for which neither a
clock nor a rounding matters: how many purchases both have, and what they come to. One ratio of the sums over most of
the days that both cover (1, a tax, a rate of exchange, a unit) is no chance. Nor are equal numbers of purchases, where
no order ids distinguish them. The same times and amounts under ids that hardly overlap are the same customers.

The rows in question are in two temporary tables: ``repeated_new`` (position in the file) and ``repeated_old`` (file of
the log and position).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import local_time
from clv_core.collection.merge.order_updates import MIN_COMPLETE, MIN_REPEATED, select_lines
from clv_core.collection.merge.overlap import FILE, MIN_ROWS, MIN_SHARED_CUSTOMERS, POSITION, MergeStep
from clv_core.collection.rows.voided_orders import LINE, ORDER
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, PURCHASE, RETURN

MIN_DAYS: Final = 3
"""Customers' days that must agree: two may agree by chance (tests/bench/second_files.py has files of 5 rows)."""
MIN_SHARE: Final = 0.5
"""Share of what both cover that must agree (tests/bench/second_files.py: 40 of 40 asked, 1 of 40 honest)."""
SAME_RATIO: Final = 0.02
"""How far one ratio may vary: a rate of exchange moves by about so much within a month."""
MAX_SLACK: Final = 0.1
"""Of a sum, beyond which rounding would make any two agree (a guess)."""
MIN_SAME_ROWS: Final = 0.8
"""Share of a file's purchases under other ids, at times and amounts of the log's; the rest may be new (a guess)."""
ZONE_STEP: Final = 900
"""Seconds: offsets of time zones are multiples of 15 minutes."""
MAX_OFFSET: Final = "INTERVAL 26 HOUR"
"""As far as two time zones are apart."""
MIN_NEAR: Final = 10
"""Lines of orders near the log's: fewer may be other lines of the same orders, and those of one day are looked at."""
CENT: Final = 0.01
"""Differences of amounts that are roundings."""
MAX_SAMPLE: Final = 2_000
"""Purchases by which an offset of times is looked for: enough for a share, and a join of bounded size."""
MAX_PAIRS: Final = 10_000
"""Pairs of one customer's purchases of a day that are held against each other."""
MONEY: Final = f"{EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') AND {AMOUNT} <> 0"


@dataclass(frozen=True)
class RepeatedPurchases:
    """Purchases and returns of a file that the log seems to have in another form.

    Args:
        rows: how many of the file's.
        before: what the log's come to.
        after: what the file's come to.
        orders: of how many orders, where ids of orders show it.
        ratio: of the file's amounts to the log's, where there is one.
        is_update: whether the log's are plainly earlier states of the file's.
        other_customers: whether they are under other customers' ids.
    """

    rows: int = 0
    before: float = 0.0
    after: float = 0.0
    orders: int = 0
    ratio: float | None = None
    is_update: bool = False
    other_customers: bool = False


def find_changed_orders(step: MergeStep) -> RepeatedPurchases:
    """Look for lines of orders that a file and a log both have, with other amounts or times.

    Where most of the file's lines in the span that both cover are the log's up to :data:`MAX_OFFSET` apart, these are;
    else those of the same day. Lines that differ in their times alone are updates.

    Args:
        step: the file and the log, of which equal rows are marked.
    """
    if not {CUSTOMER_ID, EVENT_TYPE, AMOUNT, ORDER_ID} <= set(step.common):
        return RepeatedPurchases()
    line = [column for column in LINE if column in step.common]
    new = f"SELECT * FROM ({select_lines(step.new_rows, line)}) WHERE {POSITION} NOT IN (FROM {step.present})"
    step.run(f"CREATE OR REPLACE TEMP TABLE new_lines AS {new}")
    begin, end = (f"(SELECT {edge}({EVENT_TIME}) FROM new_lines)" for edge in ("min", "max"))
    window = f"{EVENT_TIME} BETWEEN {begin} - {MAX_OFFSET} AND {end} + {MAX_OFFSET}"
    step.run(
        f"CREATE OR REPLACE TEMP TABLE old_lines AS SELECT * FROM ({select_lines(step.old_rows, line)}) WHERE {window}"
    )
    same = " AND ".join(f"n.{column} = o.{column}" for column in line)
    step.run(  # each new line with the nearest old one, which is one new line's at most
        f"CREATE OR REPLACE TEMP TABLE near_lines AS SELECT n.{POSITION} AS position, o.{FILE}, o.{POSITION}"
        f" FROM new_lines n ASOF JOIN old_lines o ON {same} AND n.{EVENT_TIME} + {MAX_OFFSET} >= o.{EVENT_TIME}"
        f" WHERE o.{EVENT_TIME} >= n.{EVENT_TIME} - {MAX_OFFSET}"
        f" QUALIFY row_number() OVER (PARTITION BY o.{FILE}, o.{POSITION} ORDER BY n.{EVENT_TIME}) = 1"
    )
    span = (
        f"{EVENT_TIME} BETWEEN (SELECT min({EVENT_TIME}) FROM old_lines) AND (SELECT max({EVENT_TIME}) FROM old_lines)"
    )
    # Inner: whether a new line is in the log's span, and has a near old line. Outer: both counted.
    inside, near = step.one(
        f"SELECT count(*) FILTER (inside), count(*) FILTER (inside AND near) FROM (SELECT *, {span} AS inside,"
        f" {POSITION} IN (SELECT position FROM near_lines) AS near FROM new_lines)"
    )
    is_near, day = near >= MIN_NEAR and near > MIN_REPEATED * inside, f"{', '.join(line)}, {EVENT_TIME}::DATE"
    if is_near:
        new, old = f"SELECT position AS {POSITION} FROM near_lines", f"SELECT {FILE}, {POSITION} FROM near_lines"
    else:
        new = f"SELECT {POSITION} FROM new_lines WHERE ({day}) IN (SELECT {day} FROM old_lines)"
        old = f"SELECT {FILE}, {POSITION} FROM old_lines WHERE ({day}) IN (SELECT {day} FROM new_lines)"
    _keep_tables(step, new, old)
    rows, after = step.one(_sums("new_lines", POSITION, "repeated_new"))
    old_rows, before, orders = step.one(_sums("old_lines", f"({FILE}, {POSITION})", "repeated_old", ORDER))
    only_times = is_near and rows == old_rows and abs(after - before) < CENT
    return RepeatedPurchases(rows, before, after, orders, is_update=only_times)


def find_repeated_purchases(step: MergeStep, timezones: tuple[str, str]) -> RepeatedPurchases:
    """Look for purchases that a file and a log both have, once equal rows and updates of orders are marked.

    Args:
        step: the file and the log.
        timezones: in which days begin, IANA: of the log, and of the new file.
    """
    if not {CUSTOMER_ID, EVENT_TYPE, AMOUNT} <= set(step.common) or not _select_unmatched(step, timezones):
        return RepeatedPurchases()
    return _other_customers(step) or _same_customers(step, timezones[1])


def _select_unmatched(step: MergeStep, timezones: tuple[str, str]) -> bool:
    """Make tables of the purchases that are not matched yet, and return whether the file has any in the log's days.

    ``unmatched_new``: those that the log has not, with ``day`` as the log's customers would have lived it.
    ``window_old``: the log's in the file's span but those whose order the file has; ``copy`` numbers equal ones.
    """
    shown = f"{POSITION}, {CUSTOMER_ID}, {EVENT_TYPE}, {EVENT_TIME}, {AMOUNT}"
    outside, new_zone, old_zone = "true", timezones[1], timezones[0]
    if ORDER_ID in step.common:
        outside = f"({ORDER_ID} IS NULL OR ({ORDER}) NOT IN (SELECT {ORDER} FROM {{}} WHERE {ORDER_ID} IS NOT NULL))"
    step.run(
        f"CREATE OR REPLACE TEMP TABLE unmatched_new AS SELECT {shown}, {local_time(EVENT_TIME, new_zone)}::DATE AS day"
        f" FROM {step.new_rows} WHERE {MONEY} AND {POSITION} NOT IN (FROM {step.present})"
        f" AND {outside.format(step.old_rows)}"
    )
    low, high = step.one(f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM unmatched_new")
    if low is None:
        return False
    day = f"{local_time(EVENT_TIME, old_zone)}::DATE"
    near = f"{EVENT_TIME} BETWEEN TIMESTAMP '{low}' - {MAX_OFFSET} AND TIMESTAMP '{high}' + {MAX_OFFSET}"
    step.run(
        f"CREATE OR REPLACE TEMP TABLE window_old AS SELECT {FILE}, {shown}, {day} AS day, row_number() OVER"
        f" (PARTITION BY {CUSTOMER_ID}, {day}, {EVENT_TYPE}, {AMOUNT} ORDER BY {FILE}, {POSITION}) AS copy"
        f" FROM {step.old_rows} WHERE {MONEY} AND {near} AND {outside.format(step.new_rows)}"
        f" AND ({FILE}, {POSITION}) NOT IN (FROM {step.superseded})"
    )
    # Of equal purchases of a day, the log's are taken by those of the file that are there already.
    step.run(
        f"CREATE OR REPLACE TEMP TABLE unmatched_old AS SELECT o.* EXCLUDE copy FROM window_old o LEFT JOIN ("
        f"SELECT {CUSTOMER_ID}, {local_time(EVENT_TIME, new_zone)}::DATE AS day, {EVENT_TYPE}, {AMOUNT}, count(*) AS n"
        f" FROM {step.new_rows} WHERE {MONEY} AND {POSITION} IN (FROM {step.present}) GROUP BY ALL)"
        f" USING ({CUSTOMER_ID}, day, {EVENT_TYPE}, {AMOUNT}) WHERE copy > coalesce(n, 0)"
    )
    (count,) = step.one("SELECT count(*) FROM unmatched_old")
    if count and (seconds := _offset(step)):
        moved = f"{EVENT_TIME} - INTERVAL ({seconds}) SECOND"
        step.run(f"UPDATE unmatched_new SET {EVENT_TIME} = {moved}, day = {local_time(moved, old_zone)}::DATE")
    return bool(count)


def _offset(step: MergeStep) -> int:
    """Return by how many seconds the file's clock is ahead of the log's: what most purchases show, 0 where none.

    Purchases after the log's end, which may come a day later at the same time, do not show it.

    ``pairs`` joins a sample of the file's purchases with the customer's in the log nearby; the outer query returns the
    difference of times that the largest share of the sample has.
    """
    edges = (f"(SELECT {edge}({EVENT_TIME}) FROM unmatched_old)" for edge in ("min", "max"))
    pairs = (
        f"SELECT n.{POSITION} AS position, epoch(n.{EVENT_TIME} - o.{EVENT_TIME})::BIGINT AS apart,"
        f" n.{EVENT_TIME} BETWEEN {' AND '.join(edges)} AS inside"
        f" FROM (FROM unmatched_new ORDER BY hash({POSITION}) LIMIT {MAX_SAMPLE}) n"
        f" JOIN unmatched_old o USING ({CUSTOMER_ID}, {EVENT_TYPE})"
        f" WHERE o.{EVENT_TIME} BETWEEN n.{EVENT_TIME} - {MAX_OFFSET} AND n.{EVENT_TIME} + {MAX_OFFSET}"
    )
    row = step.connection.execute(
        f"WITH pairs AS ({pairs}) SELECT apart, count(DISTINCT position) FILTER (inside)"
        " / (SELECT count(DISTINCT position) FROM pairs) AS share"
        " FROM pairs GROUP BY apart ORDER BY share DESC, abs(apart) LIMIT 1"
    ).fetchone()
    return int(row[0]) if row and row[1] > MIN_SHARE and row[0] % ZONE_STEP == 0 else 0


def _other_customers(step: MergeStep) -> RepeatedPurchases | None:
    """Return the purchases that most of the file's in the log's span are, but for the customer; None where few are."""
    span = "day BETWEEN (SELECT min(day) FROM unmatched_old) AND (SELECT max(day) FROM unmatched_old)"
    rows, customers, shared = step.one(
        f"SELECT count(*), count(DISTINCT {CUSTOMER_ID}), count(DISTINCT {CUSTOMER_ID}) FILTER ({CUSTOMER_ID} IN"
        f" (SELECT {CUSTOMER_ID} FROM {step.old_rows})) FROM unmatched_new WHERE {span}"
    )
    if rows < MIN_DAYS or shared > MIN_SHARED_CUSTOMERS * customers:
        return None
    key = f"{EVENT_TIME}, {EVENT_TYPE}, {AMOUNT}"
    copies = f"row_number() OVER (PARTITION BY {key} ORDER BY {{}}{POSITION}) AS copy"
    pairs = (
        f"(SELECT *, {copies.format('')} FROM unmatched_new) n"
        f" JOIN (SELECT *, {copies.format(FILE + ', ')} FROM unmatched_old) o USING ({key}, copy)"
    )
    if step.one(f"SELECT count(*) FROM {pairs}")[0] < MIN_SAME_ROWS * rows:
        return None
    _keep_tables(step, f"SELECT n.{POSITION} FROM {pairs}", f"SELECT o.{FILE}, o.{POSITION} FROM {pairs}")
    return _repeated(step, ratio=1.0, other_customers=True)


DAY: Final = f"{CUSTOMER_ID}, day, {EVENT_TYPE}"
"""What is compared: a customer's purchases of a day, and returns."""


def _same_customers(step: MergeStep, timezone: str) -> RepeatedPurchases:
    """Return the purchases of customers' days that both have, where one ratio or equal numbers show them to be one.

    So do days that the file else repeats exactly: what is left of a day on both sides was corrected.
    """
    _compare_days(step)
    shared, ratio, equal_counts, equal_sums, agreeing = step.one(
        "SELECT count(*), any_value(ratio), count(*) FILTER (n_new = n_old), count(*) FILTER (is_equal),"
        " count(*) FILTER (agrees) FROM shared_days"
    )
    if not shared:
        return RepeatedPurchases()
    span = "BETWEEN (SELECT min(day) FROM window_old) AND (SELECT max(day) FROM window_old)"
    (unmatched,) = step.one(f"SELECT count(DISTINCT ({DAY})) FROM unmatched_new WHERE day {span}")
    has_orders, exact = _shares_orders(step), _exact_days(step, timezone)
    is_most = {
        what: count >= MIN_DAYS and count > MIN_SHARE * (exact + unmatched)
        for what, count in (("equal", equal_sums), ("ratio", agreeing), ("counts", equal_counts))
    }
    is_repeated = not has_orders and exact >= MIN_DAYS and exact >= MIN_SHARE * (exact + unmatched)
    is_update = is_repeated and exact >= MIN_ROWS and exact >= MIN_COMPLETE * (exact + unmatched)
    if not (is_repeated or is_most["equal"] or is_most["ratio"] or is_most["counts"] and not has_orders):
        return RepeatedPurchases()
    _keep_tables(
        step,
        f"SELECT {POSITION} FROM ({_closest('new', 'old', 'ratio * other')})",
        f"SELECT {FILE}, {POSITION} FROM ({_closest('old', 'new', 'other / ratio')})",
    )
    ratio = 1.0 if is_most["equal"] else ratio if is_most["ratio"] else None
    return _repeated(step, ratio=ratio, is_update=is_update)


def _compare_days(step: MergeStep) -> None:
    """Make the table ``shared_days``: customers' days of both, with numbers of purchases, and how the sums go together.

    ``ratio`` is the median of all days; ``is_equal`` and ``agrees`` whether the sums are the same, and have that ratio.
    A sum may miss by half of the last digit of each of its amounts, where one of the two logs was rounded. Where that
    is over :data:`MAX_SLACK` of the sum, agreement proves nothing.

    ``new`` and ``old`` are the sums of each side, ``days`` joins them, ``ratios`` is the median ratio of all days, and
    ``bounds`` adds how far each day may miss.
    """
    sums = "SELECT {key}, count(*) AS n_{side}, sum({amount}) AS sum_{side} FROM unmatched_{side} GROUP BY ALL"
    integers = "(SELECT bool_and({amount} = round({amount})) FROM unmatched_{side})"
    sides = [{"key": DAY, "amount": AMOUNT, "side": side} for side in ("new", "old")]
    (new, old), (new_integers, old_integers) = ([query.format(**side) for side in sides] for query in (sums, integers))
    half = f"CASE WHEN {new_integers} OR {old_integers} THEN 0.5 ELSE 0.005 END"
    step.run(
        "CREATE OR REPLACE TEMP TABLE shared_days AS"
        f" WITH days AS (SELECT * FROM ({new}) JOIN ({old}) USING ({DAY})),"
        " ratios AS (SELECT median(sum_new / sum_old) AS ratio FROM days WHERE sum_old <> 0),"
        f" bounds AS (SELECT *, ratio * sum_old AS scaled, n_new * {half} * greatest(ratio, 1) AS slack,"
        f" n_new * CASE WHEN {new_integers} = {old_integers} THEN 0.005 ELSE {half} END AS rounding FROM days, ratios)"
        " SELECT *, abs(sum_new - sum_old) <= rounding"
        f" AND rounding <= {MAX_SLACK} * abs(sum_old) AS is_equal, abs(sum_new - scaled) <= {SAME_RATIO} * abs(scaled)"
        f" + slack AND slack <= {MAX_SLACK} * abs(scaled) AS agrees FROM bounds"
    )


def _closest(side: str, other: str, expected: str) -> str:
    """Return the query of one side's purchases of shared days; where the other has fewer, of those closest to them.

    The inner query ranks the purchases of a day by their distance to the other side's amounts; the outer one takes all
    of a day that agrees, and else as many as the other side has.

    Args:
        side: ``new`` or ``old``.
        other: the other one.
        expected: SQL of an amount of this side by ``ratio`` and by ``other``, the amount there.
    """
    # A till of thousands of purchases a day under one id would be paired with itself: there, any are taken.
    amounts = f"SELECT {DAY}, {AMOUNT} AS other FROM unmatched_{other}"
    joined = f"unmatched_{side} s JOIN shared_days d USING ({DAY}) LEFT JOIN ({amounts}) o"
    gap = f"min(abs(s.{AMOUNT} - {expected}))"
    same = " AND ".join(f"s.{column} = o.{column}" for column in DAY.split(", "))
    rows = f"{FILE}, s.{POSITION}" if side == "old" else f"s.{POSITION}"
    return (
        f"SELECT * FROM (SELECT {rows}, any_value(n_{side} <= n_{other} OR is_equal OR agrees) AS is_all,"
        f" any_value(n_{other}) AS n, row_number() OVER (PARTITION BY {DAY} ORDER BY {gap}, s.{POSITION}) AS place"
        f" FROM {joined} ON {same} AND n_new * n_old <= {MAX_PAIRS} GROUP BY {rows}, {DAY}) WHERE is_all OR place <= n"
    )


def _shares_orders(step: MergeStep) -> bool:
    """Return whether the file has orders of the log by their ids."""
    if ORDER_ID not in step.common:
        return False
    orders = f"SELECT {ORDER_ID} FROM {step.old_rows}"
    return bool(step.one(f"SELECT count(*) > 0 FROM {step.new_rows} WHERE {ORDER_ID} IN ({orders})")[0])


def _exact_days(step: MergeStep, timezone: str) -> int:
    """Return how many customers' days of the file are in the log as they are.

    From the inside: the file's purchases with their day, the days all of whose purchases are present, their number.
    """
    exact, day = f"bool_and({POSITION} IN (FROM {step.present}))", f"{local_time(EVENT_TIME, timezone)}::DATE AS day"
    rows = f"SELECT {POSITION}, {CUSTOMER_ID}, {EVENT_TYPE}, {day} FROM {step.new_rows} WHERE {MONEY}"
    (days,) = step.one(f"SELECT count(*) FROM (SELECT {DAY} FROM ({rows}) GROUP BY {DAY} HAVING {exact})")
    return int(days)


def _keep_tables(step: MergeStep, new: str, old: str) -> None:
    step.run(f"CREATE OR REPLACE TEMP TABLE repeated_new AS {new}")
    step.run(f"CREATE OR REPLACE TEMP TABLE repeated_old AS {old}")


def _repeated(
    step: MergeStep, *, ratio: float | None, is_update: bool = False, other_customers: bool = False
) -> RepeatedPurchases:
    """Return what the tables of repeated rows come to."""
    rows, after = step.one(_sums("unmatched_new", POSITION, "repeated_new"))
    _, before = step.one(_sums("unmatched_old", f"({FILE}, {POSITION})", "repeated_old"))
    return RepeatedPurchases(rows, before, after, 0, ratio, is_update, other_customers)


def _sums(rows: str, key: str, selection: str, order: str = "") -> str:
    """Return the query of how many of the rows are selected, their total, and the number of their orders."""
    orders = f", count(DISTINCT ({order}))" if order else ""
    return f"SELECT count(*), coalesce(sum({AMOUNT}), 0){orders} FROM {rows} WHERE {key} IN (FROM {selection})"
