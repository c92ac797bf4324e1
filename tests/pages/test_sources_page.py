"""The pages of sources and schedules: add, preview, read, and who may do what."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from clv_core import audit, jobs
from clv_core.collection.sources import (
    ComparedDays,
    Source,
    SourceState,
    add_source,
    list_sources,
    load_source,
    save_state,
)
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Message
from clv_core.monitoring.chains import StepResult, run_due
from clv_core.monitoring.schedules import Schedule, add_schedule, history, list_schedules, load_schedule
from clv_core.workspace import Workspace
from pages.ui import server
from tests.pages.conftest import OPEN, SIGN_IN, do, keys_of, newest, really, texts

ROWS = [(f"o{i}", f"c{i % 7}", f"{1 + i % 12:02d}/03/2024", 10 + i / 4) for i in range(60)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "private" / "shop.sqlite"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (order_id TEXT, customer_id TEXT, event_time TEXT, amount REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ROWS)
    connection.close()
    return path


def test_a_source_is_added_previewed_asked_about_and_read(open_page: OPEN, tmp_path: Path, shop: Path) -> None:
    root = tmp_path / "workspace"
    app = do(
        open_page(root, "sources"), ("source_kind", "sqlite"), ("source_where", str(shop)), ("source_what", "orders")
    )
    do(app, ("source_name", "orders"), ("source_dataset", "shop"), "source_save")
    assert [one.dataset for one in list_sources(Workspace(root))] == ["shop"]
    do(app, "preview_orders")
    assert "Month first" in texts(app)  # days and months could be either
    do(app, next(key for key in keys_of(app) if key.startswith("answer_") and key.endswith("dmy")))
    assert load_source(Workspace(root), "orders").answers["date_order"] == "dmy"
    do(app, "run_orders")
    assert really(root, "source") == ["source", "run", "orders"]
    app.run()
    assert open_dataset(Workspace(root), "shop").manifest.rows_kept == 60 and "60" in texts(app)
    assert [line["action"] for line in audit.lines(Workspace(root))] == ["source run", "source add"]


def test_a_source_that_failed_says_when_why_and_what_to_do(open_page: OPEN, bare: Path, shop: Path) -> None:
    add_source(Workspace(bare), Source("orders", "sqlite", str(shop), "shop", "SELECT amount\n  FROM lines"))
    app = do(open_page(bare, "sources"), "run_orders")
    really(bare, "source", code=5)
    app = open_page(bare, "sources")
    assert "SELECT amount FROM lines" in texts(app) and "Failed " in texts(app)
    assert "lines" in app.error[0].value and "Check the address" in app.error[0].value


def test_a_source_says_what_its_role_may_do_and_what_a_run_left_out(open_page: OPEN, bare: Path, shop: Path) -> None:
    add_source(Workspace(bare), Source("orders", "sqlite", str(shop), "shop", "orders"))
    role = Message("warning.source_role", {"role": "root_*x*", "powers": ["SUPERUSER"]})
    links = Message("warning.source_links", {"source": "orders", "links": ["gone.csv"]})
    save_state(Workspace(bare), "orders", SourceState(role=(role,), warnings=(links,)))
    said = [one.value for one in open_page(bare, "sources").warning]
    assert len(said) == 2 and "SUPERUSER" in said[0] and r"\*x\*" in said[0] and "gone.csv" in said[1]


def test_a_source_is_changed_after_its_changes_were_shown(open_page: OPEN, bare: Path, shop: Path) -> None:
    add_source(Workspace(bare), Source("orders", "sqlite", str(shop), "shop", "orders"))
    fields = [("source_kind", "sqlite"), ("source_where", str(shop)), ("source_what", "orders")]
    fields += [("source_time_column", "event_time"), ("source_look_back", 30), ("source_name", "orders")]
    app = do(open_page(bare, "sources"), *fields, ("source_dataset", "shop"), "source_save")
    assert "Look back, days: 3 → 30" in texts(app) and load_source(Workspace(bare), "orders").look_back_days == 3
    do(app, "confirm")
    changed = load_source(Workspace(bare), "orders")
    assert (changed.look_back_days, changed.time_column) == (30, "event_time")


def test_a_source_shows_what_its_last_run_compared_and_reads_everything_on_demand(
    open_page: OPEN, bare: Path, shop: Path
) -> None:
    add_source(Workspace(bare), Source("orders", "sqlite", str(shop), "shop", "orders"))
    add_source(Workspace(bare), Source("files", "folder", str(shop.parent), "shop", "*.csv"))
    late = {"source": "orders", "rows": 2, "amount": 7.5, "days": ["2024-01-03"]}
    compared = {"first": "2024-03-01", "last": "2024-03-12", "rows": 60, "held_rows": 58, "left_out": 2}
    state = SourceState(
        warnings=(Message("warning.source_late", late),),
        reconciled=ComparedDays(**compared, amount=None, held_amount=1042.5, days=()),
    )
    save_state(Workspace(bare), "orders", state)
    app = open_page(bare, "sources")
    assert "60 rows in the source, 58" in texts(app) and "2 not kept" in texts(app)
    assert "Only databases are asked for whole orders" in texts(app)
    do(app, "run_all_orders")
    assert newest(bare, "source").status().args == ("source", "run", "orders", "--all")


def test_only_an_administrator_adds_a_source_and_sees_where_it_is(
    open_page: OPEN, bare: Path, shop: Path, sign_in: SIGN_IN
) -> None:
    app = do(
        open_page(bare, "sources"), ("source_kind", "sqlite"), ("source_where", str(shop)), ("source_what", "orders")
    )
    do(app, ("source_name", "orders"), "source_save")
    assert "private" in texts(app)
    sign_in("eve@shop.example", groups="clv-analysts")
    app = open_page(bare, "sources")
    assert "private" not in texts(app) and "source_save" not in keys_of(app)
    assert app.button(key="remove_orders").disabled and not app.button(key="run_orders").disabled
    sign_in("bob@shop.example")
    app = open_page(bare, "sources")
    assert app.button(key="run_orders").disabled and app.button(key="preview_orders").disabled
    assert "Data as of" in texts(app)


def test_a_password_in_an_address_and_a_query_that_writes_are_refused(open_page: OPEN, bare: Path) -> None:
    app = do(open_page(bare, "sources"), ("source_where", "postgresql://a:b@db/shop"), ("source_what", "orders"))
    do(app, ("source_name", "orders"), "source_save")
    assert "password" in app.error[0].value
    do(app, ("source_where", "postgresql://a@db/shop"), ("source_what", "DELETE FROM orders"), "source_save")
    assert "SELECT" in app.error[0].value and list_sources(Workspace(bare)) == []


def test_a_schedule_is_saved_run_and_paused(open_page: OPEN, bare: Path) -> None:
    app = do(open_page(bare, "schedules"), ("schedule_name", "nightly"), ("schedule_steps", ["versions", "prune"]))
    do(app, "schedule_save")
    (schedule, _) = load_schedule(Workspace(bare), "nightly")
    assert schedule.cron == "0 6 * * *" and schedule.steps == ("prune shop --keep 7", "prune --expired")
    do(app, "pause_nightly")
    assert list_schedules(Workspace(bare))[0][0].is_paused
    do(app, "run_nightly")
    assert newest(bare, "schedule").status().args == ("schedule", "run", "nightly")


def test_a_step_that_could_never_run_is_refused_on_the_page(open_page: OPEN, bare: Path) -> None:
    app = do(open_page(bare, "schedules"), ("schedule_name", "nightly"), ("schedule_steps", ["monitor", "export"]))
    do(app, "schedule_save")
    assert "could never run" in app.error[0].value and "no current model" in app.error[0].value
    assert list_schedules(Workspace(bare)) == []


def test_home_and_schedules_name_what_did_not_run_or_cannot_be_read(open_page: OPEN, bare: Path) -> None:
    workspace = Workspace(bare)
    assert "home_schedules" not in keys_of(open_page(bare, "home"))
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", ("prune shop",)), datetime(2026, 1, 1, tzinfo=UTC))
    (workspace.place("schedules") / "torn.json").write_text("{")
    home = open_page(bare, "home")
    assert "2 of 2 schedules need you: nightly, torn" in texts(home) and "home_schedules" in keys_of(home)
    app = open_page(bare, "schedules")
    assert "2 of 2 schedules need you" in app.header[0].value
    assert "nobody started it" in app.warning[0].value and "torn.json" in app.error[0].value
    do(app, "remove_torn", "confirm")
    assert [schedule.name for schedule, _ in list_schedules(workspace)] == ["nightly"]
    run_due(workspace, datetime.now(UTC), lambda *_: StepResult())
    assert "It ran late" in texts(open_page(bare, "schedules"))
    assert "home_schedules" not in keys_of(open_page(bare, "home"))


RETRAINED = ("source run orders", "monitor shop --model champion --retrain --every 7")
ABBREVIATED = ("monitor shop --model champion --retr",)
MODELS = ("models prune shop",)
READ = ("source run orders", "score shop --model champion")


@pytest.mark.parametrize(
    ("steps", "needed"),
    [(RETRAINED, "administrator"), (ABBREVIATED, "administrator"), (MODELS, "administrator"), (READ, None)],
)
def test_who_runs_a_chain_now_may_do_each_of_its_steps(
    open_page: OPEN, bare: Path, sign_in: SIGN_IN, steps: tuple[str, ...], needed: str | None
) -> None:
    add_schedule(Workspace(bare), Schedule("nightly", "0 6 * * *", steps))
    sign_in("kim@else.example", groups=["clv-analysts"])
    button = open_page(bare, "schedules").button(key="run_nightly")
    assert button.disabled is (needed is not None) and (needed is None or needed in button.help)
    sign_in("ana@shop.example")
    do(open_page(bare, "schedules"), "run_nightly")
    status = newest(bare, "schedule").status()
    assert (status.args, status.actor) == (("schedule", "run", "nightly"), "ana@shop.example")


@pytest.mark.usefixtures("never_grey")
def test_an_analyst_runs_no_chain_with_an_administrators_step_even_past_the_button(
    open_page: OPEN, bare: Path, sign_in: SIGN_IN
) -> None:
    add_schedule(Workspace(bare), Schedule("nightly", "0 6 * * *", RETRAINED))
    sign_in("kim@else.example", groups=["clv-analysts"])
    app = do(open_page(bare, "schedules"), "run_nightly")
    assert "role" in app.error[0].value and not jobs.jobs(Workspace(bare), "schedule")


def test_a_stored_chain_that_cannot_be_read_is_shown_and_can_be_removed(open_page: OPEN, bare: Path) -> None:
    workspace = Workspace(bare)
    add_schedule(workspace, Schedule("broken", "0 6 * * *", READ), datetime(2026, 1, 1, tzinfo=UTC))
    path = workspace.folder("schedules") / "broken.json"
    path.write_text(path.read_text().replace(READ[1], 'score \\"unclosed'))
    assert run_due(workspace, datetime.now(UTC)) == {"broken": "failed"}
    app = open_page(bare, "schedules")
    assert "broken" in app.header[0].value and "quotation mark" in app.error[0].value
    do(app, "remove_broken", "confirm")
    assert list_schedules(workspace) == []


@pytest.mark.slow
def test_the_apps_server_runs_what_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the loop that the server runs on: it is stricter than Python's own with what starts a process."""
    workspace = Workspace(tmp_path / "workspace")
    monkeypatch.setenv("CLV_WORKSPACE", str(workspace.root))
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.1)
    add_schedule(workspace, Schedule("due", "* * * * *", ("source run none",)), datetime(2026, 1, 1, tzinfo=UTC))

    async def until_run() -> None:
        task = asyncio.create_task(server._run_schedules())
        while not history(workspace, "due"):
            await asyncio.sleep(0.2)
        monkeypatch.setenv("CLV_SCHEDULES", "off")
        await task

    uvloop.run(asyncio.wait_for(until_run(), 300))
    assert history(workspace, "due")[0].steps[0].error.code == "no_source"
