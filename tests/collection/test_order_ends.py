"""What ends an order or leaves it unpaid: times, flags, stages, steps of a payment; and doubts about a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import Manifest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at
from tests.collection.shop_exports import CANCELLED, REFUNDED, SHOP, Order, _write, orders
from tests.collection.small_logs import Warned, put, read_lines, warnings

pytestmark = pytest.mark.first(8)


Row = dict[str, Any]


def read(folder: Path, rows: Callable[[Order], Iterable[Row]], **said: Any) -> tuple[Manifest, list[Order]]:
    made, file = orders(), folder / "export.csv"
    cells = [row for one in made for row in rows(one)]
    _write(file, list(cells[0]), cells)
    return ingest(Workspace(folder / "ws"), file, "shop", **said), made


def plain(one: Order) -> Row:
    return {"id": one.number + 1, "user_id": one.customer, "created_at": at(one), "total": one.total}


def read_ended(folder: Path, more: Callable[[Order], Row], **said: Any) -> tuple[Manifest, list[Order]]:
    """Read the orders as a shop's own database keeps them."""
    return read(folder, lambda one: [{**plain(one), **more(one)}], **said)


def lasting(made: list[Order], *gone: str) -> float:
    return pytest.approx(sum(one.total for one in made if one.fate not in gone), abs=0.01)  # type: ignore[return-value]


@pytest.mark.examples(2)
@pytest.mark.parametrize("nothing", ["", "NULL", "0000-00-00 00:00:00"])
@pytest.mark.parametrize(
    "names", [("cancelled_at", "refunded_at"), ("Deleted At", "refund_time"), ("取消时间", "退款时间")]
)
def test_orders_with_a_time_of_their_end_are_no_sales(tmp_path: Path, names: tuple[str, str], nothing: str) -> None:
    def ends(one: Order) -> Row:
        fates = zip(names, (CANCELLED, REFUNDED), strict=True)
        return {name: at(one) if one.fate == fate else nothing for name, fate in fates}

    manifest, made = read_ended(tmp_path, ends)
    assert manifest.net_revenue == lasting(made, CANCELLED, REFUNDED)
    assert [item.code for item in manifest.warnings].count("warning.ended_by_time") == 2


def test_an_order_whose_time_of_payment_is_blank_was_never_paid(tmp_path: Path) -> None:
    manifest, made = read_ended(tmp_path, lambda one: {"paid_at": "" if one.fate == CANCELLED else at(one)})
    assert manifest.net_revenue == lasting(made, CANCELLED) and "unpaid_by_time" in warnings(manifest)


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["paid", "is_paid", "Captured", "payment_received", "是否付款"])
@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("1", "0"), ("t", "f"), ("是", "否")])
def test_who_did_not_pay_bought_nothing(tmp_path: Path, name: str, yes: str, no: str) -> None:
    manifest, made = read_ended(tmp_path, lambda one: {name: no if one.fate == CANCELLED else yes})
    assert manifest.net_revenue == lasting(made, CANCELLED)


def test_each_of_several_flags_counts(tmp_path: Path) -> None:
    def flags(one: Order) -> Row:
        ends = {"is_cancelled": int(one.fate == CANCELLED), "is_refunded": int(one.fate == REFUNDED)}
        return {"is_paid": int(one.number % 10 != 1), **ends, "is_test": int(one.number % 40 == 3)}

    manifest, made = read_ended(tmp_path, flags)
    kept = [one for one in made if one.number % 10 != 1 and one.number % 40 != 3]
    assert manifest.net_revenue == lasting(kept, CANCELLED, REFUNDED)


def warned_of(folder: Path, rows: Callable[[Order], Iterable[Row]]) -> Warned:
    return warnings(read(folder, rows)[0])


def bought(one: Order, amount: float) -> Row:
    return {"customer_id": one.customer, "order_date": at(one), "total_amount": round(amount, 2)}


def test_amounts_that_only_rise_are_running_totals(tmp_path: Path) -> None:
    def spent(until: Order) -> float:
        return sum(one.total for one in orders() if one.customer == until.customer and one.time <= until.time)

    found = warned_of(tmp_path, lambda one: [bought(one, spent(one))])["running_totals"]
    assert found["column"] == "total_amount" and found["customers"] == found["rising"] > 20


def test_what_flows_only_back_is_no_return_of_customers(tmp_path: Path) -> None:
    def rows(one: Order) -> Iterable[Row]:
        yield bought(one, one.total)
        if one.number % 12 == 0:
            yield {**bought(one, -50), "customer_id": f"supplier {one.number % 5}"}

    found = warned_of(tmp_path, rows)["returns_only"]
    assert (found["customers"], found["amount"]) == (5, 1000)
    assert found["share"] == pytest.approx(1000 / sum(one.total for one in orders()))


def test_one_id_that_buys_all_day_long_may_be_many_people(tmp_path: Path) -> None:
    def rows(one: Order) -> Iterable[Row]:
        yield bought(one, one.total)
        for hours in range(3):
            yield {**bought(one, 9.5), "customer_id": "KASSE 1", "order_date": f"{one.time + timedelta(hours=hours)}"}

    found = warned_of(tmp_path, rows)["many_in_one"]
    assert found["customer"] == "KASSE 1" and found["purchases"] > 700 and found["share"] > 0.7


def test_nothing_of_this_is_said_of_a_usual_shop(tmp_path: Path) -> None:
    found = warned_of(tmp_path, lambda one: [bought(one, one.total), *([bought(one, -one.back)] if one.back else [])])
    assert not {"running_totals", "returns_only", "many_in_one"} & set(found)


def deleted(one: Order) -> Row:
    return {"deleted_at": at(one) if one.fate == CANCELLED else ""}


def test_the_person_may_say_that_they_are_sales(tmp_path: Path) -> None:
    manifest, made = read_ended(tmp_path, deleted, mapping={"order_status": ""})
    assert manifest.net_revenue == lasting(made)


def test_a_state_outranks_the_time_of_a_cancellation_but_not_of_a_deletion(tmp_path: Path) -> None:
    def row(one: Order) -> Row:
        word = "cancelled" if one.fate == CANCELLED else "complete"
        gone = at(one) if one.fate == REFUNDED else ""
        return {"status": word, "cancelled_at": at(one) if one.number % 3 == 0 else "", "deleted_at": gone}

    manifest, made = read_ended(tmp_path, row)
    assert manifest.net_revenue == lasting(made, CANCELLED, REFUNDED)


def test_what_was_paid_back_outranks_the_time_when_it_was(tmp_path: Path) -> None:
    def row(one: Order) -> Row:
        return {"refund_amount": one.back or "", "refunded_at": at(one) if one.back else ""}

    manifest, made = read_ended(tmp_path, row)
    assert manifest.net_revenue == pytest.approx(sum(one.total - one.back for one in made), abs=0.01)


def test_a_time_that_most_rows_have_ends_none_of_them(tmp_path: Path) -> None:
    manifest, made = read_ended(tmp_path, lambda one: {"cancelled_at": at(one)})
    assert manifest.net_revenue == lasting(made)


def test_lines_of_an_order_that_was_paid_may_leave_the_time_blank(tmp_path: Path) -> None:
    lines = ["order_id,user_id,created_at,product_id,amount,paid_at"]
    for day in range(1, 29):
        for line in (1, 2):
            paid = f"2024-01-{day:02} 10:05:00" if line == 1 else ""
            lines.append(f"o{day},u{day % 5},2024-01-{day:02} 10:00:00,p{line},{day + line},{paid}")
    assert read_lines(tmp_path, lines)[0].net_revenue == sum(2 * day + 3 for day in range(1, 29))


def test_next_months_orders_end_alike(tmp_path: Path) -> None:
    manifest, _ = read_ended(tmp_path, deleted)
    rows = ["n1,user01@example.com,2025-01-03 10:00:00,20,", "n2,user02@example.com,2025-01-04,5,"]
    rows += ["n3,x,2025-01-05,7,2025-01-06"]
    later = put(tmp_path, ["id,user_id,created_at,total,deleted_at", *rows], "later.csv")
    whole = append(Workspace(tmp_path / "ws"), "shop", later)
    assert whole.net_revenue == pytest.approx(manifest.net_revenue + 25)


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["refund_of_items", "money_back", "returned_amount", "credited"])
@pytest.mark.parametrize("nothing", ["", "0.00"])
def test_a_refund_under_another_name_beside_its_time_is_counted_once_it_is_named(
    tmp_path: Path, column: str, nothing: str
) -> None:
    def row(one: Order) -> Row:
        return {column: one.back or nothing, "refunded_at": at(one) if one.back else ""}

    (tmp_path / "named").mkdir()
    manifest, made = read_ended(tmp_path / "named", row, mapping={"refund": column})
    assert manifest.net_revenue == pytest.approx(sum(one.total - one.back for one in made), abs=0.01)
    if column != "returned_amount":
        with pytest.raises(NeedsAnswer, match=f"refunded_at.*{column}"):
            read_ended(tmp_path, row)


def test_a_column_of_money_that_is_filled_elsewhere_says_nothing_of_refunds(tmp_path: Path) -> None:
    def row(one: Order) -> Row:
        return {"shipping_paid": 4.9 + one.number % 7, "refunded_at": at(one) if one.fate == REFUNDED else ""}

    manifest, made = read_ended(tmp_path, row)
    assert manifest.net_revenue == lasting(made, REFUNDED) and "refund" not in manifest.mapping


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
            time, (sender, receiver) = (
                one.time + timedelta(hours=hours),
                (one.customer, SHOP)[:: -1 if gross < 0 else 1],
            )
            mails = {"From Email Address": sender, "To Email Address": receiver}
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
        about = {"id": f"ch_{one.number}", "Created date (UTC)": at(one), "Customer ID": f"cus_{one.customer[:6]}"}
        money = {"Amount": one.total, "Amount Refunded": 0 if promised else one.back, "Currency": "usd"}
        captured = str(not promised and one.fate != CANCELLED).lower()
        yield {**about, **money, "Captured": captured, "Status": "Uncaptured" if promised else word}

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == pytest.approx(sum(one.worth for one in made if one.number % 20 != 7), abs=0.01)


def test_the_half_of_an_experiment_is_no_test_order(tmp_path: Path) -> None:
    manifest, made = read_ended(tmp_path, lambda one: {"is_test": one.number % 2})
    assert manifest.net_revenue == lasting(made)


def test_a_stage_of_customers_who_were_won_back_is_none_of_deals(tmp_path: Path) -> None:
    manifest, made = read_ended(tmp_path, lambda one: {"stage": ("new", "repeat", "won back")[one.number % 3]})
    assert manifest.net_revenue == lasting(made)


def test_beside_events_paid_may_be_of_the_visit_and_is_asked_about(tmp_path: Path) -> None:
    def rows(one: Order) -> Iterable[Row]:
        for kind in ("view", "purchase"):
            when = {"event_time": at(one), "event_type": kind, "amount": one.total}
            yield {"user_id": one.customer, "order_id": one.number, **when, "paid": ("true", "false")[one.number % 2]}

    with pytest.raises(NeedsAnswer, match="“paid” may show which orders are not sales"):
        read(tmp_path, rows)
    (tmp_path / "said").mkdir()
    manifest, made = read(tmp_path / "said", rows, mapping={"order_status": ""})
    assert manifest.net_revenue == lasting(made) and manifest.rows_set_aside == 0
