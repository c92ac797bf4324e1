"""Shapley values by permutation, with the model asked in big batches.

``shap.PermutationExplainer`` asks for one customer's mixtures at a time. Which ones it asks for does not depend on the
answers, so it is run twice: once to write down all questions of many customers, and, after one big prediction of the
distinct ones, once more to be given the answers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Value = Callable[[NDArray[np.int64]], Floats]
"""Predicts the mixtures described by their codes [N, m]: the game's worth function, or q of them, [N] or [N, q]."""


@dataclass(frozen=True)
class _Masker:
    """Hides parts of one customer behind the background's, in the library's terms; arrays only, nothing to compile.

    Args:
        data: codes of the background, [b, m].
    """

    data: Floats
    supports_delta_masking: bool = True
    noop: int = 2147483647

    @property
    def shape(self) -> tuple[int, ...]:
        """[b, m]."""
        return self.data.shape

    def invariants(self, customer: Floats) -> NDArray[np.bool_]:
        """Return where the background says the same as the customer, [b, m]."""
        return np.asarray(self.data == customer)

    def __call__(self, flips: NDArray[np.int64], customer: Floats) -> tuple[tuple[Floats], NDArray[np.bool_]]:
        """Return all mixtures of a walk that shows or hides one part a step, [steps * b, m].

        Args:
            flips: the part that is flipped at each step, or ``noop``; all parts are hidden before the first step.
            customer: codes of the customer, [m].

        Returns:
            The mixtures in a tuple, and which of them differ from the step before, [steps, b].
        """
        flipped = np.zeros((len(flips), len(customer)), bool)
        steps = np.flatnonzero(flips != self.noop)
        flipped[steps, flips[steps]] = True
        shown = np.logical_xor.accumulate(flipped, axis=0)
        changed = (flipped[:, None] & (self.data != customer)).any(axis=2)
        changed[0] = True
        return (np.where(shown[:, None], customer, self.data).reshape(-1, len(customer)),), changed


@dataclass
class _Tape:
    """Stands in for the model: writes questions down, or reads answers back in the same order.

    Args:
        questions: what was asked, [N, m] each time.
        answers: to all of them, [N] or [N, q]; None while they are written down.
        read: answers that were given.
    """

    questions: list[NDArray[np.int64]] = field(default_factory=list)
    answers: Floats | None = None
    read: int = 0

    def __call__(self, rows: Floats) -> Floats:
        if self.answers is None:
            self.questions.append(rows.astype(np.int64))
            return np.empty((len(rows), 0))  # no game: nothing is averaged while the questions are written down
        self.read += len(rows)
        return self.answers[self.read - len(rows) : self.read]


def shapley(
    value: Value,
    codes: NDArray[np.int64],
    background: NDArray[np.int64],
    names: list[str],
    *,
    permutations: int,
    seed: int,
) -> tuple[Floats, Any]:
    """Divide each customer's prediction among the parts.

    Args:
        value: the worth of mixtures.
        codes: content of each part of the customers to explain, [n, m]; equal codes are equal content.
        background: the same for the background, [b, m].
        names: of the customers, [n]; each has permutations of its own, whoever else is explained.
        permutations: how many orders of the parts are tried, each forward and backward.
        seed: of the permutations.

    Returns:
        Shapley values [n, m], and the base: the mean prediction of the background. base + sum of a row = prediction.
        Of q worth functions [n, m, q] and [q].
    """
    shap = _library()
    base = distinct(value, background).mean(axis=0)
    tape = _Tape()
    masker = _Masker(background.astype(np.float64))
    with _own_random_state():
        explainer = shap.PermutationExplainer(tape, masker, seed=seed)
        _explain_all(explainer, codes, names, permutations, seed)
        tape.answers = distinct(value, np.concatenate(tape.questions))
        rows = _explain_all(explainer, codes, names, permutations, seed)
    return np.stack([row["values"] for row in rows]), float(base) if base.ndim == 0 else base


def _explain_all(
    explainer: Any, codes: NDArray[np.int64], names: list[str], permutations: int, seed: int
) -> list[dict[str, Any]]:
    rows = []
    for name, code in zip(names, codes.astype(np.float64), strict=True):
        varying = int((code != explainer.masker.data).any(axis=0).sum())
        np.random.seed(zlib.crc32(name.encode()) ^ seed)
        rows.append(
            explainer.explain_row(
                code,
                max_evals=permutations * (2 * varying + 1),
                main_effects=False,
                error_bounds=False,
                batch_size="auto",
                outputs=None,
                silent=True,
            )
        )
    return rows


def distinct(value: Value, questions: NDArray[np.int64]) -> Floats:
    """Return what ``value`` says of ``questions`` [N, m]; each distinct mixture is predicted once."""
    small = np.ascontiguousarray(questions.astype(np.int32))
    rows = small.view(np.dtype((np.void, small.itemsize * small.shape[1]))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return np.asarray(value(questions[first])[inverse], np.float64)


def _library() -> Any:
    """Return shap without its just-in-time compiler, which takes longer (5 to 10 s a process) than what it compiles."""
    import numba

    config: Any = numba.config
    before, config.DISABLE_JIT = config.DISABLE_JIT, 1
    try:
        import shap
    finally:
        config.DISABLE_JIT = before
    return shap


@contextmanager
def _own_random_state() -> Iterator[None]:
    """The library draws from numpy's global generator: hand it back as it was."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
