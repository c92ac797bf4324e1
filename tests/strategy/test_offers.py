from pathlib import Path

import numpy as np
import pytest

from clv_core.errors import UsageError
from clv_core.strategy.plans.budget_plan import window_warnings
from clv_core.strategy.plans.offers import (
    ALL_TIERS,
    MONEY,
    SHARE,
    Effect,
    Offer,
    check_offers,
    expected_gains,
    parse_offers,
)


def test_an_offer_says_what_its_text_says() -> None:
    offer = Offer.parse("name=Call back,cost=8,effect=12.5,capacity=300,tiers=1+2")
    assert (offer.name, offer.cost, offer.capacity) == ("Call back", 8.0, 300)
    assert dict(offer.effects) == {1: Effect(12.5, MONEY), 2: Effect(12.5, MONEY)}
    assert dict(Offer.parse("name=V,cost=2,effect=5%").effects) == {ALL_TIERS: Effect(0.05, SHARE)}
    effects = {1: Effect(0.02, SHARE), 3: Effect(-0.015, SHARE)}
    assert dict(Offer.parse("name=M,cost=.1,effect=1:2%+3:-1.5%").effects) == effects


def test_gains_are_effect_times_value_less_cost() -> None:
    offers = [
        Offer("share", 2.0, {ALL_TIERS: Effect(0.1, SHARE), 2: Effect(0.5, SHARE)}),
        Offer("money", 1.0, {1: Effect(4.0, MONEY)}),
    ]
    gains = expected_gains(offers, [100.0, 10.0, -5.0], [1, 2, 1], 2)
    np.testing.assert_allclose(gains, [[8.0, 3.0], [3.0, -np.inf], [-2.0, 3.0]])


@pytest.mark.parametrize(
    "text",
    [
        "name=Call,cost=8.25,effect=1:12.5%+2:10%,capacity=300",
        "name=Mail,cost=0.1,effect=2:2.25",
        "name=Gift,cost=3,effect=4.1(-2.5;5.7),days=90",
        "name=Gift,cost=3,effect=1:4.1(2.5;5.7)+3:5%(4%;6%),capacity=9,days=30",
    ],
)
def test_an_offer_is_written_as_it_is_read(text: str) -> None:
    offer = Offer.parse(text)
    assert str(offer) == text
    assert offer.measured == offer.to_json()["measured"] == ("(" in text)


def test_an_offer_to_be_measured_names_its_experiment() -> None:
    offers, files = parse_offers(["name=Gift,cost=3,effect=@tried.csv,capacity=5", "name=Mail,cost=1,effect=2%"])
    assert [offer.name for offer in offers] == ["Gift", "Mail"] and offers[0].capacity == 5
    assert files == {"Gift": Path("tried.csv")}


def test_a_measured_effect_is_not_stretched_to_the_horizon_and_never_counts_what_comes_after_it() -> None:
    offers = [Offer.parse("name=Gift,cost=3,effect=4(2;6),days=30"), Offer.parse("name=Mail,cost=1,effect=2%")]
    (note,) = window_warnings(offers, 90)
    assert note.params == {"offer": "Gift", "days": 30, "horizon": 90} and note.text("en") and note.text("zh")
    assert window_warnings(offers, 30) == ()
    with pytest.raises(UsageError) as caught:
        window_warnings(offers, 29)
    assert caught.value.code == "offer_window" and caught.value.message("en") and caught.value.message("zh")


@pytest.mark.parametrize(
    ("code", "texts"),
    {
        "offer_text": [
            "Voucher", "name=V,cost=2", "name=V,cost=2,effect=5%,colour=red", "name=V,cost=2,cost=3,effect=5%",
            "name=V,cost=two,effect=5%", "name=V,cost=2,effect=5%,tiers=0", "name=V,cost=2,effect=1:5%,tiers=1",
        ],
        "offer_name": ["name=,cost=2,effect=5%"],
        "offer_cost": ["name=V,cost=-2,effect=5%", "name=V,cost=nan,effect=5%"],
        "offer_effect": [f"name=V,cost=2,effect={text}" for text in ("much", "2000%", "inf", "5(4)", "5(6;7)")],
        "offer_capacity": ["name=V,cost=2,effect=5%,capacity=-1"],
        "offer_days": ["name=V,cost=2,effect=5%,days=30", "name=V,cost=2,effect=5(4;6),days=0"],
    }.items(),
)  # fmt: skip
def test_an_offer_that_makes_no_sense_is_refused_in_words(code: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(UsageError) as caught:
            Offer.parse(text)
        assert caught.value.code == code, text
        assert caught.value.message("en") and caught.value.message("zh")


def test_offers_have_names_of_their_own_and_do_not_mix_measured_with_assumed() -> None:
    one = Offer.parse("name=V,cost=2,effect=5%")
    mixed = Offer("W", 1.0, {1: Effect(1.0, MONEY, 0.5, 1.5), 2: Effect(1.0, MONEY)})
    for offers, code in (([], "offer_count"), ([one, one], "offer_twice"), ([one, mixed], "offer_mixed")):
        with pytest.raises(UsageError) as caught:
            check_offers(offers)
        assert caught.value.code == code and caught.value.message("zh")
    with pytest.raises(UsageError):
        Effect(5.0, MONEY, 6.0, 7.0)
