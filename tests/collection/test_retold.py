"""A file that repeats a log's orders tells them anew, with the lines that are no longer there; another only adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.answers import Answers
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.order_files import HEAD, Row, check_accounts, held, lines, orders, said, write

pytestmark = pytest.mark.first(2)

PLAIN = 6
"""The first columns of an export, which say nothing of how its orders stand."""


def plain(workspace: Workspace, name: str, rows: list[Row]) -> Path:
    path = workspace.root.parent / name
    path.write_text("\n".join(",".join(map(str, row[:PLAIN])) for row in [HEAD, *rows]), encoding="utf-8")
    return path


FILES = pytest.mark.parametrize("file", [plain, write], ids=["without states", "with states"])


def corrected(rows: list[Row], order: str) -> list[Row]:
    return [(*row[:5], row[5] - 3, *row[6:]) if row[:4:3] == (order, "p1") else row for row in rows]


def without(rows: list[Row], order: str, product: str = "p1") -> list[Row]:
    return [row for row in rows if row[:4:3] != (order, product)]


@FILES
def test_an_amount_that_was_corrected_counts_once(workspace: Workspace, file: type[plain]) -> None:
    ingest(workspace, file(workspace, "january.csv", orders(1, 21)), "log")
    later = corrected(orders(9, 29), "A015")
    made = append(workspace, "log", file(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 9) + later)
    assert said(made)["orders_restated"]["rows"] == 1
    check_accounts(made)


@FILES
def test_a_line_that_was_taken_out_of_its_order_goes(workspace: Workspace, file: type[plain]) -> None:
    ingest(workspace, file(workspace, "january.csv", orders(1, 21)), "log")
    later = without(orders(9, 29), "A015")
    made = append(workspace, "log", file(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 9) + later)
    assert said(made)["orders_restated"]["rows"] == 1 and "orders_taken_out" not in said(made)
    check_accounts(made)


@FILES
def test_a_product_that_was_exchanged_counts_instead_of_the_old_one(workspace: Workspace, file: type[plain]) -> None:
    ingest(workspace, file(workspace, "january.csv", orders(1, 21)), "log")
    later = [(*row[:3], "p9", *row[4:]) if row[:4:3] == ("A015", "p1") else row for row in orders(9, 29)]
    append(workspace, "log", file(workspace, "later.csv", later))
    assert held(workspace) == lines(orders(1, 9) + later)


@FILES
def test_an_older_file_does_not_bring_a_line_back(workspace: Workspace, file: type[plain]) -> None:
    later = corrected(without(orders(9, 29), "A015"), "A018")
    ingest(workspace, file(workspace, "later.csv", later), "log")
    made = append(workspace, "log", file(workspace, "january.csv", orders(1, 21)))
    assert held(workspace) == lines(orders(1, 9) + later)
    assert said(made)["orders_outdated"]["rows"] == 2
    check_accounts(made)


@FILES
def test_files_at_once_are_told_anew_as_one_after_the_other(workspace: Workspace, file: type[plain]) -> None:
    later = corrected(without(orders(9, 29), "A015"), "A018")
    files = [file(workspace, "january.csv", orders(1, 21)), file(workspace, "later.csv", later)]
    made = ingest(workspace, files, "log")
    assert held(workspace) == lines(orders(1, 9) + later)
    check_accounts(made)


@FILES
def test_the_same_file_again_changes_nothing(workspace: Workspace, file: type[plain]) -> None:
    ingest(workspace, file(workspace, "january.csv", orders(1, 21)), "log")
    later = file(workspace, "later.csv", corrected(without(orders(9, 29), "A015"), "A018"))
    first = append(workspace, "log", later)
    again = append(workspace, "log", later)
    assert again.version == first.version and "nothing_new" in said(again)


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
