"""The part of scoring that runs on Spark's workers: the bundle is loaded once a process, then batches are predicted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.deployment.bundle import MODEL_FILES, Bundle
from clv_core.deployment.dataset_scoring import score_frame
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.population_context import PopulationContext, Predictor
from clv_core.deployment.terms import Terms
from clv_core.features import REVIEW_TEXT, SignalColumn, Snapshot, store_of_rows
from clv_core.model import CalibratedModel, Totals

if TYPE_CHECKING:
    import pyarrow as pa

SCORES: Final = (
    "customer_id string, as_of string, horizon_days long, p_purchase double, predicted_clv double, "
    "clv_p10 double, clv_p50 double, clv_p90 double, model string"
)
"""Spark schema of :func:`scores`: the columns of ``score``."""
TOTALS: Final = ", ".join(f"{name} double" for name in Totals._fields)
"""Spark schema of :func:`totals`."""


@dataclass(frozen=True)
class BroadcastModel:
    """Model and population context for the workers; bytes and texts, so that any process can receive it.

    Args:
        bundle: the bundle's name.
        record: its record, as JSON.
        files: what the model is loaded from, by name.
        population: the :class:`PopulationContext`, as JSON.
        texts: the log's texts of each vocabulary by code, as JSON.
        terms: horizon, discount and margin.
    """

    bundle: str
    record: str
    files: tuple[tuple[str, bytes], ...]
    population: str
    texts: str
    terms: Terms

    @classmethod
    def of(
        cls, bundle: Bundle, population: PopulationContext, texts: Mapping[str, NDArray[np.object_]], terms: Terms
    ) -> Self:
        """Return the value to broadcast; files pass their checksums first.

        Raises:
            Refused: a file is missing or was changed.
        """
        files = tuple((name, bundle.read(name)) for name in MODEL_FILES)
        texts_json = json.dumps({name: list(vocabulary) for name, vocabulary in texts.items()})
        record, context = (json.dumps(part.to_json()) for part in (bundle.record, population))
        return cls(bundle.id, record, files, context, texts_json, terms)

    def at_level(self, model: CalibratedModel, totals: Totals) -> Self:
        """Return the same with the calibration level that follows from the sums of all workers' :func:`totals`."""
        population = PopulationContext.from_json(json.loads(self.population))
        level = model.level_of(totals, population.last_year.residual)
        population = replace(population, level=level.value, chance_level=level.chance)
        return replace(self, population=json.dumps(population.to_json()))


BatchFunction = Callable[["pa.RecordBatch", BroadcastModel], "pa.RecordBatch"]


def each_batch(predict: BatchFunction, variable: Any, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the result of each batch of ``rows_by_customer``; ``variable`` is Spark's, of a :class:`BroadcastModel`."""
    for batch in batches:
        if batch.num_rows:
            yield predict(batch, variable.value)


def scores(rows: pa.RecordBatch, broadcast: BroadcastModel) -> pa.RecordBatch:
    """Return the predictions of some customers, :data:`SCORES`."""
    predictor = load_predictor(broadcast)
    cutoff, terms, snapshot = predictor.population.cutoff, broadcast.terms, _snapshot(rows, broadcast)
    predictions = predictor.predict(snapshot, terms.horizon)
    return _batch(score_frame(predictions, snapshot.features.index, predictor.bundle, cutoff, terms))


def totals(rows: pa.RecordBatch, broadcast: BroadcastModel) -> pa.RecordBatch:
    """Return what the model and the anchor expect of the buyers among some customers, :data:`TOTALS`."""
    model = load_predictor(broadcast).model
    assert isinstance(model, CalibratedModel)
    return _batch(pd.DataFrame([model.totals(_snapshot(rows, broadcast))], columns=list(Totals._fields)))


@lru_cache(maxsize=2)
def load_predictor(broadcast: BroadcastModel) -> Predictor:
    """Return the model in its population; files pass their checksums again after the transfer."""
    with tempfile.TemporaryDirectory(prefix="clv-bundle-") as scratch:
        folder = Path(scratch) / broadcast.bundle
        folder.mkdir()
        for name, content in broadcast.files:
            (folder / name).write_bytes(content)
        record = ModelRecord.from_json(json.loads(broadcast.record))
        context = PopulationContext.from_json(json.loads(broadcast.population))
        predictor = Predictor(Bundle(folder, record), context)
        assert predictor.model is not None
    return predictor


@lru_cache(maxsize=2)
def _texts(texts_json: str) -> dict[str, NDArray[np.object_]]:
    return {name: np.array(vocabulary, object) for name, vocabulary in json.loads(texts_json).items()}


def _snapshot(rows: pa.RecordBatch, broadcast: BroadcastModel) -> Snapshot:
    predictor, store = load_predictor(broadcast), store_of_rows(rows, _texts(broadcast.texts))
    cutoff: date = predictor.population.cutoff
    extra_columns: dict[str, tuple[SignalColumn, NDArray[np.object_]]] = {}
    if predictor.config.review_text and REVIEW_TEXT in rows.schema.names:
        extra_columns[REVIEW_TEXT] = SignalColumn(REVIEW_TEXT, "text"), np.array(rows.column(REVIEW_TEXT), object)
    snapshot = predictor.snapshot(store, cutoff, predictor.names, extra_columns)
    snapshot.features.index = pd.Index(store.customer_ids)
    return snapshot


def _batch(frame: pd.DataFrame) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pandas(frame, preserve_index=False)
