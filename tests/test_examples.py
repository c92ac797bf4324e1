"""What people call in Python has an example in its docstring, and what an example shows is what comes."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clv_core
from clv_core import CLV
from clv_core.evaluation import METRICS, decile_table, format_metric, gain_curves
from clv_core.evaluation.metrics import evaluate
from clv_core.plot import Chart, drawn
from clv_core.records import JsonRecord

pytestmark = pytest.mark.filterwarnings("ignore::clv_core.ClvWarning")

MEASURING: dict[str, Any] = {
    "Metric.value": type(METRICS["gini"]).value,
    **{one.__name__: one for one in (evaluate, decile_table, gain_curves, format_metric)},
}
DRAWING: dict[str, Any] = {"drawn": drawn, "Chart.standalone": Chart.standalone}
MADE_BY_FIT = "LoadResult.of"
"""Nobody calls it: it takes a dataset of the workspace."""


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties of a class by name; of an error and of a record it has its own alone."""
    for owner in kind.__mro__:
        if owner.__module__.startswith("clv_core") and owner is not JsonRecord:
            for name, member in vars(owner).items():
                if not name.startswith("_") and (callable(member) or isinstance(member, property | classmethod)):
                    yield f"{kind.__name__}.{name}", member


def called() -> dict[str, Any]:
    """Return everything that people call, by name; what an error says is shown where its class is."""
    exported = {name: getattr(clv_core, name) for name in clv_core.__all__}
    classes = [one for one in exported.values() if isinstance(one, type) and not issubclass(one, Exception)]
    members = {name: member for kind in classes for name, member in methods(kind) if name != MADE_BY_FIT}
    return {**exported, **members, **MEASURING, **DRAWING}


CALLED = called()


def example_of(name: str, known: dict[str, Any]) -> doctest.DocTest:
    """Return the example of a name, to be run where ``known`` is known."""
    text = inspect.getdoc(CALLED[name]) or ""
    return doctest.DocTestParser().get_doctest(text, known, name, None, 0)


def mistakes(example: doctest.DocTest) -> str:
    """Run an example, and return where something else came than it shows."""
    told: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=told.append, clear_globs=False)
    return "".join(told)


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    """Return what the example of the class leaves to those of its methods: a log, and a model fitted on it."""
    example = example_of("CLV", {})
    assert mistakes(example) == ""
    return example.globs


def test_everything_that_people_call_has_an_example_with_a_result() -> None:
    assert len(CALLED) > 50 and {"CLV.trust_", "CLV.load", "BGNBD.p_alive", "PastOrigins.split"} <= CALLED.keys()
    bare = [name for name in CALLED if not any(one.want.strip(". \n") for one in example_of(name, {}).examples)]
    assert bare == []


@pytest.mark.parametrize("name", [name for name in CALLED if name != "CLV"])
def test_what_an_example_shows_is_what_comes(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a model is saved
    place = getattr(CALLED[name], "fget", CALLED[name]).__module__
    known = request.getfixturevalue("shop") if place.startswith(CLV.__module__.rpartition(".")[0]) else {}
    assert mistakes(example_of(name, dict(known))) == ""
