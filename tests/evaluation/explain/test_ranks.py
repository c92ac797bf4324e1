"""Rank agreement against scipy, and what it says of explanations that are and are not stable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.explain.ranks import Stability, agreement, stability


def explanation(values: np.ndarray, halves: np.ndarray | None = None) -> Explanation:
    size, width = values.shape
    parts = tuple(f"part{number}" for number in range(width))
    return Explanation(
        customer_ids=tuple(f"c{number}" for number in range(size)),
        parts=parts,
        base=0.0,
        values=values,
        predicted=values.sum(axis=1),
        representatives=parts,
        readings=pd.DataFrame(values, columns=list(parts)),
        halves=halves,
    )


def test_agreement_is_the_mean_of_spearman_over_the_strongest_parts() -> None:
    rng = np.random.default_rng(3)
    one, other, reference = rng.random((3, 40, 12))
    expected = []
    for a, b, c in zip(one, other, reference, strict=True):
        top = np.argsort(-c)[:5]
        expected.append(spearmanr(a[top], b[top]).statistic)
    assert agreement(one, other, reference) == pytest.approx(np.mean(expected))
    assert agreement(one, one, reference) == pytest.approx(1)
    assert agreement(one, -one, reference) == pytest.approx(-1)


def test_rows_without_any_order_agree_with_themselves_only() -> None:
    flat, rising = np.zeros((1, 6)), np.arange(6.0)[None]
    assert agreement(flat, flat, rising) == 1
    assert agreement(flat, rising, rising) == 0


def test_a_clear_order_is_stable_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    clear = rng.normal(size=(400, 10)) * 2.0 ** -np.arange(10)
    found = stability(explanation(clear, np.stack([clear * 1.01, clear * 0.99])))
    assert found.customers == 1 and found.permutations == 1 and found.one_customer == pytest.approx(1)
    assert found.same == 5 and Stability.from_json(found.to_json()) == found
    noise = rng.normal(size=(30, 40))
    unsure = stability(explanation(noise, rng.normal(size=(2, 30, 40))))
    assert not unsure.steady and unsure.same < 5
    assert unsure.one_customer is not None and abs(unsure.one_customer) < 0.3


def test_parts_that_move_nothing_are_not_counted() -> None:
    values = np.zeros((40, 12))
    values[:, :2] = np.random.default_rng(1).normal(size=(40, 2)) * [5, 1]
    found = stability(explanation(values))
    assert (found.same, found.top, found.customers, found.steady) == (2, 2, 1, True)


def test_one_permutation_has_no_halves() -> None:
    assert stability(explanation(np.random.default_rng(1).normal(size=(10, 6)))).permutations is None
