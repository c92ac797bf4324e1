"""Commands that give lists of customers away: segments, exports for other platforms, and pushes to them."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from clv_core.commands import (
    CUTOFF,
    DATASET,
    MODEL,
    SCHEME,
    Answer,
    Context,
    day,
    open_scored,
    print_messages,
    trust_and_warnings,
    whole_number,
)
from clv_core.commands.parser import command, option
from clv_core.errors import Message, UsageError
from clv_core.strategy.audiences import EXPORTS
from clv_core.strategy.campaigns import CAMPAIGN_DAYS
from clv_core.strategy.destinations import KINDS, PURPOSES

if TYPE_CHECKING:
    from clv_core.collection.store import Dataset
    from clv_core.deployment import Scored
    from clv_core.strategy.audiences import Exported, Matches
    from clv_core.strategy.campaigns import CampaignRequest
    from clv_core.strategy.destinations import Destination
    from clv_core.strategy.plans import OfferCost
    from clv_core.strategy.segments import Condition, Segmentation


OFFER_COST: Final = (
    option("--offer-cost", "cli.offer.cost", type=float),
    option("--offer-paid", "cli.offer.paid", choices=("everyone", "buyers"), default="everyone"),
)
"""Declare the offer whose break-even uplift a list has as its last column."""


def read_offer_cost(options: argparse.Namespace) -> OfferCost | None:
    """Return the offer of a command line; None without a cost.

    Raises:
        UsageError: a cost below 0, or a margin out of bounds.
    """
    from clv_core.strategy.plans import OfferCost

    if options.offer_cost is None:
        return None
    return OfferCost(options.offer_cost, options.offer_paid, options.margin_rate)


CAMPAIGN: Final = (
    option("--campaign", "cli.campaign.name", metavar="NAME"),
    option(
        "--campaign-days",
        "cli.campaign.days",
        type=whole_number(1),
        default=CAMPAIGN_DAYS,
        params={"default": CAMPAIGN_DAYS},
    ),
    option("--campaign-cost", "cli.campaign.cost", type=float, default=0.0),
    option("--campaign-margin", "cli.campaign.margin", type=float),
)
"""Declare the campaign that a list is of; a list is of none until it is asked."""
CONTROL: Final = (
    option("--control-share", "cli.campaign.share", type=float),
    option("--start", "cli.campaign.start", type=day),
)
"""Declare the control group of a new campaign, and its first day."""


def read_campaign(options: argparse.Namespace, scored: Scored | None = None) -> CampaignRequest | None:
    """Return the campaign of a command line; None where it names none. Without ``scored`` it is only checked.

    Raises:
        UsageError: a control group, or its first day, without a campaign; or values out of bounds.
        Refused: the name cannot name a folder.
    """
    from clv_core.strategy.campaigns import CampaignRequest

    if options.campaign is None:
        given = [name for name in ("control_share", "start") if getattr(options, name) is not None]
        if given and options.command != "plan":  # whose groups need no campaign
            raise UsageError("campaign_name", options=[f"--{name.replace('_', '-')}" for name in given])
        return None
    about = {"scheme": options.scheme, "segment": " ".join(getattr(options, "segment", []))}
    about |= {} if scored is None else {"model": scored.model.id}
    return CampaignRequest(
        options.campaign,
        options.start or (date.max if scored is None else scored.as_of),
        options.campaign_days,
        options.control_share,
        about,
        options.campaign_cost,
        options.campaign_margin,
    )


def scheme_and_conditions(options: argparse.Namespace, dataset: Dataset) -> tuple[Segmentation, list[Condition]]:
    """Return the scheme and the conditions of a command line.

    Raises:
        UsageError: one of them cannot be parsed.
        NotFound: there are no such rules.
    """
    from clv_core.strategy.segments import parse_condition, parse_scheme

    scheme = parse_scheme(options.scheme, dataset)
    return scheme, [parse_condition(text, scheme) for text in options.segment]


def check_segment(options: argparse.Namespace) -> None:
    """Refuse a list with an unsupported ending, or an offer that cannot be.

    Raises:
        UsageError: it has one, a cost below 0, or a margin that is out of bounds or without the cost of an offer.
    """
    from clv_core.strategy.audiences import check_ending

    check_ending(options.out)
    read_campaign(options)
    if read_offer_cost(options) is None and options.margin_rate != 1:
        raise UsageError("segment_margin")


@command(
    "segment",
    DATASET,
    MODEL,
    SCHEME,
    option("--segment", "cli.segment.segment", action="append", default=[]),
    option("--out", "cli.segment.out", type=Path, required=True),
    *OFFER_COST,
    option("--margin-rate", "cli.offer.margin", type=float, default=1.0),
    *CAMPAIGN,
    *CONTROL,
    CUTOFF,
    check=check_segment,
)
def run_segment(options: argparse.Namespace, context: Context) -> Answer:
    """Cut, write the list, and return one record for each tier, or segment, of all customers.

    Sums have their 80% interval; null without past origins to estimate it from.

    Raises:
        UsageError: see :func:`check_segment`.
    """
    from clv_core.strategy import segment

    check_segment(options)
    offer = read_offer_cost(options)
    scored = open_scored(options, context)
    scheme, conditions = scheme_and_conditions(options, scored.dataset)
    made = segment(
        scored,
        options.out,
        scheme=scheme,
        conditions=conditions,
        offer=offer,
        campaign=read_campaign(options, scored),
        language=context.language,
        progress=context.progress,
    )
    return {
        "out": str(options.out),
        "side_file": str(made.written.side_file),
        "model": options.model,
        "scheme": str(scheme),
        "rows": made.written.rows,
        "value_sum": made.total.value,
        "value_sum_low": made.total.low,
        "value_sum_high": made.total.high,
        "past_origins": made.total.origins,
        "customers": made.customers,
        "tiers" if "tier" in made.table else "segments": _records(made.table),
        **trust_and_warnings(scored, context, (*(() if offer is None else offer.notes), *made.notes)),
    }


def _records(rows: pd.DataFrame) -> list[Answer]:
    """Return the table as JSON types: days as ISO dates, null for what an empty tier lacks."""
    days = rows.assign(last_purchase_median=rows["last_purchase_median"].dt.strftime("%Y-%m-%d"))
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()} for row in days.to_dict("records")
    ]


def check_export(options: argparse.Namespace) -> None:
    """Refuse options of an export that do not fit its format.

    Raises:
        UsageError: the file has another ending, an offer cannot be, or a margin is given for a list that is neither of
            conversions nor of an offer.
    """
    ending = EXPORTS[options.format].suffix
    if options.out.suffix != ending:
        raise UsageError("export_ending", path=options.out.name, format=options.format, ending=ending)
    read_campaign(options)
    offer = read_offer_cost(options)
    if options.campaign is not None and EXPORTS[options.format].conversion_days is not None:
        raise UsageError("campaign_conversions", format=options.format)
    if options.margin_rate != 1 and offer is None and EXPORTS[options.format].conversion_days is None:
        conversion_formats = [entry.id for entry in EXPORTS.values() if entry.conversion_days is not None]
        raise UsageError("export_margin", format=options.format, known=conversion_formats)


@command(
    "export",
    DATASET,
    MODEL,
    option("--format", "cli.export.format", required=True, choices=tuple(EXPORTS)),
    option("--segment", "cli.segment.segment", action="append", default=[]),
    SCHEME,
    option("--out", "cli.export.out", type=Path, required=True),
    option("--list", "cli.export.list", type=Path),
    option("--customers", "cli.export.customers", type=Path),
    option("--suppress", "cli.export.suppress", type=Path),
    option("--region", "cli.export.region"),
    option("--assume-consent", "cli.export.assume_consent", action="store_true"),
    option("--margin-rate", "cli.export.margin", type=float, default=1.0),
    *OFFER_COST,
    *CAMPAIGN,
    *CONTROL,
    CUTOFF,
    check=check_export,
)
def run_export(options: argparse.Namespace, context: Context) -> Answer:
    """Write the list and its side file, and return counts and paths.

    Raises:
        UsageError: see :func:`check_export`.
    """
    from clv_core.collection.parse import load_key
    from clv_core.strategy import Selection, export
    from clv_core.strategy.audiences import Contacts, matches, read_contacts, read_entries, read_id_list, words_of

    check_export(options)
    offer = read_offer_cost(options)
    scored = open_scored(options, context)
    manifest = scored.dataset.manifest
    needs_key = manifest.pseudonymised and (options.customers or options.suppress)
    key = load_key(context.workspace, manifest.key_fingerprint) if needs_key else None
    scheme, conditions = scheme_and_conditions(options, scored.dataset)
    entries = () if options.suppress is None else read_entries(options.suppress)
    contacts = Contacts(
        suppressed=words_of(entries, key),
        customers=None if options.customers is None else read_contacts(options.customers, key),
        region=options.region,
        assume_consent=options.assume_consent,
    )
    listed = None if options.list is None else read_id_list(options.list)
    made = export(
        scored,
        options.out,
        format=options.format,
        selection=Selection(scheme, conditions, listed, context.language, offer, read_campaign(options, scored)),
        contacts=contacts,
        margin_rate=options.margin_rate,
        progress=context.progress,
    )
    suppression = None
    if options.suppress:
        suppression = matches(context.workspace, entries, [scored.dataset], contacts.customers)
    unmatched = () if manifest.customers_table or options.customers else _unmatched_addresses(contacts.suppressed)
    notes = (*unmatched, *(() if suppression is None else (suppression.message,)), *made.notes)
    return {
        "files": [str(file) for file in made.files],
        "side_file": str(made.side_file),
        "format": options.format,
        "model": options.model,
        **_counts(made, suppression),
        **trust_and_warnings(scored, context, notes),
    }


def check_push(options: argparse.Namespace) -> None:
    """Refuse a campaign that cannot be.

    Raises:
        UsageError, Refused: as of :func:`read_campaign`.
    """
    read_campaign(options)


@command(
    "push",
    DATASET,
    MODEL,
    option("--to", "cli.push.to", required=True, metavar="NAME"),
    option("--dry-run", "cli.push.dry_run", action="store_true"),
    option("--segment", "cli.segment.segment", action="append", default=[]),
    SCHEME,
    option("--suppress", "cli.export.suppress", type=Path),
    option("--region", "cli.export.region"),
    option("--assume-consent", "cli.export.assume_consent", action="store_true"),
    option("--no-ids-as-email", "cli.push.no_ids_as_email", action="store_true"),
    *CAMPAIGN,
    *CONTROL,
    CUTOFF,
    check=check_push,
)
def run_push(options: argparse.Namespace, context: Context) -> Answer:
    """Send what changed, or say what would be sent, and return counts and who was not accepted."""
    from clv_core.collection.parse import load_key
    from clv_core.collection.privacy import SuppressionList
    from clv_core.strategy.audiences import CampaignList, Contacts, read_entries, side_of, words_of
    from clv_core.strategy.destinations import PushList, open_destination, push_contacts
    from clv_core.strategy.destinations.push import push
    from clv_core.strategy.segments import choose, load_scored_customers

    check_push(options)
    destination = open_destination(context.workspace, options.to)
    scored = open_scored(options, context)
    manifest = scored.dataset.manifest
    key = load_key(context.workspace, manifest.key_fingerprint) if manifest.pseudonymised and options.suppress else None
    scheme, conditions = scheme_and_conditions(options, scored.dataset)
    customers = load_scored_customers(
        scored, scheme, conditions=conditions, language=context.language, progress=context.progress
    ).frame
    contacts = Contacts(
        region=options.region,
        assume_consent=options.assume_consent,
        suppressed=words_of(() if options.suppress is None else read_entries(options.suppress), key),
        ids_as_email=not options.no_ids_as_email,
    )
    campaign = read_campaign(options, scored)
    people = PushList(
        choose(customers, conditions),
        side_of(scored, scheme, conditions),
        push_contacts(destination, contacts, scored.dataset),
        SuppressionList.of(context.workspace, scored.dataset),
        None if campaign is None else CampaignList(scored.dataset, campaign, context.language),
    )
    pushed = push(
        context.workspace,
        destination,
        people,
        dry_run=options.dry_run,
        progress=context.progress,
        tell=lambda message: print_messages([message], context),
    )
    notes = pushed.notes if people.campaign is None else (*pushed.notes, people.campaign.note)
    return {**pushed.to_json(), **trust_and_warnings(scored, context, notes)}


@command(
    "destinations",
    option("action", "cli.destinations.action", choices=("add", "change", "list", "remove")),
    option("name", "cli.destinations.name", nargs="?"),
    option("--kind", "cli.destinations.kind", choices=tuple(KINDS)),
    option("--address", "cli.destinations.address", default=""),
    option("--secret", "cli.destinations.secret", default=""),
    option("--table", "cli.destinations.table", default="clv_scores"),
    option("--purpose", "cli.destinations.purpose", choices=PURPOSES, default=""),
)
def run_destinations(options: argparse.Namespace, context: Context) -> Answer:
    """Save, change, list or remove; secrets are references."""
    from clv_core.strategy.destinations import add_destination, list_destinations, remove_destination, set_purpose

    action, purpose = options.action, options.purpose
    words = (options.name is not None, options.kind is not None, bool(purpose) and action != "add")
    if words != (action != "list", action == "add", action == "change"):
        raise UsageError("destinations_words", action=action)
    if action == "add":
        given = (options.name, options.kind, options.address, options.secret, options.table, purpose)
        made = add_destination(context.workspace, *given)
        return {**_shown(made), "secret": made.secret}
    if action == "change":
        return _shown(set_purpose(context.workspace, options.name, purpose))
    if options.action == "remove":
        remove_destination(context.workspace, options.name)
        return {"removed": options.name}
    return {"destinations": [_shown(destination) for destination in list_destinations(context.workspace)]}


def _shown(destination: Destination) -> Answer:
    return {name: getattr(destination, name) for name in ("name", "kind", "host", "purpose")}


def _counts(made: Exported, suppression: Matches | None) -> Answer:
    """Return how many customers were requested, written, and left out for which reason, and the suppression file's."""
    return {
        "rows": made.rows,
        "asked": made.asked,
        "share_with_consent": made.contacted / made.asked,
        "match_rate": made.contacted / made.asked,  # its former name, which readers of the JSON may still take
        "left_out": made.left_out,
        "reach": made.reach,
        "suppression": None if suppression is None else suppression.to_json(),
        "unknown_consent": made.unknown_consent,
        "unread": made.unread,
    }


def _unmatched_addresses(suppressed: Collection[str]) -> tuple[Message, ...]:
    """Return a warning of suppressed addresses that no customers table links to ids."""
    count = sum("@" in word for word in suppressed)
    return (Message("warning.suppress_addresses", {"addresses": count}),) if count else ()
