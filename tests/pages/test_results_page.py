"""The results page: its figures are those of the command; a click leads to a campaign; what is unknown, to a test."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from clv_core.collection.store import open_dataset
from clv_core.deployment import Scored, list_bundles
from clv_core.i18n import say_list, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns import (
    CampaignRequest,
    groups,
    headline,
    learned_effects,
    learned_offers,
    outcome,
    outcomes,
    say_outcome,
    with_control,
)
from clv_core.strategy.segments import DEFAULT_SCHEME, assign_tiers, tier_labels
from clv_core.workspace import Workspace
from pages.ui.results import measured
from tests.pages.conftest import OPEN, keys_of, texts


def send(root: Path, name: str, days: int, share: float = 0.3) -> None:
    """Begin a campaign with all customers, so many days before the end of the log."""
    workspace = Workspace(root)
    dataset = open_dataset(workspace, "shop")
    scored = Scored.open(workspace, "shop", list_bundles(workspace)[0].id)
    people = assign_tiers(scored.scores(NoProgress()), DEFAULT_SCHEME)
    start = dataset.log_end - timedelta(days=days)
    with_control(dataset, CampaignRequest(name, start, 30, share, {"scheme": str(DEFAULT_SCHEME)}, 0.5, 0.4), people)


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_the_page_says_what_the_log_says_of_each_campaign(open_page: OPEN, root: Path, lang: str) -> None:
    send(root, "Winter", 75, share=0.05)
    send(root, "Spring", 40)
    send(root, "Summer", 9)
    send(root, "Plain", 20, share=0.0)
    app = open_page(root, "results", lang=lang)
    assert not app.error
    workspace = Workspace(root)
    dataset = open_dataset(workspace, "shop")
    found = {one.campaign.name: one for one in outcomes(workspace, dataset)}
    states = {"Winter": "due", "Spring": "due", "Summer": "early", "Plain": "declined"}
    assert {name: one.state for name, one in found.items()} == states
    assert 0 < len(found["Winter"].by_segment) < len(found["Spring"].by_segment), "its control group is too small"
    said = headline(list(found.values()), "EUR", lang).display(lang)
    assert app.header[0].value.replace("\\", "") == said.replace("\\", "")
    rows = next(table.value for table in app.dataframe if "verdict" in table.value).set_index("name")
    assert rows.loc["Plain", "verdict"] == translate("results.verdict.declined", lang)
    spring = found["Spring"]
    assert spring.margin is not None and rows.loc["Spring", "margin"] == pytest.approx(spring.margin.value)
    assert rows.loc["Spring", "cost"] == pytest.approx(0.5 * spring.listed)
    for name, one in found.items():
        app.selectbox(key=measured.CHOSEN).set_value(name).run()
        sentence = say_outcome(one, "EUR", lang).display(lang)
        assert sentence in texts(app).replace("\\", "") and not app.error
        shown = next(
            (
                set(table.value["segment"])
                for table in app.dataframe
                if "error" in table.value and "trait" not in table.value
            ),
            set(),
        )
        assert len(shown) == len(one.by_segment)
        tiers = dict(enumerate(tier_labels(dataset, DEFAULT_SCHEME.tiers, lang), 1))
        left = [tiers[tier] for tier in sorted(set(groups(dataset, name)["segment"].astype(int)))]
        left = [tier for tier in left if tier not in shown]
        few = translate("results.tiers.few", lang, tiers=say_list(left, lang), fewest=30)
        assert (few in texts(app)) == bool(shown and left)
        cells = [table.value for table in app.dataframe if {"trait", "error"} <= set(table.value)]
        assert [len(rows) for rows in cells] == [len(one.by_trait)] * (len(one.by_trait) > 1)
        members = next(table.value for table in app.dataframe if "joined" in table.value)
        assert set(members["group"]) <= {translate(f"results.group.{group}", lang) for group in ("list", "control")}


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_the_next_list_shows_effects_by_trait_where_they_differ(
    open_page: OPEN, root: Path, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setattr(learned_effects, "TRAITS_P_VALUE", 1.1)
    for module in (learned_effects, outcome):  # the sample has few customers of some traits
        monkeypatch.setattr(module, "MIN_GROUP_SIZE", 5)
    send(root, "Spring", 40)
    workspace = Workspace(root)
    (learned,) = learned_offers(outcomes(workspace, open_dataset(workspace, "shop")))
    assert learned.by_trait
    app = open_page(root, "results", lang=lang)
    assert not app.error and translate("results.next.traits", lang) in texts(app).replace("\\", "")
    rows = next(table.value for table in app.dataframe if {"trait", "gain"} <= set(table.value))
    assert rows["trait"].tolist() == [translate(f"results.trait.{cell.trait}", lang) for cell in learned.by_trait]
    assert rows["listed"].tolist() == [cell.listed for cell in learned.by_trait]
    assert rows["effect"].tolist() == pytest.approx([cell.effect.value for cell in learned.by_trait])


def test_without_a_campaign_the_page_leads_to_a_list_and_proposes_a_test(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "results", lang="en")
    assert translate("results.headline.none") in app.header[0].value
    assert translate("results.next.nothing") in texts(app) and "to_budget" not in keys_of(app)
    app.number_input(key="results_cost").set_value(0.01).run()
    assert not app.error and "No effect is known for" in texts(app)
    app.button(key="to_exports").click().run()
    assert app.title[0].value == translate("page.exports")


def test_a_campaign_can_be_measured_without_a_model(open_page: OPEN, with_dataset: Path) -> None:
    app = open_page(with_dataset, "results", lang="en")
    assert not app.error
    app.button(key="to_train").click().run()
    assert app.title[0].value == translate("page.train")


def test_a_click_on_the_chart_chooses_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {measured.CHART: {"selection": {"points": [{"point_index": 0}]}}}
    monkeypatch.setattr(st, "session_state", state)
    measured._choose(["Latest", "Middle", "First"])
    assert state[measured.CHOSEN] == "First", "the chart has the latest at the top, and counts from below"
    state[measured.CHART] = {"selection": {"points": []}}
    measured._choose(["Latest", "Middle", "First"])
    assert state[measured.CHOSEN] == "First"


def test_the_strategy_page_plans_with_what_campaigns_measured(open_page: OPEN, root: Path) -> None:
    before = open_page(root, "strategy", lang="en")
    assert "Spring" not in texts(before)
    send(root, "Spring", 40)
    app = open_page(root, "strategy", lang="en")
    assert not app.error and "Spring" in texts(app)
