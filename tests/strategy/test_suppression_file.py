"""A do-not-contact list is read as what it is: words one a line, or a table with its columns."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from clv_core.errors import NotFound, Refused
from clv_core.strategy.audiences.suppression_file import entries_of, read_entries, words_of

TWO, PHONES = (("a@b.com",), ("c@d.com",)), (("13811704871",), ("13809097345",))


@pytest.mark.parametrize(
    ("content", "entries"),
    [
        ("a@b.com\n\n c@d.com \n", TWO),
        ("email,reason\na@b.com,unsubscribed\nc@d.com,\n", TWO),
        ("Reason;E-Mail\r\nunsubscribed;a@b.com\r\n;c@d.com\r\n", TWO),
        ('"email"\n"a@b.com"\n"c@d.com"\n', TWO),
        ("邮箱,退订原因\na@b.com,用户要求\nc@d.com,用户要求\n", TWO),
        ("customer_id,email,mobile,n\n7,a@b.com,,1\n08,,+49 30 9018,2\n", (("7", "a@b.com"), ("08", "+49 30 9018"))),
        ('E-Mail,note\n"A <a@b.com>",x\n', (("A <a@b.com>", "a@b.com"),)),
        ("C00010\n=cmd|'/C calc'!A0\nO'Brien, \"Pat\"\n", (("C00010",), ("=cmd|'/C calc'!A0",), ("O'Brien, \"Pat\"",))),
        ("email,mobile\na@b.com,-\nN/A,\nc@d.com,null\n", TWO),
        ("a@b.com\nn/a\nc@d.com\n-\n", TWO),
        *[(f"{name}\n13811704871\n13809097345\n", PHONES) for name in ("手机号", "用户编号", "邮箱")],
        ("序号,手机号\n1,13811704871\n2,13809097345\n", PHONES),
        ("", ()),
        ("\n \n", ()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "utf-8"])
def test_lists_of_any_encoding(
    tmp_path: Path, content: str, entries: tuple[tuple[str, ...], ...], encoding: str
) -> None:
    (tmp_path / "stop.txt").write_bytes(content.encode(encoding))
    assert read_entries(tmp_path / "stop.txt") == entries


def test_a_table_without_column_names_gives_its_first_cells(tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_text("a@b.com,unsubscribed\nc@d.com,complaint\n")
    assert {"a@b.com", "c@d.com"} <= words_of(read_entries(tmp_path / "stop.csv"))


def test_nobody_is_erased_for_what_a_line_holds_beside_its_word(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("customer\nSmith, John\nDoe, Jane\ncrm;a@b.com\n")
    assert words_of(read_entries(file, exact=True)) == {"customer", "Smith, John", "Doe, Jane", "crm;a@b.com"}
    file.write_text("customer_id,email,note\n7,a@b.com,x\n08,,y\n")
    assert words_of(read_entries(file, exact=True)) == {"7", "a@b.com", "08"}


@pytest.mark.parametrize(
    ("name", "more"),
    [("stop.xlsx", {"reason": "x"}), ("stop.xlsx", {}), ("stop.csv.gz", {}), ("stop.parquet", {}), ("stop.jsonl", {})],
)
def test_a_single_column_is_a_list_in_any_file(tmp_path: Path, name: str, more: dict[str, str]) -> None:
    """A workbook of addresses alone was cut at their ``@``, and hid nobody."""
    frame, path = pd.DataFrame({"email": ["a@b.com", "c@d.com"]}).assign(**more), tmp_path / name
    if name == "stop.jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        {".xlsx": frame.to_excel, ".gz": frame.to_csv, ".parquet": frame.to_parquet}[path.suffix](path, index=False)
    assert read_entries(path) == TWO
    assert {"a@b.com", "c@d.com"} <= words_of(read_entries(path, exact=True))


@pytest.mark.parametrize("name", ["stop.csv.gz", "STOP.CSV.GZ", "stop.tsv.gz"])
def test_a_packed_table_of_several_columns_is_read_by_their_names(tmp_path: Path, name: str) -> None:
    mark = "\t" if ".tsv" in name else ","
    lines = ["email,reason,phone", "a@b.com,unsubscribed,+49 30 9018", "c@d.com,,"]
    (tmp_path / name).write_bytes(gzip.compress("\n".join(lines).replace(",", mark).encode()))
    assert read_entries(tmp_path / name) == (("a@b.com", "+49 30 9018"), ("c@d.com",))
    assert words_of(read_entries(tmp_path / name, exact=True)) == {"a@b.com", "+49 30 9018", "c@d.com"}


def test_what_is_no_list_or_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_entries(tmp_path / "none.txt")
    (tmp_path / "stop.csv").write_text("email,reason\na@b.com,x\nc@d.com,y,z,w\n")
    with pytest.raises(Refused) as refused:
        read_entries(tmp_path / "stop.csv")
    assert refused.value.code == "suppress_bad_lines" and refused.value.message("zh")
    (tmp_path / "stop.txt").write_text("<html><body>Please log in</body></html>")
    with pytest.raises(Refused):
        read_entries(tmp_path / "stop.txt")


def test_typed_words_are_entries_one_a_line_and_a_pasted_column_is_its_words_alone() -> None:
    assert words_of(entries_of(" a@b.com\n\n007\n007")) == {"a@b.com", "007"}
    assert words_of(entries_of("手机号\n13811704871\n")) == {"13811704871"}
    assert words_of(entries_of("phone")) == {"phone"}
