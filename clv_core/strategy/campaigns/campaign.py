"""A campaign: a list for marketing that leaves more than once, and the customers who do not get it, by chance.

datasets/<name>/campaigns/<campaign>/campaign.json    :class:`Campaign`
datasets/<name>/campaigns/<campaign>/groups.parquet   customer_id, group, joined, segment, predicted_clv
datasets/<name>/campaigns/<campaign>/outcome.json     :mod:`~clv_core.strategy.campaigns.stored_outcome`

They are in the dataset's folder and apply to all its versions. Who is once in a group stays there: other files, other
platforms, models and tiers change nothing. A new customer's group follows from a hash of the id and of the campaign's
randomization, as of an experiment (:func:`~clv_core.strategy.experiments.randomized_experiment.in_control_group`), so
that it is the same whichever list she comes with. Who is reached by another's address or number when she joins is in
neither group, and gets the list: what one of them is sent, the other reads. Groups are written before the list is, the
record after it: a list that leaves is one whose groups are on the disk.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from clv_core.collection.privacy import objected_ids
from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.locks import running, writing
from clv_core.records import MAX_NUMBER, Amount, Count, Day, HorizonDays, JsonObject, Share, StoredRecord
from clv_core.strategy.experiments.randomized_experiment import CONTROL as CONTROL
from clv_core.strategy.experiments.randomized_experiment import GROUP as GROUP
from clv_core.strategy.experiments.randomized_experiment import check_share, in_control_group
from clv_core.strategy.segments import VALUE
from clv_core.strategy.segments.segmentation import SEGMENT, TIER
from clv_core.workspace import Workspace, atomic_path, check_name, read_json, write_json

FOLDER: Final = "campaigns"
RECORD: Final = "campaign.json"
GROUPS: Final = "groups.parquet"
OUTCOME: Final = "outcome.json"
LIST: Final = "list"
"""The group of those who are in the lists; the other is ``control``."""
SHARED: Final = "shared"
"""Of those who are in the lists and in neither group: another customer has their address or number too."""
JOINED: Final = "joined"
COLUMNS: Final = (CUSTOMER_ID, GROUP, JOINED, SEGMENT, VALUE)
CAMPAIGN_DAYS: Final = 30
"""For how long outcomes count by default: a month, in which most offers end; a guess."""
MAX_DAYS: Final = 3650
"""Longest window; as of forecasts."""
MAX_NAME: Final = 60
"""Characters of a campaign's name: it is a folder, a word of commands and of tables."""


@dataclass(frozen=True)
class Sending(StoredRecord):
    """One time that the list of a campaign left.

    Args:
        format: id of ``EXPORTS``, of a table's ending, or of a destination's kind.
        destination: name of the destination that it was sent to; "" for a file.
        day: as of which the customers were chosen.
        file: name of the first file; "" for a destination.
        model: id of the bundle by which they were chosen.
        customers: in it.
        control: customers who would have been in it.
        left_out: customers of the segment who are neither in the list nor in the control group, by the reason of
            lists, and ``objected``: those of the dataset who objected to profiling. Of these ``control_contact`` do not
            get it, as somebody of the control group would.
        control_there: customers of the control group whom the destination has from earlier pushes, and cannot remove.
            They count as control group: the outcome is by what was meant for each, not by what she was sent.
    """

    format: str
    destination: str
    day: Day
    file: str
    model: str
    customers: Count
    control: Count
    left_out: dict[str, int] = field(default_factory=dict)
    control_there: Count = 0


@dataclass(frozen=True)
class Campaign(StoredRecord):
    """A list for marketing and its control group.

    Args:
        name: of it.
        started: from which day on outcomes count; of customers who joined later, the day on which they did.
        window_days: for how long outcomes count.
        share: of the customers of the list who do not get it; 0: somebody declined, and it cannot be measured.
        randomization: by which customers are hashed; it stays when the dataset is renamed.
        about: which list it is: ``scheme``, ``segment``, ``horizon_days``, ``model``, as JSON types.
        cost: of reaching a customer, money.
        margin_rate: share of net revenue that is margin; None: nobody said.
        sent: when its list left, the first one first.
    """

    FILE: ClassVar = RECORD

    name: str
    started: Day
    window_days: HorizonDays
    share: Share
    randomization: str
    about: JsonObject = field(default_factory=dict)
    cost: Amount = 0.0
    margin_rate: Share | None = None
    sent: tuple[Sending, ...] = ()

    @property
    def is_measurable(self) -> bool:
        """Whether it has a control group."""
        return self.share > 0

    @property
    def left_out(self) -> dict[str, int]:
        """Customers who were neither in the list nor in the control group when it last left, by reason."""
        return dict(self.sent[-1].left_out) if self.sent else {}

    @property
    def control_there(self) -> dict[str, int]:
        """Customers of the control group whom a destination had when the list was last sent there, by its name."""
        latest = {sending.destination: sending.control_there for sending in self.sent}
        return {destination: count for destination, count in latest.items() if count}


@dataclass(frozen=True)
class CampaignRequest:
    """What somebody asks for who sends a list of a campaign.

    Args:
        name: of it; one that does not exist yet is created.
        day: as of which customers are chosen: the start of a new campaign, and when new customers join.
        window_days: for how long outcomes count; of a new campaign only.
        share: of the control group, 0 for none; None is that of the campaign that exists.
        about: which list it is; of a new campaign only.
        cost: of reaching a customer; of a new campaign only.
        margin_rate: share of net revenue that is margin; of a new campaign only.

    Raises:
        Refused: the name cannot name a folder.
        UsageError: a share of all or more, or below 0; no days, a cost below 0, or a margin out of bounds.
    """

    name: str
    day: date
    window_days: int
    share: float | None = None
    about: JsonObject = field(default_factory=dict)
    cost: float = 0.0
    margin_rate: float | None = None

    def __post_init__(self) -> None:
        """Check what was asked."""
        if len(check_name(self.name)) > MAX_NAME:
            raise Refused("bad_name", name=self.name[:80])
        if self.share:
            check_share(self.share)
        if not 1 <= self.window_days <= MAX_DAYS:
            raise UsageError("campaign_days", days=self.window_days, most=MAX_DAYS)
        if not 0 <= self.cost < MAX_NUMBER:
            raise UsageError("campaign_cost", cost=f"{self.cost:g}")
        if self.margin_rate is not None and not 0 < self.margin_rate <= 1:
            raise UsageError("campaign_margin", margin=f"{self.margin_rate:g}")

    def campaign(self, dataset: Dataset) -> Campaign:
        """Return the new campaign.

        Raises:
            UsageError: there is no share.
        """
        name = check_name(self.name)
        if self.share is None:
            raise UsageError("campaign_share", name=name)
        randomization = f"campaign {dataset.name} {name}"
        terms = (self.day.isoformat(), self.window_days, self.share, randomization)
        return Campaign(name, *terms, about=self.about, cost=self.cost, margin_rate=self.margin_rate)


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who of some customers is in which group.

    Args:
        campaign: whose.
        groups: ``customer_id, group, joined, segment, predicted_clv`` of each of them, in their order.
        withheld: ids of everybody in the campaign's control group, whether one of these customers or not.
    """

    campaign: Campaign
    groups: pd.DataFrame
    withheld: frozenset[str]

    @property
    def control(self) -> frozenset[str]:
        """The ids of those of the customers who do not get the list."""
        return self._of(CONTROL)

    @property
    def shared(self) -> frozenset[str]:
        """The ids of those of the customers who are in neither group, for another has their address or number."""
        return self._of(SHARED)

    def _of(self, group: str) -> frozenset[str]:
        return frozenset(self.groups.loc[self.groups[GROUP] == group, CUSTOMER_ID])


@dataclass(frozen=True)
class Membership:
    """A campaign that a customer is in.

    Args:
        campaign: which.
        group: ``list``, ``control`` or ``shared``.
        joined: ISO day.
        segment: in which she was then; "" for none.
        value: that was predicted of her then, money; NaN for none.
    """

    campaign: Campaign
    group: str
    joined: str
    segment: str
    value: float


def list_campaigns(dataset: Dataset) -> list[Campaign]:
    """Return the campaigns of a dataset, the latest start first."""
    campaigns = [Campaign.from_json(read_json(path)) for path in _folder(dataset).glob(f"*/{RECORD}")]
    return sorted(sorted(campaigns, key=lambda campaign: campaign.name), key=lambda item: item.started, reverse=True)


def open_campaign(dataset: Dataset, name: str) -> Campaign:
    """Return a campaign of a dataset.

    Raises:
        NotFound: there is none of this name.
    """
    path = _folder(dataset) / check_name(name) / RECORD
    if not path.exists():
        known = [campaign.name for campaign in list_campaigns(dataset)]
        raise NotFound("no_campaign", name=name, known=known or "-")
    return Campaign.from_json(read_json(path))


def groups(dataset: Dataset, campaign: Campaign | str) -> pd.DataFrame:
    """Return who is in a campaign.

    Returns:
        customer_id, group (``list``, ``control`` or ``shared``), joined (ISO day), segment (of a list's segments or
        tiers, "" where it has none) and predicted_clv (money) at the assignment, one row a customer; nobody who objects
        now.
    """
    rows = stored_groups(dataset, campaign)
    objected = objected_ids(_workspace(dataset), dataset)
    return rows[~rows[CUSTOMER_ID].isin(objected)].reset_index(drop=True) if objected else rows


def stored_groups(dataset: Dataset, campaign: Campaign | str) -> pd.DataFrame:
    """Return :func:`groups` with everybody whose row is stored; empty where retention removed them."""
    name = campaign if isinstance(campaign, str) else campaign.name
    return _read_groups(campaign_folder(dataset, name) / GROUPS)


def due_on(campaign: Campaign, members: pd.DataFrame) -> date:
    """Return the day from which on a log, by its end, has the whole outcome.

    Args:
        campaign: whose.
        members: ``joined`` of each who is in it; who joined later than one window after the start does not count.
    """
    started = np.datetime64(campaign.started)
    joined = members[JOINED].to_numpy("datetime64[D]")
    joined = joined[joined < started + campaign.window_days]
    due: date = ((joined.max() if len(joined) else started) + campaign.window_days).astype(date)
    return due


def campaign_folder(dataset: Dataset, name: str) -> Path:
    """Return the folder of a campaign's files."""
    return _folder(dataset) / check_name(name)


def campaigns_of(dataset: Dataset, customer: str) -> list[Membership]:
    """Return the campaigns that a customer is in, the latest start first."""
    memberships = []
    for campaign in list_campaigns(dataset):
        rows = groups(dataset, campaign)
        for row in rows[rows[CUSTOMER_ID] == customer].to_dict("records"):
            group, joined, segment = (str(row[name]) for name in (GROUP, JOINED, SEGMENT))
            memberships.append(Membership(campaign, group, joined, segment, float(row[VALUE])))
    return memberships


def preview_control(
    dataset: Dataset, request: CampaignRequest, customers: pd.DataFrame, sharing: Collection[str] = ()
) -> Assignment:
    """Return who would be in which group, without writing anything; arguments and errors are :func:`with_control`'s."""
    return _assign(dataset, request, customers, sharing)[0]


def with_control(
    dataset: Dataset, request: CampaignRequest, customers: pd.DataFrame, sharing: Collection[str] = ()
) -> Assignment:
    """Assign the customers who have no group yet, and return everybody's.

    Two processes that do at once wait for each other; their order does not matter.

    Args:
        dataset: whose.
        request: the campaign, which is created where there is none.
        customers: who may be in the list: with customer_id, predicted_clv, and ``segment`` or ``tier`` where they have
            one; nobody who objected or may not be contacted, [n].
        sharing: ids of those who have an address or a number that another of them or of the campaign has too.

    Raises:
        UsageError: a new campaign without a share.
        Refused: another share than the campaign's, nobody knows any more who was in it, or customers are being erased.
    """
    home = _folder(dataset) / check_name(request.name)
    with running(_workspace(dataset)), writing(home):
        assigned, everyone = _assign(dataset, request, customers, sharing)
        if len(everyone) > len(_read_groups(home / GROUPS)) or not (home / RECORD).exists():
            _write_groups(home / GROUPS, everyone)
            write_json(home / RECORD, assigned.campaign.to_json())
        return assigned


def note_sent(dataset: Dataset, name: str, sending: Sending) -> Campaign:
    """Note that the list of a campaign left, and return the campaign.

    Raises:
        NotFound: there is none of this name.
    """
    path = _folder(dataset) / check_name(name) / RECORD
    open_campaign(dataset, name)
    with running(_workspace(dataset)), writing(path.parent):
        campaign = open_campaign(dataset, name)
        noted = replace(campaign, sent=(*campaign.sent, sending))
        write_json(path, noted.to_json())
    return noted


def forget_customers(dataset: Dataset, customers: Collection[str]) -> int:
    """Remove customers from the groups of all campaigns, as of those who object; return how many rows they had.

    Who comes back later comes back into the same group.
    """
    removed = 0
    for path in sorted(_folder(dataset).glob(f"*/{GROUPS}")):
        with writing(path.parent):
            rows = _read_groups(path)
            stay = ~rows[CUSTOMER_ID].isin(set(customers))
            if not stay.all():
                _write_groups(path, rows[stay])
                removed += int((~stay).sum())
    return removed


def _assign(
    dataset: Dataset, request: CampaignRequest, customers: pd.DataFrame, sharing: Collection[str]
) -> tuple[Assignment, pd.DataFrame]:
    """Return the groups of some customers, and those of everybody in the campaign, old and new."""
    home = _folder(dataset) / check_name(request.name)
    exists = (home / RECORD).exists()
    campaign = open_campaign(dataset, request.name) if exists else request.campaign(dataset)
    if (home / OUTCOME).exists() and not (home / GROUPS).exists():
        raise Refused("campaign_over", name=campaign.name)
    if request.share is not None and request.share != campaign.share:
        shares = {"share": f"{100 * campaign.share:g}", "asked": f"{100 * request.share:g}"}
        raise Refused("campaign_other_share", name=campaign.name, **shares)
    earlier = _read_groups(home / GROUPS)
    ids = customers[CUSTOMER_ID].astype("str")
    new = customers[~ids.isin(earlier[CUSTOMER_ID]) & ~ids.duplicated()]
    segment = next((new[column] for column in (SEGMENT, TIER) if column in new), pd.Series("", index=new.index))
    value = new[VALUE] if VALUE in new else pd.Series(np.nan, index=new.index)
    new_ids = new[CUSTOMER_ID].astype("str")
    group = np.full(len(new), LIST, object)
    if campaign.is_measurable:
        group[in_control_group(new_ids, campaign.share, campaign.randomization)] = CONTROL
        group[new_ids.isin(set(sharing))] = SHARED
    joined = pd.DataFrame(
        {
            CUSTOMER_ID: new_ids,
            GROUP: group,
            JOINED: max(request.day.isoformat(), campaign.started),
            SEGMENT: segment.astype("str"),
            VALUE: value.astype(float),
        }
    )
    everyone = pd.concat([earlier, joined], ignore_index=True) if len(earlier) else joined.reset_index(drop=True)
    rows = everyone.set_index(CUSTOMER_ID).reindex(pd.Index(ids, name=CUSTOMER_ID)).reset_index()
    withheld = frozenset(everyone.loc[everyone[GROUP] == CONTROL, CUSTOMER_ID])
    return Assignment(campaign, rows, withheld), everyone


def _read_groups(path: Path) -> pd.DataFrame:
    if not path.exists():
        texts = dict.fromkeys(COLUMNS, pd.Series(dtype="str"))
        return pd.DataFrame({**texts, VALUE: pd.Series(dtype=float)})
    return pd.read_parquet(path, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[:4], "str"))


def _write_groups(path: Path, rows: pd.DataFrame) -> None:
    """Write who is in which group, by id: the order tells nothing of who joined together."""
    with atomic_path(path) as temporary:
        rows.sort_values(CUSTOMER_ID, ignore_index=True)[list(COLUMNS)].to_parquet(temporary, index=False)


def _folder(dataset: Dataset) -> Path:
    return dataset.folder.parent / FOLDER


def _workspace(dataset: Dataset) -> Workspace:
    return Workspace(dataset.folder.parents[2])
