"""``monitor``: one JSON object with lights, alerts and advice; files, acknowledgement, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.errors import Message, Refused
from clv_core.jobs import NoProgress
from clv_core.monitoring.monitoring_report import last_outcome
from clv_core.monitoring.retraining import Outcome
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, done, refused
from tests.monitoring.steady_shop import (
    another_channel,
    changed_from,
    day_after,
    steady_log,
    without_ratings,
    write_log,
)
from tests.monitoring.watched_shop import finding, plant, watch_of

pytestmark = pytest.mark.first(4)

CUTOFF = day_after(300)
NOWHERE = ("--webhook", "http://127.0.0.1:9/hook")


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that loses its ratings and gains a channel on the day from which a model is old."""
    folder = tmp_path_factory.mktemp("monitored")
    events = changed_from(steady_log(700, 365, seed=3), CUTOFF, lambda late: another_channel(without_ratings(late)))
    work = Workspace(folder / "workspace")
    ingest(work, write_log(events, folder / "events.csv"), "shop", currency="EUR")
    config = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)
    return Shop(work, pipeline.train(work, "shop", config, cutoff=CUTOFF, progress=NoProgress()))


@pytest.fixture
def shop(monitored: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop as nobody has acknowledged anything, and the environment names nobody to tell."""
    for name in ("CLV_WEBHOOK_URL", "CLV_SMTP_HOST", "CLV_SMTP_FROM", "CLV_SMTP_TO"):
        monkeypatch.delenv(name, raising=False)
    folder = monitored.workspace.root / "alerts" / monitored.model.id
    (folder / "acknowledged.json").unlink(missing_ok=True)
    return monitored


@pytest.fixture
def retrain_gives(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome | Refused], list[bool]]:
    """Set what a retraining comes to; return whether each that is asked for may promote."""

    def gives(outcome: Outcome | Refused) -> list[bool]:
        asked: list[bool] = []

        def retrain(*_: object, promote: bool, **__: object) -> Outcome:
            asked.append(promote)
            if isinstance(outcome, Refused):
                raise outcome
            return outcome

        monkeypatch.setattr(pipeline, "retrain", retrain)
        return asked

    return gives


def test_changes_are_named_in_both_languages_and_written_for_other_programs(shop: Shop, tmp_path: Path) -> None:
    answer = shop.done("monitor", "--model", "champion", "--out", tmp_path, "--lang", "zh")
    assert answer["model"] == shop.model.id and answer["kind"] == "month"
    assert answer["lights"]["data"]["light"] == "red" and answer["recommendation"]["action"] == "investigate"
    named = {alert["code"]: alert for alert in answer["alerts"]}
    assert {"lost_event_type", "new_channel"} <= set(named)
    assert "“kiosk”" in named["new_channel"]["message"] and "渠道" in named["new_channel"]["message"]
    assert named["new_channel"]["begin"] == CUTOFF.isoformat()
    assert [one["days"] for one in answer["realised"]] == [28, 35, 42, 49, 56, 60]
    assert json.loads((tmp_path / "report.json").read_text())["alerts"] == answer["alerts"]
    checks, alerts = pd.read_csv(tmp_path / "checks.csv"), pd.read_csv(tmp_path / "alerts.csv")
    assert len(checks) == answer["checks"] and list(alerts["id"]) == [alert["id"] for alert in answer["alerts"]]
    assert len(pd.read_csv(tmp_path / "realised.csv")) == 6


def test_the_business_comes_first_and_a_finding_is_no_error(
    shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As with alerts, the exit code stays 0: findings are sent, and stay until somebody has seen them."""
    dataset = open_dataset(shop.workspace, "shop")
    plant(dataset, watch_of(finding()))
    for language, said in (("en", "Outage: hardly any event"), ("zh", "中断")):
        answer = shop.done("monitor", "--out", tmp_path, "--lang", language)
        assert next(iter(answer)) == "business" and answer["lights"]
        assert answer["business"]["findings"][0]["message"].startswith(said)
        assert said in capfd.readouterr().err
    assert json.loads((tmp_path / "business.json").read_text())["findings"] == answer["business"]["findings"]
    shop.done("monitor", "--quiet")
    assert capfd.readouterr().err == "", "cron sends a mail of whatever is printed"


def test_without_a_model_the_business_alone_is_watched_and_findings_can_be_marked_as_seen(
    shop: Shop, tmp_path: Path
) -> None:
    work = Workspace(tmp_path / "workspace")
    ingest(work, write_log(steady_log(100, 60, seed=3), tmp_path / "events.csv"), "shop", currency="EUR")
    answer = done(work, "monitor", "shop", "--business")
    assert answer["business"]["state"] == "unwatched" and answer["business"]["unwatched"] and "lights" not in answer
    plant(open_dataset(work, "shop"), watch_of(finding()))
    found = done(work, "monitor", "shop", "--business")["business"]["findings"][0]
    assert (found["first_day"], found["size"], found["acknowledged"]) == ("2024-06-18", -27_266.0, {})
    assert refused(work, "monitor", "shop", "--business", "--acknowledge", "nothing") == (4, "no_alert")
    answer = done(work, "monitor", "shop", "--business", "--acknowledge", found["id"])
    assert answer["business"]["state"] == "as_expected" and answer["business"]["findings"][0]["acknowledged"]["by"]
    assert refused(work, "monitor", "shop") == (2, "usage")
    assert refused(work, "monitor", "shop", "--business", "--model", "champion") == (2, "usage")
    assert refused(work, "monitor", "shop", "--business", "--retrain") == (2, "monitor_business")


def test_what_was_acknowledged_no_longer_turns_a_light(shop: Shop) -> None:
    words = ("monitor", "--chunk", "week", "--acknowledge")
    assert shop.refused(*words, "nothing") == (4, "no_alert")
    answer = shop.done(*words, "all")
    assert answer["kind"] == "week" and answer["lights"]["data"]["light"] == "green"
    assert all(alert["acknowledged"]["at"] for alert in answer["alerts"])


@pytest.mark.slow
def test_whom_the_variables_name_is_told_without_an_option(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    channels: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "clv_core.monitoring.notifications.notify.notify", lambda *_, **given: channels.append(given) or {}
    )
    monkeypatch.setattr("clv_core.monitoring.notifications.notify_findings", lambda *_, **__: {})
    hook, other = "https://chat.example/hook", "https://other.example/hook"
    monkeypatch.setenv("CLV_WEBHOOK_URL", hook)
    for name, value in (("HOST", "mail.example"), ("FROM", "a@shop.example"), ("TO", "b@shop.example")):
        monkeypatch.setenv(f"CLV_SMTP_{name}", value)
    shop.done("monitor")
    shop.done("monitor", "--webhook", other)
    monkeypatch.delenv("CLV_WEBHOOK_URL")
    monkeypatch.delenv("CLV_SMTP_TO")
    shop.done("monitor")
    assert [(one["webhook"], one["smtp"] and one["smtp"].to) for one in channels] == [
        (hook, ("b@shop.example",)), (other, ("b@shop.example",)), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "promote", "code"), [(False, False, "retrain.broken"), (True, True, "retrain.better")]
)
def test_while_the_data_looks_broken_a_better_challenger_waits_for_somebody_who_has_looked(
    shop: Shop, retrain_gives: Callable[..., list[bool]], seen: bool, promote: bool, code: str
) -> None:
    """It learned from data of which the same report says that a model would learn its fault."""
    why = Message("retrain.better", {"origin": CUTOFF.isoformat(), "customers": 9})
    asked = retrain_gives(Outcome("better", shop.model.id, "other", why))
    answer = shop.done("monitor", "--retrain", *(("--acknowledge", "all") if seen else ()))
    assert (answer["recommendation"]["action"] == "investigate") is not seen
    assert asked == [promote] and f"retrain.{answer['retrain']['why']['code']}" == code
    assert "{" not in answer["retrain"]["why"]["message"]
    kept = last_outcome(shop.workspace, shop.model.id)
    assert kept is not None and kept.at and kept.why.code == code  # the monitor page says it of a night, too
    assert replace(kept, at="").to_json() == answer["retrain"]
    assert last_outcome(shop.workspace, "other") is None


def test_where_nobody_can_be_told_or_no_challenger_be_trained_the_rest_is_done_and_the_report_is_there(
    shop: Shop, retrain_gives: Callable[..., list[bool]]
) -> None:
    """No challenger can be trained on a night that begins before the one before has ended."""
    retrain_gives(Outcome("alike", shop.model.id, shop.model.id, Message("retrain.alike")))
    code, answer = shop.run("monitor", "--retrain", *NOWHERE)
    assert (code, answer["error"]["code"]) == (5, "webhook_failed")
    result = answer["result"]
    assert result["model"] == shop.model.id and result["retrain"]["outcome"] == "alike"
    retrain_gives(Refused("run_going_on", name="shop"))
    code, answer = shop.run("monitor", "--retrain", *NOWHERE)
    assert (code, answer["error"]["code"]) == (4, "run_going_on")
    result = answer["result"]
    assert result["lights"] and result["untold"]["code"] == "webhook_failed" and "retrain" not in result


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("--webhook", "ftp://somewhere"), 2, "webhook_url"),
        (("--webhook",), 2, "webhook_url"),
        (("--email",), 2, "smtp_settings"),
        (NOWHERE, 5, "webhook_failed"),
    ],
)
def test_whoever_cannot_be_told_is_an_error(shop: Shop, words: tuple[str, ...], code: int, error: str) -> None:
    assert shop.refused("monitor", *words) == (code, error)
