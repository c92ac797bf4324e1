"""Bar charts as inline SVG: no library, no script, printable; colours are the page's CSS classes."""

from __future__ import annotations

import math
from html import escape
from typing import Final

from clv_core.strategy.report.content import Chart

WIDTH: Final = 860
HEIGHT: Final = 320
ROW: Final = 34
LETTER: Final = 7.2
"""Width of a letter at the charts' font size; a Chinese one is twice as wide."""
LONGEST_LABEL: Final = 300.0


def draw(chart: Chart, message: str) -> str:
    """Return a chart as an ``svg`` element.

    Args:
        chart: what to draw.
        message: what it shows, for who cannot see it.
    """
    ends = ticks(max((max(series.values, default=0.0) for series in chart.series), default=0.0))
    body, height = _columns(chart, ends) if chart.kind == "columns" else _bars(chart, ends)
    legend = _legend(chart) if len(chart.series) > 1 else ""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(message)}">'
        f"<title>{escape(message)}</title>{legend}{body}</svg>"
    )


def ticks(top: float) -> list[float]:
    """Return 4 to 6 round values from 0 to at least ``top``."""
    if not top > 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / 5))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor * 5 >= top * (1 - 1e-9))
    return [step * number for number in range(math.ceil(top / step - 1e-9) + 1)]


def said(value: float, percent: bool) -> str:
    """Return a tick's label."""
    return f"{value:.0%}" if percent else f"{value:,.10g}"


def wide(text: str) -> float:
    """Return about how wide a text is."""
    return LETTER * sum(1.8 if ord(letter) > 0x2E7F else 1 for letter in text)


def _columns(chart: Chart, ends: list[float]) -> tuple[str, int]:
    left, right, above, below = 24 + max(wide(said(end, chart.percent)) for end in ends) + 12, 8.0, 44.0, 52.0
    width, height = WIDTH - left - right, HEIGHT - above - below
    parts = []
    for end in ends:
        y = above + height * (1 - end / ends[-1])
        parts.append(f'<line class="grid" x1="{left:.1f}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(left - 6, y + 4, said(end, chart.percent), "end"))
    place = width / max(1, len(chart.categories))
    bar = 0.76 * place / max(1, len(chart.series))
    for number, category in enumerate(chart.categories):
        begin = left + place * number + 0.12 * place
        for index, series in enumerate(chart.series):
            tall = height * max(0.0, series.values[number]) / ends[-1]
            parts.append(
                f'<rect class="{series.role}" x="{begin + index * bar:.1f}" y="{above + height - tall:.1f}" '
                f'width="{bar * 0.92:.1f}" height="{tall:.1f}">{_hint(chart, series.name, number, index)}</rect>'
            )
        parts.append(_text(begin + 0.38 * place, above + height + 17, category, "middle"))
    parts.append(_text(left + width / 2, HEIGHT - 12, chart.category_axis, "middle", "axis"))
    turned = f"translate(14 {above + height / 2:.1f}) rotate(-90)"
    parts.append(f'<text class="axis" text-anchor="middle" transform="{turned}">{escape(chart.value_axis)}</text>')
    return "".join(parts), HEIGHT


def _bars(chart: Chart, ends: list[float]) -> tuple[str, int]:
    left = min(LONGEST_LABEL, max((wide(name) for name in chart.categories), default=0.0) + 16)
    above, right, height = 12.0, 24.0, ROW * len(chart.categories)
    width, parts = WIDTH - left - right, []
    for end in ends:
        x = left + width * end / ends[-1]
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{above}" y2="{above + height}"/>')
        parts.append(_text(x, above + height + 18, said(end, chart.percent), "middle"))
    thick = 0.68 * ROW / max(1, len(chart.series))
    for number, category in enumerate(chart.categories):
        top = above + ROW * number + 0.16 * ROW
        for index, series in enumerate(chart.series):
            long = width * max(0.0, series.values[number]) / ends[-1]
            parts.append(
                f'<rect class="{series.role}" x="{left:.1f}" y="{top + index * thick:.1f}" width="{long:.1f}" '
                f'height="{thick:.1f}">{_hint(chart, series.name, number, index)}</rect>'
            )
        parts.append(_text(left - 8, top + 0.34 * ROW + 4, category, "end"))
    parts.append(_text(left + width / 2, above + height + 40, chart.value_axis, "middle", "axis"))
    return "".join(parts), int(above + height + 52)


def _legend(chart: Chart) -> str:
    parts, x = [], 8.0
    for series in chart.series:
        parts.append(f'<rect class="{series.role}" x="{x:.1f}" y="8" width="12" height="12"/>')
        parts.append(_text(x + 18, 18, series.name, "start"))
        x += 46 + wide(series.name)
    return "".join(parts)


def _hint(chart: Chart, name: str, number: int, index: int) -> str:
    series = chart.series[index]
    value = series.values[number]
    shown = f"{value:.1%}" if chart.percent else f"{value:,.0f}" if series.counts else f"{value:,.2f}"
    return f"<title>{escape(f'{chart.categories[number]} · {name}: {shown}')}</title>"


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
