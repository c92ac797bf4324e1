"""Score every customer of a folder of events on Spark, equal to ``score`` of a dataset to 1e-6.

The population context (anchor, level) is computed once, by the same Ibis expressions run by Spark, and broadcast to the
workers with the bundle; each makes features of some customers' lines in memory and predicts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from clv_core.collection.privacy import objection_list
from clv_core.columns import CUSTOMER_ID, EVENT_TYPE, PURCHASE
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.dataset_scoring import CUSTOMERS_AT_ONCE
from clv_core.deployment.population_context import PopulationContext, fit_population
from clv_core.deployment.shards import check_reads_folder, zone_of
from clv_core.deployment.spark import spark_worker
from clv_core.deployment.spark.spark_worker import SCORES, TOTALS, BatchFunction, BroadcastModel
from clv_core.deployment.terms import Terms
from clv_core.errors import NotEnoughData, NotFound, Refused
from clv_core.features import (
    REMOTE,
    VOCABULARIES,
    EventLog,
    LogContents,
    LogFolder,
    Spark,
    Warehouse,
    day_of,
    rows_by_customer,
)
from clv_core.jobs import Progress
from clv_core.model import CalibratedModel, Totals
from clv_core.workspace import Workspace, atomic_path

if TYPE_CHECKING:
    import ibis
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class FolderScores:
    """Summary of the scores of a folder.

    Args:
        customers: how many were predicted.
        total: sum of their predicted_clv.
        as_of: the cutoff.
        timezone: that its days were counted in.
        objected: customers of the folder who objected to profiling, by id, and are left out.
    """

    customers: int
    total: float
    as_of: date
    timezone: str
    objected: int = 0


def score_folder(
    workspace: Workspace,
    folder: LogFolder,
    model_id: str,
    out: str,
    *,
    cutoff: date | None = None,
    terms: Terms | None = None,
    progress: Progress,
) -> FolderScores:
    """Predict the value of all customers of a folder that were seen before the cutoff.

    Args:
        workspace: where the model is.
        folder: the events; its time zone is, where it names none, that of the dataset that the model learned from.
        model_id: the bundle.
        out: folder of Parquet files that is made, in the columns of ``score``, in no order.
        cutoff: as of when; None is the first midnight after the last event.
        terms: horizon, discount and margin; None is the trained horizon without discount or margin.
        progress: listener.

    Raises:
        NotFound: no model, or no events.
        NotEnoughData: the log ends before the cutoff.
        Refused: the model learned from attributes of customers, which no folder of events holds; the log has no
            purchase; ``out`` exists.
        UsageError: the time zone is neither given nor that of a dataset here.
    """
    bundle = open_bundle(workspace, model_id)
    bundle.check()
    terms = terms or Terms(bundle.record.horizon_days)
    spark, zone = folder.spark, folder.timezone or zone_of(workspace, bundle)
    check_reads_folder(bundle)
    if REMOTE not in out and Path(out).exists():
        raise Refused("out_exists", path=out)
    progress.report("features", 0, 1)
    table = spark.events(folder.events, zone)
    objected = _objected(workspace, spark)
    if objected:
        table = table.filter(table[CUSTOMER_ID].notin(objected))
    end = _end(table, spark.connection, folder.events)
    as_of = cutoff or end
    if as_of > end:
        raise NotEnoughData("cutoff_after_log", cutoff=as_of.isoformat(), end=end.isoformat())
    contents = LogContents(**bundle.record.train_config.of_log())
    log = EventLog.from_table(table, spark.connection, contents=contents, before=as_of)
    by_customer, broadcast = scoring_query(log, bundle, as_of, zone, terms)
    rows = spark.session.sql(str(spark.connection.compile(by_customer)))
    progress.report("scoring", 0, 1)
    if isinstance(bundle.model, CalibratedModel):
        from pyspark import StorageLevel

        rows = rows.persist(StorageLevel.DISK_ONLY)  # read once for the level, once for the predictions
        parts = _on_workers(spark, rows, spark_worker.totals, broadcast, TOTALS)
        (sums,) = parts.selectExpr(*(f"sum({name})" for name in Totals._fields)).collect()
        broadcast = broadcast.at_level(bundle.model, Totals(*(total or 0.0 for total in sums)))
    _save(_on_workers(spark, rows, spark_worker.scores, broadcast, SCORES), out)
    rows.unpersist()
    ((customers, total),) = spark.session.read.parquet(out).selectExpr("count(*)", "sum(predicted_clv)").collect()
    progress.report("scoring", customers, customers)
    return FolderScores(customers, float(total), as_of, zone, len(objected))


def _objected(workspace: Workspace, spark: Spark) -> list[str]:
    """Return the ids of those in the events who objected to profiling; the driver compares them, some at a time."""
    listed = objection_list(workspace)
    if not listed.hashes:
        return []
    rows = spark.session.sql(f"SELECT DISTINCT {CUSTOMER_ID} FROM events").toLocalIterator()
    ids = (str(row[0]) for row in rows if row[0] is not None)
    found: list[str] = []
    while part := list(islice(ids, CUSTOMERS_AT_ONCE)):
        frame = pd.DataFrame({CUSTOMER_ID: part})
        found += frame.loc[listed.hides(frame), CUSTOMER_ID].tolist()
    return sorted(found)


def _end(events: ibis.Table, connection: ibis.BaseBackend, folder: str) -> date:
    """Return the first midnight after the last event."""
    last = connection.to_pyarrow(events.aggregate(last=events.event_time.max())).to_pylist()[0]["last"]
    if last is None:
        raise NotFound("no_events_folder", path=folder)
    end: date = last.date() + timedelta(days=1)
    return end


def scoring_query(
    log: EventLog, bundle: Bundle, as_of: date, zone: str, terms: Terms
) -> tuple[ibis.Table, BroadcastModel]:
    """Return a query of the engine for the customers, one row each, and what is broadcast to the workers.

    Args:
        log: held by an engine; nothing at or after ``as_of`` is in it.
        bundle: the model.
        as_of: midnight, log-local.
        zone: the log's time zone.
        terms: horizon, discount and margin.

    Raises:
        Refused: the log has no purchase.
    """
    warehouse, config = log.store, bundle.record.train_config
    assert isinstance(warehouse, Warehouse)
    texts = {name: warehouse.texts(name) for name in VOCABULARIES}
    if PURCHASE not in texts["type"]:
        raise Refused("events_no_purchase", types=", ".join(texts["type"][:10]) or "-", column=EVENT_TYPE)
    population = PopulationContext("", "", as_of, zone, **fit_population(bundle.model, log, as_of, config))
    rows = rows_by_customer(warehouse, day_of(as_of), log.signals)
    return rows, BroadcastModel.of(bundle, population, texts, terms)


def _on_workers(
    spark: Spark, rows: DataFrame, predict: BatchFunction, broadcast: BroadcastModel, schema: str
) -> DataFrame:
    variable: Any = spark.session.sparkContext.broadcast(broadcast)
    return rows.mapInArrow(partial(spark_worker.each_batch, predict, variable), schema)


def _save(scores: DataFrame, out: str) -> None:
    """Write the files; a folder of this machine appears when all of them are in."""
    from pyspark.errors import AnalysisException

    if REMOTE not in out:
        with atomic_path(Path(out).absolute()) as temporary:
            scores.write.parquet(str(temporary))
        return
    try:
        scores.write.parquet(out)
    except AnalysisException as error:
        if error.getCondition() == "PATH_ALREADY_EXISTS":
            raise Refused("out_exists", path=out) from error
        raise
