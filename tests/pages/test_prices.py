"""Recommendations and prices on the strategy page and the customer card: what they say is what is kept."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon
from streamlit.testing.v1 import AppTest

from clv_core import jobs, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.saved_scores import Scored, score
from clv_core.i18n import LANGUAGES, say_money, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.plans.saved_offers import load_offers
from clv_core.strategy.pricing.price_responses import Responses, load_responses, responses_folder, store_responses
from clv_core.strategy.pricing.price_rule import DISCOUNT, Rule, best_step, price_steps, what_if
from clv_core.strategy.recommend.holdout_month import MIN_HOLDOUT_CUSTOMERS, judge
from clv_core.strategy.recommend.recommendations import recommendations_folder, recommendations_of_model
from clv_core.strategy.recommend_and_price import price, recommend
from clv_core.workspace import Workspace
from pages.ui import prices, recommending
from pages.ui.navigation import BY_NAME
from pages.ui.recommending import compare_levels
from tests.pages.conftest import OPEN, START, Offered, do, press, texts
from tests.strategy.pricing.test_pricing import shop_log

pytestmark = pytest.mark.first(8)


@pytest.fixture(scope="module")
def advised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose log has products and prices that vary, with a model, recommendations and responses."""
    root = tmp_path_factory.mktemp("advised")
    work = Workspace(root)
    shop_log()[0].to_csv(root / "log.csv", index=False)
    ingest(work, root / "log.csv", "shop", duplicates="keep", currency="EUR")
    bundle = pipeline.train(work, "shop", TrainConfig(horizon_days=60, model="naive", cutoffs=2), progress=NoProgress())
    score(Scored.open(work, "shop", bundle.id), progress=NoProgress())
    recommend(Scored.open(work, "shop", bundle.id), root / "list.parquet", progress=NoProgress())
    price(Scored.open(work, "shop", bundle.id), root / "prices.parquet", progress=NoProgress())
    return root


def bundle_of(root: Path) -> Bundle:
    return list_bundles(Workspace(root))[0]


def part(open_page: OPEN, root: Path, name: str, lang: str = "en", **state: Any) -> AppTest:
    """Open a part of the strategy page; choices are made before it is drawn, as a click in Chinese cannot be sent."""
    app = open_page(root, "home", lang=lang)
    for key, value in {"strategy_part": name, **state}.items():
        app.session_state[key] = value
    return app.switch_page(BY_NAME["strategy"].path).run()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["with_bought", "without_bought"])
def test_recommendations_say_what_was_measured(open_page: OPEN, advised: Path, lang: str, kind: str) -> None:
    """In this shop everybody has bought nearly everything, so that what is new cannot be judged."""
    work, bundle = Workspace(advised), bundle_of(advised)
    app = part(open_page, advised, "recommend", lang, recommend_kind=kind, **{f"acknowledge_{bundle.id}": True})
    assert not app.error
    advice = recommendations_of_model(Scored.open(work, "shop", bundle.id))
    assert advice is not None
    measured = {one["method"]: one["recall"]["value"] for one in advice.record["quality"].get(kind, [])}
    assert bool(measured) == (kind == "with_bought") == bool(app.metric)
    if measured:
        assert f"{measured['blend']:.1%}" in app.header[0].value and app.metric[0].value == f"{measured['blend']:.1%}"
    else:
        assert translate("recommend.unmeasured", lang, customers=MIN_HOLDOUT_CUSTOMERS) in texts(app)
    assert translate("warning.recommend_price_rule", lang) in texts(app)
    mail = app.dataframe[0].value
    rows = advice.tiers[advice.tiers["kind"] == kind]
    rows = rows[rows["tier"] == rows["tier"].min()]
    assert mail["product_id"].tolist() == rows["product_id"].tolist()
    first = advice.of_customer(str(advice.customers["customer_id"].iloc[0]), kind)
    if first.empty:
        assert translate("recommend.customer.none", lang) in texts(app)
    else:
        one = app.dataframe[1].value
        assert one["product_id"].tolist() == first["product_id"].tolist() and one["reason"].str.len().min() > 2
        assert re.search(rf"(average|平均) {float(f'{100 * first.head(10).grade.mean():.2g}'):g}", texts(app))
    assert [button.disabled for button in app.get("download_button")] == [False] * 3


def test_products_that_are_left_out_can_be_changed_and_are_remembered(
    open_page: OPEN, advised: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(advised, tmp_path / "own"))
    app = part(open_page, root, "recommend")
    assert translate("recommend.excluded", "en", count=0) in [box.label for box in app.expander]
    [box] = app.multiselect
    box.set_value(["tea1"]).run()
    app.button(key="recommend_again").click().run()
    job = jobs.jobs(Workspace(root), "recommend")[0]
    assert job.status().args[-1] == "--exclude=tea1"
    assert load_offers(open_dataset(Workspace(root), "shop")).excluded == ("tea1",)


def test_a_customer_is_found_by_id_and_an_unknown_one_is_said(open_page: OPEN, advised: Path) -> None:
    app = do(part(open_page, advised, "recommend"), ("recommend_search", "t2-07"))
    assert "t2-07" in texts(app) and not app.error
    app.text_input(key="recommend_search").set_value("nobody").run()
    assert "nobody" in app.error[0].value


def signed(value: float, lang: str) -> str:
    return ("−" if value < 0 else "+") + say_money(abs(value), "EUR", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_prices_keep_measured_and_assumed_apart(open_page: OPEN, advised: Path, lang: str) -> None:
    app = part(open_page, advised, "price", lang, terms_margin=30.0, price_preset_price="loyalty")
    assert not app.error
    work = Workspace(advised)
    found = load_responses(responses_folder(Scored.open(work, "shop", bundle_of(advised).id)))
    assert found is not None
    tiers = dict(enumerate(prices.PRESETS["loyalty"], 1))
    outcome = what_if(found, Rule({tier: change / 100 for tier, change in tiers.items()}, 0.3))
    revenue = next(metric for metric in app.metric if metric.label == translate("price.figure.revenue", lang))
    assert revenue.value == signed(outcome.revenue.value, lang)
    said = texts(app)
    assert translate("price.assumed", lang) in said and translate("price.fair", lang) in said
    assert all(one.text(lang) in said for one in outcome.assumptions)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_discount_is_tried_by_its_own_effect_and_money_has_a_unit(open_page: OPEN, advised: Path, lang: str) -> None:
    choices = {"price_by": DISCOUNT, "price_preset_discount": "loyalty"}
    app = part(open_page, advised, "price", lang, terms_margin=30.0, **choices)
    assert not app.error
    work = Workspace(advised)
    found = load_responses(responses_folder(Scored.open(work, "shop", bundle_of(advised).id)))
    assert found is not None
    changes = {tier: change / 100 for tier, change in enumerate(prices.PRESETS["loyalty"], 1)}
    outcome = what_if(found, Rule(changes, 0.3, by=DISCOUNT))
    assert app.metric[0].value == signed(outcome.revenue.value, lang)
    columns = json.loads(next(frame.proto.columns for frame in app.dataframe if "clv_after" in frame.value))
    assert all(columns[name]["label"].endswith("EUR") for name in ("clv", "clv_after", "clv_low", "clv_high", "margin"))


def test_a_change_of_the_rule_changes_what_it_brings(open_page: OPEN, advised: Path) -> None:
    app = part(open_page, advised, "price", price_preset_price="loyalty")
    assert not app.metric and translate("price.margin.first", "en") in texts(app)
    app.number_input(key="terms_margin").set_value(30.0).run()
    before = app.metric[0].value
    app.number_input(key="price_change_price_loyalty_-10_1").set_value(-20.0).run()
    assert app.metric[0].value != before
    for tier in range(1, 5):
        app.number_input(key=f"price_change_price_loyalty_-10_{tier}").set_value(0.0)
    app.run()
    assert translate("price.nothing", "en") in texts(app) and not app.metric


@pytest.mark.parametrize("name", ["recommend", "price"])
def test_a_run_is_shown_while_nothing_is_kept_and_nothing_is_worked_out_for_another_part(
    open_page: OPEN, root: Path, name: str
) -> None:
    app = part(open_page, root, name)
    assert not app.error and not app.slider
    [job] = jobs.jobs(Workspace(root))
    assert job.status().args[:2] == (name, "shop") and translate(f"{name}.wait", "en") in texts(app)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recommend", "price"])
def test_a_log_without_products_is_refused_in_words(
    open_page: OPEN, tmp_path: Path, cdnow_file: Path, name: str
) -> None:
    work = Workspace(tmp_path / "work")
    (tmp_path / "cdnow.txt").write_text("\n".join(cdnow_file.read_text(encoding="utf-8").splitlines()[:2000]))
    ingest(work, tmp_path / "cdnow.txt", "cdnow")
    pipeline.train(work, "cdnow", TrainConfig(horizon_days=90, model="naive", cutoffs=2), progress=NoProgress())
    app = part(open_page, work.root, name, "zh")
    assert app.header[0].value == translate("strategy.refused", "zh") and "cdnow" in texts(app)
    assert jobs.jobs(work, name) == []
    assert translate("card.recommended", "zh") not in texts(open_page(work.root, "customer", lang="zh"))


def test_the_file_of_a_card_holds_what_the_page_recommends(open_page: OPEN, advised: Path, offered: Offered) -> None:
    app = open_page(advised, "customer", lang="en")
    shown = next(frame.value for frame in app.dataframe if "reason" in frame.value)
    said = json.loads(press(offered["download_card"]))["recommended"]
    assert [one["product_id"] for one in said] == shown["product_id"].tolist()


def test_the_card_shows_what_is_recommended_and_offers_to_look_for_it(
    open_page: OPEN, advised: Path, with_model: Path
) -> None:
    app = open_page(advised, "customer", lang="en")
    assert translate("card.recommended", "en") in [item.value for item in app.header]
    assert any("reason" in frame.value and len(frame.value) == 10 for frame in app.dataframe)
    bare = open_page(with_model, "customer", lang="en")
    scored = Scored.open(Workspace(with_model), "shop", bundle_of(with_model).id)
    assert not recommendations_folder(scored).exists()
    bare.button(key="card_recommend").click().run()
    assert jobs.jobs(Workspace(with_model), "recommend")


def measured_on(root: Path) -> Responses:
    found = load_responses(responses_folder(Scored.open(Workspace(root), "shop", bundle_of(root).id)))
    assert found is not None
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_step_says_what_it_does_to_revenue_and_to_profit_and_the_best_is_preset(
    open_page: OPEN, advised: Path, lang: str
) -> None:
    app = part(open_page, advised, "price", lang, terms_margin=80.0)
    steps = price_steps(measured_on(advised), 0.8)
    best = best_step(steps)
    assert best is not None
    table = next(frame.value for frame in app.dataframe if "sold" in frame.value)
    assert table["change"].tolist() == [100 * step.change for step in steps]
    for row, step in zip(table.to_dict("records"), steps, strict=True):
        for name, total in (("revenue", step.outcome.revenue), ("profit", step.outcome.margin)):
            ends = {"low": signed(total.low, lang)[:-4], "high": signed(total.high, lang)[:-4]}
            assert row[name] == translate("price.with_range", lang, change=signed(total.value, lang), **ends)
        gains = step.outcome.margin.value > 0
        assert row["verdict"].startswith(translate(f"price.verdict.{'earns' if gains else 'loses'}.surely", lang)[:4])
    preset = [box.value for box in app.number_input if str(box.key).startswith("price_change_price_best")]
    assert preset == [100 * best.change] * 4
    assert app.metric[1].value == signed(best.outcome.margin.value, lang)
    assert translate("price.verdict.earns.surely", lang) in app.header[0].value, "10% less earns too, if less"


def with_elasticity(root: Path, folder: Path, elasticity: float) -> Path:
    """Return a copy of a workspace whose categories all answer prices alike, within a tenth."""
    own = Path(shutil.copytree(root, folder / "own"))
    found, ends = measured_on(own), {"elasticity": 0.0, "low": -0.1, "high": 0.1}
    alike = found.table.assign(**{name: elasticity + off for name, off in ends.items()})
    scored = Scored.open(Workspace(own), "shop", bundle_of(own).id)
    store_responses(replace(found, table=alike), responses_folder(scored), {})
    return own


@pytest.mark.parametrize(
    ("elasticity", "margin", "said"),
    [
        (-0.5, None, "surely loses money at any margin"),
        (-0.5, 30.0, "surely loses money"),
        (-2.0, None, "earns only above a margin of about 53%"),
        (-2.0, 30.0, "surely loses money"),
        (-2.0, 80.0, "surely earns"),
    ],
)
def test_more_sales_at_a_lower_price_are_no_gain_where_they_lose_money(
    open_page: OPEN, advised: Path, tmp_path: Path, elasticity: float, margin: float | None, said: str
) -> None:
    """Of 0.9^-2 times the pieces, 10% less earns from a margin m on where (m - 0.1) 0.9^-2 = m: 53%."""
    app = part(open_page, with_elasticity(advised, tmp_path, elasticity), "price", terms_margin=margin)
    more, revenue = 100 * (0.9**elasticity - 1), 100 * (0.9 ** (1 + elasticity) - 1)
    assert app.header[0].value.startswith(f"A 10% lower price {said}: items sold +{more:.{0 if more >= 10 else 1}f}%")
    assert f"revenue {revenue:+.{0 if abs(revenue) >= 10 else 1}f}%".replace("-", "−") in app.header[0].value
    assert ("profit" in app.header[0].value) is (margin is not None)
    preset = {box.value for box in app.number_input if str(box.key).startswith("price_change_price_best")}
    best = {(-0.5, 30.0): 10.0, (-2.0, 30.0): 10.0, (-2.0, 80.0): -10.0}
    assert preset == {best.get((elasticity, margin or 0.0), 0.0)}


def test_where_no_step_earns_none_is_preset(open_page: OPEN, advised: Path, tmp_path: Path) -> None:
    """At a response of -2 and a margin of half the price, today's price is the best there is."""
    app = part(open_page, with_elasticity(advised, tmp_path, -2.0), "price", terms_margin=50.0)
    preset = {box.value for box in app.number_input if str(box.key).startswith("price_change_price_best")}
    assert preset == {0.0} and not app.metric and translate("price.nothing.earns", "en") in texts(app)


def test_where_less_sold_at_lower_prices_nothing_is_said_to_earn(
    open_page: OPEN, advised: Path, tmp_path: Path
) -> None:
    app = part(open_page, with_elasticity(advised, tmp_path, 0.8), "price", terms_margin=50.0)
    assert app.header[0].value == translate("price.headline.reversed", "en")
    table = next(frame.value for frame in app.dataframe if "sold" in frame.value)
    assert set(table["verdict"]) == {translate("price.verdict.reversed", "en")}
    assert not app.metric and translate("price.nothing.reversed", "en") in texts(app)


@pytest.mark.parametrize(
    ("ends", "margin", "said"),
    [
        ({"tea": (-2.0, -1.5), "cups": (-0.95, -0.4)}, None, "1 of the 2 largest categories surely takes in more"),
        ({"tea": (-2.0, -1.5), "cups": (-0.95, -0.4)}, None, "1 surely takes in less, and loses at any margin"),
        ({"tea": (-2.0, -1.5), "cups": (-0.95, -0.4)}, None, "“tea” responds most"),
        ({"tea": (-2.0, -1.5), "cups": (-0.95, -0.4)}, 0.3, "None of the 2 largest categories surely earns more"),
        ({"tea": (-2.0, -1.5), "cups": (-0.95, -0.4)}, 0.3, "2 surely earn less"),
        ({"tea": (-2.0, -1.5), "cups": (0.3, 0.6)}, 0.8, "in 1 less sold: something else changed"),
        ({"tea": (-2.0, -1.5), "cups": (-0.95, -0.4)}, 0.9, "1 of the 2 largest categories surely earns more"),
        ({"tea": (-2.0, -1.0)}, None, "“tea”: +17% items at a 10% lower price; the same revenue needs 11% more"),
        ({"tea": (-2.0, -1.0)}, 0.3, "“tea”: +17% items at a 10% lower price; the same profit needs 50% more"),
        ({"tea": (-2.0, -1.0)}, 0.1, "nothing is enough"),
    ],
)
def test_the_chart_says_where_a_lower_price_earns_not_where_it_sells(
    ends: dict[str, tuple[float, float]], margin: float | None, said: str
) -> None:
    rows = [
        {"category": name, "low": low, "high": high, "elasticity": (low + high) / 2}
        | {"error": (high - low) / 3.4, "products": 30}
        for name, (low, high) in ends.items()
    ]
    assert said in prices.chart_message(pd.DataFrame(rows), margin)


@pytest.mark.parametrize("code", ["price_no_variation", "price_few_products", "price_few_sales"])
def test_a_log_that_cannot_tell_of_prices_is_said_plainly_and_nothing_is_tried_again(
    code: str, open_page: OPEN, advised: Path, tmp_path: Path, sleeping_job: START
) -> None:
    root = Path(shutil.copytree(advised, tmp_path / "own"))
    work, bundle = Workspace(root), bundle_of(root)
    folder = responses_folder(Scored.open(work, "shop", bundle.id))
    shutil.rmtree(folder)
    job = sleeping_job(work, ["price", "shop", "--model", bundle.id], folder.name)
    params = {"dataset": "shop", "categories": 4, "found": 2.0, "needed": 3, "products": 10}
    jobs.update_status(job.folder, state=jobs.FAILED, error=jobs.JobError(code, params))
    app = part(open_page, root, "price")
    assert not app.error
    assert translate("strategy.refused", "en") in [one.value for one in app.header]
    assert translate("price.wait", "en") not in texts(app)
    assert not [button for button in app.button if str(button.key).startswith("again_")]


def told(quality: list[dict[str, Any]]) -> str:
    """Return what the page says of these measures."""
    advice: Any = SimpleNamespace(record={"quality": {"with_bought": quality}}, customers=[])
    return recommending.headline(advice, "with_bought")


@pytest.mark.parametrize(
    ("ours", "reach", "said"),
    [
        (0.30, 0.08, ("1.5 times", "50% more")),
        (0.30, 0.11, ("by chance",) * 2),
        (0.19, 0.02, ("no better", "no more than")),
        (0.15, 0.02, ("no better", "25% less")),
        (0.20, 0.00, ("no better", "no more than")),
        (0.2001, 0.00005, ("no better", "more than their ten most bought")),
    ],
)
def test_a_lead_that_chance_may_explain_is_said_to_be_one(ours: float, reach: float, said: tuple[str, str]) -> None:
    ahead = {"value": ours - 0.2, "low": ours - 0.2 - reach, "high": ours - 0.2 + reach}
    rows = [{"method": name, "recall": {"value": 0.2}, "ahead": ahead} for name in ("popular", "own")]
    headline = told([*rows, {"method": "blend", "recall": {"value": ours}}])
    assert said[0] in headline and said[1] in headline


def test_a_lead_is_told_by_the_customers_whom_both_lists_were_measured_on() -> None:
    """Each customer's lists do alike, so that the lead is surer than either figure (Wilcoxon's test agrees)."""
    rng = np.random.default_rng(5)
    bought = rng.random((300, 10)) < rng.choice([0.05, 0.9], (300, 1))
    theirs = bought & (rng.random((300, 10)) < 0.9)
    lists = {"blend": bought, "popular": theirs, "own": theirs}
    found = {one.method: asdict(one) for one in judge(lists, np.full(300, 10.0))}
    assert wilcoxon(bought.sum(axis=1), theirs.sum(axis=1)).pvalue < 1e-6
    assert found["blend"]["recall"]["low"] < found["popular"]["recall"]["value"]
    assert "times ten best sellers" in told(list(found.values()))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(0.5012, 0.4988, "equal"), (0.5, 0.5, "equal"), (0.62, 0.41, "rising"), (0.41, 0.62, "flat")],
)
def test_the_mail_of_a_tier_is_dearer_only_where_the_bars_say_so(first: float, last: float, said: str) -> None:
    assert compare_levels(first, last) == said
