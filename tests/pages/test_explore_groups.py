"""A bar or cell of the explore page leads to its customers: whom it holds is held against pandas over the log."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.features.explore.cube import Cube, build_cube, find_cube
from clv_core.features.explore.selection import CubePart, Selection
from clv_core.features.explore.views import VIEWS
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.segments.saved_segments import load_rules, saved_rules
from clv_core.workspace import Workspace
from pages.ui.explore import groups
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, SIGN_IN, copied, do, texts

PARTS = {"cohorts": "back", "rfm": "value", "funnel": "way", "categories": "categories"}
SAVED = translate("explore.group.rules")


@pytest.fixture(scope="module")
def explored(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a model and the sums of its dataset."""
    root = copied(with_model, tmp_path_factory.mktemp("groups") / "workspace")
    build_cube(Workspace(root), "shop", NoProgress())
    return root


@pytest.fixture
def own(explored: Path, tmp_path: Path) -> Path:
    return copied(explored, tmp_path / "workspace")


def cube_of(root: Path) -> Cube:
    cube = find_cube(open_dataset(Workspace(root), "shop"))
    assert cube is not None
    return cube


def view(root: Path, name: str) -> pd.DataFrame:
    return VIEWS[name](Selection.of(CubePart(cube_of(root))))


def clicked(open_page: OPEN, root: Path, chart: str, point: int, lang: str = "en") -> AppTest:
    """Open the page with a point of a chart clicked."""
    app = do(open_page(root, "explore", lang=lang), ("explore_part", PARTS[chart]))
    return click(app, root, chart, point)


def click(app: AppTest, root: Path, chart: str, point: int) -> AppTest:
    app.session_state[f"explore_group_{chart}_shop_{cube_of(root).version}"] = point
    return app.run()


def cohort(root: Path, events: pd.DataFrame) -> tuple[int, set[str]]:
    """The last cohort that the map shows, clicked in its last column, where it has no value yet."""
    cells = view(root, "cohorts")
    later = cells[cells["age"] > 0]
    first = later["cohort"].max()
    bought = events[events["event_type"] == "purchase"].groupby("customer_id")["event_time"].min()
    inside = bought[(bought >= first) & (bought < first + pd.DateOffset(months=1))]
    return later["cohort"].nunique() * later["age"].nunique() - 1, set(inside.index)


def cell(root: Path, events: pd.DataFrame) -> tuple[int, set[str]]:
    """Those who bought lately and not most often."""
    grid = view(root, "rfm")
    latest = grid["recency"].max()
    row = grid[(grid["recency"] == latest) & (grid["frequency"] == 2)].iloc[0]
    bought = events[events["event_type"] == "purchase"]
    orders = bought.groupby("customer_id")["order_id"].nunique()
    end = pd.Timestamp(cube_of(root).end)
    days = (end - bought["event_time"].dt.normalize().groupby(bought["customer_id"]).max()).dt.days
    often = orders.between(row["frequency_low"], row["frequency_high"])
    found = orders.index[often & days.between(row["recency_low"], row["recency_high"])]
    assert len(found) == row["buyers"]
    return 1, set(found)


def step(root: Path, events: pd.DataFrame) -> tuple[int, set[str]]:
    """Those who viewed and put into the cart, whether they bought or not."""
    did = events.groupby("event_type")["customer_id"].agg(set)
    assert did["view"] & did["cart"] > did["view"] & did["cart"] & did["purchase"]
    return 1, did["view"] & did["cart"]


def favourite(root: Path, events: pd.DataFrame) -> tuple[int, set[str]]:
    """Those who bought the second category by revenue most often, by lines, then money, then name."""
    name = view(root, "categories")["category"].iloc[1]
    bought = events[events["event_type"] == "purchase"].dropna(subset="category")
    lines = bought.groupby(["customer_id", "category"])["amount"].agg(["size", "sum"]).round(6).reset_index()
    order = lines.sort_values(["size", "sum", "category"], ascending=[False, False, True], kind="stable")
    first = order.drop_duplicates("customer_id")
    return 1, set(first[first["category"] == name]["customer_id"])


MEANT = {"cohorts": cohort, "rfm": cell, "funnel": step, "categories": favourite}


def events_of(root: Path) -> pd.DataFrame:
    return pd.read_parquet(open_dataset(Workspace(root), "shop").events_path)


@pytest.mark.parametrize("chart", MEANT)
def test_a_click_counts_whom_the_log_holds_and_opens_and_saves_the_same(open_page: OPEN, own: Path, chart: str) -> None:
    point, people = MEANT[chart](own, events_of(own))
    everyone = events_of(own)["customer_id"].nunique()
    assert 0 < len(people) < everyone
    app = clicked(open_page, own, chart, point)
    name = app.text_input[-1].value
    count = translate("explore.group", name="", customers=len(people)).removeprefix("****")
    assert any(item.value.startswith("**") and item.value.endswith(count) for item in app.markdown)
    do(app, f"group_save_{chart}")
    dataset, work = open_dataset(Workspace(own), "shop"), Workspace(own)
    [rule] = load_rules(dataset, SAVED).rules
    assert rule.name == name and len(app.success) == 1
    do(app, f"group_show_{chart}")
    assert app.title[0].value == translate("page.segments")
    assert set(app.dataframe[0].value["customer_id"]) == people and not app.metric
    app.session_state["scheme_kind"], app.session_state["rules_name"] = "rules", SAVED
    do(app.switch_page(BY_NAME["segments"].path).run(), "group_leave")
    sizes = [item.value for item in app.metric if item.label == translate("segments.card.customers")]
    scored = Scored.open(work, "shop", list_bundles(work)[0].id).scores(NoProgress())
    assert sizes == [f"{len(people):,}", f"{len(scored) - len(people):,}"]
    assert len(app.dataframe[0].value) == min(len(scored), 5000)


def test_one_name_is_saved_once_and_another_group_beside_it(open_page: OPEN, own: Path) -> None:
    app = do(clicked(open_page, own, "funnel", 0), "group_save_funnel", "group_save_funnel")
    assert len(app.error) == 1
    do(click(app, own, "funnel", 2), "group_save_funnel")
    rules = load_rules(open_dataset(Workspace(own), "shop"), SAVED)
    assert [len(rule.conditions) for rule in rules.rules] == [1, 3] and rules.overlapping


def test_a_group_is_saved_under_the_name_that_was_written(open_page: OPEN, own: Path) -> None:
    app = clicked(open_page, own, "categories", 0, "zh")
    app.text_input[-1].set_value(" 茶友 ").run()
    do(app, "group_save_categories")
    [rule] = load_rules(open_dataset(Workspace(own), "shop"), translate("explore.group.rules", "zh")).rules
    assert rule.name == "茶友"


def test_without_a_model_or_scores_the_group_says_what_is_missing(open_page: OPEN, own: Path, tmp_path: Path) -> None:
    scored = Scored.open(Workspace(own), "shop", list_bundles(Workspace(own))[0].id)
    scored.scores_path.unlink()
    app = clicked(open_page, own, "categories", 0)
    said = translate("explore.group.no_scores", name="{}").partition("{}")[2].strip("* :")
    assert said in texts(app) and not app.text_input
    bare = copied(own, tmp_path / "bare")
    for folder in ("models", "registry"):
        shutil.rmtree(bare / folder)
    app = clicked(open_page, bare, "categories", 0)
    assert translate("explore.group.no_model", name="{}").partition("{}")[2].strip("* :") in texts(app)
    assert do(app, "group_model_categories").title[0].value == translate("page.train")


def test_a_part_of_the_log_has_no_groups(open_page: OPEN, explored: Path) -> None:
    app = clicked(open_page, explored, "categories", 0)
    assert app.text_input
    version = cube_of(explored).version
    do(app, (f"explore_period_shop_{version}", "days90"))
    assert not app.text_input and len(app.get("plotly_chart")) == 1
    assert translate("explore.group.part") in [str(item.help) for item in app.markdown]


def test_a_viewer_may_open_a_group_and_not_save_it(open_page: OPEN, own: Path, sign_in: SIGN_IN) -> None:
    sign_in("bo@shop.example")
    app = clicked(open_page, own, "funnel", 1)
    assert app.button(key="group_save_funnel").disabled and not app.button(key="group_show_funnel").disabled
    assert not saved_rules(open_dataset(Workspace(own), "shop"))


def test_a_customers_table_that_has_a_column_of_the_rule_has_no_such_group(open_page: OPEN, own: Path) -> None:
    work = Workspace(own)
    scored = Scored.open(work, "shop", list_bundles(work)[0].id)
    people = scored.scores(NoProgress())[["customer_id"]].assign(views=7)
    people.to_csv(own / "people.csv", index=False)
    add_customers(work, "shop", own / "people.csv", Roles(static=["views"]), progress=NoProgress())
    Scored.open(work, "shop", scored.model.id).scores(NoProgress())
    build_cube(work, "shop", NoProgress())
    app = clicked(open_page, own, "funnel", 1)
    assert translate("explore.group.none") in texts(app) and not app.text_input


def test_the_last_point_that_was_clicked_is_kept_until_none_is(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {"bars": {"selection": {"points": [{"point_index": 3}]}}}
    monkeypatch.setattr(groups.st, "session_state", state)
    groups.pick("bars", "place")
    assert state["place"] == 3
    state["bars"]["selection"]["points"] = []
    groups.pick("bars", "place")
    assert state["place"] is None
