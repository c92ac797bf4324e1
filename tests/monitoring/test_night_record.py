"""The night's record: what ran, how long, what came in, what differs, who was sent; as text, Slack card and JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clv_core.collection.sources import Source, add_source
from clv_core.monitoring.chains import StepResult, run_due
from clv_core.monitoring.night_record import figures_of, nights
from clv_core.monitoring.notifications.sending import chat_payload
from clv_core.monitoring.schedules import Schedule, add_schedule
from clv_core.workspace import Workspace
from tests.monitoring.conftest import Steps

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIX = NOW + timedelta(hours=18)
COMPARED: dict[str, Any] = {
    **{"first": "2026-02-27", "last": "2026-03-02", "rows": 1530, "amount": 40.0, "held_rows": 1520},
    **{"held_amount": 39.0, "left_out": 3, "days": ["2026-03-01", "2026-03-02"], "in_utc": False},
}
READ: dict[str, Any] = {
    **{"source": "orders", "rows_fetched": 1530, "rows_new": 1200, "loaded": {"rows_set_aside": 3}},
    **{"reconciled": COMPARED, "warnings": []},
}
PUSHED = {
    **{"destination": "crm", "sent": 250, "unchanged": 12_000, "left_out": {"no_consent": 30, "suppressed": 2}},
    **{"failed": [{"customer_id": "c1", "reason": "bad"}], "refused": 0},
}
STEPS = ("source run orders", "push shop --model champion --to crm", "summary shop --model champion")


@pytest.fixture
def night(workspace: Workspace) -> Workspace:
    add_source(workspace, Source("orders", "folder", "/data", "shop", "*.csv"))
    add_source(workspace, Source("others", "folder", "/data", "other", "*.csv"))
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS, "Europe/Berlin"), NOW)
    add_schedule(workspace, Schedule("elsewhere", "0 6 * * *", ("source run others",)), NOW)
    return workspace


def test_it_tells_what_ran_how_long_what_came_in_and_who_was_sent(night: Workspace) -> None:
    run_due(night, SIX, Steps(source=READ, push=PUSHED))
    (ran,) = nights(night, "shop", SIX)
    assert ran.lines("en") == [
        "nightly, 3 Mar 2026 07:00: done in 1 s.",
        "“source run orders”: 1 s. 1,200 new of 1,530 rows read, 3 rejected."
        " 2 days differ from the source, by 7 rows in all.",
        "“push shop --model champion --to crm”: 1 s. 250 customers sent to crm, 12,000 unchanged."
        " Left out: no consent to be contacted: 30; on the do-not-contact list: 2.",
        "“summary shop --model champion”: 1 s.",
    ]
    assert "新增 1,200 行" in ran.lines("zh")[1] and "不一致" in ran.lines("zh")[1]
    assert "c1" not in str(ran.to_json()), "it names no customer"


def test_a_night_without_a_difference_says_so_and_a_failed_one_says_why(night: Workspace) -> None:
    same = {**READ, "reconciled": {**COMPARED, "held_rows": 1527, "days": []}}
    run_due(night, SIX, Steps("push", source=same))
    lines = nights(night, "shop", SIX)[0].lines("en")
    assert lines[0].endswith("failed after 1 s.") and lines[1].endswith("No difference to the source.")
    assert "current model" in lines[2] and len(lines) == 3


def test_a_summary_within_the_chain_tells_what_the_chain_did_so_far(night: Workspace) -> None:
    seen: list[list[str]] = []

    def execute(workspace: Workspace, words: Any, language: str, label: str) -> StepResult:
        if words[0] == "summary":
            seen.append([line for ran in nights(workspace, "shop", SIX) for line in ran.lines("en")])
        return StepResult(result=READ if words[0] == "source" else {})

    run_due(night, SIX, execute)
    assert seen[0][0] == "nightly, 3 Mar 2026 07:00: still running; so far:" and len(seen[0]) == 3


def test_old_runs_are_no_news(night: Workspace) -> None:
    run_due(night, SIX, Steps())
    assert nights(night, "shop", SIX + timedelta(days=8)) == []


def test_figures_are_those_of_the_step_and_of_no_other() -> None:
    assert figures_of(["source", "run", "orders"], READ).keys() == {"rows_fetched", "rows_new", "loaded", "reconciled"}
    assert figures_of(["models", "prune", "shop"], {"rows": 3}) == {}
    assert figures_of(["export", "shop"], {"rows": 3, "files": ["a"]}) == {"rows": 3}


def test_slack_gets_a_card_that_fits_its_bounds_and_others_the_facts() -> None:
    """Bounds of Slack's Block Kit reference: a header of 150 characters, a section of 3,000."""
    lines = ["Shop <b> & Co", "a" * 4000, "", "second part"]
    card = chat_payload("https://hooks.slack.com/services/T/B/x", "s" * 200, lines, {"dataset": "shop"})
    assert card.keys() == {"text", "blocks"}
    header, first, second = card["blocks"]
    assert header["type"] == "header" and len(header["text"]["text"]) == 150
    assert first["text"]["text"].startswith("Shop &lt;b&gt; &amp; Co\n") and len(first["text"]["text"]) == 3000
    assert second == {"type": "section", "text": {"type": "mrkdwn", "text": "second part"}}
    plain = chat_payload("https://hooks.slack.com.evil.example/x", "s", ["line"], {"dataset": "shop"})
    assert plain == {"text": "s\nline", "subject": "s", "dataset": "shop"}
