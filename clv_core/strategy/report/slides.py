"""Write a report as PowerPoint slides with native charts and tables.

Fonts, colours and the place of texts are those of the template ``assets/report/slides.pptx``: a layout for the cover,
and one for sections. Charts use its accents 1 to 3, cards and lines its background 2 and accent 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from clv_core.program_files import ASSETS
from clv_core.strategy.report.document import ACTUAL, BASELINE, PREDICTED, Chart, Report, ReportFigure, Section, Table
from clv_core.workspace import atomic_path

TEMPLATE: Final = ASSETS / "report" / "slides.pptx"
TITLE, SECTION_TITLE, CONTENT, CONTEXT = 0, 10, 11, 12
"""Placeholders of the template's layout for sections, by index; 0 is the title."""
ACCENTS: Final = {PREDICTED: "ACCENT_1", ACTUAL: "ACCENT_2", BASELINE: "ACCENT_3"}
SHARES, COUNTS, AMOUNTS = "0%", "#,##0", "#,##0.00"
TICKS: Final = "[>=1000]#,##0;General"
"""Thousands separators, and no trailing decimal point, which PowerPoint writes with #,##0.##."""
GAP, CARD_HEIGHT, ROW_HEIGHT, LOGO_HEIGHT = 0.2, 1.25, 0.36, 0.9
"""Inches."""
TABLE_SHARE: Final = 0.66
"""A table next to a chart takes at most this share of the width."""
CELL_SIZE: Final = 12
"""Font size of tables, points."""
MAX_CELL: Final = 2.2
"""A column is made at most so many inches wide for its text."""
CELL_MARGINS: Final = 0.14
"""Left and right margin of a cell, inches."""
POINTS_AN_INCH: Final = 72  # by definition
LETTER: Final = 0.55
"""Mean width of a Latin letter in font sizes."""
WIDER_FONT: Final = 1.2
"""A bold letter of the fonts that replace missing ones is so many times as wide."""
LINE_HEIGHT: Final = 1.25
"""Height of a line in font sizes."""

Box = tuple[float, float, float, float]
"""Left, top, width and height, inches."""


def write_slides(report: Report, path: Path) -> Path:
    """Write a report as a ``.pptx`` file: a cover, then one slide a section.

    Returns:
        ``path``.
    """
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation(str(TEMPLATE))
    deck.core_properties.title, deck.core_properties.author = report.title, "CLV Studio"
    deck.core_properties.language = {"en": "en-GB", "zh": "zh-CN"}[report.language]
    cover, layout = deck.slide_layouts
    title, finding, place_of_logo, day = (first := deck.slides.add_slide(cover)).placeholders
    title.text, finding.text, day.text = report.title, report.finding, report.made
    if report.logo is not None:
        picture = first.shapes.add_picture(BytesIO(report.logo), place_of_logo.left, 0, height=Inches(LOGO_HEIGHT))
        picture.width = min(picture.width, place_of_logo.width)
        picture.top = place_of_logo.top - Inches(LOGO_HEIGHT - 0.2)
    place_of_logo._element.getparent().remove(place_of_logo._element)
    for section in report.sections:
        _fill(deck.slides.add_slide(layout), section, report.title)
    with atomic_path(path) as temporary:
        deck.save(str(temporary))
    return path


def _fill(slide: Any, section: Section, footer: str) -> None:
    """Fill a slide from the top: cards, then a table and a chart side by side, then the points."""
    from pptx.util import Inches

    title, content = slide.placeholders[TITLE], slide.placeholders[CONTENT]
    slide.placeholders[SECTION_TITLE].text, slide.placeholders[CONTEXT].text = section.title, footer
    title.text = section.finding
    _resize(title, heading_size(section.finding, title.width.inches))
    left, top, width, height = (length.inches for length in (content.left, content.top, content.width, content.height))
    bottom = top + height
    if section.figures:
        _cards(slide, section.figures, (left, top, width, CARD_HEIGHT))
        top += CARD_HEIGHT + GAP
    sizes = (14, 12) if section.chart or section.table else (18, 16, 14, 12, 11)
    size = list_size(section.points, width - 0.3, bottom - top, sizes)
    room = bottom - top - list_height(section.points, width - 0.3, size) - (GAP if section.points else 0)
    chart_left = left
    if section.table is not None:
        table_width = width
        if section.chart is not None:
            table_width = sum(column_widths(section.table, TABLE_SHARE * width))
        _table(slide, section.table, (left, top, table_width, ROW_HEIGHT))
        chart_left += table_width + GAP
    if section.chart is not None:
        _chart(slide, section.chart, section.finding, (chart_left, top, left + width - chart_left, room))
        top += room + GAP
    elif section.table is not None:
        top += ROW_HEIGHT * (len(section.table.rows) + 1) + GAP
    if not section.points:
        content._element.getparent().remove(content._element)
        return
    content.left, content.top, content.width, content.height = map(Inches, (left, top, width, bottom - top))
    content.text = "\n".join(section.points)
    _resize(content, size)


def _resize(placeholder: Any, size: float) -> None:
    """Set the size of all letters of a placeholder."""
    from pptx.util import Pt

    for paragraph in placeholder.text_frame.paragraphs:
        for run in paragraph.runs:
            run.font.size = Pt(size)


def _cards(slide: Any, figures: Sequence[ReportFigure], box: Box) -> None:
    """Add one card a figure, side by side."""
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Inches

    left, top, width, height = box
    each = (width - GAP * (len(figures) - 1)) / len(figures)
    for place, figure in enumerate(figures):
        corner = left + place * (each + GAP)
        card = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(Inches, (corner, top, each, height)))
        _colour(card, "BACKGROUND_2")
        card.line.fill.background()
        card.shadow.inherit = False
        frame = card.text_frame
        frame.margin_left = frame.margin_right = Inches(0.1)
        frame.word_wrap = True
        label, value, note = frame.paragraphs[0], frame.add_paragraph(), frame.add_paragraph()
        label.alignment = value.alignment = note.alignment = PP_ALIGN.LEFT
        _write(label, figure.label, 12, soft=True)
        _write(value, figure.value, 24, bold=True)
        _write(note, figure.note, 11, soft=True)


def _table(slide: Any, content: Table, box: Box) -> None:
    """Add a table; ``box`` has the height of one row."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Inches

    left, top, width, row_height = box
    rows = (content.head, *content.rows)
    size = (len(rows), len(content.head))
    table = slide.shapes.add_table(*size, *map(Inches, (left, top, width, row_height * len(rows)))).table
    widths = column_widths(content, width)
    for column, share in zip(table.columns, widths, strict=True):
        column.width = Inches(share * width / sum(widths))
    for number, (row, texts) in enumerate(zip(table.rows, rows, strict=True)):
        row.height = Inches(row_height)
        for column, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            cell.margin_top = cell.margin_bottom = Inches(0.03)
            cell.margin_left = cell.margin_right = Inches(CELL_MARGINS / 2)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            _colour(cell, "BACKGROUND_1" if number else "BACKGROUND_2")
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.RIGHT if column else PP_ALIGN.LEFT
            _write(paragraph, text, CELL_SIZE if number else 10.5, bold=not number, soft=not number)


def _chart(slide: Any, content: Chart, message: str, box: Box) -> None:
    """Add a native chart, with the message as its alternative text."""
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
    from pptx.util import Inches, Pt

    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    horizontal = content.kind == "bars"
    data.categories = list(content.categories)
    if content.waterfall:  # a bar that begins above zero is stacked on one that is not drawn
        edges = zip(content.starts, *(series.values for series in content.series), strict=True)
        data.add_series("–", [min(start, start + sum(values)) for start, *values in edges])
    for series in content.series:
        number_format = SHARES if content.percent else COUNTS if series.counts else AMOUNTS
        lengths = map(abs, series.values) if content.waterfall else series.values
        data.add_series(series.name, tuple(lengths), number_format=number_format)
    kind = XL_CHART_TYPE.BAR_CLUSTERED if horizontal else XL_CHART_TYPE.COLUMN_CLUSTERED
    kind = XL_CHART_TYPE.BAR_STACKED if content.waterfall else kind
    shape = slide.shapes.add_chart(kind, *map(Inches, box), data)
    shape._element.nvGraphicFramePr.cNvPr.set("descr", message)
    chart = shape.chart
    chart.has_title, chart.font.size = False, Pt(12)
    chart.has_legend = len(content.series) > 1 and not content.waterfall
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 60, 100 if content.waterfall else 0
    drawn = list(plot.series)
    if content.waterfall:
        drawn.pop(0).format.fill.background()
    for series, bars in zip(content.series, drawn, strict=True):
        _colour(bars.format, ACCENTS[series.role])
    categories, values = chart.category_axis, chart.value_axis
    for axis, text in ((categories, content.category_axis), (values, content.value_axis)):
        _colour(axis.format.line, "ACCENT_4")
        axis.has_title = bool(text)
        if text:
            _write(axis.axis_title.text_frame.paragraphs[0], text, 11, soft=True)
    categories.reverse_order, categories.has_major_gridlines = horizontal, False
    if horizontal:
        values.tick_label_position = XL_TICK_LABEL_POSITION.HIGH
    _colour(values.major_gridlines.format.line, "ACCENT_4")
    values.tick_labels.number_format = SHARES if content.percent else TICKS
    values.tick_labels.number_format_is_linked = False
    values.minimum_scale = 0


def _write(paragraph: Any, text: str, size: float, *, bold: bool = False, soft: bool = False) -> None:
    """Add text in the theme's first text colour, or softly in its second."""
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.util import Pt

    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.theme_color = MSO_THEME_COLOR.TEXT_2 if soft else MSO_THEME_COLOR.TEXT_1


def _colour(shape: Any, name: str) -> None:
    """Fill a shape, cell or line with a colour of the theme."""
    from pptx.enum.dml import MSO_THEME_COLOR

    shape.fill.solid()
    shape.fill.fore_color.theme_color = getattr(MSO_THEME_COLOR, name)


def column_widths(content: Table, most: float) -> list[float]:
    """Return column widths that hold words and amounts on one line; sentences may wrap.

    All columns have ``most`` inches.
    """
    wide = LETTER * WIDER_FONT
    columns = zip(content.head, *content.rows, strict=True)
    longest = [max(_text_width(text, wide) * CELL_SIZE / POINTS_AN_INCH for text in column) for column in columns]
    widths = [min(MAX_CELL, width) + CELL_MARGINS for width in longest]
    return [width * min(1.0, most / sum(widths)) for width in widths]


def heading_size(text: str, width: float) -> float:
    """Return the font size at which a bold text fits into two lines, also in a replacement font."""
    return next((size for size in (24, 20) if line_count(text, width / WIDER_FONT, size) <= 2), 18)


def list_size(points: Sequence[str], width: float, room: float, sizes: Sequence[float]) -> float:
    """Return the first of some falling font sizes at which a list fits into ``room`` inches, else the last."""
    return next((size for size in sizes if list_height(points, width, size) <= room), sizes[-1])


def list_height(points: Sequence[str], width: float, size: float) -> float:
    """Return the approximate height of a list, inches."""
    return sum((line_count(point, width, size) * LINE_HEIGHT + 0.35) * size / POINTS_AN_INCH for point in points)


def line_count(text: str, width: float, size: float) -> int:
    """Return the approximate number of lines of a text in a box of a width in inches."""
    return max(1, math.ceil(_text_width(text) * size / (width * POINTS_AN_INCH)))


def _text_width(text: str, letter: float = LETTER) -> float:
    """Return a text's width on one line in font sizes; Chinese letters are as wide as high in any font."""
    return sum(1.0 if ord(char) > 0x2E7F else letter for char in text)
