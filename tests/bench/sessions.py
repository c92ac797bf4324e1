"""Twenty people at once, each with a dataset of their own: foreign values on any page, and seconds of a script run.

Every session is a websocket to one server, as a browser opens it: it asks for a page, reads everything until the script
has finished, thinks, and goes to the next; each begins with another page, as people do not walk in step. All bytes that
a session gets are searched for the marks of the other nineteen datasets, which stand in ids and categories. With
``--browsers``, so many real browser windows do the same.
``python -m tests.bench.sessions --sessions 20 --rounds 2 --think 5``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import HOLDOUT, Bundle, place, staging
from clv_core.deployment.model_record import DatasetVersion
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored, score
from clv_core.features.explore.cube import build_cube
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("home", "datasets", "explore", "segments", "customer", "strategy")
CUSTOMERS, DAYS = 600, 540


def mark(number: int) -> str:
    """Return what stands in every id and category of a dataset, and nowhere else."""
    return f"mk{number:02d}zq"


def prepare(root: Path, count: int) -> list[tuple[str, str]]:
    """Make the datasets with a model each; return their names and models' ids."""
    workspace, first = Workspace(root), None
    found = []
    for number in range(count):
        name, folder = f"shop{number:02d}", root.parent / "log"
        simulate("browsing", SimulationPlan(CUSTOMERS, DAYS, number + 1, 90)).write(folder)
        frame = pd.read_csv(folder / "events.csv", dtype=str)
        frame["customer_id"] = mark(number) + frame["customer_id"]
        if "category" in frame:
            frame["category"] = mark(number) + " " + frame["category"]
        frame.to_csv(folder / "events.csv", index=False)
        manifest = ingest(workspace, folder / "events.csv", name, currency="EUR")
        if first is None:
            first = pipeline.train(
                workspace, name, TrainConfig(horizon_days=90, model="bgnbd", cutoffs=2), progress=NoProgress()
            )
        bundle = first if number == 0 else _copy(workspace, first, name, manifest.version)
        score(Scored.open(workspace, name, bundle.id), progress=NoProgress())
        build_cube(workspace, name, NoProgress())
        found.append((name, bundle.id))
    return found


def _copy(workspace: Workspace, first: Bundle, name: str, version: str) -> Bundle:
    """Return a model of another dataset, made of the first one's weights, without its holdout."""
    with staging(workspace) as folder:
        for file in first.folder.iterdir():
            if file.name not in (HOLDOUT, "bundle.json"):
                shutil.copy(file, folder / file.name)
        record = replace(first.record, dataset=DatasetVersion(name, version))
        bundle = place(workspace, folder, f"{name}-bgnbd", record)
    Registry(workspace).register(bundle)
    return bundle


async def session(
    number: int, count: int, base: str, chosen: tuple[str, str], rounds: int, think: float
) -> dict[str, Any]:
    """Walk the pages; return seconds by visit, and every foreign mark with its page."""
    foreign = [mark(other).encode() for other in range(count) if other != number]
    own, seconds, hits, shown, broken = mark(number).encode(), [], [], 0, 0
    query = urlencode({"dataset": chosen[0], "model": chosen[1], "lang": "zh" if number % 2 else "en"})
    await asyncio.sleep(think * number / count)
    address = f"{base}/_stcore/stream"
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None) as socket_:
        for visit in range(rounds):
            for step in range(len(PAGES)):
                page = PAGES[(number + step) % len(PAGES)]
                asked = BackMsg()
                asked.rerun_script.query_string = query
                asked.rerun_script.page_name = page
                started, got = time.monotonic(), []
                await socket_.send(asked.SerializeToString())
                while True:
                    message = await asyncio.wait_for(socket_.recv(), 120)
                    got.append(message)
                    kind = ForwardMsg.FromString(message)
                    broken += kind.WhichOneof("type") == "delta" and b"exception" in message[:60]
                    if kind.WhichOneof("type") == "script_finished":
                        break
                seconds.append((visit, page, time.monotonic() - started))
                content = b"".join(got)
                hits += [(page, other.decode()) for other in foreign if other in content]
                shown += own in content
                await asyncio.sleep(think)
    return {"seconds": seconds, "hits": hits, "shown": shown, "broken": broken}


def windows(base: str, chosen: list[tuple[str, str]], count: int) -> list[str]:
    """Open real browser windows, each on a dataset of its own, in turn on every page; return what was foreign."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.conftest import FLAGS

    found, seen = [], 0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=FLAGS)
        pages = [browser.new_context(viewport={"width": 1280, "height": 900}).new_page() for _ in range(count)]
        for path in ("segments", "customer", "explore"):
            for number, page in enumerate(pages):
                page.goto(f"{base}/{path}?{urlencode({'dataset': chosen[number][0], 'model': chosen[number][1]})}")
            for number, page in enumerate(pages):
                page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=120_000)
                page.wait_for_timeout(2500)
                content = page.content()
                seen += mark(number) in content
                found += [
                    f"{path}: {mark(other)}"
                    for other in range(len(chosen))
                    if other != number and mark(other) in content
                ]
        browser.close()
    print(f"{count} browser windows, {3 * count} pages: own marks seen on {seen}, foreign: {found or 'none'}")
    return found


def main() -> None:
    """Prepare, serve, walk, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--think", type=float, default=5.0)
    parser.add_argument("--browsers", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("build/sessions"))
    options = parser.parse_args()
    root = options.folder.absolute() / "workspace"
    shutil.rmtree(root, ignore_errors=True)
    chosen = prepare(root, options.sessions)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["pages.ui", "--server.port", str(port), "--server.headless", "true"]
    with (options.folder / "server.log").open("wb") as log:
        environment = {**os.environ, "CLV_WORKSPACE": str(root)}
        server = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait(port)
        asyncio.run(_all(port, chosen[:1], 1, 0.0))  # the server imports what the pages need, once
        results = asyncio.run(_all(port, chosen, options.rounds, options.think))
        report(results, options)
        if options.browsers:
            windows(f"http://127.0.0.1:{port}", chosen, options.browsers)
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


async def _all(port: int, chosen: list[tuple[str, str]], rounds: int, think: float) -> list[dict[str, Any]]:
    base = f"ws://127.0.0.1:{port}"
    walks = (session(number, len(chosen), base, one, rounds, think) for number, one in enumerate(chosen))
    return list(await asyncio.gather(*walks))


def _wait(port: int) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise TimeoutError


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print seconds of a script run, first visits apart, and what was foreign."""
    visits = pd.DataFrame([row for one in results for row in one["seconds"]], columns=["round", "page", "seconds"])
    hits = [hit for one in results for hit in one["hits"]]
    print(
        f"{options.sessions} sessions, {len(visits)} script runs, think {options.think:g} s,"
        f" load {os.getloadavg()[0]:.1f}"
    )
    for name, rows in (
        ("all", visits),
        ("first round", visits[visits["round"] == 0]),
        ("later", visits[visits["round"] > 0]),
    ):
        if len(rows):
            p50, p95 = np.quantile(rows["seconds"], [0.5, 0.95])
            print(f"{name}: p50 {p50:.2f} s, p95 {p95:.2f} s, max {rows['seconds'].max():.2f} s")
    print(visits.groupby("page")["seconds"].quantile(0.95).round(2).to_dict())
    print("own marks on", sum(one["shown"] for one in results), "of", len(visits), "runs; foreign:", hits or "none")
    print("runs with an exception:", sum(one["broken"] for one in results))


if __name__ == "__main__":
    main()
