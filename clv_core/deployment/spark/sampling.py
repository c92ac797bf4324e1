"""A sample of a folder's customers as an ordinary dataset, small enough for training on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from clv_core.collection import scratch_folder
from clv_core.collection.ingest import ingest
from clv_core.collection.store import Dataset, Manifest, SampledFrom
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.deployment.model_record import Sampled
from clv_core.features import LogFolder
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    import ibis

MAX_CUSTOMERS: Final = 200_000
"""Training uses at most 50,000 windows of them and 100,000 customers for the anchor."""
DIGITS: Final = 8
"""Hexadecimal digits of the hash that decide."""
RAW: Final = "raw_events"
MOMENT: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"
"""With its offset, so that it is not read as a time of the log's zone."""


def sample_folder(
    workspace: Workspace,
    folder: LogFolder,
    name: str,
    *,
    customers: int = MAX_CUSTOMERS,
    currency: str = "",
    progress: Progress,
) -> Manifest:
    """Take a sample of a folder's customers, each with all of her events, and read it as the dataset ``name``.

    Args:
        workspace: where the dataset is stored.
        folder: the events; its time zone is UTC where it names none.
        name: the dataset's; one of this name gets a new version.
        customers: about how many are wanted; where there are no more, all are taken.
        currency: what the amounts are in.
        progress: listener.

    Raises:
        NotFound: there are no events.
        Refused: what :func:`~clv_core.collection.ingest.ingest` refuses.
    """
    from pyspark.sql import functions as F

    progress.report("sample", 0, 1)
    moment = F.date_format(F.col(EVENT_TIME).cast("timestamp"), MOMENT)
    spark = folder.spark
    stored = spark.read(folder.events).withColumn(EVENT_TIME, moment)
    stored.withColumn(CUSTOMER_ID, F.col(CUSTOMER_ID).cast("string")).createOrReplaceTempView(RAW)
    table = spark.connection.table(RAW)
    sizes = table.aggregate(customers=table[CUSTOMER_ID].nunique(), events=table.count())
    totals: dict[str, int] = spark.connection.to_pyarrow(sizes).to_pylist()[0]
    share = min(1.0, customers / max(totals["customers"], 1))
    sample = table.filter(in_sample(table[CUSTOMER_ID], share))
    with scratch_folder(workspace) as scratch:
        spark.session.sql(str(spark.connection.compile(sample))).write.parquet(str(scratch / "sample"))
        progress.report("sample", 1, 1)
        return ingest(
            workspace,
            scratch / "sample",
            name,
            timezone=folder.timezone or "UTC",
            currency=currency,
            sampled=SampledFrom(**totals, fraction=share),
            progress=progress,
            original=Path(folder.events).name,
        )


def in_sample(ids: ibis.Value, share: float) -> ibis.Value:
    """Say of customers whether they are in the sample: by a hash of the id alone, so that it is the same anywhere.

    A larger sample holds every smaller one.

    Args:
        ids: their ids, text.
        share: of all customers, in (0, 1].
    """
    import ibis

    if share >= 1:
        return ids.notnull()
    bound = f"{round(share * 16**DIGITS):0{DIGITS}x}"
    return ids.hexdigest("md5").lower().left(DIGITS) < ibis.literal(bound)


def sample_of(dataset: Dataset) -> Sampled | None:
    """Return which sample of a larger log a dataset is; None where it is none."""
    manifest = dataset.manifest
    if manifest.sampled is None:
        return None
    counts = {"kept_customers": manifest.customers, "kept_events": manifest.rows_kept}
    return Sampled(**vars(manifest.sampled), **counts)
