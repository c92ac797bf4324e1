"""The export log and the page that deletes speak of lists and files as a person does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.i18n import translate
from clv_core.strategy.audiences import ExportRecord
from clv_core.strategy.audiences.export import Exported, Side, log_export
from clv_core.strategy.audiences.export_records import customer_exports, export_log
from clv_core.workspace import Workspace
from pages.ui import session
from pages.ui.datasets import manage
from pages.ui.exports.export_log import segment_words
from pages.ui.upload import check

MODEL = "shop-blend-20261020-c33e0654f015"
SIDE = Side("shop", "a" * 12, MODEL, "2026-10-20", 182, "CNY")


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "language", lambda: "zh")


def test_scores_that_the_pages_made_for_themselves_are_no_exports_of_a_person(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    names = [f"{MODEL}-scores.parquet", f"{MODEL}-scores-2026-09-20.parquet", "mine.parquet", "shop_list.csv"]
    for name in names:
        made = Exported((workspace.exports / name,), workspace.exports / f"{name}.json", 5, 5)
        log_export(workspace, made, name.rpartition(".")[2], SIDE)
    log_export(workspace, Exported((), workspace.exports / "none", 5, 5), "card", SIDE)
    assert [line.files for line in customer_exports(workspace)] == [[], ["shop_list.csv"], ["mine.parquet"]]
    assert len(export_log(workspace)) == 5  # an erasure still finds all


def entry(side: Side) -> ExportRecord:
    """Return a line of the export log."""
    counts: dict[str, Any] = {"rows": 5, "customers": 5, "asked": 5, "left_out": {}}
    return ExportRecord(**vars(side), **counts, format="csv", files=[], made="2026-10-20T00:00:00+00:00")


@pytest.mark.parametrize(
    ("segment", "scheme", "words"),
    (
        ("tier=1", "quantile:10,30,60", translate("tier.top", "zh")),
        ("tier=1,4", "quantile:10,30,60", f"{translate('tier.top', 'zh')}、{translate('tier.low', 'zh')}"),
        (
            "tier=1 p_purchase>=0.5",
            "quantile:10,30,60",
            f"{translate('tier.top', 'zh')}；{translate('column.p_purchase', 'zh')}不低于 50%",
        ),
        (
            'country=New Zealand,"a; b"',
            "rules:Mine",
            f"{translate('rules.column.country', 'zh')}等于 New Zealand、a; b",
        ),
        ("", "", translate("exporting.segment.all", "zh")),
    ),
)
def test_tiers_are_called_by_their_names(segment: str, scheme: str, words: str) -> None:
    assert segment_words(entry(replace(SIDE, segment=segment, scheme=scheme)), {}) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "全部用户"),
        ({"budget": 500.0, "offers": []}, "预算 500 CNY 的方案"),
        ({"budget": 500.0, "offers": [], "control_share": 0.2, "start": "2026-10-20"}, "预算 500 CNY 的方案"),
        ({"offer": "优惠券", "control_share": 0.2, "start": "2026-10-20"}, "“优惠券”的实验"),
    ],
)
def test_a_plan_and_an_experiment_are_no_list_of_all_customers(settings: dict[str, Any], words: str) -> None:
    assert segment_words(entry(replace(SIDE, settings=settings)), {}) == words


def test_what_still_holds_ids_is_named_by_its_file_and_scores_are_called_scores() -> None:
    found = [
        {"kind": "export", "name": f"/srv/clv/exports/{MODEL}-scores.parquet"},
        {"kind": "export", "name": "/srv/clv/exports/list.csv"},
    ]
    said = manage._places(found).replace("\\", "")
    assert "/srv" not in said
    assert f"{translate('holds.scores', 'zh')}：{MODEL}-scores.parquet" in said
    assert f"{translate('holds.export', 'zh')}：list.csv" in said


def test_rows_set_aside_say_their_reason_in_words_beside_its_code() -> None:
    row = {"line": 3, "reason": "bad_time", "column": "时间", "value": "x", "reason of mine": "y"}
    rows = pd.DataFrame([row])
    told = check.with_reasons(rows, "zh")
    assert list(told) == ["行号", "原因代码", "原因", "列", "值", "reason of mine"]
    assert told.iloc[0].tolist() == [3, "bad_time", translate("reason.bad_time", "zh"), "时间", "x", "y"]
    english = check.with_reasons(rows, "en")
    assert list(english) == ["line", "reason_code", "reason", "column", "value", "reason of mine"]
    assert english.iloc[0].tolist() == [3, "bad_time", "Not a valid time", "时间", "x", "y"]
    assert list(check.with_reasons(rows.iloc[:0], "zh")) == list(told)
