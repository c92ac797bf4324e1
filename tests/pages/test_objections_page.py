"""Objections on the pages: put on the list, counted where parts are shown, and nothing else said of who objected."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, do, texts


def scored(root: Path) -> Scored:
    return Scored.open(Workspace(root), "shop", list_bundles(Workspace(root))[0].id)


def best(root: Path, count: int) -> list[str]:
    return [str(one) for one in scored(root).scores(NoProgress()).nlargest(count, "predicted_clv")["customer_id"]]


@pytest.mark.parametrize("state", ["empty", "with_dataset", "with_model"], indirect=True)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_list_opens_in_every_state(open_page: OPEN, state: Path, lang: str) -> None:
    app = open_page(state, "privacy", lang=lang)
    app.session_state["privacy_what"] = "objections"
    app.run()
    assert not app.error and not app.exception and app.button(key="objections_remove").disabled


def test_objections_are_typed_or_sent_as_a_file_and_withdrawn(open_page: OPEN, root: Path) -> None:
    one, other, third = best(root, 3)
    app = open_page(root, "privacy", lang="en")
    app.session_state["privacy_what"] = "objections"
    app.run()
    table = f"customer_id,reason\n{other},by letter\n"
    app.file_uploader(key="objections_file_0").set_value([("letters.csv", table.encode(), "text/csv")]).run()
    do(app, ("objections_ids_0", f"{one}\nnobody-here"), "objections_add")
    assert any("3 entries, 2 matching customers, 1 unmatched" in item.value for item in app.success)
    held = objection_list(Workspace(root))
    assert held.holds(one) and held.holds(other) and not held.holds(third)
    events = pd.read_parquet(open_dataset(Workspace(root), "shop").events_path)
    money = events[events["event_type"].isin(["purchase", "return"])].set_index("customer_id")["amount"]
    left_out, models = (frame.value for frame in app.dataframe)
    assert left_out.iloc[0].tolist()[:2] == ["shop", 2]
    assert f"{money.loc[[one, other]].sum():,.0f}" in str(left_out.iloc[0, 2])
    assert models.iloc[0, -1] == 2 and len(models) == 1
    assert "1 model was trained with customers who objected since." in texts(app)
    do(app, ("objections_ids_1", one), "objections_remove")
    assert objection_list(Workspace(root)).holds(one)  # until it is confirmed
    do(app, "confirm")
    assert not objection_list(Workspace(root)).holds(one)
    assert not list(root.glob("uploads/once-*"))


def test_pages_of_parts_count_who_objected_in_one_line_and_name_the_model_to_retrain(
    open_page: OPEN, root: Path
) -> None:
    hidden, everyone = best(root, 4), len(scored(root).scores(NoProgress()))
    objection_list(Workspace(root)).add(hidden)
    assert len(scored(root).scores(NoProgress())) == everyone - len(hidden)
    for page in ("home", "segments", "exports", "strategy"):
        app = open_page(root, page, lang="en")
        assert not app.error and not app.exception, page
        (line,) = [item.value for item in app.caption if "objected to profiling: not scored" in item.value]
        assert line.startswith("4 customers objected")
        assert not any(customer in texts(app) for customer in hidden)
        assert page == "home" or any("trained with 4 customers who objected" in item.value for item in app.warning)
    app = open_page(root, "models", lang="en")
    assert any("Version 1: trained with customers who objected" in item.value for item in app.warning)
    for page in ("explore", "datasets"):
        assert "objected" not in texts(open_page(root, page, lang="en"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_card_of_who_objected_says_only_that(open_page: OPEN, root: Path, lang: str) -> None:
    hidden, other = best(root, 2)
    objection_list(Workspace(root)).add([hidden])
    scored(root).scores(NoProgress())
    app = open_page(root, "customer", lang=lang)
    assert not app.error and hidden not in texts(app)  # the first card is of another
    app.text_input(key="card_search").input(hidden).run()
    assert not app.error and not app.metric and not app.dataframe
    (notice,) = [item.value for item in app.header if hidden in item.value]
    assert ("objected to profiling" if lang == "en" else "已反对画像") in notice
    app.text_input(key="card_search").input(other).run()
    assert not app.error and app.metric
