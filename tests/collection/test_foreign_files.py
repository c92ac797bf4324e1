"""Files as they come from other countries, systems and hands: each is read right, asked about, or refused.

Every file is made from the same log, whose rows are known, so that what comes out is compared with what went in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from foreign_log import Foreign, log, table
from foreign_shapes import shaped
from foreign_spellings import encoded, moneyed, timed

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.rows.log_loader import LoadResult, load_log
from clv_core.errors import NeedsAnswer, Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(3)


@contextmanager
def reading(folder: Path, file: Foreign) -> Iterator[LoadResult]:
    path, scratch = folder / file.name, folder / "scratch"
    path.write_bytes(file.content)
    scratch.mkdir()
    yield load_log(path, file.answers, scratch, NoProgress())


FILES = {**encoded(), **moneyed(), **timed(), **shaped()}


@pytest.mark.examples(4)
@pytest.mark.parametrize("name", FILES)
def test_a_foreign_file_is_read_as_it_was_meant(name: str, tmp_path: Path) -> None:
    file = FILES[name]
    with reading(tmp_path, file) as found:
        columns = found.profile.plan.stored
        note = next((f'"{column}"' for column in columns if column.lower() in NOTES), "''")
        shown = ["customer_id", "event_time", "amount", "product_id" if "product_id" in columns else "''"]
        with duckdb.connect() as connection:
            cells = connection.execute(f"SELECT {', '.join(shown)}, {note} FROM '{found.events}'").fetchall()
    wanted = [(r.customer, r.time, r.amount, r.item, r.note) for r in file.rows]
    got = [(a, b, Decimal(str(c)).quantize(Decimal("0.01")), d.strip(), (e or "").strip()) for a, b, c, d, e in cells]
    assert sorted(got) == sorted(wanted)
    assert found.rows_rejected == file.aside and found.rows_duplicate == 0
    assert found.rows_read == len(file.rows) + file.aside
    codes = {message.code.removeprefix("warning.") for message in found.warnings}
    assert set(file.said) <= codes


NOTES = ("note", "review_text", "備註", "remark", "说明")


def test_there_are_enough_of_them() -> None:
    assert len(FILES) > 80


@pytest.mark.parametrize(
    ("name", "content", "code", "option"),
    [
        ("either order", lambda: table(log(rows=4), time="%d/%m/%Y"), "dates_ambiguous", {"date_order": "dmy"}),
        (
            "both orders",
            lambda: table(log(rows=30), time=lambda t: f"{t:%d/%m/%Y}" if t.day % 2 else f"{t:%m/%d/%Y}"),
            "dates_contradict",
            {"date_order": "dmy"},
        ),
    ],
)  # fmt: skip
def test_what_can_be_read_two_ways_is_asked_and_then_read(
    name: str, content: Callable[[], str], code: str, option: dict[str, Any], tmp_path: Path
) -> None:
    file = Foreign(content().encode(), [])
    with pytest.raises(NeedsAnswer) as caught, reading(tmp_path, file):
        pass
    assert caught.value.code == code
    (tmp_path / "again").mkdir()
    with reading(tmp_path / "again", replace(file, answers=Answers(**option))) as found:
        assert found.summary.rows + found.rows_rejected == found.rows_read


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("half.json", b'{"customer_id": "a", "event_time": "2024-01-01", "amount": 5', "broken_file"),
        ("report.csv", b"<?xml version='1.0'?><rows><row/></rows>", "xml_file"),
        ("words.csv", "Sehr geehrte Damen und Herren,\nanbei die Liste.\n".encode("cp1252"), "missing_columns"),
    ],
)
def test_what_is_no_log_is_refused_in_a_sentence(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    with pytest.raises((Refused, NeedsAnswer)) as caught, reading(tmp_path, Foreign(content, [], name)):
        pass
    assert caught.value.code == code and caught.value.message("zh") != caught.value.message("en")


def test_views_without_any_money_are_read_as_one_file_of_several(tmp_path: Path) -> None:
    """An amount is asked of a whole log, not of the file that holds its visits."""
    rows = log(rows=20)
    visits = [["visitorid", "timestamp", "event", "itemid"], *[[r.customer, f"{r.time}", "view", r.item] for r in rows]]
    text = "\n".join(",".join(row) for row in visits) + "\nK0001,2024-05-01,transaction,sku-1\n"
    (tmp_path / "visits.csv").write_text(text)
    (tmp_path / "orders.csv").write_text(table(rows))
    for folder in ("alone", "part"):
        (tmp_path / folder).mkdir()
    with pytest.raises(Refused) as caught:
        load_log(tmp_path / "visits.csv", Answers(), tmp_path / "alone", NoProgress())
    assert caught.value.code == "no_amount" and "itemid" in caught.value.message()
    found = load_log(tmp_path / "visits.csv", Answers(), tmp_path / "part", NoProgress(), part=True)
    assert found.summary.event_types == {"view": 20, "purchase_unpriced": 1} and found.rows_rejected == 0
    manifest = ingest(Workspace(tmp_path / "w"), [tmp_path / "orders.csv", tmp_path / "visits.csv"], "shop")
    assert manifest.event_types["view"] == 20 and manifest.rows_kept == 41
    assert Decimal(str(manifest.net_revenue)) == sum(row.amount for row in rows)
