"""Models in memory and the calls that they answer; as a process of its own: ``python -m ...model_runner WORKSPACE``.

The process reads calls from its standard input, one JSON line each, and writes results to its standard output, until
the input ends, as it does however the other process died. What libraries print goes to the standard error.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from pydantic import validate_call
from pydantic_core import from_json, to_json

from clv_core.deployment.api.model_info import FIGURES, SWITCH_SECONDS, ModelInfo, ModelKey
from clv_core.deployment.api.request_events import CustomerEvents
from clv_core.deployment.api.scorer import Scorer, load_scorer
from clv_core.deployment.registry import Registry
from clv_core.errors import ClvError
from clv_core.records import JsonObject
from clv_core.scratch import work_in
from clv_core.workspace import Workspace


class ModelRunner:
    """Models by key. Arguments of its methods may come from JSON: they are validated.

    Args:
        workspace: of models and datasets.
        on_change: called after models were loaded or released.
    """

    def __init__(self, workspace: Workspace, on_change: Callable[[], None] = lambda: None) -> None:
        self._workspace, self._registry, self._on_change = workspace, Registry(workspace), on_change
        self._scorers: dict[ModelKey, Scorer] = {}

    @validate_call
    def load(self, key: ModelKey) -> ModelInfo:
        """Load a model in addition to those in memory.

        Raises:
            NotFound: it no longer exists.
            Refused: it is damaged, and no version of its name is sound.
        """
        scorer = load_scorer(self._workspace, self._registry, key)
        info = scorer.info(key)
        self._scorers[info.key] = scorer
        self._on_change()
        return info

    @validate_call
    def retain(self, keys: list[ModelKey]) -> None:
        """Release all other models."""
        released = set(self._scorers) - set(keys)
        for key in released:
            del self._scorers[key]
        if released:
            self._on_change()

    @validate_call
    def score(self, key: ModelKey, as_of: date, customers: list[CustomerEvents]) -> list[list[float]]:
        """Return :data:`FIGURES` of each customer, [n][5]; a model that is not in memory is loaded first.

        Args:
            key: of a :class:`~clv_core.deployment.api.model_info.ModelInfo`.
            as_of: midnight, log-local.
            customers: n, at least one.
        """
        predictions = self._scorer(key).predict_customers(customers, as_of)
        columns = [getattr(predictions, name).tolist() for name in FIGURES]
        return [list(row) for row in zip(*columns, strict=True)]

    @validate_call
    def explain(self, key: ModelKey, as_of: date, customer: CustomerEvents, language: str) -> JsonObject:
        """Return ``base`` and ``reasons`` of a customer's prediction."""
        return self._scorer(key).explain(customer, as_of, language)

    def _scorer(self, key: ModelKey) -> Scorer:
        if key not in self._scorers:
            self.load(key)
        return self._scorers[key]


def main(arguments: list[str]) -> None:
    """Answer calls until there are no more."""
    os.nice(5)  # the process that answers HTTP goes first: others wait for what it passes on
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGINT, signal.SIGTERM):  # a stopping service still waits for its answers
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    workspace = Workspace(Path(arguments[0]))
    work_in(workspace)
    serve(ModelRunner(workspace, _freeze_models), sys.stdin.buffer, answers)


def serve(runner: ModelRunner, calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls one by one, but for loads, which run in a thread meanwhile.

    Args:
        runner: whose methods are called.
        calls: lines ``{number, method, arguments}``.
        answers: gets lines ``{number, result}`` or ``{number, error}``.
    """
    writing = Lock()

    def answer(call: JsonObject) -> None:
        try:
            outcome = {"result": getattr(runner, call["method"])(*call["arguments"])}
        except ClvError as error:
            outcome = {"error": {"kind": type(error).__name__, "code": error.code, "params": error.params}}
        except Exception as error:  # its text may name a customer
            outcome = {"error": {"kind": "ClvError", "code": "unexpected", "params": {"kind": type(error).__name__}}}
        with writing:
            answers.write(to_json({"number": call["number"], **outcome}) + b"\n")
            answers.flush()

    with ThreadPoolExecutor(1, "loading") as loading:
        for line in calls:
            call = from_json(line)
            if call["method"] == "load":
                loading.submit(answer, call)
            else:
                answer(call)


def _freeze_models() -> None:
    """Exempt models from garbage collection: it would take longer than an answer."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main(sys.argv[1:])
