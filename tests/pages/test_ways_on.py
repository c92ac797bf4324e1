"""Every result page leads on to what is done with its result."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.i18n import translate
from pages.ui.navigation import SEARCH, STRATEGY_PART
from tests.pages.conftest import OPEN, do


def test_explain_opens_the_card_of_the_customer_who_is_explained(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "explain", lang="en")
    customer = app.selectbox(key="explain_customer").value
    app.button(key="explain_card").click().run()
    assert app.title[0].value == translate("page.customer") and app.text_input(key=SEARCH).value == customer


def test_segments_lead_to_their_budget(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "home", lang="en")
    app.session_state[STRATEGY_PART] = "price"
    app.switch_page("act/segments.py").run().button(key="to_budget").click().run()
    assert app.title[0].value == translate("page.strategy")
    assert app.segmented_control(key=STRATEGY_PART).value == "budget"


@pytest.mark.parametrize(
    ("page", "key", "to"), [("evaluate", "to_tuning", "train"), ("strategy", "to_report", "report")]
)
def test_a_result_leads_to_what_comes_of_it(open_page: OPEN, with_model: Path, page: str, key: str, to: str) -> None:
    app = do(open_page(with_model, page, lang="en"), key)
    assert app.title[0].value == translate(f"page.{to}")


def test_the_search_for_better_settings_is_unfolded_where_it_was_asked_for(open_page: OPEN, with_model: Path) -> None:
    def unfolded(app: AppTest) -> bool:
        return next(one.proto.expanded for one in app.expander if one.label == translate("tune.title"))

    assert not unfolded(open_page(with_model, "train", lang="en"))
    app = do(open_page(with_model, "evaluate", lang="en"), "to_tuning")
    assert unfolded(app)
