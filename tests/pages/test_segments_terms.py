"""Other horizons, a discount and a margin on the segments page: what is shown and written is what ``score`` says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.dataset_scoring import score_customers
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.terms import Terms
from clv_core.i18n import say_money, translate
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from pages.ui import scores, tiers
from pages.ui.page_files import file_name
from tests.pages.conftest import OPEN, do

HORIZON = "terms_horizon_90"
RANGE = re.compile(r"\d to \d")


def total(root: Path, terms: Terms) -> float:
    """Return what the customers are worth together, worked out without leaving anything in the workspace."""
    work = Workspace(root)
    frame = score_customers(list_bundles(work)[0], open_dataset(work, "shop"), terms=terms, progress=NoProgress())
    return float(frame["predicted_clv"].sum())


def opened(open_page: OPEN, root: Path, horizon: object) -> AppTest:
    """In English: the control of the test words its options so, whatever the page speaks."""
    app = do(open_page(root, "segments", lang="en"), (HORIZON, horizon))
    return app


def test_another_horizon_says_what_score_says_and_that_it_was_not_measured(open_page: OPEN, with_model: Path) -> None:
    app = opened(open_page, with_model, 365)
    assert say_money(total(with_model, Terms(365)), "EUR") in app.header[0].value
    assert "next 365 days" in app.caption[0].value
    assert translate("warning.other_horizon", "en", days=365, trained=90) in app.caption[0].value


def test_where_sums_have_no_range_it_is_said(open_page: OPEN, with_model: Path) -> None:
    said = translate("segments.no_ranges", "en", trained=90)
    trained = open_page(with_model, "segments", lang="en")
    assert said not in trained.caption[0].value and RANGE.search(trained.header[0].value)
    for horizon in (365, "lifetime"):
        app = opened(open_page, with_model, horizon)
        assert said in app.caption[0].value and not RANGE.search(app.header[0].value)


def test_lifetime_is_five_years_that_can_be_changed_and_are_stated(open_page: OPEN, with_model: Path) -> None:
    app = do(opened(open_page, with_model, "lifetime"), ("terms_rate", 10.0))
    assert app.number_input(key="terms_years").value == 5 and "In 5 years" in app.header[0].value
    assert Terms.of("lifetime", 90, 0.1).warnings(90)[0].text("en") in app.caption[0].value
    do(app, ("terms_years", 8))
    assert say_money(total(with_model, Terms.of("lifetime:8", 90, 0.1)), "") in app.header[0].value
    assert "In 8 years" in app.header[0].value


def test_margin_scales_the_total_and_a_custom_horizon_is_taken(open_page: OPEN, with_model: Path) -> None:
    app = do(opened(open_page, with_model, "custom"), ("terms_days", 45), ("terms_margin", 30.0))
    assert say_money(0.3 * total(with_model, Terms(45)), "EUR") in app.header[0].value
    assert translate("terms.said.margin", "en", margin="30%") in app.caption[0].value


def test_the_list_names_horizon_rate_and_margin_in_its_name_and_side_file(with_model: Path) -> None:
    bundle, dataset = list_bundles(Workspace(with_model))[0], open_dataset(Workspace(with_model), "shop")
    terms = Terms.of("lifetime", 90, 0.1, 0.3)
    name = file_name(bundle, "tier1", dataset.log_end, "csv", terms)
    assert name == f"shop_tier1_{dataset.log_end}_lifetime5y-r10-m30.csv"
    assert f"_{90}d." in file_name(bundle, "tier1", dataset.log_end, "csv")
    side = tiers.side(Scored.of(Workspace(with_model), dataset, bundle, terms))
    assert (side.lifetime, side.discount_rate, side.margin_rate) == (True, 0.1, 0.3)
    assert side.horizon_days == terms.horizon_days and side.assumptions[0].code == "lifetime"


def test_many_customers_are_a_run_of_their_own(
    open_page: OPEN, with_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "IN_PAGE", 10)
    app = opened(open_page, with_model, 180)
    assert any(translate("job.cancel", "en") == button.label for button in app.button)
