"""Processes that score: the same figures as a thread, and no request is lost with one of them."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from pydantic_core import from_json, to_json

from clv_core.deployment.api import model_cache
from clv_core.deployment.api.batcher import ScoringTask
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.api.model_info import MODEL_INFO, ModelInfo, ModelKey, resolve_model
from clv_core.deployment.api.model_runner import FIGURES
from clv_core.deployment.api.model_runner import serve as answer_calls
from clv_core.deployment.api.request_events import CustomerEvents
from clv_core.deployment.api.schemas import REQUEST
from clv_core.deployment.api.workers import Lost, ProcessWorker, ThreadWorker
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.registry import Registry
from clv_core.errors import Message, NotFound
from clv_core.evaluation.trust import Trust
from clv_core.workspace import Workspace
from tests.deployment.api.conftest import Serve, asked_meanwhile

pytestmark = pytest.mark.first(5)

END = date(2024, 2, 5)
T = TypeVar("T")


def people_of(sent: dict[str, Any], model: ModelInfo, count: int) -> list[CustomerEvents]:
    read = REQUEST.validate_python({"customers": [sent[who] for who in sorted(sent)[:count]]}, strict=False)
    found = ScoringTask.of(model, END, read["customers"], False, "en").customers
    return [one for _, one in found if isinstance(one, CustomerEvents)]


def on(shop: Workspace, ask: Callable[[ProcessWorker], Awaitable[T]], lost: Callable[[], object] = lambda: None) -> T:
    async def run() -> T:
        worker = ProcessWorker(shop, lost)
        try:
            return await ask(worker)
        finally:
            await worker.close()

    return asyncio.run(run())


@pytest.mark.slow
def test_a_process_says_what_a_thread_says_of_models_and_customers_to_the_bit(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, Any]
) -> None:
    async def said(worker: Any) -> list[Any]:
        found: list[Any] = []
        for kind in ("blend", "bgnbd"):
            model = await worker.load(resolve_model(shop, Registry(shop), bundles[kind].id))
            people = people_of(sent, model, 30)
            rows = await worker.score(model.key, END, people)
            found += [model, rows]
            assert len(rows) == len(people) and all(len(row) == len(FIGURES) for row in rows)
        await worker.retain([])
        found.append(await worker.explain(model.key, END, people[0], "zh"))
        return found

    async def here() -> list[Any]:
        worker = ThreadWorker(shop)
        found = await said(worker)
        await worker.close()
        return found

    assert on(shop, said) == asyncio.run(here())


def test_what_cannot_be_loaded_is_the_same_error_on_this_side(shop: Workspace, bundles: dict[str, Bundle]) -> None:
    gone = replace(resolve_model(shop, Registry(shop), bundles["bgnbd"].id), bundle="shop-bgnbd-gone")
    with pytest.raises(NotFound) as raised:
        on(shop, lambda worker: worker.load(gone))
    assert raised.value.code and "{" not in raised.value.message("zh")


@pytest.mark.slow
def test_a_killed_process_is_started_again_with_its_models_and_no_request_fails(
    shop: Workspace, bundles: dict[str, Bundle], serve: Serve
) -> None:
    Registry(shop).promote("shop", 1)
    event = {"event_time": "2023-05-01T10:00:00Z", "event_type": "purchase", "amount": 20.0}
    body = {"customers": [{"customer_id": "c1", "events": [event]}], "as_of": "2024-02-05"}
    with serve(workers=2) as client:
        before = children()
        assert len(before) == 2  # who explains is not there yet
        with asked_meanwhile(client.base_url, body) as answers:
            for victim in before:
                os.kill(victim, signal.SIGKILL)
                waited = time.monotonic() + 60
                while (len(children()) < 2 or victim in children()) and time.monotonic() < waited:
                    time.sleep(0.05)
        assert not set(before) & set(children())
        text = client.get("/metrics").text
    assert {one.status_code for one in answers} == {200} and "clv_processes_lost_total 2.0" in text
    assert not children()


@pytest.mark.slow
def test_who_asks_a_process_that_has_just_ended_hears_so_and_then_asks_the_next_one(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, Any]
) -> None:
    """Its input is closed a moment before the end of its answers is seen, and the server's event loop minds."""
    uvloop = pytest.importorskip("uvloop")

    async def run() -> tuple[list[list[float]], list[list[float]]]:
        worker = ProcessWorker(shop, lambda: None)
        try:
            model = await worker.load(resolve_model(shop, Registry(shop), bundles["bgnbd"].id))
            people = people_of(sent, model, 3)
            before = await worker.score(model.key, END, people)
            assert worker._process is not None and worker._process.stdin is not None
            worker._process.stdin.close()
            await asyncio.sleep(0.01)  # an interpreter takes longer to end
            with pytest.raises(Lost):
                await worker.score(model.key, END, people)
            return before, await worker.score(model.key, END, people)
        finally:
            await worker.close()

    before, after = uvloop.run(run())
    assert before == after


@pytest.mark.slow
def test_a_process_answers_until_its_input_ends_whoever_else_tells_it_to_stop(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "clv_core.deployment.api.model_runner", str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        for number in range(2):
            call = {"number": number, "method": "retain", "arguments": [[]]}
            process.stdin.write(to_json(call) + b"\n")
            process.stdin.flush()
            assert from_json(process.stdout.readline()) == {"number": number, "result": None}
            process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=120)
    assert (process.returncode, rest) == (0, b"")


def test_of_two_answers_the_one_that_breaks_off_is_lost(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    start, ended = asyncio.create_subprocess_exec, []
    script = """read one; read two; printf '{"number": 0, "result": 5}\\n{"number": 1, "sa'"""
    monkeypatch.setattr(asyncio, "create_subprocess_exec", lambda *_, **how: start("sh", "-c", script, **how))

    async def ask(worker: ProcessWorker) -> list[Any]:
        answers = await asyncio.gather(*(worker.score(WANTED, END, []) for _ in range(2)), return_exceptions=True)
        while not ended:
            await asyncio.sleep(0.01)
        return answers

    answered, lost = on(shop, ask, lambda: ended.append(True))
    assert answered == 5 and isinstance(lost, Lost)


def test_where_no_process_can_be_started_it_is_tried_again(monkeypatch: pytest.MonkeyPatch, shop: Workspace) -> None:
    start, failed = asyncio.create_subprocess_exec, []

    async def failing(*words: Any, **how: Any) -> Any:
        if len(failed) < 2:
            failed.append(True)
            raise OSError("no memory")
        return await start(*words, **how)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", failing)
    on(shop, lambda worker: worker.ready())
    assert len(failed) == 2


def test_what_goes_wrong_in_a_process_is_told_without_its_text() -> None:
    def broken(*words: Any) -> Any:
        raise ValueError("c1 is a secret")

    call = {"number": 7, "method": "score", "arguments": [vars(WANTED), "2024-02-05", []]}
    answers = io.BytesIO()
    answer_calls(SimpleNamespace(score=broken), io.BytesIO(to_json(call) + b"\n"), answers)  # type: ignore[arg-type]
    assert from_json(answers.getvalue()) == {
        "number": 7, "error": {"kind": "ClvError", "code": "unexpected", "params": {"kind": "ValueError"}},
    }  # fmt: skip


def test_all_workers_hold_the_version_that_the_first_one_found_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ModelKey] = []
    sound = replace(WANTED, version=2, bundle="older")

    class Noting:
        async def load(self, wanted: ModelKey) -> ModelInfo:
            asked.append(wanted)
            return ModelInfo(sound, "UTC", "all", 60, "", TRUST)

    monkeypatch.setattr(model_cache, "Registry", lambda workspace: None)
    monkeypatch.setattr(model_cache, "resolve_model", lambda workspace, registry, asked: WANTED)

    async def run() -> ModelKey:
        cache = ModelCache(Workspace(Path()), [Noting()] * 3, Noting(), "shop", 1, lambda: None)  # type: ignore[list-item, arg-type]
        loaded = await cache.get(None)
        cache.close()
        return loaded.key

    assert asyncio.run(run()) == sound
    assert asked == [WANTED, sound, sound]


def test_what_is_known_of_a_model_goes_over_a_pipe_and_back() -> None:
    loaded = ModelInfo(WANTED, "Asia/Shanghai", "unrated", 91, "CNY", TRUST, (Message("warning.x", {"n": 1}),))
    loaded = replace(loaded, cutoff=date(2024, 1, 31), log_types=("purchase", "wishlist"), attributes={"age": "number"})
    assert MODEL_INFO.validate_python(from_json(to_json(loaded))) == loaded


TRUST = Trust("caution", (Message("reason.unvalidated", {"horizon": 91}),))
WANTED = ModelKey("shop", 3, "newest", "d" * 64, "l" * 64, True)


def children() -> set[int]:
    """Return the processes that score for this one."""
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = {int(pid) for path in found for pid in path.read_text().split()}
    return {pid for pid in pids if b"api.model_runner" in Path(f"/proc/{pid}/cmdline").read_bytes()}
