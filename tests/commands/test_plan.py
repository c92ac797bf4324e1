"""The command ``plan``, end to end on the small shop."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from clv_core.collection.store.version_store import open_dataset
from tests.commands.conftest import Shop, codes, last_export, side_file

MAIL, GIFT = "name=Mail,cost=0.05,effect=2%", "name=Gift,cost=1.5,effect=1:12%+2:9%,capacity=40"


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"customer_id": "str", "date": "str"}, encoding="utf-8-sig")


def test_a_plan_keeps_its_limits_and_its_file_adds_up(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "plan.csv"
    answer, listed = shop.done("plan", "--budget", 40, "--offer", MAIL, "--offer", GIFT, "--out", out), read(out)
    assert list(listed.columns) == ["customer_id", "offer", "expected_gain", "cost", "evidence", "currency"]
    assert len(listed) == answer["rows"] and listed["customer_id"].is_unique and (listed["expected_gain"] > 0).all()
    assert listed["cost"].sum() == pytest.approx(answer["spent"]) and answer["spent"] <= 40
    rounding = 0.005 * len(listed)  # each amount in a file for people is rounded
    assert listed["expected_gain"].sum() == pytest.approx(answer["expected_gain"], abs=rounding)
    assert answer["expected_gain"] <= answer["gain_bound"] * (1 + 1e-9)
    for offer in answer["offers"]:
        assert (listed["offer"] == offer["name"]).sum() == offer["customers"] and not offer["measured"]
    assert answer["offers"][1]["customers"] <= 40
    assert answer["gain_uniform"] < answer["expected_gain"] and answer["gain_random"] < answer["expected_gain"]
    assert answer["gain_measured"] == 0 and answer["gain_assumed"] == pytest.approx(answer["expected_gain"])
    assert answer["next_coin"]["offer"] in ("Mail", "Gift") and answer["next_coin"]["per_coin"] > 0
    side, logged = side_file(answer), last_export(shop.workspace)
    assert side["rows"] == answer["rows"] and side["scheme"] == answer["scheme"]
    assumed = [one["params"]["offer"] for one in side["assumptions"] if one["code"] == "offer_assumed"]
    assert assumed == ["Mail", "Gift"]
    assert side["assumptions"] == [one for one in answer["warnings"] if one["code"] != "not_trusted"]
    assert "gain_revenue" in codes(answer) and side["margin_rate"] == 1 and side["settings"]["budget"] == 40
    gift = side["settings"]["offers"][1]
    assert (gift["name"], gift["cost"], gift["capacity"], gift["measured"]) == ("Gift", 1.5, 40, False)
    assert {tier: one["value"] for tier, one in gift["effects"].items()} == {"1": 0.12, "2": 0.09}
    assert logged["files"] == ["plan.csv"] and logged["rows"] == answer["rows"]


def test_a_control_group_is_drawn_and_measured_afterwards_from_the_same_file(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "try.csv"
    start = (open_dataset(shop.workspace, "shop").log_end - timedelta(days=60)).isoformat()
    words = ("plan", "--budget", 1000, "--out", tmp_path / "plan.csv")
    offer = ("--offer", "name=Mail,cost=0.01,effect=9%", "--control-share", 0.4, "--start", start)
    answer, listed = shop.done(*words, *offer, "--out", path), read(path)
    control = listed["group"] == "control"
    assert set(listed["group"]) == {"offer", "control"} and set(listed["date"]) == {start}
    assert binomtest(int(control.sum()), len(listed), 0.4).pvalue > 0.01
    (drawn,) = [one["params"] for one in answer["warnings"] if one["code"] == "plan_drawn"]
    assert (drawn["treated"], drawn["control"]) == ((~control).sum(), control.sum())
    assert drawn["spent"] == pytest.approx(0.01 * (~control).sum()) and drawn["spent"] < answer["spent"]
    side = side_file(answer)
    assert side["assumptions"] == [one for one in answer["warnings"] if one["code"] != "not_trusted"]
    assert (side["settings"]["control_share"], side["settings"]["start"]) == (0.4, start)
    call = "name=Call,cost=0.01,effect=9%"
    answer = shop.done(*words, "--offer", f"name=Mail,cost=0,effect=@{path}", "--offer", call)
    effect = answer["experiments"]["Mail"]["effects"][0]
    unseen = sum(one["params"]["customers"] for one in answer["warnings"] if one["code"] == "experiment_left_out")
    assert 30 <= effect["control"] <= control.sum() and effect["treated"] + effect["control"] == len(listed) - unseen
    few = ("--offer", MAIL, "--offer", "name=Gift,cost=0.1,effect=9%,capacity=40", "--control-share", 0.4)
    answer = shop.done(*words, *few)
    (small,) = [one["params"] for one in answer["warnings"] if one["code"] == "plan_drawn_few"]
    assert small["offer"] == "Gift" and small["treated"] + small["control"] == 40


def test_offers_go_to_the_segments_of_any_scheme(shop: Shop, tmp_path: Path) -> None:
    scheme, offer = "quadrant:value=30,p=0.5,by=predicted", "name=Win back,cost=0.01,effect=3:20%"
    words = ("--scheme", scheme, "--budget", 1000, "--offer", offer, "--out", tmp_path / "plan.csv")
    answer, scored = shop.done("plan", *words), shop.scores()
    assert answer["scheme"] == side_file(answer)["scheme"] == scheme
    at_risk = scored[(scored["predicted_clv"] >= 30) & (scored["p_purchase"] < 0.5)]
    assert len(at_risk) > 3 and set(read(tmp_path / "plan.csv")["customer_id"]) == set(at_risk["customer_id"])
    assert answer["expected_gain"] == pytest.approx((0.2 * at_risk["predicted_clv"] - 0.01).sum())


def test_an_experiment_takes_the_place_of_the_assumed_effect(shop: Shop, tmp_path: Path) -> None:
    """Customers who spent more after the date are put into the treated group, so that there is an effect to find."""
    dataset = open_dataset(shop.workspace, "shop")
    events = pd.read_parquet(dataset.events_path)
    start = (pd.Timestamp(dataset.log_end) - pd.Timedelta(days=120)).strftime("%Y-%m-%d")
    after = events[(events["event_time"].astype("str") >= start) & (events["event_type"] == "purchase")]
    ids = events["customer_id"].drop_duplicates().sort_values().to_numpy()
    lucky = np.isin(ids, after["customer_id"].unique()[::2])
    group = np.where(lucky | (np.arange(len(ids)) % 2 == 0), "offer", "control")
    pd.DataFrame({"customer_id": ids, "group": group, "date": start}).to_csv(tmp_path / "tried.csv", index=False)
    offers = ("--offer", MAIL, "--offer", f"name=Gift,cost=0.2,effect=@{tmp_path / 'tried.csv'}")
    answer = shop.done("plan", "--budget", 30, *offers, "--out", tmp_path / "plan.parquet", "--lang", "zh")
    measured, gift = answer["experiments"]["Gift"], answer["offers"][1]
    assert measured["window_days"] == 90 == shop.model.record.horizon_days and measured["effects"][0]["low"] > 0
    assert gift["measured"] and all("low" in effect for effect in gift["effects"].values())
    assert answer["gain_measured_low"] < answer["gain_measured"] < answer["gain_measured_high"]
    assert answer["gain_measured"] + answer["gain_assumed"] == pytest.approx(answer["expected_gain"])
    listed = pd.read_parquet(tmp_path / "plan.parquet")
    assert set(listed.loc[listed["offer"] == "Gift", "evidence"]) == {"measured"}
    assert "experiment_left_out" in codes(answer)


def test_gain_is_margin_where_one_is_given_and_value_is_discounted(shop: Shop, tmp_path: Path) -> None:
    value = shop.scores()["predicted_clv"]
    words = ("plan", "--budget", 1e6, "--offer", "name=Mail,cost=0.5,effect=10%", "--out", tmp_path / "plan.csv")
    answer, gain = shop.done(*words, "--margin-rate", 0.3), 0.1 * 0.3 * value - 0.5
    assert answer["expected_gain"] == pytest.approx(gain[gain > 0].sum())
    assert answer["rows"] == (gain > 0).sum() < (0.1 * value > 0.5).sum()
    assert "gain_revenue" not in codes(answer)
    assert side_file(answer)["margin_rate"] == answer["margin_rate"] == 0.3
    less = shop.done(*words, "--margin-rate", 0.3, "--discount-rate", 0.5)["expected_gain"]
    assert 0.8 * answer["expected_gain"] < less < answer["expected_gain"]
