"""The command ``ingest``: its options reach the reading, its JSON has the shape that other systems rely on."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Cancelled
from clv_core.workspace import Workspace
from tests.commands.conftest import codes, done, refused


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.txt"
    file.write_text("c1|03/04/2024|1.500|buy_now\nc2|05/04/2024|2.250|buy_now\nc2|05/04/2024|2.250|buy_now\n")
    return file


def test_every_option_is_heard(log: Path, workspace: Workspace) -> None:
    words = "--map customer_id=column_1 --map event_time=column_2 --map amount=column_3 --map event_type=column_4"
    words += " --name log --no-header --date-order dmy --decimal comma --event buy_now=purchase"
    words += " --timezone Asia/Shanghai --currency CNY --drop-duplicates --lang zh"
    answer = done(workspace, "ingest", log, *words.split())
    rows = {"rows_read": 3, "rows_kept": 2, "rows_set_aside": 0, "rows_duplicate": 1, "customers": 2}
    assert {key: answer[key] for key in rows} == rows and answer["dataset"] == "log"
    assert answer["net_revenue"] == 3750.0
    assert answer["first_event"] == "2024-04-02T16:00:00Z" and answer["last_event"] == "2024-04-04T16:00:00Z"
    assert set(codes(answer)) == {"duplicates_dropped"}
    assert all("重复" in warning["message"] for warning in answer["warnings"])
    manifest = open_dataset(workspace, "log").manifest
    assert (manifest.currency, manifest.timezone, manifest.log_start) == ("CNY", "Asia/Shanghai", "2024-04-03")


@pytest.mark.parametrize("words", [("--map", "amount"), ("--event", "=purchase"), ("--timezone", "Mars/Olympus")])
def test_words_that_make_no_sense_are_bad_usage(log: Path, workspace: Workspace, words: tuple[str, str]) -> None:
    assert refused(workspace, "ingest", log, "--name", "log", "--no-header", *words)[0] == 2


def test_a_cancelled_run_leaves_nothing(tmp_path: Path, workspace: Workspace) -> None:
    class Stop:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stage == "write":
                raise Cancelled

    file = tmp_path / "log.csv"
    file.write_text("customer_id,event_time,amount\n" + "".join(f"c{i},2024-01-01,{i}\n" for i in range(1000)))
    before = threading.active_count()
    with pytest.raises(Cancelled):
        ingest(workspace, file, "log", progress=Stop())
    assert not any(workspace.datasets.iterdir())
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_names_that_look_like_an_event_are_names_once_a_person_says_so(tmp_path: Path, workspace: Workspace) -> None:
    """An index without a name, and names in a language that no alias knows."""
    rows = "".join(f"{place},k{place % 3},2024-0{1 + place % 4}-03,{10 + place}.5\n" for place in range(12))
    (tmp_path / "log.csv").write_text(f",asiakas_nro,milloin,paljonko\n{rows}")
    words = ("ingest", tmp_path / "log.csv", "--name", "log")
    assert refused(workspace, *words) == (3, "no_header")
    code, error = refused(workspace, *words, "--header")
    assert code == 3 and error != "no_header"
    maps = ("--map=customer_id=asiakas_nro", "--map=event_time=milloin", "--map=amount=paljonko")
    answer = done(workspace, *words, "--header", *maps)
    assert (answer["rows_kept"], answer["customers"], answer["net_revenue"]) == (12, 3, 192.0)
