"""Recommendations against independent counts of the same lines, and against what the figures say by definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import ndcg_score

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.errors import NotEnoughData
from clv_core.features.duckdb_engine import Engine
from clv_core.features.relations import day_of
from clv_core.jobs import NoProgress
from clv_core.strategy.recommend.collaborative import SHRINK, basket_similarity
from clv_core.strategy.recommend.holdout_month import Month, judge, ndcg_at, recall_at
from clv_core.strategy.recommend.interactions import Interactions
from clv_core.strategy.recommend.purchase_signals import PurchaseSignals, own_levels, price_levels
from clv_core.strategy.recommend.ranking import KINDS, WHY
from clv_core.strategy.recommend.recommendations import (
    Recommendations,
    load_recommendations,
    recommend,
    store_recommendations,
)
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(7)

TIERS = 4
CUSTOMERS = 120


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Half of the customers buy tea and its like, half coffee; each has two favourites that she buys again and again.

    Products of a category cost 1 to 10.
    """
    rng = np.random.default_rng(3)
    rows = []
    days = pd.date_range("2024-01-01", "2024-06-28", freq="5D")
    for customer in range(CUSTOMERS):
        kind = customer % 2
        favourites = rng.choice(10, 2, replace=False)
        for day in days[rng.random(len(days)) < 0.6]:
            basket = set(favourites[rng.random(2) < 0.8]) | set(rng.choice(10, 1))
            for product in sorted(basket):
                rows.append((f"c{customer:03}", day, f"{kind}-{product}", ("tea", "coffee")[kind], product + 1.0))
    frame = pd.DataFrame(rows, columns=["customer_id", "event_time", "product_id", "category", "amount"])
    frame["order_id"] = frame["customer_id"] + frame["event_time"].dt.strftime("-%j")
    return frame.assign(quantity=1, event_time=frame["event_time"].dt.strftime("%Y-%m-%d"))


def stored(log: pd.DataFrame, folder: Path) -> Dataset:
    log.to_csv(folder / "log.csv", index=False)
    ingest(Workspace(folder / "work"), folder / "log.csv", "shop", duplicates="keep")
    return open_dataset(Workspace(folder / "work"), "shop")


@contextmanager
def lines_of(dataset: Dataset) -> Iterator[Interactions]:
    engine = Engine()
    yield Interactions.before(dataset, engine.connection, dataset.log_end)
    engine.close()


@pytest.fixture(scope="module")
def dataset(log: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return stored(log, tmp_path_factory.mktemp("recommend"))


@pytest.fixture(scope="module")
def people(log: pd.DataFrame) -> pd.DataFrame:
    ids = [*sorted(log["customer_id"].unique()), "never"]
    return pd.DataFrame({"customer_id": ids, "tier": [1 + place % TIERS for place in range(len(ids))]})


@pytest.fixture(scope="module")
def advice(dataset: Dataset, people: pd.DataFrame) -> Recommendations:
    return recommend(dataset, people, TIERS, dataset.log_end, progress=NoProgress())


def test_days_and_memories_are_those_of_the_lines_before_the_cutoff(dataset: Dataset, log: pd.DataFrame) -> None:
    cutoff = date(2024, 4, 1)
    with lines_of(dataset) as lines:
        history = PurchaseSignals.at(lines, day_of(cutoff))
    past = log[log["event_time"] < cutoff.isoformat()].drop_duplicates(["customer_id", "product_id", "event_time"])
    age = (pd.Timestamp(cutoff) - pd.to_datetime(past["event_time"])).dt.days
    past = past.assign(long=0.5 ** (age / 120), age=age)
    expected = past.groupby(["customer_id", "product_id"]).agg(days=("long", "size"), long=("long", "sum"))
    row = np.searchsorted(lines.customer_ids.astype(str), expected.index.get_level_values(0))
    column = np.searchsorted(lines.product_ids.astype(str), expected.index.get_level_values(1))
    assert history.days.nnz == len(expected)
    assert history.days.toarray()[row, column] == pytest.approx(expected["days"])
    assert history.long.toarray()[row, column] == pytest.approx(expected["long"], abs=1e-5)
    spent = past.groupby("customer_id")["amount"].sum()
    whole = log[log["event_time"] < cutoff.isoformat()].groupby("customer_id")["amount"].sum()
    assert history.spent == pytest.approx(whole.reindex(lines.customer_ids).fillna(0)) and spent.sum() <= whole.sum()


def test_price_levels_are_those_of_the_lines_before_the_cutoff(log: pd.DataFrame, tmp_path: Path) -> None:
    cutoff = date(2024, 3, 1)
    turned = log.assign(amount=np.where(log["event_time"] < cutoff.isoformat(), log["amount"], 11 - log["amount"]))
    dataset = stored(turned, tmp_path)
    with lines_of(dataset) as lines:
        place = lines.product_ids.tolist().index("0-0")
        cheap = [PurchaseSignals.at(lines, day_of(day)).level[place] for day in (cutoff, dataset.log_end)]
        month = Month.after(lines, day_of(cutoff))
    assert cheap[0] == pytest.approx(0.05) and cheap[1] != cheap[0]
    task = None if month is None else month.task(KINDS[0])
    assert task is not None and task.candidates.level.min() == pytest.approx(0.05)


def test_nearness_is_the_shrunk_cosine_of_baskets(dataset: Dataset, log: pd.DataFrame) -> None:
    with lines_of(dataset) as lines:
        found, ids = basket_similarity(lines, day_of(dataset.log_end)).toarray(), lines.product_ids.tolist()
    baskets = log.groupby("order_id")["product_id"].apply(lambda products: sorted(set(products)))
    single = Counter(product for basket in baskets for product in basket)
    both = Counter(pair for basket in baskets for pair in combinations(basket, 2))
    expected = np.zeros_like(found)
    for (a, b), count in both.items():
        value = count / np.sqrt(single[a] * single[b]) * count / (count + SHRINK) if count >= 3 else 0.0
        expected[ids.index(a), ids.index(b)] = expected[ids.index(b), ids.index(a)] = value
    assert found == pytest.approx(expected, abs=1e-6)


def test_figures_are_those_of_the_definitions() -> None:
    rng = np.random.default_rng(1)
    bought = rng.random((40, 25)) < 0.2
    bought[:, 0] = True
    score = rng.random((40, 25))
    order = np.argsort(-score, axis=1)[:, :10]
    hits = np.take_along_axis(bought, order, 1)
    relevant = bought.sum(axis=1).astype(float)
    assert recall_at(hits, relevant) == pytest.approx(hits.sum(axis=1) / relevant)
    expected = [ndcg_score(bought[[row]].astype(float), score[[row]], k=10) for row in range(40)]
    assert ndcg_at(hits, relevant) == pytest.approx(expected)
    found = {one.method: one for one in judge({"blend": hits, "own": hits}, relevant)}
    ahead = found["own"].ahead
    assert ahead is not None and (ahead.value, ahead.low, ahead.high) == (0, 0, 0)
    mean, error = recall_at(hits, relevant).mean(), recall_at(hits, relevant).std() / np.sqrt(40)
    assert found["blend"].recall.low == pytest.approx(mean - 1.96 * error, abs=0.01)


def test_the_blend_finds_more_than_best_sellers_and_is_judged_on_the_last_month(advice: Recommendations) -> None:
    measured = advice.measured
    assert measured.start == date(2024, 5, 26) and measured.earlier_months == 3
    for kind in KINDS:
        found = {one.method: one for one in measured.quality[kind]}
        ahead = found["popular"].ahead
        assert measured.blends[kind].chosen and ahead is not None and ahead.low > 0
    own = {one.method: one for one in measured.quality[KINDS[1]]}["own"]
    assert own.recall.value == 0


def test_what_is_new_was_never_bought_and_its_reason_was(
    advice: Recommendations, log: pd.DataFrame, tmp_path: Path
) -> None:
    store_recommendations(advice, tmp_path, {})
    kept = load_recommendations(tmp_path)
    assert kept is not None
    bought = set(zip(log["customer_id"], log["product_id"], strict=True))
    for kind in KINDS:
        rows = kept.everyone(kind, 10)
        pairs = list(zip(rows["customer_id"], rows["product_id"], strict=True))
        assert len(pairs) == len(set(pairs)) and set(rows["why"]) <= set(WHY)
        assert rows.groupby("customer_id")["score"].apply(lambda score: score.is_monotonic_decreasing).all()
        assert (rows["days"] > 0).tolist() == [pair in bought for pair in pairs]
        if kind == "without_bought":
            assert not bought & set(pairs)
            because = rows.dropna(subset="because")
            assert len(because) and set(zip(because["customer_id"], because["because"], strict=True)) <= bought
            assert (because["because"] != because["product_id"]).all()
        one = kept.of_customer("c007", kind)
        pd.testing.assert_frame_equal(one, rows[rows["customer_id"] == "c007"].reset_index(drop=True))
    assert kept.of_customer("nobody", KINDS[0]).empty
    newcomer = kept.of_customer("never", KINDS[0])
    assert set(newcomer["why"]) == {"popular"} and newcomer["because"].isna().all()


def test_higher_tiers_are_offered_dearer_products(advice: Recommendations) -> None:
    level = advice.tiers[advice.tiers["kind"] == "without_bought"].groupby("tier")["grade"].mean()
    assert level[1] > level[4]
    aimed = advice.customers.assign(step=advice.customers["aimed_level"] - advice.customers["own_level"])
    assert aimed.groupby("tier")["step"].mean().is_monotonic_decreasing


def test_grades_rank_prices_within_a_category_and_a_lone_product_is_in_the_middle() -> None:
    products = pd.DataFrame({"category": list("aaabbb") + ["c"], "price": [1.0, 2, 3, 30, 10, np.nan, 5]})
    assert price_levels(products) == pytest.approx([1 / 6, 0.5, 5 / 6, 0.5, 0.5, 0.5, 0.5])


def test_a_customer_who_bought_little_is_near_the_middle_level() -> None:
    days = sparse.csr_array(np.array([[0, 0], [1, 0], [95, 0]], np.float32))
    assert own_levels(days, np.array([1.0, 0.0])) == pytest.approx([0.5, 3.5 / 6, 97.5 / 100])


def test_the_same_log_gives_the_same_recommendations(
    dataset: Dataset, people: pd.DataFrame, advice: Recommendations
) -> None:
    again = recommend(dataset, people.sample(frac=1, random_state=2), TIERS, dataset.log_end, progress=NoProgress())
    pd.testing.assert_frame_equal(again.picks, advice.picks)
    assert again.measured == advice.measured


def test_nothing_later_is_read(dataset: Dataset, log: pd.DataFrame, people: pd.DataFrame, tmp_path: Path) -> None:
    cutoff = date(2024, 5, 1)
    before = stored(log[log["event_time"] < cutoff.isoformat()], tmp_path)
    cut, alone = (recommend(one, people, TIERS, cutoff, progress=NoProgress()) for one in (dataset, before))
    pd.testing.assert_series_equal(cut.picks["product"], alone.picks["product"])


def test_of_fewer_than_ten_products_none_counts_twice(log: pd.DataFrame, people: pd.DataFrame, tmp_path: Path) -> None:
    few = stored(log[log["product_id"].isin([f"0-{n}" for n in range(6)])], tmp_path)
    made = recommend(few, people, TIERS, few.log_end, progress=NoProgress())
    (blend,) = [one for one in made.measured.quality["with_bought"] if one.method == "blend"]
    assert blend.recall.value == pytest.approx(1.0)


def test_a_log_without_products_is_refused(log: pd.DataFrame, people: pd.DataFrame, tmp_path: Path) -> None:
    bare = stored(log.drop(columns=["product_id", "category"]), tmp_path)
    with pytest.raises(NotEnoughData) as refusal:
        recommend(bare, people, TIERS, bare.log_end, progress=NoProgress())
    assert refusal.value.code == "recommend_no_products"
