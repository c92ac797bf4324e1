"""Files as they come from other countries, systems and hands: each is read right, asked about, or refused.

Every file is made from the same log, whose rows are known, so that what comes out is compared with what went in.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from foreign_log import log, table
from foreign_shapes import shaped
from foreign_spellings import encoded, moneyed, timed

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.rows.log_loader import load_log
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

FILES = {**encoded(), **moneyed(), **timed(), **shaped()}


@pytest.mark.examples(4)
@pytest.mark.parametrize("name", FILES)
def test_a_foreign_file_is_read_as_it_was_meant(name: str, tmp_path: Path) -> None:
    file, scratch = FILES[name], tmp_path / "scratch"
    (tmp_path / file.name).write_bytes(file.content)
    scratch.mkdir()
    found = load_log(tmp_path / file.name, file.answers, scratch, NoProgress())
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
