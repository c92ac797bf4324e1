"""The encoding of a text: as it was said, as the earlier file's was where none is proven, or as its letters show."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from clv_core.cli import main
from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.readings.alike import habit_of
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.errors import Refused, UsageError
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

KINDS = ("Hüte", "Crème à la carte", "Größe", "Señor", "Tee")


def log(workspace: Workspace, name: str, encoding: str, days: range, kinds: tuple[str, ...] = KINDS) -> Path:
    rows = [f"o{day},c{day % 7},2024-01-{day:02},{day}.50,{kinds[day % len(kinds)]}" for day in days]
    path = workspace.root.parent / name
    path.write_bytes("\n".join(["order_id,customer_id,date,amount,category", *rows, ""]).encode(encoding))
    return path


def kinds_of(workspace: Workspace, name: str = "shop") -> set[str]:
    events = str(open_dataset(workspace, name).events_path)
    return {str(row[0]) for row in duckdb.sql(f"SELECT DISTINCT category FROM '{events}'").fetchall()}


def codes(manifest: Manifest) -> set[str]:
    return {message.code.removeprefix("warning.") for message in manifest.messages}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "utf-8"])
def test_a_night_of_a_western_shop_holds_nothing_new_however_short_it_is(workspace: Workspace, encoding: str) -> None:
    kinds = ("Matěj", "Růžena", "Hüte") if encoding == "cp1250" else KINDS
    made = ingest(workspace, log(workspace, "all.csv", encoding, range(1, 29), kinds), "shop")
    assert made.parts[0].get("encoding", "utf-8") == encoding and kinds_of(workspace) == set(kinds)
    for first in range(1, 27):
        night = append(workspace, "shop", log(workspace, "night.csv", encoding, range(first, first + 2), kinds))
        assert (night.rows_kept, night.parts[-1]["rows_overlap"]) == (28, 2)


def test_an_encoding_that_was_said_holds_for_the_next_file_too(workspace: Workspace) -> None:
    first = log(workspace, "a.csv", "iso8859-2", range(1, 10), ("ącki", "śledź", "źle"))
    made = ingest(workspace, first, "shop", encoding="latin2")
    assert made.parts[0]["encoding"] == "iso8859-2" and "encoding" not in codes(made)
    more = append(workspace, "shop", log(workspace, "b.csv", "iso8859-2", range(10, 13), ("ącki", "śledź", "źle")))
    assert kinds_of(workspace) == {"ącki", "śledź", "źle"} and "encoding_as_before" in codes(more)


def test_a_file_that_proves_its_encoding_is_read_by_it(workspace: Workspace) -> None:
    ingest(workspace, log(workspace, "a.csv", "cp1252", range(1, 10)), "shop")
    append(workspace, "shop", log(workspace, "b.csv", "utf-8", range(10, 20)))
    append(workspace, "shop", log(workspace, "c.csv", "gb18030", range(20, 29), ("质量很好下次还买", "快递太慢了")))
    assert kinds_of(workspace) == {*KINDS, "质量很好下次还买", "快递太慢了"}
    assert habit_of(open_dataset(workspace, "shop").manifest).encoding in ("", "cp1252")


def test_an_older_manifest_tells_its_encoding_by_what_was_said(workspace: Workspace) -> None:
    made = ingest(workspace, log(workspace, "a.csv", "cp1252", range(1, 10)), "shop")
    del made.parts[0]["encoding"]
    assert habit_of(made).encoding == "cp1252"


def test_the_encoding_is_remembered_and_yields_to_utf_8(workspace: Workspace) -> None:
    kinds = ("ącki", "śledź")
    ingest(workspace, log(workspace, "a.csv", "iso8859-2", range(1, 10), kinds), "a", encoding="iso8859-2")
    ingest(workspace, log(workspace, "b.csv", "iso8859-2", range(1, 10), kinds), "b", remembered=True)
    ingest(workspace, log(workspace, "c.csv", "utf-8", range(1, 10), kinds), "c", remembered=True)
    assert kinds_of(workspace, "b") == kinds_of(workspace, "c") == set(kinds)


@pytest.mark.parametrize("name", ["cp125", "base64", "", "a\0b"])
def test_a_name_that_is_no_encoding_is_refused(workspace: Workspace, name: str) -> None:
    file = log(workspace, "a.csv", "utf-8", range(1, 10))
    if not name:
        assert ingest(workspace, file, "shop", encoding=name).rows_kept == 9
        return
    with pytest.raises(UsageError) as found:
        ingest(workspace, file, "shop", encoding=name)
    assert found.value.code == "encoding_name"


@pytest.mark.parametrize(("said", "line"), [("utf-8", 3), ("ascii", 3), ("utf-16", 1), ("utf-32", 1)])
def test_bytes_that_are_not_in_the_encoding_that_was_said_are_refused(
    workspace: Workspace, said: str, line: int
) -> None:
    file = log(workspace, "a.csv", "cp1252", range(1, 10), ("Tee", "Hut", "Hüte"))
    with pytest.raises(Refused) as found:
        ingest(workspace, file, "shop", encoding=said)
    assert (found.value.code, found.value.params["line"], found.value.params["encoding"]) == (
        "encoding_said",
        line,
        said,
    )


def test_the_command_line_takes_an_encoding(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(log(workspace, "a.csv", "iso8859-2", range(1, 10), ("ącki", "śledź")))
    root = ["--workspace", str(workspace.root)]
    assert main(["check", file, "--encoding", "iso8859-2", *root]) == 0
    assert main(["ingest", file, "--name", "shop", "--encoding", "iso8859-2", *root]) == 0
    assert kinds_of(workspace) == {"ącki", "śledź"}
    assert main(["check", file, "--encoding", "utf-8", *root]) == 4
    assert main(["ingest", file, "--name", "shop", "--append", "--encoding", "nope", *root]) == 2
    assert "nope" in capsys.readouterr().out
