"""Any table in: the accounting identity holds, no NaN or infinity leaves, no exception outside the error tree."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clv_core.collection.mapping.answers import Answers
from clv_core.collection.readings.reading import Reading, read_log
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress

pytestmark = pytest.mark.first(1)

IDS = st.sampled_from(["", "a", "b", "007", "NULL", "é", "x y", '"q"', "\u200b", "1e5", "U1"])
TIMES = st.one_of(
    st.datetimes().map(lambda t: t.isoformat(" ", "seconds")),
    st.dates().map(lambda d: f"{d.day}.{d.month}.{d.year}"),
    st.sampled_from(
        ["2024-01-31", "2024-02-30", "31/01/2024", "1704067200", "soon", "", "45292", "2024-01-01T00:00:00+05:30"]
    ),
)
AMOUNTS = st.one_of(
    st.floats().map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(["", "1.234", "1,234", "1.234,56", "(3)", "$5", "abc", "1e308", "９", "-", "٣"]),
)
KINDS = st.sampled_from(["purchase", "view", "", "refund", "购买", "other", "Add to Cart"])
ROWS = st.lists(st.tuples(IDS, TIMES, KINDS, AMOUNTS, st.text(max_size=12)), max_size=30)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@contextmanager
def read(content: bytes, **answers: str) -> Iterator[Reading | None]:
    with tempfile.TemporaryDirectory() as folder:
        file, scratch = Path(folder) / "log.csv", Path(folder) / "scratch"
        file.write_bytes(content)
        scratch.mkdir()
        try:
            reading = read_log(file, Answers(**answers), scratch, NoProgress())
        except ClvError as error:
            assert error.message("en") and error.message("zh")
            yield None
            return
        yield reading


def hold(reading: Reading | None, rows: int | None = None) -> None:
    if reading is None:
        return
    sums = reading.figures
    assert reading.rows_read == sums.rows + reading.rows_set_aside + reading.rows_duplicate
    assert rows is None or reading.rows_read == rows
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW events AS SELECT * FROM '{reading.events}'")
        kept, odd, signs, blank = connection.execute(
            "SELECT count(*), count(*) FILTER (NOT isfinite(amount)),"
            " count(*) FILTER ((event_type = 'purchase' AND amount < 0) OR (event_type = 'return' AND amount > 0)),"
            " count(*) FILTER (customer_id IS NULL OR event_time IS NULL OR event_type IS NULL"
            " OR (event_type IN ('purchase', 'return') AND amount IS NULL)) FROM events"
        ).fetchone() or (0, 0, 0, 0)
        aside = connection.execute(f"SELECT count(*) FROM '{reading.set_aside}'").fetchone()
    assert (kept, odd, signs, blank) == (sums.rows, 0, 0, 0)
    assert aside == (reading.rows_set_aside,)
    assert sum(problem.rows for problem in reading.problems) == reading.rows_set_aside
    assert all(message.text("en") and message.text("zh") for message in reading.warnings)


@pytest.mark.slow
@given(rows=ROWS, delimiter=st.sampled_from(",;\t|"), order=st.sampled_from(["dmy", "mdy"]))
@SLOW
def test_every_row_of_a_table_is_accounted_for(rows: list[tuple[str, ...]], delimiter: str, order: str) -> None:
    # Line ends within a cell are left to the next test: a reader may count such a row as several lines.
    table = [tuple(cell.translate({c: " " for c in (0, 10, 13)}) for cell in row) for row in rows]
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["customer_id", "event_time", "event_type", "amount", "note"])
        writer.writerows(table)
        file.seek(0)
        content = file.read().encode("utf-8", "replace")
    with read(content, date_order=order) as reading:
        hold(reading, len(rows))


@given(tail=st.binary(max_size=300), encoding=st.sampled_from(["utf-8", "gb18030", "cp1252"]))
@SLOW
def test_any_bytes_end_in_a_dataset_or_in_a_sentence(tail: bytes, encoding: str) -> None:
    head = "customer_id,event_time,amount\na,2024-01-01,5\nb,2024-01-02,6\n".encode(encoding)
    with read(head + tail) as reading:
        hold(reading)
    with read(tail) as reading:
        hold(reading)
