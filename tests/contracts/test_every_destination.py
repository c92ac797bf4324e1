"""Every row of ``KINDS`` of destinations: a push that failed goes on with the next, and no customer is there twice."""

from __future__ import annotations

import json
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core.errors import ClvError
from clv_core.i18n import LANGUAGES
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.export_records import customer_exports
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.destinations import KINDS, add_destination
from clv_core.workspace import Workspace
from tests import servers
from tests.strategy.lists import SIDE
from tests.strategy.test_destinations import SECRET, Receiver, contacts, expected, scored, send

KIND = pytest.mark.parametrize("kind", KINDS)
ROWS = 400
"""In one request at most, so that a push has three or more."""


@dataclass(frozen=True)
class Place:
    """A destination on this machine.

    Args:
        address: of it.
        times: how often it holds each customer, or did something for her.
        fail: lets it take a part of what is sent next, and refuse the rest.
        heal: ends that.
        requests: how many it has had.
    """

    address: str
    times: Callable[[], Counter[str]]
    fail: Callable[[], object]
    heal: Callable[[], object]
    requests: Callable[[], int]


@contextmanager
def _served(path: str = "") -> Iterator[Place]:
    """What is posted counts once for each message that the receiver cannot know to be an earlier one."""
    with servers.serving(Receiver()) as receiver:

        def times() -> Counter[str]:
            if path:
                return Counter(row["customer_id"] for said in receiver.seen.values() for row in said["customers"])
            return Counter(receiver.times)

        yield Place(
            f"http://127.0.0.1:{receiver.server_port}{path}",
            times,
            lambda: receiver.faults.extend(["", "taken", 401]),
            receiver.faults.clear,
            lambda: receiver.requests,
        )


class Table:
    """Stands for PostgreSQL and its driver: one table that changes where a transaction is committed."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] | None = None
        self.pending: list[dict[str, Any]] | None = None
        self.is_broken, self.commits, self.name = False, 0, ""

    def driver(self) -> types.ModuleType:
        module, dbapi = types.ModuleType("adbc_driver_postgresql"), types.ModuleType("adbc_driver_postgresql.dbapi")
        vars(dbapi).update(Error=type("Error", (Exception,), {"sqlstate": "53100"}), connect=lambda _: self)
        vars(module).update(dbapi=dbapi, __path__=[])
        self.error = vars(dbapi)["Error"]
        return module

    def cursor(self) -> Table:
        self.pending = None if self.rows is None else [*self.rows]
        return self

    def execute(self, sql: str, parameters: tuple[str, ...]) -> None:
        if sql.startswith("DELETE"):
            self.pending = [row for row in self.pending or () if row["dataset"] != parameters[0]]

    def fetchone(self) -> tuple[str, list[str]] | None:
        return None if self.rows is None else ("public", list(self.rows[0]) if self.rows else [])

    def adbc_ingest(self, name: str, data: pa.Table, **_: Any) -> None:
        self.name, whole = name, data.to_pylist()
        self.pending = [*(self.pending or ()), *(whole[:ROWS] if self.is_broken else whole)]
        if self.is_broken:
            raise self.error("disk full")

    def commit(self) -> None:
        self.rows, self.commits = self.pending, self.commits + 1

    def close(self) -> None:
        self.pending = None


@contextmanager
def _table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    table = Table()
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", table.driver())
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", sys.modules["adbc_driver_postgresql"].dbapi)

    def break_(is_broken: bool) -> None:
        table.is_broken = is_broken

    yield Place(
        "postgresql://me@127.0.0.1/dwh",
        lambda: Counter(row["customer_id"] for row in table.rows or ()),
        lambda: break_(True),
        lambda: break_(False),
        lambda: table.commits,
    )


@contextmanager
def _bucket(folder: Path) -> Iterator[Place]:
    path = folder / "lake" / SIDE.dataset / "scores.parquet"
    part = path.with_name("scores.parquet.part")

    def times() -> Counter[str]:
        return Counter(pq.read_table(path)["customer_id"].to_pylist() if path.exists() else ())

    yield Place(
        f"file://{folder}/lake",
        times,
        lambda: part.mkdir(parents=True),  # in the place of what is written
        part.rmdir,
        lambda: path.stat().st_mtime_ns if path.exists() else 0,
    )


def opened(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a receiver of a kind, as a context."""
    return {
        "webhook": lambda: _served("/hook"),
        "klaviyo": _served,
        "hubspot": _served,
        "postgresql": lambda: _table(monkeypatch),
        "bucket": lambda: _bucket(folder),
    }[kind]()


@KIND
def test_after_a_failed_push_the_next_goes_on_and_doubles_nobody(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", SECRET)
    most = KINDS[kind].most_rows
    if most is not None:
        monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], most_rows=min(most, ROWS)))
    work, everybody = Workspace(tmp_path / "workspace"), expected(kind)
    with opened(kind, tmp_path, monkeypatch) as place:
        add_destination(work, kind, kind, place.address, "env:THE_KEY")
        place.fail()
        with pytest.raises(ClvError) as caught:
            send(work.root, kind)
        assert len({caught.value.message(language) for language in LANGUAGES}) == len(LANGUAGES)
        assert set(place.times()) < everybody and SECRET not in caught.value.message()
        place.heal()
        send(work.root, kind)
        assert place.times() == Counter(everybody), "all are there, and none twice"
        asked = place.requests()
        again = send(work.root, kind)
        assert (again.sent, again.unchanged, place.requests()) == (0, len(everybody), asked)
        place.fail()
        people = scored().assign(predicted_clv=lambda frame: frame["predicted_clv"] + 1)
        with pytest.raises(ClvError):
            send(work.root, kind, people=people)
        place.heal()
        send(work.root, kind, people=people)
        once = 1 if most is None else 2  # what is replaced as a whole has each customer's newest row
        assert place.times() == Counter(dict.fromkeys(everybody, once))
    receipts = [line.settings["complete"] for line in customer_exports(work)]
    assert receipts == [True, False, True, False]
    assert not [path for path in work.root.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@KIND
def test_its_fields_fit_each_other_and_its_rows_have_an_id(kind: str) -> None:
    one = KINDS[kind]
    assert one.format in EXPORTS and (one.most_rows is None or one.most_rows > 0)
    given = one.address or one.example
    assert given and urlsplit(given).scheme in one.schemes and not urlsplit(given).password
    assert one.connect.__doc__ and one.purposes
    people = filter_audience(scored(40), one.format, contacts(40), by_consent=True).customers
    rows = one.rows(people)
    assert len(rows) == len(people) > 0 and json.loads(json.dumps(rows, allow_nan=False)) == rows
    for place, row in enumerate(rows):
        assert {f"{place:05}", f"p{place:05}@example.org"} & {str(value) for value in row.values()}


@KIND
def test_an_address_with_a_password_or_of_another_scheme_is_refused(kind: str, tmp_path: Path) -> None:
    work, given = Workspace(tmp_path), KINDS[kind].address or KINDS[kind].example
    scheme, _, rest = given.partition("://")
    for wrong in (f"{scheme}://me:hidden@{rest.rpartition('@')[2]}", f"gopher://{rest}"):
        with pytest.raises(ClvError) as caught:
            add_destination(work, "it", kind, wrong, "env:THE_KEY")
        assert caught.value.code == "destination_address" and "hidden" not in caught.value.message()
    add_destination(work, "it", kind, given, "env:THE_KEY")
