"""Score every customer of a dataset as of a cutoff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any, Final, TypeVar

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.config import DELETE, READS, TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import NotEnoughData
from clv_core.features import EventLog, Snapshot, open_log, scoring_parts, scoring_snapshot
from clv_core.jobs import Progress
from clv_core.model import Predictions

T = TypeVar("T")

CUSTOMERS_AT_ONCE: Final = 65_536
"""A multiple of the networks' batches, so that parts do not change the result; about 400 MB of features and steps."""


def score_customers(bundle: Bundle, dataset: Dataset, *, progress: Progress, **options: Any) -> pd.DataFrame:
    """Return all of :func:`score_parts` as one frame."""
    return pd.concat(list(score_parts(bundle, dataset, progress=progress, **options)), ignore_index=True)


def score_parts(
    bundle: Bundle,
    dataset: Dataset,
    *,
    cutoff: date | None = None,
    terms: Terms | None = None,
    gaps: list[int] | None = None,
    progress: Progress,
) -> Iterator[pd.DataFrame]:
    """Predict the value of all customers seen before the cutoff, some of them at a time.

    The networks read parts of :data:`CUSTOMERS_AT_ONCE`, so that memory hardly grows with the log; other models, some
    of which are fitted on everyone who is to be scored, answer in one part.

    Args:
        bundle: the trained model.
        dataset: the events; those at or after the cutoff are not read.
        cutoff: as of when; None is the log's end.
        terms: horizon, discount and margin; None is the trained horizon without discount or margin.
        gaps: gets the number of customers of each part with a gap that kept windows out of training; it is filled.
        progress: listener.

    Yields:
        One row a customer, the columns of ``score``, ordered by customer_id.
    """
    from clv_core.model import CalibratedModel

    terms = terms or Terms(bundle.record.horizon_days)
    ids: list[pd.Index[Any]] = []

    def with_ids(parts: Iterable[Snapshot]) -> Iterator[Snapshot]:
        for part in parts:
            ids.append(part.features.index)
            if gaps is not None:
                gaps.extend(gaps_of(part, config))
            progress.report("scoring", sum(map(len, ids)), dataset.manifest.customers)
            yield part

    with open_scoring_log(bundle, dataset, cutoff, progress) as (log, config, as_of):
        options = {"horizon_days": config.horizon_days, "max_steps": config.max_steps_back}
        model = bundle.model
        if isinstance(model, CalibratedModel):
            parts = prefetch(scoring_parts(log, as_of, **options, customers_at_once=CUSTOMERS_AT_ONCE))
            answers = model.predict_parts(with_ids(parts), terms.horizon)
        else:
            answers = (
                model.predict(part, terms.horizon) for part in with_ids([scoring_snapshot(log, as_of, **options)])
            )
        for number, predictions in enumerate(answers):
            yield score_frame(predictions, ids[number], bundle, as_of, terms)


def gaps_of(part: Snapshot, config: TrainConfig) -> list[int]:
    """Return how many customers have a gap that kept windows out of training; nothing where none was kept out."""
    if config.impute != DELETE or "impute" not in READS[config.model]:
        return []
    return [int(part.gaps(config.features_to_check).sum())]


def snapshot_of(bundle: Bundle, dataset: Dataset, cutoff: date | None, progress: Progress) -> Snapshot:
    """Return the model's input for the customers of a dataset; the same for all terms.

    Raises:
        NotEnoughData: the log begins after the cutoff.
    """
    with open_scoring_log(bundle, dataset, cutoff, progress) as (log, config, as_of):
        return scoring_snapshot(log, as_of, config.horizon_days, max_steps=config.max_steps_back)


@contextmanager
def open_scoring_log(
    bundle: Bundle, dataset: Dataset, cutoff: date | None, progress: Progress
) -> Iterator[tuple[EventLog, TrainConfig, date]]:
    """Yield the log before a cutoff as a model reads it, the model's settings, and the cutoff: None is the log's end.

    Raises:
        NotEnoughData: the log begins after the cutoff, or ends before it.
    """
    config = bundle.record.train_config
    as_of = cutoff or dataset.log_end
    progress.report("features", 0, 1)
    log = open_log(dataset, before=as_of, **config.of_log())
    try:
        if as_of <= log.first_day:
            raise NotEnoughData("cutoff_before_log", cutoff=as_of.isoformat(), first=log.first_day.isoformat())
        yield log, config, as_of
    finally:
        log.close()


def prefetch(items: Iterator[T]) -> Iterator[T]:
    """Yield ``items``; each is computed while the one before it is used."""
    with ThreadPoolExecutor(1) as executor:
        pending = executor.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = executor.submit(next, items, None)
            yield item


def score_snapshot(bundle: Bundle, snapshot: Snapshot, cutoff: date, terms: Terms) -> pd.DataFrame:
    """Return the scores of a snapshot: ``predicted_clv`` and its quantiles discounted, and of them the margin."""
    predictions = bundle.model.predict(snapshot, terms.horizon)
    return score_frame(predictions, snapshot.features.index, bundle, cutoff, terms)


def score_frame(
    predictions: Predictions, ids: pd.Index[Any], bundle: Bundle, cutoff: date, terms: Terms
) -> pd.DataFrame:
    """Return predictions as the rows of ``score``, values times the margin of the terms."""
    if terms.margin_rate != 1:
        values = ("predicted_clv", "clv_p10", "clv_p50", "clv_p90")
        margins = {name: getattr(predictions, name) * terms.margin_rate for name in values}
        predictions = replace(predictions, **margins)
    return predictions.frame(ids, cutoff, terms.horizon_days, bundle.id)
