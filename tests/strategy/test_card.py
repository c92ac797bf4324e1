"""One customer's card against what pandas says of the same log, and against ``score`` at other horizons."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.preprocessing import StandardScaler

from clv_core import pipeline
from clv_core.btyd.bgnbd import BGNBD
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import snapshot_of
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.errors import NotFound
from clv_core.features.last_year import EVEN
from clv_core.features.relations import day_of
from clv_core.i18n import say_number, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.activation import segment
from clv_core.strategy.customer.customer_card import (
    Card,
    explain_value,
    find_customers,
    ids_containing,
    load_card,
    row_of_customer,
    similar_customers,
)
from clv_core.strategy.customer.next_order import NextOrder, Rhythm, Timeline, load_rhythm, next_order, timeline
from clv_core.strategy.explanation_files import explain
from clv_core.strategy.segments.clusters import FIGURES
from clv_core.workspace import Workspace
from tests.conftest import own_copy
from tests.manifests import manifest

pytestmark = pytest.mark.first(7)

CUTOFF = date(2024, 1, 1)


@pytest.fixture(scope="module")
def workspace(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small shop in a workspace of its own: a model and explanations are left there."""
    return own_copy(small_workspace, tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def events(small_workspace: Workspace) -> pd.DataFrame:
    """The log as its CSV has it."""
    path = small_workspace.root.parent / "log" / "events.csv"
    frame = pd.read_csv(path, dtype={"customer_id": "str"}, parse_dates=["event_time"])
    return frame.assign(day=frame["event_time"].dt.normalize())


@pytest.fixture(scope="module")
def shop(workspace: Workspace) -> Dataset:
    return open_dataset(workspace, "shop")


@pytest.fixture(scope="module")
def bundle(workspace: Workspace) -> Bundle:
    config = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=3)
    return pipeline.train(workspace, "shop", config, progress=NoProgress())


@pytest.fixture(scope="module")
def scores(workspace: Workspace, bundle: Bundle) -> pd.DataFrame:
    return Scored.open(workspace, "shop", bundle.id).scores(NoProgress())


def card_of(workspace: Workspace, bundle: Bundle, customer: str, language: str = "en") -> Card:
    return load_card(Scored.open(workspace, "shop", bundle.id), customer, language=language, progress=NoProgress())


def busiest(events: pd.DataFrame, count: int = 1) -> list[str]:
    """Return the customers with most purchase rows, so that returns and views lie among them."""
    return events[events["event_type"] == "purchase"]["customer_id"].value_counts().head(count).index.tolist()


def test_history_is_that_of_the_csv_and_ends_before_the_cutoff(shop: Dataset, events: pd.DataFrame) -> None:
    assert shop.log_start < CUTOFF < shop.log_end
    seen_later = events[events["day"] >= pd.Timestamp(CUTOFF)]
    seen_before = events[events["customer_id"].isin(seen_later["customer_id"]) & (events["day"] < pd.Timestamp(CUTOFF))]
    for customer in busiest(seen_before, 5):
        ours = timeline(shop, customer, CUTOFF)
        mine = events[(events["customer_id"] == customer) & (events["event_time"] < pd.Timestamp(CUTOFF))]
        assert len(mine) < (events["customer_id"] == customer).sum()
        money = mine["amount"].where(mine["event_type"].isin(["purchase", "return"]), 0.0).fillna(0.0)
        theirs = money.groupby(mine["day"]).sum()
        assert ours.days["day"].max() < pd.Timestamp(CUTOFF)
        assert ours.days["day"].tolist() == theirs.index.tolist()
        np.testing.assert_allclose(ours.days["net_value"], theirs, atol=1e-6)
        np.testing.assert_allclose(ours.days["cumulative"], theirs.cumsum(), atol=1e-6)
        assert ours.days["purchased"].tolist() == (theirs > 1e-9).tolist()
        counts = mine.groupby(["day", "event_type"]).size()
        assert ours.kinds.set_index(["day", "event_type"])["events"].to_dict() == counts.to_dict()
        table = ours.table().filter(like="events_").rename(columns=lambda name: name.removeprefix("events_"))
        assert table.sum().to_dict() == mine["event_type"].value_counts().to_dict()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_days_are_local_and_others_rows_and_later_ones_are_not_read(tmp_path: Path, zone: str) -> None:
    last = pd.Timestamp(CUTOFF).tz_localize(zone).tz_convert("UTC").tz_localize(None)
    moments = [last - pd.Timedelta(seconds=1), last - pd.Timedelta(hours=23), last, last + pd.Timedelta(days=3)]
    log = pd.DataFrame(
        {
            "customer_id": ["a'b"] * 4 + ["A'B"],
            "event_time": pd.Series([*moments, moments[0]]).astype("datetime64[us]"),
            "event_type": ["purchase", "return", "purchase", "purchase", "purchase"],
            "amount": [10.0, -4.0, 100.0, 1000.0, 7.0],
        }
    )
    log.to_parquet(tmp_path / "events.parquet")
    dataset = Dataset(tmp_path, manifest(timezone=zone))
    days = timeline(dataset, "a'b", CUTOFF).days
    assert days["day"].tolist() == [pd.Timestamp(CUTOFF) - pd.Timedelta(days=1)]
    assert days["net_value"].tolist() == days["cumulative"].tolist() == [6.0]
    with pytest.raises(NotFound) as caught:
        timeline(dataset, "a", CUTOFF)
    assert caught.value.code == "customer_unknown" and "2024-01-01" in caught.value.message()


def test_rhythm_is_what_the_model_goes_by_and_is_made_once(
    workspace: Workspace, shop: Dataset, bundle: Bundle, scores: pd.DataFrame
) -> None:
    scored = Scored.of(workspace, shop, bundle)
    snapshot, path = snapshot_of(bundle, shop, None, NoProgress()), scored.scores_path
    rhythm = load_rhythm(scored)
    assert rhythm == Rhythm(snapshot.anchors[day_of(shop.log_end)].counts, snapshot.last_year)
    log = shop.events_path.rename(shop.folder / "elsewhere")
    try:
        assert load_rhythm(scored) == rhythm
        os.utime(path)  # scored again
        with pytest.raises(duckdb.Error):
            load_rhythm(scored)
    finally:
        log.rename(shop.events_path)
    assert "rhythm" in {one.kind for one in artifacts(workspace, "shop")} and artifacts(workspace, "sho") == []


@pytest.fixture(scope="module")
def seasonal(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop that sells nearly all of its year in the half that comes next, and hardly anything in its first weeks."""
    folder, days, draw = tmp_path_factory.mktemp("seasonal"), 3 * 364, np.random.default_rng(3)
    pace = np.where(np.arange(days) % 364 < 56, 0.2, np.where(np.arange(days) % 364 < 182, 2.0, 0.5))
    bought = draw.uniform(size=(600, days)) < draw.gamma(2, 0.02, (600, 1)) * pace
    bought[:, 0] = True
    who, day = np.nonzero(bought)
    at = pd.Timestamp("2021-01-01") + pd.to_timedelta(day, unit="D")
    log = pd.DataFrame({"customer_id": who, "event_time": at, "amount": draw.gamma(3, 10, len(who)).round(2)})
    log.to_csv(folder / "orders.csv", index=False)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "orders.csv", "shop", timezone="UTC", currency="EUR", progress=NoProgress())
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize(("place", "model"), [("workspace", "bgnbd"), ("workspace", "instant"), ("seasonal", "bgnbd"),
                                              ("seasonal", "instant")])  # fmt: skip
def test_next_order_follows_the_models_chance(request: pytest.FixtureRequest, place: str, model: str) -> None:
    """The card says of a day what ``score`` says of the horizon that ends with it."""
    workspace = request.getfixturevalue(place)
    shop = open_dataset(workspace, "shop")
    config = TrainConfig(horizon_days=90, model=model, cutoffs=3)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    scores = Scored.open(workspace, "shop", bundle.id).scores(NoProgress())
    snapshot = snapshot_of(bundle, shop, None, NoProgress())
    assert (snapshot.last_year.pace != EVEN) == (place == "seasonal")
    said = 0
    for customer in scores[scores["p_purchase"] >= 0.5]["customer_id"].head(8):
        found = card_of(workspace, bundle, customer).next_order
        if found.regular:
            continue
        said += 1
        row = snapshot.features.index.get_loc(customer)  # the level is that of all customers together
        for share, day in ((0.25, found.early), (0.5, found.expected), (0.75, found.late)):
            if day is None:
                assert share > found.chance
                continue
            days = (day - shop.log_end).days + 1
            assert bundle.model.predict(snapshot, days).p_purchase[row] >= share - 1e-3
            assert days == 1 or bundle.model.predict(snapshot, days - 1).p_purchase[row] < share + 1e-3
        assert found.early is not None and found.expected is not None and found.early <= found.expected
        assert shop.log_end <= found.expected < shop.log_end + timedelta(days=90)
    assert said >= 3


def test_no_order_is_expected_of_the_unlikely(workspace: Workspace, bundle: Bundle, scores: pd.DataFrame) -> None:
    unlikely = scores[scores["p_purchase"].between(0.05, 0.45)].iloc[0]
    found = card_of(workspace, bundle, unlikely["customer_id"]).next_order
    assert found.expected is None and found.late is None
    chance = f"{unlikely['p_purchase']:.0%}"
    assert found.message().text("en") == translate("card.next.none", days=90, chance=chance)
    assert "0.4%" in NextOrder(0.004, 90, None, None, None, None).message().text("en"), "some chance is not none"


def test_next_order_of_a_customer_without_orders_spreads_evenly() -> None:
    nothing = Timeline(pd.DataFrame({"day": pd.to_datetime(["2023-05-01"]), "purchased": [False]}), pd.DataFrame())
    found = next_order(nothing, 0.75, 90, CUTOFF, Rhythm(BGNBD(1, 1, 1, 1)))
    assert found.expected == CUTOFF + timedelta(days=44)  # (1 - .75)^(45 / 90) = .5: within the first 45 days
    assert found.late == CUTOFF + timedelta(days=89) and found.usual_gap_days is None


def test_value_tier_rank_and_usual_pause_are_those_of_the_log_and_the_scores(
    workspace: Workspace, bundle: Bundle, scores: pd.DataFrame, events: pd.DataFrame, tmp_path: Path
) -> None:
    segment(Scored.open(workspace, "shop", bundle.id), tmp_path / "tiers.parquet", progress=NoProgress())
    tiers = pd.read_parquet(tmp_path / "tiers.parquet").set_index("customer_id")
    by_customer = scores.set_index("customer_id")
    money = events[events["event_type"].isin(["purchase", "return"])].groupby("customer_id")["amount"].sum()
    for customer in busiest(events, 3):
        card, score = card_of(workspace, bundle, customer), by_customer.loc[customer]
        assert card.historic == pytest.approx(money[customer]) == pytest.approx(card.history.days["net_value"].sum())
        assert (card.predicted, card.p_purchase) == (score["predicted_clv"], score["p_purchase"])
        assert card.total == pytest.approx(money[customer] + score["predicted_clv"])
        assert card.total_low == pytest.approx(money[customer] + score["clv_p10"])
        assert card.total_high == pytest.approx(money[customer] + score["clv_p90"])
        assert card.tier == tiers.loc[customer, "tier"] and card.tier_name == tiers.loc[customer, "tier_name"]
        net = events[events["customer_id"].eq(customer)].groupby("day")["amount"].sum()
        pauses = net[net > 0].index.to_series().diff().dropna().dt.days
        assert card.next_order.usual_gap_days == pauses.median()
        ranks = by_customer["predicted_clv"].rank(method="min", ascending=False)
        assert (card.rank, card.customers) == (ranks[customer], len(scores))


def test_similar_customers_are_the_nearest_in_standardised_figures() -> None:
    rng = np.random.default_rng(5)
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(400)],
            "tier": 1,
            "predicted_clv": rng.lognormal(3, 1, 400),
            "p_purchase": rng.random(400),
            "historic_value": rng.normal(50, 60, 400),
            "purchase_days": rng.integers(0, 9, 400),
            "days_since_last": np.where(rng.random(400) < 0.2, np.nan, rng.integers(0, 300, 400)),
        }
    )
    known = customers.assign(days_since_last=customers["days_since_last"].fillna(customers["days_since_last"].max()))
    logs = known[list(FIGURES)].transform(lambda column: np.sign(column) * np.log1p(column.abs()))
    table = StandardScaler().fit_transform(logs.assign(p_purchase=known["p_purchase"]))
    distances = cdist(table[[7]], table)[0]
    distances[7] = np.inf
    ours = similar_customers(customers, 7)
    nearest = np.argsort(distances)[:5]
    assert ours["customer_id"].tolist() == customers["customer_id"].iloc[nearest].tolist()
    np.testing.assert_allclose(ours["distance"], distances[nearest])
    assert len(similar_customers(customers.head(3), 0)) == 2 and similar_customers(customers.head(1), 0).empty


def test_search_finds_the_id_itself_then_ids_that_begin_so() -> None:
    ids = pd.Series([f"C{number:04}" for number in range(300)] + ["C00", "c0299x", "a.b"])
    assert find_customers(ids, " C00 ") == ["C00"]
    assert find_customers(ids, "c029") == [f"C{number:04}" for number in range(290, 300)] + ["c0299x"]
    assert len(find_customers(ids, "C0")) == 20
    assert find_customers(ids, "a*") == find_customers(ids, "  ") == []
    assert ids_containing(ids, " 0299X ") == ["c0299x"] and len(ids_containing(ids, "29")) == 5
    assert ids_containing(ids, ".*") == ids_containing(ids, "  ") == []
    with pytest.raises(NotFound) as caught:
        row_of_customer(ids, "C029", "2024-01-01")
    assert "C0290, C0291" in caught.value.message("en") and "C0290" in caught.value.message("zh")


def test_facts_stand_beside_those_of_all_buyers(workspace: Workspace, bundle: Bundle, events: pd.DataFrame) -> None:
    (customer,) = busiest(events)
    card = card_of(workspace, bundle, customer)
    net = events[events["event_type"].isin(["purchase", "return"])].groupby(["customer_id", "day"])["amount"].sum()
    days = net[net > 1e-9].groupby("customer_id").size()
    spent = net.groupby("customer_id").sum()[days.index]
    assert card.why.source == "facts"
    first, second = card.why.sentences
    assert f"{days[customer]} purchase days, " in first and f"{(days <= days[customer]).mean():.1%}" in first
    assert say_number(spent[customer]) in second and say_number(spent.median()) in second
    assert card_of(workspace, bundle, customer, "zh").why.sentences != card.why.sentences


def test_kept_reasons_are_used(workspace: Workspace, shop: Dataset, bundle: Bundle, events: pd.DataFrame) -> None:
    customer = busiest(events, 2)[1]
    folder = explanation_folder(Scored.of(workspace, shop, bundle), customer)
    words = {"customer": customer, "permutations": 1, "progress": NoProgress()}
    found = explain(Scored.open(workspace, "shop", bundle.id), folder, **words).value
    steps = found.waterfall(customer)
    for language in ("en", "zh"):
        why = card_of(workspace, bundle, customer, language).why
        assert why.source == "model" and len(why.sentences) == 2
        assert say_number(abs(found.predicted[0] - found.base), language) in why.sentences[0]
        for step in steps.head(2).itertuples():
            assert translate(f"feature_group.{step.part}", language) in why.sentences[1]
    earlier = load_card(
        Scored.open(workspace, "shop", bundle.id, CUTOFF), customer, language="en", progress=NoProgress()
    )
    assert earlier.why.source == "facts" and earlier.history.days["day"].max() < pd.Timestamp(CUTOFF)


def test_a_customer_without_orders(workspace: Workspace, bundle: Bundle, events: pd.DataFrame) -> None:
    buyers = set(events[events["event_type"] == "purchase"]["customer_id"])
    never = sorted(set(events["customer_id"]) - buyers)
    card = card_of(workspace, bundle, never[0])
    share = len(never) / events["customer_id"].nunique()
    assert card.historic == 0 and card.days_since_last is None
    assert card.why.sentences[0] == translate("card.fact.never", share=f"{share:.0%}")
    assert card.action == translate("card.action.never")
    assert replace(card, historic=5.0).total == 5.0 + card.predicted


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_days_since_a_purchase_are_whole_days(lang: str) -> None:
    people = pd.DataFrame({"days_since_last": [52.4, 63.4], "purchase_days": [3, 2], "historic_value": [10.0, 20.0]})
    found = explain_value(people.assign(predicted_clv=1.0, customer_id=["a", "b"]), 0, None, currency="", language=lang)
    assert "52" in found.sentences[0] and "58" in found.sentences[0] and not re.search(r"\d\.\d", found.sentences[0])
