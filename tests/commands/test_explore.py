"""The command ``explore``, end to end."""

from __future__ import annotations

import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.workspace import Workspace
from tests.commands.conftest import done, run


def test_key_figures_are_those_of_the_log(small_workspace: Workspace) -> None:
    answer, facts = done(small_workspace, "explore", "shop"), open_dataset(small_workspace, "shop").manifest
    assert (answer["dataset"], answer["version"], answer["currency"]) == ("shop", facts.version, "EUR")
    assert answer["customers"] == facts.customers
    assert (answer["start"], answer["end"]) == (facts.log_start, facts.log_end)
    assert answer["net"] == pytest.approx(facts.net_revenue, abs=0.005)
    assert 0.1 < answer["top10_share"] < 1 and 0 < answer["gini"] < 1
    assert [step["step"] for step in answer["funnel"]] == ["view", "cart", "purchase"]
    for after in ("first", "later"):
        shares = [answer["back_within"][after][days] for days in ("30", "90", "180")]
        assert 0 <= shares[0] <= shares[1] <= shares[2] <= 1


def test_filters_narrow_what_is_counted(small_workspace: Workspace) -> None:
    rows = pd.read_parquet(open_dataset(small_workspace, "shop").events_path)
    channel, start, end = rows["channel"].dropna().iloc[0], "2023-06-01", "2023-09-01"
    answer = done(small_workspace, "explore", "shop", "--channel", channel, "--start", start, "--end", end)
    mine = rows[(rows["channel"] == channel) & (rows["event_time"] >= start) & (rows["event_time"] < end)]
    assert (answer["start"], answer["end"]) == (start, end)
    assert answer["customers"] == mine["customer_id"].nunique() > 0
    assert answer["net"] == pytest.approx(mine.loc[mine["event_type"].isin(["purchase", "return"]), "amount"].sum())


def test_a_channel_that_is_not_in_the_log_is_refused_with_those_that_are(small_workspace: Workspace) -> None:
    _, answer = run(small_workspace, "explore", "shop", "--channel", "fax")
    assert "search" in answer["error"]["params"]["known"]
