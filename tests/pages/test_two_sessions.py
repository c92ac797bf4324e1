"""Two people at one server, in two languages, roles and datasets: neither sees anything of the other's."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from clv_core import jobs, pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored, score
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import ROLES, ROOT, SAMPLE, texts

VISITED: Final = {
    "home": ("door_tour",),
    "datasets": (),
    "train": ("start_training",),
    "evaluate": (),
    "segments": (),
    "strategy": (),
    "report": ("make_report",),
}
"""Pages -> buttons that an analyst may press, and a viewer may not."""


@pytest.fixture(scope="module")
def two_shops(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace of two datasets, each with a model and its scores, and who may do what."""
    folder = Path(shutil.copytree(frozen, tmp_path_factory.mktemp("two"), dirs_exist_ok=True))
    work = Workspace(folder / "workspace")
    ingest(work, SAMPLE, "market", currency="JPY")
    config = TrainConfig(horizon_days=60, model="naive", cutoffs=1)
    bundle = pipeline.train(work, "market", config, progress=NoProgress())
    score(Scored.open(work, "market", bundle.id), progress=NoProgress())
    (folder / "access.toml").write_text(ROLES)
    return folder


@pytest.fixture
def root(two_shops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of its own, open to a server on which people sign in."""
    folder = Path(shutil.copytree(two_shops, tmp_path / "own"))
    monkeypatch.setenv("CLV_WORKSPACE", str(folder / "workspace"))
    monkeypatch.setenv("CLV_ACCESS_FILE", str(folder / "access.toml"))
    return folder / "workspace"


@dataclass(frozen=True)
class Person:
    """Somebody at the server, with a language and a dataset; every page that she opens is one more session of hers."""

    user: dict[str, Any]
    lang: str
    dataset: str

    def opens(self, page: str) -> AppTest:
        """Open a page as her."""
        app = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=60)
        app.user = dict(self.user)
        app.query_params.update(lang=self.lang, dataset=self.dataset)
        app.run().switch_page(BY_NAME[page].path).run()
        assert not app.error, [one.value for one in app.error]
        return app


BOB: Final = Person({"is_logged_in": True, "email": "bob@shop.example"}, "zh", "shop")
EVE: Final = Person({"is_logged_in": True, "email": "eve@other.example", "groups": ["clv-analysts"]}, "en", "market")
PEOPLE: Final = {"bob": BOB, "eve beside bob": replace(EVE, dataset="shop"), "eve": EVE}
"""In this order and its reverse each dataset, language and role comes first once."""


def shown(app: AppTest) -> list[object]:
    """Return what a page shows: texts, figures, tables, charts, and controls with what they are set to."""
    buttons = [(one.proto.label, one.proto.disabled) for kind in ("button", "download_button") for one in app.get(kind)]
    return [
        texts(app),
        [(one.label, one.value, one.delta) for one in app.metric],
        [one.value.to_csv() for one in app.dataframe],
        [one.proto.spec for one in app.get("plotly_chart")],
        buttons,
        [(one.label, one.value, one.options) for one in (*app.selectbox, *app.multiselect)],
        [(one.label, one.value) for one in (*app.slider, *app.number_input, *app.text_input, *app.toggle)],
    ]


@pytest.mark.examples(3)
@pytest.mark.parametrize("page", VISITED)
@pytest.mark.usefixtures("root")
def test_each_sees_the_same_whoever_came_first(page: str) -> None:
    seen = []
    for order in (list(PEOPLE), list(PEOPLE)[::-1]):
        st.cache_data.clear()
        st.cache_resource.clear()
        seen.append({one: PEOPLE[one].opens(page) for one in order})
    for person in PEOPLE:
        first, second = (shown(apps[person]) for apps in seen)
        assert first == second, f"{person} sees something else after the others"
    bob, eve = seen[0]["bob"], seen[0]["eve"]
    assert [app.title[0].value for app in (bob, eve)] == [translate(f"page.{page}", lang) for lang in ("zh", "en")]
    assert [app.selectbox(key="dataset").value for app in (bob, eve)] == ["shop", "market"]
    assert not re.search(r"[\u4e00-\u9fff]", texts(eve)) and "market" not in texts(bob)
    for key in VISITED[page]:
        assert bob.button(key=key).disabled and not eve.button(key=key).disabled


@pytest.mark.usefixtures("idle_runs")
def test_a_run_is_of_who_started_it_and_stopped_by_who_may(root: Path) -> None:
    training = EVE.opens("train")
    BOB.opens("explore")
    training.button(key="start_training").click().run()
    started = {job.status().command: job for job in jobs.jobs(Workspace(root))}
    actors = {command: job.status().actor for command, job in started.items()}
    assert actors == {"explore": BOB.user["email"], "train": EVE.user["email"]}
    stop = f"cancel_{started['train'].id}"
    assert replace(BOB, dataset="market").opens("train").button(key=stop).disabled
    assert not training.run().button(key=stop).disabled
    assert stop not in {button.key for button in BOB.opens("train").button}
