"""A Spark session as an Ibis engine: local on this machine, or a cluster that is reached by its master's address."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
import warnings
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clv_core.collection.store import EVENTS, TYPES
from clv_core.columns import COLUMNS, CUSTOMER_ID, EVENT_TIME
from clv_core.errors import ClvError, NotFound, Refused
from clv_core.scratch import new_folder

if TYPE_CHECKING:
    import ibis
    from pyspark.sql import DataFrame, SparkSession

LOCAL: Final = "local[2]"
REMOTE: Final = "://"
"""In the address of a folder that is not a path of this machine."""
NEEDED: Final = (CUSTOMER_ID, EVENT_TIME)
SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",  # it would be drawn into a command's answer
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",  # events are in the log's local time: no zone may move them
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "8192",
}
"""What must hold for Spark to compute what the embedded engine computes."""
LOCAL_SETTINGS: Final = {
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
}
"""Beside them on one machine, where nothing need be reached from outside."""


class Spark:
    """A Spark session with a database of its own for the relations; it is dropped when this is closed or unused.

    Args:
        master: ``local[2]`` is two threads of this machine; else the address of a cluster.
        settings: of Spark, over those that are usual here.

    Raises:
        ClvError: PySpark or Java is missing.
    """

    def __init__(self, master: str = LOCAL, settings: Mapping[str, str] | None = None) -> None:
        missing = why_not()
        if missing is not None:
            raise ClvError("no_spark", reason=missing)
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")  # rows leave as Arrow
        import ibis
        from pyspark.sql import SparkSession

        folder = new_folder("clv-spark-")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
        local = {"spark.sql.warehouse.dir": str(folder / "warehouse"), "spark.local.dir": str(folder / "spill")}
        options = {**SETTINGS, **(LOCAL_SETTINGS | local if master.startswith("local") else {}), **(settings or {})}
        builder = SparkSession.builder.master(master).appName("clv-studio")
        for name, value in options.items():
            builder = builder.config(name, value)
        self.session: SparkSession = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        database = f"clv_{uuid.uuid4().hex[:12]}"
        self.session.sql(f"CREATE DATABASE {database}")
        self.session.sql(f"USE {database}")
        self.connection: ibis.BaseBackend = ibis.pyspark.connect(self.session)
        self._finalizer = weakref.finalize(self, _discard, self.session, database, folder)

    def events(self, source: Path | str, timezone: str = "UTC") -> ibis.Table:
        """Return the canonical events of Parquet files; nothing is read yet.

        Args:
            source: a version of a dataset, a Parquet file, or a folder of such files, also a partitioned one; under
                this path or address (``s3a://...``) all workers see it. ``event_time`` is in UTC; but for it and
                ``customer_id``, columns that are not there are unknown.
            timezone: the log's; ``event_time`` becomes naive in it.

        Returns:
            Text columns as string, numbers as float64, ``event_time`` as a naive timestamp.

        Raises:
            NotFound: there is no Parquet file.
            Refused: it lacks a column of customers or of times.
        """
        from pyspark.sql import functions as F

        stored = self.read(str(source))
        kinds = {column.name: TYPES[column.kind].replace("float64", "double") for column in COLUMNS}
        kinds[EVENT_TIME] = "timestamp_ntz"
        columns = {
            name: (F.col(name) if name in stored.columns else F.lit(None)).cast(kind) for name, kind in kinds.items()
        }
        if timezone != "UTC":
            columns[EVENT_TIME] = F.convert_timezone(F.lit("UTC"), F.lit(timezone), columns[EVENT_TIME])
        stored.select(*(column.alias(name) for name, column in columns.items())).createOrReplaceTempView("events")
        return self.connection.table("events")

    def read(self, source: str) -> DataFrame:
        """Return Parquet files as they are; arguments and errors as in :meth:`events`."""
        from pyspark.errors import AnalysisException

        if REMOTE not in source:
            path = Path(source) / EVENTS if (Path(source) / EVENTS).exists() else Path(source)
            if not path.exists() or (path.is_dir() and not any(path.rglob("*.parquet"))):
                raise NotFound("no_events_folder", path=source)
            source = str(path.resolve())
        try:
            stored = self.session.read.parquet(source)
        except AnalysisException as error:  # no such folder, or no file with a schema in it
            raise NotFound("no_events_folder", path=source) from error
        if missing := [name for name in NEEDED if name not in stored.columns]:
            columns = list(stored.columns[:20]) or "-"
            raise Refused("events_columns", path=source, missing=missing, found=columns)
        return stored

    def close(self) -> None:
        """Stop the session and remove its tables; closing twice does nothing."""
        self._finalizer()

    def __enter__(self) -> Spark:
        """Return itself."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Close it."""
        self.close()


@dataclass(frozen=True)
class LogFolder:
    """A log too large for one machine.

    Args:
        spark: session that reads it.
        events: Parquet in canonical columns, ``event_time`` in UTC; a path or an address that all workers see.
        timezone: that its days are counted in, IANA; None where it is unknown.
    """

    spark: Spark
    events: str
    timezone: str | None = None


def why_not() -> str | None:
    """Return what this machine lacks for Spark, or None where it has everything."""
    try:
        import pyspark
    except ImportError as error:
        return str(error)
    java = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (java and (Path(java) / "bin" / "java").exists())):
        return f"no java on the PATH and no JAVA_HOME; pyspark {pyspark.__version__} needs Java 17"
    return None


def _discard(session: SparkSession, database: str, folder: Path) -> None:
    try:
        if session.sparkContext._jsc is not None:  # None: stopped by another session of this process
            session.sql("USE default")
            session.sql(f"DROP DATABASE IF EXISTS {database} CASCADE")
    finally:
        session.stop()
        shutil.rmtree(folder, ignore_errors=True)
