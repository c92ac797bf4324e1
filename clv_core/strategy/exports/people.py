"""Scored customers of a dataset cut by any scheme, and what a file of them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from clv_core.collection.stored.store import Dataset, open_dataset
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.saved_scores import scores
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.conditions import Condition
from clv_core.strategy.exports import lists
from clv_core.strategy.exports.export import Side
from clv_core.strategy.schemes.known import with_known
from clv_core.strategy.schemes.rules import Rules
from clv_core.strategy.schemes.saved import names_of_tiers
from clv_core.strategy.schemes.segmentation import Placed, Segmentation
from clv_core.strategy.schemes.settle import called, points_of, settle, with_segments
from clv_core.strategy.segments import TIER
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.workspace import Workspace


@dataclass(frozen=True, eq=False)
class People:
    """Customers with scores, history, tier and segment.

    Args:
        frame: the most valuable first, [n].
        placed: where they are; None where they are cut into value tiers.
        count: how many tiers or segments there are.
        side: what a file of them says.
    """

    frame: pd.DataFrame
    placed: Placed | None
    count: int
    side: Side

    def numbered(self) -> pd.DataFrame:
        """Return them with ``tier``: the number of the tier or segment that offers are written for, from 1."""
        return self.frame if self.placed is None else self.frame.assign(**{TIER: self.placed.where + 1})

    def names(self, dataset: Dataset, language: str = DEFAULT_LANGUAGE) -> list[str]:
        """Return what the tiers or segments are called, in the scheme's order."""
        if self.placed is None:
            return names_of_tiers(dataset, self.count, language)
        return [segment.name(language) for segment in self.placed.segments]


def people_of(
    workspace: Workspace,
    name: str,
    model_id: str,
    scheme: Scheme | Segmentation,
    *,
    conditions: Sequence[Condition] = (),
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> People:
    """Return all scored customers of a dataset with their tier, or their segment of another scheme.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose scores count.
        scheme: how customers are cut.
        conditions: that will be put to them: their columns come along.
        cutoff: as of when; None is the log's end.
        language: of names.
        progress: listener.
    """
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    scored = scores(workspace, name, model_id, cutoff=cutoff, progress=progress)
    side = replace(side_of(dataset, bundle, cutoff), segment=" ".join(map(str, conditions)), scheme=str(scheme))
    as_of, asked = cutoff or dataset.log_end, {condition.column for condition in conditions}
    if isinstance(scheme, Scheme):
        listed = lists.customer_list(dataset, scored, scheme, as_of, language)
        return People(with_known(listed, dataset, as_of, asked), None, scheme.tiers, side)
    listed = lists.customer_list(dataset, scored, DEFAULT_SCHEME, as_of, language)
    everyone = with_known(listed, dataset, as_of, asked | (scheme.columns if isinstance(scheme, Rules) else set()))
    points = points_of(workspace, scheme, bundle, dataset, everyone, cutoff, progress)
    fitted = settle(scheme, bundle, dataset, everyone, points, cutoff)
    placed = called(fitted.place(everyone, points), scheme, bundle, dataset)
    return People(with_segments(everyone, placed, fitted, language), placed, placed.count, side)


def side_of(dataset: Dataset, bundle: Bundle, cutoff: date | None) -> Side:
    """Return what a file says of the scores that it was made from."""
    return Side(
        dataset=dataset.name,
        dataset_version=dataset.version,
        model=bundle.id,
        cutoff=(cutoff or dataset.log_end).isoformat(),
        horizon_days=bundle.record["horizon_days"],
        currency=dataset.manifest.currency,
    )
