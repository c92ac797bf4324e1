"""Who bought is the person who comes back: not an id of each order's own, and not the one id of all guests."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace


def read(folder: Path, lines: list[str], **options: object) -> tuple[Manifest, pd.DataFrame]:
    file, workspace = folder / "log.csv", Workspace(folder / "ws")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = ingest(workspace, file, "log", **options)  # type: ignore[arg-type]
    return manifest, pd.read_parquet(open_dataset(workspace, "log").events_path)


def said(manifest: Manifest, code: str) -> dict[str, object]:
    return next((dict(item["params"]) for item in manifest.warnings if item["code"] == f"warning.{code}"), {})


def orders(other: str, values: list[str]) -> list[str]:
    """Return a log in which each order has a customer id of its own, and ``other`` says who it truly was."""
    lines = [f"order_id,customer_id,{other},order_date,amount"]
    return lines + [f"o{at},k{at},{value},2024-03-{at % 28 + 1:02},{at + 5}" for at, value in enumerate(values)]


@pytest.mark.parametrize(("other", "value"), [("customer_unique_id", "u{}"), ("email", "a{}@example.com")])
def test_an_id_of_each_order_gives_way_to_the_person_who_comes_back(tmp_path: Path, other: str, value: str) -> None:
    manifest, events = read(tmp_path, orders(other, [value.format(at % 23) for at in range(60)]))
    assert manifest.mapping["customer_id"] == other and events["customer_id"].nunique() == 23
    assert said(manifest, "customer_comes_back") == {
        "column": "customer_id", "other": other, "ids": 60, "orders": 60, "people": 23,
    }  # fmt: skip
    again, _ = read(tmp_path, orders(other, ["x"] * 60), mapping={"customer_id": "customer_id"})
    assert again.mapping["customer_id"] == "customer_id" and again.customers == 60


def test_a_column_that_is_only_likely_to_be_the_person_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(NeedsAnswer, match='--map "customer_id=account"') as caught:
        read(tmp_path, orders("account", [f"a{at % 23}" for at in range(60)]))
    assert caught.value.code == "customer_once"


def test_guests_with_a_number_of_their_own_are_customers_and_give_way_to_a_surer_id(tmp_path: Path) -> None:
    lines = ["stay,Guest Id,date,amount", *(f"s{at},{at % 23},2024-03-{at % 28 + 1:02},{at + 5}" for at in range(60))]
    manifest, _ = read(tmp_path, lines)
    assert manifest.mapping["customer_id"] == "Guest Id" and manifest.customers == 23
    both = [f"{line},{'customer_id' if at == 0 else f'c{at % 17}'}" for at, line in enumerate(lines)]
    manifest, _ = read(tmp_path, both)
    assert manifest.mapping["customer_id"] == "customer_id" and manifest.customers == 17


def test_a_shop_where_people_come_back_keeps_its_ids(tmp_path: Path) -> None:
    lines = [line.replace(f",k{at},", f",k{at % 41},") for at, line in enumerate(orders("email", ["a@x.com"] * 60), -1)]
    manifest, _ = read(tmp_path, lines)
    assert manifest.mapping["customer_id"] == "customer_id" and manifest.customers == 41


def guests(word: str, emails: bool) -> list[str]:
    lines = ["order_id,customer_id,order_date,amount" + (",contact" if emails else "")]
    for at in range(60):
        guest, email = at % 3 == 0, f"Guest{at % 9}@Example.com" if at % 3 == 0 else f"c{at % 7}@example.com"
        line = f"o{at},{word if guest else 100 + at % 7},2024-03-{at % 28 + 1:02},{at + 5}"
        lines.append(f"{line},{email}" if emails else line)
    return lines


@pytest.mark.examples(2)
@pytest.mark.parametrize("word", ["0", "Guest", "游客"])
def test_guests_of_one_id_are_told_apart_by_their_addresses(tmp_path: Path, word: str) -> None:
    manifest, events = read(tmp_path, guests(word, True))
    kept = set(events["customer_id"])
    assert {f"guest{at}@example.com" for at in (0, 3, 6)} <= kept and word not in kept and len(kept) == 3 + 7
    assert said(manifest, "guests_by_email")["rows"] == 20 and manifest.rows_set_aside == 0


@pytest.mark.examples(2)
@pytest.mark.parametrize("word", ["anonymous", "Walk-in Customer", "CONSUMIDOR FINAL", "散客"])
def test_guests_without_an_address_are_set_aside(tmp_path: Path, word: str) -> None:
    manifest, events = read(tmp_path, guests(word, False))
    assert manifest.rows_set_aside == 20 and said(manifest, "guests_nameless")["rows"] == 20
    assert word not in set(events["customer_id"])


def test_a_customer_called_0_is_no_guest_where_nothing_says_so(tmp_path: Path) -> None:
    manifest, events = read(tmp_path, guests("0", False))
    assert manifest.rows_set_aside == 0 and "0" in set(events["customer_id"])
