"""The list of a campaign: who may be in it, without whoever is in its control group, and what its side file says.

First all rules of lists apply, as if there were no control group; who is left is assigned to a group; then those of the
control group are left out. So both groups are of customers who could be contacted; who objects or did not agree is in
neither. Customers who share an address or a number when they join are in neither group and get the list: of two, one
would read what is for the other. Who joins later and shares one with somebody of the control group does not get it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from clv_core.collection.parse import every_address, mailboxes
from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NotFound
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.records import JsonObject
from clv_core.strategy.audiences.audience_filter import CONTROL, MAX_OWNERS, Audience, filter_audience
from clv_core.strategy.audiences.consent import stated_consent
from clv_core.strategy.audiences.contacts import Contacts, canonical_contacts, clean_contacts
from clv_core.strategy.audiences.formats import EXPORTS, Export
from clv_core.strategy.campaigns import (
    Assignment,
    Campaign,
    CampaignRequest,
    Sending,
    note_sent,
    open_campaign,
    preview_control,
    stored_groups,
    with_control,
)

UNMEASURED: Final = Message("warning.campaign_unmeasured", {})
"""What a list says that somebody declined to measure."""
OBJECTED: Final = "objected"
"""Reason of those who are in no group, as they have no score: they objected to profiling."""


@dataclass(frozen=True, eq=False)
class CampaignList:
    """A list that leaves for a campaign.

    Args:
        dataset: whose customers.
        request: the campaign.
        language: of what the side file says about it.
    """

    dataset: Dataset
    request: CampaignRequest
    language: str = DEFAULT_LANGUAGE

    @property
    def campaign(self) -> Campaign:
        """The campaign: as it is stored, else as it was asked for.

        Raises:
            UsageError: a new one without a share.
        """
        try:
            return open_campaign(self.dataset, self.request.name)
        except NotFound:
            return self.request.campaign(self.dataset)

    @property
    def note(self) -> Message:
        """That the control group is left out, or that the list cannot be measured."""
        campaign = self.campaign
        if not campaign.is_measurable:
            return UNMEASURED
        share = {"name": campaign.name, "share": f"{100 * campaign.share:g}"}
        return Message("warning.campaign_control", {**share, "days": campaign.window_days, "start": campaign.started})

    @property
    def settings(self) -> JsonObject:
        """What the side file of the list says of it, as JSON types."""
        campaign = self.campaign
        about = {"campaign": campaign.name, "control_share": campaign.share, "start": campaign.started}
        return {**about, "window_days": campaign.window_days}

    def note_sent(
        self,
        format: str,
        model: str,
        customers: int,
        left_out: Mapping[str, int],
        *,
        file: str = "",
        destination: str = "",
        control_there: int = 0,
    ) -> None:
        """Note with the campaign that its list left.

        Args:
            format: of it, or kind of the destination.
            model: id of the bundle by which they were chosen.
            customers: in it.
            left_out: customers of the segment who are not in it, by reason, the control group included.
            file: name of the first file.
            destination: name of the destination.
            control_there: customers of the control group whom it has from earlier pushes.
        """
        others = {reason: count for reason, count in left_out.items() if reason != CONTROL}
        objected = self.dataset.objected.customers
        others |= {OBJECTED: objected} if objected else {}
        day, control = self.request.day.isoformat(), left_out.get(CONTROL, 0)
        sending = Sending(format, destination, day, file, model, customers, control, others, control_there)
        note_sent(self.dataset, self.request.name, sending)


@dataclass(frozen=True, eq=False)
class Enrolment:
    """Who of some customers is in the list of a campaign.

    Args:
        campaign: the list.
        audience: who is in it, and who is left out why; ``control`` are the control group.
        assignment: the groups of all who could be in it.
    """

    campaign: CampaignList
    audience: Audience
    assignment: Assignment


def enrolled(
    campaign: CampaignList,
    customers: pd.DataFrame,
    format: str,
    contacts: Contacts | None = None,
    stop: SuppressionList | None = None,
    *,
    fewest: int | None,
) -> Enrolment:
    """Return who of some customers is in the list, once each of those who could be has a group.

    Args:
        campaign: the list.
        customers: scored, of the segment.
        format: id of ``EXPORTS``.
        contacts: contact fields and consent.
        stop: the suppression list of the workspace.
        fewest: customers for which the list is worth sending: for fewer, and for None, groups are not written.

    Raises:
        ClvError: as of :func:`~clv_core.strategy.audiences.audience_filter.filter_audience` and
            :func:`~clv_core.strategy.campaigns.campaign.with_control`.
    """
    contacts, dataset = contacts or Contacts(), campaign.dataset
    by_consent = stated_consent(contacts.customers) is not None

    def without(control: frozenset[str]) -> Audience:
        return filter_audience(customers, format, replace(contacts, control=control), stop, by_consent=by_consent)

    everyone = without(frozenset())
    sharing = _sharing(campaign, everyone.customers[CUSTOMER_ID].astype("str"), contacts, EXPORTS[format])
    assigned = preview_control(dataset, campaign.request, everyone.customers, sharing)
    audience = without(assigned.withheld) if assigned.withheld else everyone
    if fewest is not None and len(audience.customers) >= fewest:
        seen, assigned = assigned, with_control(dataset, campaign.request, everyone.customers, sharing)
        if assigned.withheld != seen.withheld:  # by somebody who sent a list of the campaign meanwhile
            audience = without(assigned.withheld)
    uncounted = int(audience.customers[CUSTOMER_ID].astype("str").isin(assigned.shared).sum())
    return Enrolment(campaign, replace(audience, uncounted=uncounted), assigned)


def _sharing(campaign: CampaignList, ids: pd.Series[str], contacts: Contacts, entry: Export) -> frozenset[str]:
    """Return who of some customers has an address or a number that another has too, or somebody of the campaign."""
    if contacts.customers is None:
        return frozenset()
    everyone = {*ids, *stored_groups(campaign.dataset, campaign.request.name)[CUSTOMER_ID]}
    rows = canonical_contacts(contacts.customers).set_index(CUSTOMER_ID)
    rows = rows[rows.index.isin(everyone)]
    cells = rows.reindex(columns=[EMAIL], fill_value="").astype("str").fillna("")[EMAIL]
    numbers = clean_contacts(rows, contacts.region or entry.region or None)[PHONE]
    mailbox = (entry.read_as or mailboxes)(mailboxes(every_address(cells)))
    sharing = set[str]()
    for keys, most in ((mailbox[mailbox != ""], len(everyone)), (numbers[numbers != ""], MAX_OWNERS)):
        owned = keys.rename("key").rename_axis(CUSTOMER_ID).reset_index().drop_duplicates()
        owners = owned.groupby("key")[CUSTOMER_ID].transform("size")
        sharing |= set(owned.loc[owners.between(2, most), CUSTOMER_ID])
    return frozenset(sharing.intersection(ids))
