"""What a worker does with some customers: the bundle is loaded once a process, then rows come and predictions go."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.deployment.bundle import MODEL_FILES, Bundle
from clv_core.deployment.population_context import PopulationContext
from clv_core.deployment.predictor import Predictor
from clv_core.deployment.scoring import framed
from clv_core.deployment.terms import Terms
from clv_core.features.signals import REVIEW_TEXT, SignalColumn
from clv_core.features.snapshot import Snapshot
from clv_core.features.wide import Wide
from clv_core.model.levelled import Levelled, level_of

if TYPE_CHECKING:
    import pyarrow as pa

SCORES: Final = (
    "customer_id string, as_of string, horizon_days long, p_purchase double, predicted_clv double, "
    "clv_p10 double, clv_p50 double, clv_p90 double, model string"
)
"""What :func:`scores` answers, as Spark writes a schema: the columns of ``score``."""
TOTALS: Final = "ours double, anchors double"
"""What :func:`totals` answers."""


@dataclass(frozen=True)
class Carried:
    """All that a worker is told, the same for every customer; bytes and texts, to be sent anywhere.

    Args:
        bundle: the bundle's name.
        record: its record, as JSON.
        files: what the model is loaded from, by name.
        around: what the whole log decides, as JSON.
        texts: the log's texts of each vocabulary by code, as JSON.
        terms: what the scores speak of.
    """

    bundle: str
    record: str
    files: tuple[tuple[str, bytes], ...]
    around: str
    texts: str
    terms: Terms

    @classmethod
    def of(
        cls, bundle: Bundle, around: PopulationContext, texts: Mapping[str, NDArray[np.object_]], terms: Terms
    ) -> Self:
        """Return what is to be carried; files are held against their checksums before they leave.

        Raises:
            Refused: a file is missing or was changed.
        """
        files = tuple((name, bundle.read(name)) for name in MODEL_FILES)
        said = json.dumps({name: list(known) for name, known in texts.items()})
        return cls(bundle.id, json.dumps(bundle.record), files, json.dumps(around.to_json()), said, terms)

    def at_level(self, ours: float, anchors: float) -> Self:
        """Return the same at the level that the sums of all workers' :func:`totals` set."""
        around = PopulationContext.from_json(json.loads(self.around))
        levelled = replace(around, level=level_of(ours, anchors, around.last_year.residual))
        return replace(self, around=json.dumps(levelled.to_json()))


class Sent(Protocol):
    """A broadcast variable."""

    @property
    def value(self) -> Carried:
        """What was sent."""


Answer = Callable[["pa.RecordBatch", Carried], "pa.RecordBatch"]


def each_batch(answer: Answer, sent: Sent, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what is answered of each batch of :func:`~clv_core.features.wide.wide_rows`."""
    for batch in batches:
        if batch.num_rows:
            yield answer(batch, sent.value)


def scores(rows: pa.RecordBatch, carried: Carried) -> pa.RecordBatch:
    """Return the predictions of some customers, :data:`SCORES`."""
    predictor = opened(carried)
    cutoff, terms, snapshot = predictor.population.cutoff, carried.terms, _snapshot(rows, carried)
    predictions = predictor.predict(snapshot, terms.horizon)
    return _batch(framed(predictions, snapshot.features.index, predictor.bundle, cutoff, terms))


def totals(rows: pa.RecordBatch, carried: Carried) -> pa.RecordBatch:
    """Return what networks and the anchor expect of the buyers among some customers, :data:`TOTALS`."""
    model = opened(carried).model
    assert isinstance(model, Levelled)
    return _batch(pd.DataFrame([model.totals(_snapshot(rows, carried))], columns=["ours", "anchors"]))


@lru_cache(maxsize=2)
def opened(carried: Carried) -> Predictor:
    """Return the model in its log, every byte held against its checksum once more: it has come a long way."""
    with tempfile.TemporaryDirectory(prefix="clv-bundle-") as scratch:
        folder = Path(scratch) / carried.bundle
        folder.mkdir()
        for name, content in carried.files:
            (folder / name).write_bytes(content)
        predictor = Predictor(
            Bundle(folder, json.loads(carried.record)), PopulationContext.from_json(json.loads(carried.around))
        )
        assert predictor.model is not None
    return predictor


@lru_cache(maxsize=2)
def _texts(said: str) -> dict[str, NDArray[np.object_]]:
    return {name: np.array(known, object) for name, known in json.loads(said).items()}


def _snapshot(rows: pa.RecordBatch, carried: Carried) -> Snapshot:
    predictor, told = opened(carried), Wide(rows, _texts(carried.texts))
    cutoff: date = predictor.population.cutoff
    own: dict[str, tuple[SignalColumn, NDArray[np.object_]]] = {}
    if predictor.config.review_text and told.reviews is not None:
        own[REVIEW_TEXT] = SignalColumn(REVIEW_TEXT, "text"), np.array(told.reviews, object)
    snapshot = predictor.snapshot(told, cutoff, predictor.names, own)
    snapshot.features.index = pd.Index(told.customer_ids)
    return snapshot


def _batch(frame: pd.DataFrame) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pandas(frame, preserve_index=False)
