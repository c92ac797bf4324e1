"""What the default model has to show on these logs, each line beside what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pandas as pd

from clv_core.evaluation.trust import judge_holdout
from tests.bench.cells import ATTAINABLE, Cell
from tests.bench.judging import OURS, Figures

LARGEST_RATIO: Final = 3.0
SHARE_HELD: Final = 0.8
PIT_TOLERANCE: Final = 0.04
TOP_COVERAGE: Final = (0.7, 0.92)
ATTAINED: Final = 0.98

BOUNDS: Final[dict[str, dict[str, tuple[str, float]]]] = {
    "cdnow 1997-12-31 182d": {
        "gini": (">=", 0.755),
        "mae": ("<=", 21.0),
        "mae_median": ("<=", 17.5),
        "decile_mape": ("<=", 0.16),
        "bias": ("<=", 0.06),
    },
    "completejourney 2017-10-02 91d": {"gini": (">=", 0.867), "mae": ("<=", 175.0), "decile_mape": ("<=", 0.05)},
}
"""Of the bias, its distance from 0."""
VERDICTS: Final = {
    "cdnow": ("trusted", "caution"),
    "completejourney": ("trusted", "caution"),
    "btyd": ("trusted", "caution"),
    "browsing": ("trusted", "caution"),
    "regime": ("not_trusted", "caution"),
    "noise": ("not_trusted",),
}


@dataclass(frozen=True)
class Seen:
    """One line: what was claimed, what was wanted, what was seen, and whether that holds."""

    where: str
    claim: str
    wanted: str
    seen: str
    holds: bool


Done = list[tuple[Cell, Figures, pd.DataFrame]]


def claims(done: Done, judged: pd.DataFrame) -> list[Seen]:
    """Return every line for the cells that are done.

    Args:
        done: cells with their figures and predictions.
        judged: of :func:`tests.bench.accuracy.cells_table`.
    """
    found = list(_shares(judged))
    last = {cell.dataset: cell.id for cell, _, _ in sorted(done, key=lambda item: item[0].cutoff)}
    for cell, figures, predictions in done:
        if OURS not in figures.models:
            continue
        found += [_bound(cell, figures, metric, *rule) for metric, rule in BOUNDS.get(cell.id, {}).items()]
        if last[cell.dataset] == cell.id:
            found += _intervals(cell, figures) if cell.dataset != "regime" else []
            found += _trust(cell, predictions)
        if ATTAINABLE in figures.models and cell.dataset.startswith("btyd"):
            share = figures.values[OURS, "gini"] / figures.values[ATTAINABLE, "gini"]
            found.append(_line(cell, "Gini of the attainable", f">= {ATTAINED:.0%}", f"{share:.1%}", share >= ATTAINED))
        ours = predictions[predictions["model"].str.partition("#")[0] == OURS]
        ratio = float(ours["predicted_clv"].max() / ours["largest"].max())
        claim = "largest prediction, of the largest value seen before"
        found.append(_line(cell, claim, f"<= {LARGEST_RATIO:g}", f"{ratio:.2f}", ratio <= LARGEST_RATIO))
    return found


def _line(cell: Cell, claim: str, wanted: str, seen: str, holds: bool) -> Seen:
    return Seen(cell.id, claim, wanted, seen, holds)


def _shares(judged: pd.DataFrame) -> Iterator[Seen]:
    counted = judged[judged["counted"]] if len(judged) else judged
    if len(counted):
        held = counted["outcome"].isin(("win", "tie"))
        seen = f"{int(held.sum())} of {len(counted)}, {held.mean():.0%}"
        yield Seen("all counted", "cells won or tied", f">= {SHARE_HELD:.0%}", seen, bool(held.mean() >= SHARE_HELD))
    if "versus_bgnbd" in counted:
        worse = counted[(counted["metric"] == "gini") & (counted["versus_bgnbd"] == "worse")]
        yield Seen("all counted", "Gini significantly below BG/NBD's", "never", f"{len(worse)} times", worse.empty)


def _bound(cell: Cell, figures: Figures, metric: str, sign: str, bound: float) -> Seen:
    value = figures.size(OURS, metric)
    holds = value >= bound if sign == ">=" else value <= bound
    return _line(cell, metric if metric != "bias" else "|bias|", f"{sign} {bound:g}", f"{value:.4g}", holds)


def _intervals(cell: Cell, figures: Figures) -> Iterator[Seen]:
    for level in (0.1, 0.5, 0.9):
        value = figures.values[OURS, f"pit{100 * level:.0f}"]
        holds = abs(value - level) <= PIT_TOLERANCE
        yield _line(cell, f"randomised PIT below {level:g}", f"within {PIT_TOLERANCE:g}", f"{value:.3f}", holds)
    top, (low, high) = figures.values[OURS, "coverage80_top"], TOP_COVERAGE
    width = figures.values[OURS, "width80"]
    seen = f"{top:.1%} (mean width {width:,.4g})"
    yield _line(cell, "80% interval, top predicted fifth", f"{low:.0%} to {high:.0%}", seen, low <= top <= high)


def _trust(cell: Cell, predictions: pd.DataFrame) -> Iterator[Seen]:
    if cell.dataset in VERDICTS:
        trust = judge_holdout(predictions, OURS)
        first = trust.reasons[0].code.removeprefix("reason.") if trust.reasons else "no reason"
        allowed = VERDICTS[cell.dataset]
        yield _line(cell, "trust", " or ".join(allowed), f"{trust.verdict} ({first})", trust.verdict in allowed)
