"""Rank agreement against scipy, and what it says of explanations that are and are not stable."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from clv_core.evaluation.explain.checks import Stability, agreement, stability
from tests.evaluation.explain.conftest import explanation_of


def test_agreement_is_the_mean_of_spearman_over_the_strongest_parts() -> None:
    rng = np.random.default_rng(3)
    one, other, reference = rng.random((3, 40, 12))
    tops = [np.argsort(-row)[:5] for row in reference]
    expected = [spearmanr(a[top], b[top]).statistic for a, b, top in zip(one, other, tops, strict=True)]
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
    found = stability(explanation_of(clear, halves=np.stack([clear * 1.01, clear * 0.99])))
    assert found.customers == 1 and found.permutations == 1 and found.one_customer == pytest.approx(1)
    assert found.same == 5 and Stability.from_json(found.to_json()) == found
    noise = rng.normal(size=(30, 40))
    unsure = stability(explanation_of(noise, halves=rng.normal(size=(2, 30, 40))))
    assert not unsure.steady and unsure.same < 5
    assert unsure.one_customer is not None and abs(unsure.one_customer) < 0.3


def test_parts_that_move_nothing_are_not_counted_and_one_permutation_has_no_halves() -> None:
    values = np.zeros((40, 12))
    values[:, :2] = np.random.default_rng(1).normal(size=(40, 2)) * [5, 1]
    found = stability(explanation_of(values))
    assert (found.same, found.top, found.customers, found.steady, found.permutations) == (2, 2, 1, True, None)
