"""What is done with scores: tiers, one customer's card, a plan for a budget, and lists for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values.pseudonyms import load_key
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.saved_evaluation import shared_error
from clv_core.deployment.saved_scores import scores, scores_path
from clv_core.deployment.score_explanations import find_explanation
from clv_core.deployment.terms import Terms
from clv_core.errors import Message, NotEnoughData
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy import segments
from clv_core.strategy.audiences import customer_list as lists
from clv_core.strategy.audiences import export as exports
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.customer_list import load_scored_customers, only_listed
from clv_core.strategy.audiences.export import write_rows
from clv_core.strategy.audiences.stored_contacts import with_stored_contacts
from clv_core.strategy.conditions import Condition
from clv_core.strategy.customer import card as cards
from clv_core.strategy.customer.find import place_of
from clv_core.strategy.customer.rhythm import kept_rhythm
from clv_core.strategy.experiments.randomization import DATE, GROUP, assign_groups, check_share, randomization_name
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.history import purchase_history, with_history
from clv_core.strategy.plans import budget_plan
from clv_core.strategy.plans.measured_offers import measure_offers
from clv_core.strategy.plans.offers import Offer
from clv_core.strategy.plans.plan_warnings import all_warnings, effect_warnings, randomization_warnings
from clv_core.strategy.recommend.ranking import WITH_BOUGHT
from clv_core.strategy.recommend.stored_recommendations import recommendations_of_model
from clv_core.strategy.schemes.figures import segment_table
from clv_core.strategy.schemes.saved import names_of_tiers
from clv_core.strategy.schemes.segmentation import Segmentation
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.strategy.valued import valued
from clv_core.workspace import Workspace


@dataclass(frozen=True, eq=False)
class PlanMade:
    """A plan with its list.

    Args:
        written: the list.
        plan: who gets what.
        offers: with what was measured.
        experiments: by the name of the offer that was tried.
        notes: what has to be known of it, as the side file says it.
    """

    written: exports.Exported
    plan: budget_plan.BudgetPlan
    offers: tuple[Offer, ...]
    experiments: dict[str, Experiment]
    notes: tuple[Message, ...]


def segment(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    scheme: Scheme | Segmentation = DEFAULT_SCHEME,
    conditions: Sequence[Condition] = (),
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> tuple[exports.Exported, pd.DataFrame, segments.Total, int]:
    """Write those customers who fulfil all conditions with their tier, or their segment of another scheme.

    Returns:
        What was written, the table of all tiers (:func:`~clv_core.strategy.segments.table`) or segments (the same with
        ``segment`` and ``description`` in place of ``tier``), what those who were written are worth together, and how
        many customers there are in all.
    """
    people = load_scored_customers(
        workspace,
        name,
        model_id,
        scheme,
        conditions=conditions,
        cutoff=cutoff,
        language=language,
        progress=progress,
    )
    everyone = people.frame
    chosen = lists.choose(everyone, conditions)
    made = write_rows(workspace, chosen, out, people.side, fewest=1)
    shared, dataset = shared_error(workspace, open_bundle(workspace, model_id)), open_dataset(workspace, name)
    written = everyone.index.isin(chosen.index) & ~SuppressionList.of(workspace, dataset).hides(everyone)
    total = segments.total(everyone, shared, written)
    if people.placed is not None:
        return made, segment_table(everyone, people.placed, shared, language), total, len(everyone)
    assert isinstance(scheme, Scheme)
    names = names_of_tiers(dataset, scheme.tiers, language)
    return made, segments.table(everyone, names, shared), total, len(everyone)


def plan(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    offers: Sequence[Offer],
    budget: float,
    experiments: Mapping[str, Path],
    scheme: Scheme | Segmentation = DEFAULT_SCHEME,
    terms: Terms | None = None,
    cutoff: date | None = None,
    control_share: float | None = None,
    start: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> PlanMade:
    """Write which customer gets which offer, so that the expected gain is highest within budget and capacities.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose predictions count.
        out: the list, CSV, XLSX or Parquet.
        offers: what can be given.
        budget: money.
        experiments: file of the experiment that measured an offer's effect, by the offer's name.
        scheme: how customers are cut into the tiers or segments that offers have effects for; where segments overlap,
            a customer counts in the first that she is in. They are cut by plain values, whatever the terms.
        terms: what the values speak of; None is the trained horizon, without discount or margin.
        cutoff: as of when; None is the log's end.
        control_share: of the customers who get an offer, those who, by chance, do not, so that it can be measured: the
            list then has ``group`` (``offer`` or ``control``) and ``date``. None draws none.
        start: first day of the offers, where groups are drawn; None is the day as of which customers were scored.
        language: of the side file's sentences.
        progress: listener.
    """
    if control_share is not None:
        check_share(control_share)
    trained_days = open_bundle(workspace, model_id).record["horizon_days"]
    asked, dataset = terms or Terms(trained_days), open_dataset(workspace, name)
    people = load_scored_customers(
        workspace, name, model_id, scheme, cutoff=cutoff, language=language, progress=progress
    )
    everyone, side = people.numbered(), people.side
    given, found = measure_offers(
        workspace, name, model_id, offers, experiments, scheme=scheme, terms=asked, progress=progress
    )
    effect_warnings(given, (), asked)  # an effect that was counted for too long is refused before the work
    everyone = valued(workspace, name, model_id, everyone, asked, cutoff=cutoff, progress=progress)
    everyone = SuppressionList.of(workspace, dataset).without(everyone)
    made = budget_plan.make_plan(everyone, people.count, given, budget)
    if made.customers.empty:
        raise NotEnoughData("plan_empty", budget=budget)
    names = people.names(dataset, language)
    said = (*asked.warnings(trained_days), *all_warnings(made, given, names, asked, found))
    settings = budget_plan.settings(given, budget)
    listed = made.customers[
        ["customer_id", budget_plan.OFFER, budget_plan.GAIN, budget_plan.COST, budget_plan.EVIDENCE]
    ]
    if control_share is not None:
        day = (start or cutoff or dataset.log_end).isoformat()
        listed = _drawn(listed, control_share, randomization_name(name, day), day)
        said = (*said, *randomization_warnings(listed))
        settings |= {"control_share": control_share, "start": day}
    side = replace(_with_terms(side, asked, said, language), settings=settings)
    written = write_rows(workspace, listed, out, side, fewest=1)
    return PlanMade(written, made, given, found, said)


def _with_terms(side: exports.Side, terms: Terms, said: Sequence[Message], language: str) -> exports.Side:
    """Return what stands beside a list whose values speak of ``terms``, with what has to be known of it."""
    return replace(
        side,
        horizon_days=terms.horizon_days,
        lifetime=terms.lifetime,
        discount_rate=terms.discount_rate,
        margin_rate=terms.margin_rate,
        assumptions=(*side.assumptions, *(one.to_json(language) for one in said)),
    )


def _drawn(listed: pd.DataFrame, control_share: float, word: str, day: str) -> pd.DataFrame:
    """Return the list with the group that each customer is drawn into, and the day from which on offers are made."""
    drawn = assign_groups(listed["customer_id"], control_share, word, day)
    return listed.assign(**{GROUP: drawn[GROUP], DATE: drawn[DATE]})


def export(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    format: str,
    scheme: Scheme | Segmentation = DEFAULT_SCHEME,
    conditions: Sequence[Condition] = (),
    contacts: Contacts | None = None,
    listed: pd.DataFrame | None = None,
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> exports.Exported:
    """Write those customers who fulfil all conditions in a format of ``EXPORTS``, and note it in the export log.

    Contact fields come from ``contacts``, else from the dataset's customers table. Where a list is given
    (:func:`~clv_core.strategy.audiences.customer_list.read_id_list`), only its customers count.
    """
    people = load_scored_customers(
        workspace,
        name,
        model_id,
        scheme,
        conditions=conditions,
        cutoff=cutoff,
        language=language,
        progress=progress,
    )
    dataset = open_dataset(workspace, name)
    everyone, side = people.frame, people.side
    strange: tuple[Message, ...] = ()
    if listed is not None:
        facts = dataset.manifest
        key = load_key(workspace, facts.key_fingerprint) if facts.pseudonymised else None
        everyone, strange = only_listed(everyone, listed, key)
        side = replace(side, settings={"listed": len(listed)})
    chosen, stop = lists.choose(everyone, conditions), SuppressionList.of(workspace, dataset)
    known = with_stored_contacts(contacts, dataset, format)
    made = exports.export(chosen, format, out, side=side, contacts=known, stop=stop)
    exports.log_export(workspace, made, format, side)
    return replace(made, notes=(*strange, *made.notes))


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
        NotFound: no customer of that id was seen before the cutoff, or she is on the suppression list.
    """
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    stop = SuppressionList.of(workspace, dataset)
    stop.check(customer)
    as_of = cutoff or dataset.log_end
    scored = scores(workspace, name, model_id, cutoff=cutoff, progress=progress)
    place_of(scored["customer_id"], customer, as_of.isoformat())
    history = purchase_history(dataset, as_of)
    tiered = stop.without(segments.assign(with_history(scored, history, as_of)))
    advice = recommendations_of_model(bundle, dataset) if as_of == dataset.log_end else None
    return cards.card(
        tiered,
        customer,
        dataset,
        as_of,
        rhythm=kept_rhythm(scores_path(bundle, dataset, cutoff), bundle, dataset, as_of),
        explanation=find_explanation(bundle, dataset, customer, as_of),
        currency=bundle.record["currency"],
        language=language,
        recommended=None if advice is None else advice.of_customer(customer, WITH_BOUGHT),
    )
