"""Plant faults one by one in a copy of the tree and see which tests notice: ``make mutants``.

The faults are rows of the tables beside this file: a file, the text that stands in it once, what takes its place, what
a user would lose, and the tests that should tell. First the quick ones of these are run, then, where those tell
nothing, the slow ones. What lived is listed at the end. Before anything is planted all of the quick ones have to pass.

A process is forked for each, after what all tests import was imported once; nothing of CLV Studio is among that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLES = Path(__file__).resolve().parent
TIERS = {"quick": "not slow", "slow": "slow"}
LONGEST_SECONDS = 900
PASSED, NOTHING_COLLECTED = 0, 5
IMPORTED_BEFORE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True)
class Fault:
    """One row of a table.

    Args:
        file: the source, below the root.
        old: text that stands in it exactly once.
        new: what takes its place.
        loses: what a user would lose.
        tests: files that should tell, below ``tests``.
        why: why it may live, where it does.
    """

    file: str
    old: str
    new: str
    loses: str
    tests: tuple[str, ...]
    why: str = ""

    def plant(self, tree: Path) -> None:
        """Put the fault into a tree."""
        path = tree / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.old, self.new), encoding="utf-8")

    def undo(self, tree: Path) -> None:
        """Take it out again."""
        shutil.copy(ROOT / self.file, tree / self.file)


def faults(tables: list[str]) -> list[Fault]:
    """Return the rows of the tables named so, of all where none is named.

    Raises:
        SystemExit: a row's text does not stand in its file exactly once, or a test is not there.
    """
    every, wrong = [], []
    for path in sorted(TABLES.glob("*.toml")):
        if tables and path.stem not in tables:
            continue
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]:
            fault = Fault(**{**row, "tests": tuple(row["tests"])})
            times = (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old)
            if times != 1:
                wrong.append(f"{path.name}: {fault.file} holds {fault.old!r} {times} times")
            wrong += [f"{path.name}: no {one}" for one in fault.tests if not (ROOT / "tests" / one).exists()]
            every.append(fault)
    if wrong:
        sys.exit("\n".join(wrong))
    return every


def copy_of_tree(folder: Path) -> Path:
    """Return a copy of the files that git knows or would add."""
    named = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, named.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def run_tests(tree: Path, tests: tuple[str, ...], marks: str, said: Path) -> None:
    """Run tests in a copy of the tree until one fails; in a process of its own."""
    os.chdir(tree)
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
    sys.dont_write_bytecode = True
    sys.path[:] = [str(tree), *(place for place in sys.path if place not in ("", str(ROOT)))]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "clv_core", "pages")]:
        del sys.modules[name]
    with (said.with_suffix(".txt")).open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    import pytest

    class First:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                said.write_text(report.nodeid, encoding="utf-8")

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                said.write_text(f"{report.nodeid} (not even collected)", encoding="utf-8")

    files = [f"tests/{one}" for one in tests]
    os._exit(pytest.main([*files, "-m", marks, "-x", "-q", "-n", "0", *IMPORTED_BEFORE], plugins=[First()]))


def check_sound(tree: Path, planted: list[Fault]) -> None:
    """Run the quick tests of some faults where none is planted.

    Raises:
        SystemExit: one fails, so that it would notice every fault.
    """
    told = tree.with_suffix(".said")
    tests = tuple(dict.fromkeys(test for fault in planted for test in fault.tests))
    process = get_context("fork").Process(target=run_tests, args=(tree, tests, TIERS["quick"], told))
    process.start()
    process.join()
    if process.exitcode != PASSED:
        failed = told.read_text(encoding="utf-8") if told.exists() else told.with_suffix(".txt").read_text()[-2000:]
        sys.exit(f"fails without any fault: {failed}")


@dataclass
class Running:
    """A fault that is being looked at."""

    fault: Fault
    tree: Path
    tier: str
    process: BaseProcess
    said: Path
    began: float


def warm() -> None:
    """Import what tests import, so that forked processes need not."""
    import duckdb  # noqa: F401
    import ibis  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch  # noqa: F401
    from streamlit.testing.v1 import AppTest  # noqa: F401


def main() -> int:
    """Plant the faults of the tables and print what became of each."""
    words = argparse.ArgumentParser(prog="python -m tests.mutants.plant", description=__doc__.splitlines()[0])
    words.add_argument("tables", nargs="*", help="names of tables beside this file; all where none is named")
    words.add_argument("--only", default="", help="those alone whose file or loss holds this text")
    words.add_argument("--workers", type=int, default=2, help="so many at a time")
    words.add_argument("--quick", action="store_true", help="leave the slow tests out")
    said = words.parse_args()
    waiting = [one for one in faults(said.tables) if said.only in one.file or said.only in one.loses]
    waiting.reverse()
    noticed, lived, running = Counter[str](), list[Fault](), list[Running]()
    warm()
    with tempfile.TemporaryDirectory() as place:
        free = [copy_of_tree(Path(place) / str(number)) for number in range(said.workers)]
        check_sound(free[0], waiting)

        def begin(fault: Fault, tree: Path, tier: str) -> None:
            told = tree.with_suffix(".said")
            told.unlink(missing_ok=True)
            process = get_context("fork").Process(target=run_tests, args=(tree, fault.tests, TIERS[tier], told))
            process.start()
            running.append(Running(fault, tree, tier, process, told, time.monotonic()))

        while waiting or running:
            while waiting and free:
                fault, tree = waiting.pop(), free.pop()
                fault.plant(tree)
                begin(fault, tree, "quick")
            connection.wait([one.process.sentinel for one in running], timeout=5)
            for one in [one for one in running if not one.process.is_alive() or _is_late(one)]:
                running.remove(one)
                late = one.process.is_alive()
                if late:
                    one.process.kill()
                one.process.join()
                told = one.said.read_text(encoding="utf-8") if one.said.exists() else ""
                if not told and not late and one.process.exitcode not in (PASSED, NOTHING_COLLECTED):
                    sys.exit(f"pytest broke:\n{one.said.with_suffix('.txt').read_text(encoding='utf-8')[-2000:]}")
                if told or late:
                    noticed[one.tier] += 1
                    by = told or f"longer than {LONGEST_SECONDS} s"
                    _say(one, f"noticed by a {one.tier} test: {by}")
                elif one.tier == "quick" and not said.quick:
                    begin(one.fault, one.tree, "slow")
                    continue
                else:
                    lived.append(one.fault)
                    _say(one, "lived")
                one.fault.undo(one.tree)
                free.append(one.tree)
    quick, slow = noticed["quick"], noticed["slow"]
    told = f"quick tests noticed {quick}, slow ones {slow} more, {len(lived)} lived"
    print(f"\n{quick + slow + len(lived)} faults: {told}")
    for fault in lived:
        print(f"  {fault.file}: {fault.loses}{' - ' + fault.why if fault.why else ''}")
    return 0


def _is_late(one: Running) -> bool:
    return time.monotonic() - one.began > LONGEST_SECONDS


def _say(one: Running, what: str) -> None:
    print(f"{one.fault.file}: {one.fault.loses}\n    {what} ({time.monotonic() - one.began:.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
