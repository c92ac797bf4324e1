"""The command ``explore``, end to end."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.stored.store import open_dataset
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_key_figures_are_those_of_the_log(small_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, small_workspace, "explore", "shop")
    facts = open_dataset(small_workspace, "shop").manifest
    assert code == 0
    assert (said["dataset"], said["version"], said["currency"]) == ("shop", facts.version, "EUR")
    assert (said["start"], said["end"]) == (facts.log_start, facts.log_end)
    assert said["customers"] == facts.customers
    assert said["net"] == pytest.approx(facts.net_revenue, abs=0.005)
    assert 0.1 < said["top10_share"] < 1 and 0 < said["gini"] < 1
    assert [step["step"] for step in said["funnel"]] == ["view", "cart", "purchase"]
    for after in ("first", "later"):
        shares = [said["back_within"][after][days] for days in ("30", "90", "180")]
        assert 0 <= shares[0] <= shares[1] <= shares[2] <= 1


def test_filters_narrow_what_is_counted(small_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    rows = pd.read_parquet(open_dataset(small_workspace, "shop").events_path)
    channel = rows["channel"].dropna().iloc[0]
    start, end = "2023-06-01", "2023-09-01"
    words = ("--channel", channel, "--start", start, "--end", end)
    code, said = run(capsys, small_workspace, "explore", "shop", *words)
    mine = rows[(rows["channel"] == channel) & (rows["event_time"] >= start) & (rows["event_time"] < end)]
    assert code == 0 and (said["start"], said["end"]) == (start, end)
    assert said["customers"] == mine["customer_id"].nunique() > 0
    assert said["net"] == pytest.approx(mine.loc[mine["event_type"].isin(["purchase", "return"]), "amount"].sum())


@pytest.mark.parametrize(
    ("words", "error"), [(("--channel", "fax"), "explore_option"), (("--start", "2031-01-01"), "explore_period")]
)
def test_what_the_log_does_not_hold_is_said(
    small_workspace: Workspace, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], error: str
) -> None:
    code, said = run(capsys, small_workspace, "explore", "shop", *words)
    assert code == 2 and said["error"]["code"] == error
    assert error != "explore_option" or "search" in said["error"]["params"]["known"]
