"""Recommendations in words: why a product is recommended, and the list as a file holds it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clv_core.errors import Message
from clv_core.i18n import translate


def reason(why: str, because: str | None, days: int, language: str) -> str:
    """Return why a product is recommended, in a few words.

    Args:
        why: word of :data:`clv_core.strategy.recommend.picks.WHY`.
        because: product that it is bought together with, None where there is none.
        days: on how many days the customer bought it before.
        language: of the words.
    """
    if why == "again":
        return translate("recommend.why.once" if days == 1 else "recommend.why.again", language, days=days)
    said = translate(f"recommend.why.{why}", language, product=because or "")
    if why in ("taste", "popular") and because is not None:
        return translate("recommend.why.also", language, why=said, product=because)
    return said


def reasons(rows: pd.DataFrame, language: str) -> list[str]:
    """Return the reason of each row of :meth:`clv_core.strategy.recommend.kept.KeptAdvice.everyone`.

    Each different reason is put into words once.
    """
    keys = rows[["why", "because", "days"]].copy()
    keys.loc[keys["why"] != "again", "days"] = 0
    keys.loc[keys["why"].isin(["again", "seen"]), "because"] = None
    codes, unique = pd.factorize(pd.MultiIndex.from_frame(keys.fillna({"because": ""})))
    said = [reason(why, because or None, int(days), language) for why, because, days in unique]
    return [said[code] for code in codes]


def customer_rows(rows: pd.DataFrame, names: Sequence[str], language: str) -> pd.DataFrame:
    """Return the list as a file holds it: one row a customer and product.

    Args:
        rows: of :meth:`clv_core.strategy.recommend.kept.KeptAdvice.everyone`.
        names: of the tiers, the highest first.
        language: of the words.
    """
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "tier": rows["tier"],
            "tier_name": rows["tier"].map(dict(enumerate(names, 1))),
            "rank": rows["place"],
            "product_id": rows["product_id"],
            "category": rows["category"],
            "price": rows["price"].round(2),
            "price_level": rows["grade"].round(2),
            "reason": reasons(rows, language),
            "bought_together_with": rows["because"],
        }
    )


def assumption() -> Message:
    """Return what a list of recommendations rests on beyond what was measured: the step of the price level by tier."""
    return Message("warning.recommend_price_rule", {})
