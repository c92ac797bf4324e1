"""Products that are no recommendation: cheap extras that are bought with nearly everything, such as insurance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from clv_core.columns import CUSTOMER_ID, PRODUCT_ID

if TYPE_CHECKING:
    import ibis

MIN_SHARE: Final = 0.1
"""In at least this share of the orders of several products."""
TIMES_USUAL: Final = 5.0
"""And in so many times as many of them as the median product."""
CHEAP: Final = 0.25
"""Its usual price is in the cheapest quarter of all products."""
MIN_PARTNERS: Final = 0.5
"""It was bought in one order with at least this share of the other products."""
ORDER: Final = [CUSTOMER_ID, "day", "order"]


def find_extras(rows: ibis.Table) -> pd.DataFrame:
    """Return the products that are bought with nearly everything and cost little, the most frequent first.

    Args:
        rows: customer_id, product_id, day, order, bought and price, one row a line of the log.

    Returns:
        product_id, share (of the orders of several products that have it), partners (share of the other products that
        were bought in one order with it), price (median).
    """
    bought = rows.filter(rows.bought)
    price = _by_product(bought.group_by(PRODUCT_ID).agg(value=bought.price.median()))
    lines = bought.select(*ORDER, PRODUCT_ID).distinct()
    several = lines.group_by(*ORDER).agg(size=lines.count()).filter(lambda orders: orders.size > 1)
    lines = lines.semi_join(several, ORDER)
    orders = int(several.count().to_pyarrow().as_py())
    share = _by_product(lines.group_by(PRODUCT_ID).agg(value=lines.count())) / max(orders, 1)
    least = max(MIN_SHARE, TIMES_USUAL * float(share.median())) if orders else 1.0
    cheap = price.index[price <= price.quantile(CHEAP)]
    often = share.index[share >= least].intersection(cheap)
    if often.empty:
        return pd.DataFrame({PRODUCT_ID: [], "share": [], "partners": [], "price": []})
    mine = lines.filter(lines[PRODUCT_ID].isin(often.tolist())).rename(extra=PRODUCT_ID)
    pairs = mine.inner_join(lines, ORDER).filter(lambda both: both.extra != both[PRODUCT_ID])
    others = pairs.group_by("extra").agg(value=pairs[PRODUCT_ID].nunique()).rename({PRODUCT_ID: "extra"})
    partners = _by_product(others) / max(len(price) - 1, 1)
    found = pd.DataFrame(
        {"share": share[often], "partners": partners.reindex(often).fillna(0.0), "price": price[often]}
    )
    found = found[found["partners"] >= MIN_PARTNERS].sort_values("share", ascending=False, kind="stable")
    return found.rename_axis(PRODUCT_ID).reset_index()


def _by_product(table: Any) -> pd.Series[float]:
    """Return the column ``value`` by product, in order of the ids."""
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame.set_index(PRODUCT_ID)["value"].astype(float).sort_index()
