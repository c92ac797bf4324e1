"""A shop whose log is in Shanghai's time, with an attribute, and a model of each kind that is served."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import uvicorn

from clv_core.collection.customers.roles import Roles
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.api.app import make
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.registry import Registry
from clv_core.environment import ServiceSettings
from clv_core.features.duckdb_engine import Engine
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.demand import find_asked_demand
from clv_core.strategy.forecast import find_asked_forecast
from clv_core.workspace import Workspace
from tests.deployment.kinds import keep_kinds

SENT = ("event_type", "amount", "order_id", "category", "quantity", "discount", "rating", "review_text", "channel",
        "country")  # fmt: skip
Serve = Callable[..., Any]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with the dataset ``shop`` and a bundle of each of ``KINDS``, the first one champion."""
    folder = tmp_path_factory.mktemp("served")
    simulate("browsing", SimulationPlan(400, 400, 2, 90)).write(folder / "log")
    workspace = Workspace(folder / "workspace")
    words: dict[str, Any] = {"mapping": {}, "timezone": "Asia/Shanghai", "currency": "CNY", "progress": NoProgress()}
    ingest(workspace, folder / "log" / "events.csv", "shop", **words)
    people = pd.read_csv(folder / "log" / "events.csv", dtype=str)["customer_id"].drop_duplicates().iloc[::2]
    ages = pd.DataFrame({"customer_id": people, "age": [20 + at % 50 for at in range(len(people))]})
    ages.to_csv(folder / "people.csv", index=False)
    add_customers(workspace, "shop", folder / "people.csv", Roles(static=("age",)), progress=NoProgress())
    for bundle in keep_kinds(workspace, open_dataset(workspace, "shop"), folder):
        Registry(workspace).register(bundle)
    return workspace


@pytest.fixture(scope="session")
def bundles(shop: Workspace) -> dict[str, Bundle]:
    """Return the bundles by kind."""
    return {one.record.model: one for one in list_bundles(shop)}


@pytest.fixture(scope="session")
def sent(shop: Workspace) -> dict[str, dict[str, Any]]:
    """Return all customers of the log as they would be sent, by id: times on the log's clock, attributes beside."""
    dataset, engine = open_dataset(shop, "shop"), Engine()
    frame = dataset.events(engine.connection).to_pyarrow().to_pandas().sample(frac=1, random_state=5)
    ages = pd.read_parquet(dataset.customers_path).set_index("customer_id")["age"]
    engine.close()
    times = frame["event_time"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    rows = frame[list(SENT)].astype(object).where(frame[list(SENT)].notna(), None).to_dict("records")
    found: dict[str, dict[str, Any]] = {}
    for who, moment, row in zip(frame["customer_id"], times, rows, strict=True):
        event = {"event_time": moment, **{name: value for name, value in row.items() if value is not None}}
        found.setdefault(who, {"customer_id": who, "events": []})["events"].append(event)
    for who, age in ages.items():
        if who in found:
            found[str(who)]["attributes"] = {"age": float(age)}
    return found


@pytest.fixture
def serve(shop: Workspace) -> Serve:
    """Return what starts the service in a thread: ``with serve(open=True) as client``; it scores in threads."""

    @contextmanager
    def started(workspace: Workspace = shop, *, ready: bool = True, **settings: Any) -> Iterator[httpx.Client]:
        words = {"open": True, "poll_seconds": 0.05, "workers": 0, **settings}
        app = make(workspace, ServiceSettings(**words), find_asked_forecast, find_asked_demand)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                while ready and not client.get("/healthz").json()["ready"]:
                    time.sleep(0.02)
                yield client
        finally:
            server.should_exit = True
            thread.join(60)

    return started


@contextmanager
def process(workspace: Workspace, *, before: Sequence[str] = ()) -> Iterator[tuple[httpx.URL, Path]]:
    """Start ``serve`` as a shell does, with no keys, behind the words ``before``; yield its address and its log."""
    log = workspace.root.with_name("service.log")
    words = [*before, sys.executable, "-m", "clv_core", "serve", "--open", "--port", "0", "--workers", "0"]
    with log.open("w") as out:
        running = subprocess.Popen([*words, "--workspace", str(workspace.root)], stdout=out, stderr=out)
    try:
        while not (listening := re.search(r"Listening on (http://\S+)", log.read_text())):
            assert running.poll() is None, log.read_text()
            time.sleep(0.05)
        yield httpx.URL(listening[1]), log
    finally:
        running.terminate()
        running.wait(30)


@contextmanager
def asked_meanwhile(address: httpx.URL, body: dict[str, Any]) -> Iterator[list[httpx.Response]]:
    """Have three clients ask for scores again and again; yield the answers, which are complete at the end."""
    answers: list[httpx.Response] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=address, timeout=60) as own:
            while not done.is_set():
                answers.append(own.post("/v1/score", json=body))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()
