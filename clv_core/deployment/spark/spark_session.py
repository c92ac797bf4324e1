"""A Spark session: local on this machine, or a cluster that is reached by its master's address."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clv_core.collection.store import EVENTS
from clv_core.deployment.shards import NEEDED, REMOTE
from clv_core.errors import ClvError, NotFound, Refused
from clv_core.scratch import new_folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LOCAL: Final = "local[2]"
SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",  # it would be drawn into a command's answer
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",  # times are taken as they are stored: no zone may move them
}
"""What must hold for Spark to hand over what is stored."""
LOCAL_SETTINGS: Final = {
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
}
"""Beside them on one machine, where nothing need be reached from outside."""


class Spark:
    """A Spark session; it is stopped when this is closed or unused.

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
        self._finalizer = weakref.finalize(self, _discard, self.session, folder)

    def read(self, source: str) -> DataFrame:
        """Return Parquet files as they are; nothing is read yet.

        Args:
            source: a version of a dataset, a Parquet file, or a folder of such files, also a partitioned one; under
                this path or address (``s3a://...``) all workers see it.

        Raises:
            NotFound: there is no Parquet file.
            Refused: it lacks a column of customers or of times.
        """
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
        """Stop the session and remove its files; closing twice does nothing."""
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


def _discard(session: SparkSession, folder: Path) -> None:
    try:
        session.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
