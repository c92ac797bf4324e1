"""Orders that a file calls cancelled or refunded go out of a dataset, and no older file brings them back."""

from __future__ import annotations

import json

import duckdb
import pytest

from clv_core import cli, pipeline
from clv_core.collection.append import append
from clv_core.collection.combine import combine
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset, restore, versions
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace
from tests.collection.order_files import HEAD, Row, check_accounts, held, lines, orders, said, write

pytestmark = pytest.mark.first(10)

ROWS = orders(1, 21)


@pytest.fixture
def log(workspace: Workspace) -> Workspace:
    ingest(workspace, write(workspace, "january.csv", ROWS), "log", currency="EUR")
    return workspace


def without(rows: list[Row], *leaving: str) -> list[Row]:
    return [row for row in rows if row[0] not in leaving]


def refunds(*days: int, state: str = "refunded") -> list[Row]:
    return [row for day in days for row in orders(day, day + 1, state)]


def test_a_file_of_refunds_alone_takes_its_orders_out_and_says_what_they_were_worth(log: Workspace) -> None:
    made = append(log, "log", write(log, "refunds.csv", refunds(3, 8)))
    assert held(log) == lines(without(ROWS, "A003", "A008"))
    worth = sum(row[5] for row in ROWS if row[0] in ("A003", "A008"))
    found = {"file": "refunds.csv", "orders": 2, "amount": worth, "currency": "EUR"}
    assert said(made)["orders_taken_out"] == found
    message = next(one.text("en") for one in made.messages if one.code == "warning.orders_taken_out")
    assert "2 orders" in message and f"{worth:,.2f} EUR" in message
    assert made.net_revenue == pytest.approx(sum(row[5] for row in ROWS) - worth)
    check_accounts(made)


def test_the_command_takes_refunds_out_as_well(log: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(log, "refunds.csv", refunds(3))
    assert cli.main(["ingest", str(file), "--name", "log", "--append", "--workspace", str(log.root)]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["rows_kept"] == len(ROWS) - 2
    assert "orders_taken_out" in [one["code"] for one in result["warnings"]]


def test_a_refund_that_names_no_product_takes_the_whole_order(log: Workspace) -> None:
    rows = [(*row[:3], "", *row[4:]) for row in refunds(3)[:1]]
    made = append(log, "log", write(log, "refunds.csv", rows))
    assert held(log) == lines(without(ROWS, "A003"))
    assert said(made)["orders_taken_out"]["orders"] == 1


def test_a_refund_of_one_line_takes_that_line(log: Workspace) -> None:
    append(log, "log", write(log, "refunds.csv", refunds(3)[:1]))
    assert held(log) == lines([row for row in ROWS if row != ROWS[4]])


def test_refunds_of_other_customers_orders_take_nothing(log: Workspace) -> None:
    rows = [(row[0], "c77", *row[2:]) for row in refunds(3)]
    made = append(log, "log", write(log, "refunds.csv", rows))
    assert held(log) == lines(ROWS)
    assert said(made)["orders_not_here"] == {"file": "refunds.csv", "orders": 1}


def test_a_first_file_of_refunds_alone_is_refused_and_says_where_it_belongs(workspace: Workspace) -> None:
    file = write(workspace, "refunds.csv", refunds(3, 8))
    with pytest.raises(Refused) as caught:
        ingest(workspace, file, "log")
    assert caught.value.code == "only_withdrawn" and caught.value.params["off"] == 4
    assert "Order Status" in caught.value.message("en") and "Order Status" in caught.value.message("zh")
    assert not workspace.datasets.exists() or not list(workspace.datasets.glob("log*"))
    several = [file, write(workspace, "more.csv", refunds(9))]
    with pytest.raises(Refused) as caught:
        ingest(workspace, several, "log")
    assert caught.value.code == "nothing_but_withdrawn"


def test_refunds_that_name_no_orders_are_refused_everywhere(log: Workspace) -> None:
    text = "\n".join(",".join(map(str, row[1:])) for row in [HEAD, *refunds(3, 8)])
    file = log.root.parent / "refunds.csv"
    file.write_text(text, encoding="utf-8")
    before = open_dataset(log, "log").version
    with pytest.raises(Refused) as caught:
        append(log, "log", file)
    assert caught.value.code == "only_withdrawn_unnamed" and open_dataset(log, "log").version == before


def test_refunds_of_every_order_are_refused_and_change_nothing(log: Workspace) -> None:
    before = open_dataset(log, "log").version
    with pytest.raises(Refused) as caught:
        append(log, "log", write(log, "refunds.csv", refunds(*range(1, 21))))
    assert caught.value.code == "nothing_but_withdrawn"
    assert open_dataset(log, "log").version == before and held(log) == lines(ROWS)


def test_the_same_refunds_again_make_no_version(log: Workspace) -> None:
    file = write(log, "refunds.csv", refunds(3))
    first = append(log, "log", file)
    again = append(log, "log", file)
    assert again.version == first.version and "nothing_taken_out" in said(again)


def test_refunds_may_come_before_the_orders_among_several_files(workspace: Workspace) -> None:
    files = [write(workspace, "refunds.csv", refunds(3)), write(workspace, "january.csv", ROWS)]
    made = ingest(workspace, files, "log")
    assert held(workspace) == lines(without(ROWS, "A003"))
    check_accounts(made)


@pytest.mark.parametrize("state", ["refunded", "cancelled"])
def test_an_older_file_does_not_bring_back_what_a_newer_one_called_off(workspace: Workspace, state: str) -> None:
    newer = refunds(18, 19, state=state) + orders(20, 29)
    ingest(workspace, write(workspace, "february.csv", newer), "log")
    made = append(workspace, "log", write(workspace, "january.csv", ROWS))
    assert held(workspace) == lines(without(orders(1, 29), "A018", "A019"))
    found = said(made)["orders_stay_out"]
    assert (found["orders"], found["amount"]) == (2, sum(row[5] for row in refunds(18, 19)))
    check_accounts(made)


def test_what_was_taken_out_stays_out_however_often_the_old_file_comes(log: Workspace) -> None:
    append(log, "log", write(log, "february.csv", refunds(18) + orders(20, 29)))
    first = held(log)
    made = append(log, "log", write(log, "old.csv", [(*row[:7], "no") for row in ROWS]))
    assert held(log) == first and "orders_stay_out" in said(made)
    append(log, "log", write(log, "january.csv", ROWS))
    assert held(log) == first == lines(without(orders(1, 29), "A018"))


def test_an_older_file_without_states_does_not_bring_a_refund_back(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "february.csv", refunds(18) + orders(20, 29)), "log")
    plain = workspace.root.parent / "plain.csv"
    plain.write_text("\n".join(",".join(map(str, row[:6])) for row in [HEAD, *ROWS[:-2]]), encoding="utf-8")
    made = append(workspace, "log", plain)
    assert held(workspace) == lines(without(orders(1, 29), "A018"))
    assert said(made)["orders_stay_out"]["orders"] == 1


def test_an_order_that_was_not_paid_at_first_counts_once_it_is(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "january.csv", orders(1, 20) + orders(20, 21, "pending payment")), "log")
    made = append(workspace, "log", write(workspace, "february.csv", orders(20, 29)))
    assert held(workspace) == lines(orders(1, 29)) and "orders_stay_out" not in said(made)
    remembered = open_dataset(workspace, "log").withdrawn_path
    assert remembered is not None
    assert duckdb.sql(f"SELECT count(*) FROM '{remembered}'").fetchone() == (0,)


def test_one_refunded_line_of_two_alike_stays_out_and_the_other_stays(workspace: Workspace) -> None:
    twin = ("A020", "c0", "2024-01-20 10:00:00", "p1", 1, 31.0, "completed", "yes")
    ingest(workspace, write(workspace, "january.csv", [*ROWS, twin]), "log")
    append(workspace, "log", write(workspace, "february.csv", [*refunds(20)[:1], *ROWS[-2:], *orders(21, 29)]))
    assert held(workspace) == lines(orders(1, 29))
    append(workspace, "log", write(workspace, "old.csv", [(*row[:7], "no") for row in [*ROWS, twin]]))
    assert held(workspace) == lines(orders(1, 29))


def test_the_memory_goes_with_the_dataset_through_cleaning_and_combining(log: Workspace) -> None:
    append(log, "log", write(log, "february.csv", refunds(18) + orders(20, 29)))
    clean(log, "log", {"tiny_orders": None}, progress=NoProgress())
    pipeline.append(log, "log", write(log, "old.csv", [(*row[:7], "no") for row in ROWS]))
    assert held(log) == lines(without(orders(1, 29), "A018"))
    ingest(log, write(log, "january.csv", ROWS), "other", currency="EUR")
    made = combine(log, ["log", "other"], "both")
    assert made.net_revenue == open_dataset(log, "log").manifest.net_revenue


def test_an_earlier_version_remembers_what_it_knew(log: Workspace) -> None:
    append(log, "log", write(log, "refunds.csv", refunds(18)))
    restore(log, "log", versions(log, "log")[-1].version)
    made = append(log, "log", write(log, "february.csv", orders(18, 29)))
    assert held(log) == lines(orders(1, 29)) and "orders_stay_out" not in said(made)


def test_pseudonyms_are_remembered_as_pseudonyms(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "january.csv", ROWS), "log", pseudonymise=True)
    append(workspace, "log", write(workspace, "refunds.csv", refunds(18)))
    remembered = open_dataset(workspace, "log").withdrawn_path
    assert remembered is not None
    assert len(held(workspace)) == len(ROWS) - 2
    ids = {row[0] for row in duckdb.sql(f"SELECT customer_id FROM '{remembered}'").fetchall()}
    assert ids and not ids & {row[1] for row in ROWS}
    append(workspace, "log", write(workspace, "old.csv", [(*row[:7], "no") for row in ROWS]))
    assert len(held(workspace)) == len(ROWS) - 2


def test_an_erasure_forgets_what_was_called_off_of_the_erased(workspace: Workspace) -> None:
    def named(rows: list[Row]) -> list[Row]:
        return [(row[0], f"customer-{row[1]}-7781", *row[2:]) for row in rows]

    ingest(workspace, write(workspace, "january.csv", named(ROWS)), "log")
    append(workspace, "log", write(workspace, "refunds.csv", named(refunds(18, 19))))
    gone, stays = (f"customer-c{18 % 5}-7781", f"customer-c{19 % 5}-7781")
    assert cli.main(["erase", gone, "--workspace", str(workspace.root)]) == 0
    for version in versions(workspace, "log"):
        remembered = version.withdrawn_path
        assert remembered is not None
        ids = {row[0] for row in duckdb.sql(f"SELECT customer_id FROM '{remembered}'").fetchall()}
        assert ids == {stays}
    append(workspace, "log", write(workspace, "more.csv", named(refunds(13, 17))))
    remembered = open_dataset(workspace, "log").withdrawn_path
    ids = {row[0] for row in duckdb.sql(f"SELECT customer_id FROM '{remembered}'").fetchall()}
    assert gone not in ids and f"customer-c{17 % 5}-7781" in ids
