"""The line number of a set-aside row is the one that an editor shows, whatever stands between the rows."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.read import encoding, source
from clv_core.collection.rows.log_loader import load_log
from clv_core.errors import Message, Refused
from clv_core.jobs import NoProgress
from tests.collection.small_logs import put

pytestmark = pytest.mark.first(3)

GOOD = {"good": ("{i}c,2024-01-01,{i}.25,x", None), "long": ('{i}c,2024-01-01,{i}.25,"two{end}{end} lines"', None)}
NONE = {"blank": ("", None), "spaces": ("  ", None)}
BAD = {
    "ragged": ("c{i},2024-01-01,5", "ragged"),
    "wide": ("c{i},2024-01-01,5,x,y,z", "ragged"),
    "nobody": (",2024-01-01,{i},x", "no_customer"),
    "free": ("c{i},2024-01-01,?,x", "bad_amount"),
    "long_free": ('"c{i}",2024-01-01,?,"one{end}two{end}{end}three"', "bad_amount"),
}
STRAY = {"open": ('c{i},2024-01-01,{i},"open', "open_quote"), "after": ("c{i},2024-01-01,{i},x", None)}


def read(path: Path, **answers: bool) -> tuple[dict[int, str], int, tuple[Message, ...]]:
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    reading = load_log(path, Answers(broken_rows="reject", **answers), scratch, NoProgress())
    assert reading.rows_read == reading.summary.rows + reading.rows_rejected + reading.rows_duplicate
    aside = pd.read_parquet(reading.rejected)
    return dict(zip(aside.line, aside.reason, strict=True)), reading.rows_read, reading.warnings


def build(
    kinds: dict[str, tuple[str, str | None]], weights: list[int], end: str, seed: int, rows: int
) -> tuple[str, dict[int, str], int]:
    """Return a file's text, line -> reason of what is to be set aside, and how many rows there are."""
    rng = random.Random(seed)
    lines, wanted, count = ["customer_id,event_time,amount,note"], {}, 0
    for i in range(rows):
        kind = rng.choices(list(kinds), weights)[0]
        text, reason = kinds[kind]
        if reason:
            wanted[len(lines) + 1] = reason
        count += bool(text.strip())
        lines += text.format(i=i, end="\n").split("\n")
        if kind == "open":
            lines.append(STRAY["after"][0].format(i=i))
            count += 1
    return end.join(lines) + end, wanted, count


@pytest.mark.examples(2)
@pytest.mark.parametrize("mark", [" ", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_only_some_take_for_a_line_end_costs_no_row(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "log.csv"
    rows = [f"c{i},2024-01-{i % 28 + 1:02},{10 + i}" for i in range(60)]
    path.write_text("\n".join([f"Report{mark}of shop", "customer_id,event_time,amount", *rows]), encoding="utf-8")
    aside, count, _ = read(path)
    assert (aside, count) == ({}, 60)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_end_that_falls_between_two_blocks_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    path, target = tmp_path / "log.csv", tmp_path / "log.txt"
    lines = ["customer_id,event_time,amount", *(f"c{i:03},2024-01-01,{i}" for i in range(100)), ""]
    path.write_bytes(end.join(lines).encode("utf-16"))
    for block in range(90, 120):
        monkeypatch.setattr(encoding, "BLOCK", block)
        encoding.rewrite(path, encoding.survey(path), target)
        assert target.read_bytes().decode() == "\n".join(lines)


@pytest.mark.examples(2)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "c9999,2024-01-01,?,x"])
def test_lines_hold_among_blank_lines_and_line_breaks_in_cells(tmp_path: Path, end: str, last: str) -> None:
    kinds = GOOD | NONE | BAD
    text, wanted, count = build(kinds, [8, 2, 2, 1, 1, 1, 1, 1, 1], end, 5, 1500)
    if last:
        wanted[text.count(end) + 1] = "bad_amount"
    file = tmp_path / "log.csv"
    file.write_bytes((text + last).encode())
    found, rows, _ = read(file)
    assert found == wanted and rows == count + bool(last)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_hold_where_quotes_are_left_open_too(tmp_path: Path, end: str) -> None:
    for seed in range(6):
        text, wanted, count = build(
            GOOD | NONE | BAD | {"open": STRAY["open"]}, [8, 1, 2, 1, 1, 1, 1, 1, 1, 1], end, seed, 300
        )
        file = tmp_path / f"log{seed}.csv"
        file.write_bytes(text.encode())
        found, rows, _ = read(file)
        assert rows == count and found == wanted


def test_lines_hold_after_a_title_and_before_the_first_row(tmp_path: Path) -> None:
    lines = ["Sales report 2024", "", "customer_id;event_time;amount;note", "", "", "a;2024-01-01;1;x", ""]
    lines += ["b;2024-01-01;?;x"]
    lines += ["", ";2024-01-02;2;x", "c;2024-01-02;3", "", "d;2024-01-03;4;x", ""]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(lines), encoding="utf-8-sig")
    assert read(file)[0] == {8: "bad_amount", 10: "no_customer", 11: "ragged"}


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_lines_hold_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    text, wanted, count = build(
        {"good": ("用户{i},2024-01-01,{i}.25,备注", None)} | NONE | BAD, [8, 2, 1, 1, 1, 1, 1, 1], "\r\n", 8, 300
    )
    file = tmp_path / "log.csv"
    file.write_bytes(text.encode(encoding))
    found, rows, _ = read(file)
    assert found == wanted and rows == count


def test_lines_hold_where_blanks_separate(tmp_path: Path) -> None:
    lines = ["customer_id   event_time   amount", "", "  a   20240101    1.50", "   ", " b   20240102    x", "", ""]
    lines += [" c  20240103   2.00", " d  soon   1.00"]
    file = put(tmp_path, lines, "log.txt")
    assert read(file)[0] == {5: "bad_amount", 9: "bad_time"}


@pytest.mark.examples(2)
@pytest.mark.parametrize("at", [2, 500, 3_000])
@pytest.mark.parametrize(
    ("bad", "reasons"),
    [
        ('c,"2024-01-01"x,5,1', ["open_quote"]),
        ('c,"two\nlines"x,5,1', ["open_quote", "ragged"]),
        ('c,"2024-01-01,5,1', ["open_quote"]),
        ('c,2024-01-01,5,"', ["open_quote"]),
        ("c,2024-01-01,5,x,y", ["ragged"]),
        ('5" pipe,2024-01-01,5,x', [""]),
    ],
)
def test_one_bad_row_takes_no_other_with_it(tmp_path: Path, at: int, bad: str, reasons: list[str]) -> None:
    """Once and twice: two open quotes close each other, and what lies between must not be swallowed."""
    lines = ["customer_id,event_time,amount,note"] + [f"c{i},2024-01-01,{i},x" for i in range(4_000)]
    wanted: dict[int, str] = {}
    for place in (at, at + 300):
        lines[place - 1 : place - 1] = bad.split("\n")
        wanted |= {place + offset: reason for offset, reason in enumerate(reasons) if reason}
        (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
        found, rows, _ = read(tmp_path / "log.csv")
        assert (found, rows) == (wanted, len(lines) - 1)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "IN_MEMORY", 0)  # as a large file, which is parsed for each question
    file = tmp_path / "log.csv"
    file.write_text("customer_id,event_time,amount\n" + "".join(f"c{i},2024-01-01,{i}\n" for i in range(100)))

    class Writer:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stage == "columns" and done == total == 100:
                with file.open("a") as more:
                    more.write("late,2024-01-02,5\n")

    (tmp_path / "scratch").mkdir()
    with pytest.raises(Refused) as caught:
        load_log(file, Answers(), tmp_path / "scratch", Writer())
    assert caught.value.code == "rows_do_not_add_up"
    assert (caught.value.params["counted"], caught.value.params["found"]) == (100, 101)
