"""What a campaign that is not over adds to demand: the uplift that earlier campaigns measured, by what its list buys.

Each customer of the list is expected to bring what campaigns with the same segments and window brought of her segment;
products get of that what the list's customers of the segment spent on them in the year before the cutoff. Segments that
no campaign measured add nothing to the sum and are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES, PRODUCT_ID
from clv_core.deployment import Scored
from clv_core.errors import NotEnoughData, NotFound, Refused
from clv_core.features import Engine
from clv_core.records import JsonObject
from clv_core.strategy.campaigns import (
    GROUP,
    LIST,
    Campaign,
    LearnedOffer,
    groups,
    learned_offers,
    list_campaigns,
    outcomes,
    scheme_of,
)
from clv_core.strategy.demand.product_demand import Demand
from clv_core.strategy.segments import SEGMENT

YEAR_DAYS: Final = 365
MOST_PRODUCTS: Final = 20


@dataclass(frozen=True, eq=False)
class CampaignDemand:
    """What a campaign adds in the days of its window after the cutoff; money in the log's currency.

    Args:
        campaign: which.
        days: of its window, those after the cutoff.
        measured_by: the campaigns whose uplift is taken, the latest first.
        customers: of its list, those in segments whose uplift was measured.
        unmeasured: the others, who add nothing here.
        revenue: added net revenue.
        low: lower end of its 90% interval, as if all segments erred the same way.
        high: upper end.
        products: product_id, name, category, revenue and units (pieces), the most revenue first; what is no product of
            the demand is left out.
        other_revenue: of what is left out.
    """

    campaign: Campaign
    days: int
    measured_by: tuple[str, ...]
    customers: int
    unmeasured: int
    revenue: float
    low: float
    high: float
    products: pd.DataFrame
    other_revenue: float

    @property
    def units(self) -> float:
        """Pieces that are added, of the demand's products."""
        return float(self.products["units"].sum())

    def to_json(self) -> JsonObject:
        """Return the sums and the first :data:`MOST_PRODUCTS` products."""
        return {
            "name": self.campaign.name,
            "started": self.campaign.started,
            "window_days": self.campaign.window_days,
            "days": self.days,
            "measured_by": list(self.measured_by),
            "customers": self.customers,
            "unmeasured": self.unmeasured,
            "revenue": self.revenue,
            "low": self.low,
            "high": self.high,
            "units": self.units,
            "products": self.products.head(MOST_PRODUCTS).to_dict("records"),
            "other_products": max(len(self.products) - MOST_PRODUCTS, 0),
            "other_revenue": self.other_revenue,
        }


def running_campaigns(scored: Scored, made: Demand) -> list[Campaign]:
    """Return the campaigns with days after the demand's cutoff, the latest start first."""
    return [one for one in list_campaigns(scored.dataset) if _days_ahead(one, made) > 0]


def campaign_demand(scored: Scored, made: Demand, name: str) -> CampaignDemand:
    """Return what a campaign adds to demand.

    Args:
        scored: the log.
        made: the demand.
        name: of a campaign that is not over at the demand's cutoff.

    Raises:
        NotFound: the dataset has no such campaign.
        Refused: it is over.
        NotEnoughData: no campaign with its segments and window is due yet.
    """
    campaigns = list_campaigns(scored.dataset)
    campaign = next((one for one in campaigns if one.name == name), None)
    if campaign is None:
        known = ", ".join(one.name for one in campaigns[:5]) or "-"
        raise NotFound("demand_campaign", campaign=name[:60], known=known)
    days = _days_ahead(campaign, made)
    if days == 0:
        raise Refused("demand_campaign_over", campaign=name, cutoff=made.cutoff.isoformat())
    offer = _measured(scored, campaign)
    if offer is None:
        raise NotEnoughData("demand_campaign_unmeasured", campaign=name, days=campaign.window_days)
    members = groups(scored.dataset, campaign)
    members = members[members[GROUP] == LIST]
    segment = pd.Series("", members.index) if "" in offer.effects else members[SEGMENT]
    customers = segment.value_counts().reindex(list(offer.effects), fill_value=0)
    # Effects are margin where campaigns know their margin.
    scale = customers * days / campaign.window_days / (1.0 if offer.margin_rate is None else offer.margin_rate)
    value, low, high = (
        scale * pd.Series({name: getattr(effect, end) for name, effect in offer.effects.items()}, dtype=float)
        for end in ("value", "low", "high")
    )
    spent = _spent(scored, made, members[CUSTOMER_ID], segment)
    products, other = _by_product(made, spent, value)
    counted = int(customers.sum())
    return CampaignDemand(
        campaign,
        days,
        offer.campaigns,
        counted,
        len(members) - counted,
        float(value.sum()),
        float(low.sum()),
        float(high.sum()),
        products,
        other,
    )


def _days_ahead(campaign: Campaign, made: Demand) -> int:
    """Return how many days of a campaign's window are at or after the cutoff."""
    ends = date.fromisoformat(campaign.started) + timedelta(days=campaign.window_days)
    return min(max((ends - made.cutoff).days, 0), campaign.window_days)


def _measured(scored: Scored, campaign: Campaign) -> LearnedOffer | None:
    """Return what campaigns of the same segments and window measured; of the same cost first, then the latest."""
    alike = [
        one
        for one in learned_offers(outcomes(scored.workspace, scored.dataset))
        if one.scheme == scheme_of(campaign) and one.window_days == campaign.window_days
    ]
    return min(alike, key=lambda one: one.cost != campaign.cost, default=None)


def _spent(scored: Scored, made: Demand, customers: pd.Series, segment: pd.Series) -> pd.DataFrame:
    """Return what the customers of each segment spent on each product in the year before the cutoff."""
    engine = Engine()
    try:
        rows = {CUSTOMER_ID: pa.array(customers, pa.string()), SEGMENT: pa.array(segment, pa.string())}
        people, events = ibis.memtable(pa.table(rows)), scored.dataset.events(engine.connection)
        bought = events.filter(
            events[EVENT_TYPE].isin(MONEY_TYPES),
            events[EVENT_TIME] >= ibis.timestamp((made.cutoff - timedelta(days=YEAR_DAYS)).isoformat()),
            events[EVENT_TIME] < ibis.timestamp(made.cutoff.isoformat()),
        ).inner_join(people, CUSTOMER_ID)
        product = bought[PRODUCT_ID].strip().fill_null("")
        sums = bought.group_by(bought[SEGMENT], **{PRODUCT_ID: product}).agg(value=bought[AMOUNT].cast("float64").sum())
        found: pd.DataFrame = sums.order_by(SEGMENT, PRODUCT_ID).to_pyarrow().to_pandas()
    finally:
        engine.close()
    return found[found["value"] > 0]


def _by_product(made: Demand, spent: pd.DataFrame, added: pd.Series) -> tuple[pd.DataFrame, float]:
    """Return the added revenue and pieces of each product of the demand, and the revenue of what is none."""
    sums = spent.groupby(SEGMENT)["value"].transform("sum")
    revenue = spent["value"] / sums * spent[SEGMENT].map(added)
    by_product = revenue.groupby(spent[PRODUCT_ID]).sum()
    about = made.products
    rows = about[[PRODUCT_ID, "name", "category"]].assign(revenue=by_product.reindex(about[PRODUCT_ID]).to_numpy())
    worth = (about["price"] * about["kept"]).to_numpy()
    rows["units"] = np.divide(rows["revenue"], worth, out=np.zeros(len(rows)), where=worth > 0)
    rows = rows[rows["revenue"].notna() & (rows["revenue"] != 0)]
    rows = rows.sort_values("revenue", ascending=False, kind="stable").reset_index(drop=True)
    return rows, float(added.sum() - rows["revenue"].sum())
