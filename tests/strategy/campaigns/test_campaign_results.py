"""What campaigns brought is said alike at all doors, and the next plan goes by it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from clv_core import cli
from clv_core.collection.privacy import SuppressionList, objection_list
from clv_core.collection.store import open_dataset
from clv_core.deployment import Scored, Terms, list_bundles
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns import (
    CampaignRequest,
    Outcome,
    choose_next_list,
    groups,
    headline,
    learned_offers,
    notes_on,
    offer_json,
    outcome_json,
    outcomes,
    say_next,
    say_outcome,
    summary_lines,
    with_control,
    with_learned,
)
from clv_core.strategy.campaigns.campaign import Campaign
from clv_core.strategy.campaigns.findings import total_gain
from clv_core.strategy.campaigns.learned_effects import TRAITS, TierUplift
from clv_core.strategy.campaigns.next_list import LearnedOffer
from clv_core.strategy.campaigns.outcome import traits_on
from clv_core.strategy.campaigns.uplift import Uplift
from clv_core.strategy.plans import MONEY, Effect, Offer
from clv_core.strategy.segments import DEFAULT_SCHEME, assign_tiers
from clv_core.workspace import Workspace

SCHEME = str(DEFAULT_SCHEME)
CAMPAIGN = Campaign("Spring", "2025-01-01", 30, 0.1, "x", {"scheme": "quantile"}, 0.5, 0.4)


def due(
    name: str,
    effect: float,
    *,
    cost: float = 0.5,
    tiers: tuple[float, ...] = (),
    error: float = 0.1,
    traits: tuple[float, ...] = (),
) -> Outcome:
    """A campaign that is over: what it brought a customer, by tier, and of each trait in each tier."""
    campaign = replace(CAMPAIGN, name=name, cost=cost)
    by_segment = tuple(
        TierUplift(str(number), 900, 100, one, error, 100.0 / number) for number, one in enumerate(tiers, 1)
    )
    by_trait = tuple(
        replace(one, effect=brought, trait=trait)
        for one in by_segment
        for trait, brought in zip(TRAITS, traits, strict=False)
    )
    uplift = Uplift(effect, effect - 1, effect + 1, 0.6)
    day = pd.Timestamp("2025-01-31").date()
    common = Outcome(campaign, "due", day, 30, 1000, 100, uplift=uplift)
    return replace(common, by_segment=by_segment, by_trait=by_trait)


def open_scored(workspace: Workspace) -> Scored:
    return Scored.open(workspace, "shop", list_bundles(workspace)[0].id)


def test_all_campaigns_together_count_those_that_are_over_and_told_apart() -> None:
    mixed = replace(due("C", 50.0), confounded_with=("A",))
    early = replace(due("D", 50.0), state="early")
    found = [due("A", 3.0), due("B", 1.0), mixed, early]
    gain = total_gain(found)
    assert gain is not None
    assert gain.value == pytest.approx(1000 * (0.4 * 3 - 0.5) + 1000 * (0.4 * 1 - 0.5))
    assert gain.high - gain.value == pytest.approx(2**0.5 * 400)
    said = headline(found, "EUR")
    assert said.text() == "2 campaigns brought 600 EUR after costs (34.3 to 1,166)"
    codes = [headline([due("A", effect)], "EUR").code for effect in (0.0, 0.4, 1.2, 2.1, 2.3)]
    assert codes == ["results.headline.lost", *["results.headline.unsure"] * 3, "results.headline"]
    assert "31 Jan 2025" in headline([early], "EUR").display() and headline([], "EUR").code == "results.headline.none"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_outcome_has_a_sentence_with_its_name_in_every_language(language: str) -> None:
    one = due("Spring", 3.0)
    others = [
        *(replace(one, state=state, uplift=None) for state in ("declined", "waiting", "too_few")),
        *(replace(one, state="early"), due("Spring", 1.25), due("Spring", -4.0)),
        replace(one, confounded_with=("Other",), left_out={"joined_late": 3}, told_apart=("Third",)),
    ]
    said = {say_outcome(outcome, "EUR", language).display(language) for outcome in [one, *others]}
    assert len(said) == 8 and all("Spring" in sentence for sentence in said)
    notes = [note.display(language) for outcome in others for note in notes_on(outcome, language)]
    assert not any(re.search(r"results\.|\{|None", text) for text in [*said, *notes])
    assert any("Third" in note for note in notes)
    assert len(summary_lines(others, "EUR", language)) == len(others) - 1, "who declined knows it"
    json.dumps([outcome_json(outcome, "EUR", language) for outcome in others], allow_nan=False)


def test_campaigns_alike_are_one_offer_and_others_are_not() -> None:
    found = [due("C", 1, tiers=(5.0, 1.0)), due("B", 1, tiers=(7.0, 1.0)), due("A", 1, cost=2.0, tiers=(9.0, 1.0))]
    found += [replace(due("D", 1, tiers=(99.0,)), confounded_with=("A",)), replace(due("E", 1), state="early")]
    first, second = learned_offers(found)
    assert (first.name, first.campaigns, first.scheme, second.campaigns) == ("C", ("C", "B"), SCHEME, ("A",))
    assert first.effects["1"].value == pytest.approx(0.4 * 6, rel=0.05)
    assert second.effects["1"].value == pytest.approx(0.4 * 9, rel=0.05)


def test_a_plan_takes_what_was_measured_in_place_of_assumptions_of_the_same_segments() -> None:
    effects = {"1": Effect(3.0, MONEY, 2.0, 4.0), "2": Effect(-1.0, MONEY, -2.0, 0.0)}
    learned = LearnedOffer("Spring", ("Spring",), SCHEME, 30, 0.5, None, effects)
    assumed = Offer.parse("name=Spring,cost=0.7,effect=50%,capacity=9"), Offer.parse("name=Call,cost=8,effect=5%")
    spring, call = with_learned(assumed, [learned], SCHEME, Terms(90, margin_rate=0.5))
    assert (spring.cost, spring.capacity, spring.window_days, spring.measured) == (0.7, 9, 30, True)
    assert spring.effects == {1: Effect(1.5, MONEY, 1.0, 2.0), 2: Effect(-0.5, MONEY, -1.0, 0.0)}
    assert call == assumed[1]
    assert with_learned(assumed, [learned], "quadrant", Terms(90)) == assumed, "other segments"
    assert with_learned(assumed, [learned], SCHEME, Terms(20)) == assumed, "it counted for longer than the plan does"
    (alone,) = with_learned((), [replace(learned, margin_rate=0.3)], SCHEME, Terms(90, margin_rate=0.5))
    assert alone.effects[1].value == 3.0, "it is margin already"


def test_where_nothing_is_known_the_cheapest_test_is_proposed(workspace: Workspace) -> None:
    scored = open_scored(workspace)
    made = choose_next_list(scored, [], cost=8.0, margin_rate=0.5, progress=NoProgress())
    assert made.offer is None and made.customers.empty and len(made.unknown) == DEFAULT_SCHEME.tiers
    people = assign_tiers(scored.scores(NoProgress()), DEFAULT_SCHEME)
    for test in made.tests:
        assert test.listed + test.control == test.customers <= len(people)
        assert (test.cost, test.effect) == (test.listed * 8.0, 16.0)
    assert [test.cost for test in made.tests] == sorted(test.cost for test in made.tests)
    codes = [message.code for message in say_next(made, "EUR")]
    assert codes == (["results.unknown", "results.test"] if made.tests else ["results.unknown"])
    assert not choose_next_list(scored, [], progress=NoProgress()).tests, "nobody said what it costs"


def test_the_next_list_is_of_tiers_in_which_it_pays_and_of_nobody_on_the_do_not_contact_list(
    workspace: Workspace,
) -> None:
    scored = open_scored(workspace)
    effects = {"1": Effect(-1.0, MONEY, -2.0, 0.0), "2": Effect(3.0, MONEY, 1.0, 5.0)}
    learned = LearnedOffer("Spring", ("Spring",), SCHEME, 30, 0.5, 0.4, effects)
    worse = replace(learned, name="Autumn", cost=2.9)
    people = assign_tiers(scored.scores(NoProgress()), DEFAULT_SCHEME)
    second = people[people["tier"] == 2]
    made = choose_next_list(scored, [worse, learned], progress=NoProgress())
    assert made.offer == learned and set(made.customers["customer_id"]) == set(second["customer_id"])
    assert (made.gain, made.low, made.high) == pytest.approx((2.5 * len(second), 0.5 * len(second), 4.5 * len(second)))
    assert len(made.unknown) == DEFAULT_SCHEME.tiers - 2
    hidden = str(second["customer_id"].iloc[0])
    SuppressionList.of(workspace).add([hidden])
    fewer = choose_next_list(scored, [learned], progress=NoProgress())
    assert set(made.customers["customer_id"]) - set(fewer.customers["customer_id"]) == {hidden}
    assert len(choose_next_list(scored, [learned], most=5, progress=NoProgress()).customers) == 5


def test_the_next_list_goes_by_traits_where_they_differ(workspace: Workspace) -> None:
    scored = open_scored(workspace)
    found = due("Spring", 1, tiers=(3.0, 3.0, 3.0, 3.0), traits=(20.0, -20.0, 0.0))
    (alike,) = learned_offers([replace(found, by_trait=tuple(replace(one, effect=3.0) for one in found.by_trait))])
    assert alike.by_trait == ()
    (learned,) = learned_offers([found])
    told = json.loads(json.dumps(offer_json(learned), allow_nan=False))["by_trait"]
    assert [(cell["segment"], cell["trait"]) for cell in told] == [(tier, one) for tier in "1234" for one in TRAITS]
    assert told[0] == {"segment": "1", "trait": "new", "customers": 900, "control": 100} | {
        end: getattr(learned.by_trait[0].effect, end) for end in ("value", "low", "high")
    }
    made = choose_next_list(scored, [learned], progress=NoProgress())
    people = scored.scores(NoProgress())
    trait = traits_on(scored.dataset, people["customer_id"], scored.as_of)
    assert set(made.customers["customer_id"]) == set(people.loc[trait == "new", "customer_id"])
    assert set(made.customers["trait"]) == {"new"} and made.low <= made.gain <= made.high
    assert [message.code for message in say_next(made, "EUR")][-1] == "results.next.traits"


def test_the_command_says_what_the_log_says_and_leaves_out_who_objects(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = open_dataset(workspace, "shop")
    start = dataset.log_end - timedelta(days=40)
    people = assign_tiers(open_scored(workspace).scores(NoProgress()), DEFAULT_SCHEME)
    with_control(dataset, CampaignRequest("Spring", start, 30, 0.3, {"scheme": SCHEME}, 0.5, 0.4), people)
    words = ["--workspace", str(workspace.root)]
    assert cli.main(["results", "shop", *words]) == 0
    out, err = capsys.readouterr()
    (told,) = json.loads(out)["campaigns"]
    (found,) = outcomes(workspace, dataset)
    assert told == json.loads(json.dumps(outcome_json(found, "EUR")))
    assert told["state"] == "due" and told["message"] in err
    assert told["customers"] + told["control"] + sum(told["left_out"].values()) == len(groups(dataset, "Spring"))
    model = list_bundles(workspace)[0].id
    assert cli.main(["results", "--json", "--model", model, *words]) == 2
    capsys.readouterr()
    assert cli.main(["results", "shop", "--json", "--model", model, *words]) == 0
    out, err = capsys.readouterr()
    assert "Spring" not in err and json.loads(out)["next"]["offer"] in ("Spring", None)
    member = str(groups(dataset, "Spring")["customer_id"].iloc[0])
    objection_list(workspace).add([member])
    (after,) = outcomes(workspace, dataset)
    assert after.listed + after.control == found.listed + found.control - 1
