"""What the report says of the order of customers is as sure as the interval beside it, and no surer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from clv_core.i18n import LANGUAGES, translate
from clv_core.strategy.report.measured import quality
from clv_core.strategy.report.said import Said
from tests.evaluation.test_beside import both


def said_of(noise: float, language: str, gini: float, level: dict[str, float] | None = None) -> str:
    """Return the finding on a model whose Gini is a little above BG/NBD's, whatever is behind it."""
    known = {"bias": 0.0} if level is None else level
    metrics = {name: {"gini": value, **known, "mae": 9.0} for name, value in (("us", gini), ("bgnbd", 0.5))}
    held = {"cutoff": "2024-01-01", "customers": 400, "buyers": 160}
    record = {
        "model": "hybrid", "metrics": metrics["us"], "baselines": {"bgnbd": metrics["bgnbd"]}, "holdout": held,
    }  # fmt: skip
    bundle = SimpleNamespace(record=record, holdout=lambda: both(noise))
    ground: Any = SimpleNamespace(said=Said(language, "EUR"), bundle=bundle, horizon_days=90)
    section = quality(ground)
    assert section is not None
    return section.finding


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("noise", "standing"), [(0.2, "ahead"), (1.0, "level_with"), (3.0, "behind")])
def test_the_order_is_called_better_only_where_chance_does_not_explain_it(
    noise: float, standing: str, language: str
) -> None:
    level = translate("report.quality.level.exact", language, off="0%")
    expected = translate(
        f"report.quality.finding.{standing}",
        language,
        horizon=90,
        model=translate("model.bgnbd", language),
        level=level,
    )
    assert said_of(noise, language, gini=0.52) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_total_is_not_said_to_be_met_where_none_was_measured(language: str) -> None:
    said = said_of(1.0, language, gini=0.52, level={})
    assert translate("report.quality.level.none", language) in said
    assert translate("report.quality.level.exact", language) not in said
