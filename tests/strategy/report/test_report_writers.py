"""Slides and page, read back: native charts with their numbers, nothing outside a slide, nothing from outside."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest

from clv_core.strategy.report.document import (
    ACTUAL,
    BASELINE,
    PREDICTED,
    Chart,
    Report,
    ReportFigure,
    Section,
    Series,
    Table,
)
from clv_core.strategy.report.html import chart_svg, html_page, ticks, write_html
from clv_core.strategy.report.slides import (
    CELL_MARGINS,
    TABLE_SHARE,
    WIDER_FONT,
    column_widths,
    heading_size,
    line_count,
    list_size,
    write_slides,
)

pytestmark = pytest.mark.slow

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
HOSTILE = '<script src="http://attacker.example/x.js"></script>&"\''
LONG = "Caution: every figure of quality is rough here, because only few customers bought in the days held out. " * 2


def report(language: str = "en", name: str = "shop") -> Report:
    columns = Chart(
        "columns", ("1", "2", "3"),
        (
            Series("P", (9.5, 3.0, 0.0), PREDICTED),
            Series("A", (8.0, 4.0, -1.0), ACTUAL),
            Series("B", (5.0, 5.0, 5.0), BASELINE),
        ),
        "decile", "value, EUR",
    )  # fmt: skip
    bars = Chart("bars", ("first", "第二个原因"), (Series("effect", (2.5, 1.0), PREDICTED),), "", "effect")
    sections = (
        Section("one", "One", f"About {name}", (LONG,) * 6, (ReportFigure("Customers", "1,750", "note"),) * 4),
        Section("two", "Two", "Deciles", chart=columns),
        Section(
            "three", "Three", "Tiers", ("Keep them.",), (), Table(("Tier", "Sum"), ((name, "1"), ("b", "2"))), bars
        ),
    )
    return Report(f"Value: {name}", "Worth 10", "made", language, sections)


def texts(content: bytes) -> str:
    return "".join(node.text or "" for node in ElementTree.fromstring(content).iter(f"{DRAWING}t"))


def values_of(chart: ElementTree.Element) -> list[list[float]]:
    """Return the numbers of each series of a native chart."""
    return [
        [float(point.findtext(f"{CHART}v", "")) for point in series.find(f"{CHART}val").iter(f"{CHART}pt")]
        for series in chart.iter(f"{CHART}ser")
    ]


@pytest.fixture
def slides(tmp_path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(write_slides(report(), tmp_path / "report.pptx"))


def test_each_slide_names_the_report(slides: zipfile.ZipFile) -> None:
    names = sorted(name for name in slides.namelist() if re.fullmatch(r"ppt/slides/slide\d+\.xml", name))
    assert len(names) == 4
    assert all("Value: shop" in texts(slides.read(name)) for name in names)


def test_charts_are_native_and_can_be_edited_with_their_own_numbers(slides: zipfile.ZipFile) -> None:
    found = {}
    for name in slides.namelist():
        if re.fullmatch(r"ppt/charts/chart[^/]*\.xml", name):
            root = ElementTree.fromstring(slides.read(name))
            values = values_of(root)
            found[len(values)] = values
    assert found == {3: [[9.5, 3.0, 0.0], [8.0, 4.0, -1.0], [5.0, 5.0, 5.0]], 1: [[2.5, 1.0]]}
    books = [name for name in slides.namelist() if name.endswith(".xlsx")]
    sheets = [openpyxl.load_workbook(io.BytesIO(slides.read(name))).active for name in books]
    assert sorted(sheet["B2"].value for sheet in sheets) == [2.5, 9.5]
    assert not any(re.search("png|jpe?g", name.rpartition(".")[2]) for name in slides.namelist() if "media" in name)


def test_nothing_lies_outside_a_slide_and_chinese_letters_have_a_font(tmp_path: Path) -> None:
    from pptx import Presentation

    path = write_slides(report("zh", "店铺"), tmp_path / "report.pptx")
    book = Presentation(str(path))
    for slide in book.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.top >= 0
            assert shape.left + shape.width <= book.slide_width and shape.top + shape.height <= book.slide_height
    with zipfile.ZipFile(path) as archive:
        theme = ElementTree.fromstring(archive.read("ppt/theme/theme1.xml"))
        fonts = [font for font in theme.iter() if font.tag in (f"{DRAWING}majorFont", f"{DRAWING}minorFont")]
        texts_of_slides = [archive.read(name) for name in archive.namelist() if name.startswith("ppt/slides/slide")]
    assert [font.find(f"{DRAWING}ea").get("typeface") for font in fonts] == ["Microsoft YaHei"] * 2
    assert not any(b"typeface=" in text for text in texts_of_slides), "no text has another font than the theme's"


def test_long_lists_get_smaller_letters_until_they_fit() -> None:
    assert line_count("a" * 1000, 10, 14) > line_count("a" * 500, 10, 14) >= line_count("a" * 500, 10, 11)
    assert line_count("字" * 100, 5, 14) > line_count("a" * 100, 5, 14)
    assert list_size(["short"], 12, 4, (18, 14, 11)) == 18 and list_size([LONG] * 12, 12, 4, (18, 14, 11)) == 11


def test_a_finding_keeps_two_lines_also_in_a_font_that_is_a_fifth_wider() -> None:
    sizes = [heading_size("word " * count, 12.1) for count in (10, 26, 60)]
    assert sizes == [24, 20, 18]
    assert all(line_count("word " * count, 12.1 / 1.2, size) <= 2 for count, size in zip((10, 26), sizes, strict=False))


@pytest.mark.parametrize(
    "rows",
    [
        (
            ("Tier", "Customers", "Value", "80% interval", "Per customer", "Will buy"),
            ("Medium value", "525", "5,640 USD", "4,250 to 7,390 USD", "32.3 USD", "4%"),
            ("Low value", "699", "91.8 USD", "too few expected buyers", "0.13 USD", "0.2%"),
        ),
        (
            ("层级", "用户数", "价值", "80% 区间", "人均", "购买概率"),
            ("中等价值用户", "270", "13.7万 CNY", "8.68万至20.6万 CNY", "1,520 CNY", "29%"),
            ("低价值用户", "360", "2,090 CNY", "预计购买者太少，无法判断", "5.82 CNY", "1%"),
        ),
    ],
    ids=("en", "zh"),
)
def test_beside_a_chart_a_table_breaks_no_word_and_no_amount_in_a_wider_font(rows: tuple[tuple[str, ...], ...]) -> None:
    def fits(text: str, wide: float, size: float, wider: float) -> bool:
        return line_count(text, (wide - CELL_MARGINS) / (wider if text.isascii() else 1.0), size) == 1

    widths = column_widths(Table(rows[0], rows[1:]), TABLE_SHARE * 12.133)
    for column, wide in enumerate(widths):
        assert all(fits(word, wide, 10.5, WIDER_FONT) for word in rows[0][column].split())
        assert column == 3 or all(fits(row[column], wide, 12, WIDER_FONT / 1.1) for row in rows[1:])


@pytest.mark.timeout(120)
def test_a_presentation_program_opens_every_slide(tmp_path: Path) -> None:
    soffice, info = shutil.which("soffice"), shutil.which("pdfinfo")
    if soffice is None or info is None:
        pytest.skip("install the system packages libreoffice-impress and poppler-utils to run this test")
    write_slides(report("zh"), tmp_path / "report.pptx")
    words = [soffice, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf"]
    subprocess.run([*words, "--outdir", str(tmp_path), str(tmp_path / "report.pptx")], check=True, capture_output=True)
    if not (tmp_path / "report.pdf").exists():
        pytest.skip("LibreOffice is installed without Impress: install libreoffice-impress to run this test")
    said = subprocess.run([info, str(tmp_path / "report.pdf")], check=True, capture_output=True, text=True).stdout
    assert re.search(r"Pages:\s+4\b", said)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize(("language", "code"), [("en", "en"), ("zh", "zh-Hans")])
def test_a_page_asks_for_nothing_and_runs_nothing(language: str, code: str, tmp_path: Path) -> None:
    path = write_html(report(language, HOSTILE), tmp_path / "report.html")
    content, found = path.read_text(encoding="utf-8"), Tags()
    found.feed(content)
    assert found.addresses == []
    assert {"script", "link", "img", "iframe", "object", "form", "a"} & set(found.tags) == set()
    assert not re.search(r"url\(|@import", content) and "default-src 'none'" in content
    assert f'lang="{code}"' in content and found.tags.count("svg") == 2
    assert HOSTILE in "".join(found.texts)


def test_a_page_can_be_read_in_the_dark_and_printed() -> None:
    content = html_page(report())
    assert "@media print" in content and "prefers-color-scheme: dark" in content
    assert content.count("<div class=chart><svg") == 2, "a chart is scrolled where it would be too small to read"


def rectangles(svg: str, role: str) -> list[dict[str, float]]:
    found = ElementTree.fromstring(svg).iter("rect")
    bars = [bar for bar in found if bar.get("class") == role and bar.find("title") is not None]
    return [{key: float(bar.get(key, "")) for key in ("x", "y", "width", "height")} for bar in bars]


def test_bars_are_as_long_as_their_values_and_below_zero_is_none() -> None:
    columns, bars = (section.chart for section in report().sections[1:])
    assert columns is not None and bars is not None
    tall = [bar["height"] for bar in rectangles(chart_svg(columns, "m"), ACTUAL)]
    assert tall[0] == pytest.approx(2 * tall[1], abs=0.2) and tall[2] == 0
    long = [bar["width"] for bar in rectangles(chart_svg(bars, "m"), PREDICTED)]
    assert long[0] == pytest.approx(2.5 * long[1], abs=0.2)


def test_bars_begin_below_their_legend() -> None:
    series = (Series("P", (9.0, 3.0), PREDICTED), Series("B", (8.0, 4.0), BASELINE))
    svg = chart_svg(Chart("bars", ("first", "second"), series, "", "EUR"), "m")
    names = [bar for bar in ElementTree.fromstring(svg).iter("rect") if bar.find("title") is None]
    bottom = max(float(bar.get("y", "")) + float(bar.get("height", "")) for bar in names)
    assert len(names) == 2 and all(bar["y"] > bottom for bar in rectangles(svg, PREDICTED) + rectangles(svg, BASELINE))


def test_counts_have_nothing_behind_the_point_neither_on_a_page_nor_on_slides(tmp_path: Path) -> None:
    events, spent = Series("Events", (17_891.0, 4_571.0), PREDICTED), Series("Spent", (17_891.5, 0.25), ACTUAL)
    for series, said in ((events, "View · Events: 17,891"), (spent, "View · Spent: 17,891.50")):
        chart = Chart("bars", ("View", "Cart"), (series,), "", "events")
        svg = ElementTree.fromstring(chart_svg(chart, "m"))
        assert [title.text for title in svg.iter("title")][1] == said
        sections = (Section("one", "One", "f", chart=chart),)
        path = write_slides(Report("t", "f", "m", "en", sections), tmp_path / f"{series.name}.pptx")
        with zipfile.ZipFile(path) as slides:
            [name] = [name for name in slides.namelist() if re.fullmatch(r"ppt/charts/chart\d+\.xml", name)]
            drawn = ElementTree.fromstring(slides.read(name))
        codes = {code.text for code in drawn.iter(f"{CHART}formatCode")}
        codes |= {str(form.get("formatCode")) for form in drawn.iter(f"{CHART}numFmt")}
        assert ("#,##0" if series.counts else "#,##0.00") in codes
        assert not any("#,##0.##" in code for code in codes), "PowerPoint writes 5,000. by it"


@pytest.mark.parametrize("top", [0.003, 0.59, 1, 4, 31.5, 99, 17_891, 2.5e9])
def test_ticks_are_round_few_and_hold_the_largest_value(top: float) -> None:
    found = ticks(top)
    assert found[0] == 0 and found[-1] >= top * (1 - 1e-9) and 3 <= len(found) <= 7 and found[-2] < top
    assert ticks(0) == [0.0, 1.0]


def test_bars_of_a_waterfall_begin_where_those_above_end(tmp_path: Path) -> None:
    chart = Chart(
        "bars", ("forecast", "up", "down", "actual"),
        (
            Series("F", (100.0, 0.0, 0.0, 0.0), PREDICTED),
            Series("step", (0.0, 50.0, -30.0, 0.0), BASELINE),
            Series("A", (0.0, 0.0, 0.0, 120.0), ACTUAL),
        ),
        "", "EUR", waterfall=True,
    )  # fmt: skip
    assert chart.starts == (0.0, 100.0, 150.0, 0.0) and chart.top == 150.0
    (whole,) = rectangles(chart_svg(chart, "m"), PREDICTED)
    steps, (last,) = rectangles(chart_svg(chart, "m"), BASELINE), rectangles(chart_svg(chart, "m"), ACTUAL)
    unit = whole["width"] / 100
    assert [round((bar["x"] - whole["x"]) / unit) for bar in steps] == [100, 120]
    assert [round(bar["width"] / unit) for bar in steps] == [50, 30]
    assert last["x"] == whole["x"] and round(last["width"] / unit) == 120
    assert len({bar["y"] for bar in (whole, *steps, last)}) == 4
    sections = (Section("one", "One", "f", chart=chart),)
    with zipfile.ZipFile(write_slides(Report("t", "f", "m", "en", sections), tmp_path / "w.pptx")) as slides:
        (name,) = (name for name in slides.namelist() if re.fullmatch(r"ppt/charts/chart[^/]*\.xml", name))
        root = ElementTree.fromstring(slides.read(name))
    series = list(root.iter(f"{CHART}ser"))
    assert values_of(root) == [[0, 100, 120, 0], [100, 0, 0, 0], [0, 50, 30, 0], [0, 0, 0, 120]]
    assert series[0].find(f"{CHART}spPr/{DRAWING}noFill") is not None
    assert root.find(f".//{CHART}grouping").get("val") == "stacked" and root.find(f".//{CHART}legend") is None
