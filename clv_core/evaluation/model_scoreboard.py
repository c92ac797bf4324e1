"""Compare models: all of them on rolling origins, and one with the best simple model on its holdout.

Of several origins: a table with intervals, who is better in words, and how much of the top customers stays. Of the
holdout, on the same customers: who ranks them better, and whether the total was met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.config import OWN
from clv_core.errors import Message
from clv_core.evaluation.bootstrap import Bootstrap, Estimate, resampled
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
"""Proper names of models, the same in both languages; any other id is shown as it is."""

MIN_LEVEL_ORIGINS: Final = 3
"""At fewer origins no model is better on level: with two, one pair of equal models in ten was."""

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
    results = []
    ours, theirs = zip(*(runs or [(model, other)]), strict=True)
    for metric in metrics:
        origins = [
            origin
            for origin in bootstrap.origins
            if all((origin, name, metric) in bootstrap.values for name in (*ours, *theirs))
        ]
        if not origins:
            continue
        if len(runs) > 1:
            advantage = bootstrap.advantage_of_settings(runs, metric, origins)
        else:
            advantage = bootstrap.advantage(model, other, metric, origins)
        once = METRICS[metric].better == "zero" and len(origins) < MIN_LEVEL_ORIGINS
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
            "ours": _mean(bootstrap, origins, ours, metric),
            "theirs": _mean(bootstrap, origins, theirs, metric),
            "low": low,
            "high": high,
        }
        if METRICS[metric].unit == "money":
            params["currency"] = currency
        code = f"verdict.{metric}.{'once' if once else outcome}"
        results.append(Verdict(metric, outcome, advantage, Message(code, params)))
    return results


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


def top_overlap(left: pd.Series, right: pd.Series) -> float:
    """Return which share of the customers at the top of one list is at the top of the other too.

    Two orders that have nothing in common but chance overlap by :data:`SHARE`.

    Args:
        left: predicted value by customer_id.
        right: the same of another run; only customers in both lists count.
    """
    both = left.index.intersection(right.index).sort_values()
    if len(both) == 0:
        return float("nan")
    size = max(1, round(SHARE * len(both)))
    first, second = (
        set(np.argsort(-values.loc[both].to_numpy(np.float64), kind="stable")[:size]) for values in (left, right)
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
        pairs = [
            ("seeds", earlier, later, (earlier, origins[-1]), (later, origins[-1]))
            for earlier, later in combinations(runs, 2)
        ]
        pairs += [("origins", earlier, later, (model, earlier), (model, later)) for earlier, later in pairwise(cutoffs)]
        for between, first, second, left, right in pairs:
            common = len(values[left].index.intersection(values[right].index))
            rows.append((model, between, first, second, common, top_overlap(values[left], values[right])))
    return pd.DataFrame(rows, columns=list(STABILITY_COLUMNS))


BASELINES: Final = ("naive", "bgnbd")
"""Models that every training is compared with; of equal ones the later is named."""
EXACT: Final = 0.005
"""A total that is off by less rounds to 0%."""

ROWS: Final = (CUSTOMER_ID, "p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90", "actual")
"""Columns of a model's rows of a holdout that are read."""

SPAN: Final = "holdout"
OURS, THEIRS = "ours", "theirs"
RESAMPLES: Final = 200
"""Fewer than of a record, as a page waits for it: an end moves by 5% of the interval's width from seed to seed."""

Level = Literal["exact", "high", "low", "none"]
Standing = Literal["ahead", "behind", "level_with", "beside"]


def best_baseline(baselines: Mapping[str, Mapping[str, float]], metric: str, *, model: str = "") -> str:
    """Return the id of the simple model that is best on a metric; "" where none was measured.

    Args:
        baselines: of a bundle's record: metrics by model.
        metric: id of ``METRICS``.
        model: which is held against it; a simple one is not held against itself.
    """
    best = ""
    for name in BASELINES:
        if name == model or metric not in baselines.get(name, {}):
            continue
        ours, theirs = (np.array(baselines[model][metric]) for model in (name, best or name))
        if METRICS[metric].advantage(ours, theirs) >= 0:
            best = name
    return best


def both_figures(
    ours: Mapping[str, float], theirs: Mapping[str, float], metrics: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Return the figures of a model and of a simple one by metric, where both were measured."""
    return {metric: (ours[metric], theirs[metric]) for metric in metrics if metric in ours and metric in theirs}


def advantages_of(
    ours: pd.DataFrame, theirs: pd.DataFrame, figures: Mapping[str, tuple[float, float]]
) -> dict[str, Estimate]:
    """Return by how much a model is better than a simple one on the span held out, with its 95% interval, by metric.

    A metric is left out where there is no evidence: one of them is not there, the figure does not exist, or it is the
    total, of which one span is too little (:data:`~clv_core.evaluation.model_scoreboard.MIN_LEVEL_ORIGINS`).

    Args:
        ours: predictions of the model in question and what came, as :func:`in_order` returns them.
        theirs: the same of the simple model, of the same customers; empty for none.
        figures: of both on all these customers, as they were measured, by id of ``METRICS``: only those who are
            resampled are looked at again.
    """
    pairs = {metric: pair for metric, pair in figures.items() if METRICS[metric].better != "zero"}
    if not pairs or ours.empty or len(ours) != len(theirs):
        return {}
    # Rows are the same customers in the same order: their places are as good as their names, and far cheaper.
    selected = resampled(len(ours))
    numbers = [column for column in ROWS if column != CUSTOMER_ID]
    both = pd.concat([rows[numbers].iloc[selected] for rows in (ours, theirs)], ignore_index=True)
    both[CUSTOMER_ID] = np.tile(np.arange(len(selected)), 2)
    both["model"] = np.repeat([OURS, THEIRS], len(selected))
    bootstrap = Bootstrap.of(both.assign(origin=SPAN), tuple(pairs), resamples=RESAMPLES)
    keys = [(SPAN, name, metric) for metric in pairs for name in (OURS, THEIRS)]
    measured = dict(zip(keys, (value for pair in pairs.values() for value in pair), strict=True))
    scale = float(np.sqrt(len(selected) / len(ours)))
    on_all = replace(bootstrap, values={key: measured[key] for key in bootstrap.values}, scale=scale)
    comparable = [
        metric for metric in pairs if all((SPAN, name, metric) in bootstrap.values for name in (OURS, THEIRS))
    ]
    return {metric: on_all.advantage(OURS, THEIRS, metric) for metric in comparable}


def standing_of(advantage: Estimate | None) -> Standing:
    """Return whether a model is surely ahead or behind, whether that may be chance, or that there is no estimate."""
    if advantage is None:
        return "beside"
    return "ahead" if advantage.low > 0 else "behind" if advantage.high < 0 else "level_with"


def in_order(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one model's rows of a holdout in the order of customers, the same for all of its models."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = pa.array(holdout[CUSTOMER_ID])  # pandas would make a text of each to compare them
    if pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0).as_py():
        return holdout.reset_index(drop=True)
    return holdout.sort_values(CUSTOMER_ID, ignore_index=True)


def level_of(bias: float | None) -> Level:
    """Return whether a total was met, overstated or understated, or that there was none to be met.

    Args:
        bias: the total's error, a share of the actual one; None where that was not above 0.
    """
    if bias is None:
        return "none"
    if abs(bias) < EXACT:
        return "exact"
    return "high" if bias > 0 else "low"
