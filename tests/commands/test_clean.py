"""The command: what rules would change, switching them on, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clv_core.cli import build_parser
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.commands import Context
from clv_core.errors import UsageError
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import RULES
from clv_core.workspace import Workspace


def run(workspace: Workspace, *words: str) -> dict[str, Any]:
    options = build_parser().parse_args(["clean", *words])
    result = options.run(options, Context(workspace, "zh", NoProgress()))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    file = tmp_path / "log.csv"
    lines = ["customer_id,event_time,amount"]
    lines += [f"c{i % 9},2024-01-{1 + i % 28:02} 10:{i:02},{10 + i}.5" for i in range(50)]
    lines += ["test,2024-02-01 10:00,99", "c1,2024-02-02 10:00,0"]
    file.write_text("\n".join(lines) + "\n")
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, file, "log")
    return workspace


def test_the_list_names_every_rule_in_words_and_changes_nothing(workspace: Workspace) -> None:
    before = open_dataset(workspace, "log").version
    result = run(workspace, "log", "--list", "--rule", "outliers=4")
    assert [item["rule"] for item in result["rules"]] == list(RULES)
    found = {item["rule"]: item for item in result["rules"]}
    assert found["test_ids"]["rows"] == 1 and found["test_ids"]["net_revenue"] == 99.0
    assert found["test_ids"]["examples"][0]["customer_id"] == "test"
    assert found["outliers"]["limit"] == 4.0 and "用户" in found["outliers"]["why"]
    assert open_dataset(workspace, "log").version == before == result["version"] == result["raw_version"]


def test_rules_go_on_and_off_with_a_whole_accounting(workspace: Workspace) -> None:
    raw = open_dataset(workspace, "log").manifest
    result = run(workspace, "log", "--rule", "test_ids", "--rule", "tiny_orders=0.5")
    assert result["rules"] == {"test_ids": None, "tiny_orders": 0.5}
    assert (result["rows_read"], result["rows_kept"], result["rows_set_aside"]) == (52, 50, 2)
    assert result["net_revenue"] == pytest.approx(raw.net_revenue - 99) and result["customers"] == 9
    assert any("测试" in warning["message"] for warning in result["warnings"])
    back = run(workspace, "log")
    assert back["version"] == raw.version == back["raw_version"] and back["rules"] == {}


@pytest.mark.parametrize("word", ["outliers=many", "whales", "repeated=2", "bots_day=-1"])
def test_words_that_make_no_sense_are_bad_usage(workspace: Workspace, word: str) -> None:
    for words in (["--rule", word], ["--list", "--rule", word]):
        with pytest.raises(UsageError):
            run(workspace, "log", *words)
