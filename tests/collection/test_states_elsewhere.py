"""States of orders in columns that no name makes one, and words for bills that nobody paid: acted on or asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collection.small_logs import ROWS, asked, day, paid, read, read_lines, write

pytestmark = pytest.mark.first(6)

ALL = sum(map(paid, range(ROWS)))
LIVE = sum(paid(at) for at in range(ROWS) if at % 6)
HEAD = "order_id,customer_id,order_date,order_total"


def orders(folder: Path, column: str, off: str, on: str, more: str = "", state: str = "") -> Path:
    """Write orders of which every sixth is called off in a column, and none in the one called ``more``."""
    rest = [state] if more else []
    head = f"{HEAD},{more},{column}" if more else f"{HEAD},{column}"
    return write(
        folder, head, lambda at: [f"A{at}", f"C{at % 13}", day(at), paid(at), *rest, off if at % 6 == 0 else on]
    )


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("column", "off", "on"),
    [
        ("État", "Annulée", "Expédiée"), ("Etat de la commande", "Annulée", "Expédiée"), ("Status", "open", "paid"),
        ("current_state", "cancelled", "completed"), ("state_machine_state", "cancelled", "completed"),
        ("Status", "Offen", "Bezahlt"), ("authorized_flag", "N", "Y"), ("status", "skipped", "success"),
        ("status", "error", "success"), ("Order Payment State", "Open", "Paid"),
    ],
)  # fmt: skip
def test_a_word_for_what_was_called_off_or_never_paid_is_known(tmp_path: Path, column: str, off: str, on: str) -> None:
    """Columns as French, shop systems, tills and services of payment call them."""
    assert read(orders(tmp_path, column, off, on))[0].net_revenue == LIVE


@pytest.mark.examples(2)
@pytest.mark.parametrize("refund", ["Refunds Total", "refunded_total", "total_refunds"])
def test_of_a_bill_that_was_paid_what_was_paid_back_is_taken_off(tmp_path: Path, refund: str) -> None:
    def row(at: int) -> list[object]:
        return [f"B{at:03}", f"C{at % 13}", day(at), paid(at), 0 if at % 5 else 5, "Open" if at % 3 == 2 else "Paid"]

    file = write(tmp_path, f"Order ID,Customer ID,Order Date,Order Total,{refund},Order Payment State", row)
    manifest, *_ = read(file)
    assert manifest.net_revenue == sum(paid(at) - 5 * (at % 5 == 0) for at in range(ROWS) if at % 3 < 2)
    assert manifest.rows_set_aside == 30


@pytest.mark.parametrize(
    ("column", "words", "first"),
    [
        ("order_status_id", {"7": "cancelled", "5": "sold"}, "7"),
        ("payment_status_code", {"7": "cancelled", "5": "sold"}, "7"),
        ("Suivi", {"Remboursé": "refunded", "Livré": "sold"}, "Remboursé"),
        ("State of the payment", {"Open": "cancelled", "Paid": "sold"}, "Open"),
    ],
)
def test_states_that_may_be_meant_are_asked_about_and_can_be_said(
    tmp_path: Path, column: str, words: dict[str, str], first: str
) -> None:
    file = orders(tmp_path, column, *words)
    question = asked(file).params
    assert (question["column"], question["first"]) == (column, first)
    assert question["readings"][0]["net_revenue"] == ALL
    assert read(file, states=words)[0].net_revenue == LIVE


@pytest.mark.parametrize("column", ["Order Type", "Status"])
def test_refunded_among_words_that_nobody_knows_is_asked_about(tmp_path: Path, column: str) -> None:
    words = ("Desk Payment 7", "Desk Payment 9", "Refunded")
    file = write(tmp_path, f"{HEAD},{column}", lambda at: [f"A{at}", f"C{at % 13}", day(at), paid(at), words[at % 3]])
    question = asked(file).params
    assert (question["column"], question["states"]) == (column, list(words))
    manifest, *_ = read(file, states={"Refunded": "refunded"})
    assert manifest.net_revenue == sum(paid(at) for at in range(ROWS) if at % 3 < 2)


@pytest.mark.examples(4)
@pytest.mark.parametrize(
    ("column", "off", "on"),
    [
        ("customer_status", "blocked", "active"), ("delivery_status", "failed", "delivered"),
        ("email_status", "failed", "sent"), ("subscription_status", "cancelled", "active"),
        ("State", "Ohio", "Texas"), ("loyalty_state", "expired", "gold"), ("test_status", "control", "variant"),
        ("marketing_consent", "declined", "accepted"), ("warranty", "expired", "active"),
        ("insurance", "cancelled", "confirmed"), ("gift", "pending", "sent"), ("state_id", "7", "5"),
        ("group", "control", "open"), ("branch", "pending", "Soho"), ("season", "spring", "fall"),
    ],
)  # fmt: skip
def test_states_of_something_else_are_none_of_orders(tmp_path: Path, column: str, off: str, on: str) -> None:
    """The last four have no other column of states beside them."""
    more = "" if column in ("state_id", "group", "branch", "season") else "payment_status"
    manifest, _, warned = read(orders(tmp_path, column, off, on, more, "paid"))
    assert manifest.net_revenue == ALL and "status_unused" not in warned


def typed(folder: Path, *kinds: str) -> Path:
    head = "Order Id,Email,Order Date,Amount,Type"
    return write(folder, head, lambda at: [at, f"u{at % 13}@ex.com", day(at), paid(at), kinds[at % len(kinds)]])


def test_a_kind_of_payment_is_no_kind_of_event(tmp_path: Path) -> None:
    manifest, events, _ = read(typed(tmp_path, "Credit", "Credit", "Cash", "Credit", "Gift Card", "Other"))
    assert manifest.net_revenue == ALL and set(events["event_type"]) == {"purchase"}


def test_a_credit_beside_sales_still_gives_money_back(tmp_path: Path) -> None:
    assert read(typed(tmp_path, "Credit", *["Sale"] * 5))[0].net_revenue == LIVE - (ALL - LIVE)


@pytest.mark.parametrize("own", [False, True])
def test_an_orders_total_among_its_lines_is_doubted(tmp_path: Path, own: bool) -> None:
    lines = ["Receipt Number,Order Date,Customer Code,Line,Total"]
    for at in range(60):
        prices = [3 + at % 7, 20 + at] if at % 3 else [20 + at]
        start = f"R{at},{day(at)} 10:00:00,C{at % 13}"
        lines += [f"{start},all,{sum(prices)}"] * own + [f"{start},L{n},{price}" for n, price in enumerate(prices)]
    assert bool({"order_totals", "orders_unlike"} & set(read_lines(tmp_path, lines)[2])) is own
