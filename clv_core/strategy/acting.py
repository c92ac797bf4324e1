"""What is done with scores: tiers, one customer's card, a plan for a budget, and lists for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.store import Dataset, open_dataset
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.kept_explanations import kept_explanation
from clv_core.deployment.kept_scores import scores
from clv_core.deployment.past import shared_error
from clv_core.errors import NotEnoughData
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy import card as cards
from clv_core.strategy import export as exports
from clv_core.strategy import lists, plans, segments
from clv_core.strategy.conditions import Condition
from clv_core.strategy.contacts_stored import with_stored
from clv_core.strategy.experiment import Experiment
from clv_core.strategy.experiment_run import experiment
from clv_core.strategy.find import place_of
from clv_core.strategy.history import purchase_history, with_history
from clv_core.strategy.offers import Offer
from clv_core.strategy.rhythm import purchase_rhythm
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.workspace import Workspace


def segment(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    scheme: Scheme = DEFAULT_SCHEME,
    conditions: Sequence[Condition] = (),
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> tuple[exports.Exported, pd.DataFrame, segments.Total]:
    """Write those customers who fulfil all conditions with their tier.

    Returns:
        What was written, the table of all tiers, and what those who were written are worth together.
    """
    everyone, side = _customers(workspace, name, model_id, scheme, conditions, cutoff, language, progress)
    chosen = lists.choose(everyone, conditions)
    made = lists.write_list(chosen, out, side, stop=StopList.of(workspace))
    exports.log_export(workspace, made, out.suffix.removeprefix("."), side)
    shared = shared_error(workspace, open_bundle(workspace, model_id))
    total = segments.total(everyone, shared, everyone.index.isin(chosen.index))
    return made, segments.table(everyone, scheme.tiers, language, shared), total


def plan(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    offers: Sequence[Offer],
    budget: float,
    experiments: Mapping[str, Path],
    scheme: Scheme = DEFAULT_SCHEME,
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> tuple[exports.Exported, plans.Plan, tuple[Offer, ...], dict[str, Experiment]]:
    """Write which customer gets which offer, so that the expected gain is highest within budget and capacities.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose predictions count.
        out: the list, CSV, XLSX or Parquet.
        offers: what can be given.
        budget: money.
        experiments: file of the experiment that measured an offer's effect, by the offer's name.
        scheme: how customers are cut into tiers.
        cutoff: as of when; None is the log's end.
        language: of the side file's sentences.
        progress: listener.

    Returns:
        What was written, the plan, the offers with what was measured, and the experiments by offer.
    """
    everyone, side = _customers(workspace, name, model_id, scheme, (), cutoff, language, progress)
    found = {
        offer: experiment(workspace, name, model_id, path, scheme=scheme, progress=progress)
        for offer, path in experiments.items()
    }
    given = tuple(plans.with_measured(one, found[one.name]) if one.name in found else one for one in offers)
    stop = StopList.of(workspace)
    everyone = stop.without(everyone)
    made = plans.make_plan(everyone, scheme.tiers, given, budget)
    if made.customers.empty:
        raise NotEnoughData("plan_empty", budget=budget)
    assumed = tuple(one.to_json(language) for one in plans.assumptions(given))
    side = replace(side, assumptions=(*side.assumptions, *assumed))
    columns = ["customer_id", plans.OFFER, plans.GAIN, plans.COST, plans.EVIDENCE]
    written = lists.write_list(made.customers[columns], out, side, stop=stop)
    exports.log_export(workspace, written, out.suffix.removeprefix("."), side)
    return written, made, given, found


def export(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    format: str,
    scheme: Scheme = DEFAULT_SCHEME,
    conditions: Sequence[Condition] = (),
    contacts: exports.Contacts | None = None,
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> exports.Exported:
    """Write those customers who fulfil all conditions in a format of ``EXPORTS``, and note it in the export log.

    Contact fields come from ``contacts``, else from the dataset's customers table.
    """
    everyone, side = _customers(workspace, name, model_id, scheme, conditions, cutoff, language, progress)
    known = with_stored(contacts, open_dataset(workspace, name), format)
    chosen, stop = lists.choose(everyone, conditions), StopList.of(workspace)
    made = exports.export(chosen, format, out, side=side, contacts=known, stop=stop)
    exports.log_export(workspace, made, format, side)
    return made


def card(
    workspace: Workspace,
    name: str,
    model_id: str,
    customer: str,
    *,
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> cards.Card:
    """Return what is known and expected of one customer.

    Raises:
        NotFound: no customer of that id was seen before the cutoff.
    """
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    as_of = cutoff or dataset.log_end
    scored = scores(workspace, name, model_id, cutoff=cutoff, progress=progress)
    place_of(scored["customer_id"], customer, as_of.isoformat())
    tiered = segments.assign(with_history(scored, purchase_history(dataset, as_of), as_of))
    return cards.card(
        tiered,
        customer,
        dataset,
        as_of,
        rhythm=purchase_rhythm(dataset, as_of),
        explanation=kept_explanation(workspace, bundle, dataset, customer, as_of),
        currency=bundle.record["currency"],
        language=language,
    )


def _customers(
    workspace: Workspace,
    name: str,
    model_id: str,
    scheme: Scheme,
    conditions: Sequence[Condition],
    cutoff: date | None,
    language: str,
    progress: Progress,
) -> tuple[pd.DataFrame, exports.Side]:
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    scored = scores(workspace, name, model_id, cutoff=cutoff, progress=progress)
    side = replace(side_of(dataset, bundle, cutoff), segment=" ".join(map(str, conditions)), scheme=str(scheme))
    return lists.customer_list(dataset, scored, scheme, cutoff or dataset.log_end, language), side


def side_of(dataset: Dataset, bundle: Bundle, cutoff: date | None) -> exports.Side:
    """Return what a file says of the scores that it was made from."""
    return exports.Side(
        dataset=dataset.name,
        dataset_version=dataset.version,
        model=bundle.id,
        cutoff=(cutoff or dataset.log_end).isoformat(),
        horizon_days=bundle.record["horizon_days"],
        currency=dataset.manifest.currency,
    )
