"""The strategy page: what it says is what the plan says, and assumed stays apart from measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.scoring import score
from clv_core.errors import Message, UsageError
from clv_core.evaluation.trust import Trust
from clv_core.i18n import say_number, translate
from clv_core.jobs import NoProgress
from clv_core.pipeline import experiment
from clv_core.strategy.budget import Curve
from clv_core.strategy.plans import make_plan
from clv_core.strategy.segments import assign
from clv_core.strategy.tiers import DEFAULT_SCHEME
from clv_core.workspace import Workspace
from pages.ui import budget_offers, charts_budget, state
from tests.pages.test_app_opens import texts

OPEN = Callable[..., AppTest]


def scores(root: Path) -> pd.DataFrame:
    """Return the tiered customers, worked out without leaving anything in the workspace."""
    work = Workspace(root)
    return assign(score(list_bundles(work)[0], open_dataset(work, "shop"), progress=NoProgress()), DEFAULT_SCHEME)


def test_the_headline_is_what_the_plan_of_the_assumed_offers_says(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "strategy", lang="en")
    assert not app.exception and not app.error
    tiered = scores(with_model)
    offers = budget_offers.read_offers(budget_offers.starting_offers(tiered["predicted_clv"].to_numpy(), 4), 4)
    plan = make_plan(tiered, 4, offers, app.slider[0].value)
    assert f"{say_number(plan.found.gain)} EUR" in app.subheader[0].value
    assert plan.next is not None and plan.next.offer in app.subheader[0].value
    assert translate("budget.rests.assumed", "en") in app.caption[0].value
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures[translate("budget.figure.uniform", "en")] == f"{say_number(plan.gain_uniform)} EUR"
    assert [button.disabled for button in app.get("download_button")] == [False] * 3


def test_a_larger_budget_brings_more(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "strategy", lang="zh")
    slider, before = app.slider[0], app.metric[1].value
    slider.set_value(slider.max).run()
    assert not app.exception and app.metric[1].value != before
    assert app.subheader[0].value.endswith(translate("budget.headline.full", "zh", finding="").removeprefix("；"))


def test_a_model_that_is_not_trusted_is_acknowledged_before_its_list(
    open_page: OPEN, with_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = Message("reason.no_total", {"predicted": 0, "actual": 9, "horizon": 90})
    monkeypatch.setattr(state, "trust", lambda bundle: Trust("not_trusted", (reason,)))
    app = open_page(with_model, "strategy", lang="en")
    assert [button.disabled for button in app.get("download_button")] == [True] * 3
    app.checkbox[0].check().run()
    assert [button.disabled for button in app.get("download_button")] == [False] * 3


def test_an_experiment_on_the_page_replaces_the_assumed_effect(
    open_page: OPEN, with_model: Path, tmp_path: Path
) -> None:
    work = Workspace(with_model)
    bundle, dataset = list_bundles(work)[0], open_dataset(work, "shop")
    events = (
        pd.read_parquet(dataset.events_path, columns=["customer_id"])["customer_id"].drop_duplicates().sort_values()
    )
    start = pd.Timestamp(dataset.log_end) - pd.Timedelta(days=60)
    rows = pd.DataFrame({"customer_id": events, "date": start.strftime("%Y-%m-%d")})
    rows["group"] = ["offer" if place % 2 else "control" for place in range(len(rows))]
    rows.to_csv(tmp_path / "tried.csv", index=False)
    found = experiment(work, "shop", bundle.id, tmp_path / "tried.csv", progress=NoProgress())
    app = open_page(with_model, "strategy", lang="en")
    name = translate("budget.offer.mail", "en")
    app.session_state[f"budget_measured_{dataset.version}_{bundle.id}"] = {name: found}
    app.run()
    assert not app.exception and not app.error
    said = texts(app)
    assert translate("budget.offers.measured", "en", names=name) in said
    assert f"in {found.window_days} days" in said
    app.button(key=f"experiment_forget_{name}").click().run()
    assert translate("budget.rests.assumed", "en") in app.caption[0].value


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cost": 1e6}, "budget.nothing.why"),
        ({"name": ""}, "budget.offers.none"),
        ({"name": "Same"}, "error.offer_twice"),
    ],
)
def test_offers_that_make_no_plan_are_said_and_can_be_mended(
    open_page: OPEN, with_model: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], said: str
) -> None:
    start = budget_offers.starting_offers
    monkeypatch.setattr(budget_offers, "starting_offers", lambda *given: start(*given).assign(**changed))
    app = open_page(with_model, "strategy", lang="zh")
    assert not app.exception and not app.get("download_button") and not app.slider
    expected = translate(said, "zh", name="Same").partition("。")[0]
    assert expected in texts(app)
    assert translate("budget.offers.assumed", "zh") in texts(app)


def test_rows_that_are_not_finished_are_passed_over_and_wrong_ones_refused() -> None:
    table = budget_offers.starting_offers(pd.Series([10.0, 20.0]).to_numpy(), 2)
    rows: list[dict[str, Any]] = [
        {"name": None, "cost": 1.0, "unit": "share", "tier1": 5.0, "tier2": None, "capacity": None},
        {"name": "No effect", "cost": 1.0, "unit": "share", "tier1": None, "tier2": None, "capacity": None},
        {"name": "Money", "cost": 1.0, "unit": "money", "tier1": 5.0, "tier2": None, "capacity": 3.0},
    ]
    offers = budget_offers.read_offers(pd.concat([table, pd.DataFrame(rows)], ignore_index=True), 2)
    assert [offer.name for offer in offers][3:] == ["Money"] and len(offers) == 4
    assert offers[3].capacity == 3 and offers[3].effect_on(1) is not None and offers[3].effect_on(2) is None
    with pytest.raises(UsageError):
        budget_offers.read_offers(table.assign(cost=-1.0), 2)


def test_the_curve_says_its_message_and_its_units() -> None:
    curve = Curve(pd.Series([0.0, 1, 2]).to_numpy(), pd.Series([0.0, 3, 4]).to_numpy())
    figure = charts_budget.gain_by_budget(curve, (1.0, 3.0), "80% is reached", unit="EUR")
    assert figure.layout.title.text == "80% is reached"
    assert "EUR" in figure.layout.xaxis.title.text and "EUR" in figure.layout.yaxis.title.text
