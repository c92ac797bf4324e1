"""Rules by which a log is read say nothing of a plain one, run on every log that they are about, and lose no cell."""

from __future__ import annotations

import csv
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.engine import reading_file
from clv_core.collection.infer.column_evidence import EVIDENCE, Pair, Parted, Value
from clv_core.collection.infer.draft import COLUMN_RULES, MONEY_RULES, draft
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.counts import APPLY, PROBES, WARN, Probe, count_columns, decide
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.infer.profile import SAMPLE_ROWS
from clv_core.collection.read.derived_columns import RULES, Table
from clv_core.collection.read.dialect import detect
from clv_core.collection.read.layouts import STEPS
from clv_core.collection.read.source import open_source, sample
from clv_core.collection.rows import quality_checks
from clv_core.collection.rows.quality_checks import CHECKS, QualityCheck
from clv_core.columns import AMOUNT, BY_NAME, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, Kind
from clv_core.errors import Message, Refused
from clv_core.i18n import LANGUAGES, catalogue
from clv_core.jobs import NoProgress
from tests.collection.test_ledgers import report
from tests.collection.test_workbooks import report_by_customer

ROWS = 120
PLAIN: dict[str, Callable[[int], object]] = {
    CUSTOMER_ID: lambda at: f"K{at * 7 % 23:03}",
    EVENT_TIME: lambda at: f"2024-{at // 28 + 1:02}-{at % 28 + 1:02} 10:{at % 60:02}:00",
    EVENT_TYPE: lambda at: "purchase" if at % 3 else "view",
    "order_id": lambda at: 1000 + at,
    "product_id": lambda at: f"P{at % 5}",
    AMOUNT: lambda at: f"{at * 37 % 90 + 5.5:.2f}" if at % 3 else "",
    "quantity": lambda at: at % 3 + 1,
    "unit_price": lambda at: f"{at * 13 % 40 + 2.25:.2f}",
    "discount": lambda at: f"{at % 4 / 4:.2f}",
}
"""A log of which nothing has to be guessed."""


def rule_name(rule: Any) -> str:
    return str(getattr(rule, "name", getattr(rule, "code", getattr(rule, "__name__", rule))))


def put(folder: Path, columns: list[str]) -> Path:
    with (folder / "log.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *([PLAIN[name](at) for name in columns] for at in range(ROWS))])
    return folder / "log.csv"


@contextmanager
def opened(folder: Path, columns: list[str]) -> Iterator[LogTable]:
    """Open the plain log, or some columns of it, as the rules are handed it."""
    (folder / "scratch").mkdir()
    path, answers = put(folder, columns), Answers()
    with reading_file("log.csv", folder / "scratch", reads=path) as connection:
        source = open_source(connection, path, folder / "scratch", answers)
        yield LogTable(connection, source, sample(connection, source, SAMPLE_ROWS), answers)


FEWER = [list(PLAIN), [CUSTOMER_ID, EVENT_TIME, AMOUNT], [CUSTOMER_ID, EVENT_TIME, "quantity", "unit_price"]]


@pytest.mark.parametrize("columns", FEWER, ids=["all", "amount", "price"])
@pytest.mark.parametrize("rule", [*COLUMN_RULES, *MONEY_RULES], ids=rule_name)
def test_a_rule_about_columns_leaves_a_plain_log_alone(rule: Any, columns: list[str], tmp_path: Path) -> None:
    with opened(tmp_path, columns) as log:
        log, plan, _, notes = draft(log)
        chosen = dict(plan.column_of)
        assert set(chosen) == set(columns) and not notes
        found, said = rule(log, dict(chosen))
    assert (found, said) == (chosen, ())


@pytest.mark.parametrize("probe", PROBES, ids=rule_name)
def test_a_probe_runs_on_logs_with_its_columns_and_is_silent_about_a_plain_one(probe: Probe, tmp_path: Path) -> None:
    wanted = {CUSTOMER_ID, EVENT_TIME, AMOUNT, "order_id", probe.column, *probe.needs} - set(probe.unless)
    assert wanted <= set(PLAIN)
    with opened(tmp_path, [name for name in PLAIN if name in wanted]) as log:
        log, plan, *_ = draft(log)
        assert probe.applies(plan)
        counts = count_columns(log, plan, NoProgress())["probes"]
    assert counts[f"{probe.name}_among"] > 0, "some rows could show it"
    assert decide(plan, counts) == ({}, ())
    assert 0 <= probe.share < probe.at_most <= 1


@pytest.mark.parametrize("probe", PROBES, ids=rule_name)
def test_a_probe_that_holds_sets_a_field_or_has_its_sentence(probe: Probe) -> None:
    plan = ReadingPlan(tuple(PLAIN), {name: name for name in PLAIN})
    rows = round(1000 * (probe.share + probe.at_most) / 2)
    counts = {probe.name: rows, f"{probe.name}_among": 1000}
    if probe.decision == APPLY:
        assert decide(plan, counts) == ({probe.name: True}, ())
        assert {item.name: item.type for item in fields(ReadingPlan)}[probe.name] == "bool"
        return
    if probe.decision == WARN:
        _, (message,) = decide(plan, counts)
    else:
        with pytest.raises(Refused) as caught:
            decide(plan, counts)
        message = Message(f"error.{caught.value.code}", {"file": "log.csv", **caught.value.params})
    said = [message.text(language) for language in LANGUAGES]
    assert len(set(said)) == len(LANGUAGES) and all(probe.column in text for text in said)


@pytest.mark.parametrize("code", EVIDENCE)
def test_evidence_is_silent_about_a_label_and_asks_in_every_language(code: str) -> None:
    values = [Value(word, 40, 800.0, 800.0, 0, orders=40) for word in ("Berlin", "Paris", "Rome")]
    few = [Pair(one.word, other.word, 4, 1, 1, 4, 0, 0) for one in values for other in values if one is not other]
    assert EVIDENCE[code](Parted("city", values, few, ("Berlin", "Paris", "Rome"), has_products=True)) == []
    params = {"column": "kind", "values": ["b"], "first": "b"}
    for key in (f"warning.rows_{code}", f"error.rows_{code}"):
        said = [Message(key, params).text(language) for language in LANGUAGES]
        assert len(set(said)) == len(LANGUAGES) and all("kind" in text and "b" in text for text in said)
    assert len({catalogue(language)[f"ledger.{code}"] for language in LANGUAGES}) == len(LANGUAGES)


EVERY_CHECK = [
    *CHECKS,
    *quality_checks.AMOUNT_CHECKS,
    *(one for one in vars(quality_checks).values() if isinstance(one, QualityCheck)),
]


@pytest.mark.parametrize("check", EVERY_CHECK, ids=rule_name)
@pytest.mark.parametrize("rows", [0, ROWS], ids=["empty", "plain"])
def test_a_check_is_silent_about_a_plain_log_and_gives_what_its_sentence_names(
    check: QualityCheck, rows: int, tmp_path: Path
) -> None:
    kinds = {Kind.TEXT: "str", Kind.NUMBER: "float64", Kind.TIME: "datetime64[us]"}
    events = pd.DataFrame({name: [of(at) for at in range(rows)] for name, of in PLAIN.items()})
    for name in PLAIN:
        kind = BY_NAME[name].kind
        cells = events[name].replace("", None) if kind is Kind.NUMBER else events[name]
        events[name] = cells.astype(kinds[kind])
    events.to_parquet(tmp_path / "events.parquet")
    quoted = f"'{tmp_path / 'events.parquet'}'"
    found = duckdb.connect().execute(check.query.format(file=quoted, quantity="quantity"))
    given = {item[0] for item in found.description or ()} | ({"column"} if check.column else set())
    assert found.fetchall() == [] and (not check.column or check.column in BY_NAME)
    for language in LANGUAGES:
        named = {name for _, name, *_ in string.Formatter().parse(catalogue(language)[f"warning.{check.code}"]) if name}
        assert named - {"in_currency"} <= given


SIDES = ["day,Debit,Credit", "2024-01-02,12.50,", "2024-01-03,,99.00", "2024-01-04,,5.00", "2024-01-05,3.00,"]
RATES = ["customer_id,amount,currency,exchange rate", "a,10,EUR,1", "b,20,USD,2", "c,30,USD,", "d,x,EUR,1"]
DERIVED: dict[str, tuple[list[str], dict[str, list[str | None]]]] = {
    "_signed_sides": (
        SIDES,
        {
            "Debit - Credit": ["12.50", "-99.00", "-5.00", "3.00"],
            "Credit - Debit": ["-12.50", "99.00", "5.00", "-3.00"],
        },
    ),
    "_prices_of_one": (
        ["customer_id,Preis,Preiseinheit", "a,1250.00,100", "b,8.40,1", "c,,10"],
        {"Preis / Preiseinheit": ["12.5", "8.4", None]},
    ),
    "_sums_of_lists": (
        [
            "customer_id,lines",
            """a,'[{"quantity": 2, "price": "1.25"}, {"quantity": 1, "price": "3"}]'""",
            "b,none",
            "c,",
        ],
        {"lines: quantity x price": ["5.5", None, None]},
    ),
    "_converted_amounts": (
        RATES,
        {
            "amount * exchange rate": ["10.0", "40.0", None, None],
            "amount / exchange rate": ["10.0", "10.0", None, None],
        },
    ),
}
"""Function -> lines of a file that it is about, and the columns that it makes of them."""


@pytest.mark.parametrize("rule", RULES, ids=rule_name)
def test_a_derived_column_is_a_text_for_each_row_and_none_is_made_of_plain_columns(rule: Any, tmp_path: Path) -> None:
    connection = duckdb.connect()
    lines, wanted = DERIVED[rule.__name__]
    (tmp_path / "file.csv").write_text("\n".join(lines) + "\n")
    for path, columns in ((tmp_path / "file.csv", wanted), (put(tmp_path, list(PLAIN)), {})):
        relation = f"read_csv('{path}', all_varchar = true)"
        names = tuple(item[0] for item in connection.execute(f"FROM {relation}").description or ())
        made = dict(rule(Table(connection, relation, names)))
        assert not set(made) & set(names)
        query = "SELECT ({})::{} FROM {}"
        found = {
            name: connection.execute(query.format(sql, "VARCHAR", relation)).fetchall() for name, sql in made.items()
        }
        assert {name: [cell for (cell,) in cells] for name, cells in found.items()} == columns
        for sql in made.values():
            assert connection.execute(f"SELECT DISTINCT typeof({sql}) FROM {relation}").fetchall() == [("VARCHAR",)]


def _split(path: Path) -> None:
    rows = (f"K{at % 9},2024-0{at % 9 + 1}-{at % 27 + 1:02},{at + 10},5" for at in range(60))
    path.write_text("\n".join(["customer_id,order_date,amount", *rows]) + "\n")


def _groups(path: Path) -> None:
    report(path)


def _blanks(path: Path) -> None:
    report_by_customer(path, "%Y-%m-%d")


LAID_OUT: dict[str, Callable[[Path], None]] = {
    "rejoin_cells": _split,
    "_name_groups": _groups,
    "_fill_down": _blanks,
}
"""Function -> what writes a file that it is about."""


def cells(path: Path, delimiter: str) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [[cell.strip() for cell in row if cell.strip()] for row in csv.reader(file, delimiter=delimiter)]
    return [row for row in rows if row]


@pytest.mark.parametrize("step", STEPS, ids=rule_name)
def test_a_layout_loses_no_cell_of_its_files_and_leaves_plain_ones_alone(step: Any, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    connection, path = duckdb.connect(), tmp_path / "file.csv"
    LAID_OUT[step.__name__](path)
    dialect = detect(path, "file.csv")
    made, spoken = step(connection, path, dialect, tmp_path / "scratch") or pytest.fail("it is not taken for one")
    assert made.parent == tmp_path / "scratch" and spoken.notes
    before, after = cells(path, dialect.delimiter), cells(made, spoken.delimiter)
    assert len(before) == len(after) > 30
    for old, new in zip(before[dialect.header_line :], after[spoken.header_line :], strict=True):
        assert [cell for cell in old if not any(cell in one for one in new)] == []
    plain = put(tmp_path, list(PLAIN))
    assert step(connection, plain, detect(plain, "log.csv"), tmp_path / "scratch") is None
    assert PURCHASE in plain.read_text()
