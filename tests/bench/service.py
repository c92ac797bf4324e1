"""The scoring service under load: requests a second, latency at a rate, processor time a request, swaps, bad requests.

    python -m tests.bench.service --workspace DIR [--models bgnbd,lightgbm,hybrid,blend] [--parts speed,bad,swaps,same]

The workspace holds one dataset and a trained model of each kind that is asked for; without one, a shop of the scenario
``browsing`` is simulated and the models are trained in a temporary folder. Server and load generator run on the same
machine; the generator's own processor time is printed beside the server's, since it takes its share of the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import list_datasets
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored
from clv_core.features.duckdb_engine import Engine
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.bench.load import Found, at_rate, closed_loop, request

EVENTS = 20
SENT = ("event_type", "amount", "order_id", "category", "quantity", "discount", "rating", "review_text", "channel",
        "country")  # fmt: skip
FIGURES = ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


@contextmanager
def serving(workspace: Workspace, workers: int, **variables: str) -> Iterator[tuple[int, int]]:
    """Start the service; yield its port and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", "--open", "--port", str(port), "--workers", str(workers), "--workspace", str(workspace.root)]
    process = subprocess.Popen(
        [sys.executable, "-m", "clv_core", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        ready = 0
        while ready < 20 * workers:  # workers take turns in answering
            time.sleep(0.05 if ready else 0.5)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                    ready = ready + 1 if json.load(answer)["ready"] else 0
            except OSError:
                ready = 0
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all below it."""
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def sent_events(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of a log as they are sent."""
    times = frame["event_time"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    rows = frame[list(SENT)].astype(object).where(frame[list(SENT)].notna(), None).to_dict("records")
    return [
        {"event_time": time, **{name: value for name, value in row.items() if value is not None}}
        for time, row in zip(times, rows, strict=True)
    ]


def by_customer(workspace: Workspace) -> tuple[str, dict[str, list[dict[str, Any]]], str]:
    """Return the dataset's name, its customers' events as they are sent, and the log's end."""
    dataset = list_datasets(workspace)[0]
    engine = Engine()
    frame = dataset.events(engine.connection).to_pandas().sort_values("event_time", kind="stable")
    events = sent_events(frame)
    found: dict[str, list[dict[str, Any]]] = {}
    for customer, event in zip(frame["customer_id"], events, strict=True):
        found.setdefault(customer, []).append(event)
    return dataset.name, found, dataset.log_end.isoformat()


def one_customer_requests(events: dict[str, list[dict[str, Any]]], model: str, count: int = 2000) -> list[bytes]:
    """Return requests of one customer with 20 events each, of customers who have them or of two joined."""
    pool = [event for own in events.values() for event in own]
    own = [some[-EVENTS:] for some in events.values() if len(some) >= EVENTS][:count]
    draw = random.Random(1)
    own += [draw.sample(pool, EVENTS) for _ in range(max(0, count - len(own)))]
    bodies = [{"customers": [{"customer_id": f"c{at}", "events": some}], "model": model} for at, some in enumerate(own)]
    return [request("POST", "/v1/score", json.dumps(body, separators=(",", ":")).encode()) for body in bodies]


def speed(port: int, pid: int, wires: list[bytes], seconds: float, clients: int) -> dict[str, Any]:
    """Measure the most that is answered, and the latency at 500 a second."""
    asyncio.run(closed_loop(port, wires, clients, 3))  # both workers have the model in memory now
    cpu, own = cpu_seconds(pid), resource.getrusage(resource.RUSAGE_SELF)
    found = asyncio.run(closed_loop(port, wires, clients, seconds))
    cpu, after = cpu_seconds(pid) - cpu, resource.getrusage(resource.RUSAGE_SELF)
    answers = len(found.seconds)
    used = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    steady: Found = asyncio.run(at_rate(port, wires, 64, 500, seconds))
    return {
        "requests_a_second": round(answers / found.wall_seconds),
        "server_cpu_ms_a_request": round(cpu / answers * 1e3, 3),
        "client_cpu_ms_a_request": round(used / answers * 1e3, 3),
        "failed": answers - found.statuses[200] + len(steady.seconds) - steady.statuses[200],
        "at_500": {f"p{q}": round(steady.quantile(q / 100), 1) for q in (50, 95, 99)}
        | {"answered_a_second": round(len(steady.seconds) / steady.wall_seconds)},
    }  # fmt: skip


def bad_requests(good: bytes, count: int, seed: int = 1) -> list[bytes]:
    """Return requests that are wrong in all kinds of ways."""
    draw = random.Random(seed)
    body = good.partition(b"\r\n\r\n")[2]
    whole = json.loads(body)

    def changed() -> bytes:
        made = json.loads(body)
        event = draw.choice(made["customers"][0]["events"])
        name = draw.choice([*event, "unknown", "amount", "event_time"])
        event[name] = draw.choice([None, "", "x" * 300, -1, 1e308, True, [], {}, "9999-12-31T23:59:59+00:00", "\u0000"])
        return json.dumps(made).encode()

    def flipped() -> bytes:
        spoiled = bytearray(body)
        for _ in range(draw.randint(1, 8)):
            spoiled[draw.randrange(len(spoiled))] = draw.randrange(256)
        return bytes(spoiled)

    def post(body: object, headers: str = "") -> bytes:
        return request("POST", "/v1/score", body if isinstance(body, bytes) else json.dumps(body).encode(), headers)

    def get(path: str, *odd: str) -> bytes:
        return request("GET", f"{path}{draw.choice(odd)}")

    kinds = [
        lambda: post(changed()),
        lambda: post(flipped()),
        lambda: post(body[: draw.randrange(len(body))]),
        lambda: post(bytes(draw.randrange(256) for _ in range(draw.randint(0, 500)))),
        lambda: post({**whole, "model": draw.choice(["nope", "", 5, "../x"])}),
        lambda: post({**whole, "as_of": draw.choice(["0001-01-01", "x", 3, "2024-02-30"])}),
        lambda: post({"customers": whole["customers"] * draw.choice([0, 2, 1001])}),
        lambda: post(b"[" * draw.randint(1, 100_000)),
        lambda: post(body, "content-type: text/plain\r\n"),
        lambda: request(draw.choice(["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]), "/v1/score"),
        lambda: get("/v1/customers/", "%00", "%ff%fe", "..%2f..%2fetc", "a" * 500, "%F0%9F%92%A9"),
        lambda: get("/v1/models?name=", "%27%3B--", "x" * 300, "%00"),
        lambda: get("/", "", "docs", "v1", "v1/score/x", "%2e%2e/secret", "metrics/x"),
        lambda: post(body, f"accept-language: {draw.choice(['zh', ';;q=', 'x' * 2000, 'zh;q=nan'])}\r\n"),
    ]
    return [draw.choice(kinds)() for _ in range(count)]


def swaps(port: int, workspace: Workspace, wires: list[bytes], count: int) -> dict[str, Any]:
    """Promote versions in turn while the service is under load, each once the one before speaks; nothing may fail."""
    registry = Registry(workspace)
    name = registry.names()[0]
    numbers = [one.number for one in registry.versions(name)]
    if len(numbers) < 2:
        raise SystemExit(f"{name} has one version only: nothing to swap it for")
    found, taken = Found(), list[float]()

    def swap(number: int) -> None:
        registry.promote(name, number)
        started = time.perf_counter()
        while True:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if json.load(answer)["version"] == number:
                    taken.append(time.perf_counter() - started)
                    return
            time.sleep(0.01)

    async def counted() -> None:
        nonlocal found
        done = asyncio.Event()

        async def ask() -> None:
            while not done.is_set():
                part = await closed_loop(port, wires, 16, 1.0)
                found.statuses += part.statuses
                found.seconds += part.seconds

        asking = asyncio.create_task(ask())
        loop = asyncio.get_running_loop()
        for at in range(count):
            await loop.run_in_executor(None, swap, numbers[at % len(numbers)])
        done.set()
        await asking

    asyncio.run(counted())
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    loads = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("clv_model_loads_total")]
    seconds = {f"p{q}": round(float(np.quantile(taken, q / 100)), 2) for q in (50, 100)}
    return {"promoted": count, "loads": sum(loads), "seconds_of_a_swap": seconds, "statuses": dict(found.statuses)}


def same(port: int, workspace: Workspace, model: str, events: dict[str, list[dict[str, Any]]], as_of: str) -> float:
    """Return the largest difference between what the service and ``score`` say of 10,000 customers, relative to
    the larger of the figure and 1. The first 1,000 are asked about one by one or by a few, as a call has them."""
    dataset = list_datasets(workspace)[0].name
    whole = Scored.open(workspace, dataset, model).scores(NoProgress()).set_index("customer_id")
    ids = list(events)[:10_000]
    worst = 0.0
    sizes = [1, 2, 7, 30] * 25 + [500] * 18
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        part = ids[end - size : end]
        customers = [{"customer_id": one, "events": events[one]} for one in part]
        body = {"customers": customers, "model": model, "as_of": as_of}
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/score", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        said = pd.DataFrame(json.load(urllib.request.urlopen(asked))["predictions"]).set_index("customer_id")
        expected = whole.loc[part, list(FIGURES)]
        off = np.abs(said[list(FIGURES)] - expected) / np.maximum(np.abs(expected), 1)
        worst = max(worst, float(off.to_numpy().max()))
    return worst


def made(folder: Path, models: list[str]) -> Workspace:
    """Return a workspace with a simulated shop and a model of each kind; how well they predict does not matter here."""
    simulate("browsing", SimulationPlan(12_000, 540, 3, 90)).write(folder / "log")
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log" / "events.csv", "shop", mapping={}, timezone="UTC", progress=NoProgress())
    from clv_core import pipeline

    for model in models:
        config = TrainConfig(horizon_days=90, model=model, cutoffs=3, steps=60, device="cpu")
        pipeline.train(workspace, "shop", config, progress=NoProgress())
    return workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--models", default="bgnbd,lightgbm,hybrid,blend")
    parser.add_argument("--parts", default="speed,bad,swaps,same")
    parser.add_argument(
        "--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="beside the one that talks"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=128)
    options = parser.parse_args()
    parts, models = options.parts.split(","), options.models.split(",")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(options.workspace) if options.workspace else made(Path(folder), models)
        name, events, as_of = by_customer(workspace)
        ids = {one.record.model: one.id for one in list_bundles(workspace)}
        with serving(workspace, options.workers) as (port, pid):
            for model in models:
                if "speed" in parts:
                    wires = one_customer_requests(events, ids[model])
                    found_speed = speed(port, pid, wires, options.seconds, options.clients)
                    print(model, "speed", json.dumps(found_speed), flush=True)
                if "same" in parts:
                    print(model, "same", same(port, workspace, ids[model], events, as_of), flush=True)
            if "bad" in parts:
                wires = bad_requests(one_customer_requests(events, name)[0], 10_000)
                found = asyncio.run(closed_loop(port, wires, 16, 1e9, most=10_000))
                print("bad", json.dumps(dict(sorted(found.statuses.items()))), flush=True)
        if "swaps" in parts:  # each swap is to be seen before the next one: champions are looked for more often
            with serving(workspace, options.workers, CLV_API_POLL_SECONDS="0.05") as (port, _):
                wires = one_customer_requests(events, name)
                print("swaps", json.dumps(swaps(port, workspace, wires, 100)), flush=True)
        print("load average", os.getloadavg(), flush=True)


if __name__ == "__main__":
    main()
