"""The strategy page: what it says is what the plan says, and assumed stays apart from measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.proto.Block_pb2 import Block
from streamlit.testing.v1 import AppTest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.dataset_scoring import score_customers
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import UsageError
from clv_core.i18n import LANGUAGES, say_money, translate, without_options
from clv_core.jobs import NoProgress
from clv_core.strategy.experiments.randomized_experiment import measure_experiment as experiment
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.plans.allocation import Curve
from clv_core.strategy.plans.budget_plan import cost_warnings, make_plan
from clv_core.strategy.plans.offers import Offer, with_experiments
from clv_core.strategy.plans.saved_offers import TIERS, SavedOffers, load_offers, save_offers
from clv_core.strategy.segments import assign_tiers
from clv_core.strategy.segments.rfm_and_quadrant import QUADRANT
from clv_core.strategy.segments.saved_segments import tier_labels
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from clv_core.workspace import Workspace, write_json
from pages.ui import widgets
from pages.ui.budget import offer_table
from pages.ui.charts import advising
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import EFFECTS, HORIZON_DAYS, OPEN, Offered, do, edit, enter_effects, table_of, texts

pytestmark = pytest.mark.first(12)


def scores(root: Path) -> pd.DataFrame:
    """Return the tiered customers, worked out without leaving anything in the workspace."""
    work = Workspace(root)
    return assign_tiers(
        score_customers(list_bundles(work)[0], open_dataset(work, "shop"), progress=NoProgress()), DEFAULT_SCHEME
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_effects_the_page_proposes_an_experiment_on_customers_who_are_there_and_names_no_gain(
    open_page: OPEN, with_model: Path, lang: str, offered: Offered
) -> None:
    app = open_page(with_model, "strategy", lang=lang)
    assert not app.error and not app.slider and not app.metric
    there = translate("budget.propose.unknown", lang)[:8]
    assert there in texts(app) and app.number_input(key="terms_margin").value is None
    rows = table_of(offered["download_draw_csv"])
    assert 60 <= len(rows) <= len(scores(with_model)) and rows["group"].nunique() == 2
    who = next(one for one in app.selectbox if str(one.key).startswith("draw_who_"))
    assert rows["customer_id"].is_unique and who.value >= 0


def test_without_effects_the_headline_is_what_the_dearest_offer_for_all_must_achieve(
    open_page: OPEN, with_model: Path
) -> None:
    app = open_page(with_model, "strategy", lang="en")
    tiered = scores(with_model)
    starting = offer_table.starting_offers(tiered["predicted_clv"].to_numpy(), 4, "en")
    cost = float(starting.set_index("start").loc["voucher", "cost"])
    sums = tiered.groupby("tier")[["p_purchase", "predicted_clv"]].sum()
    easiest = (cost * sums["p_purchase"] / sums["predicted_clv"]).min()  # of those whom a buyer of theirs pays for
    wanted = f"1 in {int(1 / easiest)} buys" if easiest <= 0.2 else f"{int(np.ceil(100 * easiest))} of 100 buy"
    assert wanted in app.header[0].value and starting["name"].iloc[1] in app.header[0].value
    (table,) = [frame.value for frame in app.dataframe if "everyone" in frame.value.columns]
    present = tiered["tier"].unique()
    assert len(table) == 2 * len(present) + 2  # two offers for every tier, a call for two of them
    voucher = table[table["offer"] == starting["name"].iloc[1]]
    assert wanted.removesuffix(" buys").removesuffix(" buy") in voucher["everyone"].tolist() and "gain" not in table


def test_a_margin_turns_revenue_into_gain(open_page: OPEN, root: Path) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    assert "more revenue" in app.header[0].value and app.metric[0].label == translate(
        "budget.figure.gain.revenue", "en"
    )
    do(app, ("terms_margin", 30.0))
    assert "should gain" in app.header[0].value and app.metric[0].label == translate("budget.figure.gain", "en")


def test_the_headline_is_what_the_plan_of_the_assumed_offers_says(open_page: OPEN, root: Path) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    assert not app.error
    tiered = scores(root)
    starting = offer_table.starting_offers(tiered["predicted_clv"].to_numpy(), 4, "en")
    offers = offer_table.read_offers(offer_table.as_table(EFFECTS, starting), 4)
    plan = make_plan(tiered, 4, offers, app.slider[0].value)
    assert f"{say_money(plan.allocation.gain, 'EUR')}" in app.header[0].value
    assert plan.marginal_return is not None and plan.marginal_return.offer in app.header[0].value
    assert translate("budget.rests.assumed", "en") in app.caption[0].value
    assert app.header[0].value.startswith("With assumed effects")
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures[translate("budget.figure.uniform", "en")] == f"{say_money(plan.gain_uniform, 'EUR')}"
    assert [button.disabled for button in app.get("download_button")] == [False] * 3


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_speaks_of_its_own_fields_and_of_no_command(open_page: OPEN, root: Path, lang: str) -> None:
    enter_effects(root)
    said = texts(open_page(root, "strategy", lang=lang)).replace("\\", "")
    sentence, _, command = translate("warning.gain_revenue", lang).partition(
        {"en": " Command line", "zh": "命令行"}[lang]
    )
    assert sentence in said and "--margin-rate" in command and "--" not in said


def test_sentences_without_options_stand_as_their_language_has_them() -> None:
    assert without_options("One. Two --map x. Three.") == "One. Three."
    assert without_options("无法读取。请选择国家。命令行请用 --region CN。") == "无法读取。请选择国家。"


def test_a_larger_budget_brings_more(open_page: OPEN, root: Path) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="zh")
    slider, before = app.slider[0], app.metric[1].value
    slider.set_value(slider.max).run()
    assert app.metric[1].value != before
    assert app.header[0].value.endswith(translate("budget.headline.full", "zh", finding="").removeprefix("；"))


def test_a_budget_that_pays_for_nothing_is_said_to_reach_nobody(open_page: OPEN, root: Path) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    app.slider[0].set_value(0.0).run()
    assert translate("budget.who.nobody", "en") in texts(app)
    assert [metric.delta for metric in app.metric[2:4]] == [
        translate("budget.figure.against", "en", difference="0 EUR")
    ] * 2


def test_a_model_that_is_not_trusted_is_acknowledged_before_its_budget_moves_or_leaves(
    open_page: OPEN, not_trusted: Path
) -> None:
    enter_effects(not_trusted)
    app = open_page(not_trusted, "strategy", lang="en")
    app.session_state["draw_open"] = True
    app.run()
    assert [button.disabled for button in app.get("download_button")] == [True] * 6 and app.slider[0].disabled
    app.checkbox[0].check().run()
    assert [button.disabled for button in app.get("download_button")] == [False] * 6 and not app.slider[0].disabled


def tried(work: Workspace, path: Path) -> Experiment:
    """Return what an experiment of 60 days on every other customer showed."""
    bundle, dataset = list_bundles(work)[0], open_dataset(work, "shop")
    events = (
        pd.read_parquet(dataset.events_path, columns=["customer_id"])["customer_id"].drop_duplicates().sort_values()
    )
    start = pd.Timestamp(dataset.log_end) - pd.Timedelta(days=60)
    rows = pd.DataFrame({"customer_id": events, "date": start.strftime("%Y-%m-%d")})
    rows["group"] = ["offer" if place % 2 else "control" for place in range(len(rows))]
    rows.to_csv(path, index=False)
    return experiment(Scored.open(work, "shop", bundle.id), path, most_days=90, progress=NoProgress())


def test_an_experiment_replaces_the_assumed_effect_and_is_there_after_a_reload(
    open_page: OPEN, root: Path, tmp_path: Path
) -> None:
    work, name = Workspace(root), translate("budget.offer.mail", "en")
    found = tried(work, tmp_path / "tried.csv")
    save_offers(open_dataset(work, "shop"), SavedOffers({TIERS: EFFECTS}, {name: found}))
    app = open_page(root, "strategy", lang="en")
    assert not app.error
    said = texts(app)
    assert translate("budget.offers.measured", "en", names=name) in said
    assert f"in {found.window_days} days" in said
    note = {"offer": name, "days": 60, "horizon": 90}
    assert widgets.escape(translate("warning.offer_window", "en", **note)) in app.caption[0].value
    app.button(key=f"experiment_forget_{name}").click().run()
    assert translate("budget.rests.assumed", "en") in app.caption[0].value
    assert load_offers(open_dataset(work, "shop")).experiments == {}
    assert experiment_box(app).expanded, "what a person works in does not fold up under the hand"


@pytest.mark.parametrize("margin", [None, 40.0])
def test_measured_effects_stand_in_the_table_and_stay_what_they_are(
    open_page: OPEN, root: Path, tmp_path: Path, margin: float | None
) -> None:
    work, name = Workspace(root), translate("budget.offer.mail", "en")
    dataset, found = open_dataset(work, "shop"), tried(work, tmp_path / "tried.csv")
    save_offers(dataset, SavedOffers({TIERS: EFFECTS}, {name: found}))
    app = do(open_page(root, "strategy", lang="en"), ("terms_margin", margin))
    assert not app.error
    (made,) = with_experiments([Offer.parse(f"name={name},cost=0,effect=1")], {name: found}, 90, (margin or 100) / 100)
    effects = {f"tier{tier}": made.effect_on(tier) for tier in range(1, 5)}
    expected = {tier: float(f"{effect.value:.4g}") for tier, effect in effects.items() if effect is not None}

    def shown() -> pd.DataFrame:
        return next(one.value for one in app.data_editor if "tier1" in one.value)

    assert expected and shown().loc[0, list(effects)].dropna().to_dict() == expected
    assert shown()["evidence"].tolist() == ["measured", "assumed", "assumed"]
    assert shown()["unit"].tolist() == ["money", "share", "share"] and shown().loc[1, "tier1"] == 5.0
    gain = app.metric[0].value
    edit(app, "budget_table", {0: dict.fromkeys(effects, 99.0), 1: {"tier1": 6.0}})
    assert shown().loc[0, list(effects)].dropna().to_dict() == expected and shown().loc[1, "tier1"] == 6.0
    edit(app, "budget_table", {1: {"tier1": 5.0}})
    assert app.metric[0].value == gain
    kept = load_offers(dataset).rows[TIERS]
    assert kept == ({**EFFECTS[0], "name": name}, *EFFECTS[1:]), (
        "what was assumed is there again without the experiment"
    )
    app.button(key=f"experiment_forget_{name}").click().run()
    assert shown().loc[0, "tier1"] == 1.0 and set(shown()["evidence"]) == {"assumed"}


@pytest.mark.parametrize("margin", [None, 40.0])
def test_what_an_offer_brought_is_incremental_margin_less_its_cost_only_where_an_effect_was_measured(
    open_page: OPEN, root: Path, tmp_path: Path, margin: float | None
) -> None:
    work, name = Workspace(root), translate("budget.offer.mail", "en")
    dataset, found = open_dataset(work, "shop"), tried(work, tmp_path / "tried.csv")
    save_offers(dataset, SavedOffers({TIERS: EFFECTS}, {name: found}))
    app = do(open_page(root, "strategy", lang="en"), ("terms_margin", margin))
    (made,) = with_experiments([Offer.parse(f"name={name},cost=0,effect=1")], {name: found}, 90, 1.0)
    cost = next(float(one.value.loc[0, "cost"]) for one in app.data_editor if "tier1" in one.value)
    share = (margin or 100) / 100
    names, wanted = tier_labels(dataset, DEFAULT_SCHEME.tiers, "en"), {}
    for tier, label in enumerate(names, 1):
        effect = made.effect_on(tier)
        if effect is not None and effect.low is not None and effect.high is not None:
            money = [say_money(share * end - cost, "", "en", 2) for end in (effect.value, effect.low, effect.high)]
            wanted[label] = translate("break_even.measured", "en", gain=money[0], low=money[1], high=money[2])
    [shown] = [frame for frame in app.dataframe if "everyone" in frame.value.columns]
    rows = shown.value
    measured = rows[rows["offer"] == name].set_index("name")["gain"]
    assert wanted and {label: text.replace(" EUR", "") for label, text in measured.items() if text} == wanted
    assert set(rows.loc[rows["offer"] != name, "gain"]) == {""}
    heading = translate("break_even.column.gain.revenue" if margin is None else "break_even.column.gain", "en")
    assert heading in json.loads(shown.proto.columns)["gain"]["label"]
    app.button(key=f"experiment_forget_{name}").click().run()
    assert all("gain" not in frame.value.columns for frame in app.dataframe if "everyone" in frame.value.columns)


def test_a_tried_offer_with_another_name_keeps_its_effects_as_assumed(
    open_page: OPEN, root: Path, tmp_path: Path
) -> None:
    work, name = Workspace(root), translate("budget.offer.mail", "en")
    save_offers(open_dataset(work, "shop"), SavedOffers({TIERS: EFFECTS}, {name: tried(work, tmp_path / "tried.csv")}))
    app = open_page(root, "strategy", lang="en")
    before = next(one.value for one in app.data_editor if "tier1" in one.value)
    edit(app, "budget_table", {0: {"name": "Letter"}})
    again = open_page(root, "strategy", lang="en")
    now = next(one.value for one in again.data_editor if "tier1" in one.value)
    assert now.loc[0, "name"] == "Letter" and before.loc[0, "evidence"] == "measured"
    columns = ["unit", "tier1", "tier2", "tier3", "tier4"]
    assert now.loc[0, columns].equals(before.loc[0, columns])
    assert now.loc[0, "evidence"] == "assumed"


def test_costs_are_called_assumed_where_effects_are_measured(open_page: OPEN, root: Path, tmp_path: Path) -> None:
    work, found = Workspace(root), tried(Workspace(root), tmp_path / "tried.csv")
    own = {"start": None, "name": "Own", "cost": 0.01, "unit": "money", "tier1": 0.0, "capacity": None}
    save_offers(open_dataset(work, "shop"), SavedOffers({TIERS: (own,)}, {"Own": found}))
    said = open_page(root, "strategy", lang="en").caption[0].value
    assert "All effects measured" in said and translate("warning.offer_costs", "en") in said
    assert cost_warnings([Offer.parse("name=Free,cost=0,effect=1")]) == ()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_table_that_is_no_experiment_is_told_its_missing_columns_as_they_have_to_be_written(
    open_page: OPEN, root: Path, lang: str
) -> None:
    app = open_page(root, "strategy", lang=lang)
    app.file_uploader(key="experiment_file").set_value(("tried.csv", b"x,y\n1,2\n", "text/csv")).run()
    app.button(key="experiment_measure").click().run()
    assert len(app.error) == 1 and "customer\\_id" in app.error[0].value and "group" in app.error[0].value


def experiment_box(app: AppTest) -> Block.Expandable:
    """Return the box that takes an experiment, as the browser is told to draw it."""
    label = translate("budget.experiment", "en")
    return next(box.proto for box in app.expander if box.label == label)


def test_the_box_for_an_experiment_is_folded_where_there_is_none(open_page: OPEN, root: Path) -> None:
    assert not experiment_box(open_page(root, "strategy", lang="en")).expanded


@pytest.mark.parametrize(("horizon", "used"), [(30, False), (60, True)])
def test_an_experiment_that_counted_for_longer_than_the_horizon_is_not_used(
    open_page: OPEN, root: Path, tmp_path: Path, horizon: int, used: bool
) -> None:
    work, name = Workspace(root), translate("budget.offer.mail", "en")
    save_offers(open_dataset(work, "shop"), SavedOffers({TIERS: EFFECTS}, {name: tried(work, tmp_path / "tried.csv")}))
    app = open_page(root, "home", lang="en")
    app.session_state[f"terms_horizon_{HORIZON_DAYS}"] = horizon
    app.switch_page(BY_NAME["strategy"].path).run()
    assert not app.error
    assert (translate("budget.rests.assumed", "en") in app.caption[0].value) is not used
    longer = translate("budget.experiment.longer", "en", offer=name, days=60, horizon=horizon)
    assert (longer in app.caption[0].value) is not used


def test_changed_offers_and_the_budget_hold_under_other_terms_in_the_other_language_and_after_a_reload(
    root: Path,
) -> None:
    dataset = open_dataset(Workspace(root), "shop")
    values = np.full(50, 200.0)
    starting = offer_table.starting_offers(values, 4, "en")
    table = starting.copy()
    table.loc[1, "tier1"], table.loc[0, "name"] = 7.0, "Letter"
    table.loc[3] = [None, "Own", 3.0, "money", 5.0, None, None, None, 40.0]
    rows = offer_table.as_rows(table.drop(index=2), starting, ())
    assert rows[:2] == ({"start": "mail", "name": "Letter"}, {"start": "voucher", "tier1": 7.0})
    save_offers(dataset, SavedOffers({TIERS: rows}, budget=120.0))
    kept = load_offers(dataset)
    assert kept.budget == 120.0 and kept.rows == {TIERS: rows}
    other = offer_table.as_table(kept.rows[TIERS], offer_table.starting_offers(values * 0.3, 4, "zh"))
    offers = offer_table.read_offers(other, 4)
    assert [offer.name for offer in offers] == ["Letter", translate("budget.offer.voucher", "zh"), "Own"]
    assert offers[1].effects[1].value == 0.07 and offers[1].cost == pytest.approx(0.03 * 60, rel=0.2)
    assert (offers[2].cost, offers[2].capacity) == (3.0, 40)


def test_an_edit_on_the_page_is_kept_at_once_and_shown_in_the_other_language(open_page: OPEN, root: Path) -> None:
    edit(open_page(root, "strategy", lang="en"), "budget_table", {0: {"tier1": 9.0}})
    assert load_offers(open_dataset(Workspace(root), "shop")).rows == {
        TIERS: ({"start": "mail", "tier1": 9.0}, {"start": "voucher"}, {"start": "call"})
    }
    [table] = [one.value for one in open_page(root, "strategy", lang="zh").data_editor if "tier1" in one.value]
    assert (table["name"].iloc[0], table["tier1"].iloc[0]) == (translate("budget.offer.mail", "zh"), 9.0)


def test_offers_are_planned_by_the_segments_of_another_scheme_and_each_keeps_its_own_offers(
    open_page: OPEN, root: Path
) -> None:
    enter_effects(root, QUADRANT)
    dataset = open_dataset(Workspace(root), "shop")
    app = open_page(root, "strategy", lang="en")
    before = app.header[0].value
    app.selectbox(key="budget_by_shop").set_value(QUADRANT).run()
    assert not app.error
    assert load_offers(dataset).by == QUADRANT and app.header[0].value != before
    who = next(one.value for one in app.dataframe if "expected_gain" in one.value)
    win_back = translate("segment.quadrant.win_back", "en")
    assert win_back in set(who["tier"]) and not set(who["tier"]) & set(tier_labels(dataset, 4, "en"))
    only = {"start": "mail", "tier1": None, "tier2": None, "tier3": 1.0, "tier4": None}
    rows = {TIERS: ({"start": "mail"},), QUADRANT: (only,)}
    save_offers(dataset, SavedOffers(rows, by=QUADRANT))
    again = open_page(root, "strategy", lang="en")
    who = next(one.value for one in again.dataframe if "expected_gain" in one.value)
    assert set(who["tier"]) == {win_back}


def test_a_scheme_of_the_segments_page_is_taken_along_with_its_cuts(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "home", lang="en")
    app.session_state["scheme_kind"] = QUADRANT
    app.switch_page(BY_NAME["segments"].path).run()
    do(app, (next(box.key for box in app.number_input if "scheme_chance" in box.key), 20.0), "to_budget")
    assert "p=0.2," in load_offers(open_dataset(Workspace(root), "shop")).by
    page = open_page(root, "strategy", lang="zh")
    assert page.selectbox(key="budget_by_shop").value.startswith("quadrant:")


def test_offers_that_were_kept_before_there_were_schemes_are_read(root: Path) -> None:
    dataset = open_dataset(Workspace(root), "shop")
    write_json(
        dataset.folder.parent / "offers.json",
        {"rows": [{"start": "mail", "tier1": 9.0}], "experiments": {}, "budget": None},
    )
    kept = load_offers(dataset)
    assert kept.rows == {TIERS: ({"start": "mail", "tier1": 9.0},)} and kept.by == TIERS


def test_an_offer_that_was_tried_keeps_its_name_in_the_other_language() -> None:
    starting = offer_table.starting_offers(np.full(50, 200.0), 4, "en")
    rows = offer_table.as_rows(starting, starting, ["Voucher"])
    other = offer_table.as_table(rows, offer_table.starting_offers(np.full(50, 200.0), 4, "zh"))
    assert other["name"].tolist() == [
        translate("budget.offer.mail", "zh"),
        "Voucher",
        translate("budget.offer.call", "zh"),
    ]


def test_a_budget_that_was_chosen_is_there_after_a_reload_and_nothing_is_written_before(
    open_page: OPEN, root: Path
) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    assert load_offers(open_dataset(Workspace(root), "shop")).budget is None
    chosen = app.slider[0].value + 3 * app.slider[0].step
    app.slider[0].set_value(chosen).run()
    again = open_page(root, "strategy", lang="zh")
    assert again.slider[0].value == pytest.approx(chosen)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cost": 1e6}, "budget.nothing.why"),
        ({"name": None}, "budget.offers.none"),
        ({"name": "Same"}, "error.offer_twice"),
    ],
)
def test_offers_that_make_no_plan_are_said_and_can_be_mended(
    open_page: OPEN, root: Path, changed: dict[str, Any], said: str
) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="zh")
    edit(app, "budget_table", dict.fromkeys(range(3), changed))
    assert not app.get("download_button") and not app.slider and app.data_editor
    assert translate(said, "zh", name="Same").partition("。")[0] in texts(app)
    assert translate("budget.offers.assumed", "zh") in texts(app)


def test_rows_that_are_not_finished_are_passed_over_and_wrong_ones_refused() -> None:
    table = offer_table.starting_offers(pd.Series([10.0, 20.0]).to_numpy(), 2, "en")
    rows: list[dict[str, Any]] = [
        {"name": None, "cost": 1.0, "unit": "share", "tier1": 5.0, "tier2": None, "capacity": None},
        {"name": "No effect", "cost": 1.0, "unit": "share", "tier1": None, "tier2": None, "capacity": None},
        {"name": "Money", "cost": 1.0, "unit": "money", "tier1": 5.0, "tier2": None, "capacity": 3.0},
    ]
    offers = offer_table.read_offers(pd.concat([table, pd.DataFrame(rows)], ignore_index=True), 2)
    assert [offer.name for offer in offers][3:] == ["Money"] and len(offers) == 4
    assert offers[3].capacity == 3 and offers[3].effect_on(1) is not None and offers[3].effect_on(2) is None
    with pytest.raises(UsageError):
        offer_table.read_offers(table.assign(cost=-1.0), 2)


def test_the_curve_says_its_message_and_its_units() -> None:
    curve = Curve(pd.Series([0.0, 1, 2]).to_numpy(), pd.Series([0.0, 3, 4]).to_numpy())
    chart = advising.gain_by_budget(curve, (1.0, 3.0), "80% is reached", unit="EUR", gain="Gain, EUR")
    axes = chart.figure.layout.xaxis, chart.figure.layout.yaxis
    assert chart.message == "80% is reached" and all("EUR" in axis.title.text for axis in axes)
