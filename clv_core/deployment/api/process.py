"""A process that scores for another one: ``python -m clv_core.deployment.api.process WORKSPACE``.

It reads calls from its standard input, one JSON line each, and writes answers to its standard output, until the input
ends, as it does however the other process died. What libraries print goes to the standard error.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from pydantic_core import from_json, to_json

from clv_core.deployment.api.model_info import ModelKey
from clv_core.deployment.api.model_runner import SWITCH_SECONDS, Work
from clv_core.deployment.api.request_events import Person
from clv_core.errors import ClvError
from clv_core.scratch import work_in
from clv_core.workspace import Workspace


def main(arguments: list[str]) -> None:
    """Answer calls until there are no more."""
    os.nice(5)  # who talks, and passes on what others wait for, goes first
    sys.setswitchinterval(SWITCH_SECONDS)
    for told in (signal.SIGINT, signal.SIGTERM):  # a service that is stopped still wants what it has asked for
        signal.signal(told, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    workspace = Workspace(Path(arguments[0]))
    work_in(workspace)
    serve(Work(workspace), sys.stdin.buffer, answers)


def serve(work: Work, calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls one by one, but for loads, which run beside.

    Args:
        work: what is asked.
        calls: lines ``{number, do, words}``.
        answers: gets lines ``{number, said}`` or ``{number, error}``.
    """
    writing = Lock()

    def answer(call: Mapping[str, Any]) -> None:
        try:
            said = {"said": DOES[call["do"]](work, call["words"])}
        except ClvError as error:
            said = {"error": {"kind": type(error).__name__, "code": error.code, "params": error.params}}
        except Exception as error:  # its text may name a customer
            said = {"error": {"kind": "ClvError", "code": "unexpected", "params": {"kind": type(error).__name__}}}
        with writing:
            answers.write(to_json({"number": call["number"], **said}) + b"\n")
            answers.flush()

    with ThreadPoolExecutor(1, "loading") as loading:
        for line in calls:
            call = from_json(line)
            if call["do"] == "load":
                loading.submit(answer, call)
            else:
                answer(call)


def _load(work: Work, words: Mapping[str, Any]) -> Any:
    loaded = work.load(ModelKey(**words["wanted"]))
    _settle()
    return loaded.to_json()


def _hold(work: Work, words: Mapping[str, Any]) -> Any:
    if work.hold([ModelKey(**one) for one in words["wanted"]]):
        _settle()


def _score(work: Work, words: Mapping[str, Any]) -> Any:
    people = [Person("", *row) for row in words["people"]]
    return work.score(ModelKey(**words["wanted"]), date.fromisoformat(words["as_of"]), people)


def _reasons(work: Work, words: Mapping[str, Any]) -> Any:
    person, as_of = Person("", *words["person"]), date.fromisoformat(words["as_of"])
    return work.reasons(ModelKey(**words["wanted"]), as_of, person, words["language"])


def _settle() -> None:
    """Have models passed over when garbage is looked for: it would take longer than an answer."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


DOES: dict[str, Callable[[Work, Mapping[str, Any]], Any]] = {
    "load": _load, "hold": _hold, "score": _score, "reasons": _reasons,
}  # fmt: skip

if __name__ == "__main__":
    main(sys.argv[1:])
