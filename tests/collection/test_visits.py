"""Logs of sessions, as web analytics exports them: most rows tell of no money."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.check import Check, check_file

pytestmark = pytest.mark.first(2)


def sessions(blank: str = "", share: float = 0.1, order: bool = False) -> pd.DataFrame:
    """300 sessions of 40 visitors; in a share of them something was paid."""
    paid = [at % round(1 / share) == 0 for at in range(300)]
    table = pd.DataFrame(
        {
            "visitor_id": [f"v{at % 40}" for at in range(300)],
            "visit_id": [f"s{at}" for at in range(300)],
            "date": pd.date_range("2024-01-01", periods=300, freq="8h").strftime("%Y-%m-%d %H:%M"),
            "revenue": [f"{10 + at / 4:.2f}" if some else blank for at, some in enumerate(paid)],
        }
    )
    return table.assign(transaction_id=[f"t{at}" if some else "" for at, some in enumerate(paid)]) if order else table


def look(folder: Path, table: pd.DataFrame) -> Check:
    table.to_csv(folder / "sessions.csv", index=False)
    return check_file(folder / "sessions.csv")


@pytest.mark.examples(3)
@pytest.mark.parametrize("order", [True, False])
@pytest.mark.parametrize("blank", ["", "0.00"])
def test_a_session_in_which_nothing_was_paid_is_a_view(tmp_path: Path, blank: str, order: bool) -> None:
    table = sessions(blank, order=order)
    found = look(tmp_path, table)
    facts = found.manifest
    assert facts.event_types == {"view": 270, "purchase": 30} and facts.rows_set_aside == 0
    assert facts.customers == 40
    assert facts.net_revenue == pytest.approx(pd.to_numeric(table["revenue"]).sum())
    assert {one.code: one.params["rows"] for one in found.warnings} == {"warning.visits": 270}


def test_a_missing_amount_among_paid_sessions_is_set_aside(tmp_path: Path) -> None:
    table = sessions(share=1.0)
    table.loc[[3, 7], "revenue"] = ""
    assert look(tmp_path, table).manifest.rows_set_aside == 2


def test_an_order_without_an_amount_is_no_visit(tmp_path: Path) -> None:
    table = sessions(order=True)
    table.loc[[1, 2], "transaction_id"] = ["t1", "t2"]
    facts = look(tmp_path, table).manifest
    assert facts.rows_set_aside == 2 and facts.event_types["view"] == 268


def test_rows_without_a_session_and_an_amount_are_set_aside(tmp_path: Path) -> None:
    facts = look(tmp_path, sessions().drop(columns="visit_id")).manifest
    assert facts.rows_set_aside == 270 and facts.event_types == {"purchase": 30}
