"""Sources without a server: files of SQLite and DuckDB, a folder, HTTP on this machine, Shopify's lines."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.sources import (
    REPLACE,
    Source,
    SourceState,
    add_source,
    list_sources,
    load_source,
    load_state,
    remove_source,
    update_source,
)
from clv_core.collection.sources.pull import pull
from clv_core.collection.sources.query import select
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.errors import ClvError, NotFound, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.preprocessing.refresh import check_sample, refresh, sample
from clv_core.secrets_by_reference import secret
from clv_core.upkeep.backup import back_up
from clv_core.workspace import Workspace

ROWS = [(f"o{i}", f"c{i % 7}", f"2024-01-{1 + i // 10:02d} {i % 24:02d}:05:00", 10 + i / 4) for i in range(100)]
LATER = [("o200", "c1", "2024-01-11 09:00:00", 5.5), ("o201", "c9", "2024-01-09 08:00:00", 7.25)]
HEADER = "order_id,customer_id,event_time,amount\n"
COLUMNS = "order_id TEXT, customer_id TEXT, event_time TIMESTAMP, amount DOUBLE"


def csv(rows: list[tuple[Any, ...]]) -> str:
    return HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows)


def in_sqlite(path: Path, rows: list[tuple[Any, ...]]) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE IF NOT EXISTS orders ({COLUMNS})")
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def in_duckdb(path: Path, rows: list[tuple[Any, ...]]) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS orders ({COLUMNS})")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)


@pytest.fixture
def shop(tmp_path: Path) -> Source:
    in_sqlite(tmp_path / "shop.sqlite", ROWS)
    return Source("shop", "sqlite", str(tmp_path / "shop.sqlite"), "orders of shop", "orders", time_column="event_time")


def orders(workspace: Workspace, name: str) -> list[str]:
    path = open_dataset(workspace, name).events_path
    return sorted(row[0] for row in duckdb.sql(f"SELECT order_id FROM '{path}'").fetchall())


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_table_is_the_same_version_as_its_file_and_grows_by_its_new_and_late_rows(
    workspace: Workspace, tmp_path: Path, kind: str
) -> None:
    fill = {"sqlite": in_sqlite, "duckdb": in_duckdb}[kind]
    path = tmp_path / f"shop.{kind}"
    fill(path, ROWS)
    (tmp_path / "orders.csv").write_text(csv(ROWS))
    add_source(workspace, Source("shop", kind, str(path), "shop", "orders", time_column="event_time"))
    assert refresh(workspace, "shop").manifest.version == ingest(workspace, tmp_path / "orders.csv", "file").version
    fill(path, LATER)
    done = refresh(workspace, "shop")
    assert (done.new_rows, done.rows) == (2, 42)  # of the days 7 to 11
    assert orders(workspace, "shop") == sorted(row[0] for row in ROWS + LATER)
    assert refresh(workspace, "shop").new_rows == 0 and load_state(workspace, "shop").watermark == "2024-01-11T09:00:00"


def test_a_row_from_the_future_hides_none(workspace: Workspace, shop: Source) -> None:
    in_sqlite(Path(shop.where), [("o300", "c1", "2099-01-01 00:00:00", 1.0)])
    add_source(workspace, shop)
    refresh(workspace, "shop")
    in_sqlite(Path(shop.where), LATER)
    assert refresh(workspace, "shop").new_rows == 2


def test_a_dataset_that_was_changed_otherwise_is_compared_whole(workspace: Workspace, shop: Source) -> None:
    """A version that somebody returned to lacks rows that the source has given already."""
    add_source(workspace, replace(shop, look_back_days=0))
    first = refresh(workspace, "shop").manifest
    in_sqlite(Path(shop.where), LATER[:1])
    refresh(workspace, "shop")
    restore(workspace, shop.dataset, first.version)
    in_sqlite(Path(shop.where), [("o202", "c1", "2024-01-12 09:00:00", 5.5)])
    assert refresh(workspace, "shop").new_rows == 2


def test_a_source_that_is_replaced_is_read_anew(workspace: Workspace, shop: Source) -> None:
    add_source(workspace, replace(shop, grows=REPLACE))
    refresh(workspace, "shop")
    with sqlite3.connect(shop.where) as connection:
        connection.execute("DELETE FROM orders WHERE order_id < 'o5'")
    connection.close()
    refresh(workspace, "shop")
    assert orders(workspace, shop.dataset) == sorted(row[0] for row in ROWS if row[0] >= "o5")


def test_what_was_said_of_a_source_is_how_it_is_read(workspace: Workspace, shop: Source) -> None:
    query = "SELECT order_id AS a, customer_id AS b, event_time AS c, amount AS d FROM orders"
    answers = {"mapping": {"order_id": "a", "customer_id": "b", "event_time": "c", "amount": "d"}, "currency": "EUR"}
    add_source(workspace, replace(shop, what=query, answers=answers, time_column="c"))
    source, folder = load_source(workspace, "shop"), workspace.folder("uploads")
    assert check_sample(workspace, source, sample(source, folder)).manifest.net_revenue == sum(row[3] for row in ROWS)
    assert refresh(workspace, "shop").manifest.currency == "EUR"
    in_sqlite(Path(shop.where), LATER)
    assert refresh(workspace, "shop").new_rows == 2


def test_a_folder_gives_each_file_once_and_none_that_is_being_written(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "orders-1.csv").write_text(csv(ROWS))
    (folder / "notes.txt").write_text("no orders")
    os.utime(folder / "orders-1.csv", (1e9, 1e9))
    add_source(workspace, Source("shop", "folder", str(folder), "shop", "orders-*.csv"))
    assert refresh(workspace, "shop").files == ("orders-1.csv",)
    (folder / "orders-2.csv").write_text(csv(LATER))
    assert refresh(workspace, "shop").files == ()
    os.utime(folder / "orders-2.csv", (1.1e9, 1.1e9))
    done = refresh(workspace, "shop")
    assert done.files == ("orders-2.csv",) and orders(workspace, "shop") == sorted(row[0] for row in ROWS + LATER)
    days = {"first": "2024-01-09", "last": "2024-01-11", "rows": 2, "amount": 12.75, "days": []}
    compared = done.reconciled.to_json()  # of the days of the file; the dataset has more on one of them
    assert compared.items() >= days.items()
    assert done.reconciled.held_rows == 2 + sum(row[2].startswith("2024-01-09") for row in ROWS)


class Answers(BaseHTTPRequestHandler):
    """Answers what the test has put into ``bodies`` by path, and keeps what it was sent."""

    bodies: ClassVar[dict[str, Any]] = {}
    sent: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.sent.append((self.path, dict(self.headers), body))
        found = self.bodies.get(self.path)
        found = found.pop(0) if isinstance(found, list) else found
        moved = found[4:] if isinstance(found, str) and found.startswith("302 ") else ""
        self.send_response(302 if moved else 200 if found is not None else 404)
        if moved:
            self.send_header("Location", moved)
        if found is not None:
            self.send_header("ETag", f'"{hash(found)}"')
            self.send_header("Content-Length", str(len(found.encode())))
        self.end_headers()
        self.wfile.write((found or "").encode())

    do_GET = do_POST = answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def http() -> Iterator[str]:
    Answers.bodies.clear(), Answers.sent.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown(), server.server_close(), thread.join()


def test_an_address_is_read_with_its_token_and_again_when_it_changed(
    workspace: Workspace, http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "t0ken")
    Answers.bodies["/orders.csv"] = csv(ROWS)
    add_source(workspace, Source("shop", "https", f"{http}/orders.csv", "shop", secret="env:TOKEN"))
    assert refresh(workspace, "shop").new_rows == 100
    assert Answers.sent[0][1]["Authorization"] == "Bearer t0ken"
    assert refresh(workspace, "shop").files == ()
    Answers.bodies["/orders.csv"] = csv(ROWS + LATER)
    assert refresh(workspace, "shop").new_rows == 2
    del Answers.bodies["/orders.csv"]
    with pytest.raises(Refused, match="404"):
        refresh(workspace, "shop")
    assert load_state(workspace, "shop").error and open_dataset(workspace, "shop").manifest.rows_kept == 102


def shopify_lines(rows: list[tuple[Any, ...]]) -> str:
    """Return the lines of Shopify's bulk operation as its documents show them: an order, then its items."""
    lines = []
    for order, customer, when, amount in rows:
        number, time = f"gid://shopify/Order/{order}", f"{when.replace(' ', 'T')}Z"
        buyer = {"displayFinancialStatus": "PAID", "customer": {"id": f"gid://shopify/Customer/{customer}"}}
        lines.append({"id": number, "name": f"#{order}", "createdAt": time, "updatedAt": time, **buyer})
        price = {"shopMoney": {"amount": str(amount), "currencyCode": "EUR"}}
        item = {"id": f"gid://shopify/LineItem/{order}", "sku": "A1", "currentQuantity": 2, "product": None}
        lines.append({**item, "discountedUnitPriceAfterAllDiscountsSet": price, "__parentId": number})
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_orders_of_shopify_are_fetched_by_a_bulk_operation(
    workspace: Workspace, http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv_core.collection.sources.shopify.POLL_SECONDS", 0.01)
    monkeypatch.setenv("TOKEN", "shpat_1")
    operation = {"bulkOperation": {"id": "gid://shopify/BulkOperation/1"}, "userErrors": []}
    started = {"data": {"bulkOperationRunQuery": operation}}
    running = {"data": {"node": {"status": "RUNNING", "errorCode": None, "url": None}}}
    done = {"data": {"node": {"status": "COMPLETED", "errorCode": None, "url": f"{http}/result"}}}
    path = "/admin/api/2025-07/graphql.json"
    answers = [*map(json.dumps, (started, running, done, started, done))]
    Answers.bodies |= {path: answers, "/result": shopify_lines(ROWS)}
    add_source(workspace, Source("shop", "shopify", http, "shop", secret="env:TOKEN"))
    manifest = refresh(workspace, "shop").manifest
    assert (manifest.rows_kept, manifest.currency) == (100, "EUR")
    assert manifest.net_revenue == pytest.approx(2 * sum(row[3] for row in ROWS))
    Answers.bodies["/result"] = shopify_lines(LATER)
    assert refresh(workspace, "shop").new_rows == 2
    asked = [json.loads(body)["variables"]["query"] for _, _, body in Answers.sent if b"mutation" in body]
    assert 'query: ""' in asked[0] and 'query: "updated_at:>=2024-01-07"' in asked[1]
    tokens = {where: headers.get("X-Shopify-Access-Token") for where, headers, _ in Answers.sent}
    assert tokens == {path: "shpat_1", "/result": None}


def test_a_redirect_is_judged_before_anything_is_asked_there(workspace: Workspace, http: str) -> None:
    Answers.bodies |= {"/orders.csv": "302 /moved.csv", "/moved.csv": csv(ROWS)}
    add_source(workspace, Source("shop", "https", f"{http}/orders.csv", "shop"))
    assert refresh(workspace, "shop").new_rows == 100
    port = http.rpartition(":")[2]
    Answers.bodies["/moved.csv"] = f"302 http://127.0.0.2:{port}/private"
    Answers.sent.clear()
    with pytest.raises(Refused, match=r"redirects to http://127\.0\.0\.2, which is not encrypted"):
        refresh(workspace, "shop")
    assert [path for path, *_ in Answers.sent] == ["/orders.csv", "/moved.csv"]


def test_links_out_of_a_folder_or_to_nothing_are_named_and_not_read(workspace: Workspace, tmp_path: Path) -> None:
    folder, outside = tmp_path / "exports", tmp_path / "private.csv"
    folder.mkdir()
    for path, rows in ((folder / "orders-1.csv", ROWS), (outside, LATER)):
        path.write_text(csv(rows))
        os.utime(path, (1e9, 1e9))
    (folder / "orders-gone.csv").symlink_to(folder / "nothing.csv")
    (folder / "orders-loop.csv").symlink_to(folder / "orders-loop.csv")
    (folder / "orders-out.csv").symlink_to(outside)
    add_source(workspace, Source("shop", "folder", str(folder), "shop", "orders-*.csv"))
    done = refresh(workspace, "shop")
    assert done.files == ("orders-1.csv",) and orders(workspace, "shop") == sorted(row[0] for row in ROWS)
    assert done.warnings[0].params["links"] == ["orders-gone.csv", "orders-loop.csv", "orders-out.csv"]
    assert load_state(workspace, "shop").warnings == done.warnings[:1]
    (folder / "orders-same.csv").symlink_to(folder / "orders-1.csv")
    assert refresh(workspace, "shop").files == ("orders-same.csv",)
    add_source(workspace, Source("links", "folder", str(folder), "links", "*-out.csv"))
    with pytest.raises(Refused, match="orders-out"):
        refresh(workspace, "links")


def test_types_with_a_unit_of_their_own_are_refused_with_the_cast(workspace: Workspace, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT 'c' || i AS customer_id, DATE '2024-01-01' + i::INTEGER AS event_time,"
            " i * 1.5 AS amount, INTERVAL 2 HOUR AS \"Time spent\", [1, 2] AS parts, ['a'] AS tags FROM range(9) t(i)"
        )
    add_source(workspace, Source("shop", "duckdb", str(tmp_path / "shop.duckdb"), "shop", "orders"))
    with pytest.raises(Refused) as raised:
        refresh(workspace, "shop")
    said = raised.value.message()
    assert "Time spent (month_day_nano_interval)" in said and "parts (list" in said and "tags" not in said
    casts = 'EXTRACT(epoch FROM "Time spent") AS "Time spent", CAST(parts AS TEXT) AS parts'
    assert casts in said
    query = f"SELECT customer_id, event_time, amount, {casts} FROM orders"
    update_source(workspace, replace(load_source(workspace, "shop"), what=query))
    refresh(workspace, "shop")
    path = open_dataset(workspace, "shop").events_path
    assert duckdb.sql(f"SELECT DISTINCT \"Time spent\"::DOUBLE, parts FROM '{path}'").fetchall() == [(7200, "[1, 2]")]


def test_an_item_that_does_not_follow_its_order_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bulk.jsonl"
    path.write_text("".join(reversed(shopify_lines(ROWS[:2]).splitlines(keepends=True))))
    add_source(workspace, Source("shop", "shopify", str(path), "shop"))
    with pytest.raises(Refused, match="line 1"):
        refresh(workspace, "shop")


WRITING = [
    ("postgres", "SELECT 1; DROP TABLE orders"),
    ("postgres", "DROP TABLE orders"),
    ("postgres", "SELECT 1 INTO t"),
    ("postgres", "COPY orders TO PROGRAM 'sh'"),
    ("postgres", "SELECT * FROM orders FOR UPDATE"),
    ("postgres", ""),
    ("postgres", "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x"),
    ("postgres", "CALL p()"),
    ("postgres", "SELECT nextval('s')"),
    ("postgres", "SELECT pg_catalog.lo_import('/etc/passwd')"),
    ("postgres", "SELECT query_to_xml('DELETE FROM a', true, true, '')"),
    ("postgres", "SELECT * FROM dblink('', '')"),
    ("postgres", "SELECT own.upper(a) FROM b"),
    ("postgres", "EXPLAIN ANALYZE DELETE FROM a"),
    ("mysql", "SHOW TABLES"),
    ("mysql", "SELECT 1 INTO OUTFILE '/tmp/x'"),
    ("mysql", "SELECT load_file('/etc/passwd')"),
    ("mysql", "SELECT sleep(9)"),
    ("sqlite", "SELECT load_extension('x')"),
    ("sqlite", "PRAGMA writable_schema = 1"),
    ("sqlite", "ATTACH 'x' AS y"),
    ("duckdb", "INSTALL httpfs"),
    ("duckdb", "COPY orders TO 'x.csv'"),
]


@pytest.mark.parametrize(("dialect", "query"), WRITING)
def test_what_is_not_one_select_that_only_reads_is_refused(dialect: str, query: str) -> None:
    with pytest.raises(Refused):
        select(query, dialect)


TEXTS_THAT_BECOME_CODE = [
    ("postgres", r"SELECT e'\\', ' AS q, pg_sleep(4)::text AS x, $a$' AS z$a$"),
    ("postgres", r"SELECT E'\\', ' AS q, pg_read_file(''/etc/hostname'') AS x, $a$' AS z$a$"),
    ("postgres", r"SELECT U&'\0041' AS a FROM b"),
    ("postgres", r'SELECT u&"\0041" AS a FROM b'),
    ("postgres", "SELECT $$a$$ AS a FROM b"),
    ("postgres", "SELECT 1$a$, pg_sleep(4), $a$ AS a FROM b"),
    ("postgres", "SELECT n'a' AS a FROM b"),
    ("mysql", r"SELECT 'a\' AS b, sleep(4) AS c, ' AS d FROM e"),
    ("mysql", r"SELECT 'a\', sleep(4), ' AS b FROM e"),
    ("mysql", "SELECT _latin1'a' AS b FROM c"),
    ("mysql", "SELECT amount--discount AS amount FROM orders"),
    ("duckdb", r"SELECT e'\\' AS a FROM b"),
    ("duckdb", "SELECT $a$ b $a$ AS a FROM b"),
    ("snowflake", "SELECT $$a$$ AS a FROM b"),
    ("bigquery", r"SELECT r'\' AS a, ', f(1) --' AS b FROM c"),
]


@pytest.mark.parametrize(("dialect", "query"), TEXTS_THAT_BECOME_CODE)
def test_texts_that_a_database_may_end_elsewhere_are_refused_with_the_rewriting(dialect: str, query: str) -> None:
    with pytest.raises(Refused) as raised:
        select(query, dialect)
    assert raised.value.code == "query_texts" and "''" in raised.value.message()


def test_a_stored_query_with_an_escape_string_is_refused_when_it_is_read(workspace: Workspace, shop: Source) -> None:
    duck = replace(shop, kind="duckdb", where=shop.where.replace(".sqlite", ".duckdb"))
    in_duckdb(Path(duck.where), ROWS)
    add_source(workspace, duck)
    update_source(workspace, replace(duck, what=r"SELECT *, e'\n' AS note FROM orders"))  # as earlier versions saved it
    with pytest.raises(Refused, match="no backslashes"):
        refresh(workspace, "shop")


@pytest.mark.parametrize("nested", ["(", "NOT ", "abs(", "ARRAY[", "DATE ("])
def test_deep_nesting_is_refused_at_once(nested: str) -> None:
    close = {"(": ")", "[": "]"}.get(nested.strip()[-1], "")
    with pytest.raises(Refused, match="nested too deeply"):
        select(f"SELECT {nested * 200}1{close * 200}", "postgres")


@pytest.mark.parametrize(
    ("dialect", "query", "sent"),
    [
        ("postgres", r"SELECT regexp_replace(a, '\D', '', 'g') AS a FROM b", None),
        ("postgres", "SELECT 'it''s' AS a, b'1' AS c FROM b /* x /* y */ */", "SELECT 'it''s' AS a, b'1' AS c FROM b"),
        ("mysql", "SELECT if(a < 0, 'r', 's') AS k FROM b", "SELECT CASE WHEN a < 0 THEN 'r' ELSE 's' END AS k FROM b"),
        ("mysql", 'SELECT "a" AS b, `c` FROM d # e', "SELECT 'a' AS b, `c` FROM d"),
        ("snowflake", "SELECT 'it''s' AS a FROM b", r"SELECT 'it\'s' AS a FROM b"),
    ],
)
def test_plain_texts_are_sent_as_they_are_meant(dialect: str, query: str, sent: str | None) -> None:
    assert select(query, dialect) == (sent or query.replace("regexp_replace", "REGEXP_REPLACE"))


def test_a_query_is_sent_without_comments_which_some_databases_execute() -> None:
    assert select("SELECT a /*!50000 INTO OUTFILE '/tmp/x' */ FROM b -- c", "mysql") == "SELECT a FROM b"


def test_new_rows_are_asked_for_by_the_time_column() -> None:
    options = {"time_column": "at", "since": date(2024, 1, 7)}
    found = select("shop.Orders", "postgres", **options)
    assert found == """SELECT * FROM "shop"."Orders" WHERE "at" >= '2024-01-07'"""
    query = "SELECT id, date_trunc('day', at) AS at, coalesce(a, 0) FROM orders"
    assert select(query, "postgres", **options).endswith(""" FROM orders) AS source WHERE "at" >= '2024-01-07'""")


@pytest.mark.parametrize("query", ["SELECT * FROM read_csv('{}')", "SELECT * FROM '{}'"])
def test_a_query_of_duckdb_reads_no_other_file(tmp_path: Path, query: str) -> None:
    in_duckdb(tmp_path / "shop.duckdb", ROWS[:1])
    (tmp_path / "secret.csv").write_text(csv(ROWS))
    source = Source("shop", "duckdb", str(tmp_path / "shop.duckdb"), "shop", query.format(tmp_path / "secret.csv"))
    with pytest.raises(ClvError):
        pull(source, tmp_path, SourceState(), NoProgress())


def test_a_statement_that_takes_too_long_is_stopped(
    shop: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv_core.collection.sources.databases.TIMEOUT_SECONDS", 0.2)
    endless = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) AS a, 1 AS b FROM r"
    with pytest.raises(ClvError, match="stopped"):
        pull(replace(shop, what=endless, time_column=""), tmp_path, SourceState(), NoProgress())


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "postgresql", "where": "postgresql://a:b@db/shop"}, "source_password"),
        ({"kind": "postgresql", "where": "postgresql://a@db/shop?options=-c%20x"}, "source_options"),
        ({"kind": "postgresql", "where": "mysql://a@db/shop"}, "source_address"),
        ({"kind": "https", "where": "http://shop.example.com/a.csv", "time_column": ""}, "source_address"),
        ({"kind": "folder"}, "source_time_column"),
        ({"kind": "folder", "what": "", "time_column": ""}, "source_pattern"),
        ({"kind": "folder", "what": "../*.csv", "time_column": ""}, "source_pattern"),
        ({"kind": "folder", "what": "/etc/*", "time_column": ""}, "source_pattern"),
        ({"kind": "fax"}, "source_kind"),
        ({"look_back_days": -1}, "source_grows"),
    ],
)
def test_a_source_that_cannot_work_or_is_not_safe_is_not_saved(
    workspace: Workspace, shop: Source, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(UsageError) as raised:
        add_source(workspace, replace(shop, **fields))
    assert raised.value.code == code and list_sources(workspace) == []


def test_a_source_is_in_a_backup_and_can_be_removed(workspace: Workspace, shop: Source, tmp_path: Path) -> None:
    add_source(workspace, shop)
    assert back_up(workspace, tmp_path / "backup.zip", NoProgress())["files"] >= 1
    with pytest.raises(Refused, match="already"):
        add_source(workspace, shop)
    remove_source(workspace, "shop")
    with pytest.raises(NotFound):
        load_source(workspace, "shop")


def test_times_that_cannot_be_put_in_order_are_refused(workspace: Workspace, shop: Source) -> None:
    add_source(workspace, replace(shop, time_column="customer_id"))
    with pytest.raises(Refused, match="no times"):
        refresh(workspace, "shop")


def test_a_secret_is_read_from_where_its_reference_says_and_never_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "a b")
    (tmp_path / "token").write_text("c\n")
    assert (secret("env:TOKEN"), secret(f"file:{tmp_path / 'token'}")) == ("a b", "c")
    for given in ("hunter2", "env:", "keyring:shop", "env:NO_SUCH_TOKEN", "file:/no/such"):
        with pytest.raises(UsageError) as raised:
            secret(given)
        assert "hunter2" not in str(raised.value)
