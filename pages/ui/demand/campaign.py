"""What a campaign that is not over adds to demand; nothing is shown where there is none."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.columns import PRODUCT_ID
from clv_core.deployment import Scored
from clv_core.errors import ClvError
from clv_core.strategy.demand import CampaignDemand, Demand, campaign_demand, running_campaigns
from pages.ui import cells, i18n, navigation, session, widgets
from pages.ui.i18n import count, money, t

CHOSEN: Final = "demand_campaign"
"""Session key of the campaign's name."""


@widgets.safe_fragment
def show(scored: Scored, made: Demand) -> None:
    """Let the person choose a campaign, and show what it adds, in all and by product."""
    names = [one.name for one in running_campaigns(scored, made)]
    if not names:
        return
    st.header(t("demand.campaign"), anchor=False)
    name = widgets.select(t("demand.campaign.choose"), {name: name for name in names}, CHOSEN, width=380)
    try:
        added = campaign_demand(scored, made, name)
    except ClvError as error:
        st.markdown(widgets.escape(error.message(session.language())))
        navigation.button("results", t("demand.campaign.results"), "demand_to_results")
        return
    _show(added, made.currency)


def _show(added: CampaignDemand, currency: str) -> None:
    revenue, low, high = (money(value, currency) for value in (added.revenue, added.low, added.high))
    sentence = t(
        "demand.campaign.adds",
        days=added.days,
        campaign=added.campaign.name,
        revenue=revenue,
        low=low,
        high=high,
        units=count(round(added.units)),
    )
    st.markdown(f"**{widgets.escape(sentence)}**")
    measured = i18n.join_names(added.measured_by)
    st.caption(widgets.escape(t("demand.campaign.how", measured=measured, customers=count(added.customers))))
    if added.unmeasured:
        st.caption(t("demand.campaign.unmeasured", customers=count(added.unmeasured)))
    if round(added.other_revenue):
        st.caption(widgets.escape(t("demand.campaign.other", revenue=money(added.other_revenue, currency))))
    columns = {
        PRODUCT_ID: st.column_config.TextColumn(t("demand.product"), pinned=True),
        "name": st.column_config.TextColumn(t("demand.name")),
        "category": st.column_config.TextColumn(t("demand.category")),
        "revenue": cells.money(t("demand.campaign.revenue"), currency),
        "units": st.column_config.NumberColumn(t("demand.campaign.units"), format="%,.1f"),
    }
    named = [name for name in columns if name not in ("name", "category") or (added.products[name] != "").any()]
    cells.table(cells.filled(added.products, named), t("demand.campaign"), columns, key="demand_campaign_products")
