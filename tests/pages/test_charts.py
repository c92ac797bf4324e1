"""Charts say their message, carry units, and give one colour one meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from clv_core.evaluation.deciles import Thresholds, decile_table, gain_curves
from clv_core.features.labels import label
from clv_core.i18n import say_money, say_number, translate
from clv_core.plot import drawing, evaluation, explanations, words
from clv_core.plot.drawing import Wide
from pages.ui import session
from pages.ui.charts import acquiring, following, placing
from pages.ui.explain import overall

MESSAGE = "What the chart shows"
RNG = np.random.default_rng(7)
ACTUAL = np.where(RNG.random(500) < 0.4, RNG.lognormal(3, 1, 500), 0.0)
PREDICTED = RNG.lognormal(2, 1, 500)
P = RNG.random(500)
REASONS = pd.DataFrame(
    {"label": ["Spend", "Silence", "Season"], "strength": [9.0, 4.0, 1.0], "effect": [9.0, -4.0, 1.0]}
)
SWARM = pd.DataFrame(
    {
        "label": np.repeat(REASONS["label"], 40),
        "effect": RNG.normal(0, 5, 120),
        "level": [*RNG.random(80), *[np.nan] * 40],
    }
)
POINTS = pd.DataFrame({"reading": RNG.lognormal(3, 2, 90), "effect": RNG.normal(0, 5, 90), "other": RNG.random(90)})
EVENTS = pd.DataFrame(RNG.normal(0, 3, (3, 20)), index=["When", "What", "All"])
TIERS = pd.DataFrame({"tier_label": ["Top", "Rest"], "share_of_customers": [0.1, 0.9], "share_of_value": [0.6, 0.4]})

CHARTS = {
    "decile_chart": evaluation.decile_chart(
        decile_table(ACTUAL, PREDICTED, baseline=PREDICTED * 2), MESSAGE, unit="EUR", baseline_name="BG/NBD"
    ),
    "gain_curve": evaluation.gain_curve(gain_curves(ACTUAL, {"Hybrid": PREDICTED, "BG/NBD": PREDICTED[::-1]}), MESSAGE),
    "predicted_against_actual": evaluation.predicted_against_actual(ACTUAL, PREDICTED, MESSAGE, unit="EUR"),
    "distribution": evaluation.distribution(
        {"predicted": PREDICTED, "actual": ACTUAL}, MESSAGE, axis="Value, EUR", wide=True
    ),
    "loss_history": evaluation.loss_history(
        pd.DataFrame({"step": [1, 2, 1, 2], "loss": [2.0, 1.0, 2.1, 1.1], "seed": [1, 1, 2, 2]}), height=260
    ),
    "threshold_chart": evaluation.threshold_chart(Thresholds.of(ACTUAL > 0, P).table(), 0.5, MESSAGE),
    "reason_bars": explanations.reason_bars(REASONS, MESSAGE, unit="EUR"),
    "beeswarm": explanations.beeswarm(SWARM, MESSAGE, axis="Effect, EUR"),
    "waterfall": explanations.waterfall(REASONS, MESSAGE, start=("Average", 20.0), end="Predicted", unit="EUR"),
    "dependence": explanations.dependence(POINTS, MESSAGE, reading="Spend", axis="Effect, EUR", other="Views"),
    "difference_bars": explanations.difference_bars(
        REASONS.rename(columns={"effect": "difference"}), MESSAGE, unit="EUR"
    ),
    "tier_bars": explanations.tier_bars(TIERS, MESSAGE),
}
FIGURES = {name: chart.figure for name, chart in CHARTS.items()}


def traces(name: str) -> dict[str, Any]:
    return {trace.name: trace for trace in FIGURES[name].data}


@pytest.mark.parametrize("name", CHARTS)
def test_the_message_stands_beside_the_figure_and_the_value_axis_is_named(name: str) -> None:
    said = translate("chart.loss_message", first=2.05, last=1.05, steps=2) if name == "loss_history" else MESSAGE
    layout = FIGURES[name].layout
    assert CHARTS[name].message == said and layout.title.text is None
    assert layout.xaxis.title.text or layout.yaxis.title.text


def test_axes_of_chances_and_shares_are_in_percent() -> None:
    chances = evaluation.distribution({"not_bought": P, "bought": P}, MESSAGE, axis="Chance").figure
    assert chances.layout.xaxis.tickformat == chances.layout.yaxis.tickformat == ".0%"
    assert FIGURES["distribution"].layout.xaxis.tickformat is None, "amounts have ticks of their own"


def test_names_from_a_log_are_written_letter_by_letter() -> None:
    rows = pd.DataFrame({"tier_label": ["<b>A</b> & co", "$x$ <br> &lt;"], "share_of_customers": 0.5})
    figure = explanations.tier_bars(rows.assign(share_of_value=0.5), MESSAGE).figure
    assert list(figure.data[0].y) == ["&lt;b>A&lt;/b> &amp; co", "$x$ <br> &amp;lt;"]
    hover = drawing.drawn([{"type": "bar", "customdata": rows}], MESSAGE, x={"title": "<i>"}, y={}).figure
    assert hover.data[0].customdata[0, 0] == "&lt;b>A&lt;/b> &amp; co" and hover.layout.xaxis.title.text == "&lt;i>"


def test_names_that_look_like_numbers_or_days_stay_names() -> None:
    rows = pd.DataFrame({"name": ["7", "12", "2024-05", "web"], "ltv": [1.0, 2.0, 3.0, 4.0]})
    rows = rows.assign(ltv_low=rows["ltv"], ltv_high=rows["ltv"], predicted=1.0, low=0.5, high=2.0, actual=1.0)
    worth = acquiring.worth(rows, MESSAGE, unit="EUR").figure.layout
    held = placing.realised_bars(rows, MESSAGE, unit="EUR").figure.layout
    bars = explanations.tier_bars(TIERS.assign(tier_label=["1", "2"]), MESSAGE).figure.layout
    assert {layout.yaxis.type for layout in (worth, held, bars)} == {"category"}
    assert worth.xaxis.type is None
    days = drawing.drawn([{"type": "scatter", "x": pd.to_datetime(["2024-05-01"]), "y": [1]}], MESSAGE, x={}, y={})
    assert days.figure.layout.xaxis.type is None


def test_tiers_of_a_shop_that_is_worth_nothing_are_drawn_by_their_customers() -> None:
    figure = explanations.tier_bars(TIERS.assign(share_of_value=np.nan), MESSAGE).figure
    assert figure.layout.xaxis.range == (0, pytest.approx(0.99)) and list(figure.data[1].text) == ["–", "–"]


def test_long_names_leave_room_for_the_chart() -> None:
    assert words.short(["x" * 200, "x" * 199, "plain"]) == ["x" * 25 + "…", "x" * 25 + "… (2)", "plain"]
    assert words.short(["名" * 99], words.MAX_LOG_LETTERS) == ["名" * 10 + "…"]
    assert (
        words.in_cell("Cannot lose them") == "Cannot lose<br>them" and words.in_cell("潜力忠诚用户") == "潜力忠诚用户"
    )
    long = ["Very high value · Bought very lately", "名" * 20]
    assert words.wrapped(long) == ["Very high value · Bought<br>very lately", f"{'名' * 13}<br>{'名' * 7}"]


def test_predicted_actual_and_baseline_have_their_own_colours_everywhere() -> None:
    decile, gains = traces("decile_chart"), traces("gain_curve")
    assert decile["Predicted"].marker.color == drawing.PREDICTED
    assert decile["Actual"].marker.color == drawing.ACTUAL
    for baseline in (decile["BG/NBD"], gains["BG/NBD"]):
        assert (baseline.line.color, baseline.line.dash) == (drawing.BASELINE, "dash")
    assert gains["Hybrid"].line.color == drawing.PREDICTED
    assert traces("distribution")["Predicted"].marker.color == drawing.PREDICTED
    assert traces("distribution")["Actual"].line.color == drawing.ACTUAL


def test_a_baseline_ten_times_too_high_is_cut_off_and_marked_while_the_bars_decide_the_scale() -> None:
    table = decile_table(ACTUAL, PREDICTED, baseline=PREDICTED * 10)
    chart = evaluation.decile_chart(table, MESSAGE, unit="EUR", baseline_name="BG/NBD").figure
    highest = table[["predicted_mean", "actual_mean"]].to_numpy().max()
    baseline = next(trace for trace in chart.data if trace.name == "BG/NBD")
    too_high = (table["baseline_mean"] > evaluation.CLIP * highest).to_numpy()
    assert 0 < too_high.sum() < len(table)
    assert max(max(trace.y) for trace in chart.data) == pytest.approx(evaluation.CLIP * highest)
    assert list(baseline.marker.symbol) == ["triangle-up" if clipped else "circle" for clipped in too_high]
    [note] = chart.layout.annotations
    height = say_money(table["baseline_mean"].max(), "EUR", "en")
    assert note.text == translate("chart.clipped", "en", name="BG/NBD", value=height)
    assert height in baseline.hovertext[int(table["baseline_mean"].argmax())], "its height is said exactly on hover"


def test_histogram_shares_of_each_part_sum_to_one() -> None:
    for trace in FIGURES["distribution"].data:
        assert np.sum(trace.y) == pytest.approx(1)


def test_a_bar_of_amounts_says_on_hover_from_which_to_which_amount_it_reaches() -> None:
    parts = {"predicted": PREDICTED, "actual": ACTUAL}
    for trace in evaluation.distribution(parts, MESSAGE, axis="Value, EUR", wide=True).figure.data:
        values = parts["predicted" if trace.type == "bar" else "actual"]
        inside = [np.mean((values >= low) & (values < high)) for low, high in trace.customdata]
        assert inside[:-1] == pytest.approx(trace.y[:-1], abs=1 / len(values))
        assert trace.customdata[-1][1] == pytest.approx(max(PREDICTED.max(), ACTUAL.max()))
        assert trace.hovertemplate == "%{customdata[0]:,.2f} – %{customdata[1]:,.2f}: %{y:.1%}"


def test_no_hover_speaks_in_places_of_a_wide_axis_or_of_a_trace_without_a_name() -> None:
    scatter = evaluation.predicted_against_actual(ACTUAL, PREDICTED, MESSAGE, unit="EUR").figure.data
    assert all(trace.hovertemplate or trace.hoverinfo == "skip" for trace in scatter)
    known = pd.DataFrame({"days": [30, 60], "realised": 1.0, "expected": 2.0, "low": 0.5, "high": 3.0})
    lines = following.realised_curve(known, MESSAGE, unit="EUR").figure.data
    new = pd.DataFrame({"begin": ["2025-02-01"], "found": [1.0], "low": [0.5], "high": [2.0], "alert": [False]})
    lines += following.series(new[["begin", "found"]], new, MESSAGE, axis="Share", share=True).figure.data
    assert all(trace.name and "<extra></extra>" not in (trace.hovertemplate or "") for trace in lines)


def test_a_bar_below_zero_leaves_room_for_its_number_beside_the_names() -> None:
    """On the left of a bar stands its number, and left of that its name: they touched in a narrow chart."""
    lowest = float(REASONS["effect"].min())
    low, high = FIGURES["difference_bars"].layout.xaxis.range
    assert lowest < 0 and lowest - low >= 0.2 * (high - low)


def test_waterfall_ends_at_the_sum() -> None:
    bars = FIGURES["waterfall"].data[0]
    assert bars.x[-1] == pytest.approx(20 + 9 - 4 + 1)
    assert list(bars.measure) == ["absolute", "relative", "relative", "relative", "total"]


def test_beeswarm_keeps_every_customer_at_the_height_of_the_reason() -> None:
    heights = np.concatenate([trace.y for trace in FIGURES["beeswarm"].data])
    assert len(heights) == len(SWARM)
    assert np.abs(heights - np.round(heights)).max() < 0.45


@pytest.mark.parametrize("name", ["beeswarm", "dependence"])
def test_a_narrow_window_is_not_shared_between_dots_and_the_key_of_their_colours(name: str) -> None:
    keys = [trace.marker.colorbar for trace in FIGURES[name].data if trace.marker.showscale]
    assert [(key.orientation, key.y, key.yanchor) for key in keys] == [("h", 1, "bottom")]


def test_a_long_name_of_an_axis_is_broken_and_not_cut_off() -> None:
    axis = "Effect on one customer's predicted value, EUR"
    title = explanations.beeswarm(SWARM, MESSAGE, axis=axis).figure.layout.xaxis.title.text
    assert title.replace("<br>", " ") == axis and max(map(len, title.split("<br>"))) <= 30


def test_scatter_samples_but_never_invents() -> None:
    many = RNG.lognormal(2, 1, evaluation.POINTS_SHOWN * 3)
    points = evaluation.predicted_against_actual(many, many, MESSAGE, unit="EUR").figure.data[0]
    assert len(points.x) == evaluation.POINTS_SHOWN
    assert np.isin(points.customdata, many).all()
    assert (np.argsort(points.x) == np.argsort(points.customdata[:, 0])).all()


@pytest.mark.parametrize(
    ("rate", "texts"), [(1, ["0", "1", "10", "100"]), (16_000, ["0", "10,000", "100,000", "1 million"])]
)
def test_ticks_of_wide_axes_are_round_numbers_at_their_places(rate: float, texts: list[str]) -> None:
    axis, values = Wide.of([0.0, 35.0 * rate]), [0.0, 350.0 * rate]
    ticks = axis.ticks(values)
    assert ticks["ticktext"] == texts
    assert (10.0**axis.power * np.expm1(ticks["tickvals"])).tolist() == pytest.approx(
        [float(text.replace(",", "").replace(" million", "e6")) for text in texts]
    )
    signed = axis.ticks([-350.0 * rate, 350.0 * rate], plus=True)
    assert signed["ticktext"][0] == f"−{texts[-1]}" and signed["ticktext"][-1] == f"+{texts[-1]}"
    assert len(axis.ticks([1e15])["ticktext"]) <= 6, "a whale's ticks do not lie on each other"


@pytest.mark.parametrize("rate", [0.001, 1.0, 16_000.0])
def test_charts_of_money_look_alike_in_any_currency(rate: float) -> None:
    """What lies between the smallest and the largest order takes the same room of the axis, to a power of ten."""
    scatter = evaluation.predicted_against_actual(rate * ACTUAL, rate * PREDICTED, MESSAGE, unit="IDR").figure.data[0]
    orders = np.sort(np.asarray(scatter.y)[ACTUAL > 0])
    assert 0.1 < orders[len(orders) // 20] / orders[-1] < 0.55
    swarm = explanations.beeswarm(SWARM.assign(effect=rate * SWARM["effect"]), MESSAGE, axis="").figure
    effects = np.concatenate([trace.x for trace in swarm.data])
    assert 0.1 < np.median(np.abs(effects)) / np.abs(effects).max() < 0.7


def test_tiers_share_one_ramp_and_the_highest_is_the_strongest() -> None:
    assert explanations.tier_colours(4)[0] == drawing.RAMP[9]
    assert len(set(explanations.tier_colours(5))) == 5


def test_the_heat_map_centres_on_zero_and_labels_the_latest_event() -> None:
    labels = [f"event {number}" for number in range(20)]
    figure = explanations.event_heat(EVENTS, labels, MESSAGE, unit="EUR").figure
    heat = figure.data[0]
    assert heat.zmax == -heat.zmin == pytest.approx(EVENTS.abs().to_numpy().max())
    assert figure.layout.xaxis.ticktext[-1] == "event 19" and len(figure.layout.xaxis.ticktext) <= 14
    assert heat.colorscale[0][1] == drawing.DANGER and heat.colorscale[-1][1] == drawing.GAIN


def test_dots_over_a_wide_reading_lie_at_its_logarithm_and_texts_at_their_names() -> None:
    dots = FIGURES["dependence"].data[0]
    assert np.expm1(np.sort(dots.x)) == pytest.approx(np.sort(POINTS["reading"]))
    texts = POINTS.assign(reading=np.where(POINTS["other"] > 0.5, "DE", "FR"))
    figure = explanations.dependence(texts, MESSAGE, reading="Country", axis="Effect, EUR", other=None).figure
    assert set(figure.data[0].x) == {"DE", "FR"} and figure.data[0].marker.color == drawing.PREDICTED


def test_readings_of_money_and_days_have_their_unit_on_the_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    assert overall.axis_of("net_value_90d", "IDR") == "Revenue, last 90 days (IDR)"
    assert overall.axis_of("days_since_last", "IDR").endswith(" (days)")
    assert overall.axis_of("purchase_days", "IDR") == label("purchase_days")
    monkeypatch.setattr(session, "language", lambda: "zh")
    assert overall.axis_of("days_since_last", "").endswith("（天）")


def test_what_has_a_name_in_a_legend_is_told_apart_without_colours_too() -> None:
    seeds = range(1, 17)
    steps = pd.DataFrame({"step": [1, 2] * 16, "loss": 1.0, "seed": np.repeat(seeds, 2)})
    figure = evaluation.loss_history(steps, height=260).figure
    assert figure.layout.showlegend
    assert [one.name for one in figure.data] == [translate("chart.network", "en", seed=seed) for seed in seeds]
    lines = [one.line for one in figure.data]
    assert len({line.dash for line in lines[:4]}) == 4 and len({(line.color, line.dash) for line in lines}) == 16
    points = pd.DataFrame({"risk": 0.5, "value": 2.0, "place": range(4), "customer_id": "a"})
    dots = placing.quadrant(points, (0.5, 1.0), list("abcd"), MESSAGE, axis="Value").figure.data
    assert len({one.marker.symbol for one in dots}) == 4


def test_axes_in_chinese_know_no_thousands_and_millions_in_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "language", lambda: "zh")
    axis = drawing.drawn([{"type": "bar", "x": [1], "y": [20_000]}], MESSAGE, x={}, y={}).figure.layout.yaxis
    assert axis.exponentformat == "none" and axis.separatethousands


@pytest.mark.parametrize(
    ("values", "english", "chinese"),
    [
        ([3.0, 260_000.0], ["0", "50,000", "100,000"], ["0", "5万", "10万"]),
        ([0.0, 9.1e6], ["0", "2 million", "4 million"], ["0", "200万", "400万"]),
        ([-40.0, 80.0], ["−40", "−20", "0"], ["−40", "−20", "0"]),
        ([1, 2], ["0", "1", "2"], ["0", "1", "2"]),
        ([np.nan], ["0", "1", "2"], ["0", "1", "2"]),
    ],
)
def test_axes_of_values_speak_as_the_sentences_beside_them(
    monkeypatch: pytest.MonkeyPatch, values: list[float], english: list[str], chinese: list[str]
) -> None:
    for lang, said in (("en", english), ("zh", chinese)):
        monkeypatch.setattr(drawing, "say", lambda value, digits, lang=lang: say_number(value, lang, digits))
        ticks = drawing.value_ticks(values)
        assert ticks["ticktext"][:3] == said
        assert ticks["tickvals"][-1] >= np.nanmax([*values, 0]) and ticks["tickvals"][0] <= np.nanmin([*values, 0])


def test_lines_across_a_chart_are_those_that_plotly_draws() -> None:
    theirs = go.Figure()
    theirs.add_vline(2.5, line=drawing.DOTTED)
    theirs.add_hline(0, line={"color": drawing.BASELINE, "width": 1})
    lines = [drawing.vertical(2.5, drawing.DOTTED), drawing.horizontal(0, {"color": drawing.BASELINE, "width": 1})]
    ours = drawing.drawn([], MESSAGE, x={}, y={}, marks=lines).figure
    assert ours.layout.shapes == theirs.layout.shapes


def test_dates_on_the_axis_of_drift_are_numbers_in_every_language() -> None:
    before = pd.DataFrame({"begin": ["2025-01-01"], "found": [20_000.0]})
    new = pd.DataFrame({"begin": ["2025-02-01"], "found": [1.0], "low": [0.5], "high": [2.0], "alert": [False]})
    figure = following.series(before, new, MESSAGE, axis="Revenue, EUR", share=False).figure
    assert "%b" not in figure.layout.xaxis.tickformat and figure.layout.xaxis.tickformat.startswith("%Y-%m")
    assert len(figure.layout.yaxis.ticktext) == len(figure.layout.yaxis.tickvals)


def test_names_under_a_cross_table_turn_where_they_would_overlap() -> None:
    counts = np.array([[1, 2], [3, 4]])
    drawn = placing.matrix(counts, ["A", "B"], ["Top value", "High value"], MESSAGE, axes=("now", "then"))
    assert drawn.figure.layout.xaxis.tickangle is None and drawn.figure.layout.xaxis.autotickangles == (0, -45, 90)
