"""Tables with a JSON object in each cell of a column, as trackers export them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import Refused
from clv_core.workspace import Workspace

NAMES = ("$pageview", "add_to_cart", "purchase")
COLUMNS = ("uuid", "event", "properties", "timestamp", "distinct_id")


def rows(many: int = 90) -> list[dict[str, Any]]:
    """Events as PostHog exports them: what was paid stands among the properties of purchases."""
    found = []
    for at in range(many):
        told: dict[str, Any] = {"$browser": "Chrome", "$set": {"plan": "free"}, "tags": ["a", "b"], "$ip": None}
        if at % 3 == 2:
            told |= {"order_id": f"o{at}", "revenue": 10.25 + at, "currency": "EUR", 'say "hi"': "x, y"}
        when = f"2024-{1 + at // 28 % 12:02d}-{1 + at % 28:02d} 10:00:00.123000+00:00"
        cells = (f"id-{at}", NAMES[at % 3], json.dumps(told), when, f"u{at % 7}")
        found.append(dict(zip(COLUMNS, cells, strict=True)))
    return found


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(lines), path)
        return path
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, lines)))
        return path
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return path


def read(folder: Path, lines: list[dict[str, Any]], suffix: str = ".csv") -> tuple[Manifest, pd.DataFrame]:
    workspace = Workspace(folder / "workspace")
    facts = ingest(workspace, write(folder / f"events{suffix}", lines), "shop")
    return facts, pd.read_parquet(open_dataset(workspace, "shop").folder / "events.parquet")


@pytest.mark.examples(2)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_what_was_paid_is_read_from_the_properties_of_an_event(tmp_path: Path, suffix: str) -> None:
    facts, events = read(tmp_path, rows(), suffix)
    paid = [10.25 + at for at in range(90) if at % 3 == 2]
    bought = events[events["event_type"] == "purchase"]
    assert facts.currency == "EUR" and facts.rows_set_aside == 0
    assert sorted(bought["amount"]) == paid and set(bought["order_id"]) == {f"o{at}" for at in range(2, 90, 3)}
    assert events["event_type"].value_counts().to_dict() == {"view": 30, "cart": 30, "purchase": 30}


def test_each_value_is_a_column_and_the_objects_are_none(tmp_path: Path) -> None:
    _, events = read(tmp_path, rows())
    kept = {name for name in events.columns if name.startswith("properties")}
    told = {f"properties.{key}" for key in ("$browser", "$set.plan", "tags", "currency", 'say "hi"')}
    assert kept == told  # what is null everywhere is no column
    assert set(events["properties.tags"].map(json.loads).map(tuple)) == {("a", "b")}
    assert events['properties.say "hi"'].dropna().unique().tolist() == ["x, y"]


def test_a_purchase_whose_cell_is_cut_off_is_one_without_an_amount(tmp_path: Path) -> None:
    """It stands below the rows by which a column is judged."""
    lines = rows(3_000)
    lines[2999]["properties"] = lines[2999]["properties"][:40]
    facts, events = read(tmp_path, lines)
    assert [(one.code, one.params["rows"]) for one in facts.warnings] == [("warning.unpriced", 1)]
    assert len(events) == 3_000


def test_texts_that_only_begin_like_objects_stay_as_they_are(tmp_path: Path) -> None:
    lines = [row | {"properties": "{size: L, colour: red}"} for row in rows()]
    with pytest.raises(Refused, match="holds no amounts"):
        read(tmp_path, lines)


def test_of_more_values_than_a_file_may_have_columns_those_with_known_names_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv_core.collection.read.source.MAX_COLUMNS", 7)
    facts, events = read(tmp_path, rows())
    assert events["amount"].sum() == sum(10.25 + at for at in range(2, 90, 3))
    assert {"properties.tags", "properties.$browser"} - set(events.columns)


def test_the_names_that_trackers_give_to_purchases_and_carts_are_known(tmp_path: Path) -> None:
    names = ("ViewContent", "AddToShoppingCart", "PayOrder")
    lines = [row | {"event": names[NAMES.index(row["event"])]} for row in rows()]
    _, events = read(tmp_path, lines)
    assert events["event_type"].value_counts().to_dict() == {"view": 30, "cart": 30, "purchase": 30}
