"""What slides are put together from: text, figures, tables and native charts, placed in inches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from clv_core.strategy.report.content import ACTUAL, BASELINE, PREDICTED, Chart, ReportFigure, Table

Box = tuple[float, float, float, float]
"""Left, top, width and height, inches."""

INK: Final = "1B2127"
SOFT: Final = "5B6470"
LINE: Final = "DDE2E7"
CARD: Final = "F4F6F8"
ACCENT: Final = "1F6FB2"
COLOURS: Final = {PREDICTED: ACCENT, ACTUAL: INK, BASELINE: "9AA3AD"}
LATIN: Final = "Calibri"
EAST_ASIAN: Final = "Microsoft YaHei"
POINTS_AN_INCH: Final = 72
LETTER: Final = 0.55
"""Mean width of a Latin letter in heights of the font; a Chinese one is as wide as high."""
STAND_IN: Final = 1.2
"""Width of a bold letter of the fonts that are taken where ours are missing, in the letters that are counted with."""
LEADING: Final = 1.25
SHARES: Final = "0%"
COUNTS: Final = "#,##0"
AMOUNTS: Final = "#,##0.00"
TICKS: Final = "[>=1000]#,##0;General"
"""Ticks of an axis: thousands apart, and no point at a number's end, where PowerPoint leaves one by #,##0.##."""
CELL_SIZE: Final = 12
LONGEST: Final = 2.2
"""Inches of a cell's text that a column makes room for at most."""
CELL_EDGES: Final = 0.14
"""Inches of a cell, left and right together, that hold no letters."""


def lines(text: str, wide: float, size: float) -> int:
    """Return about how many lines a text takes in a box ``wide`` inches wide."""
    return max(1, math.ceil(LETTER * _letters(text) * size / (wide * POINTS_AN_INCH)))


def _letters(text: str) -> float:
    """Return a text's length in Latin letters."""
    return sum(1 / LETTER if ord(letter) > 0x2E7F else 1.0 for letter in text)


def heading(text: str, wide: float) -> float:
    """Return the font size at which a bold text fits into two lines, also where a wider font stands in for ours."""
    return next((size for size in (24, 20) if lines(text, wide / STAND_IN, size) <= 2), 18)


def fitting(sentences: Sequence[str], wide: float, room: float, sizes: Sequence[float]) -> float:
    """Return the largest of some falling font sizes at which a list fits into ``room`` inches, else the smallest."""
    return next((size for size in sizes if list_high(sentences, wide, size) <= room), sizes[-1])


def list_high(sentences: Sequence[str], wide: float, size: float) -> float:
    """Return about how high a list is, inches."""
    return sum(high(sentence, wide, size) for sentence in sentences)


def high(text: str, wide: float, size: float) -> float:
    """Return about how high a point of a list is, inches."""
    return (lines(text, wide, size) * LEADING + 0.35) * size / POINTS_AN_INCH


def text(
    slide: Any, words: str, box: Box, *, size: float, bold: bool = False, colour: str = INK, right: bool = False
) -> None:
    """Put a text that wraps into a box."""
    from pptx.enum.text import PP_ALIGN

    frame = _frame(slide, box)
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
    _write(paragraph, words, size, bold, colour)


def points(slide: Any, sentences: Sequence[str], box: Box, size: float) -> None:
    """Put sentences into a box, a bullet before each."""
    frame = _frame(slide, box)
    for place, sentence in enumerate(sentences):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        _bullet(paragraph, size)
        _write(paragraph, sentence, size, False, INK)


def figures(slide: Any, row: Sequence[ReportFigure], box: Box, gap: float) -> None:
    """Put figures side by side, each on a card."""
    left, top, wide, tall = box
    each = (wide - gap * (len(row) - 1)) / len(row)
    for place, figure in enumerate(row):
        x = left + place * (each + gap)
        band(slide, x, top, each, tall, CARD)
        text(slide, figure.label, (x + 0.1, top + 0.06, each - 0.2, 0.3), size=12, colour=SOFT)
        text(slide, figure.value, (x + 0.1, top + 0.34, each - 0.2, 0.5), size=24, bold=True)
        if figure.note:
            text(slide, figure.note, (x + 0.1, top + 0.86, each - 0.2, 0.32), size=11, colour=SOFT)


def table(slide: Any, content: Table, box: Box) -> None:
    """Put a table that can be edited; ``box`` has the height of one row."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Inches

    left, top, wide, row_high = box
    count, columns = len(content.rows) + 1, len(content.head)
    place = (Inches(left), Inches(top), Inches(wide), Inches(row_high * count))
    drawn = slide.shapes.add_table(count, columns, *place).table
    widths = column_widths(content, wide)
    stretched = wide / sum(widths)
    for column in range(columns):
        drawn.columns[column].width = Inches(stretched * widths[column])
    for row, cells in enumerate((content.head, *content.rows)):
        drawn.rows[row].height = Inches(row_high)
        for column, words in enumerate(cells):
            cell = drawn.cell(row, column)
            cell.margin_top = cell.margin_bottom = Inches(0.03)
            cell.margin_left = cell.margin_right = Inches(CELL_EDGES / 2)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            cell.fill.solid()
            cell.fill.fore_color.rgb = _rgb(CARD if row == 0 else "FFFFFF")
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.LEFT if column == 0 else PP_ALIGN.RIGHT
            _write(paragraph, words, 10.5 if row == 0 else CELL_SIZE, row == 0, SOFT if row == 0 else INK)


def chart(slide: Any, content: Chart, message: str, box: Box) -> None:
    """Put a native chart, with the message as its alternative text."""
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
    from pptx.util import Inches, Pt

    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    lying = content.kind == "bars"
    data.categories = list(content.categories)
    for series in content.series:
        shown = SHARES if content.percent else COUNTS if series.counts else AMOUNTS
        data.add_series(series.name, series.values, number_format=shown)
    kind = XL_CHART_TYPE.BAR_CLUSTERED if lying else XL_CHART_TYPE.COLUMN_CLUSTERED
    shape = slide.shapes.add_chart(kind, *(Inches(value) for value in box), data)
    shape._element.nvGraphicFramePr.cNvPr.set("descr", message)
    drawn = shape.chart
    drawn.has_title = False
    drawn.font.size, drawn.font.color.rgb = Pt(12), _rgb(INK)
    _font(drawn.font._rPr)
    drawn.has_legend = len(content.series) > 1
    if drawn.has_legend:
        drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    for series, drawn_series in zip(content.series, drawn.plots[0].series, strict=True):
        drawn_series.format.fill.solid()
        drawn_series.format.fill.fore_color.rgb = _rgb(COLOURS[series.role])
    drawn.plots[0].gap_width, drawn.plots[0].overlap = 60, 0
    _axis(drawn.category_axis, content.category_axis)
    _axis(drawn.value_axis, content.value_axis)
    drawn.category_axis.reverse_order = lying
    if lying:
        drawn.value_axis.tick_label_position = XL_TICK_LABEL_POSITION.HIGH
    drawn.category_axis.has_major_gridlines = False
    drawn.value_axis.major_gridlines.format.line.color.rgb = _rgb(LINE)
    drawn.value_axis.tick_labels.number_format = SHARES if content.percent else TICKS
    drawn.value_axis.tick_labels.number_format_is_linked = False
    drawn.value_axis.minimum_scale = 0


def band(slide: Any, left: float, top: float, wide: float, tall: float, colour: str = ACCENT) -> None:
    """Put a filled rectangle."""
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.util import Inches

    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *(Inches(value) for value in (left, top, wide, tall)))
    shape.fill.solid()
    shape.fill.fore_color.rgb = _rgb(colour)
    shape.line.fill.background()
    shape.shadow.inherit = False


def column_widths(content: Table, most: float) -> list[float]:
    """Return the widths of a table's columns, which hold its words and amounts on one line; a sentence may take two.

    Args:
        content: the table.
        most: inches that all of them have together.
    """
    cells = (content.head, *content.rows)
    longest = [max(_wide_inches(row[column]) for row in cells) for column in range(len(content.head))]
    wide = [min(LONGEST, one) + CELL_EDGES for one in longest]
    return [one * min(1.0, most / sum(wide)) for one in wide]


def _wide_inches(text: str) -> float:
    """Return how wide a cell's text may become on one line; Chinese letters are as wide as high in any font."""
    heights = sum(1.0 if ord(letter) > 0x2E7F else LETTER * STAND_IN for letter in text)
    return heights * CELL_SIZE / POINTS_AN_INCH


def _axis(axis: Any, title: str) -> None:
    from pptx.util import Pt

    axis.format.line.color.rgb = _rgb(LINE)
    axis.tick_labels.font.size = Pt(12)
    axis.has_title = bool(title)
    if title:
        _write(axis.axis_title.text_frame.paragraphs[0], title, 11, False, SOFT)


def _frame(slide: Any, box: Box) -> Any:
    from pptx.util import Inches

    frame = slide.shapes.add_textbox(*(Inches(value) for value in box)).text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    return frame


def _write(paragraph: Any, words: str, size: float, bold: bool, colour: str) -> None:
    from pptx.util import Pt

    run = paragraph.add_run()
    run.text = words
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, _rgb(colour)
    _font(run.font._rPr)


def _font(properties: Any) -> None:
    """Name the fonts for Latin and for Chinese letters; python-pptx knows the first only."""
    from pptx.oxml.ns import qn

    for tag, name in (("a:latin", LATIN), ("a:ea", EAST_ASIAN)):
        for old in properties.findall(qn(tag)):
            properties.remove(old)
        properties.append(properties.makeelement(qn(tag), {"typeface": name}))


def _bullet(paragraph: Any, size: float) -> None:
    from pptx.oxml.ns import qn
    from pptx.util import Inches, Pt

    paragraph.space_after = Pt(0.35 * size)
    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", str(Inches(0.25)))
    properties.set("indent", str(-Inches(0.25)))
    properties.append(properties.makeelement(qn("a:buChar"), {"char": "•"}))


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour)  # type: ignore[no-untyped-call]
