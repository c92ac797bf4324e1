"""Figures by season of the predicted span, against the calendar and pandas done by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from clv_core.evaluation.metrics import evaluate
from clv_core.evaluation.seasons import season_id, season_label, season_of, season_table
from clv_core.i18n import LANGUAGES


@pytest.mark.parametrize(
    ("origin", "days", "season"),
    [
        ((1998, 1, 1), 90, (1,)),
        ((1997, 10, 1), 182, (4, 1)),
        ((1997, 12, 31), 182, (1, 2)),  # one day of the old year does not make it winter
        ((1997, 11, 15), 60, (4, 1)),
        ((1997, 4, 1), 273, (2, 3, 4)),
        ((1997, 4, 1), 365, (1, 2, 3, 4)),
        ((1997, 4, 1), 730, (1, 2, 3, 4)),
    ],
)
def test_a_horizon_is_named_by_the_quarters_that_it_lies_in(
    origin: tuple[int, int, int], days: int, season: tuple[int, ...]
) -> None:
    assert season_of(date(*origin), days) == season


@pytest.mark.parametrize("language", LANGUAGES)
def test_seasons_have_words(language: str) -> None:
    said = [season_label(season_id(quarters), language) for quarters in ((1,), (4,), (4, 1), (1, 2, 3, 4))]
    assert len(set(said)) == 4 and not any("{" in text or "None" in text for text in said)


def test_a_season_s_figure_is_the_mean_over_its_origins(make: Callable[..., pd.DataFrame]) -> None:
    origins = {"1997-01-01": 0.8, "1997-07-01": 1.1, "1998-01-01": 1.4}
    frames = {day: make(origin=day, level=level, seed=3) for day, level in origins.items()}
    table = season_table(pd.concat(frames.values(), ignore_index=True)).set_index(["season", "model", "metric"])
    assert table.index.unique("season").to_list() == ["q1_q2", "q3_q4"]

    def of(day: str) -> dict[str, float]:
        rows = frames[day][frames[day]["model"] == "hybrid"]
        return evaluate(rows["actual"], rows)

    for metric in ("gini", "bias", "mae"):
        found = table.loc[("q1_q2", "hybrid", metric)]
        assert found["value"] == pytest.approx((of("1997-01-01")[metric] + of("1998-01-01")[metric]) / 2)
        assert found["origins"] == 2 and found["customers"] == 4000
        assert table.loc[("q3_q4", "hybrid", metric), "value"] == pytest.approx(of("1997-07-01")[metric])
