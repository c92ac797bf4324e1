"""Words can be read: 4.5 to 1 at least, as WCAG 2.2 asks of small text (success criterion 1.4.3)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from clv_core.plot import drawing, evaluation, explanations
from clv_core.plot.drawing import ACTUAL, BASELINE, DANGER, GAIN, OTHER, PREDICTED, RAMP, WARNING, WORDS
from pages.ui import chrome
from pages.ui.charts import advising, behaviour, placing

THEME = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
ASKED = 4.5
DRAWN = 2.95
"""Lines and marks: 3 to 1 (success criterion 1.4.11), within rounding."""
FADED = 0.6
"""Streamlit writes captions in the text colour at this strength."""
CHOSEN_TINTS = (0.1, 0.2)
"""So much of the primary colour lies behind a chosen option, and behind one under the pointer."""


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG's ratio of relative luminances."""
    light = []
    for colour in (one, other):
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        light.append(sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
    return (max(light) + 0.05) / (min(light) + 0.05)


def mixed(one: list[float], other: list[float], share: float) -> list[float]:
    """Return ``share`` of one colour over another."""
    return [share * above + (1 - share) * below for above, below in zip(one, other, strict=True)]


def papers(theme: str) -> list[list[float]]:
    return [channels(THEME[theme][name]) for name in ("backgroundColor", "secondaryBackgroundColor")]


def in_theme(colour: str, theme: str) -> list[float]:
    """Return what a theme puts in the place of a colour of charts."""
    ramp = dict(zip(RAMP, THEME[theme]["chartSequentialColors"], strict=True))
    kinds = {f"#{place:06}": one for place, one in enumerate(THEME[theme]["chartCategoricalColors"], 1)}
    return channels((ramp | kinds)[colour])


def test_the_ratio_is_the_one_of_the_standard() -> None:
    assert contrast(channels("#FFFFFF"), channels("#000000")) == pytest.approx(21)
    assert contrast(channels("#FFFFFF"), channels("#767676")) == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_captions_and_the_words_of_charts_can_be_read(theme: str) -> None:
    text = channels(THEME[theme]["textColor"])
    assert all(contrast(mixed(text, paper, FADED), paper) >= ASKED for paper in papers(theme))
    assert contrast(in_theme(WORDS, theme), papers(theme)[0]) >= ASKED


def test_all_words_of_a_chart_have_that_colour() -> None:
    traces = [
        {"type": "bar", "x": [1], "y": [2], "name": "a"},
        {"type": "heatmap", "z": [[1]], "colorbar": {"title": {"text": "b", "side": "top"}}},
        {"type": "scatter", "x": [1], "y": [1], "marker": {"color": [0.5], "showscale": True}},
        {"type": "scatter", "x": [1], "y": [1]},
    ]
    figure = drawing.drawn(traces, "message", x={"title": "c"}, y={}, marks=[{"x": 1, "text": "Cutoff"}]).figure
    layout = figure.layout
    said = [layout.xaxis.tickfont, layout.yaxis.title.font, layout.legend.font, layout.annotations[0].font]
    bars = [figure.data[1].colorbar, figure.data[2].marker.colorbar]
    said += [figure.data[0].outsidetextfont, *(bar.tickfont for bar in bars), *(bar.title.font for bar in bars)]
    assert {font.color for font in said} == {WORDS}
    assert figure.data[3].marker.colorbar.tickfont.color is None, "a scale that is not asked for is not drawn"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_stands_in_the_cells_of_a_table_can_be_read(theme: str) -> None:
    values = pd.DataFrame([[0.1, 0.5], [0.9, 1.0]])
    cells = behaviour.heat_map(values, values.astype(str), values, "message", axes=("a", "b")).figure.data[0]
    ink = in_theme(cells.textfont.color, theme)
    ramp = [channels(colour) for colour in THEME[theme]["chartSequentialColors"]]
    for value in values.to_numpy().ravel():
        place = 9 * (value - cells.zmin) / (cells.zmax - cells.zmin)
        below, above = ramp[int(place)], ramp[min(9, int(place) + 1)]
        assert contrast(ink, mixed(above, below, place % 1)) >= ASKED


def test_numbers_stand_beside_bars_of_the_ramp_and_not_on_them() -> None:
    """Plotly writes on a bar in white or #444444, of which neither can be read on the ramp's middle."""
    middle = channels(THEME["light"]["chartSequentialColors"][4])
    assert max(contrast(channels(ink), middle) for ink in ("#FFFFFF", "#444444")) < ASKED
    bars = advising.price_levels(pd.DataFrame({"name": ["Top", "Rest"], "level": [0.9, 0.2]}), "message").figure.data[0]
    assert set(bars.marker.color) <= set(RAMP) and bars.textposition == "outside"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_dots_can_be_told_from_the_page(theme: str) -> None:
    cohorts = pd.DataFrame({"cohort": [1, 1, 2, 2, 3, 3], "age": [0, 1] * 3, "per_customer": [1.0, 2.0] * 3})
    mean = pd.DataFrame({"age": [0, 1], "per_customer": [1.0, 2.0]})
    names = {1: "Jan", 2: "Feb", 3: "Mar"}
    chart = behaviour.cohort_curves(cohorts, mean, "message", unit="EUR", axis="Months", names=names)
    page = papers(theme)[0]
    for line in chart.figure.data:
        assert contrast(in_theme(line.line.color, theme), page) >= DRAWN
    dots = evaluation.predicted_against_actual([1.0, 5.0], [2.0, 3.0], "message", unit="EUR").figure.data[0].marker
    assert contrast(mixed(in_theme(dots.color, theme), page, dots.opacity), page) >= DRAWN
    for kind in (PREDICTED, ACTUAL, BASELINE, WARNING, DANGER, GAIN, OTHER):
        assert contrast(in_theme(kind, theme), page) >= DRAWN


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dot_of_any_colour_can_be_told_from_the_page_by_itself_or_by_its_edge(theme: str) -> None:
    points = pd.DataFrame({"risk": 0.5, "value": 2.0, "place": range(4), "customer_id": "a"})
    swarm = pd.DataFrame({"label": "Spend", "effect": [1.0, 2.0], "level": [0.5, float("nan")]})
    readings = pd.DataFrame({"reading": [1.0, 2.0], "effect": [1.0, 2.0], "other": [0.4, 0.6]})
    drawn = [
        *placing.quadrant(points, (0.5, 1.0), list("abcd"), "message", axis="Value").figure.data,
        *explanations.beeswarm(swarm, "message", axis="Effect").figure.data,
        *explanations.dependence(readings, "message", reading="Days", axis="Effect", other="Spend").figure.data,
    ]
    assert len(drawn) == 7
    for dots in drawn:
        own = dots.marker.color
        outline = own if isinstance(own, str) else dots.marker.line.color
        assert dots.marker.opacity is None and contrast(in_theme(outline, theme), papers(theme)[0]) >= DRAWN
    steps = pd.DataFrame({"step": [1, 2] * 4, "loss": 1.0, "seed": [1, 1, 2, 2, 3, 3, 4, 4]})
    assert all(line.opacity is None for line in evaluation.loss_history(steps, height=260).figure.data)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_on_buttons_and_of_chosen_options_can_be_read(theme: str) -> None:
    colours = THEME[theme]
    primary, words = channels(colours["primaryColor"]), channels(colours["textColor"])
    assert contrast(channels("#FFFFFF"), primary) >= ASKED
    for paper in papers(theme):
        assert all(contrast(words, mixed(primary, paper, strength)) >= ASKED for strength in CHOSEN_TINTS)
    assert (
        chrome.SLIDER_VALUE in chrome.STYLE
        and "color: inherit" in chrome.STYLE
        and all(f"{one}:not(" in chrome.STYLE for one in chrome.CHOSEN)
    )
