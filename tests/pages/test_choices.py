"""Language, dataset and model: where they come from, and that they stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import delete_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.i18n import translate
from clv_core.upkeep.lifecycle import rename
from clv_core.workspace import Workspace
from pages.ui import sidebar
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, SAMPLE

pytestmark = pytest.mark.first(5)


def warnings(app: AppTest) -> list[str]:
    """Return what the page says of choices that are not there."""
    return [item.value for item in app.warning if item.icon == ":material/link_off:"]


@pytest.mark.parametrize(("locale", "lang"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-US", "en"), ("fr", "en")])
def test_browser_language_is_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locale: str, lang: str
) -> None:
    monkeypatch.setenv("CLV_WORKSPACE", str(tmp_path))
    app = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "pages" / "shell.py"), default_timeout=60)
    app.context = {"locale": locale}
    app.run()
    assert app.title[0].value == translate("page.home", lang)


def test_unknown_language_in_the_address_falls_back(open_page: OPEN, tmp_path: Path) -> None:
    assert open_page(tmp_path, lang="tlh").title[0].value == translate("page.home", "en")


def test_switching_the_language_changes_page_and_address_and_stays(open_page: OPEN, tmp_path: Path) -> None:
    app = open_page(tmp_path, lang="en")
    app.session_state["lang"] = "zh"
    app.run()
    assert app.title[0].value == translate("page.home", "zh")
    assert app.query_params["lang"] == "zh"
    app.switch_page(BY_NAME["train"].path).run()
    assert app.title[0].value == translate("page.train", "zh")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_dataset_of_the_address_that_is_not_there_is_said_to_be_missing_where_another_is_shown(
    open_page: OPEN, with_dataset: Path, lang: str
) -> None:
    app = open_page(with_dataset, dataset="gone", model="gone", lang=lang)
    assert app.selectbox(key="dataset").value == "shop" and "model" not in app.query_params
    assert warnings(app) == [translate("gone.dataset", lang, asked="gone", shown="shop")]
    app.run()
    assert len(warnings(app)) == 1
    assert warnings(app.switch_page(BY_NAME["explore"].path).run()) == []  # said once, where it was found out


def test_a_dataset_that_somebody_else_deletes_is_not_replaced_without_a_word(open_page: OPEN, root: Path) -> None:
    workspace = Workspace(root)
    ingest(workspace, SAMPLE, "other")
    app = open_page(workspace.root, dataset="other", lang="en")
    assert warnings(app) == []
    delete_dataset(workspace, "other")
    assert warnings(app.run()) == [translate("gone.dataset", asked="other", shown="shop")]
    delete_dataset(workspace, "shop")
    assert warnings(app.run()) == [translate("gone.dataset.none", asked="shop")]


def test_a_link_to_a_dataset_that_was_renamed_follows_its_model(open_page: OPEN, root: Path) -> None:
    workspace = Workspace(root)
    model = list_bundles(workspace)[0].id
    rename(workspace, "shop", "store")
    ingest(workspace, SAMPLE, "newest")
    app = open_page(workspace.root, dataset="shop", model=model, lang="en")
    assert (app.selectbox(key="dataset").value, app.selectbox(key="model").value) == ("store", model)
    assert warnings(app) == [translate("gone.dataset.renamed", asked="shop", shown="store")]


def test_a_model_that_is_not_there_is_said_to_be_missing_and_another_dataset_s_models_are_none(
    open_page: OPEN, root: Path
) -> None:
    workspace = Workspace(root)
    ingest(workspace, SAMPLE, "other")
    app = open_page(workspace.root, dataset="shop", model="shop-bgnbd-gone", lang="en")
    [said] = warnings(app)
    assert said == translate("gone.model", shown=app.selectbox(key="model").options[0])
    assert warnings(app.selectbox(key="dataset").set_value("other").run()) == []
    assert warnings(app.selectbox(key="dataset").set_value("shop").run()) == []
    app = open_page(workspace.root, dataset="other", model="shop-bgnbd-gone", lang="en")
    assert warnings(app) == [translate("gone.model.none", asked="shop-bgnbd-gone")]


def test_names_of_datasets_are_cut_where_they_are_alike() -> None:
    names = ["有赞订单导出_2024-11至2026-10", "有赞订单导出_2024-11至2026-11", "shop"]
    short = sidebar.shortened(names)
    assert short["shop"] == "shop" and len(set(short.values())) == len(names)
    for name in names[:2]:
        head, tail = short[name].split("…")
        assert name.startswith(head) and name.endswith(tail) and len(head) >= 4 and len(tail) >= 7
    alike = ["a" * 20 + f"{number}" + "b" * 20 for number in (1, 2)]
    assert sidebar.shortened(alike) == dict(zip(alike, alike, strict=True))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_name_the_model_and_not_its_content_address(open_page: OPEN, with_model: Path, lang: str) -> None:
    model = list_bundles(Workspace(with_model))[0]
    app = open_page(with_model, "evaluate", lang=lang)
    context = app.caption[0].value
    assert model.id not in context and model.id.rpartition("-")[2] not in context
    assert "v1 · " + translate("model.bgnbd", lang) in context
