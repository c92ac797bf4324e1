"""The groups of an experiment, drawn on the strategy page: who is in which, and what they would show."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.i18n import translate
from clv_core.strategy.experiments.randomized_experiment import read_experiment
from tests.pages.conftest import OPEN, Offered, do, enter_effects, press, table_of, texts


def opened(app: AppTest) -> AppTest:
    """Open the section: shut, it draws nothing."""
    app.session_state["draw_open"] = True
    return app.run()


def test_groups_are_of_the_plans_customers_and_can_be_measured_afterwards(
    open_page: OPEN, root: Path, offered: Offered, tmp_path: Path
) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    assert not any(one.key == "draw_offer" for one in app.selectbox) and "download_draw_csv" not in offered
    app = opened(app)
    assert not app.error
    box = app.selectbox(key="draw_offer")
    offer = box.options[box.index]
    plan = table_of(offered["download_plan_csv"])
    rows = table_of(offered["download_draw_csv"])
    assert set(rows["customer_id"]) == set(plan.loc[plan["offer"] == offer, "customer_id"])
    counts = rows["group"].value_counts()
    said = {"offer": offer, "treated": f"{counts['offer']:,}", "control": f"{counts['control']:,}"}
    assert translate("budget.draw.groups", "en", **said) in texts(app)
    side = json.loads(press(offered["download_draw_side"]))
    assert side["settings"] == {"offer": offer, "control_share": 0.5, "start": side["cutoff"]}
    (tmp_path / "groups.csv").write_bytes(press(offered["download_draw_csv"]))
    assert read_experiment(tmp_path / "groups.csv")["treated"].sum() == counts["offer"]


def test_the_draw_is_the_same_in_both_languages_and_another_for_another_day(
    open_page: OPEN, root: Path, offered: Offered
) -> None:
    enter_effects(root)
    opened(open_page(root, "strategy", lang="zh"))
    chinese = table_of(offered["download_draw_csv"])
    app = opened(open_page(root, "strategy", lang="en"))
    pd.testing.assert_frame_equal(chinese, table_of(offered["download_draw_csv"]))
    assert list(chinese.columns) == ["customer_id", "group", "date"]
    app.date_input(key="draw_start").set_value(pd.Timestamp("2030-01-01").date()).run()
    other = table_of(offered["download_draw_csv"])
    assert set(other["date"]) == {"2030-01-01"} and (other["group"] != chinese["group"]).any()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_too_few_customers_are_said_to_be_too_few(open_page: OPEN, root: Path, lang: str) -> None:
    enter_effects(root)
    app = do(opened(open_page(root, "strategy", lang=lang)), ("draw_share", 50))
    half = texts(app)
    shown, few = (translate(f"budget.draw.{key}", lang, fewest=30, days=90, effect="|") for key in ("shows", "few"))
    assert (shown.partition("|")[0] in half) != (few in half)
    app.number_input(key="draw_share").set_value(5).run()
    assert few in texts(app)
