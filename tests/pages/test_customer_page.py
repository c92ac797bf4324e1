"""The customer page shows one customer as the scores and the log have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from clv_core import audit
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.i18n import say_day, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns import CampaignRequest, with_control
from clv_core.strategy.segments.saved_segments import load_rules, put_by_hand
from clv_core.upkeep.objections import change_objections
from clv_core.workspace import Workspace
from pages.ui.navigation import SEARCH
from tests.pages.conftest import HORIZON_DAYS, OPEN, SIGN_IN, Offered, do, press, scores_file

pytestmark = pytest.mark.first(7)

SAMPLE = Path(__file__).resolve().parents[2] / "tests" / "sample.csv"


def scores_of(root: Path) -> pd.DataFrame:
    return pd.read_parquet(scores_file(root)).set_index("customer_id")


def search(app: AppTest, text: str) -> AppTest:
    app.text_input(key=SEARCH).set_value(text).run()
    return app


def figures(app: AppTest) -> dict[str, str]:
    return {item.label: item.value for item in app.metric}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_opens_with_the_most_valuable_customer(open_page: OPEN, with_model: Path, lang: str) -> None:
    first = scores_of(with_model)["predicted_clv"].idxmax()
    app = open_page(with_model, "customer", lang=lang)
    assert str(first) in app.header[0].value and len(app.metric) == 6
    assert len(app.get("plotly_chart")) == 1 and len(app.get("download_button")) == 4
    as_of = pd.read_parquet(scores_file(with_model))["as_of"].astype(str).iloc[0]
    last = pd.date_range(as_of, periods=HORIZON_DAYS).max()  # of the days that the prediction speaks of
    said = {"en": f"by {last.day} {last:%b %Y}", "zh": f"到 {last.year}年{last.month}月{last.day}日"}
    assert any(said[lang] in item.value for item in app.markdown)


def test_an_offer_is_held_against_what_buyers_like_her_bring_and_her_value_is_no_ceiling(
    open_page: OPEN, with_model: Path
) -> None:
    app = open_page(with_model, "customer", lang="en")
    first = scores_of(with_model).sort_values("predicted_clv").iloc[-1]
    do(app, ("break_even_cost", 5.0), ("terms_margin", 40.0))
    uplift = 5 * first["p_purchase"] / (0.4 * first["predicted_clv"])
    said = f"1 in {int(1 / uplift)} buys" if uplift <= 0.2 else f"{int(np.ceil(100 * uplift))} of 100 buy"
    assert any(said in item.value for item in app.markdown)
    assert any("no ceiling" in item.value for item in app.caption)


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """What other tests have seen of these customers is not shown here, nor the other way round."""
    for kept in (st.cache_data, st.cache_resource):
        kept.clear()
    yield
    for kept in (st.cache_data, st.cache_resource):
        kept.clear()


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(("lang", "why"), [("en", "a few buy far more"), ("zh", "少数同类用户会多买很多")])
def test_a_mean_above_the_interval_says_why(open_page: OPEN, root: Path, lang: str, why: str) -> None:
    file = scores_file(root)
    scores = pd.read_parquet(file)
    skewed, usual = scores.index[scores["predicted_clv"].between(2, scores["clv_p90"])][:2]
    scores.loc[skewed, "clv_p90"] = scores["predicted_clv"][skewed] / 2
    scores.to_parquet(file, index=False)
    page = open_page(root, "customer", lang=lang)
    assert why in search(page, str(scores["customer_id"][skewed])).header[0].value
    assert why not in search(page, str(scores["customer_id"][usual])).header[0].value


def test_a_customer_on_the_suppression_list_is_not_shown(open_page: OPEN, root: Path) -> None:
    first = str(scores_of(root)["predicted_clv"].idxmax())
    SuppressionList.of(Workspace(root)).add([first])
    app = open_page(root, "customer", lang="en")
    assert first not in app.header[0].value and not app.error
    app = search(app, first)
    assert "on the do-not-contact list" in app.error[0].value and not app.metric


def test_the_line_of_a_customer_names_the_days_that_the_sentence_above_it_names(
    open_page: OPEN, with_model: Path
) -> None:
    app = open_page(with_model, "customer", lang="en")
    dataset = open_dataset(Workspace(with_model), "shop")
    *_, spent, _, expected = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    ends = [str(dataset.last_day), str(dataset.last_day + timedelta(days=90))]
    assert expected["customdata"] == ends and spent["customdata"][-1] == ends[0]
    assert any(f"expected by {say_day(ends[1])}" in one.value for one in app.markdown)


def test_beginning_of_an_id_lists_at_most_twenty_and_one_can_be_chosen(open_page: OPEN, with_model: Path) -> None:
    app = search(open_page(with_model, "customer", lang="en"), "c01")
    hits = app.selectbox(key="card_hit")
    assert len(hits.options) == 20 and all(one.startswith("C01") for one in hits.options)
    assert translate("card.hits.more", most=20) in [item.value for item in app.caption]
    hits.set_value(hits.options[4]).run()
    assert hits.options[4] in app.header[0].value


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_unknown_id_is_said_in_a_sentence_and_nothing_else_is_shown(
    open_page: OPEN, with_model: Path, lang: str
) -> None:
    app = search(open_page(with_model, "customer", lang=lang), "nobody")
    assert len(app.error) == 1 and "nobody" in app.error[0].value
    assert not app.metric


def test_similar_customer_opens_at_a_click_and_the_next_search_goes_on(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "customer", lang="en")
    alike = app.dataframe[-1].value["customer_id"].tolist()
    assert len(alike) == 5
    app.pills(key="card_similar").set_value(alike[2]).run()
    assert app.header[0].value.startswith(alike[2])
    assert app.text_input(key=SEARCH).value == alike[2]


def test_reasons_are_the_models_own_for_those_it_was_asked_about(open_page: OPEN, with_model: Path) -> None:
    asked = pd.read_parquet(next(with_model.rglob("explanation/shap.parquet")))["customer_id"]
    others = sorted(set(scores_of(with_model).index) - set(asked))
    app = search(open_page(with_model, "customer", lang="en"), str(asked.iloc[0]))
    assert translate("card.why.model.in", currency="EUR") in [item.value for item in app.caption]
    search(app, str(others[0]))
    assert translate("card.why.facts") in [item.value for item in app.caption]


def test_asking_the_model_leads_to_the_explanation_of_this_customer(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "customer", lang="en")
    customer = app.header[0].value.split(" ")[0]
    app.button(key="card_why").click().run()
    assert app.title[0].value == translate("page.explain")
    assert app.text_input(key="explain_other").value == customer


def test_tier_leads_to_the_list_of_its_customers(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "customer", lang="en")
    tier = figures(app)[translate("card.tier")]
    app.button(key="card_tier").click().run()
    assert app.title[0].value == translate("page.segments")
    assert set(app.dataframe[0].value["tier_name"]) == {tier}


def test_a_customer_is_put_into_a_segment_by_hand_and_taken_out_again(open_page: OPEN, root: Path) -> None:
    dataset = open_dataset(Workspace(root), "shop")
    first, other = scores_of(root)["predicted_clv"].sort_values(ascending=False).index[[0, 3]].map(str)
    put_by_hand(dataset, "mine", "Friends", other)
    app = open_page(root, "customer", lang="en")
    assert app.button(key="card_segment_add").disabled
    do(app, (f"card_segment_{first}", "Friends"), "card_segment_add")
    assert any("Friends" in item.value for item in app.markdown)
    (rule,) = load_rules(dataset, "mine").rules
    assert (rule.name, rule.by_hand) == ("Friends", (other, first))
    app.button(key="card_segment_show_0").click().run()
    assert app.title[0].value == translate("page.segments") and not app.error
    assert "**Friends**" in [item.value for item in app.markdown]
    app = search(open_page(root, "customer", lang="en"), first)
    app.button(key="card_segment_out_0").click().run()
    assert load_rules(dataset, "mine").rules[0].by_hand == (other,)


def test_rules_that_somebody_broke_by_hand_leave_the_rest_of_the_card(open_page: OPEN, root: Path) -> None:
    put_by_hand(open_dataset(Workspace(root), "shop"), "mine", "Friends", "C1")
    next((root / "datasets" / "shop" / "segments" / "rules").glob("*.json")).write_text("{")
    app = open_page(root, "customer", lang="en")
    assert len(app.error) == 1 and "mine" in app.error[0].value and len(app.get("plotly_chart")) == 1


def test_the_address_names_the_customer_and_follows_whom_is_opened(open_page: OPEN, with_model: Path) -> None:
    ids = sorted(scores_of(with_model).index)
    app = open_page(with_model, "customer", lang="en", customer=ids[7])
    assert ids[7] in app.header[0].value and app.query_params["customer"] == ids[7]
    app = search(app, ids[3])
    assert ids[3] in app.header[0].value and app.query_params["customer"] == ids[3]
    app = search(app, "")
    assert "customer" not in app.query_params


@pytest.mark.parametrize("suppressed", [True, False])
def test_the_address_of_someone_who_cannot_be_shown_is_given_up(open_page: OPEN, root: Path, suppressed: bool) -> None:
    named = str(scores_of(root).index[5]) if suppressed else "nobody"
    SuppressionList.of(Workspace(root)).add([named] if suppressed else [])
    app = open_page(root, "customer", lang="en", customer=named)
    assert len(app.error) == 1 and not app.metric and "customer" not in app.query_params


def test_a_part_of_an_id_finds_those_who_may_be_shown(open_page: OPEN, root: Path) -> None:
    ids = pd.Series(sorted(scores_of(root).index))
    part = "17"
    hidden = ids[ids.str.contains(part)].iloc[0]
    SuppressionList.of(Workspace(root)).add([hidden])
    app = search(open_page(root, "customer", lang="en"), part)
    hits = app.selectbox(key="card_hit")
    assert len(hits.options) == 5 and all(part in one for one in hits.options) and hidden not in hits.options
    assert ids.iloc[9] in search(app, ids.iloc[9][1:]).header[0].value


def test_what_is_held_of_her_is_offered_and_noted(open_page: OPEN, root: Path, offered: Offered) -> None:
    first = str(scores_of(root)["predicted_clv"].idxmax())
    app = open_page(root, "customer", lang="en")
    assert first in app.header[0].value
    told = json.loads(press(offered["download_person_json"]))
    events = pd.read_parquet(open_dataset(Workspace(root), "shop").events_path)
    assert told["person"] == first and len(told["datasets"][0]["events"]) == int(events["customer_id"].eq(first).sum())
    assert told["datasets"][0]["scores"][0]["reasons"] or told["datasets"][0]["features"]
    assert [line["action"] for line in audit.lines(Workspace(root))][:2] == ["export", "person"]
    page = press(offered["download_person_html"])
    assert translate("person.title", "en", person=first) in str(page)


def test_of_an_objector_the_card_offers_what_is_held_and_no_scores(
    open_page: OPEN, root: Path, offered: Offered
) -> None:
    first = str(scores_of(root)["predicted_clv"].idxmax())
    change_objections(Workspace(root), "add", [first])
    model = list_bundles(Workspace(root))[0].id
    Scored.open(Workspace(root), "shop", model).scores(NoProgress())  # the next run, without her
    search(open_page(root, "customer", lang="en"), first)
    told = json.loads(press(offered["download_person_json"]))
    assert told["objected"] and told["datasets"][0]["events"] and told["datasets"][0]["scores"] == []


@pytest.mark.parametrize(("person", "grey"), [("bob@shop.example", True), ("ana@shop.example", False)])
def test_what_is_held_of_her_is_for_those_who_may_export(
    open_page: OPEN, root: Path, sign_in: SIGN_IN, person: str, grey: bool
) -> None:
    sign_in(person)
    app = open_page(root, "customer", lang="en")
    buttons = {button.proto.id.split("-")[-1]: button.proto.disabled for button in app.get("download_button")}
    assert [buttons[f"download_person_{ending}"] for ending in ("html", "json")] == [grey, grey]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_card_names_her_campaigns_and_those_whose_list_she_does_not_get(
    open_page: OPEN, root: Path, lang: str
) -> None:
    first = str(scores_of(root)["predicted_clv"].idxmax())
    dataset = open_dataset(Workspace(root), "shop")
    people, control = scores_of(root).reset_index(), {}
    for number, name in enumerate(f"Mail {letter}" for letter in "ABCDEFGH"):
        day = dataset.log_end + timedelta(days=number)
        control[name, day] = with_control(dataset, CampaignRequest(name, day, 30, 0.5), people).control
    others = people[people["customer_id"] != first]
    with_control(dataset, CampaignRequest("Without her", dataset.log_end, 30, 0.5), others)
    said = [
        translate(f"card.campaign.{'control' if first in group else 'list'}", lang, name=name, day=say_day(day, lang))
        for (name, day), group in reversed(control.items())
    ]
    assert 0 < sum(first in group for group in control.values()) < len(control), "by chance she is in both"
    app = open_page(root, "customer", lang=lang)
    assert not app.error and first in app.header[0].value
    assert "\n".join(f"- {line}" for line in said) in [item.value for item in app.markdown]
    assert not any("Without her" in str(item.value) for item in app.markdown)
