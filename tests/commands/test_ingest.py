"""The command: its options reach the reading, its JSON has the shape that other systems rely on."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from clv_core.cli import build_parser
from clv_core.collection.stored.store import open_dataset
from clv_core.commands import Context
from clv_core.errors import Cancelled, NeedsAnswer, UsageError
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace


def run(workspace: Workspace, *words: str, progress: Any = None) -> dict[str, Any]:
    options = build_parser().parse_args(["ingest", *words])
    return options.run(options, Context(workspace, "zh", progress or NoProgress()))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.txt"
    file.write_text("c1|03/04/2024|1.500|buy_now\nc2|05/04/2024|2.250|buy_now\nc2|05/04/2024|2.250|buy_now\n")
    return file


def test_every_option_is_heard(log: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    columns = ["customer_id=column_1", "event_time=column_2", "amount=column_3", "event_type=column_4"]
    maps = [word for pair in columns for word in ("--map", pair)]
    words = ["--name", "log", "--no-header", "--date-order", "dmy", "--decimal", "comma", "--event", "buy_now=purchase"]
    words += ["--timezone", "Asia/Shanghai", "--currency", "CNY", "--drop-duplicates"]
    result = run(workspace, str(log), *words, *maps)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    wanted = {
        "dataset": "log",
        "rows_read": 3,
        "rows_kept": 2,
        "rows_set_aside": 0,
        "rows_duplicate": 1,
        "customers": 2,
    }
    assert {key: result[key] for key in wanted} == wanted
    assert result["net_revenue"] == 3750.0
    assert result["first_event"] == "2024-04-02T16:00:00Z" and result["last_event"] == "2024-04-04T16:00:00Z"
    assert {warning["code"] for warning in result["warnings"]} == {"duplicates_dropped"}
    assert all("重复" in warning["message"] for warning in result["warnings"])
    manifest = open_dataset(workspace, "log").manifest
    assert (manifest.currency, manifest.timezone, manifest.log_start) == ("CNY", "Asia/Shanghai", "2024-04-03")


@pytest.mark.parametrize("words", [["--map", "amount"], ["--event", "=purchase"], ["--timezone", "Mars/Olympus"]])
def test_words_that_make_no_sense_are_bad_usage(log: Path, tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(UsageError):
        run(Workspace(tmp_path / "workspace"), str(log), "--name", "log", "--no-header", *words)


def test_a_cancelled_run_leaves_nothing(tmp_path: Path) -> None:
    class Stop:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stage == "write":
                raise Cancelled

    file = tmp_path / "log.csv"
    file.write_text("customer_id,event_time,amount\n" + "".join(f"c{i},2024-01-01,{i}\n" for i in range(1000)))
    workspace = Workspace(tmp_path / "workspace")
    before = threading.active_count()
    with pytest.raises(Cancelled):
        run(workspace, str(file), "--name", "log", progress=Stop())
    assert not any(workspace.datasets.iterdir())
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_names_that_look_like_an_event_are_names_once_a_person_says_so(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"  # an index without a name, and names in a language that no alias knows
    rows = "".join(f"{place},k{place % 3},2024-0{1 + place % 4}-03,{10 + place}.5\n" for place in range(12))
    file.write_text(f",asiakas_nro,milloin,paljonko\n{rows}")
    maps = ["--map=customer_id=asiakas_nro", "--map=event_time=milloin", "--map=amount=paljonko"]
    workspace = Workspace(tmp_path / "workspace")
    with pytest.raises(NeedsAnswer) as asked:
        run(workspace, str(file), "--name", "log")
    assert asked.value.code == "no_header" and "--header" in asked.value.message("en")
    with pytest.raises(NeedsAnswer) as next_question:
        run(workspace, str(file), "--name", "log", "--header")
    assert next_question.value.code != "no_header"
    result = run(workspace, str(file), "--name", "log", "--header", *maps)
    assert (result["rows_kept"], result["customers"], result["net_revenue"]) == (12, 3, 192.0)
