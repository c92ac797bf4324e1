"""Rules may ask for attributes of the customers table, as they were known at the cutoff; never for contact fields."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.embedding import embedding_path
from clv_core.deployment.saved_scores import Scored
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.activation import segment
from clv_core.strategy.segments.scored_customers import condition_columns, with_attributes
from clv_core.strategy.segments.segment_rules import Condition, Rule, Rules
from clv_core.upkeep.lifecycle import delete
from clv_core.workspace import Workspace
from tests.strategy.segments.conftest import SAMPLE

NAMES = ("tier", "age", "status", "email")


@pytest.fixture
def known(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy whose dataset knows an age, a status with its date, and e-mail addresses."""
    rows = [
        ("C0001", 30, "basic", "2023-01-01", "a@b.de"),
        ("C0001", 30, "gold", "2024-06-01", "a@b.de"),
        ("C0002", 50, "basic", "2024-06-01", "c@d.de"),
    ]
    people = pd.DataFrame(rows, columns=["customer_id", "age", "status", "since", "email"])
    people.to_csv(tmp_path / "people.csv", index=False)
    roles = Roles(static=["age"], dated={"status": "since"})
    add_customers(workspace, "shop", tmp_path / "people.csv", roles, progress=NoProgress())
    return workspace


def test_attributes_are_those_known_before_the_cutoff(known: Workspace) -> None:
    dataset, model = open_dataset(known, "shop"), list_bundles(known)[0].id
    frame = Scored.open(known, "shop", model).scores(NoProgress())
    late = with_attributes(frame, dataset, dataset.log_end, NAMES).set_index("customer_id")
    early = with_attributes(frame, dataset, date(2024, 6, 1), NAMES).set_index("customer_id")
    assert late.loc["C0001", ["age", "status"]].tolist() == [30, "gold"]
    assert early.loc["C0001", "status"] == "basic" and pd.isna(early.loc["C0002", "status"])
    assert not {"email", "since"} & set(late.columns) and "tier" in late
    rule = Rule("Gold", (Condition.parse("status=gold"), Condition.parse("age<40")))
    placed = Rules("mine", (rule,)).place(late.reset_index())
    assert (placed.where == 0).sum() == 1


@pytest.mark.parametrize("cutoff", [date(2024, 3, 1), date(2024, 6, 1)])
def test_conditions_ask_for_what_the_log_says_of_a_customer_before_the_cutoff(with_bgnbd: Path, cutoff: date) -> None:
    dataset = open_dataset(Workspace(with_bgnbd), "shop")
    events = pd.read_csv(SAMPLE)
    past = events[events["event_time"] < cutoff.isoformat()].sort_values("event_time", kind="stable")
    people = pd.DataFrame({"customer_id": [*sorted(past["customer_id"].unique()), "nobody"]})
    wanted = ("country", "category", "views_90d", "no such column")
    found = with_attributes(people, dataset, cutoff, wanted).set_index("customer_id")
    assert list(found) == list(wanted[:3])
    countries = past.dropna(subset="country").groupby("customer_id")["country"].nunique()
    one = countries.index[countries == 1]
    expected = past.groupby("customer_id")["country"].last()
    assert (found.loc[one, "country"] == expected[one]).all()
    bought = past[past["event_type"] == "purchase"].groupby(["customer_id", "category"]).size()
    most = bought.groupby("customer_id").max()
    theirs = found["category"].dropna()
    assert sorted(theirs.index) == sorted(most.index)
    assert [bought[pair] for pair in theirs.items()] == most[theirs.index].tolist()
    recent = past[past["event_time"] >= (pd.Timestamp(cutoff) - pd.Timedelta(days=90)).isoformat(" ")]
    views = recent[recent["event_type"] == "view"].groupby("customer_id").size().reindex(found.index[:-1]).fillna(0)
    assert found["views_90d"][:-1].tolist() == views.tolist() and pd.isna(found.loc["nobody"]).all()
    holds = [Condition.parse(text).holds(found.reset_index()) for text in ("country!=DE", "country=DE", "views_90d>=1")]
    assert (holds[0] == ~holds[1]).all() and holds[2].sum() == (views >= 1).sum()


@pytest.mark.parametrize("cutoff", [date(2024, 3, 1), date(2024, 6, 1)])
def test_the_first_purchase_is_that_before_the_cutoff(with_bgnbd: Path, cutoff: date) -> None:
    dataset = open_dataset(Workspace(with_bgnbd), "shop")
    events = pd.read_csv(SAMPLE, parse_dates=["event_time"])
    bought = events[(events["event_type"] == "purchase") & (events["event_time"] < pd.Timestamp(cutoff))]
    first = bought.groupby("customer_id")["event_time"].min().dt.normalize()
    people = pd.DataFrame({"customer_id": events["customer_id"].unique()})
    found = with_attributes(people, dataset, cutoff, ("first_purchase",)).set_index("customer_id")["first_purchase"]
    assert found.dropna().to_dict() == first.to_dict() and len(first) < len(people)
    since = Condition.parse("first_purchase>=2024-02-01").holds(found.reset_index())
    assert since.sum() == (first >= "2024-02-01").sum() > 0


def test_a_list_is_asked_for_by_a_column_of_the_log(known: Workspace, tmp_path: Path) -> None:
    model, out = list_bundles(known)[0].id, tmp_path / "gb.csv"
    asked = [Condition.parse("country=GB"), Condition.parse("views_90d>=1")]
    segment(Scored.open(known, "shop", model), out, conditions=asked, progress=NoProgress())
    rows = pd.read_csv(out)
    assert set(rows["country"]) == {"GB"} and rows["views_90d"].min() >= 1 and "carts" not in rows


def test_whatever_is_offered_can_be_asked_for(known: Workspace) -> None:
    dataset, model = open_dataset(known, "shop"), list_bundles(known)[0].id
    frame = Scored.open(known, "shop", model).scores(NoProgress())
    names = condition_columns(frame, dataset)
    assert {"tier", "age", "channel", "country", "category"} <= set(names)
    assert not {"email", "anchor_value"} & set(names)
    assert set(with_attributes(frame, dataset, dataset.log_end, names)) == set(names)


def test_what_networks_see_of_customers_is_found_with_the_dataset(known: Workspace) -> None:
    """So that it follows a renamed dataset, and goes with a deleted one."""
    dataset, bundle = open_dataset(known, "shop"), list_bundles(known)[0]
    path = embedding_path(Scored.of(known, dataset, bundle))
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"customer_id": ["C0001"], "e00": [0.5]}).to_parquet(path)
    assert path in [one.path for one in artifacts(known, "shop")]
    delete(known, "shop", progress=NoProgress())
    assert not path.exists()
