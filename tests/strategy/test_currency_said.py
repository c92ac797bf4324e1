"""A file of amounts says what they are in; one without amounts, or of a log without a currency, says nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.i18n import translate
from clv_core.strategy.exports.files import ENDINGS, write_any
from clv_core.strategy.exports.readable import with_currency

READ = {".csv": pd.read_csv, ".xlsx": pd.read_excel, ".parquet": pd.read_parquet}
ROWS = pd.DataFrame({"customer_id": ["A1", "A2"], "predicted_clv": [12.5, 0.0], "p_purchase": [0.5, 0.1]})


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_of_file_says_the_currency_in_a_column_of_its_own(tmp_path: Path, ending: str) -> None:
    path = write_any(ROWS, tmp_path / f"list{ending}", ending, {"currency": "CHF"})
    assert READ[ending](path)["currency"].tolist() == ["CHF", "CHF"]


def test_the_column_is_called_in_the_language_of_the_list(tmp_path: Path) -> None:
    path = write_any(ROWS, tmp_path / "list.csv", ".csv", {"currency": "CHF"}, "zh")
    assert pd.read_csv(path)[translate("header.currency", "zh")].tolist() == ["CHF", "CHF"]


@pytest.mark.parametrize("about", [{}, {"currency": ""}])
def test_a_log_without_a_currency_is_given_none(tmp_path: Path, about: dict[str, str]) -> None:
    path = write_any(ROWS, tmp_path / "list.csv", ".csv", about)
    assert list(pd.read_csv(path)) == list(ROWS)


@pytest.mark.parametrize(
    "rows",
    [
        {"customer_id": ["A1"], "p_purchase": [0.5]},
        {"category": ["tea"], "elasticity": [-1.5], "low": [-2.0], "high": [-1.0]},
        {"name": ["Top"], "share_of_value": [0.6]},
        {"name": ["Top"], "before": [3]},
    ],
)
def test_a_table_without_amounts_says_none(rows: dict[str, list[object]]) -> None:
    assert "currency" not in with_currency(pd.DataFrame(rows), "CHF")


def test_a_currency_that_is_said_already_stays() -> None:
    rows = ROWS.assign(currency="EUR")
    assert with_currency(rows, "CHF")["currency"].tolist() == ["EUR", "EUR"]
