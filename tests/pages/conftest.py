"""Workspaces in three states, and the app over them."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ElementTree

from clv_core import audit, jobs, pipeline
from clv_core.cli import main
from clv_core.collection.ingest import ingest
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import list_bundles, write_record
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.evaluation.bootstrap import Estimate
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.explanation_files import explain
from clv_core.strategy.forecast import forecast
from clv_core.strategy.plans.saved_offers import TIERS, update_offers
from clv_core.workspace import Workspace, write_json
from pages.ui import access, navigation, page_files
from pages.ui.navigation import BY_NAME
from tests.conftest import made
from tests.monitoring.watched_shop import plant, watch_of
from tests.records import judged

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "sample.csv"
HORIZON_DAYS = 90
OPEN = Callable[..., AppTest]
START = Callable[..., jobs.Job]
SIGN_IN = Callable[..., None]
REACHABLE = tuple[Path, pd.DataFrame]
Offered = dict[str, dict[str, Any]]
CONTROLS = (
    *("button", "selectbox", "multiselect", "button_group", "text_input", "text_area", "number_input", "slider"),
    *("select_slider", "toggle", "checkbox", "date_input"),
)
ROLES = """
default = ""
claim = "groups"
[people]
"ana@shop.example" = "admin"
"*@shop.example" = "viewer"
[claims]
"clv-analysts" = "analyst"
"""


EFFECTS: tuple[dict[str, Any], ...] = (
    {"start": "mail", "tier1": 1.0, "tier2": 1.0, "tier3": 1.0, "tier4": 1.0},
    {"start": "voucher", "tier1": 5.0, "tier2": 5.0, "tier3": 5.0, "tier4": 5.0},
    {"start": "call", "tier1": 12.0, "tier2": 10.0},
)
"""Effects, in percent, that somebody entered for the offers to begin with."""


def enter_effects(root: Path, *schemes: str) -> None:
    """Save :data:`EFFECTS` for the value tiers and other schemes."""
    dataset = open_dataset(Workspace(root), "shop")
    update_offers(dataset, rows=dict.fromkeys((TIERS, *schemes), EFFECTS))


def texts(app: AppTest) -> str:
    """Return all that is written on a page."""
    kinds = ("title", "header", "markdown", "caption", "info", "success", "warning", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def control(app: AppTest, key: str) -> Any:
    """Return the control with this key, else the button of the form called so, else the first whose key begins so."""
    every = [one for kind in CONTROLS for one in app.get(kind) if one.key]
    button = [one for one in every if one.key.startswith(f"FormSubmitter:{key}")]
    return ([one for one in every if one.key == key] or button or [one for one in every if one.key.startswith(key)])[0]


def do(app: AppTest, *steps: str | tuple[str, Any]) -> AppTest:
    """Press the button of a key, or give the control of a key a value; what stands in a form waits for its button."""
    for step in steps:
        one = control(app, step).click() if isinstance(step, str) else control(app, step[0]).set_value(step[1])
        app = one.run() if isinstance(step, str) or not one.form_id else app
    return app


def details(app: AppTest) -> AppTest:
    """Go from the business on the monitor page to the model's details."""
    return do(app, (navigation.MONITOR_VIEW, "details"))


def edit(app: AppTest, table: str, rows: dict[int, dict[str, Any]], added: list[dict[str, Any]] | None = None) -> None:
    """Change cells of the table whose key begins so, and add rows to it, as the browser sends it."""
    key = next(one.key for one in app.data_editor if str(one.key).startswith(table))
    app.session_state[key] = {"edited_rows": rows, "added_rows": added or [], "deleted_rows": []}
    app.run()


def newest(root: Path, command: str) -> jobs.Job:
    """Return the run of a command that was started last."""
    return jobs.jobs(Workspace(root), command)[0]


def args_of(root: Path, command: str) -> list[str]:
    """Return the words of the run of a command that was started last."""
    return list(newest(root, command).status().args)


def really(root: Path, command: str, code: int = 0) -> list[str]:
    """Let the newest run of a command, which was only pretended, happen; return its words."""
    job = newest(root, command)
    args, language = list(job.status().args), (job.folder / "language").read_text(encoding="utf-8")
    jobs.update_status(job.folder, pid=None)
    assert main(["--job", str(job.folder), *args, "--workspace", str(root), "--lang", language]) == code
    return args


def keys_of(app: AppTest, kind: str = "button") -> set[str]:
    """Return the keys of a page's controls of a kind."""
    return {str(one.key) for one in app.get(kind)}


@pytest.fixture(autouse=True)
def _no_page_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test does to a page, it is drawn to its end."""
    run = ElementTree.run

    def whole(self: ElementTree, **options: Any) -> AppTest:
        app = run(self, **options)
        assert not app.exception, [one.message for one in app.exception]
        return app

    monkeypatch.setattr(ElementTree, "run", whole)


@pytest.fixture(scope="session", autouse=True)
def _installed_once() -> None:
    """A server looks through all installed packages for components when it starts; here each test starts one."""
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="module", autouse=True)
def _own_caches() -> None:
    """A server has one workspace, and its caches are keyed by what lies there; here many have models of the same id."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def with_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one dataset, the sample that ships, and a watch on its business that found nothing."""

    def make(workspace: Workspace) -> None:
        ingest(workspace, SAMPLE, "shop", currency="EUR")
        plant(open_dataset(workspace, "shop"), watch_of())

    return made("with_dataset", tmp_path_factory.mktemp("with_dataset"), make).root


@pytest.fixture(scope="session")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset, a model (the quick BG/NBD), its scores, watch, forecast and explanation."""

    def make(workspace: Workspace) -> None:
        ingest(workspace, SAMPLE, "shop", currency="EUR")
        plant(open_dataset(workspace, "shop"), watch_of())
        config = TrainConfig(horizon_days=HORIZON_DAYS, model="bgnbd", cutoffs=3)
        bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
        scored = Scored.open(workspace, "shop", bundle.id)
        score(scored, progress=NoProgress())
        forecast(scored, NoProgress())
        explain(scored, explanation_folder(scored), sample=40, permutations=1, progress=NoProgress())

    return made("with_model", tmp_path_factory.mktemp("with_model"), make).root


def scores_file(root: Path) -> Path:
    """Return the file of the model's own scores; those at other terms, as a forecast reads them, have a longer name."""
    return min(root.glob("datasets/*/made/*/*/scores-*.parquet"), key=lambda path: len(path.name))


def copied(workspace: Path, folder: Path) -> Path:
    """Copy a workspace without the runs and the exports of other tests."""
    shutil.copytree(workspace, folder)
    for name in ("jobs", "exports"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return folder


@pytest.fixture
def root(with_model: Path, tmp_path: Path) -> Path:
    """A workspace of its own, with a model."""
    return copied(with_model, tmp_path / "workspace")


@pytest.fixture
def bare(with_dataset: Path, tmp_path: Path) -> Path:
    """A workspace of its own, with a dataset and no model."""
    return copied(with_dataset, tmp_path / "bare")


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace whose dataset ``shop`` has a model of each kind (``tests/frozen``), and its key."""
    folder = tmp_path_factory.mktemp("frozen")
    with zipfile.ZipFile(ROOT / "tests" / "frozen" / "workspace.zip") as packed:
        packed.extractall(folder)
    return folder


def give_contacts(root: Path, **columns: Callable[[int], str]) -> pd.DataFrame:
    """Give all customers of the one model of a workspace these columns, made of their places; return the table."""
    work = Workspace(root)
    [model] = [bundle.id for bundle in list_bundles(work)]
    ids = Scored.open(work, "shop", model).scores(NoProgress())["customer_id"]
    people = pd.DataFrame(
        {"customer_id": ids, **{name: [of(n) for n in range(len(ids))] for name, of in columns.items()}}
    )
    people.to_csv(root / "people.csv", index=False)
    add_customers(work, "shop", root / "people.csv", Roles(), progress=NoProgress())
    Scored.open(work, "shop", model).scores(NoProgress())
    return people


@pytest.fixture
def reachable(root: Path) -> REACHABLE:
    """A workspace of its own whose dataset knows e-mail addresses, and consent of two in three; and these."""
    return root, give_contacts(root, email=lambda n: f"p{n}@b.de", consent=lambda n: "yes" if n % 3 else "no")


@pytest.fixture
def not_trusted(root: Path) -> Path:
    """A workspace of its own whose model is not trusted: its order is hardly better than chance."""
    [bundle] = list_bundles(Workspace(root))
    evidence = bundle.record.evidence
    assert evidence is not None and evidence.held is not None
    poor = replace(evidence, held=replace(evidence.held, gini=Estimate(0.05, -0.02, 0.12)))
    write_record(bundle.folder, judged(bundle.record, poor))
    return root


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """What a page offers as files, by the key of the button: data, name and options."""
    found: Offered = {}

    def take(label: str, data: Any, name: str, key: str, **options: Any) -> None:
        found[key] = {"label": label, "data": data, "name": name, **options}

    monkeypatch.setattr(page_files, "download", take)
    return found


def press(one: dict[str, Any]) -> bytes:
    """Return the bytes of a file that is offered."""
    made: bytes = one["data"]() if callable(one["data"]) else one["data"]
    return made


def table_of(one: dict[str, Any]) -> pd.DataFrame:
    """Return the rows of a spreadsheet that is offered, as texts."""
    return pd.read_csv(io.BytesIO(press(one)), encoding="utf-8-sig", dtype=str)


@pytest.fixture
def idle_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let what pages start as a run only sleep, until the test ends; all other processes are what they are."""
    program, started = tmp_path / "python", tmp_path / "started"
    sleep = f'echo $$ >> "{started}"; exec sleep 60'
    program.write_text(f'#!/bin/sh\n[ "$3" = --job ] && {{ {sleep}; }}\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    yield
    for line in started.read_text().split() if started.exists() else ():
        os.kill(int(line), signal.SIGKILL)


@pytest.fixture
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The workspace that a test's parameter names: ``empty``, ``with_dataset`` or ``with_model``."""
    return tmp_path if request.param == "empty" else request.getfixturevalue(request.param)


@pytest.fixture
def sleeping_job() -> Iterator[START]:
    """Return what starts a run that reports a third of the way and then sleeps; all of them end with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(workspace: Workspace, command: list[str], label: str = "", language: str = "en") -> jobs.Job:
        folder = workspace.jobs / f"{time.strftime('%Y%m%d-%H%M%S')}-{command[0]}-{time.time_ns():x}"
        folder.mkdir()
        sleeper = [sys.executable, "-c", "import time; time.sleep(60)", str(folder)]
        processes.append(subprocess.Popen(sleeper, start_new_session=True))
        words, pid, now = tuple(command), processes[-1].pid, time.time()
        status = jobs.JobStatus(folder.name, words[0], words, label, audit.actor(), pid=pid, started=now)
        status = replace(status, stage="training", done=40, total=120)
        write_json(folder / "status.json", status.to_json())
        (folder / "language").write_text(language, encoding="utf-8")
        steps = [{"stage": "training", "done": at, "seed": 1, "step": at, "loss": 3 - at / 40} for at in (20, 40)]
        rows = [json.dumps(step) + "\n" for step in steps]
        (folder / "history.jsonl").write_text("".join(rows), encoding="utf-8")
        return jobs.Job(folder)

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, sleeping_job: START) -> OPEN:
    """Return what opens a page of the app over a workspace."""

    def open_it(root: Path, page: str = "home", **query: str) -> AppTest:
        monkeypatch.setenv("CLV_WORKSPACE", str(root))

        def start(workspace: Workspace, command: list[str], *, label: str, language: str, **_: Any) -> jobs.Job:
            return sleeping_job(workspace, command, label, language)

        monkeypatch.setattr(jobs, "start", start)
        app = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        return app if page == "home" else app.switch_page(BY_NAME[page].path).run()

    return open_it


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SIGN_IN:
    """Return what lets somebody be signed in; without an address, nobody is."""
    settings = tmp_path / "access.toml"
    settings.write_text(ROLES)
    monkeypatch.setenv("CLV_ACCESS_FILE", str(settings))

    def enter(email: str = "", **claims: Any) -> None:
        monkeypatch.setattr(st, "user", {"is_logged_in": bool(email), **({"email": email} if email else {}), **claims})

    return enter


@pytest.fixture
def never_grey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let buttons be live for everybody, as one that somebody forgot to grey: what lies behind them must refuse."""
    monkeypatch.setattr(access, "if_may", lambda action, *, disabled=False: {"disabled": disabled})
