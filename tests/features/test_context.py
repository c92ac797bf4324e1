"""Statistics of a log and of its customers at a cutoff: nothing later, no scale, and what pandas finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv_core.btyd import BGNBD, GammaGamma
from clv_core.collection.simulate.closed_form import expected_purchases, expected_spend
from clv_core.columns import MONEY_TYPES
from clv_core.features.anchor import Anchor
from clv_core.features.context.context import (
    Context,
    anchor_numbers,
    anchor_statistics,
    history,
    sample_steps,
    spend_statistics,
)
from clv_core.features.context.customer_statistics import Columns
from clv_core.features.context.log_days import LogDays
from clv_core.features.context.lookup import (
    AGE_EDGES,
    COUNT_EDGES,
    PRIOR_CUSTOMERS,
    PRIOR_ORDERS,
    QUIET,
    RECENCY_EDGES,
    SPANS,
    by_span,
    span_edges,
)
from clv_core.features.duckdb_engine import Engine
from clv_core.features.log import EventLog
from clv_core.features.relations import day_of
from clv_core.features.sequences import STEP_VALUES, Steps, windows_at
from tests.features.conftest import LATER

pytestmark = pytest.mark.first(13)

Opener = Callable[..., EventLog]
Alter = Callable[[pd.DataFrame, date], pd.DataFrame]
EPOCH = date(1970, 1, 1)
CUTOFF = date(2024, 4, 1)
DAY = (CUTOFF - EPOCH).days
HORIZON = 64
"""Its sixteenth is a whole number of days."""
LITTLE = 0.02


def at(steps: Steps, cutoff_day: int = DAY, horizon_days: int = HORIZON) -> tuple[Context, Columns]:
    context = Context.of(steps, cutoff_day, horizon_days)
    return context, context.customers(windows_at(steps, cutoff_day, 40)[1])


def bits(steps: Steps) -> dict[str, object]:
    """Return all that a network may read of a context, bit for bit."""
    context, customers = at(steps)
    lookup = context.lookup
    known: dict[str, object] = {f"usual {name}": value for name, value in context.usual.items()}
    known |= {f"number {name}": value for name, value in context.numbers.items()}
    known |= {f"share {name}": table.tobytes() for name, table in lookup.share.items()}
    known |= {f"orders {name}": table.tobytes() for name, table in lookup.orders.items()}
    known |= {f"surplus {name}": table.tobytes() for name, table in lookup.surplus.items()}
    known["lookup"] = (lookup.days, lookup.horizon_days, lookup.windows, lookup.overall, lookup.largest)
    return known | {name: column.tobytes() for name, column in customers.items()}


def before(events: pd.DataFrame, cutoff_day: int = DAY) -> pd.DataFrame:
    """Return the events before a cutoff, with their day and their age in days."""
    day = (events["event_time"].dt.normalize() - pd.Timestamp(0)).dt.days
    return events.assign(day=day, age=cutoff_day - day)[day < cutoff_day]


def order_days(events: pd.DataFrame, cutoff_day: int = DAY) -> pd.DataFrame:
    """Return the days on which a customer's purchases and returns come to more than nothing."""
    past = before(events, cutoff_day)
    money = past[past["event_type"].isin(MONEY_TYPES)]
    net = money.groupby(["customer_id", "day"], as_index=False)["amount"].sum()
    return net[net["amount"] > 1e-9].assign(age=lambda days: cutoff_day - days["day"])


@pytest.fixture(scope="module")
def steps(
    shop: pd.DataFrame,
    complete: Callable[[pd.DataFrame], pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Steps:
    """The steps of the shop's customers who did anything before the cutoff; read once, and changed by no test."""
    path = tmp_path_factory.mktemp("context") / "events.parquet"
    known = shop["customer_id"].isin(before(shop)["customer_id"])
    complete(shop[known]).to_parquet(path, index=False)
    engine = Engine(memory_limit_mb=512)
    found = EventLog.from_table(engine.connection.read_parquet(path), engine.connection).steps
    engine.close()
    return found


def reordered(steps: Steps, order: np.ndarray) -> Steps:
    """Return the steps of the customers in another order."""
    rows = np.concatenate([np.arange(steps.offsets[i], steps.offsets[i + 1]) for i in order])
    parts = {name: getattr(steps, name)[rows] for name in ("day", "gap_days", "values", "codes")}
    offsets = np.concatenate([[0], np.cumsum(np.diff(steps.offsets)[order])])
    return replace(steps, customer_ids=steps.customer_ids[order], offsets=offsets, **parts)


def close(ours: Columns | dict[str, float], theirs: Columns | dict[str, float], atol: float = 1e-5) -> None:
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=atol, err_msg=name)


@pytest.mark.examples(2)
@pytest.mark.parametrize("alter", LATER)
def test_rows_at_or_after_the_cutoff_change_nothing(opened: Opener, shop: pd.DataFrame, alter: Alter) -> None:
    one, other = bits(opened(shop).steps), bits(opened(alter(shop, CUTOFF)).steps)
    assert [name for name in one if one[name] != other[name]] == []
    assert list(one) == list(other) and len(one) > 100


def test_a_row_just_before_the_cutoff_is_seen(opened: Opener, shop: pd.DataFrame) -> None:
    just_before = pd.Timestamp(CUTOFF) - pd.Timedelta("1us")
    last = shop[shop["event_type"] == "purchase"].head(1).assign(event_time=just_before)
    one, other = opened(shop), opened(pd.concat([shop, last]))
    customer = int(np.searchsorted(one.steps.customer_ids.astype(str), last["customer_id"].iloc[0]))
    (_, less), (_, more) = at(one.steps), at(other.steps)
    assert np.expm1(more["orders_0.0625"] - less["orders_0.0625"])[customer] > 0
    assert more["recency"][customer] == pytest.approx(np.log(1 / HORIZON + LITTLE))


def test_the_order_of_customers_changes_their_order_only(steps: Steps) -> None:
    order = np.random.default_rng(1).permutation(len(steps.customer_ids))
    (context, customers), (again, others) = at(steps), at(reordered(steps, order))
    close(context.numbers, again.numbers)
    close(context.usual, again.usual)
    close(context.lookup.share, again.lookup.share)
    close({name: column[order] for name, column in customers.items()}, others)


def test_a_customer_does_not_depend_on_who_else_is_asked_for(steps: Steps) -> None:
    context, customers = at(steps)
    _, windows = windows_at(steps, DAY, 3)
    rows = np.array([7, 3, 200, 3])
    few = context.customers(windows.take(rows))
    for name, column in customers.items():
        np.testing.assert_array_equal(few[name], column[rows], err_msg=name)


def test_the_unit_of_money_changes_nothing_but_the_mean_order(opened: Opener, shop: pd.DataFrame) -> None:
    dear = shop.assign(amount=shop["amount"] * 1000)
    (context, customers), (again, others) = at(opened(shop).steps), at(opened(dear).steps)
    close(customers, others)
    close(context.numbers, again.numbers)
    close(context.usual | {"money": context.usual["money"] * 1000}, again.usual)
    assert again.lookup.largest == pytest.approx(1000 * context.lookup.largest, rel=1e-6)
    assert context.usual["money"] == pytest.approx(order_days(shop)["amount"].mean(), rel=1e-6)


def test_the_unit_of_time_changes_nothing_but_the_calendar(steps: Steps) -> None:
    slow = replace(steps, day=(DAY - 3 * (DAY - steps.day)).astype(np.int32), gap_days=3 * steps.gap_days)
    (context, customers), (again, others) = at(steps), at(slow, horizon_days=3 * HORIZON)

    def timeless(numbers: dict[str, float]) -> dict[str, float]:
        calendar = ("year_", "cutoff_", "middle_", "christmas_")
        return {name: value for name, value in numbers.items() if not name.startswith(calendar) and name != "horizon"}

    assert again.lookup.windows == context.lookup.windows == 6
    assert len(timeless(context.numbers)) > 60 and len(timeless(customers)) > 50  # type: ignore[arg-type]
    close(timeless(context.numbers), timeless(again.numbers), 1e-9)
    close(timeless(customers), timeless(others), 1e-6)  # type: ignore[arg-type]
    close(context.lookup.share, again.lookup.share, 1e-12)
    assert again.numbers["horizon"] - context.numbers["horizon"] == pytest.approx(np.log(3))


def known_then(events: pd.DataFrame, cutoff_day: int, days: int, horizon_days: int) -> pd.DataFrame:
    """Return what was known of customers at a past cutoff, and their order days in the window after it."""
    seen = before(events, cutoff_day).groupby("customer_id")["age"].max()
    bought = order_days(events, cutoff_day).groupby("customer_id")["age"].agg(["size", "min", "max"])
    bought = bought.reindex(seen.index)
    later = order_days(events, cutoff_day + days)
    later = later[later["age"] <= days].groupby("customer_id").size()
    return pd.DataFrame(
        {
            "count": bought["size"].fillna(0),
            "recency": bought["min"].fillna(0) / horizon_days,
            "age": bought["max"].fillna(seen) / horizon_days,
            "orders": later.reindex(seen.index).fillna(0),
        }
    )


def cells(known: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the cells of customers: by orders, orders and recency, and the first orders and age."""
    count, recency, age = (
        pd.cut(known[name], [-np.inf, *edges, np.inf], right=False, labels=False)
        for name, edges in (("count", COUNT_EDGES), ("recency", RECENCY_EDGES), ("age", AGE_EDGES))
    )
    return {
        "count": count,
        "cell": count * (len(RECENCY_EDGES) + 1) + recency,
        "age": count.clip(upper=2) * (len(AGE_EDGES) + 1) + age,
    }


def test_lookups_are_the_shares_of_their_cells_in_complete_windows(steps: Steps, shop: pd.DataFrame) -> None:
    context, customers = at(steps)
    lookup = context.lookup
    assert (lookup.days, lookup.windows) == (HORIZON, 6)
    past = pd.concat(known_then(shop, DAY - HORIZON - 8 * k, HORIZON, HORIZON) for k in range(6)).reset_index()
    past["again"] = (past["orders"] > 0).astype(float)
    now = known_then(shop, DAY, HORIZON, HORIZON)
    assert len(past) > 2000
    chance, number = lookup.overall
    for what, ours, whole in (("again", lookup.share, chance), ("orders", lookup.orders, number)):
        assert whole == pytest.approx((past[what].sum() + 0.5) / (len(past) + 2))

        def leaning(cell: pd.Series, onto: np.ndarray | float, what: str = what) -> pd.Series:
            found = past.groupby(cell)[what].agg(["sum", "size"])
            return (found["sum"] + PRIOR_CUSTOMERS * onto) / (found["size"] + PRIOR_CUSTOMERS)

        by_count = leaning(cells(past)["count"], whole)
        np.testing.assert_allclose(ours["count"][by_count.index], by_count)
        by_age = leaning(cells(past)["age"], whole)
        np.testing.assert_allclose(ours["age"][by_age.index], by_age)
        cell = cells(past)["cell"]
        by_cell = leaning(cell, by_count[np.sort(cell.unique()) // (len(RECENCY_EDGES) + 1)].to_numpy())
        np.testing.assert_allclose(ours["cell"][by_cell.index], by_cell)
        assert len(by_cell) > 20 and len(by_age) > 5
        for table, found in (("cell", by_cell), ("age", by_age)):
            own = cells(now)[table].map(found).to_numpy()
            told = customers[f"lookup_{table}_{'chance' if what == 'again' else 'orders'}"]
            expected = np.log(own / (1 - own)) if what == "again" else np.log(own)
            np.testing.assert_allclose(told[np.isfinite(own)], expected[np.isfinite(own)])
            assert np.isfinite(own).mean() > 0.9


def test_the_surplus_is_what_buyers_ordered_beside_what_bgnbd_expected_of_them(
    steps: Steps, shop: pd.DataFrame
) -> None:
    parameters = {"r": 0.8, "alpha": 60.0, "a": 0.9, "b": 2.5}
    context = Context.of(steps, DAY, HORIZON, BGNBD(**parameters))
    past = pd.concat(known_then(shop, DAY - HORIZON - 8 * k, HORIZON, HORIZON) for k in range(6)).reset_index()
    past = past[past["count"] > 0]
    last, age = (past["age"] - past["recency"]) * HORIZON, past["age"] * HORIZON
    x, last, age = (part.to_numpy() for part in (past["count"] - 1, last, age))
    past["expected"] = expected_purchases(HORIZON, x, last, age, **parameters)
    for table in ("cell", "age"):
        sums = past.groupby(cells(past)[table])[["orders", "expected"]].sum() + PRIOR_ORDERS
        found = context.lookup.surplus[table][sums.index]
        np.testing.assert_allclose(found, np.log(sums["orders"] / sums["expected"]), rtol=1e-6, atol=1e-8)
        assert np.ptp(found) > 0.2
    repeat, quiet = past["count"] > 1, past["recency"] >= QUIET
    for name, rows in (("one", ~repeat), ("recent", repeat & ~quiet), ("quiet", repeat & quiet)):
        sums = past.loc[rows, ["orders", "expected"]].sum() + PRIOR_ORDERS
        assert context.numbers[f"surplus_{name}"] == pytest.approx(np.log(sums["orders"] / sums["expected"]))
    told = context.customers(windows_at(steps, DAY, 40)[1])
    assert (told["lookup_cell_surplus"][told["never"] == 1] == 0).all() and (told["never"] == 1).any()


def test_an_order_is_expected_after_all_orders_the_first_included() -> None:
    spend, money = GammaGamma(6.25, 3.74, 15.44), 40.0
    count, total = np.array([0.0, 1.0, 1.0, 7.0]), np.array([0.0, 3.0, 90.0, 700.0])
    columns = {"never": (count == 0) * 1.0, "count": np.log1p(count), "money_total": np.log(total / money + LITTLE)}
    found = spend_statistics(spend, columns, money)["anchor_spend_all"]
    known = expected_spend(count[1:], total[1:] / count[1:], p=6.25, q=3.74, gamma=15.44)
    np.testing.assert_allclose(np.exp(found[1:]) - LITTLE, known / money)
    assert found[0] == 0


def test_a_log_too_short_for_its_horizon_looks_at_shorter_windows(steps: Steps, shop: pd.DataFrame) -> None:
    long = 400
    context, customers = at(steps, horizon_days=long)
    past_days = (CUTOFF - date(2023, 1, 1)).days
    days = context.lookup.days
    assert days == int(past_days / 2.5) and context.lookup.windows == 6
    known = known_then(shop, DAY, 1, long)
    share, orders = (table["age"][cells(known)["age"]] for table in (context.lookup.share, context.lookup.orders))
    chance = 1 - (1 - share) ** (long / days)
    np.testing.assert_allclose(1 / (1 + np.exp(-customers["lookup_age_chance"])), np.clip(chance, 1e-4, 1 - 1e-4))
    np.testing.assert_allclose(np.exp(customers["lookup_age_orders"]), orders * long / days)


def test_a_log_of_a_few_days_has_no_windows(steps: Steps) -> None:
    day = DAY - (CUTOFF - date(2023, 1, 16)).days
    context, customers = at(steps, day)
    assert context.lookup.windows == 0 and context.numbers["windows"] == 0
    assert np.ptp(customers["lookup_cell_chance"]) == np.ptp(customers["lookup_age_orders"]) == 0


def test_orders_and_money_by_span_are_those_of_pandas(steps: Steps, shop: pd.DataFrame) -> None:
    log, (_, customers) = LogDays.of(steps, DAY), at(steps)
    days, ids = order_days(shop), steps.customer_ids.astype(str)
    span = pd.cut(days["age"], [0, *(edge * HORIZON for edge in SPANS[1:]), np.inf], labels=False)
    for value, what in ((False, "size"), (True, "sum")):
        expected = days.groupby(["customer_id", span])["amount"].agg(what).unstack()
        expected = expected.reindex(index=ids, columns=range(len(SPANS))).fillna(0)
        edges = span_edges(log.orders, np.arange(len(ids)), DAY, HORIZON)
        ours = by_span(log.orders.added[edges] if value else edges)
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
        if not value:
            for column, edge in enumerate(SPANS[1:]):
                np.testing.assert_array_equal(np.expm1(customers[f"orders_{edge}"]).round(9), expected[column])


def test_customers_statistics_are_those_of_pandas(steps: Steps, shop: pd.DataFrame) -> None:
    context, customers = at(steps)
    ids, past, days = steps.customer_ids.astype(str), before(shop), order_days(shop)
    money, usual = context.usual["money"], context.usual
    by_customer, value = days.groupby("customer_id"), days["amount"] / money
    logs = np.log(value).groupby(days["customer_id"])
    gap = by_customer["day"].diff().div(HORIZON).groupby(days["customer_id"])
    count, spent = by_customer.size().reindex(ids).fillna(0), value.groupby(days["customer_id"]).sum()
    mean_gap = (gap.sum() + usual["gap"]) / by_customer.size()
    recency, age = by_customer["age"].min() / HORIZON, by_customer["age"].max() / HORIZON
    several = (count > 1).astype(float)
    period = gap.last().reindex(recency.index).fillna(usual["gap"]).clip(lower=1e-3)
    year = days[days["age"].between(364 - HORIZON + 1, 364)].groupby("customer_id")
    known = (past.groupby("customer_id")["age"].max() > 364).astype(float)
    back = past[past["event_type"] == "return"].groupby("customer_id")["amount"].sum().abs().reindex(ids).fillna(0)
    rated = past[past["rating"].notna()].groupby(["customer_id", "day"])["rating"].mean().groupby("customer_id")
    looked = past[(past["event_type"] == "view") & (past["age"] <= HORIZON / 4)].groupby("customer_id").size()
    wished = past[past["event_type"] == "wishlist"].groupby("customer_id")["age"].min() / HORIZON
    bought = spent.reindex(ids).fillna(0)
    expected = {
        "count": np.log1p(count),
        "never": (count == 0).astype(float),
        "age": np.log(age.reindex(ids).fillna(past.groupby("customer_id")["age"].max() / HORIZON) + LITTLE),
        "recency": np.log(recency + LITTLE),
        "recency_share": recency / age,
        "tenure": np.log(past.groupby("customer_id")["age"].max() / HORIZON + LITTLE),
        "rate_lifetime": np.log(count / age.reindex(ids).clip(lower=0.25).fillna(1) + LITTLE),
        "gap": np.log(mean_gap + 1e-3),
        "gap_last": (np.log((gap.last() + 1e-3) / (mean_gap + 1e-3)) * several).fillna(0),
        "silence": np.log(recency / mean_gap + LITTLE),
        "due_elapsed": (recency / period).clip(upper=3),
        "due_over": np.tanh(8 * (recency / period - 1)),
        "due_times": (-np.log(period)).clip(-3, 3),
        "never_age": (np.log(past.groupby("customer_id")["age"].max() / HORIZON + 1e-3) + 3) * (count == 0),
        "order_value": np.log((bought + 2) / (count + 2)),
        "order_log": logs.mean(),
        "order_scatter": logs.std(ddof=0),
        "order_last": logs.last(),
        "order_turn": logs.last() - logs.mean(),
        "money_total": np.log(bought + LITTLE),
        "money_recent": np.log(
            (days[days["age"] <= HORIZON].groupby("customer_id")["amount"].sum() / money).reindex(ids).fillna(0)
            + LITTLE
        ),
        "year_orders": np.log1p(year.size().reindex(ids).fillna(0)) * known,
        "year_money": np.log1p(year["amount"].sum().reindex(ids).fillna(0) / money) * known,
        "view_0.25": np.log1p(looked),
        "other_last": np.log(wished + LITTLE).reindex(ids).fillna(2.0),
        "returned_share": back / (back + bought * money).clip(lower=1e-9),
        "rating_mean": ((rated.sum() + 4) / (rated.size() + 1) - 4),
        "rating_latest": rated.last() - 4,
    }
    assert (count == 0).sum() > 5 and (count > 3).sum() > 100 and 0 < known.mean()
    for name, column in expected.items():
        theirs = column.reindex(ids).fillna(0.0)
        np.testing.assert_allclose(customers[name], theirs, rtol=1e-5, atol=1e-5, err_msg=name)


def test_numbers_of_the_log_are_those_of_pandas(steps: Steps, shop: pd.DataFrame) -> None:
    numbers = at(steps)[0].numbers
    past, days = before(shop), order_days(shop)
    customers = past["customer_id"].nunique()
    count, recency = days.groupby("customer_id").size(), days.groupby("customer_id")["age"].min() / HORIZON
    gap = days.groupby("customer_id")["day"].diff().dropna()
    total = days.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
    back = -past.loc[past["event_type"] == "return", "amount"].sum()
    seen = past.groupby("customer_id")["age"].max()
    older = seen.index[seen > HORIZON]

    def ratio(now: float, then: float) -> float:
        return float(np.log((now + 3) / (then + 3)))

    quarter, earlier = days[days["age"] <= 16], days[(days["age"] > 16) & (days["age"] <= 32)]
    year, year_before = days[days["age"].between(301, 364)], days[days["age"].between(365, 428)]
    expected = {
        "customers": np.log(customers) - 6,
        "never": 1 - len(count) / customers,
        "history": np.log(past["age"].max() / HORIZON + LITTLE),
        "orders_mean": np.log(count.mean()),
        "orders_3": (count >= 3).mean(),
        "recency_0.5": np.log(recency.median() + LITTLE),
        "active": (recency < 1).sum() / customers,
        "gap_mean": np.log(gap.mean() / HORIZON + 1e-3),
        "gap_log": np.log(gap / HORIZON).mean(),
        "spend_top": total.head(customers // 10).sum() / total.sum(),
        "returned": back / (back + days["amount"].sum()),
        "turn_quarter_orders": ratio(len(quarter), len(earlier)),
        "turn_quarter_active": ratio(quarter["customer_id"].nunique(), earlier["customer_id"].nunique()),
        "turn_quarter_new": ratio((seen <= 16).sum(), ((seen > 16) & (seen <= 32)).sum()),
        "turn_quarter_value": np.log(quarter["amount"].mean() / earlier["amount"].mean()),
        "year_known": 1.0,
        "year_orders": ratio(len(year), len(year_before)),
        "new_share": (seen <= HORIZON).mean(),
        "orders_a_customer": np.log((days["age"] <= HORIZON).sum() / customers + LITTLE),
        "has_view": 1.0,
        "views_an_order": np.log(((past["event_type"] == "view").sum() + 1) / (len(days) + 1)),
        "last_orders": np.log(((days["age"] <= HORIZON) & days["customer_id"].isin(older)).sum() + 1)
        - np.log(len(older) + 1),
    }
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(value, rel=1e-5, abs=1e-6), name


def test_behaviour_before_a_window_tells_where_it_decides_who_buys(opened: Opener) -> None:
    """Customers who look in the last days of a month buy in the next one, and the others do not."""
    random = np.random.default_rng(5)
    rows = []
    for customer in range(300):
        rows.append((customer, 0, "purchase"))
        for month in range(1, 12):
            if random.random() < 0.5:
                rows += [(customer, 30 * month - 3, "view"), (customer, 30 * month + 12, "purchase")]
            anyway = "cart" if random.random() < 0.5 else "aaa"
            rows.append((customer, 30 * month - int(random.integers(1, 4)), anyway))
    events = pd.DataFrame(rows, columns=["customer", "day", "event_type"])
    events["event_time"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(events["day"], unit="D")
    events["amount"] = np.where(events["event_type"] == "purchase", 10.0, np.nan)
    events["customer_id"] = events["customer"].map("c{:03d}".format)
    first = (date(2023, 1, 1) - EPOCH).days
    numbers = at(opened(events).steps, first + 360, 30)[0].numbers
    assert numbers["tells_view"] > 0.8
    assert abs(numbers["tells_cart"]) < 0.2 and abs(numbers["tells_other"]) < 0.2
    assert numbers["tells_return"] == numbers["has_return"] == 0


@pytest.fixture(params=["cdnow", "shop"])
def histories(opened: Opener, request: pytest.FixtureRequest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What an anchor is fitted on, and the features of the same customers."""
    cutoff = date(1997, 12, 31) if request.param == "cdnow" else CUTOFF
    log, day = opened(request.getfixturevalue(request.param)), (cutoff - EPOCH).days
    features = log.snapshot(cutoff, 90).features.reset_index(drop=True)
    ours = history(LogDays.of(log.steps, day), day).iloc[log.store.seen(day)]
    return ours.reset_index(drop=True), features[list(ours)]


def test_the_history_of_buyers_is_their_features(histories: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    ours, features = (table[table["T"].notna()] for table in histories)
    assert list(ours.index) == list(features.index) and (ours["frequency"] > 1).sum() > 100
    for name in ("frequency", "recency", "T", "purchase_days"):
        np.testing.assert_array_equal(ours[name], features[name], err_msg=name)
    np.testing.assert_allclose(ours["monetary_value"], features["monetary_value"], rtol=1e-5)


def test_the_history_of_those_who_never_bought_is_their_features(
    histories: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    ours, features = (table[table["T"].isna()].drop(columns="net_value") for table in histories)
    assert len(ours) > 5
    pd.testing.assert_frame_equal(ours, features)


def test_the_net_value_of_a_history_is_that_of_the_features(histories: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    ours, features = histories
    np.testing.assert_allclose(ours["net_value"], features["net_value"], rtol=1e-5, atol=1e-3)


def events_of(rows: list[tuple[str, int, str, float]]) -> pd.DataFrame:
    """Return events of customers on days before the cutoff."""
    frame = pd.DataFrame(rows, columns=["customer_id", "ago", "event_type", "amount"])
    frame["event_time"] = pd.Timestamp(CUTOFF) - pd.to_timedelta(frame["ago"], unit="D")
    return frame.assign(rating=np.where(frame["event_type"] == "rating", 5.0, np.nan))


NOTHING = float("nan")
ODD = {
    "one customer": [("a", 90, "purchase", 5.0), ("a", 30, "purchase", 7.0), ("a", 3, "view", NOTHING)],
    "no purchase at all": [("a", 90, "view", NOTHING), ("b", 80, "cart", NOTHING), ("b", 1, "rating", NOTHING)],
    "one purchase": [("a", 1, "purchase", 0.01)],
    "one purchase long ago": [("a", 4000, "purchase", 1e7), ("b", 2, "view", NOTHING)],
    "only returns": [("a", 90, "return", -5.0), ("b", 60, "return", -1e6)],
    "all came back": [("a", 90, "purchase", 5.0), ("a", 90, "return", -5.0), ("a", 20, "return", -5.0)],
    "free orders": [("a", 90, "purchase", 0.0), ("b", 20, "purchase", 0.0)],
    "alike": [(f"c{i:02d}", ago, "purchase", 10.0) for i in range(40) for ago in (200, 150, 100, 50)],
    "far apart": [("a", 300, "purchase", 1e-6), ("b", 200, "purchase", 1e9), ("b", 100, "purchase", 1e9)],
}


@pytest.mark.examples(3)
@pytest.mark.parametrize("name", list(ODD))
def test_all_statistics_of_odd_logs_are_there_and_finite(opened: Opener, name: str, steps: Steps) -> None:
    odd = opened(events_of(ODD[name])).steps
    usual_names = [list(found) for found in (at(steps)[0].numbers, at(steps)[1])]
    table = history(LogDays.of(odd, DAY), DAY)
    anchor = Anchor.fit(table)
    for horizon_days in (1, 7, 90, 3650):
        context, customers = at(odd, horizon_days=horizon_days)
        assert [list(context.numbers), list(customers)] == usual_names
        says = {
            "anchor_count": anchor.expected_count(table, horizon_days),
            "anchor_spend": anchor.expected_spend(table),
            "p_alive": anchor.p_alive(table),
        }
        customers |= anchor_statistics(says, customers["never"], context.usual["money"])
        numbers = context.numbers | context.usual | anchor_numbers(anchor, horizon_days)
        assert [key for key, value in numbers.items() if not (isinstance(value, float) and np.isfinite(value))] == []
        assert [key for key, column in customers.items() if not np.isfinite(column).all()] == []
        assert {column.shape for column in customers.values()} == {(len(odd.customer_ids),)}


def test_the_steps_of_a_simulated_shop_are_those_of_its_events(opened: Opener) -> None:
    from clv_core.training.pretrain import steps_of
    from clv_core.training.prior import KINDS, simulate_shop

    shop = next(shop for shop in (simulate_shop((3, k)) for k in range(99)) if len(set(shop.kind)) == len(KINDS) - 1)
    lines = np.repeat(np.arange(len(shop.day)), shop.lines.astype(int))
    customer = np.repeat(np.arange(len(shop.offsets) - 1), np.diff(shop.offsets))
    events = pd.DataFrame(
        {
            "customer_id": pd.Series(customer[lines]).map("{:06d}".format),
            "event_time": pd.Timestamp(0) + pd.to_timedelta(shop.day[lines], unit="D"),
            "event_type": np.array(KINDS)[shop.kind[lines]],
            "amount": (shop.amount / shop.lines)[lines],
            "rating": shop.rating[lines],
        }
    )
    ours, theirs = steps_of(shop), opened(events).steps
    for name in ("offsets", "day", "gap_days"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    kinds, others = (np.array(steps.vocabularies[0])[steps.codes[:, 0]] for steps in (ours, theirs))
    np.testing.assert_array_equal(kinds, others)
    cutoff, horizon = shop.traits.cutoff_day, shop.traits.horizon_days
    (context, customers), (again, others) = at(ours, cutoff, horizon), at(theirs, cutoff, horizon)
    close(context.numbers, again.numbers, 1e-4)
    close(customers, others, 1e-3)


def test_a_sample_is_whole_customers_spread_over_all(opened: Opener, shop: pd.DataFrame) -> None:
    log = opened(shop)
    end = day_of(log.end)
    sample, steps = sample_steps(log.store, end, 200), log.steps
    assert len(set(sample.customer_ids)) == len(sample.customer_ids) == 200
    where = np.searchsorted(steps.customer_ids.astype(str), sample.customer_ids.astype(str))
    assert where.min() == 0 and where.max() > 0.98 * len(steps.customer_ids) and np.diff(where).max() <= 3
    expected = reordered(steps, where)
    for name in ("offsets", "day", "gap_days", "values", "codes"):
        np.testing.assert_array_equal(getattr(sample, name), getattr(expected, name), err_msg=name)
    assert len(sample_steps(log.store, end, 10_000).day) == len(steps.day)
    whole = Steps.joined([log.store.steps(0, 100), log.store.steps(100)])
    np.testing.assert_array_equal(whole.values, steps.values)


@pytest.mark.examples(2)
@pytest.mark.parametrize("alter", LATER)
def test_later_rows_change_neither_who_is_in_a_sample_nor_what_is_said_of_them(
    opened: Opener, shop: pd.DataFrame, alter: Alter
) -> None:
    one, other = (sample_steps(opened(rows).store, DAY, 200) for rows in (shop, alter(shop, CUTOFF)))
    assert one.customer_ids.tolist() == other.customer_ids.tolist() and len(one.customer_ids) == 200
    assert Context.of(one, DAY, HORIZON).to_json() == Context.of(other, DAY, HORIZON).to_json()


def test_a_snapshot_has_the_context_of_its_cutoff(opened: Opener, shop: pd.DataFrame) -> None:
    log = opened(shop)
    snapshot = log.snapshot(CUTOFF, HORIZON)
    known = snapshot.contexts[DAY].context
    assert (known.cutoff_day, known.horizon_days) == (DAY, HORIZON)
    assert known.numbers == Context.of(log.steps, DAY, HORIZON).numbers
    part = next(log.parts(CUTOFF, HORIZON, customers_at_once=50))
    customers, whole = known.customers(part.windows), known.customers(snapshot.windows)
    for name, column in customers.items():
        np.testing.assert_allclose(column, whole[name][:50], rtol=1e-9, atol=1e-6, err_msg=name)
    assert log.snapshot(CUTOFF - timedelta(days=30), HORIZON).contexts.keys() == {DAY - 30}


def test_the_largest_value_of_a_customer_is_that_of_a_window(steps: Steps, shop: pd.DataFrame) -> None:
    lookup = at(steps)[0].lookup
    windows = [order_days(shop, DAY - 8 * k).query(f"age <= {HORIZON}") for k in range(6)]
    largest = max(days.groupby("customer_id")["amount"].sum().max() for days in windows)
    assert lookup.largest == pytest.approx(largest, rel=1e-5)


def test_a_log_that_follows_bgnbd_shows_less_misfit_than_one_of_regular_customers() -> None:
    rng, n = np.random.default_rng(4), 4000
    first = rng.integers(0, 120, n)
    rate, lives = rng.gamma(0.8, 1 / 60, n), rng.geometric(np.clip(rng.beta(0.9, 3.0, n), 1e-9, 1))
    gaps = rng.exponential(1 / rate[:, None], (n, 40))
    poisson = first[:, None] + np.cumsum(np.column_stack([np.zeros(n), gaps]), axis=1)
    poisson[np.arange(41) > lives[:, None]] = np.inf
    regular = first[:, None] + rng.uniform(15, 40, n)[:, None] * np.arange(41)
    found = {}
    for name, times in (("poisson", poisson), ("regular", regular)):
        customer, _ = np.nonzero(times < 400)
        day = pd.Timestamp(0) + pd.to_timedelta(times[times < 400].astype(int), unit="D")
        days = pd.DataFrame({"customer": customer, "day": day.to_numpy("datetime64[D]").astype(int)}).drop_duplicates()
        found[name] = Context.of(purchases(days), 400, 100).numbers
    assert found["poisson"]["surplus_any"] < 0.12 < 0.15 < found["regular"]["surplus_any"]
    assert all(abs(found["poisson"][f"surplus_{who}"]) < 0.1 for who in ("one", "recent", "quiet"))


def purchases(days: pd.DataFrame) -> Steps:
    """Return the steps of customers who bought for 10 on each of ``days``, ordered by customer and day."""
    values = np.full((len(days), len(STEP_VALUES)), np.nan, np.float32)
    values[:, STEP_VALUES.index("amount")], values[:, STEP_VALUES.index("lines")] = 10.0, 1.0
    counts = np.bincount(days["customer"])
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    day = days["day"].to_numpy(np.int32)
    gap = np.diff(day, prepend=day[:1]).astype(np.float32)
    gap[offsets[:-1]] = 0
    codes = np.tile(np.array([0, -1], np.int32), (len(days), 1))
    ids = np.arange(len(counts)).astype(str).astype(object)
    return Steps(ids, offsets, day, gap, values, codes, (("purchase",), ()))
