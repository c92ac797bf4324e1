"""What all tables have in common: amounts name their currency, no brackets for a minus, no word for what is missing."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored, score
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.upkeep.lifecycle import relabel
from clv_core.workspace import Workspace
from pages.ui import cells, page_files, widgets
from pages.ui.explore import explored
from tests.pages.conftest import OPEN

PAGES = Path(__file__).resolve().parents[2] / "pages"
AMOUNTS = {
    "segments": {"predicted_clv", "clv_p10", "clv_p90", "historic_value"},
    "strategy": {"cost"},
    "customer": {"net_value", "cumulative", "predicted_clv", "historic_value"},
}
MARK = {"en": ", EUR", "zh": "，EUR"}


def columns_of(app: AppTest) -> dict[str, dict[str, Any]]:
    """All columns of all tables of a page that are configured, by id."""
    found: dict[str, dict[str, Any]] = {}
    for table in app.dataframe:
        found |= {name: one for name, one in json.loads(table.proto.columns).items() if one}
    return found


@pytest.fixture(scope="module")
def nameless(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same workspace, but nobody knows what its amounts are in."""
    root = tmp_path_factory.mktemp("nameless")
    shutil.copytree(with_model, root, dirs_exist_ok=True)
    work = Workspace(root)
    relabel(work, "shop", "")
    score(Scored.open(work, "shop", list_bundles(work)[0].id), progress=NoProgress())
    return root


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", AMOUNTS)
def test_columns_of_amounts_are_headed_by_the_currency(open_page: OPEN, with_model: Path, page: str, lang: str) -> None:
    columns = columns_of(open_page(with_model, page, lang=lang))
    assert AMOUNTS[page] <= set(columns)
    assert all(columns[name]["label"].endswith(MARK[lang]) for name in AMOUNTS[page])
    others = [columns[name]["label"] for name in ("p_purchase", "purchase_days", "capacity") if name in columns]
    assert others and not any("EUR" in label for label in others)


@pytest.mark.parametrize("page", AMOUNTS)
def test_a_log_whose_currency_is_not_known_is_given_none(open_page: OPEN, nameless: Path, page: str) -> None:
    columns = columns_of(open_page(nameless, page, lang="en"))
    assert AMOUNTS[page] <= set(columns)
    assert not any("," in columns[name]["label"] for name in AMOUNTS[page])


@pytest.mark.parametrize(
    ("rows", "options", "lines"),
    [  # the currency in every row; whole counts; the digits of what its columns do not tell; the language of the page
        ({"name": ["a", "b"], "value_sum": [1.234, -2.0]}, {"currency": "EUR"},
         ["name,value_sum,currency", "a,1.23,EUR", "b,-2.0,EUR"]),
        ({"customers": [1750, None], "low": [0.00412345678, 17.0], "spend": [0.0234567891, -2.0]}, {},
         ["customers,low,spend", "1750,0.00412345678,0.02", ",17.0,-2.0"]),
        ({"customers": [1750, None], "low": [0.00412345678, 17.0], "spend": [0.0234567891, -2.0]}, {"mixed": True},
         ["customers,low,spend", "1750,0.00412346,0.0234568", ",17.0,-2.0"]),
        ({"day": ["2024-01-05"], "net_value": [1 / 3], "events_view": [2]}, {"currency": "EUR", "language": "zh"},
         ["日期,净收入,浏览,货币", "2024-01-05,0.333,2,EUR"]),
        ({"day": ["2024-01-05"], "net_value": [1 / 3], "events_view": [2]}, {"language": "en"},
         ["day,net_value,events_view", "2024-01-05,0.333,2"]),
    ],
)  # fmt: skip
def test_a_csv_says_currency_and_digits_as_its_columns_have_them(
    rows: dict[str, list[Any]], options: dict[str, Any], lines: list[str]
) -> None:
    assert page_files.spreadsheet(pd.DataFrame(rows), **options).decode("utf-8-sig").split() == lines


def test_amounts_behind_the_charts_of_explore_have_two_places_in_the_file_whatever_they_are_called() -> None:
    table = pd.DataFrame(
        {"net": [1709.8600000000001], "per_customer": [4.0738], "return_rate": [0.123456], "lift": [1.5]}
    )
    assert explored.rounded(table).to_dict("records") == [
        {"net": 1709.86, "per_customer": 4.07, "return_rate": 0.1235, "lift": 1.5}
    ]


def test_text_from_a_file_is_never_read_as_formatting() -> None:
    assert widgets.escape("10:30 :material/home: :smile:") == "10\\:30 \\:\u2060material/home\\: \\:\u2060smile\\:"
    assert widgets.escape("ana@shop.example") == "ana@\u2060shop.example", "an id is no link to write to"
    assert widgets.escape("https://a.example www.b.example") == "https\\:\u2060//a.example www\u2060.b.example"
    assert widgets.escape("Tea &amp; _co_ **x**") == r"Tea \&amp; \_co\_ \*\*x\*\*"


def calls(name: str) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """Calls of something with this name in all pages: where, and what was given by name."""
    for path in sorted(PAGES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                given = {one.arg: one.value for one in node.keywords if one.arg}
                yield f"{path.relative_to(PAGES)}:{node.lineno}", given


def test_every_table_is_shown_in_one_way_and_every_editor_says_what_it_holds() -> None:
    """A sign for what is missing, and words for who cannot see it: the one function gives both, editors their own."""
    tables, editors = list(calls("dataframe")), list(calls("data_editor"))
    assert [where.partition(":")[0] for where, _ in tables] == ["ui/cells.py"]
    assert editors
    assert [where for where, given in tables + editors if not {"placeholder", "alt"} <= set(given)] == []


def test_no_table_writes_a_number_below_zero_in_brackets_or_by_the_rules_of_the_browser() -> None:
    """Streamlit's ``accounting`` writes (679.71); its ``localized`` writes 1.234 beside our 1,234 in some browsers."""
    said = [
        f"{path.relative_to(PAGES)}:{node.lineno}"
        for path in sorted(PAGES.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in ("accounting", "localized")
    ]
    assert said == []
    assert all("," in form and "(" not in form for form in (cells.EXACT, cells.COUNT))


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        ("%,.2f", -1234.5, "−1,234.50"),
        ("%,d", -1234, "−1,234"),
        ("%.3f", -0.25, "−0.250"),
        ("%.1f%%", -12.34, "−12.3%"),
        ("%g", -0.5, "−0.5"),
        ("%+.0f%%", -11.8, "−12%"),
        ("%+.0f%%", 12.3, "+12%"),
        ("percent", -0.5, "−50%"),
        ("percent", 0.12345, "12.35%"),
        ("", -2.50, "−2.5"),
        ("", 1200, "1200"),
        ("%,.2f", -0.001, "0.00"),
    ],
)
def test_a_number_of_a_table_has_a_minus_sign_and_else_what_its_format_says(form: str, value: float, said: str) -> None:
    assert cells.signed(value, form) == said


def test_what_is_below_zero_is_worded_and_the_numbers_stay() -> None:
    rows = pd.DataFrame({"who": ["a", None, "c"], "net": [-1234.5, None, 20.0], "days": [1, 2, 3]}, index=[4, 4, 5])
    columns = {"net": cells.money("Net", "EUR"), "days": cells.integer("Days")}
    shown, heads = cells.with_minus(rows, columns)
    assert not isinstance(shown, pd.DataFrame)
    assert shown.data["net"].tolist()[::2] == [-1234.5, 20.0]
    body = shown._translate(False, False)["body"]
    assert [[cell["display_value"] for cell in row[1:]] for row in body] == [
        ["a", "−1,234.50", "1"],
        ["–", "–", "2"],
        ["c", "20.00", "3"],
    ]
    assert "format" not in heads["net"]["type_config"] and heads["net"]["label"] == columns["net"]["label"]
    assert columns["net"]["type_config"]["format"] == cells.EXACT and heads["days"] == columns["days"]


def test_a_table_without_a_number_below_zero_and_one_of_very_many_cells_are_left_to_the_browser() -> None:
    rows = pd.DataFrame({"net": [1.0, 0.0]})
    assert cells.with_minus(rows, {})[0] is rows
    many = pd.DataFrame({"net": [-1.0] * (cells.MAX_CELLS + 1)})
    assert cells.with_minus(many, {})[0] is many


def test_every_format_of_a_column_is_one_that_can_be_worded() -> None:
    """A column with another format would write a hyphen where all others have a minus sign."""
    found = {
        given.value.value
        for path in sorted(PAGES.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name))
        for given in node.keywords
        if given.arg == "format" and isinstance(given.value, ast.Constant) and "%" in str(given.value.value)
    }
    assert found and [form for form in found if not cells.FORM.fullmatch(form)] == []
