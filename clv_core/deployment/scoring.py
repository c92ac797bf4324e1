"""Score every customer of a dataset as of a cutoff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotEnoughData, UsageError
from clv_core.features.log import open_log
from clv_core.features.season import scoring_parts, scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.model.predictions import Predictions
from clv_core.workspace import Workspace, atomic_path

T = TypeVar("T")

CUSTOMERS_AT_ONCE: Final = 65_536
"""A multiple of the batches that networks read, so that parts change no bit; about 400 MB of features and steps."""
DISCOUNT_POINTS: Final = 12
DAYS_PER_YEAR: Final = 365.25


def score(bundle: Bundle, dataset: Dataset, *, progress: Progress, **asked: Any) -> pd.DataFrame:
    """Return what :func:`score_parts` yields as one frame."""
    return pd.concat(list(score_parts(bundle, dataset, progress=progress, **asked)), ignore_index=True)


def score_parts(
    bundle: Bundle,
    dataset: Dataset,
    *,
    cutoff: date | None = None,
    horizon_days: int | None = None,
    discount_rate: float = 0.0,
    margin_rate: float = 1.0,
    progress: Progress,
) -> Iterator[pd.DataFrame]:
    """Predict the value of all customers seen before the cutoff, some of them at a time.

    The networks read parts of :data:`CUSTOMERS_AT_ONCE`, so that memory hardly grows with the log; other models, some
    of which are fitted on everyone who is to be scored, answer in one part.

    Args:
        bundle: the trained model.
        dataset: the events; those at or after the cutoff are not read.
        cutoff: as of when; None is the log's end.
        horizon_days: how far ahead; None is the horizon that the model was trained on.
        discount_rate: yearly rate at which later value is discounted, 0.1 is 10%.
        margin_rate: share of net value that is margin, in (0, 1].
        progress: listener.

    Yields:
        One row a customer, columns of design section 4 (``score``), ordered by customer_id.
    """
    from clv_core.model.deep import DeepModel

    if not 0 < margin_rate <= 1 or not 0 <= discount_rate < 10:
        raise UsageError("bad_rates", margin_rate=margin_rate, discount_rate=discount_rate)
    config = TrainConfig.from_json(bundle.record["config"])
    horizon = horizon_days or config.horizon_days
    cutoff = cutoff or dataset.log_end
    progress.report("features", 0, 1)
    log = open_log(dataset, before=cutoff, **config.of_log())
    if cutoff <= log.first_day:
        raise NotEnoughData("cutoff_before_log", cutoff=cutoff.isoformat(), first=log.first_day.isoformat())
    of_each: list[tuple[pd.Index[Any], NDArray[np.float64]]] = []

    def noted(parts: Iterable[Snapshot]) -> Iterator[Snapshot]:
        for part in parts:
            of_each.append((part.features.index, margin_rate * discount_factor(part, horizon, discount_rate)))
            progress.report("scoring", sum(len(ids) for ids, _ in of_each), dataset.manifest.customers)
            yield part

    how = {"horizon_days": config.horizon_days, "max_steps": config.max_steps_back}
    model = bundle.model
    if isinstance(model, DeepModel):
        parts = ahead(scoring_parts(log, cutoff, **how, customers_at_once=CUSTOMERS_AT_ONCE))
        answers = model.predict_parts(noted(parts), horizon)
    else:
        answers = (model.predict(part, horizon) for part in noted([scoring_snapshot(log, cutoff, **how)]))
    for number, predictions in enumerate(answers):
        ids, factor = of_each[number]
        yield scaled(predictions, factor).frame(ids, cutoff, horizon, bundle.id)
    log.close()


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield ``items``, each made while the one before it is used."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = beside.submit(next, items, None)
            yield item


@contextmanager
def table_file(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield what adds rows to a file, CSV or Parquet by its ending; the file appears when all are in."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary, ExitStack() as stack:
        writer: pq.ParquetWriter | None = None

        def write(frame: pd.DataFrame) -> None:
            nonlocal writer
            if path.suffix != ".parquet":
                frame.to_csv(temporary, index=False, mode="a", header=not temporary.exists())
                return
            table = pa.Table.from_pandas(frame, preserve_index=False)
            writer = writer or stack.enter_context(pq.ParquetWriter(temporary, table.schema))
            writer.write_table(table)

        yield write


def scores_path(workspace: Workspace, bundle: Bundle, dataset: Dataset, cutoff: date | None = None) -> Path:
    """Return where the plain scores of a model as of a cutoff (default: log end) are kept."""
    as_of = cutoff or dataset.log_end
    return workspace.predictions / bundle.id / f"{dataset.name}-{dataset.manifest.version}-{as_of:%Y%m%d}.parquet"


def scaled(predictions: Predictions, factor: NDArray[np.float64]) -> Predictions:
    """Return the predictions with every value multiplied by ``factor`` [n]."""
    values = ("predicted_clv", "clv_p10", "clv_p50", "clv_p90")
    return replace(predictions, **{name: getattr(predictions, name) * factor for name in values})


def discount_factor(snapshot: Snapshot, horizon_days: int, yearly_rate: float) -> NDArray[np.float64]:
    """Return what share of each customer's value is left after discounting, [n] in (0, 1].

    Value is spread over the horizon as the anchor expects purchases to fall; customers who have never bought, evenly.
    """
    factor = np.ones(len(snapshot))
    if yearly_rate == 0:
        return factor
    edges = np.linspace(0, horizon_days, DISCOUNT_POINTS + 1)
    weights = (1 + yearly_rate) ** (-(edges[:-1] + edges[1:]) / 2 / DAYS_PER_YEAR)
    for day, anchor in snapshot.anchors.items():
        rows = np.flatnonzero(snapshot.cutoff_day == day)
        features = snapshot.features.iloc[rows]
        counts = np.column_stack([anchor.expected_count(features, edge) for edge in edges])
        parts = np.diff(counts, axis=1)
        total = parts.sum(axis=1)
        parts[total <= 1e-12] = 1.0
        factor[rows] = parts @ weights / parts.sum(axis=1)
    return factor
