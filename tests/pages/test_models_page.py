"""Which model speaks: promoted, rolled back, archived, deleted, compared, imported from the page."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import pipeline
from clv_core.commands.parser import build_parser
from clv_core.config import TrainConfig
from clv_core.deployment.api.schemas import EXAMPLE_REQUEST
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.model_archive.import_export import export_bundle, import_bundle
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored, score
from clv_core.evaluation.metrics import format_metric
from clv_core.i18n import say_day, say_money, translate
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from pages.ui import widgets
from pages.ui.models import versions
from tests.conftest import Clv
from tests.deployment.registry import tiny
from tests.pages.conftest import HORIZON_DAYS, OPEN, do, really, texts

pytestmark = pytest.mark.first(12)


@pytest.fixture
def three(with_model: Path, tmp_path: Path) -> Path:
    """A workspace whose dataset has a trained champion and two more versions, one of them measured on nobody."""
    shutil.copytree(with_model, tmp_path, dirs_exist_ok=True)
    registry = Registry(Workspace(tmp_path))
    for seed in (1, 2):
        registry.register(tiny.save(Workspace(tmp_path), seed))
    return tmp_path


def roles(root: Path) -> dict[int, str]:
    return {one.number: "archived" if one.archived else one.role for one in Registry(Workspace(root)).versions("shop")}


def section(app: AppTest, what: str) -> AppTest:
    app.segmented_control(key="models_what").set_value(what).run()
    assert not app.error
    return app


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_headline_names_champion_and_challenger(open_page: OPEN, three: Path, lang: str) -> None:
    app = open_page(three, "models", lang=lang)
    assert not app.error
    known = {"name": "shop", "version": 1, "kind": translate("model.bgnbd", lang)}
    rival = {"rival": 3, "rival_kind": translate("model.naive", lang)}
    assert app.header[0].value == translate("models.headline.challenged", lang, **known, **rival)
    assert app.dataframe[0].value[translate("models.column.version", lang)].tolist() == [1, 3, 2]
    labels, days = app.selectbox(key="model").options, translate("unit.days.short", lang, n=HORIZON_DAYS)
    champion = f"v1 · {days} · {translate('models.role.champion', lang)} · {translate('model.bgnbd', lang)}"
    assert champion in labels and sorted(label[:5] for label in labels) == ["v1 · ", "v2 · ", "v3 · "]
    assert app.selectbox(key="model").value.startswith("shop-bgnbd-")


def test_the_list_has_the_day_from_which_each_version_was_tested_as_evaluate_says_it(
    open_page: OPEN, three: Path
) -> None:
    versions = {one.number: one for one in Registry(Workspace(three)).versions("shop")}
    table = open_page(three, "models", lang="en").dataframe[0].value.set_index(translate("models.column.version"))
    shown = table[translate("models.column.tested")]
    for number, version in versions.items():
        holdout = version.record.holdout
        assert shown[number] == ("–" if holdout is None else say_day(holdout.cutoff))
    day = shown[1]
    assert day != table[translate("modelcard.fact.cutoff")][1]
    assert any(day in str(item.value) for item in open_page(three, "evaluate", lang="en").caption)


def test_each_card_holds_the_figures_of_its_own_version(open_page: OPEN, three: Path) -> None:
    registry = Registry(Workspace(three))
    made_up = {"gini": 0.1234, "bias": -0.0456, "mae": 7.8, "rmse": 9.1}
    registry.register(tiny.save(Workspace(three), 4, metrics=made_up))
    app = open_page(three, "models", lang="en")
    shown = [(figure.label, figure.value) for figure in app.metric]
    for number, figures in ((1, shown[:4]), (4, shown[4:])):
        metrics = registry.version("shop", number).record.metrics
        expected = [(translate(f"metric.{name}"), format_metric(name, metrics[name], "EUR")) for name in made_up]
        assert figures == expected


def test_a_promoted_version_speaks_and_is_in_use_until_it_is_rolled_back(open_page: OPEN, three: Path) -> None:
    app = do(open_page(three, "models", lang="en"), "promote_challenger", "confirm")
    assert roles(three) == {3: "champion", 2: "", 1: ""}
    assert translate("models.promote.done", version=3, name="shop") in texts(app)
    assert app.selectbox(key="model").value == Registry(Workspace(three)).version("shop", 3).bundle
    app = do(app, "roll_back", "confirm")
    assert not app.error and roles(three)[1] == "champion"
    assert translate("models.roll_back.done", version=1, name="shop") in texts(app)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_roll_back_on_a_page_from_before_another_champion_is_not_done_and_it_says_why(
    open_page: OPEN, three: Path, lang: str
) -> None:
    registry = Registry(Workspace(three))
    registry.promote("shop", 2)
    app = open_page(three, "models", lang=lang)
    registry.promote("shop", 3)  # in another tab
    app = do(app, "roll_back", "confirm")
    assert roles(three)[3] == "champion"
    said = translate("error.overtaken_before_rollback", lang, name="shop", version=3)
    assert [box.value for box in app.error] == [widgets.escape(said)]
    app = do(app, "roll_back", "confirm")
    assert not app.error and roles(three)[2] == "champion", "what the page shows now is what is done"


def test_the_list_of_versions_says_who_speaks_now(open_page: OPEN, three: Path) -> None:
    app = do(open_page(three, "models", lang="en"), ("models_version_shop", 1), "promote_challenger", "confirm")
    box = app.selectbox(key="models_version_shop")
    said = next(label for label in box.options if label.startswith(translate("models.version", n=1)))
    assert translate("models.role.champion") not in said
    assert box.proto.set_value and box.proto.raw_value == said, "the browser is told the new words of its choice"


def test_a_button_that_is_gone_by_the_time_it_is_pressed_says_what_happened(open_page: OPEN, three: Path) -> None:
    registry = Registry(Workspace(three))
    registry.promote("shop", 3)
    app = open_page(three, "models", lang="en")
    registry.roll_back("shop")  # in another tab: the champion has no earlier one now
    app = do(app, "roll_back", "confirm")
    assert not app.error and roles(three)[1] == "champion"
    assert "roll_back" not in [button.key for button in app.button]
    assert translate("models.speaks_already", name="shop", version=1) in texts(app)


def test_a_stale_promotion_changes_nothing_and_says_who_speaks(open_page: OPEN, three: Path) -> None:
    app = open_page(three, "models", lang="en")
    Registry(Workspace(three)).promote("shop", 2)
    app = do(app, "promote_challenger", "confirm")
    assert roles(three)[2] == "champion"
    said = translate("error.overtaken", name="shop", version=2)
    assert [box.value for box in app.error] == [widgets.escape(said)]


def test_what_was_deleted_elsewhere_takes_no_other_version_with_it(open_page: OPEN, three: Path) -> None:
    app = open_page(three, "models", lang="en")
    Registry(Workspace(three)).delete("shop", 3)
    app = do(app, "archive", "confirm")
    assert roles(three) == {2: "", 1: "champion"}
    assert len(app.error) == 1 and "3" in app.error[0].value


def test_an_archived_version_leaves_the_sidebar_and_comes_back(open_page: OPEN, three: Path) -> None:
    app = open_page(three, "models", lang="en")
    assert len(app.selectbox(key="model").options) == 3
    app = do(app, "archive", "confirm")
    assert roles(three)[3] == "archived" and len(app.selectbox(key="model").options) == 2
    app.button(key="archive").click().run()
    assert roles(three)[3] == "" and len(app.selectbox(key="model").options) == 3


@pytest.mark.parametrize(("untrained", "place"), [((True, False, True), 1), ((False, True), 0), ((True,), 0)])
def test_a_first_look_is_not_what_is_offered_to_be_promoted(untrained: tuple[bool, ...], place: int) -> None:
    found = SimpleNamespace(versions=[SimpleNamespace(untrained=one) for one in untrained])
    assert versions.first_trained_place(found) == place  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "key"), [("delete", "delete_version"), ("archive", "archive"), ("promote", "promote")]
)
def test_what_is_done_with_a_version_waits_for_a_yes_that_says_what_happens(
    open_page: OPEN, three: Path, action: str, key: str
) -> None:
    before = roles(three)
    app = do(open_page(three, "models", lang="en"), key)
    assert translate(f"models.{action}.why", "en", version=3) in texts(app) and roles(three) == before
    do(app, "confirm_cancel")
    assert "confirm" not in [button.key for button in app.button] and roles(three) == before
    do(app, key, "confirm")
    assert roles(three) != before


def test_the_champion_offers_neither_archive_nor_deletion(open_page: OPEN, three: Path) -> None:
    app = do(open_page(three, "models", lang="en"), ("models_version_shop", 1))
    assert translate("models.champion_stays") in texts(app)
    assert not {"archive", "delete_version"} & {button.key for button in app.button}


def test_versions_that_were_not_measured_alike_are_not_held_against_each_other(open_page: OPEN, root: Path) -> None:
    shorter = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)
    pipeline.train(Workspace(root), "shop", shorter, progress=NoProgress())
    app = section(open_page(root, "models", lang="en"), "compare")
    assert translate("models.compare.untested") in texts(app)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_version_that_was_never_measured_is_said_to_be_and_the_other_s_figures_have_units(
    open_page: OPEN, three: Path, lang: str
) -> None:
    app = section(open_page(three, "models", lang=lang), "compare")
    assert translate("models.compare.unmeasured", lang, version=3) in texts(app)
    figures = app.dataframe[-2].value.set_index(translate("column.metric", lang)).iloc[:, 0]
    bundle = next(one for one in list_bundles(Workspace(three)) if one.record.metrics)
    mae, bias = (bundle.record.metrics[name] for name in ("mae", "bias"))
    assert figures[translate("metric.mae", lang)] == say_money(mae, "EUR", lang)
    assert figures[translate("metric.bias", lang)] == f"{bias:+.1%}".replace("-", "−")
    facts = app.dataframe[-1].value
    heads = [
        f"{translate('models.version', lang, n=n)} · {translate(f'model.{kind}', lang)}"
        for n, kind in ((1, "bgnbd"), (3, "naive"))
    ]
    assert list(facts.columns[1:]) == heads and "None" not in facts.to_string()
    assert translate("modelcard.fact.kind", lang) in facts.iloc[:, 0].tolist()


def test_the_champion_is_compared_with_the_latest_other_version_that_was_measured(open_page: OPEN, three: Path) -> None:
    app = section(open_page(three, "models", lang="en"), "compare")
    assert translate("models.compare.none_measured", "en") in texts(app)
    shorter = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)
    bundle = pipeline.train(Workspace(three), "shop", shorter, progress=NoProgress())
    Registry(Workspace(three)).register(tiny.save(Workspace(three), 3))
    measured = next(one.number for one in Registry(Workspace(three)).versions("shop") if one.bundle == bundle.id)
    app = section(open_page(three, "models", lang="en"), "compare")
    assert translate("models.compare.none_measured", "en") not in texts(app)
    assert [app.selectbox(key=f"compare_{one}_shop").value for one in ("one", "other")] == [1, measured]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_card_of_each_version_can_be_read_and_kept(open_page: OPEN, three: Path, lang: str) -> None:
    app = section(open_page(three, "models", lang=lang), "card")
    assert translate("modelcard.title", lang, name="shop", version=1) in texts(app), "the champion's comes first"
    assert translate("modelcard.quality", lang) in texts(app) and "BG/NBD" in texts(app)
    assert not any(re.search(r"^# ", text.value, re.MULTILINE) for text in app.markdown), "the page has its title"
    app.selectbox(key="models_card_shop").set_value(3).run()
    assert translate("modelcard.title", lang, name="shop", version=3) in texts(app)
    assert [button.key for button in app.get("download_button")] == ["download_model_card"]


def test_a_damaged_champion_is_said_with_who_speaks_instead(open_page: OPEN, three: Path) -> None:
    champion = Registry(Workspace(three)).version("shop", 1)
    (three / "models" / champion.bundle / "state.json").write_text("{}")
    app = open_page(three, "models", lang="en")
    assert len(app.error) == 1
    assert "Current version 1" in app.error[0].value and "version 3 is used" in app.error[0].value


def test_a_file_that_is_sent_is_checked_by_a_run_and_becomes_a_version(
    open_page: OPEN, three: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other, folder = Workspace(tmp_path_factory.mktemp("other")), tmp_path_factory.mktemp("archive")
    version = Registry(other).register(tiny.save(other, 7, "elsewhere"))
    export_bundle(other, version, folder / "model.zip")
    app = section(open_page(three, "models", lang="en"), "import")
    app.file_uploader(key="import_file").set_value(
        ("model.zip", (folder / "model.zip").read_bytes(), "application/zip")
    )
    next(button for button in app.button if button.label == translate("models.import.button")).click().run()
    args = really(three, "models")
    assert args[:2] == ["models", "import"] and args[3:] == ["--name", "shop"]
    app.run()
    assert translate("models.imported", version=4, name="shop") in texts(app)
    assert roles(three)[4] == "challenger" and not Path(args[2]).exists()


@pytest.mark.examples(2)
@pytest.mark.parametrize("page", ["evaluate", "segments", "strategy", "home", "models"])
def test_a_model_that_came_without_its_customers_opens_every_page(
    open_page: OPEN, three: Path, tmp_path_factory: pytest.TempPathFactory, page: str
) -> None:
    workspace, folder = Workspace(three), tmp_path_factory.mktemp("archive")
    registry = Registry(workspace)
    export_bundle(workspace, registry.version("shop", 1), folder / "model.zip")
    registry.promote("shop", 2)
    registry.delete("shop", 1)
    model = import_bundle(workspace, folder / "model.zip").bundle
    score(Scored.open(workspace, "shop", model), progress=NoProgress())
    app = open_page(three, page, lang="en", model=model)
    assert not app.error
    assert app.selectbox(key="model").value == model
    if page == "evaluate":
        assert translate("evaluate.without_rows") in texts(app)


def test_without_a_model_the_page_leads_to_training_or_takes_an_import(open_page: OPEN, with_dataset: Path) -> None:
    app = open_page(with_dataset, "models", lang="en")
    assert translate("need.model") in texts(app) and translate("models.import") in texts(app)
    app.button(key="need_model").click().run()
    assert app.title[0].value == translate("page.train")


def test_a_model_is_accepted_where_it_is_judged_and_the_champion_needs_no_button(open_page: OPEN, three: Path) -> None:
    registry = Registry(Workspace(three))
    model = registry.version("shop", 1).bundle
    assert "accept_model" not in [button.key for button in open_page(three, "evaluate", model=model).button]
    registry.promote("shop", 3)
    app = do(open_page(three, "evaluate", lang="en", model=model), "accept_model", "confirm")
    assert roles(three)[1] == "champion"
    assert translate("models.promote.done", "en", version=1, name="shop") in texts(app)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_engineer_finds_how_the_champion_is_called(open_page: OPEN, three: Path, lang: str) -> None:
    app = section(open_page(three, "models", lang=lang), "call")
    known = {"name": "shop", "version": 1, "kind": translate("model.bgnbd", lang)}
    assert translate("models.call.who", lang, **known) in texts(app)
    start, ask, others = (shlex.split(code.value) for code in app.code)
    assert {code.language for code in app.code} == {"plaintext"}, "Streamlit colours words of a language at 2.8 to 1"
    options = build_parser().parse_args(start[3:])
    assert (options.command, options.name, options.open) == ("serve", "shop", True)
    assert Path(options.workspace) == three
    assert ask[:2] == ["curl", "http://localhost:8000/v1/score"] and json.loads(ask[-1]) == EXAMPLE_REQUEST
    assert "Authorization: Bearer KEY" in others and others[:5] == ["python", "-m", "clv_core", "keys", "add"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_a_model_remembers_is_said_before_it_is_exported(open_page: OPEN, three: Path, lang: str) -> None:
    memory = {"auc": 0.71, "low": 0.66, "high": 0.76, "tpr_at_1pct": 0.2, "members": 2000, "nonmembers": 400}
    version = Registry(Workspace(three)).register(tiny.save(Workspace(three), 5, memory=memory))
    app = open_page(three, "models", lang=lang)
    for number, said in ((version.number, "memory.clear"), (1, "memory.untried")):
        app.selectbox(key="models_version_shop").set_value(number).run()
        place = next(
            place for place, one in enumerate(app.caption) if translate("models.export.why", lang) in one.value
        )
        assert translate(said, lang, fewest=300) in app.caption[place + 1].value


def test_an_export_by_command_says_what_the_model_remembers(three: Path, clv: Clv, tmp_path: Path) -> None:
    memory = {"auc": 0.55, "low": 0.51, "high": 0.59, "tpr_at_1pct": None, "members": 300, "nonmembers": 30}
    version = Registry(Workspace(three)).register(tiny.save(Workspace(three), 5, memory=memory))
    out = str(tmp_path / "one.zip")
    said = clv("models", "export", "shop", str(version.number), "--out", out)
    assert said["memory"] == memory and said["memory_text"].startswith(translate("memory.some"))
    untried = clv("models", "export", "shop", "1", "--out", out)
    assert untried["memory"] is None and untried["memory_text"] == translate("memory.untried", fewest=300)
