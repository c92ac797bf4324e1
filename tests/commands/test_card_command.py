"""The command ``card``, end to end on the small shop."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def log(workspace: Workspace) -> pd.DataFrame:
    path = workspace.root.parent / "log" / "events.csv"
    return pd.read_csv(path, dtype={"customer_id": "str"}, parse_dates=["event_time"])


def best(workspace: Workspace) -> str:
    purchases = log(workspace)
    return str(purchases[purchases["event_type"] == "purchase"]["customer_id"].value_counts().index[0])


def test_card_holds_history_forecast_and_both_together(
    small_workspace: Workspace, small_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    customer, events = best(small_workspace), log(small_workspace)
    code, said = run(capsys, small_workspace, "card", "shop", "--model", small_bundle.id, "--customer", customer)
    mine = events[events["customer_id"] == customer]
    spent = mine[mine["event_type"].isin(["purchase", "return"])]["amount"].sum()
    assert code == 0 and said["customer_id"] == customer and said["currency"] == "EUR"
    assert said["historic"] == pytest.approx(spent) == pytest.approx(said["history"][-1]["cumulative"])
    assert said["total"] == pytest.approx(spent + said["predicted"])
    assert said["total_low"] <= said["total_high"] and 0 <= said["p_purchase"] <= 1
    assert sum(row["events"] for row in said["events"]) == len(mine)
    assert len(said["similar"]) == 5 and customer not in [row["customer_id"] for row in said["similar"]]
    assert len(said["why"]["sentences"]) == 2 and said["why"]["source"] == "facts"
    assert said["action"] and said["trust"]["verdict"] in ("trusted", "caution", "not_trusted")
    end = open_dataset(small_workspace, "shop").log_end
    expected = said["next_order"]["expected"]
    assert expected is None or end.isoformat() <= expected < (end + timedelta(days=90)).isoformat()
    assert (expected is not None) == (said["p_purchase"] >= 0.5)


def test_card_of_an_earlier_cutoff_knows_nothing_later_and_speaks_chinese(
    small_workspace: Workspace, small_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("card", "shop", "--model", small_bundle.id, "--customer", best(small_workspace))
    code, said = run(capsys, small_workspace, *words, "--cutoff", "2024-01-01", "--lang", "zh")
    assert code == 0 and said["as_of"] == "2024-01-01"
    assert max(row["day"] for row in [*said["history"], *said["events"]]) < "2024-01-01"
    assert "价值用户" in said["tier_name"] and "下单" in said["next_order"]["message"]


def test_unknown_customer_is_refused_with_ids_that_begin_alike(
    small_workspace: Workspace, small_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    known = sorted(set(log(small_workspace)["customer_id"]))[0]
    words = ("card", "shop", "--model", small_bundle.id, "--customer")
    code, said = run(capsys, small_workspace, *words, known[:-1])
    assert code == 4 and said["error"]["code"] == "customer_unknown_like" and known in said["error"]["message"]
    code, said = run(capsys, small_workspace, *words, "nobody")
    assert code == 4 and said["error"]["code"] == "customer_unknown" and "nobody" in said["error"]["message"]
