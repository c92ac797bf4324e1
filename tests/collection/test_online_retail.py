"""The shape of UCI Online Retail, as its spreadsheet is exported: understood without a hint, exact to the cent."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
GOODS = [
    ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", "2.55"), ("71053", "WHITE METAL LANTERN", "3.39"),
    ("84406B", "CREAM CUPID HEARTS COAT HANGER", "2.75"), ("22752", 'SET 7 BABUSHKA "NESTING" BOXES', "7.65"),
    ("21730", "GLASS STAR FROSTED, T-LIGHT HOLDER", "4.25"), ("22633", "HAND WARMER £1 SALE", "1.85"),
    ("47566", "PARTY BUNTING", "4.95"), ("20725", "LUNCH BAG RED RETROSPOT", "1.65"),
]  # fmt: skip


def lines(seed: int, *, customer: str = "{}", days: int = 374, rows: int = 6_000) -> list[list[str]]:
    """Return rows of the shape: returns under C-numbers, a quarter without id, repeated lines, postage, free gifts."""
    rng = random.Random(seed)
    start = datetime(2010, 12, 1, 8, 26)
    made: list[list[str]] = []
    invoice = 536_365
    while len(made) < rows:
        invoice += 1
        time = start + timedelta(minutes=rng.randrange(days * 24 * 60 // 10) * 10)
        stamp = f"{time.month}/{time.day}/{time.year} {time.hour}:{time.minute:02}"
        known = customer.format(rng.randint(12_346, 12_700)) if rng.random() > 0.25 else ""
        country = rng.choice(["United Kingdom"] * 8 + ["EIRE", "Germany"])
        back = rng.random() < 0.04
        for _ in range(rng.randint(1, 6)):
            code, words, price = rng.choice(GOODS)
            quantity = -rng.randint(1, 12) if back else rng.choice([1, 2, 6, 12, 24, 144])
            chance = rng.random()
            if chance < 0.01:
                code, words, price, quantity = "POST", "POSTAGE", "18.00", -1 if back else 1
            elif chance < 0.02:
                price = "0"
            made.append(
                [f"C{invoice}" if back else str(invoice), code, words, str(quantity), stamp, price, known, country]
            )
            if rng.random() < 0.01:
                made.append(made[-1])
    return made


def write(path: Path, rows: list[list[str]], encoding: str = "cp1252") -> Path:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, *rows])
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def own(rows: list[list[str]]) -> list[dict[str, str]]:
    """The rows that must be left: ids known, each exact repetition once."""
    return [dict(zip(HEADER, row, strict=True)) for row in dict.fromkeys(map(tuple, rows)) if row[6]]


def total(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) for row in rows), Decimal())


@pytest.mark.examples(2)
@pytest.mark.parametrize("customer", ["{}", "{}.0"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig"])
def test_it_is_understood_without_a_hint(workspace: Workspace, tmp_path: Path, customer: str, encoding: str) -> None:
    rows = lines(11, customer=customer)
    manifest = ingest(workspace, write(tmp_path / "Online Retail.csv", rows, encoding), "retail", duplicates="drop")
    left, known = own(rows), [row for row in rows if row[6]]
    assert manifest.mapping == {
        "customer_id": "CustomerID", "event_time": "InvoiceDate", "order_id": "InvoiceNo", "product_id": "StockCode",
        "quantity": "Quantity", "unit_price": "UnitPrice", "country": "Country",
    }  # fmt: skip
    assert (manifest.rows_read, manifest.rows_kept) == (len(rows), len(left))
    assert manifest.rows_set_aside == len(rows) - len(known) > 0.2 * len(rows)
    assert manifest.rows_duplicate == len(known) - len(left) > 20
    assert Decimal(str(manifest.net_revenue)) == total(left)
    returns = [row for row in left if row["InvoiceNo"].startswith("C")]
    assert manifest.event_types == {"purchase": len(left) - len(returns), "return": len(returns)} and returns
    assert manifest.customers == len({row["CustomerID"] for row in left})
    events = pd.read_parquet(open_dataset(workspace, "retail").events_path)
    assert set(events["customer_id"]) == {row["CustomerID"].removesuffix(".0") for row in left}
    spent = Counter[str]()
    for row in left:
        spent[row["CustomerID"].removesuffix(".0")] += int(Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) * 100)
    cents = (events["amount"] * 100).round().astype(int).groupby(events["customer_id"]).sum()
    assert cents.to_dict() == dict(spent)
    assert (events.loc[events["event_type"] == "return", "amount"] <= 0).all()
    words = set(events["Description"])
    assert words == {row["Description"] for row in left} and "HAND WARMER £1 SALE" in words
    first = min(datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M") for row in left)
    assert events["event_time"].min() == pd.Timestamp(first)
    codes = {item.code.removeprefix("warning.") for item in manifest.warnings}
    assert {"no_customer", "read_as_mdy", "returns_found", "duplicates_dropped"} <= codes
    assert ("float_ids" in codes) == (customer == "{}.0") and ("encoding" in codes) == (encoding == "cp1252")


def test_one_proof_anywhere_in_the_file_settles_the_order(workspace: Workspace, tmp_path: Path) -> None:
    """The only date past the twelfth is in the last row, far behind any sample."""
    early = [row for row in lines(5, rows=12_000) if int(row[4].split("/")[1]) <= 12]
    assert len(early) > 4_000
    proof = ["600000", "85123A", "LAST", "1", "12/31/2010 9:00", "1.00", "12346", "EIRE"]
    manifest = ingest(workspace, write(tmp_path / "year.csv", [*early, proof]), "retail", duplicates="drop")
    times = [datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M") for row in own([*early, proof])]
    assert (manifest.first_event, manifest.last_event) == tuple(f"{t.isoformat()}Z" for t in (min(times), max(times)))
    said = next(item for item in manifest.warnings if item.code == "warning.read_as_mdy")
    assert said.params["proof"] == 1
