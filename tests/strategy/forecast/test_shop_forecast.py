"""What the shop will take: parts that add up, nothing of the future, tests on past dates that decide what is shown."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.deployment import Scored, Terms, origin_predictions, shared_error
from clv_core.deployment.bundle import Bundle
from clv_core.i18n import say_money
from clv_core.jobs import NoProgress
from clv_core.strategy.forecast import find_forecast, find_headline, forecast, last_expected
from clv_core.strategy.forecast.baselines import baselines
from clv_core.strategy.forecast.known_customers import Known
from clv_core.strategy.forecast.new_customers import Arrivals, Worth, revenue_of
from clv_core.strategy.forecast.shop_days import ShopDays
from clv_core.strategy.forecast.shop_forecast import (
    PARTS,
    Forecast,
    PastForecast,
    best_method,
    by_baseline,
    make_forecast,
    past_forecasts,
    sum_of_parts,
)
from clv_core.strategy.segments.segment_figures import total
from clv_core.workspace import Workspace

START = date(2023, 1, 2)


def shop(won: np.ndarray, worth: list[tuple[int, float]]) -> ShopDays:
    """Return a log whose customers bring fixed amounts at fixed ages: ``worth`` is (age, amount) of each customer."""
    days = len(won)
    first = np.concatenate([np.arange(days)[: days - age] for age, _ in worth])
    day = np.concatenate([np.arange(days)[: days - age] + age for age, _ in worth])
    value = np.concatenate([won[: days - age] * amount for age, amount in worth])
    some = value != 0
    return ShopDays(
        START, START + timedelta(days=days), won.astype(np.int64), first[some], day[some], value[some].astype(float)
    )


@pytest.fixture(scope="module")
def scored(small_workspace: Workspace, small_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """Return the shop in a workspace of its own, so that a forecast may be saved."""
    root = tmp_path_factory.mktemp("forecast") / "workspace"
    shutil.copytree(small_workspace.root, root)
    return Scored.open(Workspace(root), "shop", small_bundle.id)


@pytest.fixture(scope="module")
def made(scored: Scored) -> Forecast:
    return forecast(scored, NoProgress())


def test_days_are_parted_as_pandas_parts_them(scored: Scored) -> None:
    log, events = ShopDays.of(scored.dataset), pd.read_parquet(scored.dataset.events_path)
    first = events.groupby("customer_id")["event_time"].transform("min")
    money = events[events["event_type"].isin(["purchase", "return"])].assign(first=first)
    cutoff = pd.Timestamp(log.date_of(400))
    inside = money[(money["event_time"] >= cutoff) & (money["event_time"] < cutoff + pd.Timedelta(days=60))]
    by_day = (inside["event_time"].dt.normalize() - cutoff).dt.days
    for known, daily in ((True, log.known(400, 60)), (False, log.newcomers(400, 60))):
        mine = inside[(inside["first"] < cutoff) == known]
        expected = mine.groupby(by_day.loc[mine.index])["amount"].sum().reindex(range(60), fill_value=0.0)
        np.testing.assert_allclose(daily, expected.to_numpy(), atol=1e-6)
    seen = events.groupby("customer_id")["event_time"].min().dt.normalize().value_counts()
    assert {log.date_of(day): count for day, count in enumerate(log.won) if count} == {
        day.date(): count for day, count in seen.items()
    }
    assert log.total().sum() == pytest.approx(scored.dataset.manifest.net_revenue)


def test_parts_add_up_and_the_known_are_the_sum_that_every_page_shows(scored: Scored, made: Forecast) -> None:
    scores = scored.trained.scores(NoProgress())
    sums, worth = made.sums(), total(scores, shared_error(scored.workspace, scored.model))
    assert sums.known == pytest.approx(scores["predicted_clv"].sum())
    assert (sums.known_low, sums.known_high) == (worth.low, worth.high)
    assert sums.total == pytest.approx(sums.known + sums.won) and sums.won > 0
    for unit in ("day", "week", "month"):
        parts = made.by_period(unit)
        assert parts[0].first == made.cutoff.isoformat() and parts[-1].until == sums.until
        assert all(one.until == two.first for one, two in zip(parts, parts[1:], strict=False))
        for field in ("known", "won", "total", "customers"):
            assert sum(getattr(part, field) for part in parts) == pytest.approx(getattr(sums, field))
    assert all(date.fromisoformat(part.first).day == 1 for part in made.by_period("month")[1:])
    assert made.sums(365).known > sums.known and made.days == 365


def test_what_is_saved_is_what_was_made_and_is_made_anew_after_a_backtest(
    scored: Scored, made: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = find_forecast(scored)
    assert again is not None and again.tests == made.tests
    told, before = again.sums().to_json(), made.sums().to_json()
    assert (told.pop("first"), told.pop("until")) == (before.pop("first"), before.pop("until"))
    assert told == pytest.approx(before, rel=1e-5)
    more = {**origin_predictions(scored.workspace, scored.model), "2024-01-01": pd.DataFrame()}
    monkeypatch.setattr("clv_core.strategy.forecast.saved_forecast.origin_predictions", lambda *_: more)
    assert find_forecast(scored) is None


def test_the_headline_says_known_and_all_where_a_forecast_is_saved_and_counts_revenue(
    scored: Scored, made: Forecast
) -> None:
    said = find_headline(scored, "en")
    assert said is not None
    known = scored.scores(NoProgress())["predicted_clv"].sum()
    assert said.params["known"] == say_money(known, made.currency, "en")
    assert said.params["total"] == say_money(made.sums().total, made.currency, "en")
    assert find_headline(scored.at(Terms(scored.trained_days, margin_rate=0.4)), "en") is None


def test_the_last_forecast_is_that_of_the_holdout_until_a_saved_one_is_due(scored: Scored, made: Forecast) -> None:
    expected = last_expected(scored)
    (test,) = made.tests
    holdout = origin_predictions(scored.workspace, scored.model)[test.cutoff]
    assert expected is not None and expected.cutoff == date.fromisoformat(test.cutoff)
    assert expected.known == pytest.approx(holdout["predicted_clv"].sum())
    assert expected.buyers == pytest.approx(holdout["p_purchase"].sum())
    later = scored.dataset.log_end + timedelta(days=30)
    due = last_expected(scored, today=later)
    assert due is not None and (due.cutoff, due.days) == (scored.dataset.log_end, 30)
    assert due.known == pytest.approx(made.known[:30].sum()) and due.to_be_won == pytest.approx(made.won[:30].sum())


def test_nothing_after_a_past_date_moves_its_forecast(scored: Scored) -> None:
    log, predictions = ShopDays.of(scored.dataset), origin_predictions(scored.workspace, scored.model)
    (origin,) = predictions
    cutoff, horizon = date.fromisoformat(origin), scored.trained_days
    late = log.day >= log.day_of(cutoff)
    other = replace(log, value=np.where(late, 7 * log.value, log.value))
    (now,), (then,) = (past_forecasts(each, predictions, horizon) for each in (log, other))
    assert (now.known, now.won, now.expected, now.by) == (then.known, then.won, then.expected, then.by)
    assert then.actual == pytest.approx(7 * now.actual)
    before = make_forecast(log.before(cutoff), Known(cutoff, {horizon: now.known}))
    assert before.sums().won == pytest.approx(now.won)


def test_new_customers_bring_what_those_before_them_brought_at_the_same_age() -> None:
    log = shop(np.full(400, 10), [(0, 20.0), (30, 5.0), (31, -2.0)])
    worth = Worth.of(log, 60)
    assert worth.value[0] == pytest.approx(20) and worth.value.sum() == pytest.approx(23)
    assert worth.noise == pytest.approx(0, abs=1e-9)
    arrivals = Arrivals.of(log, 60).draws.mean(axis=0)
    np.testing.assert_allclose(arrivals, 10, rtol=0.03)
    assert revenue_of(arrivals, worth.value) == pytest.approx(np.convolve(arrivals, worth.value)[:60])


def test_todays_new_customers_are_worth_what_recent_ones_were_not_those_of_years_ago() -> None:
    won = np.full(900, 10)
    cheap, dear = shop(won, [(0, 10.0)]), shop(won, [(0, 40.0)])
    changed = replace(cheap, value=np.where(cheap.first < 600, cheap.value, dear.value))
    assert Worth.of(changed, 30).value[0] == pytest.approx(40)


def test_arrivals_know_their_season_after_two_of_them() -> None:
    day = np.arange(910)
    rate = 40 + 30 * np.sin(2 * np.pi * day / 365.25)
    log = shop(np.random.default_rng(1).poisson(rate), [(0, 1.0)])
    ahead = Arrivals.of(log, 91)
    came = (40 + 30 * np.sin(2 * np.pi * np.arange(910, 1001) / 365.25)).sum()
    assert ahead.has_season and ahead.draws.sum(axis=1).mean() == pytest.approx(came, rel=0.1)
    low, high = np.quantile(ahead.draws.sum(axis=1), (0.1, 0.9))
    assert low < came < high
    assert log.won[-28:].mean() * 91 > 1.2 * came  # as many as last month would be far too many


def test_where_nobody_comes_any_more_nobody_is_expected() -> None:
    won = np.zeros(500, np.int64)
    won[:90] = 30
    log = shop(won, [(0, 10.0), (100, 10.0)])
    assert Arrivals.of(log, 90).draws.max() == 0
    parts = sum_of_parts(log, Known(log.end, {90: 300.0, 365: 400.0}))
    assert parts.won.sum() == 0 and parts.known.sum() == pytest.approx(400)


def test_known_customers_spend_by_the_season_of_last_year() -> None:
    random = np.random.default_rng(3)
    days, base = 800, 500
    season = 1 + 2 * np.exp(-(((np.arange(days + 91) - 480) % 364) ** 2) / 300.0)  # a peak that returns each year
    value = season[:days] * random.gamma(50, 2, days)
    won = np.zeros(days, np.int64)
    won[0] = base
    log = ShopDays(START, START + timedelta(days=days), won, np.zeros(days, np.int64), np.arange(days), value)
    daily = Known(log.end, {91: 9_100.0}).by_day(log, 91)
    assert daily.sum() == pytest.approx(9_100)
    weeks = np.add.reduceat(daily, np.arange(0, 91, 7))
    came = np.add.reduceat(season[days:], np.arange(0, 91, 7))
    assert np.corrcoef(weeks, came)[0, 1] > 0.9 and weeks.argmax() in (
        came.argmax() - 1,
        came.argmax(),
        came.argmax() + 1,
    )


def test_baselines_are_last_years_weeks_and_without_a_year_the_mean_of_the_last_eight() -> None:
    value = np.random.default_rng(4).gamma(5, 20, 7 * 70)
    long = ShopDays(
        START, START + timedelta(days=490), np.ones(490, np.int64), np.zeros(490, np.int64), np.arange(490), value
    )
    weekly = value.reshape(70, 7).sum(axis=1)
    found = baselines(long, 21)
    assert set(found) == {"seasonal_naive", "smoothing"}
    assert found["seasonal_naive"].reshape(3, 7).sum(axis=1) == pytest.approx(weekly[18:21])
    short = baselines(long.before(START + timedelta(days=140)), 21)
    assert set(short) == {"last_weeks", "smoothing"}
    assert short["last_weeks"].sum() == pytest.approx(3 * weekly[12:20].mean())
    weekday = value[140 - 140 : 140].reshape(20, 7).mean(axis=0)
    assert short["last_weeks"][:7] / short["last_weeks"][:7].sum() == pytest.approx(weekday / weekday.sum())


def past(errors: dict[str, float], **other: Any) -> PastForecast:
    fields: dict[str, Any] = {"known": 60.0, "won": 40.0, "known_actual": 50.0, "won_actual": 50.0}
    fields |= {"buyers": 5.0, "by": PARTS, "low": None, "high": None, "weeks": [100.0], "expected": [100.0]}
    return PastForecast(cutoff="2024-01-01", days=7, errors=errors, **{**fields, **other})


def test_a_baseline_gives_the_total_only_where_it_was_better_on_two_dates_and_can_answer_today() -> None:
    better, log = past({PARTS: 20.0, "smoothing": 10.0}), shop(np.full(500, 3), [(0, 10.0)])
    assert best_method([], log) == best_method([better], log) == PARTS
    assert best_method([better, past({PARTS: 20.0, "smoothing": 29.0})], log) == "smoothing"
    assert best_method([better, past({PARTS: 20.0, "smoothing": 30.0})], log) == PARTS
    once = [better, past({PARTS: 20.0, "smoothing": 35.0, "seasonal_naive": 1.0})]
    assert best_method(once, log) == PARTS
    earlier = [past({PARTS: 20.0, "last_weeks": 1.0})] * 2  # the log has a year by now, and last year's weeks instead
    assert best_method(earlier, log) == PARTS
    assert best_method(earlier, log.before(log.date_of(200))) == "last_weeks"


def test_customers_still_to_be_won_take_the_difference_to_a_baselines_total_and_never_less_than_nothing() -> None:
    log = shop(np.full(400, 10), [(0, 20.0)])
    errors = 0.1 * np.random.default_rng(5).standard_normal(400)
    few, many = (sum_of_parts(log, Known(log.end, {70: money}, errors)) for money in (7_000.0, 70_000.0))
    given = baselines(log, 70)["smoothing"].sum()
    by = by_baseline(few, log, "smoothing")
    assert by.sums().known == pytest.approx(7_000) and by.sums().total == pytest.approx(given, rel=1e-6)
    assert by.sums().low < given < by.sums().high
    assert by_baseline(many, log, "smoothing").sums().won == 0


def test_as_many_as_in_the_last_four_weeks_is_what_the_slider_says(made: Forecast, scored: Scored) -> None:
    log = ShopDays.of(scored.dataset)
    nobody, same, twice = (made.with_arrivals(share).sums() for share in (0.0, 1.0, 2.0))
    assert nobody.won == 0 and nobody.total == pytest.approx(made.sums().known)
    whole = len(log.won) // 7 * 7
    last = log.won[-whole:][-28:].sum() / 28 * scored.trained_days
    assert same.customers == pytest.approx(last, rel=0.02) and twice.won == pytest.approx(2 * same.won)


def test_a_range_of_one_week_is_wider_than_that_of_the_whole_span(scored: Scored) -> None:
    log = shop(np.random.default_rng(6).poisson(10, 500), [(0, 20.0), (20, 10.0)])
    errors = 0.1 * np.random.default_rng(7).standard_normal(400)
    made = sum_of_parts(log, Known(log.end, {91: 9_000.0, 365: 30_000.0}, errors))

    def width(low: float | None, high: float | None, middle: float) -> float:
        assert low is not None and high is not None and low < middle < high
        return (high - low) / middle

    whole, year = made.sums(), made.sums(365)
    weeks = np.mean([width(week.low, week.high, week.total) for week in made.by_period("week")[:-1]])
    assert width(whole.low, whole.high, whole.total) < weeks
    assert width(whole.low, whole.high, whole.total) < width(year.low, year.high, year.total)
    assert sum_of_parts(log, Known(log.end, {91: 9_000.0})).sums().low is None


def test_a_shop_of_a_few_days_has_a_forecast_all_the_same() -> None:
    log = shop(np.full(20, 3), [(0, 10.0)])
    made = make_forecast(log, Known(log.end, {30: 100.0, 365: 500.0}))
    assert made.sums().known == pytest.approx(100) and made.sums().won == pytest.approx(900, rel=0.2)
    assert np.isfinite(made.won).all() and made.sums().low is None


def test_saved_files_name_no_customer(scored: Scored, made: Forecast) -> None:  # noqa: ARG001
    ids = pd.read_parquet(scored.dataset.events_path, columns=["customer_id"])["customer_id"].unique()
    record: Path
    (record,) = scored.folder.glob("forecast-*.json")
    assert not any(name in record.read_text() for name in ids)
