"""Clusters: k-means of customers, named by the traits that differ most from those of all customers.

The points are the model's embedding (:mod:`clv_core.deployment.embedding`) if it has one, else scores and purchase
history, standardised. The centres are saved with the dataset, so that a cluster stays the same when the log grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, embed, has_embedding, read_embedding
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.purchase_history import DAYS_SINCE_LAST, HISTORIC_VALUE, PURCHASE_DAYS
from clv_core.strategy.segments.saved_segments import centres_path
from clv_core.strategy.segments.segmentation import (
    P_PURCHASE,
    VALUE,
    Assignment,
    FittedScheme,
    Floats,
    Ints,
    Segment,
    Segmentation,
)
from clv_core.workspace import read_json, write_json

CLUSTERS: Final = "clusters"
DEFAULT_COUNT: Final = 5
"""Clusters that a person can name and act on; not chosen from the data."""
MAX_CLUSTERS: Final = 12
"""As many as names and colours distinguish; a guess."""
SAMPLE: Final = 50_000
"""Customers that the centres are fitted on; all are assigned."""
STARTS: Final = 4
"""Initialisations of k-means, of which the best is used."""
EMBEDDING, SCORES = "embedding", "scores"
FIGURES: Final = (VALUE, P_PURCHASE, HISTORIC_VALUE, PURCHASE_DAYS, DAYS_SINCE_LAST)
LINEAR: Final = (P_PURCHASE,)
"""All other figures grow by factors rather than by steps: they are compared by the logarithm of 1 + figure."""
TRAITS: Final = ("value", "orders", "basket", "silence", "chance")
MIN_TRAITS: Final = 2
"""Parts of a name; more only if two clusters would have the same name."""
NOTABLE, STRONG = 0.25, 0.75
"""Distance of a cluster's mean from that of all, in standard deviations, for a notable or a strong trait: guesses."""
MIN_NEVER_SHARE: Final = 0.8
"""Share of customers who never bought from which a cluster is named by that: its few buyers are not typical."""
Title = tuple[Message | str, ...]


@dataclass(frozen=True)
class Clusters(Segmentation):
    """K-means with a number of centres.

    Args:
        count: how many clusters, 2 to :data:`MAX_CLUSTERS`.

    Raises:
        UsageError: a count out of bounds.
    """

    kind: ClassVar[str] = CLUSTERS

    count: int = DEFAULT_COUNT

    def __post_init__(self) -> None:
        """Check the count."""
        if not 2 <= self.count <= MAX_CLUSTERS:
            raise UsageError("scheme_clusters", text=str(self), most=MAX_CLUSTERS)

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Return the scheme of the text after ``clusters:``.

        Raises:
            UsageError: it is no integer.
        """
        try:
            return cls(int(rest or DEFAULT_COUNT))
        except ValueError as error:
            raise UsageError("scheme_clusters", text=f"{CLUSTERS}:{rest}"[:80], most=MAX_CLUSTERS) from error

    def __str__(self) -> str:
        """Return ``clusters:5``."""
        return f"{CLUSTERS}:{self.count}"

    @property
    def names_key(self) -> str:
        """Labels apply to the same centres; :func:`.scored_customers.labels_key` adds the model."""
        return str(self)

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedClusters:
        """Fit the centres, the cluster of the highest mean predicted value first.

        Raises:
            NotEnoughData: there are fewer different customers than clusters.
        """
        from sklearn.cluster import KMeans

        figures = comparable_figures(customers) if points is None else points
        deviation = figures.std(axis=0)
        shift = figures.mean(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0) if points is None else np.ones(figures.shape[1])
        standard = (figures - shift) / scale
        sampled = standard[np.random.default_rng(0).permutation(len(standard))[:SAMPLE]]
        if len(np.unique(sampled.round(9), axis=0)) < self.count:
            raise NotEnoughData("too_few_for_clusters", clusters=self.count, customers=len(customers))
        centres = KMeans(self.count, n_init=STARTS, random_state=0).fit(sampled).cluster_centers_
        where = _nearest(standard, centres)
        value = customers[VALUE].to_numpy(float)
        size = np.maximum(np.bincount(where, minlength=self.count), 1)
        order = np.argsort(-np.bincount(where, value, minlength=self.count) / size, kind="stable")
        titles = name_clusters(customers, np.argsort(order)[where], self.count)
        segments = tuple(Segment(str(number), title) for number, title in enumerate(titles, 1))
        source = SCORES if points is None else EMBEDDING
        return FittedClusters(segments, centres[order], shift, scale, source)


@dataclass(frozen=True, eq=False)
class FittedClusters(FittedScheme):
    """The centres.

    Args:
        segments: named by the traits of the customers that they were fitted on.
        centres: in standard units, [k, d].
        shift: subtracted from the points, [d].
        scale: divisor of the points after that, [d].
        source: ``embedding`` or ``scores``: what the points are.
    """

    segments: tuple[Segment, ...]
    centres: Floats
    shift: Floats
    scale: Floats
    source: str

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers to the nearest centre.

        Raises:
            UsageError: the centres are in the embedding, and ``points`` is missing.
        """
        if self.source == SCORES:
            points = comparable_figures(customers)
        elif points is None:
            raise UsageError("clusters_need_embedding")
        return Assignment(self.segments, _nearest((points - self.shift) / self.scale, self.centres))

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary; names are derived from customers again."""
        arrays = {"centres": self.centres, "shift": self.shift, "scale": self.scale}
        return {**{name: array.tolist() for name, array in arrays.items()}, "source": self.source}

    @classmethod
    def from_json(cls, value: JsonObject, customers: pd.DataFrame, points: Floats | None) -> Self:
        """Return saved centres, named by the traits of these customers (see :meth:`FittedScheme.place`)."""
        centres, shift, scale = (np.asarray(value[name], np.float64) for name in ("centres", "shift", "scale"))
        unnamed = tuple(Segment(str(number), ()) for number in range(1, len(centres) + 1))
        assignment = cls(unnamed, centres, shift, scale, value["source"]).place(customers, points)
        titles = name_clusters(customers, assignment.where, len(centres))
        segments = tuple(Segment(segment.key, title) for segment, title in zip(unnamed, titles, strict=True))
        return cls(segments, centres, shift, scale, value["source"])


def needs_embedding(scheme: Segmentation, scored: Scored) -> bool:
    """Return whether a scheme assigns customers by the model's embedding."""
    return isinstance(scheme, Clusters) and has_embedding(scored.model)


def load_points(
    scheme: Segmentation, scored: Scored, customers: pd.DataFrame, progress: Progress | None = None
) -> Floats | None:
    """Return the embedding that a scheme needs, [n, d]; None if it needs none, or if none is saved.

    Args:
        scheme: for which.
        scored: model, dataset and cutoff.
        customers: with their ids, one row each, [n].
        progress: listener of the computation of a missing one; None computes none.
    """
    if not needs_embedding(scheme, scored):
        return None
    ids = customers[CUSTOMER_ID]
    points = read_embedding(scored, ids)
    if points is None and progress is not None:
        embed(scored, progress=progress)
        points = read_embedding(scored, ids)
    return points


def fit_scheme(
    scheme: Segmentation, scored: Scored, customers: pd.DataFrame, points: Floats | None = None
) -> FittedScheme:
    """Return a scheme with its cuts; the centres of clusters are saved with the dataset, and used again.

    Centres fitted on customers of an earlier day are not saved: later customers are not to be cut by them.

    Args:
        scheme: to fit.
        scored: model, dataset and cutoff.
        customers: ``score``'s columns and the purchase history, [n].
        points: of :func:`load_points`.
    """
    if not isinstance(scheme, Clusters):
        return scheme.fit(customers, points)
    path = centres_path(scored.dataset, scored.model.id, scheme.count)
    saved = read_json(path) if path.exists() else None
    if saved is not None and saved["source"] == (SCORES if points is None else EMBEDDING):
        return FittedClusters.from_json(saved, customers, points)
    fitted = scheme.fit(customers, points)
    if scored.as_of >= scored.dataset.log_end:
        write_json(path, fitted.to_json())
    return fitted


def comparable_figures(customers: pd.DataFrame) -> Floats:
    """Return :data:`FIGURES` on scales on which customers can be compared, [n, 5].

    The missing last purchase of a never-buyer counts as the longest one ago.
    """
    columns = []
    for name in FIGURES:
        figure = customers[name].to_numpy(np.float64)
        figure = figure if name in LINEAR else np.sign(figure) * np.log1p(np.abs(figure))
        missing = np.isnan(figure)
        if missing.any():
            figure = np.where(missing, 0.0 if missing.all() else np.nanmax(figure), figure)
        columns.append(figure)
    return np.stack(columns, axis=1)


def name_clusters(customers: pd.DataFrame, where: Ints, count: int) -> list[Title]:
    """Return a name for each cluster, no two the same: its value, then its other traits, the most notable first.

    Args:
        customers: ``score``'s columns and the purchase history, [n].
        where: the cluster of each, 0 to ``count`` - 1, [n].
        count: number of clusters.
    """
    gaps = _gaps(customers, where, count)
    never = customers[PURCHASE_DAYS].to_numpy() == 0
    size = np.bincount(where, minlength=count)
    buyers = size - np.bincount(where, never, minlength=count)
    titles: list[Title] = []
    for group in range(count):
        words = _trait_words(gaps[group], mostly_never(int(size[group]), int(buyers[group])))
        parts = next((n for n in range(MIN_TRAITS, len(words) + 1) if tuple(words[:n]) not in titles), None)
        title: Title = tuple(words[: parts or MIN_TRAITS])
        if title in titles:
            title = (*title, Message("segment.trait.number", {"number": group + 1}))
        titles.append(title)
    return titles


def mostly_never(customers: int, buyers: int) -> bool:
    """Return whether so many of a group never bought that its buyers are not typical of it."""
    return customers - buyers >= MIN_NEVER_SHARE * max(customers, 1)


def _trait_words(gaps: Floats, never: bool) -> list[Message]:
    """Return the traits of a cluster, the value first."""
    value = gaps[0]
    words = [Message(f"segment.trait.value.{_grade(value) if abs(value) >= NOTABLE else 'middle'}")]
    if never:
        words.append(Message("segment.trait.never"))
    named = ("chance",) if never else TRAITS[1:]
    for index in np.argsort(-np.abs(gaps), kind="stable"):
        name, gap = TRAITS[index], gaps[index]
        # The chance to buy mostly repeats the value: it is named only if it differs.
        repeats = name == "chance" and not never and gap * value >= 0
        if name in named and abs(gap) >= NOTABLE and not repeats:
            words.append(Message(f"segment.trait.{name}.{_grade(gap)}"))
    return words


def _grade(gap: float) -> str:
    """Return in which direction a trait differs, and whether strongly."""
    return ("highest" if gap >= STRONG else "high") if gap > 0 else ("lowest" if gap <= -STRONG else "low")


def _gaps(customers: pd.DataFrame, where: Ints, count: int) -> Floats:
    """Return how far each cluster's mean is from that of all, in standard deviations, [count, traits].

    Of values the cluster with the highest mean has the largest gap, and so on: if a few customers hold most of one, the
    mean of logarithms may order clusters differently from the mean value that is shown with the name. For the same
    reason no cluster whose mean is below that of all is of high value, and none above it of low.
    """
    orders = customers[PURCHASE_DAYS].to_numpy(float)
    spent, missing = customers[HISTORIC_VALUE].to_numpy(float), np.full(len(orders), np.nan)
    basket = np.divide(spent, orders, out=missing, where=orders > 0)
    value = np.maximum(customers[VALUE].to_numpy(float), 0)
    figures = {
        "value": np.log1p(value),
        "chance": customers[P_PURCHASE].to_numpy(float),
        "orders": np.log1p(orders),
        "basket": np.log1p(np.maximum(basket, 0)),
        "silence": np.log1p(customers[DAYS_SINCE_LAST].to_numpy(float)),
    }
    gaps = np.zeros((count, len(TRAITS)))
    for index, name in enumerate(TRAITS):
        present = ~np.isnan(figures[name])
        values, groups = figures[name][present], where[present]
        deviation = values.std() if len(values) else 0.0
        if deviation > 0:
            size = np.bincount(groups, minlength=count)
            mean = np.bincount(groups, values, minlength=count) / np.maximum(size, 1)
            gaps[:, index] = np.where(size > 0, (mean - values.mean()) / deviation, 0.0)
    size = np.bincount(where, minlength=count)
    filled = np.flatnonzero(size)
    means = np.bincount(where, value, minlength=count)[filled] / size[filled]
    gaps[filled[np.argsort(means, kind="stable")], 0] = np.sort(gaps[filled, 0])
    beyond = means - value.mean() if len(value) else means
    gaps[filled, 0] = np.where(gaps[filled, 0] * beyond > 0, gaps[filled, 0], 0.0)
    return gaps


def _nearest(points: Floats, centres: Floats) -> Ints:
    """Return the nearest centre of each point, [n]."""
    distance = (centres**2).sum(axis=1) - 2 * (points @ centres.T)
    return np.asarray(distance.argmin(axis=1), np.int64)
