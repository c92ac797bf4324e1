"""Whatever a page starts, the command line reads as it was meant: every place that starts a run is pressed here."""

from __future__ import annotations

import argparse
import ast
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.cli import main
from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.sources import Source, add_source
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.commands.ingestion import reading_options
from clv_core.commands.parser import COMMANDS, build_parser
from clv_core.commands.training import config_from
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.terms import Terms
from clv_core.errors import Message, NeedsAnswer
from clv_core.monitoring.health import RETRAIN, Recommendation
from clv_core.monitoring.monitoring_report import Report
from clv_core.monitoring.schedules import load_schedule
from clv_core.strategy.destinations import add_destination
from clv_core.strategy.plans.offers import parse_offers
from clv_core.strategy.plans.saved_offers import TIERS, SavedOffers, save_offers
from clv_core.strategy.segments.clusters import Clusters
from clv_core.workspace import Workspace
from pages.ui.datasets.customers_table import DATED, ID, STATIC
from pages.ui.upload import uploading
from tests.manifests import report_facts
from tests.pages.conftest import do

ROOT: Final = Path(__file__).resolve().parents[2]
NAME, OTHER, NEW = "店 --all -x.v2", "other -- 2", "a -b --models"
"""Names of datasets that are allowed, and could be taken for options."""
ODD: Final = "-a,=\"b'客"
"""What a customer, a column or a word of a file may be called; without a blank, by which argparse knows a value."""
SAID: Final = Answers(
    mapping={"amount": ODD, "order_id": ""},
    date_order="dmy",
    decimal="comma",
    timezone="Asia/Shanghai",
    currency="-€",
    duplicates="keep",
    events={ODD: "purchase", "x=": "view"},
    header=False,
    states={ODD: "sold", "已付款=": "cancelled"},
    encoding="gb18030",
    amount_unit="minor",
    discount="percent",
    sign="negative",
    max_amount=1e16,
    broken_rows="reject",
    overlap="add",
    sheet="--name",
    similar_ids="merge",
)
CONFIG: Final = TrainConfig(
    horizon_days=61, model="blend", seed=7, impute_constant=-1e-07, learning_rate=1.5e-06, steps=3, attributes=False
)


@dataclass(frozen=True)
class Shop:
    """A workspace, the dataset and the model that are pressed for, and a folder for other files."""

    work: Workspace
    dataset: Dataset
    bundle: Bundle
    folder: Path

    def read(self) -> argparse.Namespace:
        """Return what the command line reads of the run that was started last."""
        return build_parser().parse_args(self.newest().status().args)

    @property
    def scored(self) -> Scored:
        """The dataset by the model."""
        return Scored.of(self.work, self.dataset, self.bundle)

    def newest(self) -> jobs.Job:
        """Return the run that was started last."""
        return max(jobs.jobs(self.work), key=lambda job: float(job.status().started))

    def call(self, part: str, function: str, *values: object, **kept: object) -> AppTest:
        """Call a function of the pages' parts within a page, where ``kept`` is what the session holds."""
        app = AppTest.from_function(calling, default_timeout=60, args=(part, function, *values))
        for key, value in {"dataset": self.dataset.name, "lang": "en", **kept}.items():
            app.session_state[key] = value
        return quiet(app.run())


def calling(part: str, function: str, *values: object) -> None:
    """The script of a page that calls one function, beside the dialog that it may open."""
    import importlib

    from pages.ui import confirmation

    confirmation.show()
    getattr(importlib.import_module(f"pages.ui.{part}"), function)(*values)


def quiet(app: AppTest) -> AppTest:
    """Return an app that shows no error."""
    assert not app.error, [one.value for one in app.error]
    return app


Press = Callable[[Shop], dict[str, Any]]
PRESSES: Final[dict[Press, tuple[str, ...]]] = {}
"""What starts a run and returns words that the command line must find in it -> the places that this reaches."""


def starts(*places: str) -> Callable[[Press], Press]:
    """Note which places of the pages a press reaches: ``part command``, or ``part again`` for a run's own words."""

    def note(press: Press) -> Press:
        PRESSES[press] = places
        return press

    return note


OF_A_MODEL: Final = ("scored",)
SIMPLE: Final[dict[str, tuple[str, tuple[str, ...], dict[str, Any]]]] = {
    "explain.overall explain": ("need_explanation", (*OF_A_MODEL, ODD), {"customer": ODD}),
    "explore.explored explore": ("need_cube", ("dataset",), {}),
    "first_look look": ("section", ("dataset",), {}),
    "home.tour demo": ("load", (), {}),
    "monitor.business monitor": ("need_watch", ("dataset",), {"business": True, "model": None}),
    "monitor.status monitor": ("need_report", OF_A_MODEL, {"retrain": False}),
    "prices price": ("need_responses", OF_A_MODEL, {}),
    "recommending recommend": ("need_recommendations", OF_A_MODEL, {}),
}
"""Places where a call is enough -> the function, what it is given of the shop, and words beside the names of these."""


def called(place: str, shop: Shop) -> dict[str, Any]:
    function, given, expected = SIMPLE[place]
    shop.call(place.split()[0], function, *(getattr(shop, one, one) for one in given))
    names = {"dataset": {"name": NAME}, "scored": {"name": NAME, "model": shop.bundle.id}}
    return {"command": place.split()[1], **expected, **{k: v for one in given for k, v in names.get(one, {}).items()}}


PRESSES.update({partial(called, place): (place,) for place in SIMPLE})


@starts("datasets.cleaning clean")
def rules_with_limits(shop: Shop) -> dict[str, Any]:
    app = shop.call("datasets.cleaning", "show", shop.dataset)
    rule = {"rule": "tiny_orders", "limit": 0.01, "on": False, "rows": 3, "purchases": 3, "net_revenue": 0.0}
    found = {**rule, "customers": 2, "customers_lost": 0, "examples": []}
    jobs.finish(shop.newest().folder, "en", result={"rules": [found]})
    app.run()
    do(
        app,
        (f"rule_{shop.dataset.version}_tiny_orders", True),
        (f"limit_{shop.dataset.version}_tiny_orders", 1234567.25),
        "clean_apply",
    )
    return {"command": "clean", "name": NAME, "rule": ["tiny_orders=1234567.25"], "listing": False}


@starts("datasets.customers_table customers", "datasets.customers_table again")
def customers_table(shop: Shop) -> dict[str, Any]:
    app = shop.call("datasets.customers_table", "show", shop.dataset)
    do(app, "customers_remove", "confirm")
    assert shop.read().remove
    table = '"-id","级别,""x=""",a=b,-seit,"e=mail"\n' + "".join(
        f"C{n},gold,{n % 3},2023-02-{n:02},c{n}@shop.example\n" for n in range(10, 28)
    )
    app.file_uploader[0].upload("客.csv", table.encode()).run()
    edits = {0: {"use": ID}, 1: {"use": STATIC}, 2: {"use": DATED, "since": "-seit"}, 4: {"use": "email"}}
    app.session_state[app.data_editor[0].key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    do(quiet(app.run()), "customers_add", "confirm")  # in place of the table that it has
    job = shop.newest()
    jobs.finish(job.folder, "en", error=NeedsAnswer("dates_ambiguous", column="-seit", rows=9))
    app.run()
    app.button(key="answer_date_order_mdy").click().run()
    said = {"id": "-id", "static": ['级别,"x="'], "dated": ["a=b=-seit"], "contact": ["email=e=mail"]}
    return {"command": "customers", "dataset": NAME, **said, "date_order": "mdy"}


@starts("datasets.manage combine")
def datasets_combined(shop: Shop) -> dict[str, Any]:
    app = shop.call("datasets.manage", "combine", shop.dataset)
    app.multiselect(key="combine_names").set_value([NAME, OTHER])
    app.text_input(key="combine_new").set_value(NEW)
    quiet(do(app, "combine"))
    return {"command": "combine", "datasets": [NAME, OTHER], "name": NEW}


@starts("datasets.manage rename")
def a_dataset_renamed(shop: Shop) -> dict[str, Any]:
    app = shop.call("datasets.manage", "manage", shop.dataset)
    quiet(do(app, (f"new_name_{NAME}", NEW), "rename", "confirm"))
    return {"command": "rename", "name": NAME, "new": NEW}


@starts("datasets.manage delete")
def a_dataset_deleted(shop: Shop) -> dict[str, Any]:
    app = shop.call("datasets.manage", "manage", shop.dataset)
    do(app, ("delete_models", True), "delete_for_good", ("confirm_typed", NAME), "confirm")
    return {"command": "delete", "name": NAME, "models": True}


@starts("evaluate.scoreboard backtest")
def models_compared(shop: Shop) -> dict[str, Any]:
    app = shop.call("evaluate.scoreboard", "offer_run", shop.scored, shop.folder / ODD)
    app.button(key="start_board").click().run()
    options = shop.read()
    config = shop.bundle.record.train_config
    assert options.models.split(",")[0] == "blend" and config_from(options, config.model) == config
    return {"command": "backtest", "name": NAME, "out": shop.folder / ODD}


@starts("models.actions models")
def a_model_sent(shop: Shop) -> dict[str, Any]:
    app = shop.call("models.actions", "import_form", NAME)
    app.file_uploader(key="import_file").upload("-a=客.zip", b"no model")
    quiet(do(app, "import_model"))
    return {"command": "models", "action": "import", "dataset": NAME}


@starts("monitor.status monitor")
def a_model_retrained(shop: Shop) -> dict[str, Any]:
    why = Recommendation(RETRAIN, Message("reason.few_buyers", {}))
    about = report_facts(horizon_days=60, as_of=date(2024, 2, 25).isoformat())
    report = Report(about, [], [], why, [], [], [], [], [], {})
    older = replace(shop.bundle, record=replace(shop.bundle.record, cutoff=date(2023, 6, 1)))
    scored = Scored.of(shop.work, shop.dataset, older)
    shop.call("monitor.status", "show_actions", report, scored).button(key="monitor_retrain").click().run()
    return {"command": "monitor", "name": NAME, "model": shop.bundle.id, "retrain": True}


@starts("privacy.erasure_form erase")
def customers_erased(shop: Shop) -> dict[str, Any]:
    app = shop.call("privacy.erasure_form", "show")
    do(
        app,
        ("erase_ids_0", f"{ODD}\n--file\n"),
        ("erase_scope", NAME),
        "erase_for_good",
        ("confirm_typed", "2"),
        "confirm",
    )
    options = shop.read()
    assert options.file.read_text(encoding="utf-8").splitlines() == ["--file", ODD]
    return {"command": "erase", "dataset": NAME}


@starts("report.reporting report")
def a_report_with_a_plan(shop: Shop) -> dict[str, Any]:
    tiers = {f"tier{tier}": effect for tier, effect in enumerate((5.5, 1e-05, None, None), 1)}
    row = {"start": None, "name": ODD, "cost": 1e-06, "unit": "share", **tiers, "capacity": 12.0}
    save_offers(shop.dataset, SavedOffers(rows={TIERS: (row, {**row, "name": "-券", "unit": "money"})}))
    known = {f"acknowledge_{shop.bundle.id}": True, "terms_margin": 33.3, "terms_rate": 0.5}
    app = shop.call("report.reporting", "choose", shop.scored, **known)
    app.number_input(key=f"report_budget_{shop.bundle.id}").set_value(1234567.25).run()
    quiet(app).button(key="make_report").click().run()
    options = shop.read()
    (first, second), _ = parse_offers(options.offer)
    assert (first.name, second.name) == (ODD.replace(",", " "), "-券")
    assert (first.cost, first.capacity, first.effects[1].value) == (1e-06, 12, pytest.approx(0.055))
    assert second.effects[2].value == 1e-05 and set(first.effects) == {1, 2}
    rates = {"margin_rate": 0.333, "discount_rate": 0.005, "budget": 1234567.25}
    return {"command": "report", "name": NAME, "model": shop.bundle.id, **rates}


@starts("scores score")
def customers_scored(shop: Shop) -> dict[str, Any]:
    shop.call("scores", "_read", shop.scored.at(Terms(730, 1e-06, 0.333333)))
    said = {"horizon_days": 730, "discount_rate": 1e-06, "margin_rate": 0.333333}
    return {"command": "score", "name": NAME, "model": shop.bundle.id, **said}


@starts("segments.past score")
def customers_scored_for_an_earlier_day(shop: Shop) -> dict[str, Any]:
    app = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=60)
    asked = {"dataset": NAME, "model": shop.bundle.id, "scheme_kind": "rfm", "segments_view": "moved"}
    for key, value in asked.items():
        app.session_state[key] = value
    quiet(app.run().switch_page("act/segments.py").run())
    return {"command": "score", "name": NAME, "model": shop.bundle.id, "cutoff": date(2024, 1, 26)}


@starts("segmenting embed")
def customers_as_the_network_sees_them(shop: Shop) -> dict[str, Any]:
    day = date(2023, 12, 31)
    shop.call("segmenting", "need_points", Clusters(), replace(shop.scored, cutoff=day))
    return {"command": "embed", "name": NAME, "model": shop.bundle.id, "cutoff": day}


@starts("train.training train")
def a_training_with_settings(shop: Shop) -> dict[str, Any]:
    shop.call("train.training", "start", shop.dataset, CONFIG)
    options = shop.read()
    assert config_from(options, options.model) == CONFIG
    return {"command": "train", "name": NAME}


@starts("train.tuning tune")
def a_search_for_settings(shop: Shop) -> dict[str, Any]:
    shop.call("train.tuning", "start", shop.dataset, CONFIG, 20)
    options = shop.read()
    assert config_from(options, options.model) == CONFIG
    return {"command": "tune", "name": NAME, "trials": 20}


@starts("upload.uploading check")
def a_large_file_checked(shop: Shop) -> dict[str, Any]:
    path = shop.folder / f"{ODD}.csv"
    with path.open("wb") as file:
        file.truncate(uploading.CHECKED_HERE_BYTES + 1)
    files = uploading.FilesInHand((path,), shop.folder)
    shop.call("upload.uploading", "check", files, path, **{uploading.ANSWERS: vars(SAID)})
    return {"command": "check", "file": path, "answers": SAID}


@starts("upload.uploading ingest", "upload.uploading again")
def several_files_read_and_a_question_answered(shop: Shop) -> dict[str, Any]:
    files = uploading.FilesInHand((shop.folder / f"{ODD}.csv", shop.folder / "--name"), shop.folder)
    shop.call("upload.uploading", "save", files, OTHER, "--append")
    first = shop.newest()
    options = shop.read()
    assert options.append and Answers(**reading_options(options)) == Answers()
    app = AppTest.from_function(answering, default_timeout=60, args=(first, vars(SAID)))
    quiet(app.run())
    return {"command": "ingest", "file": list(files.paths), "name": OTHER, "append": True, "answers": SAID}


@starts("data.sources source")
def a_source_read(shop: Shop) -> dict[str, Any]:
    add_source(shop.work, Source(NAME, "folder", str(shop.folder), NAME, "*.csv"))
    do(page("data/sources.py"), f"run_{NAME}")
    return {"command": "source", "action": "run", "name": NAME}


@starts("operate.schedules schedule")
def a_schedule_of_all_steps_run(shop: Shop) -> dict[str, Any]:
    add_source(shop.work, Source(OTHER, "folder", str(shop.folder), NAME, "*.csv"))
    add_destination(shop.work, OTHER, "bucket", f"file://{shop.folder}/lake")
    app, steps = page("operate/schedules.py"), ["source", "score", "monitor", "retrain", "export", "push", "summary"]
    do(app, ("schedule_name", NAME), ("schedule_dataset", NAME), ("schedule_steps", steps), "schedule_save")
    read = [build_parser().parse_args(shlex.split(step)) for step in load_schedule(shop.work, NAME)[0].steps]
    assert [one.command for one in read] == ["source", "score", "monitor", "monitor", "export", "push", "summary"]
    assert [one.name for one in read] == [OTHER, *[NAME] * 6]
    do(app, f"run_{NAME}")
    return {"command": "schedule", "action": "run", "name": NAME}


@starts("exports.destinations push")
def scores_sent(shop: Shop) -> dict[str, Any]:
    add_destination(shop.work, OTHER, "bucket", f"file://{shop.folder}/lake")
    app = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=60)
    app.session_state["dataset"], app.session_state["model"] = NAME, shop.bundle.id
    app.session_state[f"acknowledge_{shop.bundle.id}"] = True
    app = quiet(app.run().switch_page("act/exports.py").run())
    app.file_uploader(key="export_stop_file").set_value(("-客.txt", b"-a=,b\n", "text/plain"))
    do(quiet(app.run()), ("export_tiers", [1, 3]), "push_send")
    options = shop.read()
    assert options.suppress.read_bytes() == b"-a=,b\n"
    said = {"to": OTHER, "scheme": "quantile:10,30,60", "segment": ["tier=1,3"], "assume_consent": False}
    return {"command": "push", "name": NAME, "model": shop.bundle.id, **said}


def page(path: str) -> AppTest:
    """Return a page of the app."""
    return quiet(AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=60).run().switch_page(path).run())


def answering(job: object, said: dict[str, object]) -> None:
    """The script of a page on which a run's question is answered."""
    from pages.ui.upload import uploading

    uploading.restart(job, **said)


@pytest.fixture(scope="module")
def oddly_named(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace of two datasets with names that could be taken for options."""
    folder = Path(shutil.copytree(frozen, tmp_path_factory.mktemp("odd"), dirs_exist_ok=True))
    assert main(["rename", "shop", NAME, "--workspace", str(folder / "workspace"), "--quiet"]) == 0
    log = folder / "log.csv"
    log.write_text("customer_id,date,amount\nA,2024-03-25,10\nB,2024-04-26,12.5\nA,2024-05-27,7\n")
    ingest(Workspace(folder / "workspace"), log, OTHER, currency="EUR")
    return folder


@pytest.fixture
def shop(oddly_named: Path, tmp_path: Path, idle_runs: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    folder = Path(shutil.copytree(oddly_named, tmp_path / "own"))
    work = Workspace(folder / "workspace")
    monkeypatch.setenv("CLV_WORKSPACE", str(work.root))
    bundle = next(one for one in list_bundles(work) if one.record.model == "blend")
    return Shop(work, open_dataset(work, NAME), bundle, folder)


@pytest.mark.parametrize("press", PRESSES, ids=lambda press: getattr(press, "__name__", "called"))
def test_the_command_line_reads_what_a_page_starts(shop: Shop, press: Press) -> None:
    expected = press(shop)
    started = sorted(jobs.jobs(shop.work), key=lambda job: float(job.status().started))
    read = [build_parser().parse_args(job.status().args) for job in started]
    assert {one.command for one in read} == {place.split()[1] for place in PRESSES[press]} - {"again"}
    last = vars(read[-1])
    if "answers" in expected:
        last = {**last, "answers": Answers(**reading_options(read[-1]))}
    assert {name: last[name] for name in expected} == expected


def test_every_place_that_starts_a_run_is_pressed() -> None:
    assert {place for places in PRESSES.values() for place in places} == set(composed())


def composed() -> Iterator[str]:
    """Yield the places of the pages where the words of a run are put together, as :func:`starts` notes them."""
    for path in (ROOT / "pages").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        part = ".".join(path.relative_to(ROOT / "pages").with_suffix("").parts).removeprefix("ui.")
        lines = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        known = {ast.unparse(getattr(line, "target", None) or line.targets[0]): line.value for line in lines}
        for node in filter(_of_words, ast.walk(tree)):
            first = ast.unparse(node.elts[0])
            word = getattr(known.get(first, node.elts[0]), "value", None)
            if first == "*status.args":
                yield f"{part} again"
            elif isinstance(word, str) and word in COMMANDS:
                yield f"{part} {word}"


def _of_words(node: ast.AST) -> bool:
    """Say whether a list, or a tuple with others in it, could be words: more than plain names in a row."""
    if isinstance(node, ast.Tuple):
        return any(isinstance(one, ast.Starred) for one in node.elts)
    plain = isinstance(node, ast.List) and all(isinstance(one, ast.Constant) for one in node.elts)
    return isinstance(node, ast.List) and bool(node.elts) and (not plain or len(node.elts) == 1)
