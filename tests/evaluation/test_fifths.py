"""Fifths by predicted value: the same as by the mean rank of everybody, which takes ten times as long."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation.levels import FIFTHS, fifth_of


@pytest.mark.parametrize("distinct", [1, 2, 3, 7, 10, 10_000])
def test_a_fifth_goes_by_the_mean_rank_among_equals(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    for size in [*range(1, 60), 997, 1000]:
        predicted = rng.integers(0, distinct, size) / 7
        by_rank = np.ceil(FIFTHS * pd.Series(predicted).rank(pct=True).to_numpy() - 1e-9).astype(int) - 1
        assert fifth_of(predicted).tolist() == by_rank.tolist()


def test_nobody_is_in_no_fifth() -> None:
    assert fifth_of(np.zeros(0)).tolist() == []
