"""The scenarios of the shop (:mod:`clv_core.collection.simulate.shop` has its rules).

Scenario ``browsing``: a shop in which views, carts, ratings and returns predict more than purchases do.

The attainable expectation has no closed form here (it would be a hidden Markov filter over unknown traits), so the
truth carries the latent expectation only.

Scenario ``regime``: the same shop, until everything changes at the start of the last horizon. From then on there are
half as many visits, prices are a third lower, and customers leave four times as fast. No past shows it, so a model that
is measured on that horizon has to come out wrong.

Scenario ``store``: the demo's homeware shop, ``browsing`` with
    prices in euros, products with names, and a weaker season;
    a voucher that was sent to one half of the customers on a day, at random: it wakes some of those who had gone quiet;
    a campaign with a creator, which brings a part of the new customers from a day in the horizon on;
    a table of what its paid channels cost by month (:func:`store_spend`), made from the log.
The truth holds with all: the voucher comes before the cutoff, the campaign changes where customers come from only, and
the costs change nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv_core import columns
from clv_core.collection.simulate.channels import channel_truth, priced, spend_table
from clv_core.collection.simulate.population import future_value, pending_returns, populate, value_by_age
from clv_core.collection.simulate.shop import PER_CELL, Shift, catalogue
from clv_core.collection.simulate.simulation import START, Simulation, SimulationPlan
from clv_core.collection.simulate.trade import trade, walk

MOOD_NAMES = np.array(["gone", "quiet", "curious", "keen"], dtype=object)


def browsing(plan: SimulationPlan) -> Simulation:
    """Return the log of a shop whose browsing predicts its sales, and its truth."""
    return run_shop(plan, Shift())


def run_shop(plan: SimulationPlan, shift: Shift) -> Simulation:
    """Return the log and truth of the shop under ``shift``."""
    random = np.random.default_rng(plan.seed)
    prices = catalogue(random)
    people = populate(plan, random)
    visits = walk(plan, people, shift, random)
    made = trade(plan, people, prices, visits, shift, random)

    day, buyer, amount = visits.day[made.visit], visits.customer[made.visit], made.amount
    returned = made.return_day
    in_horizon = np.where(day >= plan.cutoff_day, amount, 0.0)
    in_horizon -= np.where((returned >= plan.cutoff_day) & (returned < plan.days), amount, 0.0)
    back = (returned >= 0) & (returned < plan.cutoff_day)
    pending = pending_returns(plan, day, amount, visits.bad[made.visit], back)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(buyer, weights=values, minlength=plan.customers)

    mood = visits.mood_at_cutoff
    expected = future_value(plan, people, prices, mood, shift) - total(pending)
    seen = np.flatnonzero(mood >= 0)
    truth = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids(),
            "actual_value": np.round(total(in_horizon), 2),
            "expected_value": expected,
            "attainable_value": np.nan,
            "mood_at_cutoff": MOOD_NAMES[np.maximum(mood, 0)],
            "interest": people.interest,
            "restlessness": people.restlessness,
            "pickiness": people.pickiness,
            "deals": people.deals,
        }
    )
    simulation = Simulation(plan, made.events, truth.iloc[seen].reset_index(drop=True))
    if not plan.channels:
        return simulation
    values = channel_truth(plan, people.channel, people.arrival, value_by_age(plan, people, prices))
    spend = spend_table(plan, people.arrival, people.channel, float(values["value"].mean()))
    return replace(simulation, spend=spend, channels=priced(plan, values, spend))


def regime(plan: SimulationPlan) -> Simulation:
    """Return the log of a shop that changes at the cutoff, and its truth."""
    return run_shop(plan, Shift(day=plan.cutoff_day, visits=0.5, price=0.67, leaving=4.0))


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
COSTS: Final = {"search": 52.0, "social": 68.0, "affiliate": 95.0, "email": 14.0, CAMPAIGN: 40.0}
"""What a new customer of each paid channel costs on average, in euros; guesses, so that one channel costs too much."""
COST_NOISE: Final = 0.08
"""Spread of a month's cost around that average, on the log scale; a guess."""


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
    customers_before = pd.Index(events.loc[events[columns.EVENT_TIME] < sent, columns.CUSTOMER_ID].unique())
    there = made.truth[columns.CUSTOMER_ID]
    voucher = pd.Series(offered, ids).reindex(there).astype(object).where(there.isin(customers_before).to_numpy())
    return Simulation(plan, events, made.truth.assign(voucher=voucher.to_numpy()))


def store_spend(plan: SimulationPlan, events: pd.DataFrame) -> pd.DataFrame:
    """Return what the paid channels of ``store`` cost: ``month, channel, spend``, in cents' precision.

    A month's spend is its new customers times what one costs (:data:`COSTS`) times noise around 1. The first month has
    none: who was there before the log began looks new in it.

    Args:
        plan: of the simulation.
        events: its whole log.
    """
    first = events.sort_values(columns.EVENT_TIME, kind="stable").drop_duplicates(columns.CUSTOMER_ID)
    won = first.assign(month=first[columns.EVENT_TIME].dt.strftime("%Y-%m"))
    won = won[won[columns.CHANNEL].isin(list(COSTS)) & (won["month"] > START.strftime("%Y-%m"))]
    came = won.groupby(["month", columns.CHANNEL]).size().rename("spend").reset_index()
    noise = np.random.default_rng([plan.seed, 3]).lognormal(-(COST_NOISE**2) / 2, COST_NOISE, len(came))
    return came.assign(spend=np.round(came["spend"] * came[columns.CHANNEL].map(COSTS) * noise, 2))
