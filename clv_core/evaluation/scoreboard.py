"""Compare all models: a long table with intervals, and sentences on which model is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from clv_core.errors import Message
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import METRICS

COLUMNS: Final = ("origin", "model", "metric", "value", "low", "high")
SPOKEN: Final = ("gini", "spearman", "bias", "decile_mape", "mae", "rmse", "brier", "coverage80_top")
"""Metrics that verdicts in words are given on; each has the texts ``verdict.<metric>.<outcome>``."""
NAMES: Final = {
    "naive": "Naive",
    "bgnbd": "BG/NBD",
    "paretonbd": "Pareto/NBD",
    "lightgbm": "LightGBM",
    "mlp": "MLP",
    "rnn": "RNN",
    "ziln_mlp": "ZILN MLP",
    "hybrid": "Hybrid",
    "instant": "Instant",
    "instant_tuned": "Instant tuned",
    "blend": "Blend",
}
"""Proper names of models, the same in both languages; any other id speaks for itself."""

FEWEST_LEVELS: Final = 3
"""At fewer origins nobody is said to be better on level: with two, one pair of equal models in ten was."""

Outcome = Literal["beats", "loses", "ties"]


@dataclass(frozen=True)
class Verdict:
    """Whether a model is better than another on one metric, and how sure that is.

    Args:
        metric: id.
        outcome: ``beats`` or ``loses`` only where the interval of the advantage excludes 0, else ``ties``; on level
            ``ties`` at one or two origins, whose totals all customers may have moved together.
        advantage: how much better the model is (negative: worse), averaged over origins.
        message: the sentence.
    """

    metric: str
    outcome: Outcome
    advantage: Estimate
    message: Message


def table_of(bootstrap: Bootstrap) -> pd.DataFrame:
    """Return all metrics of all models at all origins with 95% intervals, one row each.

    Returns:
        Columns :data:`COLUMNS`; a metric that does not exist (an AUC without buyers) has no row.
    """
    rows = []
    for origin, model, metric in bootstrap.values:
        estimate = bootstrap.estimate(origin, model, metric)
        rows.append((origin, model, metric, estimate.value, estimate.low, estimate.high))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdicts(
    bootstrap: Bootstrap,
    model: str,
    other: str,
    metrics: Sequence[str] = SPOKEN,
    currency: str = "",
    runs: Sequence[tuple[str, str]] = (),
) -> list[Verdict]:
    """Return who is better on each metric, averaged over the origins at which it exists for both, in words.

    Args:
        bootstrap: with both models.
        model: id of the model in question.
        other: id of the one to beat.
        metrics: ids among :data:`SPOKEN`; one that exists at no origin is passed over.
        currency: of the amounts; "" where the log's has no name.
        runs: where the two are one model with other settings, and each was trained from several random starts: the ids
            of both, start by start; the figures are their means then, and the interval holds the luck of the starts.
    """
    found = []
    ours, theirs = zip(*(runs or [(model, other)]), strict=True)
    for metric in metrics:
        chosen = [
            origin
            for origin in bootstrap.origins
            if all((origin, name, metric) in bootstrap.values for name in (*ours, *theirs))
        ]
        if not chosen:
            continue
        if len(runs) > 1:
            advantage = bootstrap.advantage_of_settings(runs, metric, chosen)
        else:
            advantage = bootstrap.advantage(model, other, metric, chosen)
        once = METRICS[metric].better == "zero" and len(chosen) < FEWEST_LEVELS
        sure: Outcome = "beats" if advantage.low > 0 else "loses" if advantage.high < 0 else "ties"
        outcome: Outcome = "ties" if once else sure
        low, high = sorted((abs(advantage.low), abs(advantage.high)))
        if outcome == "ties":
            # Said as ours less theirs: of errors the one that is larger is the worse one.
            smaller = METRICS[metric].better in ("low", "zero")
            low, high = (-advantage.high, -advantage.low) if smaller else (advantage.low, advantage.high)
        params = {
            "model": NAMES.get(model, model),
            "other": NAMES.get(other, other),
            "ours": _mean(bootstrap, chosen, ours, metric),
            "theirs": _mean(bootstrap, chosen, theirs, metric),
            "low": low,
            "high": high,
        }
        if METRICS[metric].unit == "money":
            params["currency"] = currency
        code = f"verdict.{metric}.{'once' if once else outcome}"
        found.append(Verdict(metric, outcome, advantage, Message(code, params)))
    return found


def _mean(bootstrap: Bootstrap, origins: Sequence[str], runs: Sequence[str], metric: str) -> float:
    """Average over origins and runs of a figure, or of its distance from zero where that counts (misses add up)."""
    values = [bootstrap.values[origin, run, metric] for origin in origins for run in runs]
    if METRICS[metric].better == "zero":
        values = [abs(value) for value in values]
    return sum(values) / len(values)
