"""Sources on real servers: PostgreSQL and MariaDB from Debian's packages, an S3 store from moto."""

from __future__ import annotations

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
from clv_core.collection.sources import Source, SourceState, add_source, pull
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.backup import back_up
from clv_core.errors import ClvError, Refused
from clv_core.jobs import NoProgress
from clv_core.preprocessing.refresh import refresh
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
    load_postgres(
        postgres[1],
        "orders",
        "customer_id text, event_time timestamp, order_id text, amount numeric(10, 2), channel text",
        csv,
    )
    file = ingest(workspace, csv, "file")
    add_source(workspace, source_of(postgres, "SELECT * FROM orders", time_column="event_time"))
    assert refresh(workspace, "shop").manifest.version == file.version and file.rows_kept == 1_000_000


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
    path = open_dataset(workspace, "shop").events_path
    return sorted(
        duckdb.sql(
            f"SELECT order_id, customer_id, strftime(event_time, '%Y-%m-%d %H:%M:%S'), amount FROM '{path}'"
        ).fetchall()
    )


def expected(rows: list[tuple[str, str, datetime, str]]) -> list[tuple[str, str, str, float]]:
    return sorted(
        (order, customer, f"{when:%Y-%m-%d %H:%M:%S}", float(amount)) for order, customer, when, amount in rows
    )


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
        begun, process = (
            time.monotonic(),
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        )
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
    add_source(workspace, replace(source_of(postgres, "no_such_table"), name="broken"))
    add_source(
        workspace, replace(source_of(postgres, "growing"), name="wrong", where=postgres[0].replace("reader", "x"))
    )
    errors = []
    for name in ("broken", "wrong"):
        with pytest.raises(ClvError) as raised:
            refresh(workspace, name)
        errors.append(raised.value.message())
    job, processes = jobs.start(workspace, ["source", "run", "shop"], language="en"), b""
    while job.status()["state"] == jobs.RUNNING:
        processes += subprocess.run(["ps", "axww", "-o", "args"], capture_output=True).stdout
    assert job.status()["state"] == jobs.DONE
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
