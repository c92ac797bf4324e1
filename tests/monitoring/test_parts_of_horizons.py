"""Parts of a horizon: a season is no break, a break is one also in a season, and what is not known is not judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import Message
from clv_core.evaluation.levels import SharedError
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.monitoring.alerts import REALISED, Alert
from clv_core.monitoring.health import GREEN, RED, UNKNOWN, HealthStatus, assess_health
from clv_core.monitoring.realized import realized_value
from clv_core.monitoring.realized.partial_horizon import CURVE, MIN_BUYERS, SEASON, PartialHorizon, PastSpan, past_spans
from clv_core.monitoring.realized.realized_value import Realised, Tier, chance_of, outside, so_far
from clv_core.workspace import Workspace
from tests.monitoring.steady_shop import changed_from, day_after, dearer, steady_log, stored
from tests.records import model_record

pytestmark = pytest.mark.first(6)

HORIZON_DAYS = 120
DAYS = [30, 60, 90]
CUTOFF = day_after(780)
CURVE_SHARES = {days: float(np.expm1(-days / 250) / np.expm1(-HORIZON_DAYS / 250)) for days in DAYS}
"""What the steady shop lets expect: those who are there stay 250 more days on average."""


def seasonal(events: pd.DataFrame, height: float = 0.8, seed: int = 0) -> pd.DataFrame:
    """Thin out purchases so that their rate rises and falls over the year, least some weeks after the cutoff."""
    days = (events["event_time"] - pd.Timestamp(CUTOFF + timedelta(days=20))).dt.total_seconds() / 86400
    kept = (1 - height * np.cos(2 * np.pi * days / 365.25)) / (1 + height)
    return events[np.random.default_rng(seed).random(len(events)) < kept]


def purchases(customers: int, days: int, seed: int) -> pd.DataFrame:
    events = steady_log(customers, days, seed=seed, returns=0.0)
    return events[events["event_type"] == "purchase"].drop(columns="rating")


@pytest.fixture(scope="module")
def season_log() -> pd.DataFrame:
    return seasonal(purchases(2500, 900, 7))


@pytest.fixture(scope="module")
def season(season_log: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return stored(season_log, tmp_path_factory.mktemp("season"))


def later(events: pd.DataFrame, cutoff: date, days: int) -> pd.DataFrame:
    """Return what known customers bought within so many days after a cutoff."""
    begin, times = pd.Timestamp(cutoff), events["event_time"]
    known = events.loc[times < begin, "customer_id"].unique()
    return events[(times >= begin) & (times < begin + timedelta(days=days)) & events["customer_id"].isin(known)]


def share_by_hand(events: pd.DataFrame, cutoff: date, days: int) -> float:
    part, whole = (later(events, cutoff, length)["amount"].sum() for length in (days, HORIZON_DAYS))
    return float(part / whole)


def test_past_shares_are_those_of_the_log(season: Dataset, season_log: pd.DataFrame) -> None:
    cutoffs = [day_after(200), day_after(500)]
    found = past_spans(season, cutoffs, HORIZON_DAYS, DAYS)
    assert [span.cutoff for span in found] == cutoffs
    for span in found:
        by_hand = [share_by_hand(season_log, span.cutoff, days) for days in DAYS]
        np.testing.assert_allclose(np.exp(span.shares), by_hand, rtol=1e-9)


def test_the_noise_of_a_share_is_that_of_resampled_customers(season: Dataset, season_log: pd.DataFrame) -> None:
    (span,) = past_spans(season, [CUTOFF], HORIZON_DAYS, DAYS)
    random, shares = np.random.default_rng(0), []
    whole, part = (
        later(season_log, CUTOFF, days).groupby("customer_id")["amount"].sum() for days in (HORIZON_DAYS, 30)
    )
    part = part.reindex(whole.index).fillna(0.0)
    for _ in range(300):
        drawn = random.integers(0, len(whole), len(whole))
        shares.append(np.log(part.to_numpy()[drawn].sum() / whole.to_numpy()[drawn].sum()))
    assert np.sqrt(span.noise[0]) == pytest.approx(np.std(shares), rel=0.15)


def test_a_part_follows_the_year_before(season: Dataset, season_log: pd.DataFrame, tmp_path: Path) -> None:
    found = PartialHorizon.of(season, CUTOFF, HORIZON_DAYS, CURVE_SHARES)
    assert found is not None and found.kind == SEASON
    for days, share in CURVE_SHARES.items():
        came = share_by_hand(season_log, CUTOFF, days)
        assert came < 0.85 * share
        assert abs(np.log(share * found.factor[days] / came)) < 3 * np.sqrt(found.variance[days].mean())
    steady = PartialHorizon.of(stored(purchases(2500, 900, 8), tmp_path), CUTOFF, HORIZON_DAYS, CURVE_SHARES)
    assert steady is not None and steady.kind == CURVE and set(steady.factor.values()) == {1.0}
    assert np.sqrt(steady.variance[30].mean()) < 0.15


def test_nothing_is_known_of_parts_where_no_horizon_with_enough_buyers_is_past(season: Dataset, tmp_path: Path) -> None:
    assert PartialHorizon.of(season, day_after(140), HORIZON_DAYS, CURVE_SHARES) is None
    few = stored(purchases(MIN_BUYERS // 3, 900, 7), tmp_path)
    assert PartialHorizon.of(few, CUTOFF, HORIZON_DAYS, CURVE_SHARES) is None


def span(days_before: int, *misses: float) -> PastSpan:
    shares = np.log(list(CURVE_SHARES.values())) + np.array(misses)
    return PastSpan(CUTOFF - timedelta(days=days_before), shares, np.full(3, 0.001))


def test_value_and_chances_of_a_part_are_those_of_the_same_days_a_year_before() -> None:
    """A tenth came in the first 30 days a year before, where the model's even share is three tenths of 1,000."""
    year = [PastSpan(CUTOFF - timedelta(weeks=52), np.log([0.1, 0.2]), np.full(2, 1e-4))]
    parts = PartialHorizon.learned(year, CUTOFF, [CUTOFF - timedelta(days=120)], {30: 0.3, 60: 0.5})
    even = pd.DataFrame({"customer_id": ["a", "b"], "predicted_clv": [240.0, 60.0], "p_purchase": [0.5, 0.2]})
    assert parts is not None and parts.kind == SEASON
    found = parts.expected(even, 30)
    assert found["predicted_clv"].tolist() == pytest.approx([80.0, 20.0])
    assert (found["p_purchase"] < even["p_purchase"]).all() and found["customer_id"].tolist() == ["a", "b"]
    assert parts.expected(even, 60)["predicted_clv"].sum() == pytest.approx(300 * 0.2 / 0.5)


def test_a_part_is_less_sure_the_further_past_ones_left_the_curve_and_the_earlier_it_is() -> None:
    last = [CUTOFF - timedelta(days=120 * number) for number in (1, 2, 3)]
    near = [span(120, 0.02, 0.01, 0.0), span(240, -0.02, 0.0, 0.0), span(360, 0.01, 0.0, 0.0)]
    far = [span(120, 0.5, 0.3, 0.1), span(240, -0.6, -0.3, -0.1), span(360, 0.4, 0.2, 0.05)]
    small, large = (PartialHorizon.learned(spans, CUTOFF, last, CURVE_SHARES) for spans in (near, far))
    assert small is not None and large is not None and small.kind == large.kind == CURVE
    widths = [[np.sqrt(np.median(parts.variance[days])) for days in CURVE_SHARES] for parts in (small, large)]
    assert all(ours < 0.3 * theirs for ours, theirs in zip(*widths, strict=True))
    assert widths[1] == sorted(widths[1], reverse=True)


def scored(random: np.random.Generator, customers: int = 1500) -> tuple[pd.DataFrame, np.ndarray]:
    chance, mean = random.uniform(0.2, 0.8, customers), random.gamma(2, 20, customers)
    frame = pd.DataFrame({"p_purchase": chance, "predicted_clv": chance * mean})
    return frame, np.where(random.random(customers) < chance, random.exponential(mean), 0.0)


def test_chances_of_a_part_are_small_only_as_often_as_they_say_and_a_break_is_still_found() -> None:
    """Shares that leave the curve by a fifth, as in a shop with seasons that the log is too short to show."""
    random, last = np.random.default_rng(3), [CUTOFF - timedelta(days=120 * number) for number in (1, 2, 3)]
    past = [frame.assign(actual=actual * np.exp(random.normal(0, 0.05))) for frame, actual in map(scored, [random] * 6)]
    shared = SharedError.of(past)
    assert shared is not None
    chances, broken = [], []
    for _ in range(60):
        spans = [span(120 * number, *(random.normal(0, 0.2) * np.array([1, 0.6, 0.3]))) for number in (1, 2, 3)]
        parts = PartialHorizon.learned(spans, CUTOFF, last, CURVE_SHARES)
        assert parts is not None
        frame, actual = scored(random)
        total = float(actual.sum() * np.exp(random.normal(0, 0.05) + random.normal(0, 0.2)))
        chances.append(chance_of(frame, total, parts.wider(shared, 30)))
        broken.append(chance_of(frame, 0.15 * total, parts.wider(shared, 30)))
    assert np.mean(np.array(chances) < 0.05) <= 0.1 and np.mean(np.array(chances) < 0.0083) <= 0.02
    assert np.mean(np.array(broken) < 0.05) > 0.7


@pytest.fixture
def watched(
    season_log: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[pd.DataFrame, int], tuple[list[Realised], list[Tier], list[Alert], list[HealthStatus]]]:
    """What is said some days after the cutoff of a model whose total for the whole horizon comes true."""
    known = np.unique(season_log.loc[season_log["event_time"] < pd.Timestamp(CUTOFF), "customer_id"])
    total = later(season_log, CUTOFF, HORIZON_DAYS)["amount"].sum()
    each = np.random.default_rng(0).gamma(2, 1, len(known))

    def scores(days: int) -> pd.DataFrame:
        share = 1.0 if days == HORIZON_DAYS else float(np.expm1(-days / 250) / np.expm1(-HORIZON_DAYS / 250))
        mean = share * total * each / each.sum()
        frame = pd.DataFrame({"customer_id": known, "predicted_clv": mean, "p_purchase": 0.3 * share})
        return frame.assign(clv_p10=0.0, clv_p50=0.0, clv_p90=5 * mean)

    random = np.random.default_rng(1)
    past = [frame.assign(actual=actual) for frame, actual in (scored(random) for _ in range(6))]
    monkeypatch.setattr(realized_value, "_scores", lambda *_: scores)
    monkeypatch.setattr(realized_value, "shared_error", lambda *_: SharedError.of(past))
    bundle: Any = SimpleNamespace(record=model_record(cutoff=CUTOFF.isoformat(), horizon_days=HORIZON_DAYS))

    def look(events: pd.DataFrame, days: int) -> tuple[list[Realised], list[Tier], list[Alert], list[HealthStatus]]:
        grown = events[events["event_time"] < pd.Timestamp(CUTOFF + timedelta(days=days))]
        unknown, dataset = dict[str, Message](), stored(grown, tmp_path / str(days))
        model = Scored.of(Workspace(tmp_path), dataset, bundle)
        came, tiers, intervals = realized_value.compare_realized(model, scores(HORIZON_DAYS), unknown, NoProgress())
        alerts = realized_value.realized_alerts(bundle, came, intervals)
        return came, tiers, alerts, assess_health(alerts, unknown, outside(came), so_far(came))

    return look


def of_truth(lights: list[HealthStatus]) -> HealthStatus:
    return next(light for light in lights if light.question == REALISED)


def test_a_season_is_no_break(watched: Any, season_log: pd.DataFrame) -> None:
    came, tiers, alerts, lights = watched(season_log, 61)
    last, steady = came[-1], realized_value._scores(None, None, CUTOFF, NoProgress())(61)["predicted_clv"].sum()
    assert last.realised < 0.8 * steady  # by the steady curve far too little
    assert last.held_against == SEASON and last.coverage is None and last.buyers_expected is None
    assert not alerts and of_truth(lights).colour == GREEN
    assert last.low is not None and last.high is not None and last.low < last.realised < last.high
    assert of_truth(lights).why.code == "light.realised.green.season"
    assert all("{" not in of_truth(lights).why.text(language) for language in LANGUAGES)
    assert sum(tier.expected for tier in tiers) == pytest.approx(last.expected)
    came, _, alerts, lights = watched(season_log, HORIZON_DAYS)
    assert not alerts and came[-1].held_against == "whole" and came[-1].coverage is not None


def test_a_break_in_a_season_is_an_early_alert(watched: Any, season_log: pd.DataFrame) -> None:
    _, _, alerts, lights = watched(changed_from(season_log, CUTOFF, lambda late: dearer(late, 0.3)), 61)
    assert of_truth(lights).colour == RED and [alert.code for alert in alerts] == ["realised_fell"]


def test_unknown_parts_are_not_judged(watched: Any, season_log: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PartialHorizon, "of", classmethod(lambda *_: None))
    came, tiers, alerts, lights = watched(changed_from(season_log, CUTOFF, lambda late: dearer(late, 0.3)), 61)
    assert of_truth(lights).colour == UNKNOWN and of_truth(lights).why.code == "light.realised.part_unknown"
    assert all("{" not in of_truth(lights).why.text(language) for language in LANGUAGES)
    assert {(one.low, one.high, one.chance) for one in came} == {(None, None, None)}
    assert all(tier.low is None for tier in tiers) and not alerts
