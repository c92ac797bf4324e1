"""Clusters: customers whom the model sees alike, by k-means, with a name made from what stands out.

The points are the model's embedding (:mod:`clv_core.deployment.embedding`) where it has one, else the scored figures
that :mod:`clv_core.strategy.similar` compares, each divided by its spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.errors import NotEnoughData, UsageError
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Placed, Segment, Segmentation
from clv_core.strategy.schemes.traits import named
from clv_core.strategy.segments import VALUE
from clv_core.strategy.similar import figures_of

CLUSTERS: Final = "clusters"
DEFAULT_COUNT: Final = 5
MOST: Final = 12
SAMPLE: Final = 50_000
"""The centres are found on so many customers; all are placed."""
STARTS: Final = 4
EMBEDDING, SCORES = "embedding", "scores"


@dataclass(frozen=True)
class Clusters(Segmentation):
    """K-means with a number of centres.

    Args:
        count: how many clusters, 2 to :data:`MOST`.

    Raises:
        UsageError: a count out of bounds.
    """

    kind: ClassVar[str] = CLUSTERS

    count: int = DEFAULT_COUNT

    def __post_init__(self) -> None:
        """Check the count."""
        if not 2 <= self.count <= MOST:
            raise UsageError("scheme_clusters", text=str(self), most=MOST)

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Return the scheme of what stands after ``clusters:``.

        Raises:
            UsageError: it is no whole number.
        """
        try:
            return cls(int(rest or DEFAULT_COUNT))
        except ValueError as error:
            raise UsageError("scheme_clusters", text=f"{CLUSTERS}:{rest}"[:80], most=MOST) from error

    def __str__(self) -> str:
        """Return ``clusters:5``."""
        return f"{CLUSTERS}:{self.count}"

    @property
    def names_key(self) -> str:
        """Names hold for the same centres; :mod:`clv_core.strategy.schemes.saved` adds the model."""
        return str(self)

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedClusters:
        """Find the centres, the cluster of the highest mean predicted value first.

        Raises:
            NotEnoughData: there are fewer customers than clusters.
        """
        from sklearn.cluster import KMeans

        found = figures_of(customers) if points is None else points
        spread = found.std(axis=0)
        shift = found.mean(axis=0)
        scale = np.where(spread > 0, spread, 1.0) if points is None else np.ones(found.shape[1])
        standard = (found - shift) / scale
        some = standard[np.random.default_rng(0).permutation(len(standard))[:SAMPLE]]
        if len(np.unique(some.round(9), axis=0)) < self.count:
            raise NotEnoughData("too_few_for_clusters", clusters=self.count, customers=len(customers))
        centres = KMeans(self.count, n_init=STARTS, random_state=0).fit(some).cluster_centers_
        where = _nearest(standard, centres)
        value = customers[VALUE].to_numpy(float)
        size = np.maximum(np.bincount(where, minlength=self.count), 1)
        order = np.argsort(-np.bincount(where, value, minlength=self.count) / size, kind="stable")
        titles = named(customers, np.argsort(order)[where], self.count)
        segments = tuple(Segment(str(number), title) for number, title in enumerate(titles, 1))
        source = SCORES if points is None else EMBEDDING
        return FittedClusters(segments, centres[order], shift, scale, source)


@dataclass(frozen=True, eq=False)
class FittedClusters(Fitted):
    """The centres, settled.

    Args:
        segments: named by what stood out when they were found.
        centres: in standard units, [k, d].
        shift: what is taken from the points, [d].
        scale: what they are then divided by, [d].
        source: ``embedding`` or ``scores``, what the points are.
    """

    segments: tuple[Segment, ...]
    centres: Floats
    shift: Floats
    scale: Floats
    source: str

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers to the nearest centre.

        Raises:
            UsageError: the centres lie in the embedding, and none was given.
        """
        if self.source == SCORES:
            points = figures_of(customers)
        elif points is None:
            raise UsageError("clusters_need_embedding")
        return Placed(self.segments, _nearest((points - self.shift) / self.scale, self.centres))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; the names are made anew from customers."""
        arrays = {"centres": self.centres, "shift": self.shift, "scale": self.scale}
        return {**{name: array.tolist() for name, array in arrays.items()}, "source": self.source}

    @classmethod
    def from_json(cls, value: dict[str, Any], customers: pd.DataFrame, points: Floats | None) -> Self:
        """Return kept centres, named by what stands out of these customers (see :meth:`Fitted.place`)."""
        centres, shift, scale = (np.asarray(value[name], np.float64) for name in ("centres", "shift", "scale"))
        blank = tuple(Segment(str(number), ()) for number in range(1, len(centres) + 1))
        placed = cls(blank, centres, shift, scale, value["source"]).place(customers, points)
        titles = named(customers, placed.where, len(centres))
        segments = tuple(Segment(one.key, title) for one, title in zip(blank, titles, strict=True))
        return cls(segments, centres, shift, scale, value["source"])


def _nearest(points: Floats, centres: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the nearest centre of each point, [n]."""
    distance = (centres**2).sum(axis=1) - 2 * (points @ centres.T)
    return np.asarray(distance.argmin(axis=1), np.int64)
