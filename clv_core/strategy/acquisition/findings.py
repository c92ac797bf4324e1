"""Findings about new customers, in sentences that page and report share."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE, say_clauses, say_number, translate
from clv_core.strategy.acquisition.customer_origins import DISCOUNT_BAND, DISCOUNT_BANDS, NewCustomers
from clv_core.strategy.acquisition.question import NAMED, Acquisition, Question

MIN_OBSERVED_SHARE: Final = 0.5
"""Share of customers who have lived a month, from which on a curve counts as observed there: most, so half."""
MIN_CUSTOMER_SHARE: Final = 0.01
"""Share of the new customers that a group of a headline holds at least: were they worth twice as much, or nothing, the
value of all would change by a hundredth. The minimum of customers bounds chance alone: 53 of 24,255 passed it."""


def group_name(group: str, kind: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return what a group is called: its own name, or that it is of unknown origin, of all others, or of everyone."""
    return group if kind == NAMED else translate(f"acquisition.group.{kind}", language)


def discount_question(customers: NewCustomers, question: Question) -> Question | None:
    """Return the question of :func:`findings` about discounts; None without any, or if ``question`` has them."""
    if DISCOUNT_BAND not in customers.origin or DISCOUNT_BAND in question.by:
        return None
    return Question((DISCOUNT_BAND,), min_customers=question.min_customers)


def headline(report: Acquisition, discounts: Acquisition | None, language: str = DEFAULT_LANGUAGE) -> str:
    """Return :func:`findings` as one sentence."""
    sentence = say_clauses((message.text(language) for message in findings(report, discounts)), language)
    return sentence[:1].upper() + sentence[1:]


def findings(report: Acquisition, discounts: Acquisition | None = None) -> tuple[Message, ...]:
    """Return what ranked groups show: which pays back first and which last, else whose customers are worth most.

    Args:
        report: of any grouping.
        discounts: of the same customers, by the discount of the first order; None leaves it out.
    """
    ranked = report.groups[report.groups["rank"].notna()]
    large = ranked[_is_large(ranked, report)]
    kind = "_paid" if report.ranked else ""
    if ranked.empty:
        messages = [Message(f"acquisition.finding.few{kind}", {"fewest": report.question.min_customers})]
    elif large.empty:
        messages = [Message(f"acquisition.finding.small{kind}", {"least": MIN_CUSTOMER_SHARE})]
    elif report.ranked:
        messages = _payback(report, large)
    elif len(large) == 1:
        params = {"group": str(large["group"].iloc[0]), "share": _share(large, report), "least": MIN_CUSTOMER_SHARE}
        messages = [Message("acquisition.finding.one_large", params)]
    else:
        messages = _worth(report, large)
    return (*messages, *([] if discounts is None else _discount(discounts)))


def _share(groups: pd.DataFrame, report: Acquisition) -> float:
    """Return the share of the new customers that are in these groups."""
    return float(groups["customers"].sum()) / max(report.totals.customers, 1)


def _is_large(groups: pd.DataFrame, report: Acquisition) -> pd.Series[bool]:
    """Return which groups hold enough of the new customers for a headline."""
    return groups["customers"] >= MIN_CUSTOMER_SHARE * report.totals.customers


def _rests_on(groups: pd.DataFrame, report: Acquisition) -> list[Message]:
    """Return what part of the new customers the named groups hold, where that is not most of them."""
    share = _share(groups, report)
    params = {"groups": len(groups), "share": share}
    return [Message("acquisition.finding.share", params)] if share < MIN_OBSERVED_SHARE else []


def _payback(report: Acquisition, ranked: pd.DataFrame) -> list[Message]:
    """Return the group that pays back first, and the one that does so last or never."""
    order = ranked.sort_values(["payback_month", "rank"], kind="stable")
    first, last = order.iloc[0], order[order["payback_month"] == order["payback_month"].max()].iloc[-1]
    messages, named = [], []
    if np.isfinite(first["payback_month"]):
        code = "paid" if first["payback_observed"] else "expected"
        params = {"group": str(first["group"]), "month": int(first["payback_month"])}
        messages.append(Message(f"acquisition.finding.{code}", params))
        named.append(first)
    if np.isinf(last["payback_month"]):
        curve = report.curves[(report.curves["group"] == last["group"]) & (report.curves["kind"] == NAMED)]
        lived = curve.loc[curve["observed"] >= MIN_OBSERVED_SHARE, "month"].max()
        params = {"group": str(last["group"]), "lived": int(lived) if lived > 0 else 0, "last": len(curve)}
        messages.append(Message("acquisition.finding.unpaid", params))
        named.append(last)
    elif last["group"] != first["group"] and last["payback_month"] > first["payback_month"]:
        params = {"group": str(last["group"]), "month": int(last["payback_month"])}
        messages.append(Message("acquisition.finding.slowest", params))
        named.append(last)
    return [*messages, *_rests_on(pd.DataFrame(named), report)]


def _worth(report: Acquisition, ranked: pd.DataFrame) -> list[Message]:
    """Return whose customers are worth most and least, where that is more than chance."""
    order = ranked.sort_values("ltv", ascending=False, kind="stable")
    best, worst = order.iloc[0], order.iloc[-1]
    if not best["ltv_low"] > worst["ltv_high"]:
        return [Message("acquisition.finding.alike", {"groups": len(order)}), *_rests_on(order, report)]
    params = {"best": str(best["group"]), "worst": str(worst["group"])}
    params |= {"more": say_number(best["multiplier"], digits=2), "less": say_number(worst["multiplier"], digits=2)}
    return [Message("acquisition.finding.worth", params), *_rests_on(order.iloc[[0, -1]], report)]


def _discount(report: Acquisition) -> list[Message]:
    """Return what customers won with a discount are worth, for the one that differs most from none; none by chance."""
    groups = report.groups
    rows = groups[groups["enough"] & (groups["kind"] == NAMED) & _is_large(groups, report)].set_index("group")
    if DISCOUNT_BANDS[0] not in rows.index:
        return []
    full, discounted = rows.loc[DISCOUNT_BANDS[0]], rows.drop(DISCOUNT_BANDS[0])
    apart = discounted[(discounted["ltv_high"] < full["ltv_low"]) | (discounted["ltv_low"] > full["ltv_high"])]
    if apart.empty or not full["ltv"] > 0:
        return []
    share = apart["ltv"] / full["ltv"]
    at = int(np.abs(np.log(share.clip(lower=1e-9).to_numpy(np.float64))).argmax())
    return [Message("acquisition.finding.discount", {"band": str(share.index[at]), "share": float(share.iloc[at])})]
