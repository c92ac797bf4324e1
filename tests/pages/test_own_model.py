"""A model of the user's own in the app: every page shows it; where its class is not allowed, a sentence says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st

from clv_core import pipeline
from clv_core.config import MODEL_IDS, OWN, TrainConfig
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.strategy.explanation_files import explain
from clv_core.training import own_models
from clv_core.workspace import Workspace
from pages.ui.navigation import PAGES
from tests.pages.conftest import OPEN, copied, do, texts
from tests.training.own_models import CODE


@pytest.fixture(scope="module")
def with_own(with_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose current model is of the user's own, with its scores and its explanation."""
    root = copied(with_dataset, tmp_path_factory.mktemp("own") / "workspace")
    workspace = Workspace(root)
    config = TrainConfig(horizon_days=90, model=OWN, code=CODE, cutoffs=3)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    scored = Scored.open(workspace, "shop", bundle.id)
    score(scored, progress=NoProgress())
    explain(scored, explanation_folder(scored), sample=40, permutations=1, progress=NoProgress())
    return root


@pytest.mark.examples(12)
@pytest.mark.parametrize("lang", ("en", "zh"))
@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_every_page_shows_it_as_any_other(open_page: OPEN, with_own: Path, page: str, lang: str) -> None:
    app = open_page(with_own, page, lang=lang)
    assert not app.error
    if page in ("evaluate", "models"):
        shown = texts(app) + "".join(str(table.value) for kind in ("dataframe", "table") for table in app.get(kind))
        shown += "".join(str(one.label) + str(getattr(one, "options", "")) for one in app.get("selectbox"))
        assert translate("model.own", lang) in shown


@pytest.fixture
def not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app of a process that does not know the class."""
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.delitem(own_models._registered, CODE)


@pytest.mark.usefixtures("not_allowed")
@pytest.mark.examples(5)
@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_what_is_saved_is_shown_where_its_class_is_not_allowed(open_page: OPEN, with_own: Path, page: str) -> None:
    assert not open_page(with_own, page, lang="en").error


@pytest.mark.usefixtures("not_allowed")
@pytest.mark.parametrize("lang", ("en", "zh"))
def test_what_asks_the_model_says_who_has_to_allow_its_class(open_page: OPEN, with_own: Path, lang: str) -> None:
    app = do(open_page(with_own, "explain", lang=lang), ("explain_part", "customer"))
    [said] = [str(error.value).replace("\\", "") for error in app.error]
    assert said == translate("error.own_model_not_allowed", lang, path=CODE)


def test_the_train_page_offers_the_models_that_ship(open_page: OPEN, with_own: Path) -> None:
    app = open_page(with_own, "train", lang="en")
    [chosen] = [one for one in app.selectbox if str(one.key).startswith("setting_model_")]
    assert list(chosen.options) == [translate(f"choice.model.{model}") for model in MODEL_IDS]
    assert not any(str(one.key).startswith("setting_code_") for one in app.get("text_input"))
