"""Charts and messages of the explore page: what is not there stays empty, what is incomplete says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv_core.features.explore.key_figures import Concentration
from clv_core.i18n import translate
from clv_core.plot import drawing
from pages.ui.charts import behaviour
from pages.ui.explore import chart_sections, messages

MESSAGE = "What the chart shows"
MONTHS = pd.DataFrame(
    {
        "bucket": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01"]),
        "label": list("abcde"),
        "complete": [True, True, True, True, False],
        "net": [10.0, 20.0, 30.0, 30.0, 5.0],
        "buyers": [40, 40, 40, 40, 10],
        "known_buyers": [0, 10, 20, 30, 10],
        "known_rate": [0.0, 0.25, 0.5, 0.75, 1.0],
    }
)


def test_incomplete_month_is_pale_and_named() -> None:
    whole, part = behaviour.revenue_bars(MONTHS, MESSAGE, unit="EUR", time_unit="month").figure.data
    assert list(whole.y) == [10, 20, 30, 30] and list(part.y) == [5]
    assert part.opacity < 0.5 and part.name == translate("chart.incomplete")
    assert whole.marker.color == part.marker.color == drawing.HISTORY


def test_lines_of_people_end_with_the_last_complete_month() -> None:
    lines = behaviour.people_lines(MONTHS, MESSAGE, kinds=["buyers", "known_buyers"], time_unit="month").figure.data
    assert [len(line.x) for line in lines] == [4, 4]


def test_cell_without_a_value_is_empty_and_not_zero() -> None:
    values = pd.DataFrame({1: [0.5, 0.0], 2: [0.25, np.nan]}, index=["Jan", "Feb"])
    texts = behaviour.shares_text(values)
    drawn = behaviour.heat_map(values, texts, texts, MESSAGE, axes=("Months", "Cohort")).figure.data[0]
    assert np.isnan(drawn.z[1][1]) and drawn.z[1][0] == 0
    assert drawn.text[1].tolist() == ["0%", ""] and not drawn.hoverongaps


def test_a_map_that_may_be_clicked_has_a_point_on_each_cell_with_a_value_row_by_row() -> None:
    values = pd.DataFrame({1: [0.5, 0.0], 2: [0.25, np.nan]}, index=["Jan", "Feb"])
    texts = behaviour.shares_text(values)
    points = behaviour.heat_map(values, texts, texts, MESSAGE, axes=("Months", "Cohort"), clicked=True).figure.data[1]
    assert [*zip(points.x, points.y, strict=True)] == [("1", "Jan"), ("2", "Jan"), ("1", "Feb"), ("2", None)]
    assert [text for (text,) in points.customdata] == ["50%", "25%", "0%", ""]


def test_gaps_are_binned_without_losing_any_but_the_last_hundredth() -> None:
    waits = pd.DataFrame({"days": [1, 2, 50, 80, 400], "returned": [50, 30, 15, 4, 1], "waiting": 0})
    bins = chart_sections._binned(waits)
    assert bins["count"].sum() == 99 and (bins["high"] - bins["low"]).nunique() == 1
    assert bins["low"].iloc[0] == 1 and bins["high"].iloc[-1] >= 80


@pytest.mark.parametrize(
    ("net", "key"),
    [([10, 20, 30, 30, 5], "rose"), ([30, 30, 20, 10, 50], "fell"), ([10, 10, 10, 10, 0], "steady"), ([1, 2], "total")],
)
def test_message_of_revenue_compares_complete_months_only(net: list[float], key: str) -> None:
    table = MONTHS.iloc[-len(net) :].assign(net=np.array(net, float))
    sentence = translate(f"explore.revenue.{key}", change="100%" if key == "rose" else "50%", total=f"{sum(net)} EUR")
    assert messages.revenue(table, "EUR") == sentence


def test_message_of_people_is_about_the_last_complete_month() -> None:
    assert messages.people(MONTHS, "month") == translate("explore.people", when="Apr 2024", share="75%")


def test_message_of_people_is_not_about_a_handful_of_buyers() -> None:
    quiet = MONTHS.assign(buyers=[40, 40, 2, 0, 1])
    assert messages.people(quiet, "month") == translate("explore.people", when="Feb 2024", share="25%")
    assert messages.people(MONTHS.assign(buyers=2), "month") == translate("explore.people.short")


def test_message_of_the_funnel_does_not_say_that_only_those_bought_who_used_the_cart() -> None:
    """Of ten who looked one used the cart and bought, and eight bought without a cart."""
    steps = pd.DataFrame({"step": ["view", "cart", "purchase"], "share": [1.0, 0.1, 0.1]})
    assert messages.way(steps) == "Of viewers, 10% added to cart, 10% also bought"
    assert messages.way(steps.iloc[[0, 2]]) == "Of viewers, 10% bought"


def test_message_of_who_comes_back_takes_the_longest_span_that_was_seen() -> None:
    first = pd.DataFrame({"after": "first", "days": range(100), "share": np.arange(100) / 200})
    later = first.assign(after="later", share=np.arange(100) / 100)
    both = translate("explore.back", days=90, first="45%", later="90%")
    assert messages.back(pd.concat([first, later])) == both
    assert messages.back(pd.concat([first, later])[lambda frame: frame["days"] < 60]) == translate(
        "explore.back", days=30, first="15%", later="30%"
    )
    assert messages.back(later) == translate("explore.back.later", days=90, later="90%")
    assert messages.back(first[first["days"] < 9]) == translate("explore.back.short")


def test_message_of_concentration_says_both_figures() -> None:
    held = Concentration(pd.DataFrame(), gini=0.634, top10=0.509, buyers=10)
    assert messages.held_by_few(held) == translate("explore.held", share="51%", gini="0.63")


def test_what_sells_best_is_named_as_it_is_and_cut_where_it_is_long() -> None:
    table = pd.DataFrame(
        {"category": ["**A** $1$" + "x" * 200], "others": [0], "share": [0.5], "return_rate": [np.nan]}
    )
    assert messages.sold(table).startswith("**A** $1$xxx") and len(messages.sold(table)) < 110
