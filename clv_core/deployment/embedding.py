"""Customer embeddings: principal components of the last hidden layers of a model's networks.

The layers of an ensemble hold hundreds of correlated numbers. Each network's layer is scaled to the same variance; the
components are fitted on the first part that is read, at most 65,536 customers, and saved with the model, so that
another day has the same directions.

Clusters of the page Segments and of ``clv segment --scheme clusters:5`` are found among them; ``clv embed`` makes them
beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.artifacts import ArtifactKind
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import CUSTOMERS_AT_ONCE, open_scoring_log
from clv_core.deployment.saved_scores import Scored, companion_path, table_file
from clv_core.errors import Refused
from clv_core.features import scoring_parts
from clv_core.float_arrays import FloatArray
from clv_core.jobs import Progress
from clv_core.records import JsonRecord
from clv_core.workspace import read_json, write_json

if TYPE_CHECKING:
    from clv_core.model import NetworkModel

Floats = NDArray[np.float64]

NETWORKS: Final = ("hybrid", "mlp", "rnn", "instant", "instant_tuned", "blend")
"""Models with a hidden layer."""
WIDTH: Final = 16
"""Principal components that are kept. A guess; :attr:`Directions.explained` is their share of the variance."""
DIRECTIONS: Final = "directions.json"
PREFIX: Final = "e"


@dataclass(frozen=True, eq=False)
class Directions(JsonRecord):
    """Scaling and principal components of an ensemble's hidden layers.

    Args:
        mean: of each unit, [d].
        scale: of each unit; the same within a network, [d].
        axes: main directions, [w, d].
        explained: share of the variance that they explain.
    """

    mean: FloatArray
    scale: FloatArray
    axes: FloatArray
    explained: float

    @classmethod
    def of(cls, layers: list[NDArray[np.float32]]) -> Self:
        """Fit the directions to the layers of some customers, each [n, width]."""
        from sklearn.decomposition import PCA

        scales = [np.full(layer.shape[1], max(float(np.sqrt(layer.var(axis=0).sum())), 1e-9)) for layer in layers]
        units, scale = np.concatenate(layers, axis=1).astype(np.float64), np.concatenate(scales)
        width = min(WIDTH, *units.shape)
        fitted = PCA(width, svd_solver="covariance_eigh").fit(units / scale)
        return cls(units.mean(axis=0), scale, fitted.components_, float(fitted.explained_variance_ratio_.sum()))

    def apply(self, layers: list[NDArray[np.float32]]) -> Floats:
        """Return customers along the directions, [n, w]."""
        return ((np.concatenate(layers, axis=1) - self.mean) / self.scale) @ self.axes.T


def has_embedding(bundle: Bundle) -> bool:
    """Return whether the model consists of networks with a hidden layer."""
    return bundle.record.model in NETWORKS


def embedding_path(scored: Scored) -> Path:
    """Return the file of the embedding of the customers."""
    return companion_path(scored.trained.scores_path, ArtifactKind.EMBEDDING)


def embed(scored: Scored, *, progress: Progress) -> tuple[Path, int]:
    """Save the embedding of all customers of a dataset as of a cutoff.

    Returns:
        The file, and how many customers.

    Raises:
        Refused: the model has no hidden layer.
        NotEnoughData: the log begins after the cutoff.
    """
    bundle = scored.model
    if not has_embedding(bundle):
        raise Refused("no_embedding", model=bundle.id, kind=bundle.record.model, known=", ".join(NETWORKS))
    target, customers = embedding_path(scored), 0
    with table_file(target) as write:
        for frame in _parts(scored, target.with_name(DIRECTIONS), progress):
            write(frame)
            customers += len(frame)
    return target, customers


def read_embedding(scored: Scored, ids: pd.Series[Any]) -> Floats | None:
    """Return the saved embedding of customers, in the order of their ids, [n, w]; None where there is none."""
    path = embedding_path(scored)
    if not path.exists():
        return None
    frame = pd.read_parquet(path)
    rows = pd.Index(frame[CUSTOMER_ID]).get_indexer(pd.Index(ids))
    points: Floats = frame.drop(columns=CUSTOMER_ID).to_numpy(np.float64)[rows]
    return points


def _parts(scored: Scored, directions_path: Path, progress: Progress) -> Iterator[pd.DataFrame]:
    model, dataset = cast("NetworkModel", scored.model.model), scored.dataset
    directions = Directions.from_json(read_json(directions_path)) if directions_path.exists() else None
    done = 0
    with open_scoring_log(scored.model, dataset, scored.cutoff, progress) as (log, config, as_of):
        options = {"max_steps": config.max_steps_back, "customers_at_once": CUSTOMERS_AT_ONCE}
        for part in scoring_parts(log, as_of, config.horizon_days, **options):
            layers = model.hidden(part)
            if directions is None:
                directions = Directions.of(layers)
                write_json(directions_path, directions.to_json())
            points = directions.apply(layers).astype(np.float32)
            columns = {f"{PREFIX}{number:02}": points[:, number] for number in range(points.shape[1])}
            done += len(part)
            progress.report("scoring", done, dataset.manifest.customers)
            yield pd.DataFrame({CUSTOMER_ID: part.features.index.to_numpy(), **columns})
