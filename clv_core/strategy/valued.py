"""Customers who have their segment by plain values, with the values that other terms give them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from clv_core.collection.stored.store import open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.saved_scores import score, scores_path
from clv_core.deployment.terms import LIFETIME, Terms
from clv_core.errors import Refused
from clv_core.jobs import Progress
from clv_core.strategy.segments import VALUE
from clv_core.workspace import Workspace


def valued(
    workspace: Workspace,
    name: str,
    model_id: str,
    people: pd.DataFrame,
    terms: Terms,
    *,
    cutoff: date | None = None,
    progress: Progress,
) -> pd.DataFrame:
    """Return the customers with ``predicted_clv`` under ``terms``; all else stays.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose predictions count.
        people: customer_id and the plain predicted_clv, one row a customer.
        terms: what the values shall speak of.
        cutoff: as of when they were scored; None is the log's end.
        progress: listener.

    Raises:
        Refused: the dataset changed since the customers were read, and some of them have no value any more.
    """
    bundle = open_bundle(workspace, model_id)
    if Terms(terms.horizon_days, terms.discount_rate, lifetime=terms.lifetime).plain(bundle.record["horizon_days"]):
        return people if terms.margin_rate == 1 else people.assign(**{VALUE: people[VALUE] * terms.margin_rate})
    path = scores_path(bundle, open_dataset(workspace, name), cutoff, terms)
    if path.exists():
        found = pd.read_parquet(path, columns=[CUSTOMER_ID, VALUE])
    else:
        found = score(
            workspace,
            name,
            model_id,
            cutoff=cutoff,
            horizon_days=LIFETIME if terms.lifetime else terms.horizon_days,
            discount_rate=terms.discount_rate,
            margin_rate=terms.margin_rate,
            progress=progress,
        )
    rows = pd.Index(found[CUSTOMER_ID]).get_indexer(pd.Index(people[CUSTOMER_ID]))
    if (rows < 0).any():
        raise Refused("scores_changed", name=name, missing=int((rows < 0).sum()))
    return people.assign(**{VALUE: np.asarray(found[VALUE], float)[rows]})
