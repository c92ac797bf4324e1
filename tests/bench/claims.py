"""What the default model has to show on these logs, each line beside what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pandas as pd

from clv_core.evaluation.evidence import gather
from clv_core.evaluation.trust import judge
from tests.bench.cells import ATTAINABLE, Cell
from tests.bench.judging import FAMILY, OURS, RANKING, Figures

LARGEST_RATIO: Final = 3.0
SHARE_HELD: Final = 0.85
MOST_LOST: Final = 2
PIT_TOLERANCE: Final = 0.04
TOP_COVERAGE: Final = (0.7, 0.92)
ATTAINED: Final = {"hybrid": 0.98, "blend": 0.98, "instant": 0.99}
WORST_RMSE: Final = 1.03
"""Of the default, relative to the hybrid's."""
INSIDE: Final = (0.75, 0.9)

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
PRETRAINED: Final[dict[tuple[str, str], dict[str, tuple[str, float]]]] = {
    ("cdnow 1997-12-31 182d", "instant"): {"gini": (">=", 0.755)},
    ("cdnow 1997-12-31 182d", "instant_tuned"): {
        "gini": (">=", 0.76),
        "bias": ("<=", 0.08),
        "decile_mape": ("<=", 0.2),
    },
    ("completejourney 2017-10-02 91d", "instant_tuned"): {"gini": (">=", 0.867), "bias": ("<=", 0.06)},
}
"""What the pre-trained network has to show, by cell and model."""
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
    found = [*_shares(judged), _ranking(done)]
    last = {cell.dataset: cell.id for cell, _, _ in sorted(done, key=lambda item: item[0].cutoff)}
    for cell, figures, predictions in done:
        if OURS not in figures.models:
            continue
        found += [_bound(cell, figures, OURS, metric, *rule) for metric, rule in BOUNDS.get(cell.id, {}).items()]
        found += _pretrained(cell, figures)
        if last[cell.dataset] == cell.id:
            found += _intervals(cell, figures) if cell.dataset != "regime" else []
            found += _trust(cell, predictions)
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


def _ranking(done: Done) -> Seen:
    """How often BG/NBD, whom nobody has to train, ranks customers better than the default."""
    lost = [
        f"{cell.id} {metric}"
        for cell, figures, _ in done
        if {OURS, "bgnbd"} <= set(figures.models) and cell.dataset.partition("-")[0] not in ("noise", "btyd")
        for metric in RANKING
        if figures.verdict(OURS, "bgnbd", metric)[0] == "loss"
    ]
    claim = f"{', '.join(RANKING)}: cells lost to BG/NBD, without noise and btyd"
    return Seen("all", claim, f"<= {MOST_LOST}", ", ".join(lost) or "none", len(lost) <= MOST_LOST)


def _bound(cell: Cell, figures: Figures, model: str, metric: str, sign: str, bound: float) -> Seen:
    value = figures.size(model, metric)
    holds = value >= bound if sign == ">=" else value <= bound
    claim = f"{model}, {metric if metric != 'bias' else '|bias|'}"
    return _line(cell, claim, f"{sign} {bound:g}", f"{value:.4g}", holds)


def _pretrained(cell: Cell, figures: Figures) -> Iterator[Seen]:
    """What is asked of each member of the family, and of the default beside the hybrid."""
    for model in [model for model in FAMILY if model in figures.models]:
        for metric, rule in PRETRAINED.get((cell.id, model), {}).items():
            yield _bound(cell, figures, model, metric, *rule)
        if model.startswith("instant") and (cell.id, "instant_tuned") in PRETRAINED:
            inside, (low, high) = figures.values[model, "pit90"] - figures.values[model, "pit10"], INSIDE
            claim = f"{model}, 80% interval (randomised PIT)"
            yield _line(cell, claim, f"{low:.0%} to {high:.0%}", f"{inside:.1%}", low <= inside <= high)
        if ATTAINABLE in figures.models and cell.dataset.startswith("btyd") and model in ATTAINED:
            share, least = figures.values[model, "gini"] / figures.values[ATTAINABLE, "gini"], ATTAINED[model]
            yield _line(cell, f"{model}, Gini of the attainable", f">= {least:.0%}", f"{share:.1%}", share >= least)
    if OURS != "hybrid" and "hybrid" in figures.models:
        ratio = figures.size(OURS, "rmse") / figures.size("hybrid", "rmse")
        yield _line(cell, "RMSE, of the hybrid's", f"<= {WORST_RMSE:g}", f"{ratio:.3f}", ratio <= WORST_RMSE)


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
        trust = judge(gather(predictions, OURS))
        first = trust.reasons[0].code.removeprefix("reason.") if trust.reasons else "no reason"
        allowed = VERDICTS[cell.dataset]
        yield _line(cell, "trust", " or ".join(allowed), f"{trust.verdict} ({first})", trust.verdict in allowed)
