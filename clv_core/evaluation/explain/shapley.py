"""Divide predictions among parts by Shapley values; the model predicts in big batches."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray


def distinct_rows(rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the place of one row of each kind, and the kind of each row [n]; equal bytes are the same kind.

    Args:
        rows: [n, m].
    """
    contiguous = np.ascontiguousarray(rows)
    lines = contiguous.view(np.dtype((np.void, contiguous.itemsize * contiguous.shape[1]))).ravel()
    _, first, kind = np.unique(lines, return_index=True, return_inverse=True)
    return first, kind


Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Value = Callable[[Codes], Floats]
"""Predicts the mixtures described by their codes [N, m]: the game's worth function, or q of them, [N] or [N, q]."""

HIDDEN: Final = -1
"""Instead of a code of the customer: this part comes from the background."""


@dataclass(frozen=True)
class _Masker:
    """Hides parts of one customer, in the library's terms; arrays only, nothing to compile.

    Args:
        background: codes, [b, m].
    """

    background: Floats
    supports_delta_masking: bool = True
    noop: int = 2147483647

    @property
    def shape(self) -> tuple[int, int]:
        """[1, m]: a customer with hidden parts is one row, whatever the background."""
        return 1, self.background.shape[1]

    def invariants(self, customer: Floats) -> NDArray[np.bool_]:
        """Return which parts all of the background share with the customer, [1, m]."""
        return np.asarray((self.background == customer).all(axis=0, keepdims=True))

    def __call__(self, flips: Codes, customer: Floats) -> tuple[tuple[Floats], NDArray[np.bool_]]:
        """Return all rows of a walk that shows or hides one part a step, [steps, m].

        Args:
            flips: the part that is flipped at each step, or ``noop``; all parts are hidden before the first step.
            customer: codes of the customer, [m].

        Returns:
            The rows in a tuple, and that each of them is wanted, [steps, 1].
        """
        flipped = np.zeros((len(flips), len(customer)), bool)
        steps = np.flatnonzero(flips != self.noop)
        flipped[steps, flips[steps]] = True
        shown = np.logical_xor.accumulate(flipped, axis=0)
        return (np.where(shown, customer, HIDDEN),), np.ones((len(flips), 1), bool)


def shapley(
    value: Value, codes: Codes, background: Codes, names: list[str], *, permutations: int, seed: int
) -> tuple[Floats, Any]:
    """Divide each customer's prediction among the parts.

    Args:
        value: the worth of mixtures.
        codes: content of each part of the customers to explain, [n, m]; equal codes are equal content, none below 0.
        background: the same for the background, [b, m].
        names: of the customers, [n]; each has permutations of its own, whoever else is explained.
        permutations: how many orders of the parts are tried, each forward and backward.
        seed: of the permutations.

    Returns:
        Shapley values [n, m], and the base: the mean prediction of the background. base + sum of a row = prediction.
        Of q worth functions [n, m, q] and [q].
    """
    walks, customer = _walks(codes, background, names, permutations, seed)
    rows = np.concatenate(walks)
    mixtures = np.where(rows[:, None] == HIDDEN, background, rows[:, None]).reshape(-1, rows.shape[1])
    predictions = distinct(value, mixtures)
    worth = predictions.reshape(len(rows), len(background), *predictions.shape[1:]).mean(axis=1)
    walk = np.repeat(np.arange(len(walks)), [len(each) for each in walks])
    step = np.flatnonzero(walk[1:] == walk[:-1])
    shown = (rows != HIDDEN).astype(np.int8)
    flipped = shown[step + 1] - shown[step]
    part = np.abs(flipped).argmax(axis=1)
    sign = flipped[np.arange(len(step)), part].reshape(-1, *[1] * (worth.ndim - 1))
    values = np.zeros((*codes.shape, *worth.shape[1:]))
    np.add.at(values, (customer[walk[step]], part), sign * (worth[step + 1] - worth[step]) / (2 * permutations))
    return values, float(worth[0]) if worth.ndim == 1 else worth[0]


def _walks(
    codes: Codes, background: Codes, names: list[str], permutations: int, seed: int
) -> tuple[list[Codes], NDArray[np.int64]]:
    """Return the rows of each walk, [steps, m] each, the first with all parts hidden, and whose walk it is."""
    shap = _library()
    walks: list[Codes] = []
    customers: list[int] = []

    def write_down(rows: Floats) -> Floats:
        walks.append(rows.astype(np.int64))
        return np.empty((len(rows), 0))  # no game: nothing is added up

    with _own_random_state():
        explainer = shap.PermutationExplainer(write_down, _Masker(background.astype(np.float64)), seed=seed)
        for number, (name, code) in enumerate(zip(names, codes.astype(np.float64), strict=True)):
            varying = int((code != background).any(axis=0).sum())
            np.random.seed(zlib.crc32(name.encode()) ^ seed)
            explainer.explain_row(
                code,
                max_evals=permutations * (2 * varying + 1),
                main_effects=False,
                error_bounds=False,
                batch_size="auto",
                outputs=None,
                silent=True,
            )
            customers += [number] * (len(walks) - len(customers))
    return walks, np.array(customers, np.int64)


def distinct(value: Value, questions: NDArray[np.int64]) -> Floats:
    """Return ``value(questions)``, questions [N, m]; each distinct mixture is predicted once."""
    first, kind = distinct_rows(questions.astype(np.int32))
    return np.asarray(value(questions[first])[kind], np.float64)


def _library() -> Any:
    """Return shap."""
    with _uncompiled():
        import shap
    return shap


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Have what is imported go without numba, where it is there: it takes longer (5 to 10 s) than what it compiles."""
    if find_spec("numba") is None:  # later releases of shap do without
        yield
        return
    import numba

    config: Any = numba.config
    before, config.DISABLE_JIT = config.DISABLE_JIT, 1
    try:
        yield
    finally:
        config.DISABLE_JIT = before


@contextmanager
def _own_random_state() -> Iterator[None]:
    """The library draws from numpy's global generator: hand it back as it was."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
