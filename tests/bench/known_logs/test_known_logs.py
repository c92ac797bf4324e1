"""Logs with known totals: what comes out is right, or it is asked or refused; a warning beside a wrong total is none.

Where a log names an answer and is asked about, it is given once. Exports of documented formats are answered as an
honest analyst would, question by question: the option whose revenue is true, else what the log names. Times are judged
by the first event and by days, where a log says them. A log of which two readings are honest lists both totals.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.answers import Answers
from clv_core.collection.questions import option_words
from tests.bench.known_logs import logs_a, logs_b, logs_c

CASES = {**logs_a.CASES, **logs_b.CASES}
QUESTIONS = 5
"""A log that asks more often has no reader who answers."""
BLIND = {"p17_klarna_settlement": "names no customer", "p21_amazon_three_currencies": "three currencies without rates"}
"""Exports of documented formats that no answer makes a log with one true total, and why."""


def ingest(paths: list[Path], folder: Path, answers: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Any:
    words = option_words(Answers(**answers))
    code = main(["ingest", *map(str, paths), "--name", "x", "--workspace", str(folder / "ws"), "--quiet", *words])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def faults(truth: dict[str, Any], found: dict[str, Any], folder: Path) -> list[str]:
    totals = truth["net"] if isinstance(truth["net"], list) else [truth["net"]]
    wrong = []
    if totals[0] is not None and not any(abs(found["net_revenue"] - one) <= 0.05 + 1e-6 * abs(one) for one in totals):
        wrong.append(f"net revenue {found['net_revenue']:.2f} for {totals}")
    if truth.get("customers") not in (None, found["customers"]):
        wrong.append(f"{found['customers']} customers for {truth['customers']}")
    if "first" in truth:
        first = pd.Timestamp(truth["first"])
        first = first.tz_localize("UTC") if first.tzinfo is None else first
        if abs((pd.Timestamp(found["first_event"]) - first).total_seconds()) > 2:
            wrong.append(f"first event {found['first_event']} for {first}")
    if "days" in truth:
        events = pd.concat(map(pd.read_parquet, folder.rglob("events.parquet")))
        if sorted(events.event_time.dt.date) != truth["days"]:
            wrong.append("days")
    return wrong


@pytest.mark.parametrize("name", CASES)
def test_no_total_is_wrong(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Any) -> None:
    paths, truth, answers = CASES[name](tmp_path)
    answers = dict(answers or {})
    always = answers.pop("_always", False)
    code, found = ingest(paths, tmp_path, answers if always else {}, capsys)
    if code == 3:
        readings = found["error"]["params"].get("readings", [])
        assert all(reading["option"] for reading in readings)
        if answers:
            code, found = ingest(paths, tmp_path, answers, capsys)
    assert code in (0, 3, 4)
    assert code or faults(truth, found, tmp_path) == []


@pytest.mark.parametrize("name", logs_c.CASES)
def test_an_honest_analyst_comes_to_the_true_total(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, truth, _ = logs_c.CASES[name](tmp_path)
    totals = truth["net"] if isinstance(truth["net"], list) else [truth["net"]]
    left, said = [list(words) for words in logs_c.HONEST.get(name, [])], []
    for attempt in range(QUESTIONS + 1):
        workspace = str(tmp_path / f"ws{attempt}")
        code = main(["ingest", *map(str, paths), "--name", "x", "--workspace", workspace, "--quiet", *said])
        found = json.loads(capsys.readouterr().out.splitlines()[-1])
        if code != 3:
            break
        offered = [
            *found["error"]["params"].get("together", []),
            *(reading for one in questions_of(found["error"]) for reading in one["params"].get("readings", [])),
        ]
        true = [shlex.split(one["option"]) for one in offered if is_one_of(one["net_revenue"], totals)]
        if not true and not left:
            break
        said += true[0] if true else left.pop(0)
    if name in BLIND:
        assert code == 3 or "mixed_currency" in {warning["code"] for warning in found["warnings"]}
    else:
        assert code == 0, found["error"]["message"]
        assert faults(truth, found, Path(workspace)) == []


def questions_of(error: dict[str, Any]) -> list[dict[str, Any]]:
    return error.get("questions", [error])


def is_one_of(total: float | None, totals: list[float]) -> bool:
    return total is not None and any(abs(total - one) <= 0.06 + 1e-6 * abs(one) for one in totals)
