"""How all charts are drawn: a frame and a message in, a chart out, with units on its axes.

Traces and axes are dicts with Plotly's own names. Plotly checks them all in the one constructor of a figure; to change
a figure that is there (``add_*``, ``update_*``) takes several times as long.

A colour has one meaning on all pages. It is a position in ``chartCategoricalColors`` or
``chartSequentialColors`` of ``.streamlit/config.toml``; ``st.plotly_chart`` puts the theme's colour in its place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10
from textwrap import wrap
from typing import Any, Final, Self, TypeAlias

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from clv_core.plot.words import language, lettered, say
from clv_core.program_files import APP_FOLDER

Looks = Mapping[str, Any]
Floats = NDArray[np.float64]
Figure: TypeAlias = go.Figure

PREDICTED, ACTUAL, BASELINE, WARNING, DANGER, GAIN, OTHER = (f"#00000{position}" for position in range(1, 8))
HISTORY: Final = PREDICTED
"""The brand's colour, for what happened where no prediction is drawn next to it; next to one it is ACTUAL."""
WORDS: Final = "#000010"
RAMP: Final = tuple(f"#0000{position}" for position in range(11, 21))
RAMP_SCALE: Final = [[position / 9, colour] for position, colour in enumerate(RAMP)]
EFFECT_SCALE: Final = [[0, DANGER], [0.5, "rgba(138, 147, 157, 0.12)"], [1, GAIN]]
"""Effects on a value: what takes from it, nothing, what adds to it. Levels from low to high have the ramp."""
DOTTED: Final = {"color": BASELINE, "dash": "dash", "width": 2}
EDGE: Final = {"color": BASELINE, "width": 0.5}
"""Around dots of the ramp: its palest colours are lost on the light page, and its darkest on the dark one."""
PALER: Final = 2.8
"""The ramp ends so many times beyond the largest cell of a table with text: ink is read on its first third alone."""

INK: Final = {"color": WORDS}
WRITTEN: Final = ("x", "y", "text", "customdata", "name")
"""What of a trace may hold names from a log."""
TITLE_LETTERS: Final = 90
"""Of a line of a title, where a chart is shown outside the app."""
MAX_TICKS: Final = 6
"""Steps of an axis of values, about."""
TICK_DIGITS: Final = 8
"""Significant digits: neighbouring ticks of large amounts must not read alike."""
SIDE_TICKS: Final = 5
"""Of a wide axis, on one side of zero."""


@dataclass(frozen=True)
class Chart:
    """A figure and its message.

    Args:
        message: what the chart shows, in words; it is written above the figure, where it wraps.
        figure: may be kept for many sessions, so it is not to be written to.
    """

    message: str
    figure: Figure

    def standalone(self) -> Figure:
        """Return a copy for outside the app: with the colours of its light theme, and the message as its title.

        Examples:
            >>> from clv_core.plot import drawn
            >>> bars = {"type": "bar", "x": ["a", "b"], "y": [3, 5]}
            >>> chart = drawn([bars], "b sold more", x={"title": "shop"}, y={"title": "orders"})
            >>> chart.standalone().layout.title.text
            'b sold more'
        """
        traces = [_coloured(trace.to_plotly_json()) for trace in self.figure.data]
        figure = go.Figure(traces, _coloured(self.figure.layout.to_plotly_json()))
        title = "<br>".join(wrap(lettered(self.message), TITLE_LETTERS))
        lines = title.count("<br>") + 1
        layout = figure.layout
        layout.template = "plotly_white"
        layout.title = {"text": title, "font": {"size": 15}, "x": 0, "xref": "paper", "y": 1, "yref": "container"}
        layout.title.update(yanchor="top", pad={"t": 14})
        layout.margin = {"l": 8, "r": 16, "t": 44 + 20 * lines, "b": 8}
        layout.height += 20 * lines
        layout.legend.y = 1.02  # between the title and the chart, where there is no room for the gap that the app has
        return figure


@cache
def _light_colours() -> dict[str, str]:
    """Return what the app's light theme puts in the place of each colour."""
    theme = tomllib.loads((APP_FOLDER / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]["light"]
    colours = [*theme["chartCategoricalColors"], *theme["chartSequentialColors"]]
    return {f"#{position:06}": colour for position, colour in enumerate(colours, 1)}


def _coloured(value: Any) -> Any:
    """Return a trace or a layout with the light theme's colours."""
    if isinstance(value, dict):
        return {key: _coloured(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_coloured(item) for item in value]
    return _light_colours().get(value, value) if isinstance(value, str) else value


def drawn(
    traces: Iterable[Looks],
    message: str,
    *,
    x: Looks,
    y: Looks,
    marks: Iterable[Looks] = (),
    legend: bool = True,
    height: int = 340,
) -> Chart:
    """Draw a chart.

    Args:
        traces: what is drawn, each with its ``type``.
        message: what the chart shows, in words.
        x: the axis; its ``title`` is a text, or None.
        y: the other axis.
        marks: lines across the chart, of :func:`vertical` and :func:`horizontal`, and words in it: their ``text`` and
            its place.
        legend: whether traces are named above the chart.
        height: of the chart, pixels.

    Examples:
        >>> from clv_core.plot import drawn
        >>> bars = {"type": "bar", "x": ["a", "b"], "y": [3, 5]}
        >>> chart = drawn([bars], "b sold more", x={"title": "shop"}, y={"title": "orders"}, legend=False)
        >>> chart.message, chart.figure.data[0].y
        ('b sold more', (3, 5))
    """
    numbers: Looks = {}
    if language() == "zh":
        numbers = {"exponentformat": "none", "separatethousands": True}  # 5k and 0.5M are no Chinese numbers
    marks = list(marks)
    bare = [{key: _bare(key, value) for key, value in trace.items()} for trace in traces]
    layout = {
        "height": height,
        "showlegend": legend,
        "legend": {"orientation": "h", "y": 1.08, "yanchor": "bottom", "x": 0, "font": INK},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "bargap": 0.25,
        "hoverlabel": {"namelength": -1},
        "xaxis": {**_kind("x", bare), **_worded(x, numbers), "automargin": True},
        "yaxis": {**_kind("y", bare), **_worded(y, numbers), "automargin": True},
        "shapes": [mark for mark in marks if "text" not in mark],
        "annotations": [
            {**mark, "text": lettered(mark["text"]), "showarrow": False, "font": INK}
            for mark in marks
            if "text" in mark
        ],
    }
    return Chart(message, go.Figure([_inked(trace, numbers) for trace in bare], layout))


def _kind(axis: str, traces: Iterable[Looks]) -> Looks:
    """Return the type of an axis of texts: of names like 7, Plotly makes numbers or days, and drops other names.

    ``axis`` is ``x`` or ``y``.
    """
    texts = (isinstance(value, str) for trace in traces for value in trace.get(axis, ()))
    return {"type": "category"} if any(texts) else {}


def _bare(key: str, value: Any) -> Any:
    """Return the array within a column or a table, which Plotly reads sooner, its texts letter by letter.

    Dates it takes as they are.
    """
    if isinstance(value, pd.DataFrame) or (isinstance(value, pd.Series) and value.dtype.kind != "M"):
        value = value.to_numpy()
    return lettered(value) if key in WRITTEN else value


def _inked(trace: Looks, numbers: Looks) -> Looks:
    """Return a trace with the colour of words for the texts at its marks."""
    if trace["type"] in ("bar", "waterfall"):
        return {**trace, "outsidetextfont": INK}
    if trace["type"] == "heatmap":
        return {**trace, "colorbar": _worded(trace.get("colorbar", {}), numbers)}
    marker = trace.get("marker", {})
    if marker.get("showscale"):
        return {**trace, "marker": {**marker, "colorbar": _worded(marker.get("colorbar", {}), numbers)}}
    return trace


def _worded(scale: Looks, numbers: Looks) -> Looks:
    """Return an axis or a colour bar with the colour of its words and the form of its numbers."""
    title = scale.get("title")
    named = title if isinstance(title, dict) else {"text": title}
    words = {key: lettered(scale[key]) for key in ("ticktext",) if key in scale}
    title = {**named, "text": lettered(named["text"]), "font": INK}
    return {**scale, **numbers, **words, "title": title, "tickfont": INK}


def vertical(x: Any, line: Looks) -> Looks:
    """Return a line from the bottom of a chart to its top."""
    return {"type": "line", "xref": "x", "x0": x, "x1": x, "yref": "y domain", "y0": 0, "y1": 1, "line": line}


def horizontal(y: float, line: Looks) -> Looks:
    """Return a line from the left of a chart to its right."""
    return {"type": "line", "yref": "y", "y0": y, "y1": y, "xref": "x domain", "x0": 0, "x1": 1, "line": line}


def interval(value: pd.Series, low: pd.Series, high: pd.Series, colour: str) -> Looks:
    """Return the error bars of values, [n], from ``low`` to ``high``."""
    ends = {"array": (high - value).tolist(), "arrayminus": (value - low).tolist()}
    return {"type": "data", "symmetric": False, **ends, "color": colour}


def grid_cells(share: ArrayLike, text: Any, hover: Any, *, most: float = 1.0, **places: Any) -> Looks:
    """Return a heat map of shares from 0 on with a text in each cell.

    Args:
        share: the colour, [j, k].
        text: in each cell, [j][k].
        hover: the text on hover of each cell, [j][k]; of its ``hovertemplate`` by default all.
        most: the largest share that has a colour of its own: ink is read on the first third of the ramp alone.
        places: ``x`` and ``y`` of the cells, and further options of the trace.
    """
    looks = {"colorscale": RAMP_SCALE, "showscale": False, "textfont": {"color": ACTUAL}, "texttemplate": "%{text}"}
    hovering = {"customdata": hover, "hovertemplate": "%{customdata}<extra></extra>"}
    return {"type": "heatmap", "z": share, "text": text, "zmin": 0, "zmax": PALER * most, "xgap": 2, "ygap": 2} | (
        looks | hovering | places
    )


def value_ticks(*values: ArrayLike, from_zero: bool = True) -> dict[str, Any]:
    """Return ticks of an even axis that holds all ``values``, written as in sentences: 5万, 2 million.

    Hover stays exact, and whole numbers have whole ticks.

    Args:
        values: what is drawn on the axis; what is not a number is passed over.
        from_zero: whether the axis begins at zero, or ends there.
    """
    numbers = np.concatenate([np.ravel(np.asarray(some, np.float64)) for some in values])
    numbers = numbers[np.isfinite(numbers)]
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high <= low:
        high = low + 1.0
    rough = (high - low) / MAX_TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= rough * (1 - 1e-9))
    if bool((numbers == np.round(numbers)).all()):
        step = max(step, 1.0)
    places = [float(f"{step * number:.12g}") for number in range(floor(low / step), ceil(high / step) + 2)]
    texts = [f"{'−' if place < 0 else ''}{say(abs(place), TICK_DIGITS)}" for place in places]
    return {"tickvals": places, "ticktext": texts, "hoverformat": ",.2~f"}


@dataclass(frozen=True)
class Wide:
    """An axis that shows both zero and whales: log(1 + size / 10^power), with the sign of the value.

    Args:
        power: of the amount up to which it is about even.
    """

    power: int

    @classmethod
    def of(cls, values: ArrayLike, *, below: int = 1) -> Self:
        """Return the axis for amounts like these, whatever their unit: orders of 40 euros or of 600,000 rupiah.

        Args:
            values: their median without zeros is a usual amount.
            below: how many powers of ten below a usual amount it is even.
        """
        sizes = np.abs(np.asarray(values, np.float64))
        sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
        return cls(floor(log10(float(np.median(sizes)))) - below if len(sizes) else 0)

    def places(self, values: ArrayLike) -> Floats:
        """Return where values lie, [n]."""
        numbers = np.asarray(values, np.float64)
        placed: Floats = np.sign(numbers) * np.log1p(np.abs(numbers) / 10.0**self.power)
        return placed

    def amounts(self, places: ArrayLike) -> Floats:
        """Return the values that lie at some places of the axis, [n]."""
        positions = np.asarray(places, np.float64)
        values: Floats = np.sign(positions) * np.expm1(np.abs(positions)) * 10.0**self.power
        return values

    def ticks(self, values: ArrayLike, *, plus: bool = False) -> dict[str, Any]:
        """Return ticks at powers of ten as far as values reach, in the language of the page.

        Args:
            values: what is drawn.
            plus: whether gains have a sign too.
        """
        numbers = np.asarray(values, np.float64)
        top, low = float(np.abs(numbers).max(initial=0.0)), float(numbers.min(initial=0.0))
        highest = max(self.power, floor(log10(top)) if top > 0 else self.power)
        step = ceil((highest - self.power + 1) / SIDE_TICKS)
        sizes = [10.0**power for power in range(highest, self.power - 1, -step)][::-1]
        down = sizes if low < -(10.0**self.power) else []
        texts = [
            *(f"−{say(size)}" for size in down[::-1]),
            "0",
            *(f"{'+' if plus else ''}{say(size)}" for size in sizes),
        ]
        return {"tickvals": self.places([*(-size for size in down[::-1]), 0.0, *sizes]).tolist(), "ticktext": texts}
