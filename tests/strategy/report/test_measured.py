"""What the report says of the order of customers is as sure as the interval beside it, and no surer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.evaluation.metrics import METRICS
from clv_core.i18n import LANGUAGES, translate
from clv_core.strategy.report.report_context import Formatter
from clv_core.strategy.report.sections import data, drivers, quality
from clv_core.workspace import Workspace
from tests.evaluation.explain.test_sentences import explanation
from tests.evaluation.test_model_scoreboard import both
from tests.records import model_record


def said_of(noise: float, language: str, level: dict[str, float] | None = None) -> str:
    """Return the finding on a model that knows values up to some noise, beside one that knows them up to 1."""
    known = {"bias": 0.0} if level is None else level
    rows = dict(zip(("hybrid", "bgnbd"), both(noise), strict=True))
    metrics = {
        name: {"gini": METRICS["gini"].value(part["actual"], part), **known, "mae": 9.0} for name, part in rows.items()
    }
    held = {"cutoff": "2024-01-01", "customers": 400, "buyers": 160}
    record = model_record(
        model="hybrid", metrics=metrics["hybrid"], baselines={"bgnbd": metrics["bgnbd"]}, holdout=held
    )
    holdout = pd.concat([part.assign(model=name) for name, part in rows.items()], ignore_index=True)
    bundle = SimpleNamespace(record=record, holdout=lambda model, columns: holdout[list(columns)])
    ground: Any = SimpleNamespace(
        format=Formatter(language, "EUR"), scored=SimpleNamespace(model=bundle), horizon_days=90
    )
    return quality(ground)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("noise", "standing"), [(0.2, "ahead"), (1.0, "level_with"), (3.0, "behind")])
def test_the_order_is_called_better_only_where_it_is_surely(noise: float, standing: str, language: str) -> None:
    level, model = translate("report.quality.level.exact", language, off="0%"), translate("model.bgnbd", language)
    known = {"horizon": 90, "model": model, "level": level}
    assert said_of(noise, language) == translate(f"report.quality.finding.{standing}", language, **known)
    unmeasured = said_of(noise, language, level={})  # a total is not said to be met where none was measured
    assert translate("report.quality.level.none", language) in unmeasured and level not in unmeasured


def test_the_span_of_the_log_is_told_in_the_logs_own_days(tmp_path: Path) -> None:
    times = ("2024-03-01T23:30:00Z", "2024-04-10T08:00:00Z", "2024-05-20T16:30:00Z")
    lines = [f"C{place},{time},{10 + place}.5,O{place}" for place, time in enumerate(times)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event_time,amount,order_id", *lines]))
    workspace = Workspace(tmp_path / "work")
    ingest(workspace, tmp_path / "log.csv", "shop", timezone="Asia/Shanghai")
    scored = SimpleNamespace(dataset=open_dataset(workspace, "shop"))
    ground: Any = SimpleNamespace(format=Formatter("en", "CNY"), scored=scored)
    # eight hours later than UTC: the first event is of the next morning, and so is the last one
    assert data(ground).finding.endswith("2 Mar 2024 to 21 May 2024")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("second", "named"), [(0.0, False), (1.0, False), (30.0, True)])
def test_a_second_driver_is_named_only_where_it_drives(second: float, named: bool, language: str) -> None:
    found = explanation((79.0, second, 0.0), (-20.0, -second, 0.0))
    ground: Any = SimpleNamespace(format=Formatter(language, "EUR"), explanation=found)
    finding = drivers(ground).finding
    assert translate("feature_group.recent_spend", language) in finding and ("silence" in finding) == named
