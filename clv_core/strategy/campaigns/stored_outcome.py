"""Outcomes that stay when nobody knows any more who was in a campaign.

datasets/<name>/campaigns/<campaign>/outcome.json    :class:`StoredOutcome`: sums and means of groups, of no customer

Groups are personal data and go some time after the due date (:mod:`clv_core.upkeep.retention`). What the log said of a
campaign that is due is written before, and is what it brought from then on: also where old events, by which it was
measured, go. Groups of a campaign stay while another of the same days is not due: it is told apart by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Final

from clv_core.collection.privacy import without_objected
from clv_core.collection.store import Dataset
from clv_core.locks import running, writing
from clv_core.records import JsonObject, StoredRecord
from clv_core.strategy.campaigns.campaign import (
    GROUPS,
    OUTCOME,
    Campaign,
    campaign_folder,
    due_on,
    groups,
    list_campaigns,
    stored_groups,
)
from clv_core.strategy.campaigns.outcome import DECLINED, DUE, TOO_FEW, Outcome, measure_campaigns
from clv_core.workspace import Workspace, read_json, write_json

FINAL: Final = (DECLINED, TOO_FEW, DUE)
"""States that no later log changes once the due date is in it."""


@dataclass(frozen=True)
class StoredOutcome(StoredRecord):
    """What a campaign brought, as it was measured when it was due.

    Args:
        outcome: of it.
    """

    FILE: ClassVar = OUTCOME

    outcome: Outcome

    def to_json(self) -> JsonObject:
        """Return it as JSON, in which what is not known is the text "nan"."""
        values: JsonObject = _without_nan(super().to_json())
        return values


@dataclass(frozen=True)
class GroupsEnd:
    """Who is in a campaign, and when nobody needs to know it any more.

    Args:
        campaign: whose groups.
        customers: in them.
        due: from which day on the outcome is final.
        is_needed: whether the log does not reach so far yet, or not as far as another campaign of the same days needs.
    """

    campaign: Campaign
    customers: int
    due: date
    is_needed: bool


def outcomes(workspace: Workspace, dataset: Dataset) -> list[Outcome]:
    """Return the outcomes of all campaigns of a dataset, the latest start first; who objected is in no group."""
    campaigns = list_campaigns(dataset)
    stored = {campaign.name: _stored(dataset, campaign) for campaign in campaigns}
    measured: dict[str, Outcome] = {}
    if not all(stored.values()):
        members = [groups(dataset, campaign) for campaign in campaigns]
        found = measure_campaigns(without_objected(workspace, dataset), campaigns, members)
        measured = {outcome.campaign.name: outcome for outcome in found}
    return [stored[campaign.name] or measured[campaign.name] for campaign in campaigns]


def groups_ends(dataset: Dataset) -> list[GroupsEnd]:
    """Return the campaigns of a dataset of whose groups somebody is stored."""
    campaigns = list_campaigns(dataset)
    members = {campaign.name: stored_groups(dataset, campaign) for campaign in campaigns}
    due = {campaign.name: due_on(campaign, members[campaign.name]) for campaign in campaigns}
    waiting = [one for one in campaigns if _stored(dataset, one) is None and due[one.name] > dataset.log_end]

    def is_needed(campaign: Campaign) -> bool:
        return any(
            date.fromisoformat(other.started) < due[campaign.name]
            and date.fromisoformat(campaign.started) < due[other.name]
            for other in waiting
        )

    return [
        GroupsEnd(campaign, len(members[campaign.name]), due[campaign.name], is_needed(campaign))
        for campaign in campaigns
        if len(members[campaign.name])
    ]


def store_outcomes(workspace: Workspace, dataset: Dataset) -> None:
    """Write what each campaign brought that is due and not written yet."""
    for outcome in outcomes(workspace, dataset):
        home = campaign_folder(dataset, outcome.campaign.name)
        if outcome.state in FINAL and outcome.due <= dataset.log_end and not (home / OUTCOME).exists():
            with running(workspace), writing(home):
                write_json(home / OUTCOME, StoredOutcome(outcome).to_json())


def remove_groups(workspace: Workspace, dataset: Dataset, name: str) -> None:
    """Remove who was in a campaign, once what it brought is written; no list of it can be sent from then on."""
    store_outcomes(workspace, dataset)
    home = campaign_folder(dataset, name)
    if (home / OUTCOME).exists():
        with running(workspace), writing(home):
            (home / GROUPS).unlink(missing_ok=True)


def _stored(dataset: Dataset, campaign: Campaign) -> Outcome | None:
    """Return what was written of a campaign, which may have been sent again since."""
    path = campaign_folder(dataset, campaign.name) / OUTCOME
    return replace(StoredOutcome.from_json(read_json(path)).outcome, campaign=campaign) if path.exists() else None


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return "nan" if isinstance(value, float) and math.isnan(value) else value
