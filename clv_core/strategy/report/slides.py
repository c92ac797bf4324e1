"""A report as PowerPoint slides with native charts and tables: whoever gets them can edit every word and bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from clv_core.strategy.report import slide_parts as parts
from clv_core.strategy.report.content import Report, Section
from clv_core.workspace import atomic_path

WIDTH: Final = 13.333
HEIGHT: Final = 7.5
MARGIN: Final = 0.6
INSIDE: Final = WIDTH - 2 * MARGIN
TOP: Final = 1.85
FOOT: Final = 6.98
GAP: Final = 0.2
TABLE_SHARE: Final = 0.66
"""Of the width at most, where a chart stands beside a table."""
FIGURES_HIGH: Final = 1.25
ROW_HIGH: Final = 0.36


def write_slides(report: Report, path: Path) -> Path:
    """Write a report as a ``.pptx`` file: a title slide, then one slide a section.

    Returns:
        ``path``.
    """
    from pptx import Presentation
    from pptx.util import Inches

    book = Presentation()
    book.slide_width, book.slide_height = Inches(WIDTH), Inches(HEIGHT)
    book.core_properties.title, book.core_properties.author = report.title, "CLV Studio"
    book.core_properties.language = {"en": "en-GB", "zh": "zh-CN"}[report.language]
    empty = book.slide_layouts[6]
    _first(book.slides.add_slide(empty), report)
    for number, section in enumerate(report.sections, start=2):
        _slide(book.slides.add_slide(empty), section, report, number)
    with atomic_path(path) as temporary:
        book.save(str(temporary))
    return path


def _first(slide: Any, report: Report) -> None:
    parts.band(slide, 0, 0, WIDTH, 0.18)
    parts.text(slide, report.title, (MARGIN, 1.6, INSIDE, 0.9), size=36, bold=True)
    parts.text(slide, report.finding, (MARGIN, 2.7, INSIDE, 1.9), size=24)
    parts.text(slide, report.context, (MARGIN, 5.6, INSIDE, 0.7), size=14, colour=parts.SOFT)
    parts.text(slide, report.made, (MARGIN, 6.3, INSIDE, 0.5), size=12, colour=parts.SOFT)


def _slide(slide: Any, section: Section, report: Report, number: int) -> None:
    """Draw one section: what it holds below each other, a table and a chart side by side."""
    parts.text(slide, section.title, (MARGIN, 0.35, INSIDE, 0.4), size=14, bold=True, colour=parts.ACCENT)
    size = parts.heading(section.finding, INSIDE)
    parts.text(slide, section.finding, (MARGIN, 0.75, INSIDE, 1.0), size=size, bold=True)
    top = TOP
    alone = section.chart is None and section.table is None
    most = FOOT - 0.1 - top - (FIGURES_HIGH + GAP if section.figures else 0)
    points_size = parts.fitting(section.points, INSIDE - 0.3, most, (18, 16, 14, 12, 11) if alone else (14, 12))
    points_high = parts.list_high(section.points, INSIDE - 0.3, points_size)
    if section.figures:
        parts.figures(slide, section.figures, (MARGIN, top, INSIDE, FIGURES_HIGH), GAP)
        top += FIGURES_HIGH + GAP
    room = FOOT - 0.1 - top - points_high - (GAP if section.points else 0)
    if section.table is not None and section.chart is not None:
        table_wide = sum(parts.column_widths(section.table, TABLE_SHARE * INSIDE))
        parts.table(slide, section.table, (MARGIN, top, table_wide, ROW_HIGH))
        parts.chart(
            slide, section.chart, section.finding, (MARGIN + table_wide + GAP, top, INSIDE - table_wide - GAP, room)
        )
        top += room + GAP
    elif section.table is not None:
        parts.table(slide, section.table, (MARGIN, top, INSIDE, ROW_HIGH))
        top += ROW_HIGH * (len(section.table.rows) + 1) + GAP
    elif section.chart is not None:
        parts.chart(slide, section.chart, section.finding, (MARGIN, top, INSIDE, room))
        top += room + GAP
    if section.points:
        parts.points(slide, section.points, (MARGIN, top, INSIDE, FOOT - top), points_size)
    parts.band(slide, MARGIN, FOOT, INSIDE, 0.01)
    parts.text(slide, report.context, (MARGIN, FOOT + 0.04, INSIDE - 0.8, 0.35), size=10, colour=parts.SOFT)
    place = (WIDTH - MARGIN - 0.8, FOOT + 0.04, 0.8, 0.35)
    parts.text(slide, str(number), place, size=10, colour=parts.SOFT, right=True)
