"""Sources on real servers: PostgreSQL and MariaDB from Debian's packages, an S3 store from moto."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from random import Random
from urllib.parse import quote

import duckdb
import httpx
import pytest

from clv_core import jobs
from clv_core.collection.ingest import ingest
from clv_core.collection.sources import (
    Source,
    SourceState,
    add_source,
    check_role,
    load_state,
    update_source,
)
from clv_core.collection.sources.pull import pull
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import ClvError, Refused
from clv_core.jobs import NoProgress
from clv_core.preprocessing.refresh import refresh
from clv_core.upkeep.backup import back_up
from clv_core.workspace import Workspace
from tests import servers
from tests.servers import Run

pytestmark = pytest.mark.slow
PASSWORD = "s3cret p@ss:/wörd%41"
CDNOW = Path(str(find_spec("lifetimes").origin)).parent / "datasets" / "CDNOW_master.txt"  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with servers.open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[str, Run]]:
    """A PostgreSQL server with a role ``reader`` as the documents make it: its address, and a superuser's SQL."""
    with servers.postgresql() as (port, run):
        run(
            f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'; GRANT pg_read_all_data TO reader;"
            " ALTER ROLE reader SET default_transaction_read_only = on;"
        )
        yield f"postgresql://reader@127.0.0.1:{port}/postgres", run


@pytest.fixture(scope="module")
def mariadb() -> Iterator[tuple[str, Run]]:
    """A MariaDB server with a user ``reader``: its address, and an administrator's SQL."""
    with servers.mariadb() as (port, run):
        run(
            f"CREATE DATABASE shop; CREATE USER reader@'%' IDENTIFIED BY '{PASSWORD}';"
            " GRANT SELECT ON shop.* TO reader@'%'; DROP USER IF EXISTS ''@localhost;"
        )
        yield f"mysql://reader@127.0.0.1:{port}/shop", run


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    return Workspace(tmp_path / "workspace")


@pytest.fixture(scope="module")
def cdnow(folder: Path) -> Path:
    path = folder / "cdnow.csv"
    duckdb.sql(f"""COPY (SELECT p[1] AS customer_id, strptime(p[2], '%Y%m%d')::DATE AS date, p[3]::INT AS quantity,
        p[4]::DECIMAL(10, 2) AS amount FROM (SELECT regexp_split_to_array(trim(line), '\\s+') AS p FROM
        read_csv('{CDNOW}', columns = {{'line': 'VARCHAR'}}, delim = '\x07', header = false)) WHERE p[1] ~ '^[0-9]+$')
        TO '{path}' (HEADER)""")
    os.chmod(path, 0o644)
    return path


def source_of(server: tuple[str, Run], what: str, **fields: object) -> Source:
    where = server[0]
    source = Source("shop", where.partition(":")[0], where, "shop", what, secret="env:SHOP_PASSWORD")
    return replace(source, **fields)  # type: ignore[arg-type]


def load_postgres(run: Run, table: str, columns: str, csv: Path) -> None:
    run(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({columns});\n\\copy {table} from '{csv}' csv header\n")


COLUMNS = "customer_id text, date date, quantity integer, amount numeric(10, 2)"


def test_cdnow_from_postgresql_is_the_same_version_as_from_the_file(
    workspace: Workspace, postgres: tuple[str, Run], cdnow: Path
) -> None:
    load_postgres(postgres[1], "cdnow", COLUMNS, cdnow)
    file = ingest(workspace, cdnow, "file")
    add_source(workspace, source_of(postgres, "cdnow", time_column="date"))
    assert refresh(workspace, "shop").manifest.version == file.version and file.rows_kept == 69_659


def test_cdnow_from_mariadb_is_the_same_version_as_from_the_file(
    workspace: Workspace, mariadb: tuple[str, Run], cdnow: Path
) -> None:
    mariadb[1](f"""USE shop; CREATE OR REPLACE TABLE cdnow ({COLUMNS.replace("text", "varchar(20)")});
        LOAD DATA LOCAL INFILE '{cdnow}' INTO TABLE cdnow FIELDS TERMINATED BY ',' IGNORE 1 LINES;""")
    file = ingest(workspace, cdnow, "file")
    add_source(workspace, source_of(mariadb, "cdnow", time_column="date"))
    assert refresh(workspace, "shop").manifest.version == file.version and file.rows_kept == 69_659


def test_a_million_simulated_rows_from_postgresql_are_the_same_version_as_from_the_file(
    workspace: Workspace, postgres: tuple[str, Run], folder: Path
) -> None:
    csv = folder / "events.csv"
    duckdb.sql(f"""COPY (SELECT 'c' || (hash(i) % 60000) AS customer_id, TIMESTAMP '2024-01-01' + to_seconds(i * 31)
        AS event_time, 'o' || i AS order_id, round(5 + (hash(i * 7) % 20000) / 100, 2)::DECIMAL(10, 2) AS amount,
        ['web', 'app', NULL][1 + i % 3] AS channel FROM range(1000000) t(i)) TO '{csv}' (HEADER)""")
    os.chmod(csv, 0o644)
    columns = "customer_id text, event_time timestamp, order_id text, amount numeric(10, 2), channel text"
    load_postgres(postgres[1], "orders", columns, csv)
    file = ingest(workspace, csv, "file")
    add_source(workspace, source_of(postgres, "SELECT * FROM orders", time_column="event_time"))
    assert refresh(workspace, "shop").manifest.version == file.version and file.rows_kept == 1_000_000


def test_money_of_postgresql_is_refused_by_name_and_its_cast_is_exact(
    workspace: Workspace, postgres: tuple[str, Run]
) -> None:
    run = postgres[1]
    run("""DROP TABLE IF EXISTS sales; DROP TYPE IF EXISTS shade; CREATE TYPE shade AS ENUM ('größer', 'weiß');
        CREATE TABLE sales AS SELECT 'c' || i % 9 AS customer_id,
        timestamp '2024-01-01' + i * interval '1 hour' AS event_time,
        (i * 1.37)::numeric::money AS price, interval '1 hour' * i AS took, ARRAY[i, i] AS parts,
        (ARRAY['größer', 'weiß'])[1 + i % 2]::shade AS shade FROM generate_series(1, 100) i""")
    add_source(workspace, source_of(postgres, "sales"))
    with pytest.raises(Refused) as raised:
        refresh(workspace, "shop")
    said = raised.value.message()
    assert all(one in said for one in ("price (money)", "took (interval)", "parts (_int4)")), said
    casts = "CAST(price AS DECIMAL) AS price, EXTRACT(epoch FROM took) AS took, CAST(parts AS TEXT) AS parts"
    assert casts in said
    update_source(workspace, source_of(postgres, f"SELECT customer_id, event_time, {casts}, shade FROM sales"))
    manifest = refresh(workspace, "shop").manifest
    assert f"{manifest.net_revenue:.2f}" == run("SELECT sum(price::numeric) FROM sales")
    path = open_dataset(workspace, "shop").events_path
    assert duckdb.sql(f"SELECT DISTINCT shade FROM '{path}' ORDER BY 1").fetchall() == [("größer",), ("weiß",)]
    took = duckdb.sql(f"SELECT sum(took::DOUBLE) FROM '{path}'").fetchall()[0][0]
    assert took == float(run("SELECT extract(epoch FROM sum(took)) FROM sales"))


def test_types_of_mariadb_are_read_exactly_or_refused_by_name(workspace: Workspace, mariadb: tuple[str, Run]) -> None:
    mariadb[1]("""USE shop; CREATE OR REPLACE TABLE sales AS WITH RECURSIVE s AS
        (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM s WHERE seq < 100) SELECT concat('c', seq % 9) AS customer_id,
        timestamp '2024-01-01 00:00:00' + interval seq hour AS event_time, cast(seq * 1234.567 AS float) AS price,
        cast(seq * 0.1 AS decimal(40, 10)) AS fee, cast(seq AS double) / 3 AS third, seq % 2 AS express FROM s;
        ALTER TABLE sales MODIFY express bit(1);""")
    add_source(workspace, source_of(mariadb, "sales"))
    with pytest.raises(Refused, match=r"price \(FLOAT\).*CAST\(price AS DOUBLE\) AS price"):
        refresh(workspace, "shop")
    query = "SELECT customer_id, event_time, CAST(price AS DOUBLE) AS price, fee, third, express FROM sales"
    update_source(workspace, source_of(mariadb, query, answers={"mapping": {"amount": "price"}}))
    manifest = refresh(workspace, "shop").manifest
    assert manifest.net_revenue == pytest.approx(float(mariadb[1]("SELECT sum(price) FROM shop.sales")), abs=0.005)
    columns = "sum(fee::DECIMAL(38, 10)), sum(third::DOUBLE), sum(express::INTEGER)"
    found = duckdb.sql(f"SELECT {columns} FROM '{open_dataset(workspace, 'shop').events_path}'").fetchall()[0]
    assert [*map(float, found)] == pytest.approx([505, 5050 / 3, 50], rel=1e-12)


HOSTILE = [
    r"SELECT e'\\', ' AS q, {}::text AS x, $a$' AS z$a$",
    r"SELECT E'\\', ' AS q, {}::text AS x, $a$' AS z$a$",
    r"SELECT 'a\', {} AS b, ' AS c",
    r"SELECT 'a\' AS b, {} AS c, '' AS d",
    r"SELECT U&'\0027, {}, \0027' AS a, 1 AS b",
    r"SELECT U&'a!0027' UESCAPE '!' AS a, {} AS b",
    "SELECT 1 AS a /* /* */ , {} AS b /* */ */, 2 AS c",
    "SELECT 1 AS a /*! , {} AS b */, 2 AS c",
    "SELECT 1 AS a /*M! , {} AS b */, 2 AS c",
    "SELECT 1 AS a, 2 AS b -- \n, {} AS c",
    "SELECT 1 AS a, 2 AS b --x\r, {} AS c",
    "SELECT 1 AS a, 2 AS b; SELECT {}",
    "SELECT 1$a$, {}, $a$ AS a, 2 AS b",
    'SELECT "a\\", {}, "b" AS c',
    'SELECT "a"", {}, """ AS c, 1 AS b',
    "SELECT `a``, {}, ``` AS c, 1 AS b",
    "SELECT 'a' '\\' ', {}, ' AS c, 1 AS b",
    "SELECT n'a', {} AS c",
    "SELECT _gbk'\xbf', {}, ' AS c, 1 AS d",
    "SELECT 1 AS a, 2 AS b FROM (SELECT {}) x",
    "SELECT 1 AS a, 2 AS b ORDER BY {}",
    "SELECT 1 AS a, 2 AS b LIMIT (SELECT 1 FROM (SELECT {}) x)",
    "WITH x AS (SELECT {} AS y) SELECT 1 AS a, y FROM x",
    "VALUES (1, {})",
]


def sent_or_refused(source: Source, target: Path) -> str:
    """Return what a source gave, in words, or "" where it was refused."""
    target.mkdir(exist_ok=True)
    try:
        pulled = pull(source, target, SourceState(), NoProgress())
    except ClvError:
        return ""
    return str(duckdb.sql(f"FROM '{pulled.paths[0]}'").fetchall())


@pytest.mark.parametrize("call", ["pg_sleep(4)", "pg_read_file($b$/etc/passwd$b$)", "pg_catalog.pg_sleep(4)"])
def test_no_shape_runs_a_function_that_postgresql_would_run_for_a_superuser(
    workspace: Workspace, postgres: tuple[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "admin")
    source = source_of(postgres, "", where=postgres[0].replace("reader", "postgres"))
    begun = time.monotonic()
    for shape in HOSTILE:
        said = sent_or_refused(replace(source, what=shape.format(call)), tmp_path / "pulled")
        assert "root:" not in said, shape
    assert time.monotonic() - begun < 4
    assert "1" in sent_or_refused(replace(source, what="SELECT 1 AS a, 2 AS b"), tmp_path / "pulled")


@pytest.mark.parametrize("call", ["sleep(4)", "load_file('/etc/passwd')", "benchmark(400000000, md5(1))"])
@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"])
def test_no_shape_runs_a_function_that_mariadb_would_run(
    workspace: Workspace, mariadb: tuple[str, Run], tmp_path: Path, call: str, mode: str
) -> None:
    mariadb[1](f"SET GLOBAL sql_mode = '{mode}'")
    begun = time.monotonic()
    for shape in HOSTILE:
        said = sent_or_refused(source_of(mariadb, shape.format(call)), tmp_path / "pulled")
        assert "root:" not in said, shape
    assert time.monotonic() - begun < 4
    mariadb[1]("SET GLOBAL sql_mode = DEFAULT")


def test_what_a_role_may_do_beside_reading_is_said_when_its_source_is_added(
    workspace: Workspace, postgres: tuple[str, Run], mariadb: tuple[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN", "admin")
    run = postgres[1]
    run("""DROP TABLE IF EXISTS sales; CREATE TABLE sales (a int); CREATE ROLE writer LOGIN PASSWORD 'admin';
        GRANT INSERT ON sales TO writer; GRANT CREATE ON SCHEMA public TO writer;
        GRANT pg_read_server_files TO writer""")
    mariadb[1]("""DROP DATABASE IF EXISTS test; DELETE FROM mysql.db WHERE Db LIKE 'test%'; FLUSH PRIVILEGES;
        CREATE USER writer@'%' IDENTIFIED BY 'admin'; GRANT SELECT, INSERT ON shop.* TO writer@'%';
        GRANT FILE ON *.* TO writer@'%'""")
    reader, own = source_of(postgres, "sales"), source_of(mariadb, "sales")
    assert check_role(reader) == [] and check_role(own) == []
    admin = {"secret": "env:ADMIN"}
    (said,) = check_role(replace(reader, where=reader.where.replace("reader", "postgres"), **admin))
    assert said.params == {"role": "postgres", "powers": ["SUPERUSER"]}
    (said,) = check_role(replace(reader, where=reader.where.replace("reader", "writer"), **admin))
    powers = ["pg_read_server_files", "CREATE ON SCHEMA public", "INSERT, UPDATE or DELETE ON sales"]
    assert said.params == {"role": "writer", "powers": powers}
    (said,) = check_role(replace(own, where=own.where.replace("reader", "writer"), **admin))
    assert said.params == {"role": "writer@%", "powers": ["FILE ON *.*", "INSERT ON `shop`.*"]}
    (said,) = check_role(replace(reader, where=reader.where.replace("reader", "nobody")))
    assert said.code == "warning.source_unreached"
    words = ["source", "add", "risky", "--kind", "postgresql", "--what", "sales", "--secret", "env:ADMIN", "--from"]
    words += [postgres[0].replace("reader", "writer"), "--workspace", str(workspace.root)]
    done = subprocess.run([sys.executable, "-m", "clv_core", *words], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["warnings"][0]["code"] == "source_role"
    assert load_state(workspace, "risky").role[0].params["powers"] == powers


START = datetime(2025, 1, 1)


def orders_of_day(random: Random, day: int) -> list[tuple[str, str, datetime, str]]:
    """Return a day's orders, a tenth of which are dated up to two days before."""
    rows = []
    for i in range(random.randint(40, 80)):
        late = timedelta(days=random.randint(1, 2)) if random.random() < 0.1 and day > 2 else timedelta()
        when = START + timedelta(days=day, seconds=random.randrange(86_400)) - late
        rows.append((f"{day}-{i}", f"c{random.randrange(200)}", when, f"{random.randrange(100, 9999) / 100:.2f}"))
    return rows


def insert(run: Run, rows: list[tuple[str, str, datetime, str]]) -> None:
    values = ", ".join(
        f"('{order}', '{customer}', '{when:%Y-%m-%d %H:%M:%S}', {amount})" for order, customer, when, amount in rows
    )
    run(f"INSERT INTO growing VALUES {values};")


def stored(workspace: Workspace) -> list[tuple[str, str, str, float]]:
    columns = "order_id, customer_id, strftime(event_time, '%Y-%m-%d %H:%M:%S'), amount"
    return sorted(duckdb.sql(f"SELECT {columns} FROM '{open_dataset(workspace, 'shop').events_path}'").fetchall())


def expected(rows: list[tuple[str, str, datetime, str]]) -> list[tuple[str, str, str, float]]:
    return sorted((order, who, f"{when:%Y-%m-%d %H:%M:%S}", float(amount)) for order, who, when, amount in rows)


GROWING = "order_id text, customer_id text, event_time timestamptz, amount numeric(10, 2)"


def test_twenty_runs_of_a_growing_table_append_exactly_its_new_rows(
    workspace: Workspace, postgres: tuple[str, Run]
) -> None:
    random, rows = Random(1), []
    postgres[1](f"DROP TABLE IF EXISTS growing; CREATE TABLE growing ({GROWING});")
    add_source(workspace, source_of(postgres, "growing", time_column="event_time"))
    for day in range(20):
        new = orders_of_day(random, day)
        insert(postgres[1], new)
        rows += new
        done = refresh(workspace, "shop")
        assert done.new_rows == len(new)
        assert stored(workspace) == expected(rows)
    assert done.rows < len(rows) / 2  # the look-back alone was fetched


def test_a_run_that_is_killed_loses_no_row_and_doubles_none(workspace: Workspace, postgres: tuple[str, Run]) -> None:
    random, rows, killed = Random(2), [], 0
    postgres[1](f"DROP TABLE IF EXISTS growing; CREATE TABLE growing ({GROWING});")
    add_source(workspace, source_of(postgres, "growing", time_column="event_time"))
    command = [sys.executable, "-m", "clv_core", "source", "run", "shop", "--workspace", str(workspace.root), "--quiet"]
    seconds = 0.0
    for day in range(21):
        new = orders_of_day(random, day)
        insert(postgres[1], new)
        rows += new
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if day == 0:
            assert process.wait() == 0
            seconds = time.monotonic() - begun
            continue
        try:
            process.wait(random.uniform(0.2, 1) * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        if day % 4 == 0:
            refresh(workspace, "shop")
            assert stored(workspace) == expected(rows)
    refresh(workspace, "shop")
    assert stored(workspace) == expected(rows) and killed >= 8


@pytest.mark.parametrize(
    "what",
    [
        "SELECT 1; DROP TABLE safe",
        "COPY safe TO PROGRAM 'touch /tmp/x'",
        "SELECT setval('s', 9)",
        "SELECT lo_import('/etc/passwd')",
        "WITH gone AS (DELETE FROM safe RETURNING *) SELECT * FROM gone",
    ],
)
def test_what_writes_is_refused_and_the_role_of_the_documents_cannot_either(
    workspace: Workspace, postgres: tuple[str, Run], what: str
) -> None:
    run = postgres[1]
    run("DROP TABLE IF EXISTS safe; CREATE TABLE safe AS SELECT 1 AS a; CREATE SEQUENCE IF NOT EXISTS s;")
    with pytest.raises(Refused):
        add_source(workspace, source_of(postgres, what))
    environment = {**os.environ, "PGPASSWORD": PASSWORD}
    done = subprocess.run(
        ["psql", "-X", "-v", "ON_ERROR_STOP=1", postgres[0], "-c", what], env=environment, capture_output=True
    )
    assert done.returncode != 0 and run("SELECT count(*) FROM safe") == "1"


def test_the_secret_is_nowhere(workspace: Workspace, postgres: tuple[str, Run], tmp_path: Path) -> None:
    postgres[1](f"DROP TABLE IF EXISTS growing; CREATE TABLE growing ({GROWING});")
    insert(postgres[1], orders_of_day(Random(3), 0))
    add_source(workspace, source_of(postgres, "growing", time_column="event_time"))
    refresh(workspace, "shop")
    add_source(workspace, source_of(postgres, "no_such_table", name="broken"))
    add_source(workspace, source_of(postgres, "growing", name="wrong", where=postgres[0].replace("reader", "x")))
    errors = []
    for name in ("broken", "wrong"):
        with pytest.raises(ClvError) as raised:
            refresh(workspace, name)
        errors.append(raised.value.message())
    job, processes = jobs.start(workspace, ["source", "run", "shop"], language="en"), b""
    while job.status().state == jobs.RUNNING:
        processes += subprocess.run(["ps", "axww", "-o", "args"], capture_output=True).stdout
    assert job.status().state == jobs.DONE
    back_up(workspace, tmp_path / "backup.zip", NoProgress())
    with zipfile.ZipFile(tmp_path / "backup.zip") as backup:
        texts = [backup.read(name) for name in backup.namelist()]
    texts += [path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()]
    texts += [processes, *map(str.encode, errors)]
    for secret in (PASSWORD, quote(PASSWORD, safe=""), "s3cret"):
        assert [text for text in texts if secret.encode() in text] == []
    assert b"SHOP_PASSWORD" in b"".join(texts)  # the search sees the reference


def test_a_bucket_is_read_file_by_file_and_each_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.s3() as port:
        bucket = f"http://127.0.0.1:{port}/shop"
        assert httpx.put(bucket).is_success
        monkeypatch.setenv("BUCKET", "id:key")
        where = f"s3://shop/exports?endpoint=http://127.0.0.1:{port}&region=us-east-1"
        add_source(workspace, Source("shop", "s3", where, "shop", "orders-*.csv", secret="env:BUCKET"))
        rows: list[tuple[str, str, datetime, str]] = []
        for day in range(3):
            new = orders_of_day(Random(day), day)
            rows += new
            lines = "".join(f"{o},{c},{w:%Y-%m-%d %H:%M:%S},{a}\n" for o, c, w, a in new)
            text = "order_id,customer_id,event_time,amount\n" + lines
            assert httpx.put(f"{bucket}/exports/orders-{day}.csv", content=text.encode()).is_success
            assert refresh(workspace, "shop").files == (f"orders-{day}.csv",)
            assert stored(workspace) == expected(rows)
        assert refresh(workspace, "shop").files == ()


def test_a_server_elsewhere_is_asked_for_an_encrypted_connection(
    workspace: Workspace, postgres: tuple[str, Run], tmp_path: Path
) -> None:
    """This server has no certificate: by an address that is not the machine's own it is refused."""
    source = source_of(postgres, "SELECT 1 AS a, 2 AS b", where=postgres[0].replace("127.0.0.1", "127.0.0.2"))
    with pytest.raises(ClvError, match="SSL"):
        pull(source, tmp_path, SourceState(), NoProgress())
    assert pull(replace(source, tls=False), tmp_path, SourceState(), NoProgress()).rows == 1
