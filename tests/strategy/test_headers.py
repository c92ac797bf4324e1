"""What columns are called in a file that a person opens; its counts are whole numbers, its amounts say their money."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from clv_core.columns import CUSTOMER_ID
from clv_core.i18n import catalogue
from clv_core.strategy.audiences import Assumption
from clv_core.strategy.audiences.export import export
from clv_core.strategy.audiences.list_files import ENDINGS, write_any
from clv_core.strategy.audiences.readable_columns import headed, header, with_currency
from clv_core.strategy.plans.budget_plan import COST, EVIDENCE, GAIN, OFFER
from clv_core.strategy.pricing.price_responses import Responses
from clv_core.strategy.pricing.price_rule import price_table
from tests.strategy.lists import SIDE

LIST = pd.DataFrame(
    {
        "customer_id": ["007", "008", "009"],
        "p_purchase": [0.99, 0.5, 0.01],
        "predicted_clv": [90.0, 8.0, 1.0],
        "days_since_last": [4.0, 31.0, np.nan],
        "purchase_days": [20, 2, 0],
        "own column": ["x", "y", "z"],
    }
)
PRICES = (
    *("category", "tier", "elasticity", "low", "high", "error", "discount_effect", "discount_low", "discount_high"),
    *("products", "rows", "variation", "range"),
)
CHINESE = ["用户编号", "购买概率", "预测价值", "距最近购买天数", "购买天数", "own column", "货币"]


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_chinese_list_has_chinese_headers_and_one_for_programs_keeps_ids(tmp_path: Path) -> None:
    spoken = export(LIST, "csv", tmp_path / "zh.csv", side=SIDE, language="zh").files[0]
    plain = export(LIST, "csv", tmp_path / "ids.csv", side=SIDE).files[0]
    assert rows(spoken)[0] == CHINESE and rows(plain)[0] == [*LIST, "currency"]
    assert rows(spoken)[1:] == rows(plain)[1:]


def test_a_chinese_workbook_has_chinese_headers_and_says_what_it_is_in_chinese(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(export(LIST, "xlsx", tmp_path / "zh.xlsx", side=SIDE, language="zh").files[0])
    assert book.sheetnames == ["名单", "说明"]
    assert [cell.value for cell in book["名单"][1]] == CHINESE
    facts = {row[0].value: row[1].value for row in book["说明"].iter_rows()}
    assert facts["数据集"] == "shop" and facts["数据版本"] == "a" * 12 and facts["模型"] == "shop-hybrid-1"


@pytest.mark.parametrize("language", ("", "zh"))
def test_days_and_counts_are_whole_numbers_and_money_has_two_places(tmp_path: Path, language: str) -> None:
    book = openpyxl.load_workbook(export(LIST, "xlsx", tmp_path / "list.xlsx", side=SIDE, language=language).files[0])
    first, last = (book.worksheets[0][row] for row in (2, 4))
    assert first[3].value == 4 and first[3].number_format == "General" and last[3].value is None
    assert first[4].number_format == "General" and first[2].number_format == "0.00"
    path = export(LIST, "csv", tmp_path / "list.csv", side=SIDE, language=language).files[0]
    assert [row[3:5] for row in rows(path)[1:]] == [["4", "20"], ["31", "2"], ["", "0"]]


def test_no_two_columns_of_a_list_get_one_name() -> None:
    """Facts on the second sheet and columns of the first never stand beside each other."""
    facts = ("dataset", "dataset_version", "cutoff", "about_sheet", "customers_sheet")
    names = [key.removeprefix("header.") for key in catalogue("zh") if key.startswith("header.")]
    frame = headed(pd.DataFrame(columns=[name for name in names if name not in facts]), "zh")
    assert frame.columns.is_unique


def test_every_column_of_a_plan_and_of_measured_prices_has_a_chinese_name() -> None:
    plan = (CUSTOMER_ID, OFFER, GAIN, COST, EVIDENCE)
    found = Responses(*(pd.DataFrame(columns=columns) for columns in (PRICES, [], [], [], [])), 7, date(2024, 1, 1))
    prices = price_table(found, None, [], "zh").columns
    for name in (*plan, *prices, *(f"rule_{name}" for name in ("change", "base", "revenue", "margin", "beyond"))):
        assert header(name, "zh") != name, name


def test_sentences_of_a_workbook_stand_beside_each_other_as_the_language_has_it() -> None:
    for said, joined in ((["一句。", "又一句。"], "一句。又一句。"), (["One.", "Two."], "One. Two.")):
        side = replace(SIDE, assumptions=tuple(Assumption("x", {}, one) for one in said))
        assert side.about["assumptions"] == joined


@pytest.mark.parametrize("ending", ("csv", "xlsx"))
def test_a_chinese_plan_says_what_its_effects_rest_on_in_chinese(tmp_path: Path, ending: str) -> None:
    kinds = ["assumed", "measured"]
    plan = pd.DataFrame({CUSTOMER_ID: ["7", "8"], OFFER: "Mail", GAIN: 1.0, COST: 0.1, EVIDENCE: kinds})
    said = {}
    for language in ("", "zh"):
        path = export(plan, ending, tmp_path / f"{language}.{ending}", side=SIDE, language=language).files[0]
        table = pd.read_csv(path, encoding="utf-8-sig") if ending == "csv" else pd.read_excel(path, engine="openpyxl")
        said[language] = table.iloc[:, 4].tolist()
    assert said == {"": kinds, "zh": ["假设", "实测"]}


READ = {".csv": pd.read_csv, ".xlsx": partial(pd.read_excel, engine="openpyxl"), ".parquet": pd.read_parquet}
AMOUNTS = pd.DataFrame({"customer_id": ["A1", "A2"], "predicted_clv": [12.5, 0.0], "p_purchase": [0.5, 0.1]})


@pytest.mark.parametrize(
    ("ending", "language", "column"),
    [*[(ending, "", "currency") for ending in ENDINGS], (".csv", "zh", "货币"), (".xlsx", "zh", "货币")],
)
def test_a_file_of_amounts_has_a_currency_column(tmp_path: Path, ending: str, language: str, column: str) -> None:
    path = write_any(AMOUNTS, tmp_path / f"list{ending}", ending, {"currency": "CHF"}, language)
    assert READ[ending](path)[column].tolist() == ["CHF", "CHF"]


def test_a_log_without_a_currency_is_given_none(tmp_path: Path) -> None:
    for about in ({}, {"currency": ""}):
        assert list(pd.read_csv(write_any(AMOUNTS, tmp_path / "list.csv", ".csv", about))) == list(AMOUNTS)


@pytest.mark.parametrize(
    "rows",
    [
        {"customer_id": ["A1"], "p_purchase": [0.5]},
        {"category": ["tea"], "elasticity": [-1.5], "low": [-2.0], "high": [-1.0]},
        {"name": ["Top"], "share_of_value": [0.6]},
        {"name": ["Top"], "before": [3]},
    ],
)
def test_a_table_without_amounts_or_with_a_currency_gets_none(rows: dict[str, list[object]]) -> None:
    assert "currency" not in with_currency(pd.DataFrame(rows), "CHF")
    assert with_currency(AMOUNTS.assign(currency="EUR"), "CHF")["currency"].tolist() == ["EUR", "EUR"]
