"""What to put in a tier's mail: the products that its customers are recommended most, at the tier's price level."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.strategy.recommend.grades import fit
from clv_core.strategy.recommend.picks import Picks
from clv_core.strategy.segments import TIER

IN_MAIL: Final = 20


def tier_table(people: pd.DataFrame, products: pd.DataFrame, picks: dict[str, Picks], tiers: int) -> pd.DataFrame:
    """Return the products of each tier and kind, the first to be shown first.

    They are ordered by how many customers of the tier they are recommended to, times how well they fit the mean price
    level that is aimed at there.

    Args:
        people: tier and aimed_level, one row a customer, [n].
        products: product_id, category, price, grade, one row a product.
        picks: of each kind, rows as ``people``.
        tiers: how many tiers there are.

    Returns:
        kind, tier, place (from 1), product_id, category, price, grade, customers (of the tier who are recommended it),
        share (of the tier's customers).
    """
    grade, tier = products["grade"].to_numpy(), people[TIER].to_numpy()
    frames = []
    for kind, found in picks.items():
        for one in range(1, tiers + 1):
            inside = tier == one
            if not inside.any():
                continue
            named = found.product[inside].ravel()
            counts = np.bincount(named[named >= 0], minlength=len(products))
            aimed = float(people.loc[inside, "aimed_level"].mean())
            worth = counts * fit(grade, np.asarray(aimed))
            chosen = np.lexsort((np.arange(len(worth)), -worth))[:IN_MAIL]
            chosen = chosen[counts[chosen] > 0]
            rows = products.iloc[chosen][["product_id", "category", "price", "grade"]].reset_index(drop=True)
            reach = counts[chosen]
            frames.append(
                rows.assign(
                    kind=kind, tier=one, place=np.arange(1, len(rows) + 1), customers=reach, share=reach / inside.sum()
                )
            )
    order = ["kind", TIER, "place", "product_id", "category", "price", "grade", "customers", "share"]
    return pd.concat(frames, ignore_index=True)[order]
