"""Write a report as one HTML file without external resources: text, tables and SVG charts, for screen and print.

Charts are SVG by hand: Plotly would add 4 MB of script, or need a browser for static images.
"""

from __future__ import annotations

import math
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Final

from clv_core.strategy.report.document import Chart, Report, ReportFigure, Section, Table
from clv_core.workspace import write_text

WIDTH, HEIGHT, ROW = 860, 320, 34
"""Width and height of a chart, and height of one of its rows, pixels."""
LETTER: Final = 7.2
"""Width of a letter at the charts' font size; a Chinese one is twice as wide."""
MAX_LABEL: Final = 300.0
"""Pixels of a chart that labels may take."""
LANG: Final = {"en": "en", "zh": "zh-Hans"}
STYLE: Final = """
:root { --ink: #1B2127; --soft: #5B6470; --line: #DDE2E7; --paper: #FFFFFF; --card: #F4F6F8;
  --predicted: #1F6FB2; --actual: #1B2127; --baseline: #9AA3AD; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #E9EDF1; --soft: #A3ADB8; --line: #333C46; --paper: #12161B;
  --card: #1C2229; --predicted: #6CB4F0; --actual: #F0F3F6; --baseline: #7C8792; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 "Source Sans 3", "Segoe UI", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
header { border-bottom: 3px solid var(--predicted); padding-bottom: 1rem; }
.logo { max-height: 4rem; max-width: 16rem; margin-bottom: .75rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: .95rem; color: var(--predicted); margin: 0; }
section { padding: 1.5rem 0; border-bottom: 1px solid var(--line); break-inside: avoid; }
.finding { font-size: 1.3rem; line-height: 1.35; font-weight: 600; margin: .2rem 0 .8rem; }
.context, .note { color: var(--soft); font-size: .9rem; margin: .2rem 0; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 0 1rem; padding: 0; }
.figures div { flex: 1 1 11rem; background: var(--card); border-radius: .5rem; padding: .7rem .9rem; }
.figures dt, .figures .note { color: var(--soft); font-size: .85rem; margin: 0; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 600; }
.figures dd.note { font-weight: 400; }
.table { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: right; word-break: keep-all; }
th:first-child, td:first-child { text-align: left; }
th { font-size: .85rem; color: var(--soft); font-weight: 600; }
.chart { overflow-x: auto; margin: 0 0 1rem; }
svg { width: 100%; min-width: 42rem; height: auto; display: block; }
svg text { fill: var(--ink); font-size: 13px; }
svg .axis { fill: var(--soft); }
svg .grid { stroke: var(--line); }
svg .predicted { fill: var(--predicted); } svg .actual { fill: var(--actual); } svg .baseline { fill: var(--baseline); }
ul { margin: 0; padding-left: 1.2rem; } li { margin: .3rem 0; }
@media print { :root { --ink: #1B2127; --soft: #5B6470; --line: #DDE2E7; --paper: #FFF; --card: #F4F6F8;
  --predicted: #1F6FB2; --actual: #1B2127; --baseline: #9AA3AD; }
  body { padding: 0; font-size: 12px; max-width: none; print-color-adjust: exact; } section { padding: .8rem 0; }
  svg { min-width: 0; } }
"""


def write_html(report: Report, path: Path) -> Path:
    """Write a report as one HTML file.

    Returns:
        ``path``.
    """
    write_text(path, html_page(report))
    return path


def html_page(report: Report) -> str:
    """Return a report as an HTML document."""
    parts = "".join(map(_section, report.sections))
    return (
        f'<!DOCTYPE html>\n<html lang="{LANG[report.language]}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(report.title)}</title><style>{STYLE}</style></head>\n<body>\n"
        f"<header>{_logo(report)}<h1>{escape(report.title)}</h1><p class=finding>{escape(report.finding)}</p>"
        f"<p class=context>{escape(report.made)}</p></header>\n"
        f"<main>{parts}</main>\n</body>\n</html>\n"
    )


def _logo(report: Report) -> str:
    if report.logo is None:
        return ""
    return f'<img class=logo alt="" src="data:image/png;base64,{b64encode(report.logo).decode()}">'


def _section(section: Section) -> str:
    figures = "".join(_figure(figure) for figure in section.figures)
    points = "".join(f"<li>{escape(point)}</li>" for point in section.points)
    parts = [
        f"<dl class=figures>{figures}</dl>" if figures else "",
        _table(section.table) if section.table else "",
        f"<div class=chart>{chart_svg(section.chart, section.finding)}</div>" if section.chart else "",
        f"<ul>{points}</ul>" if points else "",
    ]
    return (
        f'<section id="{section.id}"><h2>{escape(section.title)}</h2><p class=finding>{escape(section.finding)}</p>'
        f"{''.join(parts)}</section>\n"
    )


def _figure(figure: ReportFigure) -> str:
    note = f"<dd class=note>{escape(figure.note)}</dd>" if figure.note else ""
    return f"<div><dt>{escape(figure.label)}</dt><dd>{escape(figure.value)}</dd>{note}</div>"


def _table(table: Table) -> str:
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<div class=table><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def chart_svg(chart: Chart, message: str) -> str:
    """Return a chart as an ``svg`` element.

    ``message`` describes it for screen readers.
    """
    ends = ticks(chart.top)
    body, height = _columns(chart, ends) if chart.kind == "columns" else _bars(chart, ends)
    legend = _legend(chart) if _has_legend(chart) else ""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(message)}">'
        f"<title>{escape(message)}</title>{legend}{body}</svg>"
    )


def _has_legend(chart: Chart) -> bool:
    return len(chart.series) > 1 and not chart.waterfall


def ticks(top: float) -> list[float]:
    """Return 4 to 6 round values from 0 to at least ``top``."""
    if not top > 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / 5))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor * 5 >= top * (1 - 1e-9))
    return [step * number for number in range(math.ceil(top / step - 1e-9) + 1)]


def _tick_label(value: float, percent: bool) -> str:
    """Return a tick's label."""
    return f"{value:.0%}" if percent else f"{value:,.10g}"


def _text_width(text: str) -> float:
    """Return about how wide a text is."""
    return LETTER * sum(1.8 if ord(letter) > 0x2E7F else 1 for letter in text)


def _columns(chart: Chart, ends: list[float]) -> tuple[str, int]:
    left, right, above, below = (
        24 + max(_text_width(_tick_label(end, chart.percent)) for end in ends) + 12,
        8.0,
        44.0,
        52.0,
    )
    width, height = WIDTH - left - right, HEIGHT - above - below
    parts = []
    for end in ends:
        y = above + height * (1 - end / ends[-1])
        parts.append(f'<line class="grid" x1="{left:.1f}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(left - 6, y + 4, _tick_label(end, chart.percent), "end"))
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
    left = min(MAX_LABEL, max((_text_width(name) for name in chart.categories), default=0.0) + 16)
    above, right, height = 36.0 if _has_legend(chart) else 12.0, 24.0, ROW * len(chart.categories)
    width, parts = WIDTH - left - right, []
    for end in ends:
        x = left + width * end / ends[-1]
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{above}" y2="{above + height}"/>')
        parts.append(_text(x, above + height + 18, _tick_label(end, chart.percent), "middle"))
    thick = 0.68 * ROW / (1 if chart.waterfall else max(1, len(chart.series)))
    for number, category in enumerate(chart.categories):
        top = above + ROW * number + 0.16 * ROW
        for index, series in enumerate(chart.series):
            begin, value = chart.starts[number], series.values[number]
            if chart.waterfall and not value:
                continue
            x, end = sorted(width * max(0.0, edge) / ends[-1] for edge in (begin, begin + value))
            y = top + (0 if chart.waterfall else index) * thick
            parts.append(
                f'<rect class="{series.role}" x="{left + x:.1f}" y="{y:.1f}" width="{end - x:.1f}" '
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
        x += 46 + _text_width(series.name)
    return "".join(parts)


def _hint(chart: Chart, name: str, number: int, index: int) -> str:
    series = chart.series[index]
    value = series.values[number]
    shown = f"{value:.1%}" if chart.percent else f"{value:,.0f}" if series.counts else f"{value:,.2f}"
    return f"<title>{escape(f'{chart.categories[number]} · {name}: {shown}')}</title>"


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
