"""Any table in, through the real path: mapping, typing and accounting hold whatever the cells are."""

from __future__ import annotations

import csv
import io
import math
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clv_core.collection.answers import Answers
from clv_core.collection.infer.columns.column_choice import choose
from clv_core.collection.infer.columns.propose import propose
from clv_core.collection.parse.id_texts import folded
from clv_core.collection.rows.log_loader import LoadedFile, load_log
from clv_core.collection.vocabulary.column_names import MISSING, SURE_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, BY_NAME, CUSTOMER_ID, EVENT_TIME, QUANTITY
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def slow(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=CHECKS, derandomize=True)


SURE = {word: role for role in BY_NAME for word in load_vocabulary().entries("columns.sure", role)}

NAMES = st.one_of(
    st.sampled_from([*SURE, *load_vocabulary().index("columns.likely")]),
    st.sampled_from(
        ["", " ", "Customer ID", "InvoiceDate", "Unit Price", '"x"', "line", "reason", "a,b", "amount (2)"]
    ),
    st.text(max_size=8),
)
CELLS = st.one_of(
    st.text(max_size=10),
    st.floats().map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-(10**6), 10**6, places=2).map(lambda d: f"{d:,.2f}"),
    st.decimals(-(10**6), 10**6, places=2).map(lambda d: f"{d:,.2f} €".translate(str.maketrans(",.", ".,"))),
    st.datetimes().map(lambda t: t.isoformat(" ", "seconds")),
    st.dates().map(lambda d: f"{d.day}/{d.month}/{d.year}"),
    st.dates().map(lambda d: f"{d.month}/{d.day}/{d.year} 8:26"),
    st.sampled_from(
        ["", " ", "NULL", "nan", "inf", "-inf", "1e400", "\0", '"', '""', "购买", "退款", "view", "٣٫٥", "１２", "(5)"]
    ),
    st.sampled_from(
        ["a\nb", "a\r\nb", "\u200b", "\ufeff", "\u202e", "e\u0301", "1.234", "1,234", "C536", "=1+1", "5-", "1'000"]
    ),
)
ENCODINGS = st.sampled_from(
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "big5", "shift_jis", "cp1252", "cp1251"]
)


@contextmanager
def read(content: bytes, answers: Answers | None = None, name: str = "log.csv") -> Iterator[LoadedFile | None]:
    """Yield the reading of a file's bytes, or None where they were refused or asked about in a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        file, scratch = Path(folder) / name, Path(folder) / "scratch"
        file.write_bytes(content)
        scratch.mkdir()
        try:
            reading = load_log(file, answers or Answers(), scratch, NoProgress())
        except ClvError as error:
            assert error.message("en") and error.message("zh")
            yield None
            return
        yield reading


def hold(reading: LoadedFile) -> None:
    """Hold the accounting identity, and what no stored row may be."""
    sums, columns = reading.summary, reading.profile.plan.stored
    assert sum(problem.rows for problem in reading.problems) == reading.rows_rejected
    assert reading.rows_read == sums.rows + reading.rows_rejected + reading.rows_duplicate
    assert math.isfinite(sums.net_revenue)
    with duckdb.connect() as connection:
        stored = connection.execute(f"SELECT * FROM '{reading.events}'").fetchall()
        described = connection.execute(f"DESCRIBE SELECT * FROM '{reading.events}'").fetchall()
        aside = connection.execute(f"SELECT reason, line FROM '{reading.rejected}'").fetchall()
        wrong = connection.execute(
            f"SELECT count(*) FROM '{reading.events}' WHERE customer_id IS NULL OR event_time IS NULL"
            " OR event_type IS NULL OR (event_type IN ('purchase', 'return') AND amount IS NULL)"
            " OR (event_type = 'purchase' AND amount < 0) OR (event_type = 'return' AND amount > 0)"
        ).fetchone()
    assert wrong == (0,)
    assert [row[0] for row in described] == columns
    kinds = {name: BY_NAME[name].kind.value for name in columns if name in BY_NAME}
    wanted = {"text": "VARCHAR", "number": "DOUBLE", "time": "TIMESTAMP"}
    types = {key: wanted[kind] for key, kind in kinds.items()}
    assert {row[0]: row[1] for row in described if row[0] in kinds} == types
    assert len(stored) == sums.rows and len(aside) == reading.rows_rejected
    assert all(math.isfinite(value) for row in stored for value in row if isinstance(value, float))
    position = columns.index(CUSTOMER_ID)
    ids = [row[position] for row in stored]
    assert all(item and item == item.strip(" \t\u00a0\u3000") and item.lower() not in MISSING for item in ids)
    assert len(set(ids)) == sums.customers and all(
        isinstance(row[columns.index(EVENT_TIME)], datetime) for row in stored
    )
    assert all(reason for reason, _ in aside) and all(line is None or line >= 1 for _, line in aside)
    assert all(message.text("en") and message.text("zh") for message in reading.warnings)


@given(tail=st.binary(max_size=300), encoding=st.sampled_from(["utf-8", "gb18030", "cp1252"]))
@slow(60)
def test_any_bytes_end_in_a_dataset_or_in_a_sentence(tail: bytes, encoding: str) -> None:
    head = "customer_id,event_time,amount\na,2024-01-01,5\nb,2024-01-02,6\n".encode(encoding)
    for content in (head + tail, tail):
        with read(content) as reading:
            if reading is not None:
                hold(reading)


GOODS = [
    {CUSTOMER_ID: "u1", EVENT_TIME: "2024-01-01 10:00:00", AMOUNT: "5.00"},
    {CUSTOMER_ID: "u2", EVENT_TIME: "2024-01-02 11:00:00", AMOUNT: "7.50"},
]


def named(canonical: str) -> st.SearchStrategy[str]:
    return st.sampled_from([word for word, role in SURE.items() if role == canonical])


HEADS = st.one_of(
    st.lists(NAMES, min_size=2, max_size=6),
    st.tuples(named(CUSTOMER_ID), named(EVENT_TIME), named(AMOUNT), NAMES, NAMES).flatmap(
        lambda names: st.permutations(list(names))
    ),
)


@pytest.mark.slow
@given(
    header=HEADS,
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.sampled_from(["minimal", "all", "none"]),
    encoding=ENCODINGS,
    order=st.sampled_from([None, "dmy", "mdy"]),
)
@slow(90)
def test_any_table_ends_in_whole_accounts_or_in_a_sentence(
    header: list[str], rows: list[list[str]], delimiter: str, end: str, quoted: str, encoding: str, order: str | None
) -> None:
    """Two good rows, where the header has a place for them, keep the file usable."""
    good = [[goods.get(SURE_NAMES.get(fold(name), ""), "x") for name in header] for goods in GOODS]
    content = written([header, *rows, *good], delimiter, end, quoted).encode(encoding, "replace")
    with read(content, Answers(date_order=order)) as reading:
        if reading is not None:
            hold(reading)


@pytest.mark.slow
@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=12),
    ragged=st.lists(CELLS, max_size=6),
    place=st.integers(0, 12),
    quoted=st.sampled_from(["all", "none"]),
    known=st.booleans(),
)
@slow(36)
def test_a_log_with_wild_cells_is_accounted_for(
    rows: list[list[str]], ragged: list[str], place: int, quoted: str, known: bool
) -> None:
    """Two good rows keep the file usable, so that what becomes of the others is seen."""
    good = [["u1", "2024-01-01 10:00:00", "purchase", "5.00"], ["u2", "2024-01-02 10:00:00", "purchase", "7.50"]]
    head = ["用户ID", "下单时间", "行为类型", "金额"]
    table = [head, *rows[:place], *([ragged] if ragged else []), *rows[place:], *good]
    answers = Answers(date_order="dmy", decimal="point") if known else Answers()
    with read(written(table, ",", "\n", quoted).encode("utf-8", "replace"), answers) as reading:
        if reading is not None:
            hold(reading)


def written(table: list[list[str]], delimiter: str, end: str, quoted: str) -> str:
    """Return a table as text: well quoted, or with its cells just put beside one another."""
    if quoted == "none":
        return end.join(delimiter.join(row) for row in table) + end
    out = io.StringIO(newline="")
    style = csv.QUOTE_ALL if quoted == "all" else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=style).writerows(table)
    return out.getvalue()


IDS = st.one_of(
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp")), min_size=1, max_size=12),
    st.integers(0, 10**19).map(lambda number: f"{number:019}"),
    st.sampled_from(
        ["0012", "1e5", "17850.0", "TRUE", "a,b", 'say "hi"', "it's", "O'Neil; Ann", "用户 1", "=A1", "-5"]
    ),
)
FORMS = {
    "plain": lambda value: f"{value:.2f}",
    "english": lambda value: f"{value:,.2f}",
    "german": lambda value: f"{value:,.2f}".translate(str.maketrans(",.", ".,")),
    "swiss": lambda value: f"{value:,.2f}".replace(",", "’"),
    "french": lambda value: f"{value:,.2f} €".replace(",", "\u202f").replace(".", ","),
    "books": lambda value: f"({-value:,.2f})" if value < 0 else f"${value:,.2f}",
    "trailing": lambda value: f"{-value:,.2f}-" if value < 0 else f"{value:,.2f}",
    "chinese": lambda value: f"￥{value:.2f}" if value >= 0 else f"-￥{-value:.2f}",
    "wide": lambda value: f"{value:.2f}".translate(str.maketrans("0123456789.-", "０１２３４５６７８９．－")),
}
MONEY = st.decimals(Decimal("-99999.99"), Decimal("9999999.99"), places=2)
HEADERS = [
    ["customer_id", "event_time", "amount"], ["CustomerID", "InvoiceDate", "Total Amount"],
    ["会员编号", "下单时间", "实付金额"],
    ["Household Key", "Transaction Timestamp", "sales value"], ["买家ID", "付款时间", "销售额"],
]  # fmt: skip


@pytest.mark.slow
@given(
    ids=st.lists(IDS, min_size=2, max_size=8),
    values=st.lists(MONEY, min_size=8, max_size=8),
    form=st.sampled_from(sorted(FORMS)),
    header=st.sampled_from(HEADERS),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
)
@slow(36)
def test_ids_come_out_as_they_went_in_and_sums_are_exact(
    ids: list[str], values: list[Decimal], form: str, header: list[str], delimiter: str, encoding: str
) -> None:
    """Clean cells in nine ways of writing money: held against Decimal. A purchase and two strangers keep it a log."""
    known = [("first", Decimal("10.50")), ("second", Decimal("1234567.25")), *zip(ids, values, strict=False)]
    table = [header]
    for i, (customer, value) in enumerate(known):
        table.append([customer, f"2024-03-{1 + i:02} 08:0{i % 10}:00", FORMS[form](value)])
    content = written(table, delimiter, "\n", "minimal").encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    with read(content, Answers(duplicates="keep", similar_ids="separate")) as reading:
        assert reading is not None
        hold(reading)
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT customer_id, amount FROM '{reading.events}'").fetchall()
    trimmed = [(customer.strip(" \t\u00a0\u3000"), value) for customer, value in known]
    kept = [(customer, value) for customer, value in trimmed if not nothing(customer)]
    assert Counter(folded(customer) for customer, _ in found) == Counter(folded(customer) for customer, _ in kept)
    assert reading.rows_rejected == len(trimmed) - len(kept)
    assert sorted(Decimal(str(amount)) for _, amount in found) == sorted(value for _, value in kept)
    assert Decimal(str(reading.summary.net_revenue)) == sum(value for _, value in kept)


def nothing(customer: str) -> bool:
    """Say whether an id stands for nobody: empty, a word for nothing, or characters that nobody sees."""
    return not folded(customer) or customer.lower() in MISSING or all(unicodedata.category(c) == "Cf" for c in customer)


@given(
    names=st.lists(NAMES, min_size=1, max_size=8, unique_by=str.lower),
    rows=st.lists(st.lists(CELLS, min_size=8, max_size=8), max_size=6),
)
@slow(150)
def test_a_mapping_names_each_column_at_most_once(names: list[str], rows: list[list[str]]) -> None:
    records = [dict(zip(names, row, strict=False)) for row in rows]
    proposals = propose(tuple(names), records, {})
    assert [item.column for item in proposals] == names
    assert all(0 <= item.confidence <= 1 and (item.canonical or item.confidence == 0) for item in proposals)
    try:
        chosen, notes = choose(proposals, "log.csv")
    except ClvError as error:
        assert error.message("en") and error.message("zh")
        return
    assert {CUSTOMER_ID, EVENT_TIME} <= set(chosen) and set(chosen.values()) <= set(names)
    assert len(set(chosen.values())) == len(chosen)
    assert all(note.text("en") and note.text("zh") for note in notes)
    said = dict(chosen) if set(chosen) <= set(BY_NAME) else {CUSTOMER_ID: chosen[CUSTOMER_ID]}
    again = propose(tuple(names), records, said)
    assert {item.canonical: item.column for item in again if item.confidence == 1} == said


@given(values=st.lists(st.tuples(st.integers(-500, 500), st.decimals(0, 999, places=2)), min_size=3, max_size=20))
@slow(15)
def test_quantity_times_price_is_exact_to_the_cent(values: list[tuple[int, Decimal]]) -> None:
    pairs = enumerate(values)
    rows = [[f"c{i % 3}", f"2024-01-01 00:{i:02}:00", str(quantity), str(price)] for i, (quantity, price) in pairs]
    rows += [[who, "2024-01-02 10:00:00", "1", "1.00"] for who in "xy"]
    with read(written([["顾客ID", "订单时间", "数量", "单价"], *rows], ",", "\n", "minimal").encode()) as reading:
        assert (
            reading is not None and QUANTITY in reading.profile.plan.column_of and AMOUNT in reading.profile.plan.stored
        )
        hold(reading)
        expected = sum(int(quantity) * Decimal(price) for _, _, quantity, price in rows)
        assert Decimal(str(reading.summary.net_revenue)) == expected
        returned = sum(int(quantity) < 0 for _, _, quantity, _ in rows)
        assert reading.summary.returns == returned
