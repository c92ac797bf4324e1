"""Activation: lists of scored customers by tier or segment, plans of offers for a budget, and exports to platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from clv_core.collection.parse import load_key
from clv_core.collection.privacy import SuppressionList
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, shared_error
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.audiences import export as exports
from clv_core.strategy.audiences.campaign_list import CampaignList, Enrolment, enrolled
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.customer_list import match_id_list, side_of
from clv_core.strategy.audiences.formats import EXPORTS, with_conversions
from clv_core.strategy.audiences.stored_contacts import marketing_contacts, with_stored_contacts
from clv_core.strategy.campaigns import CampaignRequest
from clv_core.strategy.experiments.randomized_experiment import (
    DATE,
    GROUP,
    assign_groups,
    check_share,
    randomization_name,
)
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.plans.break_even import OfferCost
from clv_core.strategy.plans.budget_plan import (
    COST,
    EVIDENCE,
    GAIN,
    OFFER,
    BudgetPlan,
    all_warnings,
    effect_warnings,
    make_plan,
    randomization_warnings,
    settings,
)
from clv_core.strategy.plans.offers import Offer, measure_offers
from clv_core.strategy.segments.scored_customers import choose, load_scored_customers
from clv_core.strategy.segments.segment_figures import Total, segment_table, table, total
from clv_core.strategy.segments.segment_rules import Condition
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME


@dataclass(frozen=True, eq=False)
class SegmentList:
    """A list of customers with their tier or segment.

    Args:
        written: the list.
        table: of all customers, one row for each tier (:func:`~.segment_figures.table`) or segment
            (:func:`~.segment_figures.segment_table`).
        total: predicted value of the customers in the list.
        customers: number of all customers.
        notes: warnings.
    """

    written: exports.Exported
    table: pd.DataFrame
    total: Total
    customers: int
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, eq=False)
class Selection:
    """Who is in a list.

    Args:
        scheme: that cuts customers into the tiers or segments that conditions may name.
        conditions: that all of them fulfil.
        listed: of :func:`~clv_core.strategy.audiences.customer_list.read_id_list`; only its customers count. None is
            everybody.
        language: of the names of tiers and segments.
        offer: whose break-even uplift is the list's last column; None adds none.
        campaign: whose list it is, and whose control group is left out; None for no campaign.
    """

    scheme: Segmentation = DEFAULT_SCHEME
    conditions: Sequence[Condition] = ()
    listed: pd.DataFrame | None = None
    language: str = DEFAULT_LANGUAGE
    offer: OfferCost | None = None
    campaign: CampaignRequest | None = None


@dataclass(frozen=True)
class PlanInputs:
    """What a plan is made of.

    Args:
        offers: what can be given.
        budget: money.
        scheme: that cuts customers into the tiers or segments that offers have effects for; a customer of overlapping
            segments counts in the first. Customers are cut by their value for the trained horizon, whatever the terms.
        control_share: of the customers who get an offer, those in a control group, so that the effect can be measured;
            the list then has ``group`` (``offer`` or ``control``) and ``date``. None is no control group.
        start: first day of the offers, if there is a control group; None is the day as of which customers were scored.
        campaign: whose list it is: its control group is left out, and there are no columns of groups.

    Raises:
        UsageError: a share of controls that leaves a group empty.
    """

    offers: Sequence[Offer]
    budget: float
    scheme: Segmentation = DEFAULT_SCHEME
    control_share: float | None = None
    start: date | None = None
    campaign: CampaignRequest | None = None

    def __post_init__(self) -> None:
        """Check the share."""
        if self.control_share is not None and self.campaign is None:
            check_share(self.control_share)


@dataclass(frozen=True, eq=False)
class WrittenPlan:
    """A plan with its list.

    Args:
        written: the list.
        plan: who gets what.
        offers: with measured effects.
        experiments: by the name of the offer that was tried.
        notes: warnings, which are in the side file too.
    """

    written: exports.Exported
    plan: BudgetPlan
    offers: tuple[Offer, ...]
    experiments: dict[str, Experiment]
    notes: tuple[Message, ...]


def segment(
    scored: Scored,
    out: Path,
    *,
    scheme: Segmentation = DEFAULT_SCHEME,
    conditions: Sequence[Condition] = (),
    offer: OfferCost | None = None,
    campaign: CampaignRequest | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> SegmentList:
    """Write the customers who fulfil all conditions with their tier, or their segment of another scheme.

    With an offer, list and table have its break-even uplift as their last column. The control group of a campaign is
    left out of the list.
    """
    customers = load_scored_customers(scored, scheme, conditions=conditions, language=language, progress=progress)
    everyone, dataset = customers.frame, scored.dataset
    selected = choose(everyone, conditions)
    side = _with_offer(side_of(scored, scheme, conditions), offer, language)
    given = selected if offer is None else offer.added_to(selected)
    enrolment = _enrolled(scored, campaign, selected, language)
    written = exports.write_rows(scored.workspace, given, out, side, dataset=dataset, fewest=1, enrolment=enrolment)
    shared = shared_error(scored.workspace, scored.model)
    in_list = everyone.index.isin(selected.index) & ~SuppressionList.of(scored.workspace, dataset).hides(everyone)
    if enrolment is not None:
        in_list &= everyone[CUSTOMER_ID].isin(enrolment.audience.customers[CUSTOMER_ID])
    if customers.assignment is None:
        rows = table(everyone, customers.names(dataset, language), shared)
    else:
        rows = segment_table(everyone, customers.assignment, shared, language)
    rows = rows if offer is None else offer.added_to_groups(rows)
    notes = () if enrolment is None else (enrolment.campaign.note,)
    return SegmentList(written, rows, total(everyone, shared, in_list), len(everyone), notes)


def plan(
    scored: Scored,
    inputs: PlanInputs,
    out: Path,
    *,
    experiments: Mapping[str, Path],
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> WrittenPlan:
    """Write which customer gets which offer, so that the expected gain is highest within budget and capacities.

    Args:
        scored: model, dataset and cutoff, at the terms of the values that the gains go by.
        inputs: offers and budget.
        out: the list, CSV, XLSX or Parquet.
        experiments: file of the experiment that measured an offer's effect, by the offer's name.
        language: of the side file's sentences.
        progress: listener.
    """
    dataset, terms, scheme = scored.dataset, scored.terms, inputs.scheme
    customers = load_scored_customers(scored, scheme, language=language, progress=progress)
    offers, measured = measure_offers(scored, inputs.offers, experiments, scheme=scheme, progress=progress)
    effect_warnings(offers, (), terms)  # an effect that was counted for too long is refused before the work
    people = scored.at_terms(customers.numbered(), progress)
    people = SuppressionList.of(scored.workspace, dataset).without(people)
    made = make_plan(people, customers.count, offers, inputs.budget)
    if made.customers.empty:
        raise NotEnoughData("plan_empty", budget=inputs.budget)
    names = customers.names(dataset, language)
    notes = (*terms.warnings(scored.trained_days), *all_warnings(made, offers, names, terms, measured))
    choices = settings(offers, inputs.budget)
    rows = made.customers[["customer_id", OFFER, GAIN, COST, EVIDENCE]]
    enrolment = _enrolled(scored, inputs.campaign, made.customers, language)
    if inputs.control_share is not None and enrolment is None:
        day = (inputs.start or scored.as_of).isoformat()
        groups = assign_groups(rows["customer_id"], inputs.control_share, randomization_name(dataset.name, day), day)
        rows = rows.assign(**{GROUP: groups[GROUP], DATE: groups[DATE]})
        notes = (*notes, *randomization_warnings(rows))
        choices |= {"control_share": inputs.control_share, "start": day}
    side = replace(side_of(scored, scheme).at(terms, notes, language), settings=choices)
    written = exports.write_rows(scored.workspace, rows, out, side, dataset=dataset, fewest=1, enrolment=enrolment)
    notes = notes if enrolment is None else (*notes, enrolment.campaign.note)
    return WrittenPlan(written, made, offers, measured, notes)


def export(
    scored: Scored,
    out: Path,
    *,
    format: str,
    selection: Selection = Selection(),
    contacts: Contacts | None = None,
    margin_rate: float = 1.0,
    progress: Progress,
) -> exports.Exported:
    """Write the customers of a selection in a format of ``EXPORTS``, and add a line to the export log.

    Conversions (:func:`.with_conversions`) hold new customers only, their value times ``margin_rate``.

    Contact fields come from ``contacts``, else from the dataset's customers table.

    Raises:
        UsageError: an offer's break-even uplift is asked of a format that has no column for it.
    """
    offer = selection.offer
    if offer is not None and format in EXPORTS and not EXPORTS[format].takes_break_even:
        able = [entry.id for entry in EXPORTS.values() if entry.takes_break_even]
        raise UsageError("export_break_even", format=format, known=able)
    scheme, conditions, listed = selection.scheme, selection.conditions, selection.listed
    everyone = load_scored_customers(
        scored, scheme, conditions=conditions, language=selection.language, progress=progress
    ).frame
    dataset, side = scored.dataset, side_of(scored, scheme, conditions)
    unmatched: tuple[Message, ...] = ()
    if listed is not None:
        manifest = dataset.manifest
        key = load_key(scored.workspace, manifest.key_fingerprint) if manifest.pseudonymised else None
        everyone, unmatched = match_id_list(everyone, listed, key)
        side = replace(side, settings={"listed": len(listed)})
    side = _with_offer(side, offer, selection.language)
    selected = with_conversions(choose(everyone, conditions), format, dataset, scored.as_of, margin_rate)
    if offer is None:
        side = replace(side, margin_rate=margin_rate)
    else:
        selected = offer.added_to(selected)
    campaign = _campaign_list(scored, selection.campaign, selection.language)
    given = with_stored_contacts(contacts, dataset, format)
    if campaign is not None and format in EXPORTS:
        given = marketing_contacts(contacts or Contacts(), dataset, format)
    made = exports.export(
        selected,
        format,
        out,
        side=side,
        contacts=given,
        stop=SuppressionList.of(scored.workspace, dataset),
        campaign=campaign,
    )
    exports.log_export(scored.workspace, made, format, side, campaign)
    notes = (*(() if offer is None else offer.notes), *(() if campaign is None else (campaign.note,)))
    return replace(made, notes=(*unmatched, *notes, *made.notes))


def _campaign_list(scored: Scored, request: CampaignRequest | None, language: str) -> CampaignList | None:
    return None if request is None else CampaignList(scored.dataset, request, language)


def _enrolled(
    scored: Scored, request: CampaignRequest | None, customers: pd.DataFrame, language: str
) -> Enrolment | None:
    """Return who of the customers of a table is in the list of a campaign; None for no campaign."""
    campaign = _campaign_list(scored, request, language)
    if campaign is None:
        return None
    stop = SuppressionList.of(scored.workspace, scored.dataset)
    contacts = marketing_contacts(Contacts(), scored.dataset, "csv")
    return enrolled(campaign, customers, "csv", contacts, stop, fewest=1)


def _with_offer(side: exports.Side, offer: OfferCost | None, language: str) -> exports.Side:
    """Return a side file with what a break-even uplift was worked out from, and what it assumes."""
    if offer is None:
        return side
    assumed = (*side.assumptions, *(exports.Assumption.of(note, language) for note in offer.notes))
    return replace(side, assumptions=assumed, settings={**side.settings, **offer.settings})
