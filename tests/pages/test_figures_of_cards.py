"""Every figure of a card is the one of the model, day, and customer or segment that its header names.

What is expected is reckoned from the log's events and from the saved scores of the model that the line below the
header names; other models of the workspace say other figures of the same customers.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Markdown, Metric

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.registry.registry import Registry
from clv_core.deployment.saved_evaluation import shared_error
from clv_core.deployment.saved_scores import Scored
from clv_core.evaluation.levels import sum_intervals
from clv_core.i18n import say_day, say_money, say_share, translate
from clv_core.strategy.customer.next_order import load_rhythm, next_order, timeline
from clv_core.strategy.segments.clusters import mostly_never
from clv_core.strategy.segments.segment_figures import MIN_BUYERS
from clv_core.strategy.segments.value_tiers import assign_tiers
from clv_core.workspace import Workspace
from pages.ui.navigation import BY_NAME, SEARCH
from tests.pages.conftest import OPEN

OTHER_MODEL = "shop-lightgbm-20240225-3d5ad35727a9"
LINE = re.compile(r"shop · cutoff date (?P<day>.+?) · next (?P<days>\d+) days · model v(?P<number>\d+) · ")
EUR, TIERS = "EUR", ("top", "high", "middle", "low")


def named_by(app: AppTest) -> dict[str, str]:
    """Return which day, horizon and model the line below a page's header names."""
    return next(found for one in app.caption if (found := LINE.match(str(one.value)))).groupdict()


class Record:
    """What is known of all customers by the model that the line below a page's header names."""

    def __init__(self, work: Workspace, app: AppTest) -> None:
        line = named_by(app)
        version = Registry(work).version("shop", int(line["number"]))
        dataset = open_dataset(work, "shop")
        assert version is not None
        self.number = line["number"]
        self.work, self.model, self.days, self.cutoff = work, version.bundle, int(line["days"]), dataset.log_end
        assert line["day"] == say_day(self.cutoff)
        self.scored = Scored.open(work, "shop", self.model)
        self.rhythm = load_rhythm(self.scored)
        scores = pd.read_parquet(self.scored.scores_path).set_index("customer_id")
        assert set(scores["model"]) == {self.model} and set(scores["horizon_days"]) == {self.days}
        events = pd.read_parquet(dataset.events_path)
        money = events[events["event_type"].isin(["purchase", "return"])]
        bought = events[events["event_type"] == "purchase"].groupby("customer_id")["event_time"]
        self.rows = scores.assign(
            historic=money.groupby("customer_id")["amount"].sum(),
            purchase_days=bought.agg(lambda times: times.dt.date.nunique()),
            since=(pd.Timestamp(self.cutoff) - bought.max().dt.normalize()).dt.days,
        ).fillna({"historic": 0.0, "purchase_days": 0})
        self.rows["tier"] = assign_tiers(scores.reset_index())["tier"].to_numpy()
        stop = SuppressionList.of(work, dataset)
        self.shown = stop.without(self.rows.reset_index())["predicted_clv"]


def money(value: float) -> str:
    return say_money(value, EUR)


def card_of(record: Record, customer: str) -> dict[str, tuple[str, str]]:
    """Return each figure of a customer's card with the note below it."""
    mine, days = record.rows.loc[customer], record.days
    total = mine["historic"] + mine["predicted_clv"]
    key = "card.sure.above" if mine["predicted_clv"] > mine["clv_p90"] else "card.sure"

    def sure(before: float, nothing: str) -> str:
        if mine["clv_p90"] <= 0:
            return translate(nothing)
        return translate(key, low=money(before + mine["clv_p10"]), high=money(before + mine["clv_p90"]))

    history = timeline(record.scored.dataset, customer, record.cutoff)
    coming = next_order(history, float(mine["p_purchase"]), days, record.cutoff, record.rhythm).expected
    rank = 1 + int((record.shown > mine["predicted_clv"]).sum())
    tier = translate(f"tier.{TIERS[int(mine['tier']) - 1]}")
    return {
        translate("card.historic"): (
            money(mine["historic"]),
            translate("card.purchases", days=int(mine["purchase_days"])),
        ),
        translate("card.predicted", days=days): (money(mine["predicted_clv"]), sure(0.0, "card.sure.nothing")),
        translate("card.total"): (money(total), sure(mine["historic"], "card.sure.no_more")),
        translate("card.chance"): (say_share(mine["p_purchase"]), translate("card.chance.note", days=days)),
        translate("card.next"): (translate("card.next.not"), translate("card.next.low", days=days))
        if coming is None
        else (say_day(coming), translate("card.next.half")),
        translate("card.tier"): (tier, translate("card.rank", rank=rank, customers=len(record.shown))),
    }


def segment_cards(app: AppTest) -> dict[str, tuple[str, str, list[str]]]:
    """Return what each segment's card says by its name: customers, their share, and the facts below."""
    found = {}
    blocks: list[Block] = [app.main]
    while blocks:
        inside = list(blocks.pop().children.values())
        blocks += [one for one in inside if isinstance(one, Block)]
        metric = next((one for one in inside if isinstance(one, Metric)), None)
        if metric is not None:
            name, *facts = (one.value for one in inside if isinstance(one, Markdown) and one.type == "markdown")
            found[name.strip("*")] = metric.value, metric.delta, "".join(facts).split("  \n")
    return found


def cards_of(record: Record) -> dict[str, tuple[str, str, list[str]]]:
    """Return what each value tier's card has to say, by its name."""
    rows, expected = record.rows, {}
    shared = shared_error(record.work, record.scored.model)
    assert shared is not None
    sums = sum_intervals(rows, rows["tier"].to_numpy() - 1, len(TIERS), shared)
    for at, name in enumerate(TIERS):
        mine = rows[rows["tier"] == at + 1]
        total = mine["predicted_clv"].sum()
        span = translate("segments.sure", low=say_money(sums.low[at], ""), high=money(sums.high[at]))
        span = translate("segments.too_few") if mine["p_purchase"].sum() < MIN_BUYERS else span
        share = say_share(total / rows["predicted_clv"].sum())
        facts = [
            translate("segments.card.value", share=share, sum=money(total)) + span,
            translate("segments.card.mean", mean=money(mine["predicted_clv"].mean())),
            translate("segments.card.p_purchase", share=say_share(mine["p_purchase"].mean())),
        ]
        if not mostly_never(len(mine), int(mine["since"].notna().sum())):
            facts.append(translate("segments.card.last", days=f"{np.nanmedian(mine['since']):,.0f}"))
        of_all = translate("segments.card.share", share=say_share(len(mine) / len(rows)))
        expected[translate(f"tier.{name}")] = f"{len(mine):,}", of_all, facts
    return expected


@pytest.fixture
def work(frozen: Path, tmp_path: Path) -> Workspace:
    """A workspace of its own with several models of one dataset, and their scores."""
    return Workspace(Path(shutil.copytree(frozen, tmp_path / "own")) / "workspace")


def test_cards_hold_the_figures_of_the_customer_or_segment_and_model_that_their_headers_name(
    open_page: OPEN, work: Workspace
) -> None:
    app, seen = open_page(work.root, "customer", lang="en"), list[object]()

    def customer_is_right(record: Record, customer: str) -> None:
        shown = {one.label: (one.value, one.delta) for one in app.metric}
        total = shown[translate("card.total")][0]
        assert f"{customer} is worth {total}" in str(app.header[0].value) and shown == card_of(record, customer)
        seen.append(shown)

    def segments_are_right(record: Record) -> None:
        shown = segment_cards(app)
        assert shown == cards_of(record)
        seen.extend(shown.values())

    first = Record(work, app)
    customer_is_right(first, str(first.rows["predicted_clv"].idxmax()))
    least = str(first.rows["predicted_clv"].idxmin())
    app.text_input(key=SEARCH).set_value(least).run()
    customer_is_right(first, least)
    app.switch_page(BY_NAME["segments"].path).run()
    segments_are_right(first)
    app.selectbox(key="model").set_value(OTHER_MODEL).run()
    second = Record(work, app)
    assert OTHER_MODEL == second.model != first.model
    segments_are_right(second)
    app.switch_page(BY_NAME["customer"].path).run()
    assert named_by(app)["number"] == second.number
    customer_is_right(second, least)
    assert all(one not in seen[:at] for at, one in enumerate(seen)), "cards that are alike could not fail"
