"""Recommendations and price responses of a dataset: made from scores, stored for the pages, written as files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from clv_core.deployment import Scored
from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.audiences.customer_list import side_of
from clv_core.strategy.audiences.export import Assumption, Exported, Side, write_rows
from clv_core.strategy.audiences.list_files import check_ending
from clv_core.strategy.plans.saved_offers import load_offers
from clv_core.strategy.pricing.price_responses import Responses, estimate_responses, responses_folder, store_responses
from clv_core.strategy.pricing.price_rule import Outcome, Rule, price_table, what_if
from clv_core.strategy.recommend.ranking import TOP, WITH_BOUGHT, WITHOUT_BOUGHT
from clv_core.strategy.recommend.recommendations import (
    StoredRecommendations,
    assumption,
    customer_rows,
    recommendations_folder,
    store_recommendations,
)
from clv_core.strategy.recommend.recommendations import recommend as recommend_products
from clv_core.strategy.segments.saved_segments import tier_labels
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, assign_tiers

MAX_TOP: Final = 50
"""Products a customer at most; more are no recommendation."""


def recommend(
    scored: Scored,
    out: Path | None,
    *,
    top: int = TOP,
    without_bought: bool = False,
    exclude: Collection[str] | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> tuple[Exported | None, StoredRecommendations]:
    """Store which products to recommend to each customer, and write the list if a file is named.

    Args:
        scored: dataset and model whose tiers are used; the cutoff is the log's end.
        out: file of the list, CSV, XLSX or Parquet; None writes none.
        top: products a customer, at most :data:`MAX_TOP`.
        without_bought: whether what a customer has bought is left out.
        exclude: ids of products that are recommended to nobody and count in no figure; None: those that were saved for
            the dataset, else those that lie in orders whatever else is bought.
        language: of the sentences.
        progress: listener.

    Returns:
        What was written, and what was stored.

    Raises:
        UsageError: another ending, or too many products a customer.
        NotEnoughData: the log names no products.
    """
    if out is not None:
        check_ending(out)
    if not 1 <= top <= MAX_TOP:
        raise UsageError("setting_bounds", setting="top", value=top, low=1, high=MAX_TOP)
    dataset, tiered = scored.dataset, assign_tiers(scored.trained.scores(progress))
    exclude = load_offers(dataset).excluded if exclude is None else exclude
    options: dict[str, Any] = {"top": max(top, TOP), "exclude": exclude, "progress": progress}
    made = recommend_products(dataset, tiered, DEFAULT_SCHEME.tiers, dataset.log_end, **options)
    stored = store_recommendations(made, recommendations_folder(scored), _about(scored))
    if out is None:
        return None, stored
    names = tier_labels(dataset, DEFAULT_SCHEME.tiers, language)
    rows = customer_rows(stored.everyone(WITHOUT_BOUGHT if without_bought else WITH_BOUGHT, top), names, language)
    side = recommendation_side(scored, language)
    return write_rows(scored.workspace, rows, out, side, dataset=dataset), stored


def recommendation_side(scored: Scored, language: str) -> Side:
    """Return the side file of a list of recommendations."""
    return replace(side_of(scored, DEFAULT_SCHEME), assumptions=(Assumption.of(assumption(), language),))


def price(
    scored: Scored,
    out: Path | None,
    *,
    rule: Rule | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> tuple[Exported | None, Responses, Outcome | None]:
    """Store how sales answer prices by category and tier, and write that if a file is named.

    Args:
        scored: dataset and model whose tiers and predicted values are used; the cutoff is the log's end.
        out: file of the table, CSV, XLSX or Parquet; None writes none.
        rule: change of prices to evaluate.
        language: of the sentences.
        progress: listener.

    Returns:
        What was written, the responses, and what the rule would bring.

    Raises:
        NotEnoughData: the log has no products or pieces, or no category whose prices vary enough.
    """
    if out is not None:
        check_ending(out)
    dataset, tiered = scored.dataset, assign_tiers(scored.trained.scores(progress))
    responses = estimate_responses(dataset, tiered, DEFAULT_SCHEME.tiers, dataset.log_end, progress)
    store_responses(responses, responses_folder(scored), _about(scored))
    outcome = None if rule is None else what_if(responses, rule)
    if out is None:
        return None, responses, outcome
    side = price_side(scored, outcome, language)
    names = tier_labels(dataset, DEFAULT_SCHEME.tiers, language)
    table = price_table(responses, outcome, names, language)
    return write_rows(scored.workspace, table, out, side, dataset=dataset), responses, outcome


def price_side(scored: Scored, outcome: Outcome | None, language: str) -> Side:
    """Return the side file of a table of responses."""
    assumptions = () if outcome is None else tuple(Assumption.of(message, language) for message in outcome.assumptions)
    settings = {} if outcome is None else {"price_changes": outcome.changes}
    return replace(side_of(scored, DEFAULT_SCHEME), assumptions=assumptions, settings=settings)


def _about(scored: Scored) -> dict[str, str]:
    """Return model and dataset, for the record of a result."""
    return {"model": scored.model.id, "dataset": scored.dataset.name, "version": scored.dataset.version}
