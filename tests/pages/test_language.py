"""A change of language keeps what was chosen, though a browser holds labels and not what they stand for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import InitialValue, Multiselect, Selectbox

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import list_bundles
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, SAMPLE

pytestmark = pytest.mark.first(1)

PAGES = ("home", "explore", "train", "evaluate", "explain", "segments", "customer", "strategy", "exports", "models")


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists send what a browser sends: the label chosen or last pushed, not one made anew of the value.

    ``AppTest`` labels a value by the run that drew it; a browser keeps the label until the server sets another one.
    """
    held: dict[str, list[str]] = {}

    def label_of(box: Selectbox[Any]) -> WidgetState:
        box_state = WidgetState(id=box.id)
        if not isinstance(box._value, InitialValue):
            held[box.id] = (
                []
                if box._value is None
                else [label if (label := box._value) in box.options else box.format_func(label)]
            )
        elif box.proto.set_value:
            held[box.id] = [box.proto.raw_value]
        elif box.id not in held:
            held[box.id] = [box.options[box.proto.default]] if box.proto.HasField("default") and box.options else []
        for label in held[box.id]:
            box_state.string_value = label
        return box_state

    def labels_of(box: Multiselect[Any]) -> WidgetState:
        if box._value is not None:
            held[box.id] = list(box.values)
        elif box.proto.set_value:
            held[box.id] = list(box.proto.raw_values)
        elif box.id not in held:
            held[box.id] = [box.options[place] for place in box.proto.default]
        box_state = WidgetState(id=box.id)
        box_state.string_array_value.data[:] = held[box.id]
        return box_state

    monkeypatch.setattr(Selectbox, "_widget_state", property(label_of))
    monkeypatch.setattr(Multiselect, "_widget_state", property(labels_of))


@pytest.fixture(scope="module")
def two_models(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two datasets, the first with two models."""
    root = Path(shutil.copytree(with_model, tmp_path_factory.mktemp("two") / "workspace"))
    config = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)
    pipeline.train(Workspace(root), "shop", config, progress=NoProgress())
    ingest(Workspace(root), SAMPLE, "other")
    return root


def choices(app: AppTest) -> dict[str, Any]:
    """Return what is chosen on a page, by the widgets' keys; starting offers are named in the page's language."""
    boxes = [*app.selectbox, *app.multiselect, *app.button_group, *app.select_slider]
    return {box.key: box.value for box in boxes if box.key not in ("lang", "experiment_offer")}


def test_a_change_of_language_keeps_dataset_and_model_and_warns_of_nothing(
    open_page: OPEN, two_models: Path, labels: None
) -> None:
    app = open_page(two_models, "evaluate", lang="en", dataset="shop")
    own = app.selectbox(key="model").value
    (other,) = [one.id for one in list_bundles(Workspace(two_models), "shop") if one.id != own]
    app.selectbox(key="model").set_value(other).run()
    for lang in ("zh", "en"):
        app.button_group(key="lang").set_value(lang).run()
        for _ in range(2):  # the browser sends the label that it holds with the run after
            app.run()
            assert (app.selectbox(key="dataset").value, app.selectbox(key="model").value) == ("shop", other)
            assert app.query_params["model"] == other and not app.warning


@pytest.mark.examples(3)
@pytest.mark.parametrize("page", PAGES)
def test_a_change_of_language_keeps_every_choice(open_page: OPEN, two_models: Path, page: str, labels: None) -> None:
    app = open_page(two_models, page, lang="en", dataset="shop")
    for key in [box.key for box in app.selectbox if box.key not in ("dataset", "model")]:
        box = next((one for one in app.selectbox if one.key == key), None)
        if box is not None and len(box.options) > 1 and not box.disabled:
            box.select_index(1).run()
    before = choices(app)
    app.button_group(key="lang").set_value("zh").run()
    assert choices(app) == before
    assert choices(app.run()) == before
