"""Columns whose name gives their words a meaning: paid or captured, yes or no; a deal's stage; what moved money."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.collection.stored.store import Manifest
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at
from tests.collection.shop_exports import CANCELLED, REFUNDED, SHOP, Order, _write, orders

pytestmark = pytest.mark.first(2)

Row = dict[str, Any]


def read(folder: Path, rows: Callable[[Order], Iterable[Row]], **said: Any) -> tuple[Manifest, list[Order]]:
    made, file = orders(), folder / "export.csv"
    cells = [row for one in made for row in rows(one)]
    _write(file, list(cells[0]), cells)
    return ingest(Workspace(folder / "ws"), file, "shop", **said), made


def lasting(made: list[Order], *gone: str) -> float:
    return pytest.approx(sum(one.total for one in made if one.fate not in gone), abs=0.01)  # type: ignore[return-value]


def plain(one: Order) -> Row:
    return {"id": one.number + 1, "customer_id": one.customer, "created_at": at(one), "total": one.total}


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["paid", "is_paid", "Captured", "payment_received", "是否付款"])
@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("1", "0"), ("t", "f"), ("是", "否")])
def test_who_did_not_pay_bought_nothing(tmp_path: Path, name: str, yes: str, no: str) -> None:
    manifest, made = read(tmp_path, lambda one: [{**plain(one), name: no if one.fate == CANCELLED else yes}])
    assert manifest.net_revenue == lasting(made, CANCELLED)


def test_each_of_several_flags_counts(tmp_path: Path) -> None:
    def row(one: Order) -> Iterable[Row]:
        flags = {"is_paid": int(one.number % 10 != 1), "is_cancelled": int(one.fate == CANCELLED)}
        yield {**plain(one), **flags, "is_refunded": int(one.fate == REFUNDED), "is_test": int(one.number % 40 == 3)}

    manifest, made = read(tmp_path, row)
    kept = [one for one in made if one.number % 10 != 1 and one.number % 40 != 3]
    assert manifest.net_revenue == lasting(kept, CANCELLED, REFUNDED)
    assert "warning.refund_columns_unused" not in [item["code"] for item in manifest.warnings]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Stage", ("Closed Won", "Closed Lost", "Negotiation/Review", "Qualification")),
        ("Deal Stage", ("closedwon", "closedlost", "contractsent", "appointmentscheduled")),
        ("StageName", ("6 - Closed Won", "7 - Closed Lost", "3 - Proposal", "1 - Prospecting")),
    ],
)
def test_only_deals_that_were_won_are_sales(tmp_path: Path, name: str, words: tuple[str, ...]) -> None:
    """Salesforce and HubSpot export every deal with its amount, lost and open ones too."""

    def row(one: Order) -> Iterable[Row]:
        word = words[1] if one.fate == REFUNDED else words[2 + one.number % 2] if one.fate == CANCELLED else words[0]
        close = {"Account ID": f"001{one.customer[:6]}", "Close Date": at(one, "%Y-%m-%d")}
        yield {"Opportunity Name": f"Deal {one.number}", **close, "Amount": one.total, name: word}

    manifest, made = read(tmp_path, row, mapping={"event_time": "Close Date"})
    assert manifest.net_revenue == lasting(made, CANCELLED, REFUNDED)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("impact", "memo", "kind"),
    [
        ("Balance Impact", "Memo", "General Authorization"),
        ("", "", "General Authorization"),
        ("Auswirkung auf Guthaben", "Memo", "Allgemeine Autorisierung"),
    ],
)
def test_a_payment_that_is_authorised_and_then_captured_counts_once(
    tmp_path: Path, impact: str, memo: str, kind: str
) -> None:
    """PayPal lists both with their amounts, and both are completed; only the capture moves money."""

    def rows(one: Order) -> Iterable[Row]:
        def row(step: str, gross: float, hours: int, moved: str) -> Row:
            time, back = one.time + timedelta(hours=hours), gross < 0
            mails = {
                "From Email Address": SHOP if back else one.customer,
                "To Email Address": one.customer if back else SHOP,
            }
            when = {"Date": f"{time:%d/%m/%Y}", "Time": f"{time:%H:%M:%S}"}
            said = {"Type": step, "Status": "Completed", "Currency": "EUR", "Gross": gross, "Net": gross}
            ids = {"Transaction ID": f"T{one.number}{hours}", impact: moved}
            return {**when, **said, **mails, **{name: value for name, value in ids.items() if name}}

        if one.number % 3 == 0 or one.fate == CANCELLED:
            yield row(kind, one.total, 0, memo)
        if one.fate != CANCELLED:
            yield row("Express Checkout Payment", one.total, 1, "Credit")
        if one.back and one.fate != CANCELLED:
            yield row("Payment Refund", -one.back, 2, "Debit")

    manifest, made = read(tmp_path, rows)
    assert manifest.net_revenue == pytest.approx(sum(one.worth for one in made), abs=0.01)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            "Datum,Uhrzeit,Typ,Status,Brutto,Netto,Absender E-Mail-Adresse,Empfänger E-Mail-Adresse,"
            "Auswirkung auf Guthaben",
            ("Abgeschlossen", "Abgelehnt", "Memo", "Haben", "Soll"),
        ),
        (
            "Date,Heure,Type,État,Avant commission,Net,De l'adresse email,À l'adresse email,Impact sur le solde",
            ("Terminé", "Refusé", "Mémo", "Crédit", "Débit"),
        ),
    ],
)
def test_paypal_says_it_in_other_languages_too(tmp_path: Path, names: str, words: tuple[str, ...]) -> None:
    done, denied, memo, came, went = words

    def rows(one: Order) -> Iterable[Row]:
        steps = [(denied, one.total, memo)] if one.fate == CANCELLED else [(done, one.total, came)]
        steps += [(done, one.total, memo)] if one.number % 3 == 0 and one.fate != CANCELLED else []
        steps += [(done, -one.back, went)] if one.back else []
        for hours, (word, gross, moved) in enumerate(steps):
            mails = (SHOP, one.customer) if gross < 0 else (one.customer, SHOP)
            time, figure = one.time + timedelta(hours=hours), f"{gross:.2f}".replace(".", ",")
            cells = (f"{time:%d/%m/%Y}", f"{time:%H:%M:%S}", "PayPal Express", word, figure, figure, *mails, moved)
            yield dict(zip(names.split(","), cells, strict=True))

    manifest, made = read(tmp_path, rows)
    assert manifest.net_revenue == pytest.approx(sum(one.worth for one in made), abs=0.01)
    assert manifest.customers == 40


def test_a_capture_is_the_sale_and_its_authorisation_none(tmp_path: Path) -> None:
    """Shopify's transactions: a sale in one step, or an authorisation and its capture in two."""

    def rows(one: Order) -> Iterable[Row]:
        state = "failure" if one.fate == CANCELLED else "success"
        steps = ["sale"] if one.number % 2 else ["authorization", *(["capture"] if state == "success" else [])]
        for hours, kind in enumerate([*steps, *(["refund"] if one.back else [])]):
            money = one.back if kind == "refund" else one.total
            time = f"{one.time + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"
            who = {"Order ID": one.number, "Email": one.customer, "Created At": time}
            yield {**who, "Kind": kind, "Status": state, "Amount": money, "Currency": "EUR"}

    manifest, made = read(tmp_path, rows)
    assert manifest.net_revenue == pytest.approx(sum(one.worth for one in made), abs=0.01)


def test_stripe_payments_that_were_only_promised_are_none(tmp_path: Path) -> None:
    def row(one: Order) -> Iterable[Row]:
        promised, word = one.number % 20 == 7, {CANCELLED: "Failed", REFUNDED: "Refunded"}.get(one.fate, "Paid")
        yield {
            "id": f"ch_{one.number}",
            "Created date (UTC)": at(one),
            "Amount": one.total,
            "Amount Refunded": 0 if promised else one.back,
            "Currency": "usd",
            "Captured": str(not promised and one.fate != CANCELLED).lower(),
            "Status": "Uncaptured" if promised else word,
            "Customer ID": f"cus_{one.customer[:6]}",
        }

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == pytest.approx(sum(one.worth for one in made if one.number % 20 != 7), abs=0.01)


def test_the_half_of_an_experiment_is_no_test_order(tmp_path: Path) -> None:
    manifest, made = read(tmp_path, lambda one: [{**plain(one), "is_test": one.number % 2}])
    assert manifest.net_revenue == lasting(made)


def test_a_stage_of_customers_who_were_won_back_is_none_of_deals(tmp_path: Path) -> None:
    manifest, made = read(
        tmp_path, lambda one: [{**plain(one), "stage": ("new", "repeat", "won back")[one.number % 3]}]
    )
    assert manifest.net_revenue == lasting(made)


def test_in_a_log_of_behaviour_paid_says_where_a_visit_came_from(tmp_path: Path) -> None:
    def rows(one: Order) -> Iterable[Row]:
        for kind in ("view", "purchase"):
            when = {"event_time": at(one), "event_type": kind, "amount": one.total}
            yield {"user_id": one.customer, "order_id": one.number, **when, "paid": ("true", "false")[one.number % 2]}

    manifest, made = read(tmp_path, rows)
    assert manifest.net_revenue == lasting(made) and manifest.rows_set_aside == 0


@pytest.mark.parametrize("word", ["Returned & refunded", "returned - restocked", "Refunded to card"])
def test_what_begins_with_its_return_is_one(word: str) -> None:
    assert meaning_of(word) == REFUNDED


@pytest.mark.parametrize("word", ["Refunded: no", "refunded 10%", "Returned item exchanged", "Refunded (partial)"])
def test_what_takes_that_back_or_is_of_a_part_is_none(word: str) -> None:
    assert meaning_of(word) != REFUNDED
