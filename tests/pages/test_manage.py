"""Datasets combined, renamed and deleted for good from their page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import list_datasets, open_dataset
from clv_core.i18n import catalogue, translate
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, do, really, texts

pytestmark = pytest.mark.first(4)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A workspace with the datasets ``spring`` and ``summer``, which share five rows."""
    root = tmp_path / "workspace"
    rows = [f"C{n % 20:02},2024-{3 + n // 50:02}-{1 + n % 28:02} 10:{n % 60:02},{5 + n % 30}.5" for n in range(100)]
    for name, part in {"spring": rows[:55], "summer": rows[50:]}.items():
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join(["customer_id,event_time,amount", *part]))
        ingest(Workspace(root), file, name)
    return root


def section(root: Path, open_page: OPEN, what: str) -> AppTest:
    app = do(open_page(root, "datasets", lang="en", dataset="spring"), ("datasets_what", what))
    assert not app.error
    return app


def test_what_still_holds_ids_is_named_in_a_list_each_line_of_which_begins_alike() -> None:
    lines = [text for key, text in catalogue("en").items() if key.startswith("holds.")]
    assert len(lines) > 3 and all(text[0].isupper() for text in lines)


def test_two_datasets_become_a_third(open_page: OPEN, two: Path) -> None:
    app = section(two, open_page, "combine")
    app.multiselect(key="combine_names").set_value(["spring", "summer"])
    app.text_input(key="combine_new").set_value("year")
    app.form_submit_button[0].click().run()
    really(two, "combine")
    app.run()
    assert open_dataset(Workspace(two), "year").manifest.rows_kept == 100
    assert {item.name for item in list_datasets(Workspace(two))} == {"spring", "summer", "year"}
    assert translate("manage.combine.done", name="year", rows="100") in texts(app)
    assert app.selectbox(key="dataset").value == "year"


def test_a_name_that_is_taken_is_refused_before_a_run_takes_the_choice_away(open_page: OPEN, two: Path) -> None:
    app = section(two, open_page, "combine")
    app.multiselect(key="combine_names").set_value(["spring", "summer"])
    app.text_input(key="combine_new").set_value("summer ")
    app.form_submit_button[0].click().run()
    assert translate("error.combine_name_taken", new="summer") in app.error[0].value
    assert jobs.jobs(Workspace(two), "combine") == []
    assert app.multiselect(key="combine_names").value == ["spring", "summer"]


def test_one_dataset_alone_is_not_combined(open_page: OPEN, two: Path) -> None:
    app = section(two, open_page, "combine")
    app.text_input(key="combine_new").set_value("year")
    app.form_submit_button[0].click().run()
    assert translate("combine.two") in texts(app) and jobs.jobs(Workspace(two), "combine") == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_dataset_is_told_what_its_amounts_are_in(open_page: OPEN, two: Path, lang: str) -> None:
    app = do(open_page(two, "datasets", lang=lang, dataset="spring"), ("datasets_what", "manage"))
    version = open_dataset(Workspace(two), "spring").version
    app.text_input(key=f"currency_spring_{version}").set_value("EUR")
    next(one for one in app.button if one.label == translate("manage.currency.button", lang)).click().run()
    assert not app.error
    assert open_dataset(Workspace(two), "spring").manifest.currency == "EUR"
    assert translate("manage.currency.done", lang, name="spring", currency="EUR") in texts(app)
    assert " EUR" in app.header[0].value
    assert open_dataset(Workspace(two), "summer").manifest.currency == ""


def test_a_dataset_gets_another_name(open_page: OPEN, two: Path) -> None:
    app = section(two, open_page, "manage")
    app.text_input(key="new_name_spring").set_value("Spring 2024").run()
    do(app, "rename")
    assert translate("manage.rename.why", name="spring", new="Spring 2024") in texts(app)
    do(app, "confirm")
    really(two, "rename")
    app.run()
    assert {item.name for item in list_datasets(Workspace(two))} == {"Spring 2024", "summer"}
    assert app.selectbox(key="dataset").value == "Spring 2024" and app.success


def test_a_name_that_cannot_be_one_is_refused_in_words(open_page: OPEN, two: Path) -> None:
    app = section(two, open_page, "manage")
    app.text_input(key="new_name_spring").set_value("../spring").run()
    assert len(app.error) == 1 and app.button(key="rename").disabled


def test_deleting_says_what_goes_and_needs_the_name_typed(open_page: OPEN, two: Path) -> None:
    app = do(section(two, open_page, "manage"), "delete_for_good")
    assert texts(app).count(translate("manage.delete.why")) == 2, "on the page, and in the dialog"
    assert do(app, ("confirm_typed", "sprin")).button(key="confirm").disabled
    do(app, ("confirm_typed", "spring"), "confirm")
    really(two, "delete")
    app.run()
    assert [item.name for item in list_datasets(Workspace(two))] == ["summer"]
    assert translate("manage.delete.done", name="spring") in texts(app)
    assert app.selectbox(key="dataset").value == "summer"
