"""Scenario ``store``: the demo's homeware shop.

The rules are those of ``browsing``; added to them are

    prices in euros, products with names, and a weaker season;
    a voucher that was sent to one half of the customers on a day, at random: it wakes some of those who had gone quiet;
    a campaign with a creator, which brings a part of the new customers from a day in the horizon on.

The truth holds with both: the voucher comes before the cutoff, and the campaign changes where customers come from only.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv_core import columns
from clv_core.collection.simulate.browsing import run_shop
from clv_core.collection.simulate.plan import START, Simulation, SimulationPlan
from clv_core.collection.simulate.shop import PER_CELL, Shift

PRICE: Final = 2.6
"""Prices against those of ``browsing``."""
SEASON: Final = 0.25
"""Strength of the season against that of ``browsing``: homeware sells all year."""
PRODUCTS: Final = {
    "Coffee": ("moka pot", "hand grinder", "pour-over set", "French press", "milk frother", "espresso cups"),
    "Tea": ("teapot", "tea tins", "stovetop kettle", "matcha set", "tea infuser", "tea glasses"),
    "Cookware": ("frying pan", "casserole", "chef's knife", "saucepan", "baking set", "chopping board"),
    "Garden": ("watering can", "herb planter", "secateurs", "solar lantern", "garden stool", "bird feeder"),
    "Bedding": ("pillow", "linen sheet", "wool throw", "duvet cover", "bath towels", "quilt"),
    "Kids": ("building blocks", "night light", "balance bike", "play tent", "wooden train", "craft box"),
    "Outdoor": ("backpack", "trail jacket", "camping stove", "sleeping mat", "hiking poles", "picnic set"),
    "Appliances": ("stand mixer", "toaster", "blender", "air purifier", "desk lamp", "radio"),
}
"""By category, in the order of ``CATEGORIES``; each product comes in the three :data:`LEVELS`."""
LEVELS: Final = ("Basic", "Classic", "Premium")
COUNTRIES: Final = {"US": "DE", "GB": "FR", "DE": "NL", "FR": "AT"}
"""Of the customers of ``browsing``."""
VOUCHER_DAYS: Final = 300
"""The voucher is sent so long before the cutoff."""
VOUCHER_WAKES: Final = 0.1
"""Chance that a customer who has gone quiet and gets the voucher becomes keen."""
CAMPAIGN: Final = "creator_campaign"
CAMPAIGN_DAYS: Final = 31
"""The campaign begins so long after the cutoff."""
CAMPAIGN_SHARE: Final = 0.4
"""Of new customers, while it lasts."""


def voucher_date(plan: SimulationPlan) -> date:
    """Return the day on which the voucher was sent."""
    return plan.cutoff - timedelta(days=VOUCHER_DAYS)


def store(plan: SimulationPlan) -> Simulation:
    """Return the log of the demo's shop, and its truth with ``voucher``: who got one, missing for who came later."""
    random = np.random.default_rng([plan.seed, 1])
    offered = random.uniform(size=plan.customers) < 0.5
    from_campaign = random.uniform(size=plan.customers) < CAMPAIGN_SHARE
    voucher_day = plan.cutoff_day - VOUCHER_DAYS
    wakes = np.where(offered, VOUCHER_WAKES, 0.0)
    made = run_shop(plan, Shift(day=0, price=PRICE, offer_day=voucher_day, wakes=wakes, season=SEASON))
    ids = pd.Index(plan.customer_ids())

    events = made.events
    categories = np.array(list(PRODUCTS), dtype=object)
    number = events[columns.PRODUCT_ID].str[1:].astype(int).to_numpy() - 1
    cell, kind = np.divmod(number, PER_CELL)
    category, level = np.divmod(cell, len(LEVELS))
    names = np.array([[f"{word} {noun}" for noun in nouns] for nouns in PRODUCTS.values() for word in LEVELS], object)
    first = events.groupby(columns.CUSTOMER_ID)[columns.EVENT_TIME].transform("min")
    begun = np.datetime64(START, "s") + np.timedelta64(plan.cutoff_day + CAMPAIGN_DAYS, "D")
    came = from_campaign[ids.get_indexer(pd.Index(events[columns.CUSTOMER_ID]))] & (first >= begun)
    events = events.assign(
        product_id=names[cell, kind],
        category=categories[category],
        channel=events[columns.CHANNEL].mask(came, CAMPAIGN),
        country=events[columns.COUNTRY].replace(COUNTRIES),
    )
    sent = np.datetime64(START, "s") + np.timedelta64(voucher_day, "D")
    known = pd.Index(events.loc[events[columns.EVENT_TIME] < sent, columns.CUSTOMER_ID].unique())
    there = made.truth[columns.CUSTOMER_ID]
    voucher = pd.Series(offered, ids).reindex(there).astype(object).where(there.isin(known).to_numpy())
    return Simulation(plan, events, made.truth.assign(voucher=voucher.to_numpy()))
