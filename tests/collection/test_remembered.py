"""What was said about a file is offered for the next one of the same column names, and used only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.rows.remembered_settings import forget, recall, remember
from clv_core.errors import NeedsAnswer, NotFound, Refused
from clv_core.workspace import Workspace

SAID = {"customer_id": "who", "event_time": "am", "amount": "x"}


def log(workspace: Workspace, name: str, head: str, *lines: str) -> Path:
    path = workspace.root.parent / name
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_what_was_kept_comes_back_for_the_same_columns_in_any_order_and_spelling(workspace: Workspace) -> None:
    mapping, events = {"amount": "Total Paid", "customer_id": "用户"}, {"买": "purchase"}
    answers = Answers(mapping, "dmy", "comma", "Asia/Shanghai", "CNY", "keep", events)
    remember(workspace, ["用户", "Total Paid", "date"], answers)
    assert recall(workspace, ["date", "用户", "Total Paid"]) == answers
    other = recall(workspace, ["DATE", "total_paid", "用户"])
    assert other is not None and other.mapping == {"amount": "total_paid", "customer_id": "用户"}
    assert recall(workspace, ["date", "用户"]) is None
    assert list(workspace.folder("mappings").glob("*.json")) and not list(workspace.folder("mappings").glob(".*"))
    assert forget(workspace, ["date", "用户", "Total Paid"]) and not forget(workspace, ["date", "用户", "Total Paid"])
    assert recall(workspace, ["date", "用户", "Total Paid"]) is None


def test_nothing_said_takes_the_place_of_nothing(workspace: Workspace) -> None:
    said = Answers({"amount": "a"})
    remember(workspace, ["a", "b"], said)
    remember(workspace, ["a", "b"], Answers())
    assert recall(workspace, ["a", "b"]) == said


def test_a_file_of_which_nothing_had_to_be_said_is_known_too(workspace: Workspace) -> None:
    """A schedule reads the next one like it, and is stopped where its columns are others."""
    plain = ("customer_id,date,amount", "a,2024-01-01,1", "b,2024-02-23,2")
    ingest(workspace, log(workspace, "a.csv", *plain), "a")
    assert ingest(workspace, log(workspace, "b.csv", *plain), "b", remembered=True).net_revenue == 3
    with pytest.raises(NotFound):
        ingest(workspace, log(workspace, "c.csv", "customer_id,date,total", "a,2024-01-01,1"), "c", remembered=True)


def test_a_reading_is_remembered_and_used_only_when_asked(workspace: Workspace) -> None:
    first = log(workspace, "a.csv", "who,am,x,y", "a,31/12/2023,1,9", "b,01/02/2024,2,9")
    ingest(workspace, first, "a", mapping=SAID, timezone="Asia/Shanghai", currency="CNY")
    again = log(workspace, "b.csv", "Y,X,WHO,AM", "9,5,a,31/01/2024", "9,6,b,05/02/2024")
    with pytest.raises(NeedsAnswer):
        ingest(workspace, again, "b")
    made = ingest(workspace, again, "b", remembered=True)
    assert (made.net_revenue, made.currency, made.timezone) == (11, "CNY", "Asia/Shanghai")
    assert ingest(workspace, again, "b", remembered=True, mapping={"amount": "Y"}).net_revenue == 18
    assert ingest(workspace, again, "b", remembered=True).net_revenue == 18
    assert ingest(workspace, again, "b", remembered=True, timezone="UTC").timezone == "UTC"


def test_a_remembered_date_order_yields_to_what_the_file_proves(workspace: Workspace) -> None:
    either = log(workspace, "a.csv", "customer_id,date,amount", "a,01/02/2024,1", "b,02/03/2024,2")
    assert ingest(workspace, either, "a", date_order="dmy").first_event.startswith("2024-02-01")
    assert ingest(workspace, either, "b", remembered=True).first_event.startswith("2024-02-01")
    proof = log(workspace, "b.csv", "customer_id,date,amount", "a,01/02/2024,1", "b,02/23/2024,2")
    made = ingest(workspace, proof, "c", remembered=True)
    assert made.first_event.startswith("2024-01-02") and made.rows_set_aside == 0


def test_a_file_that_is_refused_is_not_remembered(workspace: Workspace) -> None:
    bad = log(workspace, "a.csv", "who,am,x", "a,no date,1", "b,none,2")
    with pytest.raises(Refused):
        ingest(workspace, bad, "a", mapping=SAID)
    assert recall(workspace, ["who", "am", "x"]) is None


def test_how_sales_are_written_is_remembered(workspace: Workspace) -> None:
    rows = [f"c{at % 5},2024-01-{at + 1:02},{-10 - at}" for at in range(20)]
    ingest(workspace, log(workspace, "a.csv", "customer_id,date,amount", *rows), "a", sign="negative")
    later = log(workspace, "b.csv", "customer_id,date,amount", *rows)
    assert ingest(workspace, later, "b", remembered=True).net_revenue == sum(10 + at for at in range(20))
