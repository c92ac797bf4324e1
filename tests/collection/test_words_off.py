"""A word that calls an order off is acted on or spoken of wherever it stands; so is a total among an order's lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.collection.stored.manifest import Manifest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)


def read(folder: Path, head: str, words: tuple[str, ...], **said: dict[str, str]) -> Manifest:
    lines = [head]
    for at in range(90):
        when = f"2024-{at % 9 + 1:02}-{at % 27 + 1:02} 10:00:00"
        lines.append(f"R{at:03},{when},b{at % 13}@x.com,{20 + at}.00,{words[at % len(words)]}")
    file = folder / "orders.csv"
    file.write_text("\n".join(lines) + "\n")
    return ingest(Workspace(folder / "ws"), file, "orders", **said)


def said_of(manifest: Manifest, code: str) -> dict[str, Any]:
    return next((one["params"] for one in manifest.warnings if one["code"] == code), {})


def test_bookings_that_a_guest_or_a_house_called_off_are_no_sales(tmp_path: Path) -> None:
    states = ("ok", "cancelled_by_guest", "ok", "no_show", "ok", "cancelled_by_hotel")
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, "Reservation,Booked on,Booker email,Total price,Status", states)
    assert asked.value.params["states"] == ["no_show (15)"]
    sold = sum(20 + at for at in range(90) if "cancelled" not in states[at % 6])
    assert asked.value.params["readings"][0]["net_revenue"] == sold


@pytest.mark.parametrize("column", ["Order Type", "Status"])
def test_refunded_among_words_that_nobody_knows_is_spoken_of_and_can_be_said(tmp_path: Path, column: str) -> None:
    head, states = f"Order #,Order Date,Email,Total Paid,{column}", ("Desk Payment 7", "Desk Payment 9", "Refunded")
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, head, states)
    assert (asked.value.params["column"], asked.value.params["states"]) == (column, list(states))
    (tmp_path / "again").mkdir()
    again = read(tmp_path / "again", head, states, states={"Refunded": "refunded"})
    assert again.net_revenue == sum(20 + at for at in range(90) if at % 3 < 2)


def test_a_word_may_have_a_low_line_in_it() -> None:
    assert meaning_of("cancelled_by_guest") == "cancelled" and meaning_of("shipped_late") == "sold"


@pytest.mark.parametrize("own", [False, True])
def test_an_orders_total_among_its_lines_is_doubted(tmp_path: Path, own: bool) -> None:
    lines = ["Receipt Number,Order Date,Customer Code,Line,Total"]
    for at in range(60):
        prices = [3 + at % 7, 20 + at] if at % 3 else [20 + at]
        start = f"R{at},2024-{at % 9 + 1:02}-{at % 27 + 1:02} 10:00:00,C{at % 13}"
        lines += [f"{start},all,{sum(prices)}"] * own + [f"{start},L{n},{price}" for n, price in enumerate(prices)]
    file = tmp_path / "lines.csv"
    file.write_text("\n".join(lines) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "lines")
    doubts = {"warning.order_totals", "warning.orders_unlike"} & {one["code"] for one in manifest.warnings}
    assert bool(doubts) is own
