"""The first look: values before anything is trained, marked as untrained, and the way on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles, write_record
from clv_core.deployment.model_record import DatasetVersion
from clv_core.deployment.registry import Registry
from clv_core.deployment.zero_shot import zero_shot
from clv_core.i18n import say_number, translate
from clv_core.jobs import NoProgress, jobs
from clv_core.training.cost import DEFAULT, default_model
from clv_core.workspace import Workspace
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, SAMPLE, SIGN_IN, do, texts

pytestmark = pytest.mark.first(5)


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("looked")
    ingest(Workspace(root), SAMPLE, "shop", currency="EUR")
    zero_shot(Workspace(root), "shop", progress=NoProgress())
    return root


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_values_tiers_and_that_nothing_was_trained(open_page: OPEN, looked: Path, lang: str) -> None:
    app = open_page(looked, "look", lang=lang)
    text = texts(app)
    assert "182" in app.header[0].value and "EUR" in app.header[0].value
    assert translate("reason.untrained", lang, horizon=182)[:12] in text
    assert translate("trust.caution", lang) in text
    assert [button.key for button in app.button if button.key in ("look_train", "look_segments")]


def test_a_dataset_without_a_look_starts_one_and_says_so(open_page: OPEN, with_dataset: Path) -> None:
    app = open_page(with_dataset, "look", lang="en")
    assert translate("look.wait", "en") in texts(app)
    started = [job.status() for job in jobs(Workspace(with_dataset), "look")]
    assert [status.args for status in started] == [("look", "shop")]
    app.run()
    assert len(jobs(Workspace(with_dataset), "look")) == 1, "looking twice starts one run"


def test_who_may_start_none_is_told_that_nobody_has(open_page: OPEN, bare: Path, sign_in: SIGN_IN) -> None:
    sign_in("bob@shop.example")
    app = open_page(bare, "look", lang="en")
    assert not app.error and not jobs(Workspace(bare), "look")
    assert translate("look.none", "en") in app.info[0].value and "analyst" in app.info[0].value


def test_the_way_on_is_training(open_page: OPEN, looked: Path) -> None:
    app = do(open_page(looked, "look", lang="en"), "look_train")
    assert app.title[0].value == translate("page.train", "en")
    home = open_page(looked, "home", lang="en")
    assert home.button(key="home_next").label == translate("home.next.train", "en")


def test_all_customers_are_those_of_the_first_look_whatever_model_is_in_use(open_page: OPEN, root: Path) -> None:
    used = list_bundles(Workspace(root))[0].id
    zero_shot(Workspace(root), "shop", progress=NoProgress())
    look = next(bundle.id for bundle in list_bundles(Workspace(root)) if bundle.untrained)
    app = open_page(root, "look", lang="en", model=used)
    assert app.selectbox(key="model").value == used != look
    app.button(key="look_segments").click().run()
    assert app.title[0].value == translate("page.segments", "en")
    assert app.selectbox(key="model").value == look


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_home_does_not_say_that_a_first_look_learned_from_the_log(open_page: OPEN, looked: Path, lang: str) -> None:
    dataset = open_dataset(Workspace(looked), "shop")
    app = open_page(looked, "home", lang=lang)
    known = {
        "customers": say_number(dataset.manifest.customers, lang),
        "days": (dataset.log_end - dataset.log_start).days,
    }
    assert app.header[0].value == translate("home.headline.untrained", lang, name="shop", horizon=182, **known)


def test_evaluate_says_that_a_first_look_has_not_been_checked(open_page: OPEN, looked: Path) -> None:
    app = open_page(looked, "home", lang="en")
    app.session_state["evaluate_part"] = "buyers"  # as it was left with a model that has been measured
    app.switch_page(BY_NAME["evaluate"].path).run()
    assert translate("evaluate.headline.untrained", "en", horizon=182) == app.header[0].value


def test_a_first_look_becomes_a_version_only_where_somebody_keeps_it(
    open_page: OPEN, looked: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(looked, tmp_path / "looked")
    for page in ("look", "models", "home"):
        open_page(root, page, lang="en")
    assert Registry(Workspace(root)).versions() == []
    app = do(open_page(root, "evaluate", lang="en"), "keep_look")
    assert [one.untrained for one in Registry(Workspace(root)).versions()] == [True]
    assert translate("models.kept", "en", version=1, name="shop") in texts(app)
    assert "keep_look" not in [button.key for button in app.button]


def test_a_newer_first_look_replaces_one_of_earlier_data_that_nobody_kept(bare: Path) -> None:
    work = Workspace(bare)
    zero_shot(work, "shop", progress=NoProgress())
    [earlier] = list_bundles(work)
    folder = earlier.folder.rename(earlier.folder.with_name(f"{earlier.id}0"))
    write_record(folder, replace(earlier.record, dataset=DatasetVersion("shop", "0" * 12)))
    zero_shot(work, "shop", progress=NoProgress())
    assert [one.record.dataset.version for one in list_bundles(work)] == [open_dataset(work, "shop").version]


def test_a_small_log_is_trained_by_the_pre_trained_network() -> None:
    assert default_model(999) == "instant_tuned"
    assert default_model(1000) == DEFAULT


def test_the_train_page_says_which_model_and_why(open_page: OPEN, looked: Path) -> None:
    app = open_page(looked, "train", lang="en")
    assert "best on past" in texts(app)
