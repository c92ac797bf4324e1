"""Ids of any length: a searcher of its own looks through every cell of the workspace, after an erasure.

What the certificate does not name as unsure must be gone; what it names must be there, text by text.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core import cli, jobs
from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.id_matcher import IdMatcher
from clv_core.collection.store.version_store import open_dataset
from clv_core.erasure import erase as erasing
from clv_core.erasure.certificate import Certificate
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_erasure import erase_from, search
from clv_core.jobs import NoProgress
from clv_core.strategy.segments.saved_segments import load_rules, save_rules
from clv_core.strategy.segments.segment_rules import Rule, Rules
from clv_core.workspace import Workspace, write_json
from tests.strategy.searcher import found

pytestmark = pytest.mark.first(5)

LONG = "Zq3vT8mK1xLw9bNc4rHs7dYf"
GONE = ["7", "C4", "12345", LONG]
STAYING = [*(str(20 + 7 * place) for place in range(30)), *(f"D{place}" for place in range(5, 35)), "777", "123456"]
NO_CELLS = (".lock", ".key", ".safetensors")


def cells_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the column or key and the text of all cells of a file, decoded by its kind."""
    if path.suffix == ".parquet":
        for name, column in zip(pq.read_schema(path).names, pq.read_table(path).columns, strict=True):
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                yield from ((name, cell) for cell in column.to_pylist() if cell is not None)
    elif path.suffix in (".json", ".jsonl"):
        content = path.read_text(encoding="utf-8")
        texts = [content] if path.suffix == ".json" else [line for line in content.split("\n") if line]
        yield from (cell for text in texts for cell in in_json("", json.loads(text)))
    elif path.suffix in (".csv", ".gz"):
        opened = gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="", encoding="utf-8")
        with opened as file:
            rows = list(csv.reader(file, delimiter=";" if "semicolons" in path.name else ","))
        yield from (cell for row in rows[1:] for cell in zip(rows[0], row, strict=False))
    elif path.suffix == ".xlsx":
        for sheet in openpyxl.load_workbook(path).worksheets:
            yield from (
                ("", cell) for row in sheet.iter_rows(values_only=True) for cell in row if isinstance(cell, str)
            )
    elif path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                rows = connection.execute(f'SELECT * FROM "{table}"')
                names = [item[0] for item in rows.description]
                yield from (cell for row in rows for cell in zip(names, row, strict=True) if isinstance(cell[1], str))
    else:
        yield from (("", line) for line in path.read_text(encoding="utf-8").split("\n"))


def in_json(key: str, value: Any) -> Iterator[tuple[str, str]]:
    for inner, item in value.items() if isinstance(value, dict) else ((key, item) for item in value):
        if isinstance(item, dict | list):
            yield from in_json(inner, item)
        elif isinstance(item, str):
            yield inner, item


def words_in(root: Path) -> Counter[tuple[str, str]]:
    """Return how many cells hold one of the short ids as a word, by file and column; certificates name nobody."""
    word = re.compile(rf"(?<![\w.@+-])(?:{'|'.join(GONE)})(?![\w@+-]|\.\w)")
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix not in NO_CELLS and path.parent.name != "erasures":
            for column, cell in cells_of(path):
                counts[str(path.relative_to(root)), column] += word.search(cell) is not None
    return +counts


def named(told: Certificate) -> Counter[tuple[str, str]]:
    return Counter({(one.file, one.column): one.cells for one in told.unsure})


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose files name the customers in all the ways that files have."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    everybody, rows = [*GONE, *STAYING], []
    for place, who in enumerate(everybody * 4):
        other = everybody[(place * 5 + 1) % len(everybody)]
        notes = [f"gift for {other}", f"{place % 9} stars", "as 12345 said", "of C4, again", "", f"via {LONG}"]
        rows.append(
            {
                "customer_id": who,
                "event_time": f"2024-{place % 12 + 1:02}-{place % 27 + 1:02} 12:07:45",
                "amount": "never" if place % 40 == 9 else f"{5 + place % 50}.50",
                "quantity": str(place % 9 + 1),
                "product_id": str(place % 9),
                "referred_by": GONE[place % 4] if place % 3 == 0 else other if place % 3 == 1 else "",
                "friends": json.dumps([other, GONE[place % 4]]) if place % 2 else "[]",
                "household": f"{other};{who}",
                "box": f"{place % 11}",
                "note": notes[place % 6],
            }
        )
    pd.DataFrame(rows).to_csv(tmp_path / "log.csv", index=False)
    people = {"customer_id": everybody, "sponsor": everybody[::-1], "shoe": [str(place % 9) for place in range(66)]}
    pd.DataFrame(people).to_csv(tmp_path / "people.csv", index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "shop", currency="EUR")
    told = ("customers", str(tmp_path / "people.csv"), "--dataset", "shop", "--workspace", str(workspace.root))
    assert cli.main([*told, "--static", "sponsor", "--static", "shoe", "--text", "shoe"]) == 0
    fill(workspace, pd.DataFrame({"customer_id": everybody, "sponsor": everybody[::-1], "orders": 7, "tier": "top"}))
    return workspace


def fill(workspace: Workspace, scores: pd.DataFrame) -> None:
    """Write what a workspace holds beside its datasets."""
    exports = workspace.exports
    scores.to_csv(exports / "commas.csv", index=False)
    scores.to_csv(exports / "semicolons.csv", index=False, sep=";")
    scores.to_csv(exports / "packed.csv.gz", index=False)
    scores.to_excel(exports / "book.xlsx", index=False)
    scores.to_json(exports / "lines.jsonl", orient="records", lines=True)
    scores.to_parquet(exports / "table.parquet")
    scores.iloc[20:].assign(sponsor="C4").to_json(exports / "sponsors.jsonl", orient="records", lines=True)
    write_json(exports / "ids.json", {"chosen": scores["customer_id"].tolist()})
    (exports / "ids.txt").write_text("".join(f"{one}\n" for one in scores["customer_id"]))
    (exports / "others.csv").write_text("customer_id,tier,said\n777,7,7 times\n123456,top,C4\n")
    batch = open_dataset(workspace, "shop").made_folder / "naive" / "scores-20250101.parquet"
    batch.parent.mkdir(parents=True)
    scores[["customer_id"]].assign(predicted_clv=7.0).to_parquet(batch)
    write_json(workspace.folder("plans") / "saved.json", {"rows": scores.to_dict("records"), "note": "for C4"})
    (workspace.folder("plans") / "semicolons.csv").write_text(
        "customer_id;text\r\n7;a\r\n777;" + "b\u2028c\r\nC4;d\u2028" + "e\r\n777;paid 7\r\n"
    )
    (workspace.folder("erasures") / "asked-1.txt").write_text("12345\nC4\n")
    with closing(sqlite3.connect(workspace.folder("plans") / "known.sqlite")) as connection:
        connection.execute("CREATE TABLE seen (customer TEXT, said TEXT)")
        connection.executemany("INSERT INTO seen VALUES (?, ?)", [("7", "x"), ("777", '{"of": "12345"}'), ("D5", "7")])
        connection.commit()
    job = {"command": "score", "args": ["score", "shop", "--top", "7"], "state": "done", "pid": 1, "label": "shop"}
    write_json(workspace.jobs / "2024-score" / "status.json", {**job, "started": 0, "id": "2024-score"})
    (workspace.jobs / "2024-score" / "log.txt").write_text("7 files\n12:07:45 done\n")
    for name, words in (("apart", ["--customer", "7"]), ("joined", ["--customer=7"]), ("other", ["--customer=777"])):
        about = {**job, "command": "explain", "args": ["explain", "shop", *words], "started": 0, "id": name}
        write_json(workspace.jobs / name / "status.json", about)
    shop = open_dataset(workspace, "shop")
    save_rules(shop, Rules("mine", (Rule("Friends", (), by_hand=("7", "777")),)))
    shutil.copytree(shop.folder, shop.folder.parent / ".0123456789ab.new.12345678.tmp")


def test_after_an_erasure_only_what_the_certificate_names_is_left(workspace: Workspace) -> None:
    before = words_in(workspace.root)
    assert {key[0].split("/")[0] for key in before} == {"datasets", "exports", "jobs", "plans"}
    told = erasing.erase(workspace, GONE, progress=NoProgress())
    assert told.remains == [] and sum(told.customers.values()) == 4
    assert found(workspace.root, [LONG]) == [] and not list((workspace.root.parent / "temporary").iterdir())
    left = words_in(workspace.root)
    assert left == named(told)

    events = f"datasets/shop/{open_dataset(workspace, 'shop').version}/events.parquet"
    columns = {column for file, column in left if file == events}
    assert columns == {"product_id", "box", "note"}  # where 7 may be something else
    kept = pd.read_parquet(open_dataset(workspace, "shop").events_path)
    assert set(kept["customer_id"]) == set(STAYING) and kept["quantity"].eq(7).any()
    assert kept["referred_by"].notna().any() and kept["box"].notna().all()
    assert not kept["note"].fillna("").str.contains("C4").any()
    assert [path.name for path in workspace.exports.iterdir()] == ["others.csv"]
    assert {key for key in left if key[0].startswith("exports")} == {
        ("exports/others.csv", "tier"),
        ("exports/others.csv", "said"),
    }
    assert load_rules(open_dataset(workspace, "shop"), "mine").rules[0].by_hand == ("777",)
    assert {job.id for job in jobs.jobs(workspace)} == {"2024-score", "other"} and told.removed["jobs"] == 2
    assert (workspace.root / "plans" / "semicolons.csv").read_bytes().decode() == (
        "customer_id;text\r\n777;b\u2028c\r\n777;paid 7\r\n"
    )


@pytest.mark.slow
def test_the_certificate_names_no_id_and_a_second_erasure_finds_the_same(workspace: Workspace) -> None:
    first = erasing.erase(workspace, GONE, progress=NoProgress())
    for language, word in (("en", "Possible mentions"), ("zh", "可能提及他们的内容")):
        text = (workspace.root / "erasures" / f"{first.id}.{language}.md").read_text(encoding="utf-8")
        assert word in text and all(one.file in text for one in first.unsure)
        assert "C4" not in text and "12345" not in text
    again = erasing.erase(workspace, GONE, progress=NoProgress())
    assert named(again) == named(first) == words_in(workspace.root) and not again.datasets


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("7", {"7"}),
        ('["7", "C4"]', {"7", "C4"}),
        ("12345;C4", {"12345", "C4"}),
        ("7.5 or 77", set()),
        ("12:07:45", set()),
        ("2024-12-07", set()),
        ("asked by C4.", {"C4"}),
        ("c4", set()),
        ("Ann Lee, 8", {"Ann Lee"}),
        ("A@b.c of D", {"a@b.c"}),
    ],
)
def test_a_short_word_is_found_where_it_stands_by_itself(text: str, short: set[str]) -> None:
    assert IdMatcher(["7", "C4", "12345", "Ann Lee", "a@b.c", "07"]).short_in(text) == short


@pytest.mark.parametrize(
    ("gone", "stays"), [("a\u2028b\u0085c", "d\u2028e"), ("x", "n" * 200_000)], ids=("line ends", "long cell")
)
def test_a_row_goes_whole_whatever_is_in_its_cells(tmp_path: Path, gone: str, stays: str) -> None:
    table = tmp_path / "list.csv"
    table.write_text(f"customer_id,note\n{LONG},{gone}\n7,{gone}\n777,{stays}\n", encoding="utf-8")
    assert erase_from(table, DataSubjects((LONG, "7"), frozenset({LONG, "7"}))) == 2
    assert table.read_text(encoding="utf-8") == f"customer_id,note\n777,{stays}\n"


def test_an_address_goes_from_a_list_without_ids_readable_or_hashed(tmp_path: Path) -> None:
    hashed, table = hashlib.sha256(b"ann@mail.example").hexdigest(), tmp_path / "list.csv"
    people = DataSubjects((LONG,), frozenset({LONG}), frozenset({"ann@mail.example", hashed}))
    rows = ["Ann,ann@mail.example", f"Ann,{hashed}", f"Dan,{'0' * 64}", "Joann,joann@mail.example"]
    table.write_text("\n".join(["name,email", *rows, ""]), encoding="utf-8")
    assert erase_from(table, people) == 2
    assert table.read_text(encoding="utf-8") == "\n".join(["name,email", *rows[2:], ""])


def test_packed_lists_are_looked_into(tmp_path: Path) -> None:
    people, packed = DataSubjects((LONG,), frozenset({LONG})), tmp_path / "list.csv.gz"
    for who, held in ((LONG, True), ("777", False)):
        packed.write_bytes(gzip.compress(f"customer_id,tier\n{who},top\n".encode()))
        assert search(packed, people).named == held
    for short in (people, DataSubjects(("7",), frozenset({"7"}))):
        packed.write_bytes(b"\x1f\x8bbroken")
        assert search(packed, short, any_column=True).named


def test_texts_in_archives_and_slides_are_counted(tmp_path: Path) -> None:
    people = DataSubjects(("C4",), frozenset({"C4"}))
    for name, member, text, column in (
        ("model.zip", "record.json", '{"note": "of C4", "rows": 4}', "note"),
        ("report.pptx", "ppt/slides/slide1.xml", '<a:r sz="C4"><a:t>best: C4</a:t></a:r>', ""),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, text)
        assert search(tmp_path / name, people).unsure == {column: (1, {"C4"})}
