"""A run that is stopped says so, wherever the signal meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clv_core import cli
from clv_core.commands import simulation  # noqa: F401  registers the command
from clv_core.commands.parser import SPECS
from clv_core.errors import Refused

ROOT = Path(__file__).resolve().parent.parent
QUERY = "SELECT sum(sqrt(i)) FROM range(200000000) t(i)"
STOPPED_EARLY = """
import os, signal
from clv_core import cli
cli.build_parser = lambda *_: os.kill(os.getpid(), signal.SIGTERM)
raise SystemExit(cli.main(["datasets"]))
"""
STOPPED_WHILE_IMPORTING = """
import builtins, os, runpy, signal
known = builtins.__import__
def imported(name, *rest, **named):
    if name == "clv_core.cli":
        os.kill(os.getpid(), signal.SIGINT)
    return known(name, *rest, **named)
builtins.__import__ = imported
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("clv_core", run_name="__main__")
"""


@pytest.fixture(autouse=True)
def keep_signal_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def stopped(*_: object) -> dict[str, Any]:
    """Run a query that takes a second or more, and be stopped in it."""
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    with duckdb.connect() as connection:
        connection.execute(QUERY)
    return {}


def swallowed(*_: object) -> dict[str, Any]:
    """Read a foreign file whose reader fails in ways that nobody can list, as the one of workbooks does."""
    try:
        return stopped()
    except Exception as error:
        raise Refused("broken_workbook", file="orders.xlsx") from error


@pytest.mark.parametrize("run", [stopped, swallowed])
def test_a_signal_that_a_library_makes_an_error_of_is_a_stop(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SPECS, "simulate", replace(SPECS["simulate"], run=run))
    words = "simulate --scenario btyd --customers 50 --days 300 --seed 1 --out log --workspace".split()
    assert cli.main([*words, str(tmp_path)]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "cancelled"


def test_a_signal_that_comes_while_the_words_are_read_is_a_stop() -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED_EARLY], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 130 and json.loads(done.stdout)["error"]["code"] == "cancelled"


def test_a_stop_before_the_words_are_read_leaves_no_trace() -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED_WHILE_IMPORTING], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_telling_that_is_stopped_trains_nothing(tmp_path: Path) -> None:
    """``except ClvError`` is for what could not be told: a stop has to pass by it."""
    code = (
        "import os, signal; from clv_core import cli; from clv_core.errors import ClvError\n"
        "from dataclasses import replace\n"
        "from clv_core.commands import datasets\n"
        "from clv_core.commands.parser import SPECS\n"
        "def run(*_):\n"
        "    try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "    except ClvError: print('goes on')\n"
        "SPECS['datasets'] = replace(SPECS['datasets'], run=run)\n"
        f"raise SystemExit(cli.main(['datasets', '--workspace', {str(tmp_path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 130 and "goes on" not in done.stdout
