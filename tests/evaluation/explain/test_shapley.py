"""Shapley values against brute force over all coalitions."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from numpy.typing import NDArray

from clv_core.evaluation.explain.shapley import shapley

Game = Callable[[NDArray[np.int64]], NDArray[np.float64]]
Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def brute_force(value: Game, customer: NDArray[np.int64], background: NDArray[np.int64]) -> NDArray[np.float64]:
    """The definition: the mean marginal worth of each part over all coalitions."""
    m = len(customer)

    def worth(shown: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(shown)] = customer[list(shown)]
        return float(value(mixed).mean())

    result = np.zeros(m)
    for part in range(m):
        others = [other for other in range(m) if other != part]
        for size in range(m):
            weight = factorial(size) * factorial(m - size - 1) / factorial(m)
            for shown in combinations(others, size):
                result[part] += weight * (worth(tuple(sorted((*shown, part)))) - worth(shown))
    return result


def pairs(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    x = rows.astype(float)
    return np.asarray(3 * x[:, 0] - x[:, 1] * x[:, 2] + x[:, 3] ** 2 + 0.5 * x[:, 0] * x[:, 3])


def product(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(rows[:, :3].sum(axis=1) / 4.0) * (1 + rows[:, 3]))


@pytest.fixture
def four() -> Rows:
    rng = np.random.default_rng(4)
    return rng.integers(0, 6, (5, 4)), rng.integers(0, 6, (7, 4))


def names(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


def test_one_permutation_is_exact_where_only_pairs_interact(four: Rows) -> None:
    customers, background = four
    values, base = shapley(pairs, customers, background, names(5), permutations=1, seed=1)
    expected = np.stack([brute_force(pairs, customer, background) for customer in customers])
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)
    assert base == pytest.approx(pairs(background).mean())


def test_many_permutations_approach_any_game(four: Rows) -> None:
    customers, background = four
    values, base = shapley(product, customers, background, names(5), permutations=300, seed=1)
    expected = np.stack([brute_force(product, customer, background) for customer in customers])
    assert np.abs(values - expected).max() < 0.02 * np.abs(expected).max()
    np.testing.assert_allclose(base + values.sum(axis=1), product(customers), rtol=1e-12)


def test_a_part_that_all_share_gets_nothing(four: Rows) -> None:
    customers, background = (part.copy() for part in four)
    customers[:, 2] = background[:, 2] = 3
    values, _ = shapley(product, customers, background, names(5), permutations=2, seed=1)
    assert (values[:, 2] == 0).all() and (values[:, 0] != 0).any()
    alike = np.repeat(customers[:1], 7, axis=0)
    values, base = shapley(product, customers[:1], alike, names(1), permutations=2, seed=1)
    assert (values == 0).all() and base == pytest.approx(product(customers[:1])[0])


def test_a_customer_is_explained_alike_alone_and_in_company(four: Rows) -> None:
    customers, background = four
    before = np.random.get_state()[1].copy()
    together, _ = shapley(product, customers, background, names(5), permutations=1, seed=3)
    np.testing.assert_array_equal(np.random.get_state()[1], before, "the global random state is left as it was")
    alone, _ = shapley(product, customers[2:3], background, ["c2"], permutations=1, seed=3)
    np.testing.assert_array_equal(together[2:3], alone)


def test_the_model_is_asked_once_for_each_distinct_mixture(four: Rows) -> None:
    asked: list[NDArray[np.int64]] = []

    def counting(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        asked.append(rows)
        return product(rows)

    shapley(counting, *four, names(5), permutations=10, seed=1)
    assert len(asked) == 1, "all orders of all customers, and the background, at once"
    assert all(len(np.unique(rows, axis=0)) == len(rows) for rows in asked)


def test_several_games_at_once_are_each_divided_as_alone(four: Rows) -> None:
    together, bases = shapley(
        lambda rows: np.column_stack([pairs(rows), product(rows)]), *four, names(5), permutations=3, seed=2
    )
    for column, game in enumerate((pairs, product)):
        alone, base = shapley(game, *four, names(5), permutations=3, seed=2)
        np.testing.assert_allclose(together[:, :, column], alone, rtol=1e-12)
        assert bases[column] == pytest.approx(base)


def test_adds_up_the_walks_as_the_library_itself_does(four: Rows) -> None:
    """``shap.PermutationExplainer`` by itself, asking the model step by step, from the same random state."""
    shap = pytest.importorskip("shap")
    customers, background = four
    masker = shap.maskers.Independent(background.astype(float), max_samples=len(background))
    explainer = shap.PermutationExplainer(lambda rows: product(rows.astype(np.int64)), masker)
    values, base = shapley(product, customers, background, names(5), permutations=3, seed=7)
    for name, customer, found in zip(names(5), customers, values, strict=True):
        np.random.seed(zlib.crc32(name.encode()) ^ 7)
        own = explainer(customer[None].astype(float), max_evals=3 * (2 * 4 + 1), silent=True)
        np.testing.assert_allclose(found, own.values[0], rtol=1e-9, atol=1e-12)
        assert base == pytest.approx(float(own.base_values[0]))
