"""Language, dataset and model: where they come from, and that they stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.deployment.bundle import list_bundles
from clv_core.i18n import translate
from clv_core.workspace import Workspace
from pages.ui import sidebar
from pages.ui.navigation import BY_NAME

OPEN = Callable[..., AppTest]


@pytest.mark.parametrize(("locale", "lang"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-US", "en"), ("fr", "en")])
def test_browser_language_is_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locale: str, lang: str
) -> None:
    monkeypatch.setenv("CLV_WORKSPACE", str(tmp_path))
    app = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "app.py"), default_timeout=60)
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


def test_dataset_of_the_address_that_is_not_there_falls_back_to_the_newest(open_page: OPEN, with_dataset: Path) -> None:
    app = open_page(with_dataset, "train", dataset="gone", model="gone")
    assert app.selectbox(key="dataset").value == "shop"
    assert "model" not in app.query_params


def test_workspace_is_named_by_the_environment(open_page: OPEN, tmp_path: Path) -> None:
    open_page(tmp_path)
    assert Workspace.default().root == tmp_path
    assert (tmp_path / "datasets").is_dir()


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
