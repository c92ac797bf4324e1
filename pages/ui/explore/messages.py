"""What the charts of the explore page say: each message is made from the table that its chart shows."""

from __future__ import annotations

import pandas as pd
from babel.dates import format_date

from clv_core.features.explore import DAYS, FIRST, LATER, Concentration, back_within
from clv_core.i18n import BABEL_LOCALES
from clv_core.plot import cut
from pages.ui import i18n, session
from pages.ui.i18n import money, percent, t

MIN_CASES: int = 30
"""No title names a share of fewer cases than this: below 30, a share's 95% interval is over 30 points wide."""


def bucket_name(unit: str, first: pd.Timestamp) -> str:
    """Return what a day, week, month or quarter is called."""
    if unit in ("day", "week"):
        day = i18n.day(first.date())
        return t("explore.week", day=day) if unit == "week" else day
    if unit == "quarter":
        return t("explore.quarter", year=first.year, quarter=(first.month + 2) // 3)
    pattern = "y年M月" if session.language() == "zh" else "MMM y"
    return format_date(first.date(), pattern, locale=BABEL_LOCALES[session.language()])


def share_of(share: float) -> str:
    """Return a share as a percentage, a small one with a decimal."""
    return percent(share, 1 if share < 0.1 else 0)


def revenue(table: pd.DataFrame, currency: str) -> str:
    """Say how net revenue moved from the first half of the period to the second."""
    complete = table.loc[table["complete"], "net"]
    half = len(complete) // 2
    first, second = complete.iloc[:half].sum(), complete.iloc[len(complete) - half :].sum()
    if half < 2 or first <= 0 or second < 0:
        return t("explore.revenue.total", total=money(float(table["net"].sum()), currency))
    change = second / first - 1
    if abs(change) < 0.02:
        return t("explore.revenue.steady", total=money(float(table["net"].sum()), currency))
    return t("explore.revenue.rose" if change > 0 else "explore.revenue.fell", change=percent(abs(change)))


def people(table: pd.DataFrame, unit: str) -> str:
    """Say how many had bought before, of the buyers of the latest day, week or month that had enough of them."""
    complete = table[table["complete"] & (table["buyers"] >= MIN_CASES)]
    if complete.empty:
        return t("explore.people.short")
    last = complete.iloc[-1]
    return t("explore.people", when=bucket_name(unit, last["bucket"]), share=percent(last["known_rate"]))


def retention(mean: pd.DataFrame, unit: str) -> str:
    """Say how many of the new buyers buy again one and six months (two quarters) after."""
    shares = mean.set_index("age")["retention"]
    later = 6 if unit == "month" else 4
    if later in shares.index:
        return t(f"explore.retention.{unit}", first=share_of(shares[1]), later=share_of(shares[later]), age=later)
    return t(f"explore.retention.{unit}.short", first=share_of(shares[1])) if 1 in shares.index else t("explore.short")


def cumulative(mean: pd.DataFrame, unit: str, currency: str) -> str:
    """Say what a new buyer brings in at once, and by the oldest age that half of them have reached."""
    reached = mean[mean["size"] >= mean["size"].iloc[0] / 2].iloc[-1]
    start = money(float(mean["per_customer"].iloc[0]), currency)
    if reached["age"] == 0:
        return t(f"explore.cumulative.{unit}.short", start=start)
    later = money(float(reached["per_customer"]), currency)
    return t(f"explore.cumulative.{unit}", start=start, later=later, age=int(reached["age"]))


def back(curve: pd.DataFrame) -> str:
    """Say how many come back within 90 days (else 30) after a first purchase and after a later one."""
    for days in (90, 30):
        first, later = (back_within(curve, after, days) for after in (FIRST, LATER))
        if first is not None and later is not None:
            return t("explore.back", days=days, first=percent(first), later=percent(later))
        if first is not None:
            return t("explore.back.first", days=days, first=percent(first))
        if later is not None:
            return t("explore.back.later", days=days, later=percent(later))
    return t("explore.back.short")


def held_by_few(concentration: Concentration) -> str:
    """Say how much the highest tenth holds."""
    return t("explore.held", share=percent(concentration.top10 or 0.0), gini=f"{concentration.gini or 0.0:.2f}")


def best(grid: pd.DataFrame, currency: str) -> str:
    """Say how many buyers bought both most lately and most often, and what they hold."""
    top = grid[(grid["recency"] == grid["recency"].max()) & (grid["frequency"] == grid["frequency"].max())]
    total = grid["value"].sum()
    if top.empty or total <= 0:
        return t("explore.rfm.none")
    row = top.iloc[0]
    return t(
        "explore.rfm",
        share=share_of(row["buyers"] / grid["buyers"].sum()),
        value=percent(row["value"] / total),
        mean=money(float(row["mean_value"]), currency),
    )


def way(table: pd.DataFrame) -> str:
    """Say how many of those who took the first step took the others: the last one counts who took all of them."""
    keys = [f"explore.did.{step}" for step in table["step"].iloc[1:]]
    keys[-1] += ".too" if len(keys) > 1 else ""
    rest = [t(key, share=share_of(share)) for key, share in zip(keys, table["share"].iloc[1:], strict=True)]
    shares_text = rest[0] if len(rest) == 1 else t("explore.comma", first=rest[0], second=rest[1])
    return t(f"explore.funnel.{table['step'].iloc[0]}", rest=shares_text)


def rated(table: pd.DataFrame) -> str:
    """Say the mean rating and the most common one."""
    mean = float((table["rating"] * table["ratings"]).sum() / table["ratings"].sum())
    common = table.iloc[int(table["ratings"].argmax())]
    return t("explore.rated", mean=f"{mean:.2f}", common=f"{common['rating']:g}", share=percent(float(common["share"])))


def back_after_rating(table: pd.DataFrame) -> str:
    """Say how many bought again after the lowest and the highest rating that enough customers gave."""
    enough = table[table["followed"] >= MIN_CASES]
    if len(enough) < 2:
        return t("explore.rated_back.short", days=DAYS)
    low, high = enough.iloc[0], enough.iloc[-1]
    return t(
        "explore.rated_back",
        days=DAYS,
        high=f"{high['rating']:g}",
        low=f"{low['rating']:g}",
        high_share=percent(float(high["back_rate"])),
        low_share=percent(float(low["back_rate"])),
    )


def rating_moved(table: pd.DataFrame) -> str:
    """Say where the mean rating began and where it ended, over the first and the last fifth of the period."""
    few = max(1, len(table) // 5)
    ends = [part.assign(sum=part["mean"] * part["ratings"]) for part in (table.iloc[:few], table.iloc[-few:])]
    start, end = (part["sum"].sum() / part["ratings"].sum() for part in ends)
    if abs(end - start) < 0.02:
        return t("explore.rating_trend.steady", end=f"{end:.2f}")
    return t("explore.rating_trend", start=f"{start:.2f}", end=f"{end:.2f}")


def sold(table: pd.DataFrame) -> str:
    """Say what sells best and, among what is shown, what comes back most."""
    named = table[table["category"].notna() & (table["others"] == 0)]
    if named.empty or not named["share"].iloc[0] > 0:
        return t("explore.sold.none")
    first = {"name": cut(named["category"].iloc[0]), "share": percent(float(named["share"].iloc[0]))}
    back = named.dropna(subset="return_rate")
    if back.empty or not back["return_rate"].max() > 0:
        return t("explore.sold", **first)
    worst = back.iloc[int(back["return_rate"].argmax())]
    return t("explore.sold.back", **first, worst=cut(worst["category"]), rate=percent(float(worst["return_rate"]), 1))


def category_name(row: pd.Series) -> str:
    """Return what a row of the categories is called."""
    if row["others"]:
        return t("explore.others", count=i18n.count(row["others"]))
    return t("explore.no_category") if pd.isna(row["category"]) else str(row["category"])
