"""``monitor``: one JSON object with lights, alerts and advice; files, acknowledgement, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.errors import Message, Refused
from clv_core.jobs import NoProgress
from clv_core.monitoring.challenge import Outcome
from clv_core.monitoring.report import last_outcome
from clv_core.workspace import Workspace
from tests.monitoring.steady_shop import (
    another_channel,
    changed_from,
    day_after,
    steady_log,
    without_ratings,
    write_log,
)

pytestmark = pytest.mark.first(4)

CUTOFF = day_after(300)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("monitored")
    events = changed_from(steady_log(700, 365, seed=3), CUTOFF, lambda late: another_channel(without_ratings(late)))
    found = Workspace(folder / "workspace")
    ingest(found, write_log(events, folder / "events.csv"), "shop", currency="EUR")
    return found


@pytest.fixture(scope="module")
def model(work: Workspace) -> str:
    config = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)
    return pipeline.train(work, "shop", config, cutoff=CUTOFF, progress=NoProgress()).id


def run(work: Workspace, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["monitor", "shop", *words, "--workspace", str(work.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_changes_are_named_in_both_languages_and_written_for_other_programs(
    work: Workspace, model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, found = run(work, capsys, "--model", "champion", "--out", str(tmp_path), "--lang", "zh")
    assert code == 0 and found["model"] == model and found["kind"] == "month"
    assert found["lights"]["data"]["light"] == "red" and found["recommendation"]["action"] == "investigate"
    named = {alert["code"]: alert for alert in found["alerts"]}
    assert {"lost_event_type", "new_channel"} <= set(named)
    assert "“kiosk”" in named["new_channel"]["message"] and "渠道" in named["new_channel"]["message"]
    assert named["new_channel"]["begin"] == CUTOFF.isoformat()
    assert [one["days"] for one in found["realised"]] == [28, 35, 42, 49, 56, 60]
    assert json.loads((tmp_path / "report.json").read_text())["alerts"] == found["alerts"]
    checks, alerts = pd.read_csv(tmp_path / "checks.csv"), pd.read_csv(tmp_path / "alerts.csv")
    assert len(checks) == found["checks"] and list(alerts["id"]) == [alert["id"] for alert in found["alerts"]]
    assert len(pd.read_csv(tmp_path / "realised.csv")) == 6


def test_what_was_acknowledged_no_longer_turns_a_light(
    work: Workspace, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(work, capsys, "--model", model, "--chunk", "week", "--acknowledge", "nothing")
    assert code == 4 and found["error"]["code"] == "no_alert"
    code, found = run(work, capsys, "--model", model, "--chunk", "week", "--acknowledge", "all")
    assert code == 0 and found["kind"] == "week"
    assert found["lights"]["data"]["light"] == "green" and all(alert["acknowledged"]["at"] for alert in found["alerts"])


@pytest.mark.slow
def test_whom_the_variables_name_is_told_without_an_option(
    work: Workspace, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(pipeline, "tell", lambda *_, **channels: told.append(channels) or {})
    monkeypatch.setenv("CLV_WEBHOOK_URL", "https://chat.example/hook")
    for name, value in (("HOST", "mail.example"), ("FROM", "a@shop.example"), ("TO", "b@shop.example")):
        monkeypatch.setenv(f"CLV_SMTP_{name}", value)
    assert run(work, capsys, "--model", model)[0] == 0
    assert run(work, capsys, "--model", model, "--webhook", "https://other.example/hook")[0] == 0
    assert [one["webhook"] for one in told] == ["https://chat.example/hook", "https://other.example/hook"]
    assert all(one["smtp"].to == ("b@shop.example",) for one in told)
    monkeypatch.delenv("CLV_WEBHOOK_URL")
    monkeypatch.delenv("CLV_SMTP_TO")
    assert run(work, capsys, "--model", model)[0] == 0
    assert told[-1]["webhook"] is None and told[-1]["smtp"] is None


def test_where_nobody_can_be_told_it_is_retrained_all_the_same_and_the_report_is_there(
    work: Workspace, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = Outcome("alike", model, model, Message("retrain.alike"))
    monkeypatch.setattr(pipeline, "retrain", lambda *_, **__: outcome)
    (work.root / "monitoring" / f"{model}-kept" / "acknowledged.json").unlink(missing_ok=True)
    code, found = run(work, capsys, "--model", model, "--retrain", "--webhook", "http://127.0.0.1:9/hook")
    assert (code, found["error"]["code"]) == (5, "webhook_failed")
    assert found["result"]["model"] == model and found["result"]["retrain"]["outcome"] == "alike"


@pytest.mark.parametrize(
    ("seen", "promote", "code"), [(False, False, "retrain.broken"), (True, True, "retrain.better")]
)
def test_while_the_data_looks_broken_a_better_challenger_waits_for_somebody_who_has_looked(
    work: Workspace,
    model: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    seen: bool,
    promote: bool,
    code: str,
) -> None:
    """It learned from data of which the same report says that a model would learn its fault."""
    asked: list[bool] = []
    params = {"origin": CUTOFF.isoformat(), "customers": 9}

    def better(*_: Any, promote: bool, **__: Any) -> Outcome:
        asked.append(promote)
        return Outcome("better", model, "other", Message("retrain.better", params))

    monkeypatch.setattr(pipeline, "retrain", better)
    (work.root / "monitoring" / f"{model}-kept" / "acknowledged.json").unlink(missing_ok=True)
    _, found = run(work, capsys, "--model", model, "--retrain", *(("--acknowledge", "all") if seen else ()))
    assert (found["recommendation"]["action"] == "investigate") is not seen
    assert asked == [promote] and f"retrain.{found['retrain']['why']['code']}" == code
    assert "{" not in found["retrain"]["why"]["message"]
    kept = last_outcome(work, model)
    assert kept is not None and kept.pop("at") and kept == found["retrain"]  # the monitor page says it of a night, too
    assert last_outcome(work, "other") is None


def test_where_no_challenger_can_be_trained_the_report_is_there_and_who_could_not_be_told_too(
    work: Workspace, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a night that begins before the one before has ended."""

    def busy(*_: Any, **__: Any) -> Outcome:
        raise Refused("run_going_on", name="shop")

    monkeypatch.setattr(pipeline, "retrain", busy)
    (work.root / "monitoring" / f"{model}-kept" / "acknowledged.json").unlink(missing_ok=True)
    code, found = run(work, capsys, "--model", model, "--retrain", "--webhook", "http://127.0.0.1:9/hook")
    assert (code, found["error"]["code"]) == (4, "run_going_on")
    assert found["result"]["lights"] and found["result"]["untold"]["code"] == "webhook_failed"
    assert "retrain" not in found["result"]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("--webhook", "ftp://somewhere"), 2, "webhook_url"),
        (("--webhook",), 2, "webhook_url"),
        (("--email",), 2, "smtp_settings"),
        (("--webhook", "http://127.0.0.1:9/hook"), 5, "webhook_failed"),
    ],
)
def test_whoever_cannot_be_told_is_an_error(
    work: Workspace,
    model: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    error: str,
) -> None:
    for name in ("CLV_WEBHOOK_URL", "CLV_SMTP_HOST", "CLV_SMTP_FROM", "CLV_SMTP_TO"):
        monkeypatch.delenv(name, raising=False)
    (work.root / "monitoring" / f"{model}-kept" / "acknowledged.json").unlink(missing_ok=True)
    found_code, found = run(work, capsys, "--model", model, *words)
    assert (found_code, found["error"]["code"]) == (code, error)
