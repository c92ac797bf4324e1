"""Small lists of customers, and the files that are made of them."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Exported, Side, export

RULE = json.loads((Path(__file__).parent / "data" / "export_payloads.json").read_text("utf-8"))
PAYLOADS: list[str] = RULE["payloads"]
TRIGGERS: tuple[str, ...] = tuple(RULE["trigger_chars"])
SIDE = Side("shop", "a" * 12, "shop-hybrid-1", "1998-07-01", 182, "EUR", "tier=1", "quantile:10,30,60")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def few(**columns: list[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of a few customers, and their contacts: everybody agreed where nothing else is said."""
    people = pd.DataFrame(columns)
    people = people.assign(customer_id=[f"c{row}" for row in range(len(people))])
    people = people if "consent" in people else people.assign(consent="yes")
    return people[["customer_id"]].assign(predicted_clv=[9.0 - row for row in range(len(people))]), people


def made(scored: pd.DataFrame, people: pd.DataFrame, format: str, folder: Path, **options: Any) -> Exported:
    return export(scored, format, folder / "list.csv", side=SIDE, contacts=Contacts(people, **options))


def ids(made: Exported) -> set[str]:
    """Return who is in the list."""
    return {row["customer_id"] for row in read(made.files[0])}


def unescape(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return the originals of cells that were made inert: without the first apostrophe of those that begin with one."""
    return cells.map(lambda cell: cell[1:] if isinstance(cell, str) and cell.startswith("'") else cell)
