"""How a text file is cut into cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.read.dialect import detect
from clv_core.errors import Refused
from tests.collection.test_json_cells import COLUMNS, rows, write


@pytest.mark.parametrize("text", ['sep="\nid"day\na"b\n', "id,day\na,b\n"])
def test_what_parts_cells_never_quotes_them_too(tmp_path: Path, text: str) -> None:
    """Python 3.13's reader takes no mark for both; the sniffer, or a file's first line, may name one for both."""
    path = tmp_path / "events.csv"
    path.write_text(text, encoding="utf-8")
    found = detect(path, path.name, header=True)
    assert found.delimiter != found.quote != ""


def test_a_lone_mark_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("~", encoding="utf-8")
    with pytest.raises(Refused, match="one column"):
        detect(path, path.name)


def test_backslashes_within_cells_of_doubled_marks_escape_nothing(tmp_path: Path) -> None:
    """The sniffer takes them for escapes in these cells, and cuts the cells at their commas."""
    lines = [row | {"properties": f"note {row['properties']}"} for row in rows()]
    found = detect(write(tmp_path / "events.csv", lines), "events.csv")
    assert found.columns == COLUMNS and found.escape == '"'


def test_one_cell_in_backticks_does_not_end_the_quoting_of_others(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f'C{number},2024-01-0{number},"Tea ""green""",{number}.50' for number in range(1, 9)]
    path.write_text("\n".join(["customer_id,event_time,category,amount", *lines, "`C9`,2024-01-09,Tea,9.50"]))
    assert detect(path, "log.csv").quote == '"'


@pytest.mark.timeout(30)
def test_a_first_line_of_blanks_takes_no_longer_than_another(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("a" + " " * 60_000 + "\nb c\nd e\nf g\n", encoding="utf-8")
    assert detect(path, path.name).columns == ("b", "c")
