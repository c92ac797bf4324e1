"""Next month's export repeats orders that stand otherwise by now: the newer file counts, nothing counts twice."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.stored.store import open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.order_files import HEAD, Row, check_accounts, held, lines, orders, said, write

pytestmark = pytest.mark.first(7)


def january(workspace: Workspace) -> list[Row]:
    rows = orders(1, 16) + orders(16, 21, "shipped", "")
    ingest(workspace, write(workspace, "january.csv", rows), "log")
    return rows


def test_an_order_whose_state_and_dates_moved_on_counts_once(workspace: Workspace) -> None:
    january(workspace)
    later = orders(16, 29)
    made = append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 29))
    assert said(made)["orders_restated"]["rows"] == 10 and "written_otherwise" not in said(made)
    check_accounts(made)


def test_an_order_that_was_refunded_since_goes(workspace: Workspace) -> None:
    january(workspace)
    later = orders(16, 18, "refunded") + orders(18, 19, "cancelled") + orders(19, 29)
    made = append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 16) + orders(19, 29))
    assert made.net_revenue == pytest.approx(sum(row[5] for row in orders(1, 16) + orders(19, 29)))
    check_accounts(made)


def test_one_line_that_was_refunded_leaves_the_other(workspace: Workspace) -> None:
    january(workspace)
    later = [(*row[:6], "refunded", "") if row[:4:3] == ("A017", "p1") else row for row in orders(16, 29)]
    append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines([row for row in orders(1, 29) if row[:4:3] != ("A017", "p1")])


def test_a_changed_amount_takes_the_place_of_the_old_one(workspace: Workspace) -> None:
    january(workspace)
    later = [(*row[:5], row[5] - 3, *row[6:]) for row in orders(16, 29)]
    made = append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 16) + later)
    check_accounts(made)


def test_an_order_that_moved_to_another_customer_counts_there_alone(workspace: Workspace) -> None:
    """A guest has registered: the export has the order under the account from now on."""
    january(workspace)
    later = [(row[0], "account", *row[2:]) if row[0] in ("A013", "A015") else row for row in orders(13, 29)]
    made = append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 29))
    buyers = pd.read_parquet(open_dataset(workspace, "log").events_path).groupby("order_id")["customer_id"].unique()
    assert [list(buyers[order]) for order in ("A013", "A014", "A015")] == [["account"], ["c4"], ["account"]]
    check_accounts(made)


def test_an_order_number_that_another_shop_has_too_stays_where_it_is(workspace: Workspace) -> None:
    """The same number at another time, or of another amount, is another order."""
    january(workspace)
    later = [(row[0], f"other{row[1]}", row[2].replace("-01-", "-02-"), *row[3:]) for row in orders(10, 21)]
    append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 21) + later)


def test_the_same_file_again_brings_nothing_new(workspace: Workspace) -> None:
    january(workspace)
    later = write(workspace, "later.csv", orders(14, 16, "refunded") + orders(16, 29))
    first = append(workspace, "log", later)
    again = append(workspace, "log", later)
    assert again.version == first.version and "nothing_new" in said(again)
    new = [message["code"] for message in again.warnings[len(first.warnings) :]]
    assert "warning.orders_restated" not in new


def test_an_older_file_changes_no_newer_state(workspace: Workspace) -> None:
    later = orders(16, 29)
    ingest(workspace, write(workspace, "later.csv", later), "log")
    early = orders(1, 16) + orders(16, 21, "shipped", "")
    made = append(workspace, "log", write(workspace, "early.csv", early))
    assert held(workspace) == lines(orders(1, 29))
    assert said(made)["orders_outdated"]["rows"] == 10
    check_accounts(made)


@pytest.mark.parametrize("state", ["pending", "cancelled"])
def test_what_an_older_file_calls_not_paid_yet_stays_paid(workspace: Workspace, state: str) -> None:
    """January's file, added once more after February's, knows nothing of what was paid since."""
    early = orders(1, 16) + orders(16, 21, state)
    ingest(workspace, write(workspace, "early.csv", early), "log")
    append(workspace, "log", write(workspace, "later.csv", orders(16, 29)))
    made = append(workspace, "log", write(workspace, "again.csv", early))
    assert held(workspace) == lines(orders(1, 29)) and "orders_taken_out" not in said(made)


def test_a_month_that_is_downloaded_again_takes_out_what_was_refunded_since(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "all.csv", orders(1, 29)), "log")
    again = orders(3, 4, "refunded") + orders(4, 8)
    made = append(workspace, "log", write(workspace, "again.csv", again))
    assert held(workspace) == lines(orders(1, 3) + orders(4, 29))
    assert said(made)["orders_taken_out"] == {"file": "again.csv", "orders": 1, "amount": 36.0, "currency": ""}
    assert "orders_restated" not in said(made)
    check_accounts(made)


def test_a_product_that_stands_twice_in_an_order_stays_two_lines(workspace: Workspace) -> None:
    twice = [*orders(1, 21), ("A020", "c0", "2024-01-20 10:00:00", "p1", 1, 31.0, "completed", "yes")]
    ingest(workspace, write(workspace, "january.csv", twice), "log")
    later = [(*row[:7], "long ago") for row in twice[-6:]] + orders(21, 29)
    append(workspace, "log", write(workspace, "later.csv", later))
    assert held(workspace) == lines(twice + orders(21, 29))


def test_months_ingested_at_once_are_as_good_as_one_after_the_other(workspace: Workspace) -> None:
    rows = orders(1, 16) + orders(16, 21, "shipped", "")
    later = orders(16, 18, "refunded") + orders(18, 29)
    random.Random(3).shuffle(later)
    files = [write(workspace, "a.csv", rows), write(workspace, "b.csv", later)]
    made = ingest(workspace, files, "log")
    assert held(workspace) == lines(orders(1, 16) + orders(18, 29))
    check_accounts(made)


def test_a_file_without_states_of_orders_adds_where_the_person_says_so(workspace: Workspace) -> None:
    def plain(rows: list[Row], name: str) -> Path:
        path = workspace.root.parent / name
        text = "\n".join(",".join(map(str, row[:6])) for row in [HEAD, *rows])
        path.write_text(text, encoding="utf-8")
        return path

    ingest(workspace, plain(orders(1, 21), "a.csv"), "log")
    other = [(*row[:5], row[5] + 1, *row[6:]) for row in orders(20, 29)]
    file = plain(other, "b.csv")
    with pytest.raises(NeedsAnswer, match="--overlap add"):
        append(workspace, "log", file)
    made = append(workspace, "log", file, answers=Answers(overlap="add"))
    assert held(workspace) == lines(orders(1, 21) + other) and "orders_restated" not in said(made)
