"""States of orders in columns that no name makes one: what calls off rows that count as sales is spoken of."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.errors import NeedsAnswer
from tests.collection.small_logs import ROWS, day, paid, read, write

pytestmark = pytest.mark.first(2)

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


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["État", "Etat de la commande", "current_state", "state_machine_state"])
def test_a_column_called_the_state_in_french_or_by_a_shop_system_is_one(tmp_path: Path, column: str) -> None:
    off, on = ("Annulée", "Expédiée") if column.startswith("É") or "com" in column else ("cancelled", "completed")
    manifest, _, _ = read(orders(tmp_path, column, off, on))
    assert manifest.net_revenue == LIVE


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["SellerStatus", "fraud_status", "Stato della vendita"])
def test_a_second_column_of_states_that_calls_off_what_counts_is_spoken_of_and_can_be_said(
    tmp_path: Path, column: str
) -> None:
    file = orders(tmp_path, column, "CANCELLED", "SENT", "payment_status", "paid")
    manifest, _, said = read(file)
    assert manifest.net_revenue == ALL
    assert said["other_status_unused"] == {"column": column, "status": "payment_status", "states": ["CANCELLED"]}
    manifest, _, said = read(file, mapping={"order_status": column})
    assert manifest.net_revenue == LIVE and "other_status_unused" not in said


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("column", "off", "on"),
    [
        ("customer_status", "blocked", "active"),
        ("delivery_status", "failed", "delivered"),
        ("email_status", "failed", "sent"),
        ("subscription_status", "cancelled", "active"),
        ("State", "Ohio", "Texas"),
        ("loyalty_state", "expired", "gold"),
        ("test_status", "control", "variant"),
        ("marketing_consent", "declined", "accepted"),
        ("warranty", "expired", "active"),
        ("insurance", "cancelled", "confirmed"),
        ("gift", "pending", "sent"),
    ],
)
def test_states_of_something_else_are_not_spoken_of(tmp_path: Path, column: str, off: str, on: str) -> None:
    manifest, _, said = read(orders(tmp_path, column, off, on, "payment_status", "paid"))
    assert manifest.net_revenue == ALL and not {"other_status_unused", "status_unused"} & set(said)


def test_a_second_column_that_calls_off_what_the_first_does_too_needs_no_word(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        states = ("paid", "SENT") if at % 6 else ("failed", "CANCELLED")
        return [f"A{at}", f"C{at % 13}", day(at), paid(at), *states]

    file = write(tmp_path, f"{HEAD},payment_status,SellerStatus", row)
    manifest, _, said = read(file)
    assert manifest.net_revenue == LIVE and "other_status_unused" not in said


@pytest.mark.parametrize("column", ["order_status_id", "payment_status_code"])
def test_numbers_of_states_are_spoken_of_and_can_be_said(tmp_path: Path, column: str) -> None:
    file = orders(tmp_path, column, "7", "5")
    with pytest.raises(NeedsAnswer) as asked:
        read(file)
    assert asked.value.params["states"] == ["7", "5"] and asked.value.params["readings"][0]["net_revenue"] == ALL
    assert read(file, states={"7": "cancelled"})[0].net_revenue == LIVE


def test_words_that_are_all_states_are_spoken_of_whatever_their_column_is_called(tmp_path: Path) -> None:
    with pytest.raises(NeedsAnswer) as asked:
        read(orders(tmp_path, "Suivi", "Remboursé", "Livré"))
    assert asked.value.params["column"] == "Suivi" and asked.value.params["first"] == "Remboursé"


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("column", "off", "on"),
    [("state_id", "7", "5"), ("group", "control", "open"), ("branch", "pending", "Soho"), ("season", "spring", "fall")],
)
def test_branches_groups_seasons_and_numbers_of_places_are_no_states(
    tmp_path: Path, column: str, off: str, on: str
) -> None:
    manifest, _, said = read(orders(tmp_path, column, off, on))
    assert manifest.net_revenue == ALL and "status_unused" not in said


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("wc-cancelled", "cancelled"),
        ("wc-on-hold", "cancelled"),
        ("wc-completed", "sold"),
        ("Venda cancelada", "cancelled"),
        ("Devolução finalizada com reembolso para o comprador", "refunded"),
    ],
)
def test_what_a_shops_database_and_a_brazilian_marketplace_say_of_a_sale_is_known(word: str, meaning: str) -> None:
    assert meaning_of(word) == meaning


def test_a_kind_of_payment_is_no_kind_of_event(tmp_path: Path) -> None:
    head = "Order Id,Email,Order Date,Amount,Type"
    kinds = ("Credit", "Credit", "Cash", "Credit", "Gift Card", "Other")
    file = write(tmp_path, head, lambda at: [at, f"u{at % 13}@ex.com", day(at), paid(at), kinds[at % 6]])
    manifest, events, _ = read(file)
    assert manifest.net_revenue == ALL and set(events["event_type"]) == {"purchase"}


def test_a_payment_that_was_not_authorised_is_none(tmp_path: Path) -> None:
    assert read(orders(tmp_path, "authorized_flag", "N", "Y"))[0].net_revenue == LIVE


def test_a_credit_beside_sales_still_gives_money_back(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "Order Id,Email,Order Date,Amount,Type",
        lambda at: [at, f"u{at % 13}@ex.com", day(at), paid(at), "Sale" if at % 6 else "Credit"],
    )
    assert read(file)[0].net_revenue == LIVE - (ALL - LIVE)


def test_a_ledger_of_debits_and_credits_is_not_taken_for_kinds_of_payment(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "Order Id,Email,Order Date,Amount,Type",
        lambda at: [at, f"u{at % 13}@ex.com", day(at), paid(at), "Debit" if at % 6 else "Credit"],
    )
    try:
        assert read(file)[0].net_revenue != ALL
    except NeedsAnswer as asked:
        assert asked.params
