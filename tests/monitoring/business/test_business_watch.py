"""The watch on the business: planted trouble is told with its first day and its size; a quiet shop is not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.monitoring.business import Finding, Watch, business_watch, watch_json
from clv_core.monitoring.business.daily_figures import DailyFigures
from clv_core.monitoring.business.watched_business import watch_figures
from tests.monitoring.steady_shop import steady_log, stored

START, DAYS, FIRST = date(2023, 1, 2), 500, 440
PRICE = 20.0


@cache
def shop(days: int = DAYS) -> DailyFigures:
    """A shop with weekdays and a slow season: Poisson orders, two lines each now and then, two channels."""
    random, day = np.random.default_rng(7), np.arange(DAYS)
    level = 80 * (1 + 0.15 * np.sin(2 * np.pi * day / 365.25)) * np.where(day % 7 < 5, 1.1, 0.75)
    orders = random.poisson(level).astype(float)
    lines = orders + random.poisson(0.3 * orders)
    typical = lines * PRICE * np.exp(random.normal(0, 0.5, DAYS) / np.sqrt(lines))
    active = orders + random.poisson(2 * level)
    new = random.binomial(active.astype(int), 0.1).astype(float)
    web = random.binomial(active.astype(int), 0.7).astype(float)
    values = {
        "revenue": typical * 1.1, "typical": typical, "lines": lines, "orders": orders, "buyers": orders,
        "active": active, "new": new, "returning": active - new,
        "events:view": random.poisson(5 * level).astype(float), "events:purchase": lines.copy(),
        "channel:web": web, "channel:app": active - web,
        "revenue:web": typical * 1.1 * web / active, "revenue:app": typical * 1.1 * (1 - web / active),
    }  # fmt: skip
    return DailyFigures(START, START + timedelta(days=DAYS), values).before(START + timedelta(days=days))


def changed(factors: dict[str, float], last: int | None = None) -> DailyFigures:
    """The shop with figures multiplied from :data:`FIRST` on, up to a day where it ends."""
    values = {name: daily.copy() for name, daily in shop().values.items()}
    for name, factor in factors.items():
        for one in values if name == "*" else [name]:
            values[one][FIRST : None if last is None else last + 1] *= factor
    return replace(shop(), values=values)


def only(watch: Watch) -> Finding:
    (found,) = watch.findings
    return found


def day(place: int) -> date:
    return START + timedelta(days=place)


def lost(figures: DailyFigures, found: Finding) -> float:
    """What the change took or brought on a finding's days."""
    place = slice((found.first_day - START).days, (found.first_day - START).days + found.days)
    return float((figures.values["revenue"] - shop().values["revenue"])[place].sum())


def test_nothing_is_told_of_a_quiet_shop_with_weekdays_and_a_season() -> None:
    watch = watch_figures(shop(), "EUR")
    assert watch.findings == () and watch.as_of == day(DAYS - 1)
    for course in watch.courses:
        inside = (course.low <= course.actual) & (course.actual <= course.high)
        assert 0.7 < inside.mean() < 0.95, course.name


def test_an_outage_is_told_on_its_first_day_with_its_days_and_what_it_cost() -> None:
    figures = changed({"*": 0.0}, FIRST + 4)
    found = only(watch_figures(figures, "EUR"))
    assert (found.kind, found.first_day, found.last_day) == ("outage", day(FIRST), day(FIRST + 4))
    assert found.found_on == day(FIRST) and found.days == 5
    assert found.low < lost(figures, found) < found.high < 0


def test_a_day_counted_twice_is_told_and_its_size_is_half_of_what_came() -> None:
    figures = changed({name: 2.0 for name in ("revenue", "typical", "lines", "orders", "events:purchase")}, FIRST)
    found = only(watch_figures(figures, "EUR"))
    assert (found.kind, found.first_day, found.last_day) == ("doubled", day(FIRST), day(FIRST))
    assert found.size == pytest.approx(figures.values["revenue"][FIRST] / 2, rel=0.2)


def test_cents_from_one_day_on_are_a_step_of_prices_by_a_hundred() -> None:
    figures = changed(dict.fromkeys(("revenue", "typical", "revenue:web", "revenue:app"), 100.0))
    found = only(watch_figures(figures, "EUR"))
    assert (found.kind, found.first_day, found.last_day) == ("price_step", day(FIRST), None)
    assert found.facts["factor"] == pytest.approx(100, rel=0.1)
    assert found.low <= lost(figures, found) <= found.high


def test_a_lost_channel_is_named_with_the_revenue_that_came_through_it() -> None:
    gone = changed({"channel:app": 0.0, "revenue:app": 0.0}).values
    whole = shop().values
    app, revenue = whole["channel:app"], whole["revenue"]
    left = {"active": whole["active"] - app, "returning": whole["returning"] - app, "revenue": revenue * 0.7}
    after = np.arange(DAYS) >= FIRST
    figures = replace(shop(), values={**gone, **{name: np.where(after, left[name], whole[name]) for name in left}})
    found = only(watch_figures(figures, "EUR"))
    assert (found.kind, found.facts["name"]) == ("channel_lost", "app")
    assert (found.first_day, found.last_day) == (day(FIRST), None)
    assert found.low <= -whole["revenue:app"][FIRST:].sum() <= found.high


def test_a_channel_that_nobody_came_through_before_is_new() -> None:
    values = {**shop().values}
    values["channel:kiosk"] = np.where(np.arange(DAYS) >= FIRST, 15.0, 0.0)
    values["revenue:kiosk"] = values["channel:kiosk"] * PRICE
    found = only(watch_figures(replace(shop(), values=values), "EUR"))
    assert (found.kind, found.first_day, found.facts["name"]) == ("channel_new", day(FIRST), "kiosk")
    assert not found.has_money and found.money() is None


def test_one_kind_of_event_is_missing_while_the_others_go_on() -> None:
    found = only(watch_figures(changed({"events:view": 0.0}, FIRST + 9), "EUR"))
    assert (found.kind, found.series, found.last_day) == ("events_missing", "events:view", day(FIRST + 9))


def test_what_is_expected_of_a_day_does_not_depend_on_later_days() -> None:
    whole = watch_figures(changed({"*": 0.0}), "EUR")
    short = watch_figures(shop(FIRST - 30), "EUR")
    for before, after in zip(short.courses, whole.courses, strict=True):
        days = len(before.days)
        np.testing.assert_array_equal(before.expected, after.expected[:days])
        np.testing.assert_array_equal(before.high, after.high[:days])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_says_what_happened_in_each_language(language: str) -> None:
    facts = {"name": "app", "share": 0.5, "factor": 100.0}
    for kind, series in (
        ("outage", "active"), ("events_missing", "events:view"), ("doubled", "lines_per_buyer"),
        ("price_step", "price"),
        ("channel_new", "channel:app"), ("channel_lost", "channel:app"), ("fewer_buyers", "active"),
        ("fewer", "revenue"), ("more", "channel:app"),
    ):  # fmt: skip
        for last in (None, day(FIRST), day(FIRST + 3)):
            found = Finding(kind, series, day(FIRST), last, day(FIRST), -5.0, -9.0, -1.0, 4, "EUR", facts)
            said = found.message().display(language)
            assert "{" not in said and "2024" in said
            money = found.money()
            assert money is not None and "EUR" in money.text(language)


def test_figures_of_a_stored_log_are_those_that_pandas_counts(tmp_path: Path) -> None:
    log = steady_log(customers=300, days=60)
    figures = DailyFigures.of(stored(log, tmp_path))
    days = log["event_time"].dt.normalize()
    place = np.arange(figures.days)
    bought = log[log["event_type"] == "purchase"]

    def by_day(values: object) -> np.ndarray:
        dates = [np.datetime64(figures.start, "D") + np.timedelta64(int(one), "D") for one in place]
        return values.reindex(dates).fillna(0.0).to_numpy(float)  # type: ignore[attr-defined]

    money = log[log["event_type"].isin(["purchase", "return"])]
    np.testing.assert_allclose(figures.values["revenue"], by_day(money.groupby(days)["amount"].sum()))
    np.testing.assert_allclose(figures.values["lines"], by_day(bought.groupby(days).size()))
    np.testing.assert_allclose(figures.values["active"], by_day(log.groupby(days)["customer_id"].nunique()))
    first = log.groupby("customer_id")["event_time"].min().dt.normalize()
    np.testing.assert_allclose(figures.values["new"], by_day(first.value_counts()))
    web = log[log["channel"] == "web"]
    views = log[log["event_type"] == "view"]
    np.testing.assert_allclose(figures.values["events:view"], by_day(views.groupby(days).size()))
    assert figures.values["channel:web"].sum() <= web.groupby(days)["customer_id"].nunique().sum()


def test_a_log_that_is_too_short_says_how_long_it_has_to_be(tmp_path: Path) -> None:
    watch = business_watch(stored(steady_log(customers=200, days=90), tmp_path), NoProgress())
    assert watch.courses == () and watch.findings == ()
    assert [message.code for message in watch.unwatched] == ["watch.unwatched.short"]
    assert json.loads(json.dumps(watch_json(watch)))["unwatched"][0]["params"]["days"] == 90
