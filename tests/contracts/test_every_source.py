"""Every kind of source says what it needs before anything connects, and has what connects."""

from __future__ import annotations

import os
import sqlite3
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib.abc import MetaPathFinder
from pathlib import Path

import duckdb
import pytest

from clv_core.collection.sources import databases, files, shopify
from clv_core.collection.sources.pull import DRIVERS, pull
from clv_core.collection.sources.saved_sources import KINDS, REPLACE, Source, SourceState
from clv_core.errors import UsageError
from clv_core.extension_points import ROOT
from clv_core.jobs import NoProgress

KIND = pytest.mark.parametrize("kind", KINDS)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
ROWS = [(f"c{at % 4}", f"2024-03-{at + 1:02}", 10.5 + at) for at in range(12)]


def source(kind: str, where: str = "") -> Source:
    """Return a source of a kind at its example's address, with the least that it needs."""
    what = "orders" if KINDS[kind].dialect else "orders-*.csv" if kind in ("folder", "s3") else ""
    return Source("shop", kind, where or KINDS[kind].address, "shop", what)


def code_of(wrong: Source) -> str:
    with pytest.raises(UsageError) as caught:
        wrong.check()
    assert caught.value.message("en") != caught.value.message("zh")
    return caught.value.code


@KIND
def test_its_example_is_accepted_and_a_password_a_wrong_scheme_and_a_time_of_files_are_not(kind: str) -> None:
    given = source(kind)
    given.check()
    if not KINDS[kind].is_local:
        scheme, _, rest = given.where.partition("://")
        assert code_of(replace(given, where=f"{scheme}://reader:hidden@{rest.partition('@')[2] or rest}")) in (
            "source_password",
            "source_options",
        )
        assert code_of(replace(given, where=f"gopher://{rest}")) == "source_address"
        assert given.host and "@" not in given.host and "/" not in given.host
    timed = replace(given, time_column="day")
    if KINDS[kind].dialect:
        timed.check()
    else:
        assert code_of(timed) == "source_time_column"


@KIND
def test_what_connects_is_there_and_its_driver_comes_along_or_is_an_extra(kind: str) -> None:
    found = databases.CONNECT.get(kind) or getattr(files, kind, None) or getattr(shopify, kind)
    assert bool(KINDS[kind].dialect) == (kind in databases.CONNECT) and found.__doc__
    assert not KINDS[kind].extra or KINDS[kind].extra in EXTRAS
    assert KINDS[kind].title or KINDS[kind].is_local, "a proper name, or sources.kind.<id>"


class Missing(MetaPathFinder):
    """Finds none of the drivers, as on a machine where they are not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in DRIVERS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("kind", [name for name, one in KINDS.items() if one.extra])
def test_without_its_driver_the_extra_is_named(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] in DRIVERS]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(UsageError) as caught:
        pull(source(kind), tmp_path, SourceState(), NoProgress())
    assert (caught.value.code, caught.value.params["extra"]) == ("extra_missing", KINDS[kind].extra)


def _in_sqlite(path: Path) -> Path:
    with sqlite3.connect(path / "shop.sqlite") as connection:
        connection.execute("CREATE TABLE orders (customer_id TEXT, day TEXT, amount REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", ROWS)
    connection.close()
    return path / "shop.sqlite"


def _in_duckdb(path: Path) -> Path:
    with duckdb.connect(str(path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE orders (customer_id TEXT, day DATE, amount DOUBLE)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", ROWS)
    return path / "shop.duckdb"


def _in_folder(path: Path) -> Path:
    lines = ["customer_id,day,amount", *(",".join(map(str, row)) for row in ROWS)]
    (path / "orders-1.csv").write_text("\n".join(lines) + "\n")
    os.utime(path / "orders-1.csv", (1e9, 1e9))
    return path


MADE: dict[str, Callable[[Path], Path]] = {"sqlite": _in_sqlite, "duckdb": _in_duckdb, "folder": _in_folder}
"""The same orders in each kind that lies on this machine."""


@pytest.mark.parametrize("kind", [name for name, one in KINDS.items() if one.is_local])
def test_what_lies_on_this_machine_is_read_to_its_last_row_and_no_row_twice(kind: str, tmp_path: Path) -> None:
    folder, target, again = tmp_path / "shop", tmp_path / "first", tmp_path / "again"
    for one in (folder, target, again):
        one.mkdir()
    given = source(kind, str(MADE[kind](folder)))
    given = replace(given, time_column="day") if KINDS[kind].dialect else given
    found = pull(given, target, SourceState(), NoProgress())
    query = "SELECT customer_id, day::DATE::VARCHAR, amount::DOUBLE FROM {} ORDER BY 2"
    rows = [duckdb.sql(query.format(f"'{path}'")).fetchall() for path in found.paths]
    assert rows == [ROWS]
    state = SourceState(watermark=found.watermark, files=dict(found.files), version="v")
    later = pull(replace(given, look_back_days=0), again, state, NoProgress())
    assert sum(duckdb.sql(f"SELECT * FROM '{path}'").shape[0] for path in later.paths) <= 1  # the day it ended on
    assert pull(replace(given, grows=REPLACE, time_column=""), again, state, NoProgress()).paths
