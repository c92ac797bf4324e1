"""Every function that draws: from no row, from one and from many, in every language, with an axis that is named."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation.deciles import Thresholds
from clv_core.i18n import LANGUAGES
from clv_core.plot import evaluation, explanations, purchase_models
from clv_core.plot.drawing import Chart
from clv_core.plot.evaluation import FIGURES, Holdout
from clv_core.strategy.customer.next_order import CUMULATIVE, DAY, NET_VALUE, PURCHASED
from clv_core.strategy.plans.allocation import Curve
from pages.ui import session
from pages.ui.charts import acquiring, advising, behaviour, following, placing

MODULES = (evaluation, explanations, purchase_models, acquiring, advising, behaviour, following, placing)
"""``pages/ui/charts`` and what Python users draw; ``clv_core/plot/reasons.py`` draws by ``explanations``."""
MESSAGE = "What the chart shows"
COURSE = ("actual", "expected", "low", "high")
Rows = Callable[[int], Any]


def charts_of(module: ModuleType) -> dict[str, Callable[..., Chart]]:
    """Return the functions of a module that draw, by their names behind the module's."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": one
        for name, one in vars(module).items()
        if inspect.isfunction(one)
        and one.__module__ == module.__name__
        and one.__annotations__.get("return") == "Chart"
    }


CHARTS = {name: one for module in MODULES for name, one in charts_of(module).items()}


def names(n: int) -> list[str]:
    return [f"Group {at}" for at in range(n)]


def upward(n: int, first: float = 1.0) -> list[float]:
    return [first + 3.5 * at for at in range(n)]


def shares(n: int) -> list[float]:
    return [(at + 1) / (n + 1) for at in range(n)]


def worths(n: int) -> pd.DataFrame:
    worth = {"ltv": upward(n, 9), "ltv_low": upward(n, 5), "ltv_high": upward(n, 14)}
    return pd.DataFrame({"name": names(n), "customers": range(10, 10 + n), "cac": upward(n, 4), **worth})


def buckets(n: int) -> pd.DataFrame:
    made = {"bucket": pd.date_range("2024-01-01", periods=n, freq="MS"), "label": names(n), "complete": [True] * n}
    figures = {"net": upward(n), "customers": range(9, 9 + n), "buyers": range(5, 5 + n), "mean": shares(n)}
    return pd.DataFrame({**made, **figures, "ratings": range(n)})


def holdout(n: int) -> Holdout:
    rows = pd.DataFrame(
        {"p_purchase": shares(n), "predicted_clv": upward(n), "actual": [4.0 * (at % 2) for at in range(n)]}
    )
    return Holdout("hybrid", rows, "bgnbd", rows.assign(predicted_clv=upward(n, 2)), "EUR")


def both(n: int) -> pd.DataFrame:
    return pd.DataFrame({"actual": upward(n), "expected": upward(n, 2)})


def gained(n: int) -> pd.DataFrame:
    ends = {"gain": upward(n), "low": upward(n, -4), "high": upward(n, 9)}
    return pd.DataFrame({"name": names(n), **ends, "is_final": [at % 2 == 0 for at in range(n)]})


def reasons(n: int) -> pd.DataFrame:
    effect = [(-1) ** at * (at + 1.0) for at in range(n)]
    return pd.DataFrame({"label": names(n), "strength": upward(n), "effect": effect, "difference": effect})


def card(n: int) -> Any:
    days = pd.DataFrame(
        {
            DAY: pd.date_range("2024-01-01", periods=n, freq="30D"),
            CUMULATIVE: np.cumsum(upward(n)),
            NET_VALUE: upward(n),
            PURCHASED: np.ones(n, bool),
        }
    )
    totals = {"historic": float(np.sum(upward(n))), "total": 90.0, "total_low": 50.0, "total_high": 200.0}
    return SimpleNamespace(history=SimpleNamespace(days=days), as_of=date(2024, 12, 1), horizon_days=90, **totals)


def heat(n: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    values = pd.DataFrame(np.arange(n * 3).reshape(n, 3) / 9, index=names(n), columns=["a", "b", "c"])
    return values, values.map("{:.1f}".format), values.map("cell {:.1f}".format)


def spans(n: int) -> pd.DataFrame:
    begin = [f"2024-{at + 1:02}-01" for at in range(n)]
    return pd.DataFrame(
        {"begin": begin, "found": upward(n), "low": upward(n, 0), "high": upward(n, 5), "alert": [False] * n}
    )


def weeks(n: int) -> pd.DataFrame:
    begin = pd.date_range("2024-01-01", periods=n + 1, freq="7D").strftime("%Y-%m-%d")
    figures = {"known": upward(n), "won": upward(n), "total": upward(n, 2), "low": upward(n, 0), "high": upward(n, 9)}
    return pd.DataFrame({"first": begin[:-1], "until": begin[1:], **figures})


def curve(n: int) -> pd.DataFrame:
    return pd.DataFrame({"share_of_customers": shares(n), "share_of_value": shares(n), "share_of_buyers": shares(n)})


EXAMPLES: dict[str, Callable[[int], Chart]] = {
    "evaluation.decile_chart": lambda n: evaluation.decile_chart(
        pd.DataFrame(
            {
                "decile": range(1, n + 1),
                "predicted_mean": upward(n),
                "actual_mean": upward(n, 2),
                "baseline_mean": upward(n, 90),
            }
        ),
        MESSAGE,
        unit="EUR",
        baseline_name="BG/NBD",
    ),
    "evaluation.gain_curve": lambda n: evaluation.gain_curve({"Hybrid": curve(n), "actual": curve(n)}, MESSAGE),
    "evaluation.predicted_against_actual": lambda n: evaluation.predicted_against_actual(
        upward(n), upward(n, 2), MESSAGE, unit="EUR"
    ),
    "evaluation.distribution": lambda n: evaluation.distribution(
        {"predicted": upward(n), "actual": upward(n)}, MESSAGE, axis="Value", wide=True
    ),
    "evaluation.loss_history": lambda n: evaluation.loss_history(
        pd.DataFrame({"step": range(n), "loss": upward(n), "seed": [at % 2 for at in range(n)]}), height=260
    ),
    "evaluation.threshold_chart": lambda n: evaluation.threshold_chart(
        Thresholds.of(np.arange(n) % 2 == 0, np.array(shares(n))).table()
        if n
        else pd.DataFrame(columns=["threshold", "precision", "recall", "f1"]),
        0.5,
        MESSAGE,
    ),
    **{f"evaluation.{name}": lambda n, draw=draw: draw(holdout(n)) for name, draw in FIGURES.items()},
    "explanations.reason_bars": lambda n: explanations.reason_bars(reasons(n), MESSAGE, unit="EUR"),
    "explanations.beeswarm": lambda n: explanations.beeswarm(
        reasons(n).assign(level=shares(n)), MESSAGE, axis="Effect"
    ),
    "explanations.waterfall": lambda n: explanations.waterfall(
        reasons(n), MESSAGE, start=("Average", 20.0), end="Sum", unit="EUR"
    ),
    "explanations.tier_bars": lambda n: explanations.tier_bars(
        pd.DataFrame({"tier_label": names(n), "share_of_customers": shares(n), "share_of_value": shares(n)}), MESSAGE
    ),
    "explanations.dependence": lambda n: explanations.dependence(
        pd.DataFrame({"reading": upward(n), "effect": reasons(n)["effect"], "other": shares(n)}),
        MESSAGE,
        reading="Spend",
        axis="Effect",
        other="Views",
    ),
    "explanations.difference_bars": lambda n: explanations.difference_bars(reasons(n), MESSAGE, unit="EUR"),
    "explanations.event_heat": lambda n: explanations.event_heat(
        pd.DataFrame(np.ones((2, n)), index=["When", "What"]), names(n), MESSAGE, unit="EUR"
    ),
    "purchase_models.matrix": lambda n: purchase_models.matrix(
        pd.DataFrame(np.ones((n, n)), range(n), range(n)), MESSAGE, key=GIVEN[0], unit="days"
    ),
    "purchase_models.tracking": lambda n: purchase_models.tracking(
        both(n).assign(until=pd.date_range("2024-01-07", periods=n, freq="7D")).set_index("until"),
        MESSAGE,
        is_cumulative=False,
        fitted_until=date(2024, 1, 14),
    ),
    "purchase_models.frequency_bars": lambda n: purchase_models.frequency_bars(both(n), MESSAGE),
    "purchase_models.holdout_lines": lambda n: purchase_models.holdout_lines(both(n).assign(customers=9), MESSAGE),
    "purchase_models.history_line": lambda n: purchase_models.history_line(
        pd.DataFrame({"alive": shares(n), "purchases": [1] * n}, pd.date_range("2024-01-01", periods=n, freq="D")),
        MESSAGE,
    ),
    "acquiring.ratio_points": lambda n: acquiring.ratio_points(worths(n), 3.0, MESSAGE, unit="EUR"),
    "acquiring.worth": lambda n: acquiring.worth(worths(n), MESSAGE, unit="EUR"),
    "acquiring.payback": lambda n: acquiring.payback(
        pd.DataFrame(
            {
                "name": ["a"] * n,
                "month": range(1, n + 1),
                "value": shares(n),
                "observed": [1.0 - share for share in shares(n)],
            }
        ),
        MESSAGE,
        unit="",
    ),
    "acquiring.cohorts": lambda n: acquiring.cohorts(
        worths(n).assign(cohort=[f"2024-{at + 1:02}" for at in range(n)], enough=[True] * n), "ltv", MESSAGE
    ),
    "advising.price_levels": lambda n: advising.price_levels(
        pd.DataFrame({"name": names(n), "level": shares(n)}), MESSAGE
    ),
    "advising.responses": lambda n: advising.responses(
        pd.DataFrame(
            {
                "name": names(n),
                "more": shares(n),
                "low": [share - 0.1 for share in shares(n)],
                "high": [share + 0.1 for share in shares(n)],
            }
        ),
        MESSAGE,
        1 / 3,
    ),
    "advising.gain_by_budget": lambda n: advising.gain_by_budget(
        Curve(np.array(upward(n)), np.array(shares(n))), (5.0, 0.5), MESSAGE, unit="EUR", gain="Gain"
    ),
    "advising.campaign_gains": lambda n: advising.campaign_gains(gained(n), MESSAGE, unit="EUR"),
    "advising.detectable": lambda n: advising.detectable(
        pd.DataFrame(
            {"group": range(n), "name": names(n), "customers": range(n), "effect": upward(n), "share": shares(n)}
        ),
        MESSAGE,
        unit="EUR",
    ),
    "behaviour.heat_map": lambda n: behaviour.heat_map(*heat(n), MESSAGE, axes=("Age", "Cohort")),
    "behaviour.cohort_curves": lambda n: behaviour.cohort_curves(
        pd.DataFrame({"cohort": [at % 2 for at in range(n)], "age": range(n), "per_customer": upward(n)}),
        pd.DataFrame({"age": range(n), "per_customer": upward(n)}),
        MESSAGE,
        unit="EUR",
        axis="Age",
        names={0: "2024-01", 1: "2024-02"},
    ),
    "behaviour.gap_bars": lambda n: behaviour.gap_bars(
        pd.DataFrame({"low": [7 * at for at in range(n)], "high": [7 * at + 6 for at in range(n)], "count": range(n)}),
        MESSAGE,
        12.0,
    ),
    "behaviour.back_curves": lambda n: behaviour.back_curves(
        pd.DataFrame({"after": ["first"] * n, "days": range(n), "share": shares(n)}), MESSAGE
    ),
    "behaviour.lorenz": lambda n: behaviour.lorenz(curve(n), MESSAGE),
    "behaviour.bars": lambda n: behaviour.bars(
        pd.DataFrame({"label": names(n), "value": upward(n), "text": names(n), "hover": names(n)}),
        MESSAGE,
        axis="Customers",
    ),
    "behaviour.revenue_bars": lambda n: behaviour.revenue_bars(buckets(n), MESSAGE, unit="EUR", time_unit="month"),
    "behaviour.people_lines": lambda n: behaviour.people_lines(
        buckets(n), MESSAGE, kinds=["customers", "buyers"], time_unit="month"
    ),
    "behaviour.rating_line": lambda n: behaviour.rating_line(buckets(n), MESSAGE, time_unit="month"),
    "following.realised_curve": lambda n: following.realised_curve(
        pd.DataFrame(
            {"days": range(n), "realised": upward(n), "expected": upward(n), "low": upward(n, 0), "high": upward(n, 4)}
        ),
        MESSAGE,
        unit="EUR",
    ),
    "following.expected_revenue": lambda n: following.expected_revenue(weeks(n), MESSAGE, unit="EUR", monthly=n == 1),
    "following.daily_course": lambda n: following.daily_course(
        pd.DataFrame({"day": pd.date_range("2024-01-01", periods=n), **{name: upward(n) for name in COURSE}}),
        [(date(2024, 1, 1), date(2024, 1, 2))],
        MESSAGE,
        axis="Revenue, EUR",
    ),
    "following.expected_units": lambda n: following.expected_units(
        weeks(n).assign(units=upward(n)), weeks(n).assign(expected=upward(n, 2)), MESSAGE
    ),
    "following.series": lambda n: following.series(spans(n), spans(n), MESSAGE, axis="Share", share=False),
    "placing.quadrant": lambda n: placing.quadrant(
        pd.DataFrame(
            {"risk": shares(n), "value": upward(n), "place": [at % 4 for at in range(n)], "customer_id": names(n)}
        ),
        (0.5, 4.0),
        list("abcd"),
        MESSAGE,
        axis="Value",
    ),
    "placing.matrix": lambda n: placing.matrix(np.full((n, n), 3), names(n), names(n), MESSAGE, axes=("Now", "Then")),
    "placing.realised_bars": lambda n: placing.realised_bars(
        pd.DataFrame(
            {"name": names(n), "predicted": upward(n), "low": upward(n, 0), "high": upward(n, 5), "actual": upward(n)}
        ),
        MESSAGE,
        unit="EUR",
    ),
    "placing.grid": lambda n: placing.grid(np.full((5, 5), n), [["cell"] * 5] * 5, MESSAGE),
    "following.history_line": lambda n: following.history_line(card(n), MESSAGE, unit="EUR"),
}
"""Each chart of so many rows: groups, days, customers or cells."""


def test_every_chart_has_an_example() -> None:
    assert set(EXAMPLES) == set(CHARTS), "a chart that is new has rows for it here"


def said(chart: Chart) -> list[str]:
    """Return the words of a chart that are not those of its rows: titles, names of traces, notes."""
    layout, traces = chart.figure.layout, chart.figure.data
    titles = [layout.xaxis.title.text, layout.yaxis.title.text, *(note.text for note in layout.annotations)]
    return [text for text in (*titles, *(trace.name for trace in traces)) if text]


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_from_any_number_of_rows_in_every_language(
    name: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHARTS[name].__doc__
    words: dict[str, list[str]] = {}
    for language in LANGUAGES:
        monkeypatch.setattr(session, "language", lambda language=language: language)
        chart = EXAMPLES[name](rows)
        layout, words[language] = chart.figure.layout, said(chart)
        assert chart.message and layout.title.text is None and layout.height
        keys = [trace.colorbar.title.text for trace in chart.figure.data if trace.type == "heatmap"]
        assert layout.xaxis.title.text or layout.yaxis.title.text or any(keys), "an axis, or the key of colours"
        texts = [*words[language], *(layout.xaxis.ticktext or ()), *(layout.yaxis.ticktext or ())]
        assert not [text for text in texts if re.search(r"\bnan\b|None|\{\w*\}", str(text))]
        for axis in (layout.xaxis, layout.yaxis):
            assert axis.range is None or np.isfinite(np.array(axis.range, float)).all() or axis.type == "date"
        json.loads(chart.figure.to_json())
    assert words["en"] != words["zh"] or not any(re.search("[a-z]", text) for text in words["en"] if text not in GIVEN)


GIVEN = (
    "Value",
    "Effect",
    "Spend",
    "Age",
    "Cohort",
    "Customers",
    "Share",
    "Now",
    "Then",
    "Gain",
    "Hybrid",
    "BG/NBD",
    *"abcd",
)
"""Words that the examples hand over."""
