"""The command ``clean``: what rules would change, switching them on, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.preprocessing.clean import RULES
from clv_core.workspace import Workspace
from tests.commands.conftest import done, refused


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    lines = ["customer_id,event_time,amount"]
    lines += [f"c{i % 9},2024-01-{1 + i % 28:02} 10:{i:02},{10 + i}.5" for i in range(50)]
    lines += ["test,2024-02-01 10:00,99", "c1,2024-02-02 10:00,0"]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    ingest(Workspace(tmp_path / "workspace"), tmp_path / "log.csv", "log")
    return Workspace(tmp_path / "workspace")


def test_the_list_names_every_rule_in_words_and_changes_nothing(workspace: Workspace) -> None:
    before = open_dataset(workspace, "log").version
    answer = done(workspace, "clean", "log", "--list", "--rule", "outliers=4", "--lang", "zh")
    assert [item["rule"] for item in answer["rules"]] == list(RULES)
    rules = {item["rule"]: item for item in answer["rules"]}
    assert rules["test_ids"]["rows"] == 1 and rules["test_ids"]["net_revenue"] == 99.0
    assert rules["test_ids"]["examples"][0]["customer_id"] == "test"
    assert rules["outliers"]["limit"] == 4.0 and "用户" in rules["outliers"]["why"]
    assert open_dataset(workspace, "log").version == before == answer["version"] == answer["raw_version"]


def test_rules_go_on_and_off_with_a_whole_accounting(workspace: Workspace) -> None:
    raw = open_dataset(workspace, "log").manifest
    answer = done(workspace, *"clean log --rule test_ids --rule tiny_orders=0.5 --lang zh".split())
    assert answer["rules"] == {"test_ids": None, "tiny_orders": 0.5}
    assert (answer["rows_read"], answer["rows_kept"], answer["rows_set_aside"]) == (52, 50, 2)
    assert answer["net_revenue"] == pytest.approx(raw.net_revenue - 99) and answer["customers"] == 9
    assert any("测试" in warning["message"] for warning in answer["warnings"])
    back = done(workspace, "clean", "log")
    assert back["version"] == raw.version == back["raw_version"] and back["rules"] == {}


@pytest.mark.parametrize("rule", ["outliers=many", "whales", "bots_day=-1"])
def test_words_that_make_no_sense_are_bad_usage(workspace: Workspace, rule: str) -> None:
    for words in (("--rule", rule), ("--list", "--rule", rule)):
        assert refused(workspace, "clean", "log", *words)[0] == 2
