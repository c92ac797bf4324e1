"""The command ``plan``, end to end on the small shop."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from clv_core.cli import main
from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.kept_scores import scores
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

MAIL, GIFT = "name=Mail,cost=0.05,effect=2%", "name=Gift,cost=1.5,effect=1:12%+2:9%,capacity=40"


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["plan", "shop", *words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_plan_keeps_its_limits_and_its_file_adds_up(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--model", small_bundle.id, "--budget", "40", "--offer", MAIL, "--offer", GIFT, "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "plan.csv"))
    assert code == 0, said
    listed = pd.read_csv(tmp_path / "plan.csv", dtype={"customer_id": "str"}, encoding="utf-8-sig")
    assert list(listed.columns) == ["customer_id", "offer", "expected_gain", "cost", "evidence", "currency"]
    assert len(listed) == said["rows"] and listed["customer_id"].is_unique and (listed["expected_gain"] > 0).all()
    assert listed["cost"].sum() == pytest.approx(said["spent"]) and said["spent"] <= 40
    rounding = 0.005 * len(listed)  # each amount in a file for people is rounded
    assert listed["expected_gain"].sum() == pytest.approx(said["expected_gain"], abs=rounding)
    assert said["expected_gain"] <= said["gain_bound"] * (1 + 1e-9)
    for offer in said["offers"]:
        assert (listed["offer"] == offer["name"]).sum() == offer["customers"] and not offer["measured"]
    assert said["offers"][1]["customers"] <= 40
    assert said["gain_uniform"] < said["expected_gain"] and said["gain_random"] < said["expected_gain"]
    assert said["gain_measured"] == 0 and said["gain_assumed"] == pytest.approx(said["expected_gain"])
    assert said["next_coin"]["offer"] in ("Mail", "Gift") and said["next_coin"]["per_coin"] > 0
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    assert side["rows"] == said["rows"] and side["scheme"] == said["scheme"]
    assumed = [one for one in side["assumptions"] if one["code"] == "offer_assumed"]
    assert [one["params"]["offer"] for one in assumed] == ["Mail", "Gift"]
    assert side["assumptions"] == [one for one in said["warnings"] if one["code"] != "not_trusted"]
    assert "gain_revenue" in [one["code"] for one in said["warnings"]] and side["margin_rate"] == 1
    assert side["settings"]["budget"] == 40
    gift = side["settings"]["offers"][1]
    assert (gift["name"], gift["cost"], gift["capacity"], gift["measured"]) == ("Gift", 1.5, 40, False)
    assert {tier: one["value"] for tier, one in gift["effects"].items()} == {"1": 0.12, "2": 0.09}
    log = [json.loads(line) for line in (small_workspace.exports / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["files"] == ["plan.csv"] and log[-1]["rows"] == said["rows"]


def test_a_control_group_is_drawn_and_measured_afterwards_from_the_same_file(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, dataset = tmp_path / "try.csv", open_dataset(small_workspace, "shop")
    start = (dataset.log_end - timedelta(days=60)).isoformat()
    words = ("--model", small_bundle.id, "--budget", "1000", "--offer", "name=Mail,cost=0.01,effect=9%", "--out")
    code, said = run(capsys, small_workspace, *words, str(path), "--control-share", "0.4", "--start", start)
    assert code == 0, said
    listed = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    control = listed["group"] == "control"
    assert set(listed["group"]) == {"offer", "control"} and set(listed["date"]) == {start}
    assert binomtest(int(control.sum()), len(listed), 0.4).pvalue > 0.01
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    (drawn,) = [one["params"] for one in said["warnings"] if one["code"] == "plan_drawn"]
    assert (drawn["treated"], drawn["control"]) == ((~control).sum(), control.sum())
    assert drawn["spent"] == pytest.approx(0.01 * (~control).sum()) and drawn["spent"] < said["spent"]
    assert side["assumptions"] == [one for one in said["warnings"] if one["code"] != "not_trusted"]
    assert (side["settings"]["control_share"], side["settings"]["start"]) == (0.4, start)
    offers = ("--offer", f"name=Mail,cost=0,effect=@{path}", "--offer", "name=Call,cost=0.01,effect=9%")
    words = ("--model", small_bundle.id, "--budget", "1000", *offers, "--out", str(tmp_path / "plan.csv"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 0, said
    found = said["experiments"]["Mail"]["effects"][0]
    unseen = sum(one["params"]["customers"] for one in said["warnings"] if one["code"] == "experiment_left_out")
    assert 30 <= found["control"] <= control.sum() and found["treated"] + found["control"] == len(listed) - unseen
    words = ("--model", small_bundle.id, "--budget", "9", "--offer", MAIL, "--out", str(tmp_path / "no.csv"))
    few = ("--offer", "name=Gift,cost=0.1,effect=9%,capacity=40", "--budget", "1000")
    code, said = run(capsys, small_workspace, *words, *few, "--control-share", "0.4")
    (small,) = [one["params"] for one in said["warnings"] if one["code"] == "plan_drawn_few"]
    assert code == 0 and small["offer"] == "Gift" and small["treated"] + small["control"] == 40
    code, said = run(capsys, small_workspace, *words, "--control-share", "20")
    assert code == 2 and said["error"]["code"] == "experiment_share"


def test_offers_go_to_the_segments_of_any_scheme(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--model", small_bundle.id, "--scheme", "quadrant:value=30,p=0.5,by=predicted", "--budget", "1000")
    offer = "name=Win back,cost=0.01,effect=3:20%"
    code, said = run(capsys, small_workspace, *words, "--offer", offer, "--out", str(tmp_path / "plan.csv"))
    assert code == 0 and said["scheme"] == "quadrant:value=30,p=0.5,by=predicted"
    scored = scores(small_workspace, "shop", small_bundle.id, progress=NoProgress())
    at_risk = scored[(scored["predicted_clv"] >= 30) & (scored["p_purchase"] < 0.5)]
    listed = pd.read_csv(tmp_path / "plan.csv", dtype={"customer_id": "str"}, encoding="utf-8-sig")
    assert len(at_risk) > 3 and set(listed["customer_id"]) == set(at_risk["customer_id"])
    assert said["expected_gain"] == pytest.approx((0.2 * at_risk["predicted_clv"] - 0.01).sum())
    assert json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))["scheme"] == said["scheme"]
    words = ("--model", small_bundle.id, "--scheme", "quadrant", "--budget", "9", "--out", str(tmp_path / "none.csv"))
    code, said = run(capsys, small_workspace, *words, "--offer", "name=No,cost=1,effect=5:20%")
    assert code == 2 and said["error"]["code"] == "offer_tier" and not (tmp_path / "none.csv").exists()


def test_an_experiment_takes_the_place_of_the_assumed_effect(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Customers who spent more after the date are put into the treated group, so that there is an effect to find."""
    dataset = open_dataset(small_workspace, "shop")
    events = pd.read_parquet(dataset.events_path)
    start = (pd.Timestamp(dataset.log_end) - pd.Timedelta(days=120)).strftime("%Y-%m-%d")
    after = events[(events["event_time"].astype("str") >= start) & (events["event_type"] == "purchase")]
    ids = events["customer_id"].drop_duplicates().sort_values().to_numpy()
    lucky = np.isin(ids, after["customer_id"].unique()[::2])
    group = np.where(lucky | (np.arange(len(ids)) % 2 == 0), "offer", "control")
    pd.DataFrame({"customer_id": ids, "group": group, "date": start}).to_csv(tmp_path / "tried.csv", index=False)
    offer = f"name=Gift,cost=0.2,effect=@{tmp_path / 'tried.csv'}"
    words = ("--model", small_bundle.id, "--budget", "30", "--offer", MAIL, "--offer", offer, "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "plan.parquet"), "--lang", "zh")
    assert code == 0, said
    found = said["experiments"]["Gift"]
    assert found["window_days"] == 90 == small_bundle.record["horizon_days"] and found["effects"][0]["low"] > 0
    gift = said["offers"][1]
    assert gift["measured"] and all("low" in effect for effect in gift["effects"].values())
    assert said["gain_measured_low"] < said["gain_measured"] < said["gain_measured_high"]
    assert said["gain_measured"] + said["gain_assumed"] == pytest.approx(said["expected_gain"])
    listed = pd.read_parquet(tmp_path / "plan.parquet")
    assert set(listed.loc[listed["offer"] == "Gift", "evidence"]) == {"measured"}
    assert "experiment_left_out" in [warning["code"] for warning in said["warnings"]]


def test_gain_is_margin_where_one_is_given_and_value_is_discounted(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored = scores(small_workspace, "shop", small_bundle.id, progress=NoProgress()).set_index("customer_id")
    words = ("--model", small_bundle.id, "--budget", "1e6", "--offer", "name=Mail,cost=0.5,effect=10%", "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "plan.csv"), "--margin-rate", "0.3")
    gain = 0.1 * 0.3 * scored["predicted_clv"] - 0.5
    assert code == 0 and said["expected_gain"] == pytest.approx(gain[gain > 0].sum())
    assert said["rows"] == (gain > 0).sum() < (0.1 * scored["predicted_clv"] > 0.5).sum()
    assert "gain_revenue" not in [one["code"] for one in said["warnings"]]
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    assert (side["margin_rate"], said["margin_rate"]) == (0.3, 0.3)
    code, less = run(
        capsys, small_workspace, *words, str(tmp_path / "plan.csv"), "--margin-rate", "0.3", "--discount-rate", "0.5"
    )
    assert code == 0 and 0.8 * said["expected_gain"] < less["expected_gain"] < said["expected_gain"]


@pytest.mark.parametrize(
    ("words", "expected", "error"),
    [
        (("--offer", "Voucher"), 2, "offer_text"),
        (("--offer", MAIL), 2, "offer_twice"),
        (("--offer", "name=Far,cost=1,effect=5%,tiers=9"), 2, "offer_tier"),
        (("--offer", "name=Tried,cost=1,effect=@none.csv"), 4, "experiment_missing"),
        (("--budget", "-1"), 2, "budget_bounds"),
        (("--budget", "0"), 4, "plan_empty"),
        (("--margin-rate", "30"), 2, "bad_rates"),
        (("--discount-rate", "-1"), 2, "bad_rates"),
        (("--out", "plan.doc"), 2, "segment_out"),
    ],
)
def test_what_cannot_be_planned_is_said_and_leaves_nothing(
    small_workspace: Workspace,
    small_bundle: Bundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    expected: int,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    start = ("--model", small_bundle.id, "--budget", "40", "--offer", MAIL, "--out", "plan.csv")
    code, said = run(capsys, small_workspace, *start, *words)
    assert code == expected and said["error"]["code"] == error
    assert list(tmp_path.iterdir()) == []
