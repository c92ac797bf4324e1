"""Statements with one amount and a column that says on which side of the account it stands."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

PLAIN = {"dutch": ("Af Bij", "Af", "Bij"), "chinese": ("收/支", "支出", "收入"), "english": ("In/Out", "out", "in")}
BOOKED = {
    "short": ("DrCr", "DR", "CR"),
    "words": ("Debit/Credit", "Debit", "Credit"),
    "german": ("Soll/Haben-Kennzeichen", "S", "H"),
    "chinese": ("借贷方向", "借", "贷"),
    "russian": ("Дебет/Кредит", "Дебет", "Кредит"),
}
"""Name of the column, and its words for what went out and what came in."""


def statement(file: Path, name: str, out: str, into: str, *, first: int = 0, other: str = "") -> Decimal:
    lines, net = [f"customer_id,date,amount,{name}"], Decimal(0)
    for at in range(first, first + 80):
        paid = Decimal(at * 17 % 60 + 3) + Decimal("0.25")
        word = out if at % 9 == 4 else other if other and at % 10 == 7 else into
        lines.append(f"c{at % 15},2024-{at // 27 % 12 + 1:02}-{at % 27 + 1:02},{paid},{word}")
        net += {out: -paid, into: paid}.get(word, 0)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return net


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("other", ["", "/"])
def test_what_went_out_is_taken_off(tmp_path: Path, names: tuple[str, str, str], other: str) -> None:
    net = statement(tmp_path / "bank.csv", *names, other=other)
    manifest = ingest(Workspace(tmp_path / "ws"), tmp_path / "bank.csv", "bank")
    assert manifest.net_revenue == float(net)
    assert "warning.side_marks" in {one["code"] for one in manifest.warnings}


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", BOOKED.values(), ids=BOOKED)
def test_which_side_is_that_of_sales_is_asked(tmp_path: Path, names: tuple[str, str, str]) -> None:
    net = statement(tmp_path / "bank.csv", *names)
    more = statement(tmp_path / "next.csv", *names, first=80)
    workspace, (_, out, into) = Workspace(tmp_path / "ws"), names
    with pytest.raises(NeedsAnswer) as asked:
        ingest(workspace, tmp_path / "bank.csv", "bank")
    assert asked.value.code == "which_mark" and f"--event {into}=purchase" in asked.value.message()
    manifest = ingest(workspace, tmp_path / "bank.csv", "bank", events={into: "purchase", out: "return"})
    assert manifest.net_revenue == float(net)
    assert append(workspace, "bank", tmp_path / "next.csv").net_revenue == float(net + more)


@pytest.mark.parametrize("name", ["card type", "class"])
def test_the_same_words_of_another_column_are_none(tmp_path: Path, name: str) -> None:
    statement(tmp_path / "log.csv", name, "Debit", "Credit")
    manifest = ingest(Workspace(tmp_path / "ws"), tmp_path / "log.csv", "log")
    amounts = [Decimal(at * 17 % 60 + 3) + Decimal("0.25") for at in range(80)]
    assert manifest.net_revenue == float(sum(amounts))


def test_amounts_with_signs_say_it_themselves(tmp_path: Path) -> None:
    lines = ["customer_id,date,amount,Dr/Cr"]
    lines += [
        f"c{at % 9},2024-03-{at % 27 + 1:02},{'-5' if at % 8 == 0 else at + 1},{'DR' if at % 8 == 0 else 'CR'}"
        for at in range(60)
    ]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), tmp_path / "log.csv", "log")
    assert manifest.net_revenue == sum(-5 if at % 8 == 0 else at + 1 for at in range(60))


@pytest.mark.examples(2)
@pytest.mark.parametrize(("name", "out", "into"), [("sign", "-", "+"), ("direction", "-1", "1"), ("方向", "-", "+")])
def test_a_sign_may_have_a_column_of_its_own(tmp_path: Path, name: str, out: str, into: str) -> None:
    net = statement(tmp_path / "bank.csv", name, out, into)
    assert ingest(Workspace(tmp_path / "ws"), tmp_path / "bank.csv", "bank").net_revenue == float(net)


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["Type", "Transaction Type", "Kind"])
@pytest.mark.parametrize(("out", "into"), [("Debit", "Credit"), ("DR", "CR"), ("Débit", "Crédit")])
def test_a_column_of_kinds_that_holds_nothing_but_both_sides_is_asked_about(
    tmp_path: Path, name: str, out: str, into: str
) -> None:
    """A wallet's statement: a credit is what came in, and not what was given back as in a list of sales."""
    lines, net = [f"Date,Customer ID,{name},Amount,Balance"], 0
    for at in range(60):
        back = at % 7 == 3
        net += -5 if back else at + 10
        lines.append(f"2024-{at % 9 + 1:02}-11,c{at % 9},{out if back else into},{5 if back else at + 10},{net}")
    file = tmp_path / "wallet.csv"
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(NeedsAnswer, match=name) as caught:
        ingest(Workspace(tmp_path / "ws"), file, "wallet")
    assert caught.value.code == "which_mark"
    manifest = ingest(Workspace(tmp_path / "ws"), file, "wallet", events={into: "purchase", out: "return"})
    assert manifest.net_revenue == net
