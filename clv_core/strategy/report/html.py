"""A report as one HTML file that asks for nothing: text, tables and SVG charts, for the screen and for paper."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

from clv_core.strategy.report.content import Report, ReportFigure, Section, Table
from clv_core.strategy.report.svg import draw
from clv_core.workspace import write_text

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
    write_text(path, page(report))
    return path


def page(report: Report) -> str:
    """Return a report as an HTML document."""
    parts = "".join(_section(section, report) for section in report.sections)
    return (
        f'<!DOCTYPE html>\n<html lang="{LANG[report.language]}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(report.title)}</title><style>{STYLE}</style></head>\n<body>\n"
        f"<header><h1>{escape(report.title)}</h1><p class=finding>{escape(report.finding)}</p>"
        f"<p class=context>{escape(report.context)}</p><p class=context>{escape(report.made)}</p></header>\n"
        f"<main>{parts}</main>\n</body>\n</html>\n"
    )


def _section(section: Section, report: Report) -> str:
    figures = "".join(_figure(figure) for figure in section.figures)
    points = "".join(f"<li>{escape(point)}</li>" for point in section.points)
    parts = [
        f"<dl class=figures>{figures}</dl>" if figures else "",
        _table(section.table) if section.table else "",
        f"<div class=chart>{draw(section.chart, section.finding)}</div>" if section.chart else "",
        f"<ul>{points}</ul>" if points else "",
    ]
    return (
        f'<section id="{section.id}"><h2>{escape(section.title)}</h2><p class=finding>{escape(section.finding)}</p>'
        f"{''.join(parts)}<p class=context>{escape(report.context)}</p></section>\n"
    )


def _figure(figure: ReportFigure) -> str:
    note = f"<dd class=note>{escape(figure.note)}</dd>" if figure.note else ""
    return f"<div><dt>{escape(figure.label)}</dt><dd>{escape(figure.value)}</dd>{note}</div>"


def _table(table: Table) -> str:
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<div class=table><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
