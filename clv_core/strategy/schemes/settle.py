"""A scheme's cuts for the customers of a model: with the embedding and the kept centres where clusters need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.stored.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.embedding import embed, has_embedding, read_embedding
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.schemes.clusters import EMBEDDING, SCORES, Clusters, FittedClusters
from clv_core.strategy.schemes.rfm import CELL, FittedRfm
from clv_core.strategy.schemes.saved import centres_path, given_names, with_given
from clv_core.strategy.schemes.segmentation import (
    MEMBER,
    SEGMENT,
    SEGMENT_NAME,
    Fitted,
    Floats,
    Placed,
    Segmentation,
)
from clv_core.workspace import Workspace, read_json, write_json


def needs_embedding(scheme: Segmentation, bundle: Bundle) -> bool:
    """Say whether a scheme puts customers by how the model's networks see them."""
    return isinstance(scheme, Clusters) and has_embedding(bundle)


def points_of(
    workspace: Workspace,
    scheme: Segmentation,
    bundle: Bundle,
    dataset: Dataset,
    customers: pd.DataFrame,
    cutoff: date | None = None,
    progress: Progress | None = None,
) -> Floats | None:
    """Return the embedding that a scheme needs, [n, d]; None where it needs none, or where none is kept.

    Args:
        workspace: where it is kept.
        scheme: who needs it.
        bundle: the model.
        dataset: the log.
        customers: with their ids, one row each, [n].
        cutoff: as of when; None is the log's end.
        progress: listener of the run that makes it; None makes none.
    """
    if not needs_embedding(scheme, bundle):
        return None
    ids = customers[CUSTOMER_ID]
    found = read_embedding(bundle, dataset, ids, cutoff)
    if found is None and progress is not None:
        embed(workspace, dataset.name, bundle.id, cutoff=cutoff, progress=progress)
        found = read_embedding(bundle, dataset, ids, cutoff)
    return found


def settle(
    scheme: Segmentation,
    bundle: Bundle,
    dataset: Dataset,
    customers: pd.DataFrame,
    points: Floats | None = None,
    cutoff: date | None = None,
) -> Fitted:
    """Return a scheme with its cuts; those of clusters are kept with the dataset, and used again.

    Centres that were found among customers of an earlier day are not kept: what comes after is not to be cut by them.

    Args:
        scheme: as it was asked for.
        bundle: the model that scored.
        dataset: the log.
        customers: ``score``'s columns with the history's, [n].
        points: of :func:`points_of`.
        cutoff: as of when the customers are; None is the log's end.
    """
    if not isinstance(scheme, Clusters):
        return scheme.fit(customers, points)
    path = centres_path(dataset, bundle.id, scheme.count)
    kept = read_json(path) if path.exists() else None
    if kept is not None and kept["source"] == (SCORES if points is None else EMBEDDING):
        return FittedClusters.from_json(kept, customers, points)
    fitted = scheme.fit(customers, points)
    if cutoff is None or cutoff >= dataset.log_end:
        write_json(path, fitted.to_json())
    return fitted


def names_key(scheme: Segmentation, bundle: Bundle) -> str:
    """Return under what names of a scheme's segments are kept; clusters are those of one model."""
    return f"{scheme.names_key}:{bundle.id}" if isinstance(scheme, Clusters) else scheme.names_key


def called(placed: Placed, scheme: Segmentation, bundle: Bundle, dataset: Dataset) -> Placed:
    """Return the same with the segments called as a person calls them."""
    return replace(placed, segments=with_given(placed.segments, given_names(dataset, names_key(scheme, bundle))))


def with_segments(
    customers: pd.DataFrame, placed: Placed, fitted: Fitted, language: str = DEFAULT_LANGUAGE
) -> pd.DataFrame:
    """Return customers with ``segment`` (its key) and ``segment_name``; of RFM also the cell, ``543``.

    Where customers may be in several segments, ``segment`` is the first, ``segment_name`` names all, and ``in_<key>``
    says who is in which.
    """
    names = pd.Series([one.name(language) for one in placed.segments], dtype="str")
    keys = pd.Series([one.key for one in placed.segments], dtype="str")
    columns = {
        SEGMENT: keys.to_numpy()[placed.where],
        SEGMENT_NAME: names.to_numpy()[placed.where] if placed.inside is None else _all_names(placed.inside, names),
    }
    if isinstance(fitted, FittedRfm):
        columns[CELL] = fitted.cells(customers).to_numpy()
    if placed.inside is not None:
        columns |= {f"{MEMBER}{one.key}": row for one, row in zip(placed.segments, placed.inside, strict=True)}
    return customers.assign(**columns)


def _all_names(inside: NDArray[np.bool_], names: pd.Series[str]) -> NDArray[Any]:
    """Return the names of all segments of each customer, joined; one text for each combination that there is."""
    place, combinations = pd.factorize(inside.T @ (1 << np.arange(len(names))))
    texts = ["; ".join(names[[bool(int(bits) >> n & 1) for n in range(len(names))]]) for bits in combinations]
    return pd.Series(texts, dtype="str").to_numpy()[place]
