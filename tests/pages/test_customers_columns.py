"""Since when a value holds is asked only where a column of the customers file was said to be dated."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.datasets import customers_table
from pages.ui.datasets.customers_file import DATED, STATIC


@pytest.mark.parametrize(
    ("state", "asked"),
    (
        ({}, False),
        ({"table": {"edited_rows": {}}}, False),
        ({"table": {"edited_rows": {3: {"use": STATIC}}}}, False),
        ({"table": {"edited_rows": {3: {"use": STATIC}, 5: {"use": DATED}}}}, True),
    ),
)
def test_the_date_is_asked_for_dated_columns_alone(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], asked: bool
) -> None:
    monkeypatch.setattr(customers_table.st, "session_state", state)
    assert customers_table._any_dated("table") is asked
