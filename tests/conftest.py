"""Shared by all tests: a small log with known truth, read and trained once a session."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import types
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.deployment.bundle import Bundle

Clv = Callable[..., dict[str, Any]]
ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

LONGEST = (
    "test_pipeline.py",
    "test_backtest.py",
    "test_nothing_later.py",
    "test_erase.py",
    "test_signals.py",
    "test_walk.py",
)
"""Files of few tests that take from half a minute to three."""

NUMERIC = (
    *("frozen", "btyd", "model", "training", "evaluation/explain", "deployment/spark"),
    *("commands/test_card_command.py", "commands/test_explain.py", "commands/test_look.py", "commands/test_plan.py"),
    *("commands/test_segment.py", "deployment/api/test_scorer.py", "deployment/api/test_service.py"),
    *("deployment/test_asking.py", "deployment/test_bundle.py", "upkeep/test_demo.py"),
    *("deployment/test_explaining_pretrained.py", "deployment/test_scoring.py", "deployment/test_terms.py"),
    *("evaluation/test_change.py", "evaluation/test_folds.py", "evaluation/test_how_far.py"),
    *("evaluation/test_slices.py", "features/test_anchor.py"),
    *("features/test_cdnow.py", "features/test_context.py"),
    *("features/test_last_year.py", "features/test_parts.py", "features/test_returns_level.py"),
    *("monitoring/test_realised.py", "monitoring/test_feature_histograms.py", "strategy/test_acquisition.py"),
    *("strategy/test_card.py", "strategy/test_segmentation.py", "test_estimator.py", "test_nothing_later.py"),
    *("test_examples.py", "test_pipeline.py"),
)
"""Files and folders whose tests compare what networks, trees or a fit of BTYD say: found by noting which tests call
torch's modules, LightGBM's prediction or scipy's minimisers. Another processor sums in another order; ``make
test-processors`` runs them as it would."""

SMALL = TrainConfig(horizon_days=90, ensemble=2, steps=60, batch_size=64, cutoffs=4, processes=1, device="cpu")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what compares figures, and what is slow by its cases; begin with the longest files.

    Begun last, these would leave other workers idle.

    Of a test with many cases under the mark ``examples(n)``, ``n`` from all over its table are quick, of a file under
    ``first(n)`` the first ``n`` tests, and of a page's test in both languages the one in English.
    """
    cases, tests = defaultdict(list), defaultdict(list)
    numeric = tuple(ROOT / "tests" / name for name in NUMERIC)
    for item in items:
        if any(item.path.is_relative_to(place) for place in numeric):
            item.add_marker(pytest.mark.numeric)
        first, name = item.get_closest_marker("first"), getattr(item, "originalname", "")
        if first:
            tests[item.path] += [name] if name not in tests[item.path] else []
            if tests[item.path].index(name) >= first.args[0]:
                item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("examples"):
            cases[item.path, getattr(item, "originalname", "")].append(item)
        called = getattr(getattr(item, "callspec", None), "params", {}).values()
        if item.path.parent.name == "pages" and "zh" in called:
            item.add_marker(pytest.mark.slow)
    for examples in cases.values():
        mark = examples[0].get_closest_marker("examples")
        step = ceil(len(examples) / mark.args[0]) if mark else 1
        for at, item in enumerate(examples):
            if at % step:
                item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.name not in LONGEST)


def made(name: str, folder: Path, make: Callable[[Workspace], None]) -> Workspace:
    """Return a copy in ``folder`` of a workspace that is made once for all test processes, and again when code changes.

    It is kept below ``build/tests`` under a hash of the core's code, the sample and the libraries that train.

    Args:
        name: of the workspace among those that tests share.
        folder: where the copy goes.
        make: fills a workspace.
    """
    kept = ROOT / "build" / "tests" / _digest() / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for old in (ROOT / "build" / "tests").iterdir():
                if old != kept.parent:
                    shutil.rmtree(old, ignore_errors=True)
            started = kept.with_suffix(".part")
            shutil.rmtree(started, ignore_errors=True)
            make(Workspace(started))
            started.rename(kept)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return Workspace(folder)


@cache
def _digest() -> str:
    files = sorted([*(ROOT / "clv_core").rglob("*.py"), *(ROOT / "assets" / "sample").iterdir(), Path(__file__)])
    found = hashlib.sha256(b"".join(path.read_bytes() for path in files))
    for library in ("torch", "numpy", "pandas", "duckdb", "lightgbm", "scipy"):
        found.update(version(library).encode())
    return found.hexdigest()[:16]


def own_copy(workspace: Workspace, folder: Path) -> Workspace:
    """Return a workspace in ``folder`` with the datasets of another: models may be trained there."""
    shutil.copytree(workspace.datasets, folder / "datasets", ignore=shutil.ignore_patterns("made"), dirs_exist_ok=True)
    return Workspace(folder)


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Return a workspace with the dataset ``shop``: 900 customers of the browsing scenario over 540 days.

    Beside it lies the log, ``log/events.csv``. A test that trains does so in a workspace of its own (``own_copy``).
    """
    folder = tmp_path_factory.mktemp("small")
    simulate("browsing", SimulationPlan(900, 540, 1, 90)).write(folder / "log")

    def make(workspace: Workspace) -> None:
        from clv_core import pipeline

        said: dict[str, Any] = {"mapping": {}, "timezone": "UTC", "currency": "EUR"}
        ingest(workspace, folder / "log" / "events.csv", "shop", progress=NoProgress(), **said)
        pipeline.train(workspace, "shop", SMALL, progress=NoProgress())

    workspace = made("small", folder / "workspace", make)
    models = sorted(workspace.models.iterdir())
    yield workspace
    assert sorted(workspace.models.iterdir()) == models, "a test left a model in the workspace that all share"


@pytest.fixture(scope="session")
def small_bundle(small_workspace: Workspace) -> Bundle:
    """Return a hybrid trained on ``shop``; tests must not change it."""
    from clv_core.deployment.bundle import open_bundle

    (model,) = (path.name for path in small_workspace.models.iterdir())
    return open_bundle(small_workspace, model)


@pytest.fixture
def clv(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Clv:
    """Return what runs a command on the workspace of a test, checks its exit code and reads its answer."""
    from clv_core import cli

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        assert cli.main([*words, "--workspace", str(workspace.root)]) == code
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return answer

    return run


@pytest.fixture(scope="session")
def cdnow_file() -> Path:
    """Return the real CDNOW log that the lifetimes wheel carries."""
    from importlib.util import find_spec

    spec = find_spec("lifetimes")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"


@pytest.fixture(scope="session")
def lifetimes() -> Iterator[types.ModuleType]:
    """Return the lifetimes package, an implementation of BTYD that is not ours; importing it warns on pandas 3."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        yield lifetimes


_opened: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event in ("open", "sqlite3.connect") and isinstance(arguments[0], str | bytes | Path):
        _opened.append(f"{event} {os.fsdecode(arguments[0])}")


@pytest.fixture
def opened_files() -> Iterator[list[str]]:
    """Return the list that every opening of a file, ``open PATH``, and of SQLite adds to while the test runs."""
    global _opened
    sys.addaudithook(_audit)
    _opened = []
    yield _opened
    _opened = None
