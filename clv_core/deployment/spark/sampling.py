"""A sample of a folder's customers as an ordinary dataset, small enough for training on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clv_core.collection import scratch_folder
from clv_core.collection.ingest import ingest
from clv_core.collection.store import Dataset, Manifest, SampledFrom
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.deployment.model_record import Sampled
from clv_core.deployment.spark.spark_session import LogFolder
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

MAX_CUSTOMERS: Final = 200_000
"""Training uses at most 50,000 windows of them and 100,000 customers for the anchor."""
DIGITS: Final = 8
"""Hexadecimal digits of the hash that decide."""
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
    texts = {EVENT_TIME: moment, CUSTOMER_ID: F.col(CUSTOMER_ID).cast("string")}
    stored = folder.spark.read(folder.events).withColumns(texts)
    counted = stored.agg(F.countDistinct(CUSTOMER_ID).alias("customers"), F.count("*").alias("events"))
    totals: dict[str, int] = counted.collect()[0].asDict()
    share = min(1.0, customers / max(totals["customers"], 1))
    with scratch_folder(workspace) as scratch:
        stored.filter(in_sample(share)).write.parquet(str(scratch / "sample"))
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


def in_sample(share: float) -> str:
    """Return SQL that says whether a row's customer is in the sample: by a hash of the id, so the same in any engine.

    A larger sample holds every smaller one.

    Args:
        share: of all customers, in (0, 1].
    """
    if share >= 1:
        return f"{CUSTOMER_ID} IS NOT NULL"
    return f"left(md5({CUSTOMER_ID}), {DIGITS}) < '{round(share * 16**DIGITS):0{DIGITS}x}'"


def sample_of(dataset: Dataset) -> Sampled | None:
    """Return which sample of a larger log a dataset is; None where it is none."""
    manifest = dataset.manifest
    if manifest.sampled is None:
        return None
    counts = {"kept_customers": manifest.customers, "kept_events": manifest.rows_kept}
    return Sampled(**vars(manifest.sampled), **counts)
