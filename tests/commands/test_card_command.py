"""The command ``card``, end to end on the small shop."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from clv_core import audit
from clv_core.collection.store.version_store import open_dataset
from tests.commands.conftest import Shop, done


@pytest.fixture
def events(shop: Shop) -> pd.DataFrame:
    path = shop.workspace.root.parent / "log" / "events.csv"
    return pd.read_csv(path, dtype={"customer_id": "str"}, parse_dates=["event_time"])


@pytest.fixture
def best(events: pd.DataFrame) -> str:
    return str(events[events["event_type"] == "purchase"]["customer_id"].value_counts().index[0])


def test_card_holds_history_forecast_and_both_together(shop: Shop, events: pd.DataFrame, best: str) -> None:
    card = shop.done("card", "--customer", best)
    mine = events[events["customer_id"] == best]
    spent = mine[mine["event_type"].isin(["purchase", "return"])]["amount"].sum()
    assert card["customer_id"] == best and card["currency"] == "EUR"
    assert card["historic"] == pytest.approx(spent) == pytest.approx(card["history"][-1]["cumulative"])
    assert card["total"] == pytest.approx(spent + card["predicted"])
    assert card["total_low"] <= card["total_high"] and 0 <= card["p_purchase"] <= 1
    assert sum(row["events"] for row in card["events"]) == len(mine)
    assert len(card["similar"]) == 5 and best not in [row["customer_id"] for row in card["similar"]]
    assert len(card["why"]["sentences"]) == 2 and card["why"]["source"] == "facts"
    assert card["action"] and card["trust"]["verdict"] in ("trusted", "caution", "not_trusted")
    end = open_dataset(shop.workspace, "shop").log_end
    expected = card["next_order"]["expected"]
    assert expected is None or end.isoformat() <= expected < (end + timedelta(days=90)).isoformat()
    assert (expected is not None) == (card["p_purchase"] >= 0.5)


def test_card_of_an_earlier_cutoff_knows_nothing_later_and_speaks_chinese(shop: Shop, best: str) -> None:
    card = shop.done("card", "--customer", best, "--cutoff", "2024-01-01", "--lang", "zh")
    assert card["as_of"] == "2024-01-01"
    assert max(row["day"] for row in [*card["history"], *card["events"]]) < "2024-01-01"
    assert "价值用户" in card["tier_name"] and "下单" in card["next_order"]["message"]


def test_unknown_customer_is_refused_with_ids_that_begin_alike(shop: Shop, events: pd.DataFrame) -> None:
    first = min(events["customer_id"])
    for asked, error, named in ((first[:-1], "customer_unknown_like", first), ("nobody", "customer_unknown", "nobody")):
        code, answer = shop.run("card", "--customer", asked)
        assert (code, answer["error"]["code"]) == (4, error) and named in answer["error"]["message"]


def test_who_looked_at_the_card_is_noted_and_listed(shop: Shop, best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLV_ACTOR", "ana@shop.example")
    before = done(shop.workspace, "audit", "views", best)["views"]
    shop.done("card", "--customer", best)
    views = done(shop.workspace, "audit", "views", best)["views"]
    assert len(views) == len(before) + 1
    assert (views[0]["who"], views[0]["dataset"], views[0]["model"]) == ("ana@shop.example", "shop", shop.model.id)
    assert best not in audit.path_of(shop.workspace).read_text()
