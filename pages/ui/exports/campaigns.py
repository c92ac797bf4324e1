"""The control group of a list for marketing: proposed, with the uplift that it would show, and declined by a click."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Scored
from clv_core.records import JsonObject
from clv_core.strategy.audiences import CampaignList, Contacts, Side, marketing_contacts, with_stored_contacts
from clv_core.strategy.campaigns import (
    CAMPAIGN_DAYS,
    CONTROL,
    GROUP,
    Campaign,
    CampaignRequest,
    PastSpending,
    groups,
    list_campaigns,
    propose_control,
)
from pages.ui import i18n, session, terms, tiers, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import count, money, percent, t
from pages.ui.segmenting import Members

MAX_TITLE: Final = 40
"""Characters of the name that is proposed, without its month."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Whether a list can be measured.

    Args:
        campaign: the campaign that it is of; None for none.
        declined: whether one was proposed and declined, which the list says.
        say: says which uplift a new campaign would show with so many customers, in place of all that were chosen.
    """

    campaign: CampaignList | None = None
    declined: bool = False
    say: Callable[[int], None] = lambda customers: None

    @property
    def mark(self) -> str:
        """All of it as a key for caches."""
        if self.campaign is None:
            return str(self.declined)
        asked = self.campaign.request
        return f"{asked.name} {asked.share} {asked.window_days}"

    def side(self, side: Side) -> Side:
        """Return what the side file of the list says."""
        if self.campaign is not None:
            return side.of_campaign(self.campaign)
        return side.unmeasured(session.language()) if self.declined else side

    def words(self) -> list[str]:
        """Return the options of a command that sends the list."""
        if self.campaign is None:
            return []
        asked = self.campaign.request
        words = [f"--campaign={asked.name}", f"--start={asked.day}", f"--campaign-days={asked.window_days}"]
        words += [] if asked.share is None else [f"--control-share={asked.share:g}"]
        words += [f"--campaign-cost={asked.cost:g}"] if asked.cost else []
        return words + ([] if asked.margin_rate is None else [f"--campaign-margin={asked.margin_rate:g}"])


def contacts_of(contacts: Contacts, dataset: Dataset, format: str, campaign: CampaignList | None) -> Contacts | None:
    """Return the contacts that a list uses; of a campaign's list they say who agreed, whatever the format."""
    if campaign is None:
        return with_stored_contacts(contacts, dataset, format)
    return marketing_contacts(contacts, dataset, format)


def ask(members: Members, key: str, *, proposed: bool) -> Measured:
    """Ask for the control group of chosen customers; see :func:`ask_for`."""
    segmented = members.segmented

    def value_tiers() -> np.ndarray:
        found: np.ndarray = np.asarray(tiers.tiered(segmented.scored, segmented.customers)["tier"])[members.rows]
        return found

    return ask_for(segmented.scored, members.title, members.side(), value_tiers, key, proposed=proposed)


def ask_for(
    scored: Scored, title: str, side: Side, value_tiers: Callable[[], np.ndarray], key: str, *, proposed: bool = True
) -> Measured:
    """Ask whether a list gets a control group, of which campaign and how large, and say which uplift it would show.

    Args:
        scored: dataset and model.
        title: the list, in the name of a new campaign.
        side: what its numbers mean.
        value_tiers: returns the value tier of each of its customers.
        key: of the widgets.
        proposed: whether it is a list for marketing, so that a control group is proposed.
    """
    customers = value_tiers()
    enough = propose_control(None, customers).share > 0
    if not enough:
        if proposed:
            st.caption(t("campaign.few", customers=count(len(customers))))
        return Measured(declined=proposed)
    with st.container(border=True, gap="small"):
        toggle = f"{key}_measured" if proposed else f"{key}_measured_table"
        if not st.toggle(t("campaign.measure"), proposed, key=toggle, help=t("campaign.measure.help")):
            if proposed:
                st.caption(t("campaign.declined"))
            return Measured(declined=proposed)
        known = {campaign.name: campaign for campaign in list_campaigns(scored.dataset)}
        going_on = (campaign.name for campaign in known.values() if _is_going_on(campaign, side, scored.as_of))
        usual = next(going_on, None) or _usual_name(title, scored.as_of)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(t("campaign.name"), usual, max_chars=60, key=f"{key}_campaign_{usual}", width=280)
            name = name.strip() or usual
            request = None if name in known else _ask_terms(scored, name, side, customers, key)
        if request is None:
            _say_known(scored.dataset, known[name])
            day = max(scored.as_of, date.fromisoformat(known[name].started))
            request = CampaignRequest(name, day, known[name].window_days, known[name].share)
        else:
            place = st.empty()
            asked = request

            def say(contacted: int) -> None:
                with place:
                    _say_shown(scored, asked, customers, contacted)

            say(len(customers))
            return Measured(CampaignList(scored.dataset, request, session.language()), say=say)
    return Measured(CampaignList(scored.dataset, request, session.language()))


def _ask_terms(scored: Scored, name: str, side: Side, customers: np.ndarray, key: str) -> CampaignRequest:
    """Ask for the control group and the terms of a new campaign."""
    days = st.number_input(t("campaign.days"), 7, 365, CAMPAIGN_DAYS, 1, key=f"{key}_campaign_days", width=150)
    best = round(100 * propose_control(_past(scored.dataset, days), customers).share)
    share_key = f"{key}_control_{best}"
    part = st.number_input(t("campaign.share"), 1, 50, best, 1, key=share_key, width=150, help=t("campaign.share.help"))
    start = st.date_input(
        t("campaign.start"), scored.as_of, format="YYYY-MM-DD", key=f"{key}_campaign_start", width=150
    )
    with st.popover(t("campaign.terms"), icon=":material/payments:"):
        cost_of = t("campaign.cost", unit=i18n.unit(scored.currency))
        cost = st.number_input(cost_of, 0.0, None, 0.0, 0.1, key=f"{key}_campaign_cost", help=t("campaign.cost.help"))
        margin = st.number_input(
            t("campaign.margin"),
            1.0,
            100.0,
            None,
            5.0,
            key=f"{key}_campaign_margin",
            placeholder=t("terms.margin.none"),
        )
    about = {**_list_facts(side), "model": side.model}
    rate = terms.margin() if margin is None else round(margin / 100, 6)
    return CampaignRequest(name, start, days, part / 100, about, cost, rate)


def _say_shown(scored: Scored, request: CampaignRequest, customers: np.ndarray, contacted: int) -> None:
    """Say which uplift the control group would show."""
    made = propose_control(_past(scored.dataset, request.window_days), customers, request.share, customers=contacted)
    about = {"share": percent(request.share or 0.0), "customers": count(made.customers), "days": request.window_days}
    if made.effect is None or made.spending is None:
        st.markdown(t("campaign.shows.unknown", **about))
        return
    amounts = {name: money(getattr(made, name), scored.currency, 2) for name in ("effect", "spending")}
    st.markdown(t("campaign.shows", **about, **amounts), help=t("campaign.shows.help"))


def _say_known(dataset: Dataset, campaign: Campaign) -> None:
    """Say that a list goes on with a campaign, and who is in its groups."""
    sizes = groups(dataset, campaign)[GROUP].value_counts()
    control = int(sizes.get(CONTROL, 0))
    about = {"name": widgets.escape(campaign.name), "start": i18n.day(campaign.started)}
    listed = count(int(sizes.sum()) - control)
    if campaign.is_measurable:
        st.markdown(t("campaign.continues", **about, listed=listed, control=count(control)))
    else:
        st.markdown(t("campaign.continues.unmeasured", **about, listed=listed))


def say_measured(measured: Measured) -> bool:
    """Say for how long the list that was made is measured; return whether it is."""
    if measured.campaign is None or not measured.campaign.campaign.is_measurable:
        return False
    campaign = measured.campaign.campaign
    start = max(measured.campaign.request.day, date.fromisoformat(campaign.started))
    st.caption(t("campaign.due", days=campaign.window_days, start=i18n.day(start)))
    return True


def _is_going_on(campaign: Campaign, side: Side, as_of: date) -> bool:
    """Return whether a campaign is of the same list, and its window of outcomes has not ended."""
    about = {name: value for name, value in campaign.about.items() if name in ("scheme", "segment", "plan")}
    ends = date.fromisoformat(campaign.started) + timedelta(days=campaign.window_days)
    return about == _list_facts(side) and as_of < ends


def _list_facts(side: Side) -> JsonObject:
    """Return what a campaign notes of its list: its segments, and of a plan's, the one offer that it holds or none."""
    facts: JsonObject = {"scheme": side.scheme, "segment": side.logged_segment}
    return {**facts, "plan": str(side.settings.get("only_offer", ""))} if "budget" in side.settings else facts


def _usual_name(title: str, as_of: date) -> str:
    """Return the name that is proposed: the list and its month, so that each month's list is a new campaign."""
    word = re.sub(r"[^\w .-]+|_", " ", title, flags=re.UNICODE)
    return f"{' '.join(word.split())[:MAX_TITLE].strip(' .-')} {as_of:%Y-%m}".strip()


@cached(CUSTOMERS)
def _past(dataset: Dataset, window_days: int) -> PastSpending | None:
    return PastSpending.of(dataset, window_days)
