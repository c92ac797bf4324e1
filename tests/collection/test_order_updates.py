"""A later file that repeats, corrects, refunds or calls off orders of a dataset: the newer one counts, once."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from clv_core import cli
from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append, combine
from clv_core.collection.store.version_store import Dataset, open_dataset, restore, versions
from clv_core.errors import NeedsAnswer, Refused
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import append as run_append
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace
from tests.collection.order_files import HEAD, Row, check_accounts, held, lines, orders, said, write

pytestmark = pytest.mark.first(19)


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
    new = [message.code for message in again.warnings[len(first.warnings) :]]
    assert "warning.orders_restated" not in new


PLAIN = 6
"""The first columns of an export, which say nothing of how its orders stand."""


def plain(workspace: Workspace, name: str, rows: list[Row]) -> Path:
    path = workspace.root.parent / name
    path.write_text("\n".join(",".join(map(str, row[:PLAIN])) for row in [HEAD, *rows]), encoding="utf-8")
    return path


FILES = pytest.mark.parametrize("file", [plain, write], ids=["without states", "with states"])


def corrected(rows: list[Row], order: str) -> list[Row]:
    return [(*row[:5], row[5] - 3, *row[6:]) if row[:4:3] == (order, "p1") else row for row in rows]


def without_line(rows: list[Row], order: str, product: str = "p1") -> list[Row]:
    return [row for row in rows if row[:4:3] != (order, product)]


CHANGED = {
    "an amount was corrected": corrected(orders(9, 29), "A015"),
    "a line was taken out": without_line(orders(9, 29), "A015"),
    "a product was exchanged": [
        (*row[:3], "p9", *row[4:]) if row[:4:3] == ("A015", "p1") else row for row in orders(9, 29)
    ],
}


@FILES
@pytest.mark.parametrize("change", CHANGED)
def test_a_file_that_repeats_orders_tells_them_anew_and_once(
    workspace: Workspace, file: type[plain], change: str
) -> None:
    ingest(workspace, file(workspace, "january.csv", orders(1, 21)), "log")
    later = file(workspace, "later.csv", CHANGED[change])
    made = append(workspace, "log", later)
    assert held(workspace) == lines(orders(1, 9) + CHANGED[change])
    assert said(made)["orders_restated"]["rows"] == 1 and "orders_taken_out" not in said(made)
    check_accounts(made)
    again = append(workspace, "log", later)
    assert again.version == made.version and "nothing_new" in said(again)


ROWS = orders(1, 21)


@pytest.fixture
def log(workspace: Workspace) -> Workspace:
    ingest(workspace, write(workspace, "january.csv", ROWS), "log", currency="EUR")
    return workspace


def called_off(dataset: Dataset) -> set[str]:
    """Return whose orders a dataset remembers as called off."""
    assert dataset.voided_path is not None
    return {row[0] for row in duckdb.sql(f"SELECT customer_id FROM '{dataset.voided_path}'").fetchall()}


@pytest.mark.parametrize("last", ["paid", "cancelled"])
def test_what_was_called_off_is_told_as_of_the_last_row_of_its_file(workspace: Workspace, last: str) -> None:
    """A file says how its orders stood when it was made: an older one must not bring back what it called off."""
    states = [("o1", "03", "paid"), ("o2", "05", "cancelled"), ("o3", "06", "paid"), ("o4", "09", last)]
    rows = [f"{order},c{order},2024-01-{day} 10:00,{day}.5,{state}" for order, day, state in states]
    file = workspace.root.parent / "orders.csv"
    file.write_text("\n".join(["order_id,customer_id,order_date,amount,status", *rows]))
    ingest(workspace, file, "log", currency="EUR")
    told = duckdb.sql(f"SELECT DISTINCT told FROM '{open_dataset(workspace, 'log').voided_path}'").fetchall()
    assert [row[0].isoformat() for row in told] == ["2024-01-09T10:00:00"]


def without_orders(rows: list[Row], *leaving: str) -> list[Row]:
    return [row for row in rows if row[0] not in leaving]


def refunds(*days: int, state: str = "refunded") -> list[Row]:
    return [row for day in days for row in orders(day, day + 1, state)]


def test_a_file_of_refunds_alone_takes_its_orders_out_and_says_what_they_were_worth(log: Workspace) -> None:
    made = append(log, "log", write(log, "refunds.csv", refunds(3, 8)))
    assert held(log) == lines(without_orders(ROWS, "A003", "A008"))
    worth = sum(row[5] for row in ROWS if row[0] in ("A003", "A008"))
    found = {"file": "refunds.csv", "orders": 2, "amount": worth, "currency": "EUR"}
    assert said(made)["orders_taken_out"] == found
    message = next(one.text("en") for one in made.messages if one.code == "warning.orders_taken_out")
    assert "2 orders" in message and f"{worth:,.2f} EUR" in message
    assert made.net_revenue == pytest.approx(sum(row[5] for row in ROWS) - worth)
    check_accounts(made)


def test_a_refund_that_names_no_product_takes_the_whole_order(log: Workspace) -> None:
    rows = [(*row[:3], "", *row[4:]) for row in refunds(3)[:1]]
    made = append(log, "log", write(log, "refunds.csv", rows))
    assert held(log) == lines(without_orders(ROWS, "A003"))
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
    assert again.version == first.version and "nothing_new" in said(again)


def test_refunds_may_come_before_the_orders_among_several_files(workspace: Workspace) -> None:
    files = [write(workspace, "refunds.csv", refunds(3)), write(workspace, "january.csv", ROWS)]
    made = ingest(workspace, files, "log")
    assert held(workspace) == lines(without_orders(ROWS, "A003"))
    check_accounts(made)


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


@FILES
def test_an_older_file_does_not_bring_a_line_back(workspace: Workspace, file: type[plain]) -> None:
    later = corrected(without_line(orders(9, 29), "A015"), "A018")
    ingest(workspace, file(workspace, "later.csv", later), "log")
    made = append(workspace, "log", file(workspace, "january.csv", orders(1, 21)))
    assert held(workspace) == lines(orders(1, 9) + later)
    assert said(made)["orders_outdated"]["rows"] == 2
    check_accounts(made)


@FILES
def test_files_at_once_are_told_anew_as_one_after_the_other(workspace: Workspace, file: type[plain]) -> None:
    later = corrected(without_line(orders(9, 29), "A015"), "A018")
    files = [file(workspace, "january.csv", orders(1, 21)), file(workspace, "later.csv", later)]
    made = ingest(workspace, files, "log")
    assert held(workspace) == lines(orders(1, 9) + later)
    check_accounts(made)


@FILES
def test_two_warehouses_have_each_their_lines_of_an_order(workspace: Workspace, file: type[plain]) -> None:
    """Neither file repeats the other's lines, so neither says that they are gone."""
    one, other = ([row for row in orders(1, 29) if row[3] == product] for product in ("p1", "p2"))
    ingest(workspace, file(workspace, "north.csv", one), "log")
    append(workspace, "log", file(workspace, "south.csv", other))
    assert held(workspace) == lines(orders(1, 29))


def test_the_rest_of_orders_that_a_file_holds_in_part_stays(workspace: Workspace) -> None:
    """Of half the shared orders one line is not there: it may lie in another file."""
    ingest(workspace, plain(workspace, "january.csv", orders(1, 21)), "log")
    part = [row for row in orders(9, 29) if row[3] == "p2" or row[0] > "A015"]
    append(workspace, "log", plain(workspace, "part.csv", part))
    assert held(workspace) == lines(orders(1, 29))


def test_other_amounts_in_most_lines_may_be_another_column_and_are_asked_about(workspace: Workspace) -> None:
    """Gross instead of net: nothing says that the same sales are meant."""
    ingest(workspace, plain(workspace, "net.csv", orders(1, 21)), "log")
    gross = [(*row[:5], row[5] + 1, *row[6:]) for row in orders(9, 29)]
    file = plain(workspace, "gross.csv", gross)
    with pytest.raises(NeedsAnswer, match="--overlap add"):
        append(workspace, "log", file)
    made = append(workspace, "log", file, answers=Answers(overlap="add"))
    assert held(workspace) == lines(orders(1, 21) + gross) and "orders_restated" not in said(made)


def test_a_ticket_number_that_comes_again_is_another_order(workspace: Workspace) -> None:
    """A till counts from one each day: the same customer, number and product at another time is another purchase."""

    def tickets(first: int, last: int) -> list[Row]:
        return [(f"T{int(row[0][1:]) % 3}", *row[1:]) for row in orders(first, last)]

    ingest(workspace, plain(workspace, "january.csv", tickets(6, 21)), "log")
    later = [row for row in tickets(9, 29) if (row[2][:10], row[3]) != ("2024-01-22", "p2")]  # number and buyer of 7
    made = append(workspace, "log", plain(workspace, "later.csv", later))
    assert held(workspace) == lines(tickets(6, 9) + later) and "orders_restated" not in said(made)
    check_accounts(made)


@pytest.mark.parametrize("state", ["refunded", "cancelled"])
def test_an_older_file_does_not_bring_back_what_a_newer_one_called_off(workspace: Workspace, state: str) -> None:
    newer = refunds(18, 19, state=state) + orders(20, 29)
    ingest(workspace, write(workspace, "february.csv", newer), "log")
    made = append(workspace, "log", write(workspace, "january.csv", ROWS))
    assert held(workspace) == lines(without_orders(orders(1, 29), "A018", "A019"))
    found = said(made)["orders_stay_out"]
    assert (found["orders"], found["amount"]) == (2, sum(row[5] for row in refunds(18, 19)))
    check_accounts(made)


def test_what_was_taken_out_stays_out_however_often_the_old_file_comes(log: Workspace) -> None:
    append(log, "log", write(log, "february.csv", refunds(18) + orders(20, 29)))
    first = held(log)
    made = append(log, "log", write(log, "old.csv", [(*row[:7], "no") for row in ROWS]))
    assert held(log) == first and "orders_stay_out" in said(made)
    append(log, "log", write(log, "january.csv", ROWS))
    assert held(log) == first == lines(without_orders(orders(1, 29), "A018"))


def test_an_older_file_without_states_does_not_bring_a_refund_back(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "february.csv", refunds(18) + orders(20, 29)), "log")
    made = append(workspace, "log", plain(workspace, "plain.csv", ROWS[:-2]))
    assert held(workspace) == lines(without_orders(orders(1, 29), "A018"))
    assert said(made)["orders_stay_out"]["orders"] == 1


def test_an_order_that_was_not_paid_at_first_counts_once_it_is(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "january.csv", orders(1, 20) + orders(20, 21, "pending payment")), "log")
    made = append(workspace, "log", write(workspace, "february.csv", orders(20, 29)))
    assert held(workspace) == lines(orders(1, 29)) and "orders_stay_out" not in said(made)
    assert called_off(open_dataset(workspace, "log")) == set()


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
    run_append(log, "log", write(log, "old.csv", [(*row[:7], "no") for row in ROWS]))
    assert held(log) == lines(without_orders(orders(1, 29), "A018"))
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
    assert len(held(workspace)) == len(ROWS) - 2
    ids = called_off(open_dataset(workspace, "log"))
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
    assert all(called_off(version) == {stays} for version in versions(workspace, "log"))
    append(workspace, "log", write(workspace, "more.csv", named(refunds(13, 17))))
    ids = called_off(open_dataset(workspace, "log"))
    assert gone not in ids and f"customer-c{17 % 5}-7781" in ids
