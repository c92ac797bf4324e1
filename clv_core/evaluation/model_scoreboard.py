"""Compare all models: a table with intervals, who is better in words, and how much of the top customers stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.config import OWN
from clv_core.errors import Message
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import METRICS, with_role

COLUMNS: Final = ("origin", "model", "metric", "value", "low", "high")
SPOKEN: Final = with_role("verdicts")
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
    OWN: "Own model",
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


SHARE: Final = 0.1
"""How many are at the top, at least one customer; of equal ones the first id is taken."""
STABILITY_COLUMNS: Final = ("model", "between", "first", "second", "customers", "overlap")
RUN: Final = "#"
"""Parts a model's id from the number of its run, ``hybrid#2``."""


def top_overlap(one: pd.Series, other: pd.Series) -> float:
    """Return which share of the customers at the top of one list is at the top of the other too.

    Two orders that have nothing in common but chance overlap by :data:`SHARE`.

    Args:
        one: predicted value by customer_id.
        other: the same of another run; only customers in both lists count.
    """
    both = one.index.intersection(other.index).sort_values()
    if len(both) == 0:
        return float("nan")
    size = max(1, round(SHARE * len(both)))
    first, second = (
        set(np.argsort(-values.loc[both].to_numpy(np.float64), kind="stable")[:size]) for values in (one, other)
    )
    return len(first & second) / size


def stability(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return how much of the top decile stays, between the seeds of a model and between its successive origins.

    Args:
        predictions: ``score``'s columns and ``origin``; runs of a model with other seeds are ``hybrid#2`` and so on.

    Returns:
        Columns :data:`STABILITY_COLUMNS`: ``between`` is ``seeds`` (``first`` and ``second`` are runs, at the latest
        origin) or ``origins`` (two cutoffs, of the first run); ``customers`` counts those in both lists.
    """
    values = {
        (str(run), str(origin)): frame.set_index(CUSTOMER_ID)["predicted_clv"]
        for (run, origin), frame in predictions.groupby(["model", "origin"], sort=True)
    }
    origins = sorted({origin for _, origin in values})
    rows = []
    for model in dict.fromkeys(str(run).partition(RUN)[0] for run in predictions["model"].unique()):
        latest = [run for run, origin in values if run.partition(RUN)[0] == model and origin == origins[-1]]
        runs = sorted(latest, key=lambda run: int(run.partition(RUN)[2] or 1))
        cutoffs = [origin for origin in origins if (model, origin) in values]
        pairs = [("seeds", one, two, (one, origins[-1]), (two, origins[-1])) for one, two in combinations(runs, 2)]
        pairs += [("origins", one, two, (model, one), (model, two)) for one, two in pairwise(cutoffs)]
        for between, first, second, left, right in pairs:
            common = len(values[left].index.intersection(values[right].index))
            rows.append((model, between, first, second, common, top_overlap(values[left], values[right])))
    return pd.DataFrame(rows, columns=list(STABILITY_COLUMNS))
