"""Long runs on a page: shown while they run, their end told once, what went wrong said in words."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.ingest import ingest
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_evaluation import backtest_folder
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import NotEnoughData
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.monitoring.monitor import monitor
from clv_core.pace import Phase
from clv_core.plot.evaluation import loss_frame
from clv_core.workspace import Workspace
from pages.ui import progress
from pages.ui.monitor import status
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, START, args_of, details, do, texts

pytestmark = pytest.mark.first(13)

LOG = b"customer_id;date;amount\nA;2024-03-25;10\nB;2024-04-26;12,5\nA;2024-05-27;7\nC;2024-06-28;3\n"


def test_running_training_shows_how_far_with_its_curve_and_a_way_to_stop(
    open_page: OPEN, with_dataset: Path, sleeping_job: START
) -> None:
    job = sleeping_job(Workspace(with_dataset), ["train", "shop"], "shop")
    app = open_page(with_dataset, "train", lang="en")
    shares = [bar.value for bar in app.progress]
    assert shares and set(shares) == {33}
    assert len(app.get("plotly_chart")) == 1
    app = do(app, f"cancel_{job.id}")
    assert job.status().state == jobs.RUNNING
    assert "Partial results are removed" in texts(app)
    do(app, "confirm")
    deadline = time.monotonic() + 20
    while job.status().state == jobs.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)  # the signal is sent; a busy machine may take a moment to end the process
    assert job.status().state == jobs.INTERRUPTED
    jobs.update_status(job.folder, state=jobs.CANCELLED)


def test_one_bar_shows_how_far_the_whole_run_is_and_its_time_left_as_earlier_runs_took(
    open_page: OPEN, with_dataset: Path, sleeping_job: START
) -> None:
    job = sleeping_job(Workspace(with_dataset), ["train", "shop"], "shop")
    plan = Phase("windows", 600.0, ((0, 0), (1, 600))), Phase("training", 600.0, ((0, 0), (0.34, 540), (1, 600)))
    phases = Phase("windows", 1200.0, ((0, 0), (1, 1200))), Phase("training", 1060.0, ((0, 0), (1 / 3, 1060)))
    jobs.update_status(job.folder, plan=plan, phases=phases, started=time.time() - 2260)
    app = open_page(with_dataset, "train", lang="en")
    assert {bar.value for bar in app.progress} == {94}
    assert "38 min so far · about 2 min left" in [caption.value for caption in app.caption]


@pytest.fixture
def two(with_dataset: Path, tmp_path: Path) -> Path:
    """A workspace with the datasets ``shop``, the newest, and ``other``."""
    log = tmp_path / "other.csv"
    log.write_bytes(LOG)
    ingest(Workspace(tmp_path / "two"), log, "other", currency="EUR")
    shutil.copytree(with_dataset / "datasets" / "shop", tmp_path / "two" / "datasets" / "shop")
    return tmp_path / "two"


def with_file_in_hand(open_page: OPEN, root: Path) -> AppTest:
    app = open_page(root, "upload", lang="en", dataset="other")
    app.file_uploader[0].upload("mine.csv", (root.parent / "other.csv").read_bytes()).run()
    assert app.form_submit_button
    return app


def test_a_run_is_found_again_by_the_address_after_a_reload_and_its_end_is_told_once(
    open_page: OPEN, two: Path
) -> None:
    app = do(open_page(two, "home", lang="en", dataset="other"), "door_sample")
    run = app.query_params["run"]
    loaded = open_page(two, "home", lang="en", dataset="other", run=run)
    assert loaded.button(key=f"cancel_{run}")
    jobs.finish(jobs.find(Workspace(two), run).folder, "en", result={"dataset": "shop", "model": "none"})
    loaded.run()
    assert loaded.selectbox(key="dataset").value == "shop" and not loaded.query_params.get("run")
    later = open_page(two, "home", lang="en", dataset="other", run=run)
    assert later.selectbox(key="dataset").value == "other"


def test_an_address_whose_run_is_gone_opens_like_any_other(open_page: OPEN, two: Path) -> None:
    app = open_page(two, "home", lang="en", dataset="other", run="20260101-000000-ingest-abcdef")
    assert not app.error and not app.query_params.get("run")


def test_what_another_person_uploads_leaves_the_file_in_hand_alone(
    open_page: OPEN, two: Path, sleeping_job: START
) -> None:
    app = with_file_in_hand(open_page, two)
    other = sleeping_job(Workspace(two), ["ingest", str(two.parent / "other.csv"), "--name", "shop"], "shop")
    app.run()
    assert app.form_submit_button and not app.main.get("progress")
    jobs.finish(other.folder, "en", result={"dataset": "shop"})
    app.run()
    assert app.form_submit_button and app.selectbox(key="dataset").value == "other"
    assert any((two / "uploads").rglob("mine.csv"))


def test_the_end_of_an_own_upload_is_told_while_another_persons_newer_one_runs(
    open_page: OPEN, two: Path, sleeping_job: START
) -> None:
    app = with_file_in_hand(open_page, two)
    for doubted in [box for box in app.checkbox if str(box.key).startswith("doubts_yes_")]:
        doubted.check().run()
    app.form_submit_button[0].click().run()
    own = jobs.jobs(Workspace(two), "ingest")[0]
    newer = sleeping_job(Workspace(two), ["ingest", "theirs.csv", "--name", "theirs"], "theirs")
    result = {"dataset": "shop", "parts": [], "warnings": []}
    jobs.finish(own.folder, "en", result=result)
    app.run()
    assert app.selectbox(key="dataset").value == "shop" and not any((two / "uploads").rglob("mine.csv"))
    assert newer.status().state == jobs.RUNNING


def test_the_sample_loaded_meanwhile_leaves_the_file_in_hand_alone(open_page: OPEN, two: Path) -> None:
    app = with_file_in_hand(open_page, two)
    app.switch_page(BY_NAME["home"].path).run().button(key="door_sample").click().run()
    sample = jobs.jobs(Workspace(two), "demo")[0]
    jobs.finish(sample.folder, "en", result={"dataset": "shop", "model": "none"})
    app.switch_page(BY_NAME["upload"].path).run()
    assert app.form_submit_button and any((two / "uploads").rglob("mine.csv"))


@pytest.mark.parametrize(
    ("command", "page"),
    [("ingest", "home"), ("demo", "home"), *((name, "datasets") for name in ("combine", "rename", "delete"))],
)
def test_what_another_person_starts_is_told_in_the_sidebar_alone(
    open_page: OPEN, two: Path, sleeping_job: START, command: str, page: str
) -> None:
    job = sleeping_job(Workspace(two), [command, "theirs"], "theirs")
    app = open_page(two, page, lang="en", dataset="other")
    assert not app.main.get("progress") and app.sidebar.get("progress")
    assert all(button.key != f"cancel_{job.id}" for button in app.button)
    before = len(app.main.button)
    jobs.finish(job.folder, "en", result={"dataset": "shop", "model": "none"})
    app.run()
    assert app.selectbox(key="dataset").value == "other" and len(app.main.button) == before and not app.success


def test_going_back_to_another_dataset_during_a_training_leads_to_it_again(open_page: OPEN, two: Path) -> None:
    app = do(open_page(two, "train", lang="en", dataset="shop"), "start_training")
    run = app.query_params["run"]
    assert app.button(key=f"cancel_{run}") and "show_training" not in [button.key for button in app.button]
    app = open_page(two, "train", lang="en", dataset="other", run=run)
    assert translate("train.elsewhere", name="shop") in texts(app)
    app = do(app, "show_training")
    assert app.selectbox(key="dataset").value == "shop" and app.button(key=f"cancel_{run}")


def test_the_training_of_another_person_is_shown_but_does_not_choose_the_model(
    open_page: OPEN, two: Path, sleeping_job: START
) -> None:
    job = sleeping_job(Workspace(two), ["train", "shop"], "shop")
    app = open_page(two, "train", lang="en", dataset="shop")
    assert app.button(key=f"cancel_{job.id}") and not app.query_params.get("run")
    jobs.finish(job.folder, "en", result={"model": "none"})
    app.run()
    assert app.button(key="start_training")


def test_a_run_whose_browser_was_closed_is_offered_on_the_upload_page(
    open_page: OPEN, two: Path, sleeping_job: START
) -> None:
    job = sleeping_job(Workspace(two), ["ingest", str(two.parent / "other.csv"), "--name", "shop"], "shop")
    app = open_page(two, "upload", lang="en", dataset="other")
    assert app.file_uploader and translate("waiting.running", name="shop") in texts(app)
    app.button(key=f"follow_{job.id}").click().run()
    assert app.button(key=f"cancel_{job.id}") and app.query_params["run"] == job.id


@pytest.mark.parametrize("command", ["backtest", "monitor"])
def test_a_comparison_or_a_retraining_that_was_cut_off_is_started_again_or_closed(
    open_page: OPEN, root: Path, sleeping_job: START, command: str
) -> None:
    workspace = Workspace(root)
    [bundle] = list_bundles(workspace)
    label = {"backtest": backtest_folder(workspace, bundle).name, "monitor": f"{bundle.id} {status.RETRAINING}"}[
        command
    ]
    page = {"backtest": "evaluate", "monitor": "monitor"}[command]
    if command == "monitor":
        monitor(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())
    job = cut_off(sleeping_job(workspace, [command, "shop"], label))
    said = translate("job.interrupted" if command in progress.RESUMES else "job.interrupted.anew", "en")
    app = open_page(workspace.root, page, lang="en")
    if command == "backtest":
        do(app, ("evaluate_part", "models"))
    else:
        details(app)
    assert said in [item.value for item in app.warning]
    assert f"once_more_{command}" in {button.key for button in app.button}
    app.button(key=f"close_{command}").click().run()
    assert job.status().put_away and said not in [item.value for item in app.warning]


@pytest.mark.parametrize(
    ("ending", "sign"), [(jobs.DONE, "done"), (jobs.CANCELLED, "stop_circle"), ("failed", "error")]
)
def test_the_sidebar_ticks_a_run_only_where_it_is_done(
    open_page: OPEN, two: Path, sleeping_job: START, monkeypatch: pytest.MonkeyPatch, ending: str, sign: str
) -> None:
    job = sleeping_job(Workspace(two), ["train", "other"], "other")
    begun = job.status()
    jobs.update_status(job.folder, state=ending)
    monkeypatch.setattr(progress, "is_running", lambda one: one == job)  # it ended after the sidebar had begun
    app = open_page(two, "home", lang="en", dataset="other")
    assert begun.state == jobs.RUNNING and f":material/{sign}:" in " ".join(one.value for one in app.sidebar.caption)


def test_run_that_was_cut_off_can_go_on(open_page: OPEN, with_dataset: Path, sleeping_job: START) -> None:
    job = cut_off(sleeping_job(Workspace(with_dataset), ["train", "shop"], "shop"))
    app = open_page(with_dataset, "train", lang="en")
    assert translate("job.interrupted") in [item.value for item in app.warning]
    app.button(key="once_more_train").click().run()
    started = jobs.jobs(Workspace(with_dataset), "train")[0].status()
    assert started.is_running and started.args == ("train", "shop")
    jobs.update_status(job.folder, state=jobs.CANCELLED)


@pytest.mark.parametrize(
    ("command", "page", "said"),
    [
        ("train", "train", "job.cancelled"),
        ("tune", "train", "job.cancelled.kept"),
        ("erase", "privacy", "job.cancelled.partly"),
    ],
)
def test_a_run_that_was_stopped_says_whether_anything_of_it_is_kept(
    open_page: OPEN, two: Path, sleeping_job: START, command: str, page: str, said: str
) -> None:
    job = sleeping_job(Workspace(two), [command, "shop"], "shop")
    app = open_page(two, page, lang="en", dataset="shop", run=job.id)
    jobs.update_status(job.folder, state=jobs.CANCELLED)
    assert translate(said, "en") in [one.value for one in app.run().info]


def cut_off(job: jobs.Job) -> jobs.Job:
    os.killpg(job.status().pid, signal.SIGKILL)
    os.waitpid(job.status().pid, 0)
    return job


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("command", "page", "label", "own"),
    [
        *((name, "datasets", "theirs", True) for name in ("combine", "rename", "delete")),
        *((name, "datasets", "other", False) for name in ("clean", "customers")),
        *((name, "home", "other", True) for name in ("ingest", "demo")),
        ("train", "train", "other", False),
        ("tune", "train", "other", False),
    ],
)
def test_a_run_that_was_cut_off_is_closed_for_good(
    open_page: OPEN, two: Path, sleeping_job: START, command: str, page: str, label: str, own: bool
) -> None:
    job = cut_off(sleeping_job(Workspace(two), [command, "other"], label))
    address = {"lang": "en", "dataset": "other", **({"run": job.id} if own else {})}
    app = open_page(two, page, **address)
    said = "job.interrupted" if command in progress.RESUMES else "job.interrupted.anew"
    assert translate(said) in [item.value for item in app.warning]
    app.button(key=f"close_{command}").click().run()
    assert translate(said) not in [item.value for item in app.warning]
    later = open_page(two, page, **address)
    assert translate(said) not in [item.value for item in later.warning]


def test_a_run_that_does_not_resume_is_started_again_by_a_click(
    open_page: OPEN, two: Path, sleeping_job: START
) -> None:
    job = cut_off(sleeping_job(Workspace(two), ["combine", "shop", "other", "--name", "all"], "all"))
    do(open_page(two, "datasets", lang="en", dataset="other", run=job.id), "once_more_combine")
    newest = jobs.jobs(Workspace(two), "combine")[0]
    assert newest != job and newest.status().args == job.status().args and job.status().put_away


def test_an_upload_that_was_cut_off_is_told_to_nobody_else(open_page: OPEN, two: Path, sleeping_job: START) -> None:
    cut_off(sleeping_job(Workspace(two), ["ingest", str(two.parent / "other.csv"), "--name", "new"], "new"))
    for page in ("home", "upload"):
        assert not open_page(two, page, lang="en", dataset="other").warning


def test_failure_is_said_in_the_language_of_the_page_not_of_the_run(
    open_page: OPEN, with_dataset: Path, sleeping_job: START
) -> None:
    error = NotEnoughData("horizon_too_long", horizon=900, days=730, longest=702, end="2024-12-31")
    job = sleeping_job(Workspace(with_dataset), ["train", "shop"], "shop")
    jobs.finish(job.folder, "en", error=error)
    app = open_page(with_dataset, "home", lang="zh")
    app.session_state["job_train"] = job.id
    app.switch_page("model/train.py").run()
    assert [item.value for item in app.error] and error.message("zh")[:8] in app.error[0].value
    assert "Traceback" not in texts(app)


def test_a_name_that_is_taken_is_told_before_it_gets_a_new_version(open_page: OPEN, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_bytes(LOG)
    work = Workspace(tmp_path / "workspace")
    ingest(work, tmp_path / "shop.csv", "shop")
    app = open_page(work.root, "upload", lang="en")
    app.file_uploader[0].upload("june.csv", LOG).run()
    app.segmented_control(key="save_way_add").set_value("new").run()
    for doubted in [box for box in app.checkbox if str(box.key).startswith("doubts_yes_")]:
        doubted.check().run()
    do(app, ("dataset_name", "shop"), "save")
    assert translate("upload.name.why", "en", name="shop") in texts(app) and not jobs.jobs(work, "ingest")
    do(app, "confirm")
    args = args_of(work.root, "ingest")
    assert args[args.index("--name") + 1] == "shop"


def test_file_that_is_no_log_is_refused_in_words_and_can_be_replaced(open_page: OPEN, tmp_path: Path) -> None:
    app = open_page(tmp_path, "upload", lang="zh")
    app.file_uploader[0].upload("log.csv", b"<!DOCTYPE html><html><body>Please sign in</body></html>").run()
    assert len(app.error) == 1
    app.button(key="another_file").click().run()
    assert app.file_uploader and not app.error
    assert not any((tmp_path / "uploads").rglob("*.csv"))


def test_curve_is_ordered_by_network_and_step_and_none_without_losses() -> None:
    history = [{"seed": 2.0, "step": 5, "loss": 1.0}, *({"seed": 1.0, "step": n, "loss": n / 2} for n in (9, 3))]
    expected = pd.DataFrame({"step": [3, 9, 5], "loss": [1.5, 4.5, 1.0], "seed": [1, 1, 2]})
    pd.testing.assert_frame_equal(loss_frame(history), expected)
    assert loss_frame([]).empty and loss_frame([{"stage": "windows", "done": 1}]).empty


def test_curve_is_that_of_the_training_which_goes_on() -> None:
    """A run trains several networks of the same numbers, one after the other: their losses are not one curve."""
    own = [{"seed": 1.0, "step": step, "loss": 9.0} for step in (1, 2, 3)]
    history = [
        *({**one, "stage": "holdout", "part": 0.0} for one in own),
        *({**one, "stage": "holdout", "part": 37.5} for one in own),
        *({**one, "stage": "training"} for one in own[:2]),
    ]
    assert loss_frame(history)["step"].tolist() == [1, 2]
    assert loss_frame(history[:5])["step"].tolist() == [1, 2]


def test_titles_of_runs_leave_content_addresses_out_and_name_their_dataset(
    open_page: OPEN, two: Path, sleeping_job: START
) -> None:
    labels = {
        ("look", "shop 4634cfbe0cfd"): "shop",
        ("look", "sample-blend-20241231-2af5b4e37a0b-4634cfbe0cfd"): "sample-blend-20241231",
        ("look", "shop 2024"): "shop 2024",
        ("look", "June"): "June",
        ("score", "shop-bgnbd-20250102-7b8d5674d5d0 2024-12-03"): "shop",
        ("report", "shop-bgnbd 4634cfbe0cfd en 102 b7104e"): "shop",
    }
    for command, label in labels:
        sleeping_job(Workspace(two), [command, "shop"], label)
    shown = open_page(two, "home", lang="en", dataset="other").sidebar.progress
    said = [bar.proto.text for bar in shown]
    for (command, _), name in labels.items():
        assert translate(f"job.{command}", "en", label=name) in said
