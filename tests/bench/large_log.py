"""A large log that anyone can make again: visits of a shop, in the order of time, with totals that are known exactly.

Visits of four rows: looking around, then perhaps a cart, a purchase, a return or a rating. Customers come one after
the other, a few of them visit far more often than most, and each buys dear or cheap things. Every number is drawn by
hashing the row's own number, so the same size gives the same file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

ROWS_PER_CUSTOMER: Final = 20
ROWS_PER_VISIT: Final = 4
DAYS: Final = 730
START: Final = "2022-01-01"
CATEGORIES: Final = 40

LOG: Final = f"""
create table log as
with rows as (
    select i // {ROWS_PER_VISIT} as visit, i % {ROWS_PER_VISIT} as place, {{visits}} as visits,
        hash(i, 1) % 100 as die, (hash(i, 2) % 1000)::bigint as product, 1 + (hash(i, 3) % 3)::bigint as quantity,
        199 + (hash(i, 4) % 9800)::bigint as price, hash(i, 5) % 10 = 0 as discounted,
        (hash(i // {ROWS_PER_VISIT}, 6) % 1000000007)::bigint as luck
    from range({{rows}}) t(i)
), people as (
    select *, ceil({{customers}} * pow((visit + 1) / visits, 0.8))::bigint as known,
        ceil({{customers}} * pow(visit / visits, 0.8))::bigint as known_before
    from rows
), named as (
    select *,
        case when known > known_before then known - 1
            else floor(known * pow((luck % 1000003) / 1000003, 1.6))::bigint end as person,
        case place
            when 0 then 'view'
            when 1 then if(die < 75, 'view', 'cart')
            when 2 then if(die < 55, 'view', if(die < 85, 'cart', 'purchase'))
            else if(die < 30, 'view', if(die < 80, 'purchase', if(die < 92, 'return', 'rating'))) end as event_type
    from people
), valued as (
    select *, (price * exp((hash(person, 7) % 1000) / 250.0 - 2))::bigint as worth from named
)
select
    'c' || lpad(((person * 7919) % {{customers}})::varchar, 7, '0') as customer_id,
    timestamp '{START}' + to_seconds((visit * {DAYS * 86_400 // 1000} // visits) * 1000 + luck % 900 + place * 25)
        as event_time,
    event_type,
    if(event_type in ('purchase', 'return'), 'o' || lpad(visit::varchar, 8, '0'), null) as order_id,
    'p' || lpad(product::varchar, 4, '0') as product_id,
    'kind ' || (product % {CATEGORIES})::varchar as category,
    if(event_type in ('purchase', 'return'), quantity, null)::bigint as quantity,
    case event_type
        when 'purchase' then quantity * worth - if(discounted, worth // 10, 0)
        when 'return' then -worth end::bigint as cents,
    if(event_type = 'purchase' and discounted, worth // 10, null)::bigint as discount_cents,
    if(event_type = 'rating', 1 + luck % 5, null)::bigint as rating
from valued
"""
"""Money in whole cents; the file holds the same in currency with two decimals."""

COLUMNS: Final = """
customer_id, event_time, event_type, order_id, product_id, category, quantity,
(cents / 100.0)::decimal(12, 2) as amount, (discount_cents / 100.0)::decimal(12, 2) as discount, rating
"""


@dataclass(frozen=True)
class Truth:
    """What is known of the log because it was made.

    Args:
        rows: rows of the file.
        customers: distinct customers.
        purchases: rows that are purchases.
        cents: sum of all amounts, in hundredths of the currency.
    """

    rows: int
    customers: int
    purchases: int
    cents: int


def make(path: Path, rows: int) -> Truth:
    """Write a log of ``rows`` rows as CSV to ``path`` and return its totals, added up as whole cents."""
    customers = max(1, rows // ROWS_PER_CUSTOMER)
    with duckdb.connect(str(path.with_suffix(".duckdb"))) as connection:
        connection.execute("set preserve_insertion_order = true")
        connection.execute(LOG.format(rows=rows, customers=customers, visits=-(-rows // ROWS_PER_VISIT)))
        connection.execute(f"copy (select {COLUMNS} from log) to '{path}' (header)")
        found = connection.execute(
            "select count(*), count(distinct customer_id), countif(event_type = 'purchase'), sum(cents) from log"
        ).fetchone()
    path.with_suffix(".duckdb").unlink()
    assert found is not None
    return Truth(*(int(value) for value in found))
