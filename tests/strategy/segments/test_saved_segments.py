"""Names and rules are kept with the dataset, and used wherever segments are named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.strategy.activation import export
from clv_core.strategy.activation import segment as run_segment
from clv_core.strategy.customer.customer_card import load_card
from clv_core.strategy.segments.rfm_and_quadrant import Quadrant
from clv_core.strategy.segments.saved_segments import (
    SegmentLabel,
    add_segment,
    last_written,
    load_labels,
    load_rules,
    put_by_hand,
    remove_rules,
    save_labels,
    save_rules,
    saved_rules,
    take_out_by_hand,
    tier_labels,
)
from clv_core.strategy.segments.scored_customers import KINDS, parse_condition, parse_scheme
from clv_core.strategy.segments.segment_rules import Condition, Rule, Rules
from clv_core.upkeep.lifecycle import delete, rename
from clv_core.workspace import Workspace

MINE = {"segments": [{"name": "Big; spenders", "rules": ["predicted_clv>=10"], "description": "Call them"}]}


def test_two_who_work_on_one_set_of_rules_lose_nothing(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put_by_hand(dataset, "ours", "VIP", f"c{number}"), range(40)))
    assert set(load_rules(dataset, "ours").rules[0].by_hand or ()) == {f"c{number}" for number in range(40)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: take_out_by_hand(dataset, "ours", "VIP", f"c{number}"), range(39)))
        list(
            pool.map(lambda number: save_labels(dataset, f"tiers:{number}", {"1": SegmentLabel("Stars")}), range(4, 24))
        )
    assert load_rules(dataset, "ours").rules[0].by_hand == ("c39",)
    assert all(load_labels(dataset, f"tiers:{number}") for number in range(4, 24))


def test_a_segment_is_added_to_rules_that_keep_what_they_have(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    one, other = (Rule(name, (Condition.parse(text),)) for name, text in (("A", "orders>=2"), ("B", "country=DE")))
    save_rules(dataset, Rules("ours", (one,)))
    add_segment(dataset, "ours", other)
    add_segment(dataset, "new", other)
    assert load_rules(dataset, "ours") == Rules("ours", (one, other))
    assert load_rules(dataset, "new") == Rules("new", (other,), overlapping=True)
    with pytest.raises(UsageError, match="B"):
        add_segment(dataset, "ours", other)
    assert load_rules(dataset, "ours") == Rules("ours", (one, other))


def test_given_names_are_used_on_lists_cards_and_exports(workspace: Workspace, tmp_path: Path) -> None:
    dataset, model = open_dataset(workspace, "shop"), list_bundles(workspace)[0].id
    before = last_written(dataset)
    for scheme, key, given in (("rfm", "loyal", "Friends"), ("quadrant", "grow", "Seeds"), ("rfm", "loyal", "")):
        save_labels(dataset, scheme, {key: SegmentLabel(given)})  # the last one takes a name back
    assert load_labels(dataset, "rfm") == {} and load_labels(dataset, "quadrant") == {"grow": SegmentLabel("Seeds")}
    save_labels(dataset, "tiers:4", {"1": SegmentLabel(" Stars ", "Invite them"), "2": SegmentLabel("", "")})
    assert last_written(dataset) > before and load_labels(dataset, "tiers:4") == {
        "1": SegmentLabel("Stars", "Invite them")
    }
    assert tier_labels(dataset, 4)[:2] == ["Stars", "High value"] and tier_labels(dataset, 5)[0] == "Top value"
    quiet = {"progress": NoProgress()}
    made = run_segment(Scored.open(workspace, "shop", model), tmp_path / "tiers.csv", **quiet)
    listed = pd.read_csv(made.written.files[0], encoding="utf-8-sig", dtype={"customer_id": "str"})
    assert made.table["name"].iloc[0] == "Stars" and listed["tier_name"].iloc[0] == "Stars"
    card = load_card(Scored.open(workspace, "shop", model), listed["customer_id"].iloc[0], language="zh", **quiet)
    assert (card.tier_name, card.action) == ("Stars", "Invite them")
    exported = export(Scored.open(workspace, "shop", model), tmp_path / "list.csv", format="csv", **quiet)
    assert "Stars" in set(pd.read_csv(exported.files[0], encoding="utf-8-sig")["tier_name"])
    rename(workspace, "shop", "store")
    assert load_labels(open_dataset(workspace, "store"), "tiers:4") == {"1": SegmentLabel("Stars", "Invite them")}
    delete(workspace, "store", models=True, progress=NoProgress())
    assert not list((workspace.root / "datasets").rglob("names.json"))


def test_rules_are_kept_read_by_name_or_file_and_forgotten(workspace: Workspace, tmp_path: Path) -> None:
    dataset, rules = open_dataset(workspace, "shop"), Rules.from_json(MINE, "Mine")
    save_rules(dataset, rules)
    assert saved_rules(dataset) == ["Mine"] and load_rules(dataset, "Mine") == rules
    file = tmp_path / "own.json"
    file.write_text(json.dumps(MINE), encoding="utf-8")
    assert (
        parse_scheme(f"rules:{file}", dataset) == Rules.from_json(MINE, "own")
        and parse_scheme("rules:Mine", dataset) == rules
    )
    remove_rules(dataset, "Mine")
    assert saved_rules(dataset) == []
    with pytest.raises(NotFound):
        load_rules(dataset, "Mine")
    file.write_bytes(b"\xff\xfe not json")
    with pytest.raises(UsageError):
        load_rules(dataset, str(file))
    with pytest.raises(Refused):
        save_rules(dataset, Rules.from_json(MINE, "../up"))


def test_the_first_customer_put_into_a_segment_makes_it_and_its_set(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    for segment, customer in (("Friends", "C1"), (" Friends ", "C2"), ("Press", "C1")):
        put_by_hand(dataset, "by hand", segment, customer)
    rules = load_rules(dataset, "by hand").rules
    assert rules == (Rule("Friends", (), by_hand=("C2",)), Rule("Press", (), by_hand=("C1",)))
    with pytest.raises(UsageError):
        put_by_hand(dataset, "by hand", " ", "C3")


def test_every_kind_can_be_asked_for_and_says_how(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    save_rules(dataset, Rules.from_json(MINE, "Mine"))
    full = {"thresholds": "thresholds:100,10", "cost": "cost:5", "rules": "rules:Mine", "clusters": "clusters:4"}
    for kind in KINDS:
        scheme = parse_scheme(full.get(kind, kind), dataset)
        assert str(parse_scheme(str(scheme), dataset)) == str(scheme)
    assert parse_scheme("quadrant:value=50,p=0.3,by=historic", dataset) == Quadrant(50, 0.3, "historic")
    for text in ("mood", "rfm:5", "quantile:60,10", ""):
        with pytest.raises(UsageError):
            parse_scheme(text, dataset)


def test_words_alone_name_segments_of_the_scheme(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    for scheme, text, condition in (
        ("quantile", "1,2", "tier=1,2"),
        ("quadrant", "win_back,grow", "segment=win_back,grow"),
        ("clusters:3", "2", "segment=2"),
        ("clusters:3", "p_purchase>=0.5", "p_purchase>=0.5"),
    ):
        assert str(parse_condition(text, parse_scheme(scheme, dataset))) == condition
    overlapping = Rules.from_json({**MINE, "overlapping": True}, "Mine")
    save_rules(dataset, overlapping)
    assert str(parse_condition("1", overlapping)) == "in_1=yes"
    with pytest.raises(UsageError):
        parse_condition("1,others", overlapping)
