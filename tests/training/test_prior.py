"""Simulated shops against the distributions of the papers they stand for, and against pandas."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import beta, digamma, polygamma

from clv_core.training.prior import KINDS, ShopLog, simulate_shop
from clv_core.training.prior.order_times import Customers, Orders, draw_customers, draw_orders, draw_renewals, own_level
from clv_core.training.prior.shop_log import (
    Happenings,
    draw_carts,
    draw_ratings,
    draw_returns,
    draw_spend,
    draw_views,
)
from clv_core.training.prior.shop_traits import (
    LARGE,
    LARGE_SIZES,
    LARGEST_RATIO,
    STEADY,
    TEXTBOOK,
    Renewal,
    Traits,
    draw_traits,
)

pytestmark = pytest.mark.slow

HISTORY, HORIZON = 200, 100
WEEKS = np.arange(-HISTORY, 2.0 * HORIZON, 7)
ALIKE = 1e5
"""Shape of a gamma distribution whose draws hardly differ."""
NOUGHT = (
    *("one_time_share", "bad_leaves", "mood_deviation", "rest_share", "intent_deviation", "slow_down", "cohort_slope"),
    *("season", "christmas", "seasonal_share", "trend", "shock", "spend_rate", "whales", "price_drift", "visitors"),
)
PLAIN = dict.fromkeys(NOUGHT, 0.0) | {
    **{"history_days": HISTORY, "horizon_days": HORIZON, "customers": 3000, "cutoff_day": 19_000},
    **{"acquisition": "settled", "older_days": 100.0, "rate": 5.0, "rate_kind": "gamma", "rate_spread": ALIKE},
    **{"dropout": "none", "regularity": 1.0, "spend_kind": "lognormal", "between": 0.5, "within": 0.5},
}
"""Nothing moves a rate: all came before the log began, buy alike, and stay."""


def plain(**changes: object) -> Traits:
    return replace(draw_traits(np.random.default_rng(0)), **(PLAIN | changes))


def drawn(traits: Traits, seed: int = 1) -> tuple[Customers, Orders]:
    random = np.random.default_rng(seed)
    people = draw_customers(traits, random)
    return people, draw_orders(traits, people, random)


def spent(traits: Traits, seed: int = 1) -> pd.DataFrame:
    """Return all orders with their value, one row each."""
    people, orders = drawn(traits, seed)
    value = draw_spend(traits, people, orders, np.random.default_rng(seed + 1))
    return pd.DataFrame({"customer": orders.customer, "day": orders.day, "bad": orders.bad, "value": value})


def counts(traits: Traits, customer: np.ndarray, day: np.ndarray, begin: float, end: float) -> np.ndarray:
    return np.bincount(customer[(day >= begin) & (day < end)], minlength=traits.customers)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


@pytest.fixture(scope="module")
def shops() -> list[ShopLog]:
    return [simulate_shop((1, number)) for number in range(100)]


def bits(shop: ShopLog) -> dict[str, object]:
    known = {field.name: getattr(shop, field.name) for field in fields(shop)}
    return {name: value.tobytes() if isinstance(value, np.ndarray) else value for name, value in known.items()}


def rows(shop: ShopLog) -> pd.DataFrame:
    customer = np.repeat(np.arange(len(shop.offsets) - 1), np.diff(shop.offsets))
    names = ("day", "kind", "amount", "lines", "rating")
    return pd.DataFrame({"customer": customer} | {name: getattr(shop, name) for name in names})


def test_one_seed_gives_one_shop_and_another_seed_another(shops: list[ShopLog]) -> None:
    for number in (0, 5, 9):
        assert bits(simulate_shop((1, number))) == bits(shops[number])
    assert len({shop.day.tobytes() for shop in shops}) == len({shop.traits for shop in shops}) == len(shops)


def test_a_shop_holds_one_row_a_customer_day_and_kind_of_its_history(shops: list[ShopLog]) -> None:
    for shop in shops:
        first, cutoff = shop.traits.cutoff_day - shop.traits.history_days, shop.traits.cutoff_day
        assert shop.day.min() >= first and shop.day.max() < cutoff
        keys = pd.MultiIndex.from_frame(rows(shop)[["customer", "day", "kind"]])
        assert keys.is_unique and keys.is_monotonic_increasing
        assert shop.offsets[0] == 0 and shop.offsets[-1] == len(shop.day) and (np.diff(shop.offsets) > 0).all()
        assert shop.values.shape == (len(shop.offsets) - 1, 2) and np.isfinite(shop.values).all()
        assert shop.ratios[0] == 1 and 0 < shop.ratios[1] <= LARGEST_RATIO
        by_kind = {name: rows(shop)[shop.kind == code] for code, name in enumerate(KINDS)}
        assert (by_kind["purchase"]["amount"] > 0).all() and (by_kind["return"]["amount"] < 0).all()
        assert by_kind["rating"]["rating"].between(1, 5).all()
        for name, part in by_kind.items():
            assert (part["lines"] >= 1).all()
            assert name in ("purchase", "return") or part["amount"].isna().all()
            assert name == "rating" or part["rating"].isna().all()


def test_shops_differ_widely(shops: list[ShopLog]) -> None:
    bought = np.array([(shop.values[:, 0] > 0).mean() for shop in shops])
    assert bought.min() < 0.1 and bought.max() > 0.8
    assert ((bought > 0.2) & (bought < 0.6)).sum() > 15
    silent = sum(set(np.unique(shop.kind)) <= {KINDS.index("purchase"), KINDS.index("return")} for shop in shops)
    assert 30 < silent < 80
    for name in KINDS:
        assert sum(KINDS.index(name) in shop.kind for shop in shops) > (2 if name == "signup" else 10)
    for name, least in (("acquisition", 5), ("dropout", 5), ("rate_kind", 2), ("spend_kind", 2)):
        assert len({getattr(shop.traits, name) for shop in shops}) == least
    sizes = np.array([len(shop.offsets) - 1 for shop in shops])
    assert sizes.min() < 150 and sizes.max() > 1000


def events_of(seed: list[int]) -> tuple[Traits, pd.DataFrame]:
    """Return all events of a shop, past and future, drawn piece by piece."""
    random = np.random.default_rng(seed)
    traits = draw_traits(random)
    people = draw_customers(traits, random)
    if traits.renewal is None:
        orders = looked_for = draw_orders(traits, people, random)
        amount = draw_spend(traits, people, orders, random)
    else:
        people, orders, starts, amount = draw_renewals(traits, people, random)
        looked_for = Orders(orders.customer[starts], orders.day[starts], orders.bad[starts], orders.left)
    parts = {
        "purchase": Happenings(orders.customer, orders.day, amount),
        "return": draw_returns(traits, people, orders, amount, random),
    }
    views = Happenings.none()
    if traits.kinds[0] or traits.visitors:
        views = parts["view"] = draw_views(traits, people, looked_for, random)
    if traits.kinds[1]:
        parts["cart"] = draw_carts(traits, people, views, looked_for, random)
    if traits.renewal is not None and traits.renewal.signs_up:
        n = len(people.arrival)
        parts["signup"] = Happenings(np.arange(n), people.arrival, np.full(n, np.nan))
    if traits.kinds[2]:
        parts["rating"] = draw_ratings(traits, people, orders, random)
    columns = ("customer", "day", "value")
    frames = [pd.DataFrame({n: getattr(part, n) for n in columns}).assign(kind=kind) for kind, part in parts.items()]
    return traits, pd.concat(frames, ignore_index=True)


def test_a_shop_is_the_pandas_sum_of_its_events() -> None:
    for number in range(12):
        shop = simulate_shop((2, number))
        traits, events = events_of([2, number])
        assert traits == shop.traits
        past = events[(events["day"] < 0) & (events["day"] >= -traits.history_days)]
        past = past.assign(day=np.floor(past["day"]) + traits.cutoff_day)
        by_row = past.groupby(["customer", "day", "kind"])["value"]
        ours = rows(shop)
        np.testing.assert_array_equal(ours["day"], by_row.size().index.get_level_values("day"))
        np.testing.assert_array_equal(np.array(KINDS)[shop.kind], by_row.size().index.get_level_values("kind"))
        np.testing.assert_array_equal(ours["lines"], by_row.size())
        mean = np.where(np.isfinite(ours["amount"]), ours["amount"] / ours["lines"], ours["rating"])
        np.testing.assert_allclose(mean, by_row.mean(), rtol=1e-9)
        seen = np.sort(past["customer"].unique())
        later = events[(events["day"] >= 0) & events["kind"].isin(["purchase", "return"])]
        for column, ratio in enumerate(shop.ratios):
            until = later[later["day"] < round(ratio * traits.horizon_days)]
            expected = until.groupby("customer")["value"].sum().reindex(seen, fill_value=0.0)
            np.testing.assert_allclose(shop.values[:, column], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("shape", "rate"), [(0.5, 2.0), (3.0, 6.0)])
def test_counts_of_poisson_customers_with_gamma_rates_are_negative_binomial(shape: float, rate: float) -> None:
    """Ehrenberg 1959: a gamma mixture of Poisson counts."""
    traits = plain(customers=15_000, rate=rate, rate_spread=shape)
    _, orders = drawn(traits)
    for begin, end in ((-50, 0), (0, 100), (30, 60)):
        found = counts(traits, orders.customer, orders.day, begin, end)
        mean = rate * (end - begin) / HORIZON
        law = stats.nbinom(shape, shape / (shape + mean))
        assert found.mean() == pytest.approx(law.mean(), abs=4 * law.std() / np.sqrt(len(found)))
        assert found.var() == pytest.approx(law.var(), rel=0.08)
        top = int(law.ppf(0.995))
        expected = np.append(law.pmf(np.arange(top)), law.sf(top - 1)) * len(found)
        assert stats.chisquare(np.bincount(np.minimum(found, top), minlength=top + 1), expected).pvalue > 0.001


def test_lognormal_rates_give_their_share_of_silent_customers() -> None:
    traits = plain(customers=15_000, rate=1.0, rate_kind="lognormal", rate_spread=1.2)
    _, orders = drawn(traits)
    rate = stats.lognorm(1.2, scale=np.exp(-(1.2**2) / 2))
    silent = rate.expect(lambda x: np.exp(-x))
    found = (counts(traits, orders.customer, orders.day, 0, HORIZON) == 0).mean()
    assert found == pytest.approx(silent, abs=4 * np.sqrt(silent * (1 - silent) / traits.customers))


@pytest.mark.parametrize("regularity", [0.5, 1.0, 4.0, 12.0])
def test_gaps_vary_as_the_root_of_regularity(regularity: float) -> None:
    """A gamma distribution of shape k has the coefficient of variation 1 / sqrt(k)."""
    _, orders = drawn(plain(customers=1000, rate=30.0, regularity=regularity))
    known = pd.DataFrame({"customer": orders.customer, "day": orders.day})
    known = known[known["day"] > -HISTORY]
    gap = known.groupby("customer")["day"].diff()
    gap = gap[known.groupby("customer").cumcount().between(1, 25)]
    assert len(gap) == 25_000 and gap.notna().all()
    assert gap.mean() == pytest.approx(HORIZON / 30, rel=0.03)
    assert gap.std() / gap.mean() == pytest.approx(1 / np.sqrt(regularity), rel=0.03)
    scale = HORIZON / 30 / regularity
    assert stats.kstest(gap.to_numpy()[::7], stats.gamma(regularity, scale=scale).cdf).pvalue > 0.001


@pytest.mark.parametrize("acquisition", ["even", "burst", "settled"])
def test_the_first_gap_after_arrival_is_a_gap_as_any_other(acquisition: str) -> None:
    traits = plain(acquisition=acquisition, burst_share=0.03, rate=30.0, customers=2000)
    people, orders = drawn(traits)
    start = np.searchsorted(orders.customer, np.arange(traits.customers))
    np.testing.assert_allclose(orders.day[start], people.arrival)
    early = people.arrival < -10 * HORIZON / 30
    gap = (orders.day[start + 1] - orders.day[start])[early]
    assert stats.kstest(gap, stats.expon(scale=HORIZON / 30).cdf).pvalue > 0.001


def test_orders_are_in_order_of_customer_and_day_and_end_when_she_leaves() -> None:
    for seed in range(8):
        traits = draw_traits(np.random.default_rng(seed))
        people, orders = drawn(traits, seed)
        assert (np.diff(orders.customer) >= 0).all()
        assert (np.diff(orders.day)[np.diff(orders.customer) == 0] >= 0).all()
        assert (orders.day >= people.arrival[orders.customer]).all()
        assert (orders.day <= orders.left[orders.customer]).all()


def test_customers_who_came_for_an_order_have_one_on_the_day_they_came() -> None:
    for acquisition in ("even", "burst", "growing", "settled", "mixed"):
        traits = plain(acquisition=acquisition, one_time_share=0.3, visitors=0.4, customers=1500)
        people, orders = drawn(traits)
        first = np.full(traits.customers, np.inf)
        np.minimum.at(first, orders.customer, orders.day)
        np.testing.assert_array_equal(first[~people.visitor], people.arrival[~people.visitor])
        once = np.bincount(orders.customer, minlength=traits.customers) == 1
        assert once[(people.rate == 0) & ~people.visitor].all()
        assert not np.isfinite(first[(people.rate == 0) & people.visitor]).any()
        assert (people.rate == 0).mean() == pytest.approx(0.3, abs=0.05)
        assert people.visitor.mean() == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(("dropout", "fewest"), [("by_order", 1), ("by_repeat", 2)])
def test_leaving_with_an_order_is_beta_geometric(dropout: str, fewest: int) -> None:
    """Fader, Hardie and Lee 2005: after each order she leaves with a chance of her own, beta distributed.

    In BG/NBD as published only repeat orders can be the last one; in its modified form the first can, too.
    """
    traits = plain(dropout=dropout, rate=60.0, life=0.05, life_shape=1.0, customers=10_000)
    _, orders = drawn(traits)
    found = np.bincount(orders.customer, minlength=traits.customers)
    mean = 1 / (1 + traits.life * traits.rate)
    law = stats.betanbinom(1, 3 * mean, 3 * (1 - mean), loc=fewest)
    top = 12
    expected = np.append(law.pmf(np.arange(fewest, top)), law.sf(top - 1)) * traits.customers
    assert found.min() == fewest
    assert stats.chisquare(np.bincount(np.minimum(found, top), minlength=top + 1)[fewest:], expected).pvalue > 0.001


def test_some_shops_are_steady_and_some_are_large() -> None:
    shops = [draw_traits(np.random.default_rng(seed)) for seed in range(1000)]
    still = [
        not (t.mood_deviation or t.rest_share or t.season or t.christmas or t.shock or t.trend or t.slow_down)
        for t in shops
    ]
    assert np.mean(still) == pytest.approx(STEADY + TEXTBOOK, abs=0.05)
    large = [t.customers > LARGE_SIZES[0] for t in shops if t.renewal is None]
    assert np.mean(large) == pytest.approx(LARGE, abs=0.04)


@pytest.mark.parametrize(
    ("dropout", "shape", "law"),
    [
        ("gamma", 0.7, stats.lomax(0.7, scale=0.7 * 80)),
        ("gamma", 2.5, stats.lomax(2.5, scale=2.5 * 80)),
        ("weibull", 1.7, stats.weibull_min(1.7, scale=80)),
    ],
)
def test_lives_have_the_distribution_of_their_dropout(dropout: str, shape: float, law: Any) -> None:
    """Schmittlein, Morrison and Colombo 1987: exponential lives at gamma rates are Pareto II distributed."""
    people, orders = drawn(plain(dropout=dropout, life=0.8, life_shape=shape))
    assert stats.kstest(orders.left - people.arrival, law.cdf).pvalue > 0.001


def test_a_bad_order_can_be_the_last_one() -> None:
    _, orders = drawn(plain(bad_leaves=1.0, bad_share=0.2))
    last = np.append(np.diff(orders.customer) > 0, True)
    assert 0 < orders.bad.sum() and not orders.bad[~last].any()
    _, forgiving = drawn(plain(bad_leaves=0.0, bad_share=0.2))
    assert forgiving.bad.mean() == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("kind", ["gamma_gamma", "lognormal"])
def test_spend_deviates_between_and_within_customers_as_drawn(kind: str) -> None:
    """Logs of a gamma variable of shape k have the deviation sqrt(trigamma(k)); its squared variation is 1 / k."""
    traits = plain(spend_kind=kind, between=0.8, within=0.6, rate=15.0)
    orders = spent(traits)
    log = np.log(orders["value"])
    mean = log.groupby(orders["customer"]).transform("mean")
    size = orders.groupby("customer")["value"].transform("size")
    within = np.sqrt(((log - mean) ** 2).sum() / (len(log) - traits.customers))
    shape = 1 / np.expm1(0.6**2)
    expected = np.sqrt(polygamma(1, shape)) if kind == "gamma_gamma" else 0.6
    assert within == pytest.approx(expected, rel=0.02)
    each = pd.DataFrame({"mean": mean, "noise": within**2 / size}).groupby(orders["customer"]).first()
    assert np.sqrt(each["mean"].var() - each["noise"].mean()) == pytest.approx(0.8, rel=0.04)
    centre = digamma(shape) - np.log(shape) if kind == "gamma_gamma" else -(0.6**2) / 2
    assert each["mean"].mean() == pytest.approx(centre, abs=0.06)
    money = orders.groupby("customer")["value"]
    variation = ((money.std() / money.mean()) ** 2)[money.size() > 20]
    assert variation.mean() == pytest.approx(np.expm1(0.6**2), rel=0.1)


@pytest.mark.parametrize("wanted", [-0.5, 0.0, 0.7])
def test_spend_goes_with_rate_as_drawn(wanted: float) -> None:
    traits = plain(spend_rate=wanted, rate_kind="lognormal", rate_spread=0.8, rate=20.0, within=0.1)
    people, _ = drawn(traits)
    orders = spent(traits)
    mean = np.log(orders["value"]).groupby(orders["customer"]).mean()
    found = correlation(mean.to_numpy(), np.log(people.rate[mean.index]))
    assert found == pytest.approx(wanted, abs=0.06)


def test_whales_spend_far_more_and_prices_drift() -> None:
    orders = spent(plain(whales=0.02, whale_height=3.0, between=0.1, within=0.1, rate=15.0))
    mean = np.log(orders["value"]).groupby(orders["customer"]).mean()
    assert (mean > 2).mean() == pytest.approx(0.02, abs=0.01)
    assert mean[mean > 2].mean() - mean[mean < 2].mean() == pytest.approx(3.0, abs=0.05)
    drifting = spent(plain(price_drift=0.2, between=0.1, within=0.1, rate=15.0))
    slope = stats.linregress(drifting["day"] / 365.25, np.log(drifting["value"])).slope
    assert slope == pytest.approx(0.2, abs=0.02)


def test_christmas_and_trend_move_all_orders() -> None:
    dates = pd.Timestamp("2020-03-01") + pd.to_timedelta(np.arange(-4 * 365, 0), unit="D")
    cutoff = (pd.Timestamp("2020-03-01") - pd.Timestamp(0)).days
    traits = plain(customers=800, history_days=4 * 365, rate=20.0, christmas=1.5, cutoff_day=cutoff)
    _, orders = drawn(traits)
    known = np.floor(orders.day[(orders.day < 0) & (orders.day >= -4 * 365)]).astype(int)
    by_day = pd.Series(np.bincount(known + 4 * 365, minlength=4 * 365), index=dates)
    code = by_day.index.month * 100 + by_day.index.day
    peak, usual, after = (
        by_day[(code >= first) & (code <= last)].mean() for first, last in ((1122, 1217), (201, 1031), (101, 115))
    )
    assert peak / usual == pytest.approx(2.5, rel=0.05)
    assert after / usual == pytest.approx(1 - 1.5 / 4, rel=0.1)
    rising = plain(customers=3000, history_days=800, rate=5.0, trend=0.4)
    _, orders = drawn(rising)
    now, then = ((orders.day >= begin) & (orders.day < begin + 365.25) for begin in (-365.25, -730.5))
    assert np.log(now.sum() / then.sum()) == pytest.approx(0.4, abs=0.03)


def test_a_season_is_a_sine_of_the_year() -> None:
    traits = plain(history_days=731, season=0.5, season_turn=1.0, cutoff_day=19_000)
    _, orders = drawn(traits)
    day = orders.day[(orders.day >= -730.5) & (orders.day < 0)]
    turn = 2 * np.pi * ((19_000 + day) % 365.25) / 365.25 + 1.0
    by_phase = np.histogram(turn % (2 * np.pi), 12, (0, 2 * np.pi))[0]
    middle = (np.arange(12) + 0.5) * np.pi / 6
    fitted = stats.linregress(np.sin(middle), np.log(by_phase))
    assert fitted.slope == pytest.approx(0.5, abs=0.04) and fitted.rvalue > 0.99


def test_customers_slow_down_and_later_ones_are_others() -> None:
    slow = plain(slow_down=1.0, history_days=400, rate=10.0)
    people, orders = drawn(slow)
    for begin, end in ((-350, -250), (-100, 0), (0, 100)):
        found = counts(slow, orders.customer, orders.day, begin, end).mean()
        expected = 10 * np.log((HORIZON + end - people.arrival) / (HORIZON + begin - people.arrival))
        assert found == pytest.approx(expected.mean(), rel=0.04)
    sloped, _ = drawn(plain(acquisition="even", cohort_slope=1.0, customers=3000))
    fitted = stats.linregress(1 + sloped.arrival / HISTORY, np.log(sloped.rate))
    assert fitted.slope == pytest.approx(1.0, abs=0.01)


def test_moods_have_mean_one_their_deviation_and_their_memory() -> None:
    traits = plain(mood_deviation=0.7, mood_days=70.0)
    mood, intent, other = own_level(traits, WEEKS, np.full(4000, -200.0), np.random.default_rng(3))
    np.testing.assert_allclose(mood.mean(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(np.log(mood).std(axis=0), 0.7, rtol=0.05)
    ten_weeks = correlation(np.log(mood[:, :-10]).ravel(), np.log(mood[:, 10:]).ravel())
    assert ten_weeks == pytest.approx(0.5, abs=0.03)
    assert (intent == 1).all() and (other == 1).all()


@pytest.mark.parametrize(("share", "days"), [(0.4, 60.0), (0.8, 90.0), (0.8, 5.0)])
def test_customers_rest_their_share_of_the_time(share: float, days: float) -> None:
    traits = plain(rest_share=share, rest_days=days)
    mood, _, _ = own_level(traits, WEEKS, np.full(4000, -200.0), np.random.default_rng(3))
    assert (mood == 0).mean() == pytest.approx(share, abs=0.03)
    assert mood.mean() == pytest.approx(1, abs=0.06)


def test_a_season_of_her_own_is_a_quarter_of_the_year_with_all_her_orders() -> None:
    weeks = np.arange(-730.5, 0, 7)
    traits = plain(seasonal_share=1.0)
    _, _, other = own_level(traits, weeks, np.full(2000, -800.0), np.random.default_rng(3))
    assert set(np.unique(other)) == {0.0, 4.0}
    assert (other > 0).mean() == pytest.approx(0.25, abs=0.01)


def test_returns_are_never_more_than_an_order_of_the_last_thirty_days() -> None:
    traits = plain(returned=0.3, returned_spread=1.0, rate=3.0, within=1.0)
    people, orders = drawn(traits)
    value = draw_spend(traits, people, orders, np.random.default_rng(2))
    back = draw_returns(traits, people, orders, value, np.random.default_rng(3))
    bought = pd.DataFrame({"customer": orders.customer, "ordered": orders.day, "value": value})
    returned = pd.DataFrame({"customer": back.customer, "returned": back.day, "back": back.value})
    assert len(returned) > 1000 and (returned["back"] < 0).all()
    pairs = returned.reset_index().merge(bought, on="customer")
    after = pairs["returned"] - pairs["ordered"]
    fits = (after >= 0) & (after <= 30) & (pairs["value"] >= -pairs["back"] - 1e-12)
    assert fits.groupby(pairs["index"]).any().all()
    left = bought.groupby("customer")["value"].sum().add(returned.groupby("customer")["back"].sum(), fill_value=0.0)
    assert (left >= -1e-9).all()


def test_bad_orders_come_back_more_often_and_are_rated_lower() -> None:
    traits = plain(returned=0.1, returned_spread=0.0, bad_share=0.3, rate=10.0, rated_share=0.3)
    people, orders = drawn(traits)
    value = np.ones(len(orders.day))
    for bad, share in ((True, 0.3), (False, 0.07)):
        alike = replace(orders, bad=np.full(len(orders.day), bad))
        back = draw_returns(traits, people, alike, value, np.random.default_rng(3))
        assert len(back.day) / len(orders.day) == pytest.approx(share, rel=0.05)
    rated = draw_ratings(traits, people, orders, np.random.default_rng(4))
    assert len(rated.day) / len(orders.day) == pytest.approx(0.3, abs=0.01)
    own = pd.Series(orders.bad).groupby(orders.customer).mean()
    mean = pd.Series(rated.value).groupby(rated.customer).mean()
    assert correlation(own.reindex(mean.index).to_numpy(), mean.to_numpy()) < -0.4
    assert set(np.unique(rated.value)) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def nothing_ordered(orders: Orders) -> Orders:
    """Return no order, so that views on the way to one cannot tell anything."""
    return replace(orders, customer=orders.customer[:0], day=orders.day[:0], bad=orders.bad[:0])


@pytest.mark.parametrize("differ", [{"mood_deviation": 1.0, "mood_days": 200.0}, {"rate_spread": 1.0}])
@pytest.mark.parametrize(("telling", "low", "high"), [(1.0, 0.3, 1.0), (0.5, 0.15, 0.6), (0.0, -0.06, 0.06)])
def test_views_tell_moods_and_rates_as_much_as_they_should(
    telling: float, low: float, high: float, differ: dict[str, float]
) -> None:
    traits = plain(telling=telling, views=10.0, **differ)
    people, orders = drawn(traits)
    views = draw_views(traits, people, nothing_ordered(orders), np.random.default_rng(2))
    looked = counts(traits, views.customer, views.day, -60, 0)
    bought = counts(traits, orders.customer, orders.day, 0, HORIZON)
    assert looked.mean() > 5
    assert low < correlation(np.log1p(looked), np.log1p(bought)) < high


def test_views_end_with_the_customer_only_where_they_tell() -> None:
    traits = plain(dropout="gamma", life=0.5, life_shape=2.0, views=10.0)
    for telling, share in ((1.0, 0.0), (0.0, 1.0)):
        people, orders = drawn(replace(traits, telling=telling))
        views = draw_views(replace(traits, telling=telling), people, orders, np.random.default_rng(2))
        gone, there = orders.left < -70, orders.left > 0
        looked = counts(traits, views.customer, views.day, -60, 0)
        assert gone.sum() > 500 and there.sum() > 200
        assert looked[gone].mean() == pytest.approx(share * looked[there].mean(), rel=0.25, abs=0.01)


@pytest.mark.parametrize(("telling", "low", "high"), [(1.0, 0.25, 1.0), (0.0, -0.06, 0.06)])
def test_carts_tell_an_intent_that_views_do_not(telling: float, low: float, high: float) -> None:
    traits = plain(telling=telling, intent_deviation=1.0, mood_days=200.0, views=12.0, cart_share=0.3)
    people, orders = drawn(traits)
    idle = nothing_ordered(orders)
    views = draw_views(traits, people, idle, np.random.default_rng(2))
    carts = draw_carts(traits, people, views, idle, np.random.default_rng(3))
    bought = np.log1p(counts(traits, orders.customer, orders.day, 0, HORIZON))
    put = np.log1p(counts(traits, carts.customer, carts.day, -60, 0))
    looked = np.log1p(counts(traits, views.customer, views.day, -60, 0))
    assert low < correlation(put, bought) < high
    assert abs(correlation(looked, bought)) < 0.06
    assert set(zip(carts.customer, carts.day, strict=True)) <= set(zip(views.customer, views.day, strict=True))


def test_subscriptions_renew_on_their_day_and_end_as_beta_geometric_has_it() -> None:
    """Fader, Hardie (2007): of those who start, S(k) = B(a, b + k) / B(a, b) renew k times."""
    wanted = Renewal(30, 12, 0.0, 0.8, 0.4, 0.5, 5, 1.0, 5, (0.3, 0.5), 1.5, 0.0, 0.01, 0.0, 0.0, 1.0, True)
    traits = plain(acquisition="even", history_days=400, customers=40_000, renewal=wanted)
    random = np.random.default_rng(3)
    people, payments, starts, _ = draw_renewals(traits, draw_customers(traits, random), random)
    paid = pd.DataFrame({"customer": payments.customer, "day": payments.day, "start": starts})
    first = paid[paid["start"]].drop_duplicates("customer").set_index("customer")["day"]
    waited = first - people.arrival[first.index]
    assert len(first) / traits.customers == pytest.approx(0.4, abs=0.05)
    assert (waited < 1e-9).mean() == pytest.approx(0.5, abs=0.05) and waited.max() > 100
    paid["number"] = paid["start"].groupby(paid["customer"]).cumsum()
    paid = paid[paid["number"] == 1]
    np.testing.assert_allclose(paid.groupby("customer")["day"].diff().dropna(), 30)
    early = first.index[first < LARGEST_RATIO * HORIZON - 190]
    renewals = paid[paid["customer"].isin(early)].groupby("customer").size() - 1
    a, b = 3 * 0.3, 3 * 0.7
    for k in (1, 3, 6):
        assert (renewals >= k).mean() == pytest.approx(beta(a, b + k) / beta(a, b), abs=0.02)


def test_a_chunk_is_a_function_of_its_seed_and_number() -> None:
    from clv_core.training.pretrain import make_chunk

    chunk, again, other = (make_chunk(seed, number, 1500) for seed, number in ((4, 0), (4, 0), (4, 1)))
    assert chunk.target.equal(again.target) and chunk.inputs.statistics.equal(again.inputs.statistics)
    assert not chunk.target.equal(other.target)
    for tensor in (chunk.target, chunk.ratio, chunk.level, chunk.inputs.statistics, chunk.inputs.logs):
        assert tensor.isfinite().all()
    assert len(chunk.target) == len(chunk.ratio) == len(chunk.level) == len(chunk.inputs) == 1500
    assert (chunk.target >= 0).all() and (chunk.level > 0).all() and len(chunk.inputs.logs) > 2
    assert float((chunk.ratio == 1).float().mean()) == pytest.approx(0.6, abs=0.06)
