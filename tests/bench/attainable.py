"""What could be had: how much of what is asked of the default the truth itself would show.

    python -m tests.bench.attainable --workspace DIR [--replays 100]

A cell is lost to whichever of the others came closest, and what customers happened to do decides part of that. So
outcomes are drawn from the default's own predictive distribution, as if it were exactly right, and it is judged on them
against the others' predictions, which stay as they are: what it loses then is luck. Once it knows the level of what is
to come as well, and twice all customers together spend more or less than anybody can know: by 5% and by 10% (a standard
deviation of the log), the scales that the intervals of sums are made with. Reads the predictions that
``tests.bench.accuracy`` keeps in the workspace.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from clv_core.evaluation.metrics import METRICS
from tests.bench.accuracy import KEPT, RESULTS, markdown
from tests.bench.cells import ATTAINABLE, CELLS
from tests.bench.claims import BOUNDS, PIT_TOLERANCE
from tests.bench.judging import FAMILY, JUDGED, NOT_FAR, OURS

SHOCKS: Final = (0.0, 0.05, 0.1)
"""Of the level, standard deviations of its log; the tables of single cells and figures are of the second."""
SHARES: Final = (0.8, 0.85)
"""Of cells held, as asked of the hybrid and of the default."""
PITS: Final = {"pit10": 0.1, "pit50": 0.5, "pit90": 0.9}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """Each customer's value: 0 with probability 1 - p, else lognormal, [n] each.

    Args:
        p: chance of any value.
        mean: expected value.
        sigma: of a buyer's log value.
    """

    p: Floats
    mean: Floats
    sigma: Floats

    @classmethod
    def of(cls, said: pd.DataFrame) -> Distribution:
        """Return the distribution that has the chance, the mean and the 90% quantile of ``said``.

        Where the quantile is 0, or no lognormal of that mean reaches it, sigma is the middle one of all others.
        """
        p, mean, high = (said[name].to_numpy(np.float64) for name in ("p_purchase", "predicted_clv", "clv_p90"))
        p = np.clip(p, 1e-6, 1.0)
        with np.errstate(all="ignore"):
            z, log_ratio = ndtri(1 - 0.1 / p), np.log(high * p / mean)
            sigma = z - np.sqrt(z**2 - 2 * log_ratio)
            sigma = np.where(sigma > 0, sigma, z + np.sqrt(z**2 - 2 * log_ratio))
        sigma = np.where((high > 0) & (sigma > 0), sigma, np.nan)
        return cls(p, mean, np.clip(np.where(np.isnan(sigma), np.nanmedian(sigma), sigma), 0.05, 2.0))

    def draw(self, random: np.random.Generator, shock: float) -> Floats:
        """Return one outcome of every customer, all moved by one factor of that spread, [n]."""
        bought = random.random(len(self.p)) < self.p
        logs = np.log(np.maximum(self.mean / self.p, 1e-9)) - self.sigma**2 / 2
        level = shock * random.standard_normal()
        return np.where(bought, np.exp(level + logs + self.sigma * random.standard_normal(len(self.p))), 0.0)


def main() -> None:
    """Replay every counted origin and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replays", type=int, default=100)
    parser.add_argument("--workspace", type=Path, default=Path("workspace/bench"))
    parser.add_argument("--out", type=Path, default=RESULTS / "attainable.md")
    options = parser.parse_args()
    replayed: dict[float, dict[str, pd.DataFrame]] = {shock: {} for shock in SHOCKS}
    real: dict[str, pd.DataFrame] = {}
    for number, cell in enumerate(one for one in CELLS if one.counted):
        kept = pd.read_parquet(options.workspace / KEPT / f"{cell.id.replace(' ', '-')}.parquet")
        said = {model: part.reset_index(drop=True) for model, part in kept.groupby("model") if model != ATTAINABLE}
        truth = Distribution.of(said[OURS])
        for shock in SHOCKS:
            randoms = (np.random.default_rng([number, at]) for at in range(options.replays))
            replayed[shock][cell.id] = pd.DataFrame([figures(truth.draw(one, shock), said) for one in randoms])
        real[cell.id] = pd.DataFrame([figures(said[OURS]["actual"].to_numpy(), said)])
        print(cell.id, flush=True)
    text = report(replayed, real)
    print(text)
    options.out.write_text(text, encoding="utf-8")


def figures(actual: Floats, said: dict[str, pd.DataFrame]) -> dict[tuple[str, str], float]:
    """Return the judged figures of all models, and all that is asked of some, by model and metric."""
    judged = [(model, metric) for model in said for metric in JUDGED]
    found = {(model, metric): METRICS[metric].value(actual, said[model]) for model, metric in judged}
    return found | {(OURS, metric): METRICS[metric].value(actual, said[OURS]) for metric in ("mae_median", *PITS)}


def held(table: pd.DataFrame, metric: str) -> NDArray[np.bool_]:
    """Return whether the default is better than the best of its rivals, or worse by no more than may be a tie."""
    sign = -1.0 if METRICS[metric].better == "high" else 1.0
    size = {model: table[model, metric].abs() if metric == "bias" else table[model, metric] for model, _ in table}
    rivals = [sign * values for model, values in size.items() if model not in FAMILY]
    best = np.min(rivals, axis=0)
    gap = (sign * size[OURS] - best) / (1.0 if metric == "bias" else np.abs(best))
    most = 0.01 if metric == "bias" else NOT_FAR
    return np.asarray(gap <= most)


def report(replayed: dict[float, dict[str, pd.DataFrame]], real: dict[str, pd.DataFrame]) -> str:
    """Return the tables as Markdown.

    Args:
        replayed: figures of each replay, by shock and cell.
        real: figures of what happened, by cell.
    """
    middle = SHOCKS[1]
    seen = {(cell, metric): bool(held(table, metric)[0]) for cell, table in real.items() for metric in JUDGED}
    shares, wins = [], {}
    for shock, tables in replayed.items():
        won = {(cell, metric): held(table, metric) for cell, table in tables.items() for metric in JUDGED}
        wins[shock] = {key: values.mean() for key, values in won.items()}
        each = np.mean(list(won.values()), axis=0)
        low, high = np.quantile(each, [0.05, 0.95])
        reached = {f"{bound:.0%} or more": f"{np.mean(each >= bound):.0%}" for bound in SHARES}
        shares.append({"shock": f"{shock:.0%}", "held": f"{each.mean():.0%} ({low:.0%} to {high:.0%})", **reached})
    mark = {True: "", False: " (lost)"}
    rows = [
        {"metric": metric, **{cell: f"{wins[middle][cell, metric]:.0%}{mark[seen[cell, metric]]}" for cell in real}}
        for metric in JUDGED
    ]
    lines = [
        "# What could be had",
        f"The default ({OURS}, one seed) in {len(next(iter(replayed[middle].values())))} replays of each origin in "
        f"which it is right, against the same predictions of all others. A gap within {NOT_FAR:.0%} counts as held, "
        f"sure or not (of the bias: 1 point), which is kinder than the benchmark. On what customers really did it "
        f"holds {np.mean(list(seen.values())):.0%} of {len(seen)} cells by this rule.",
        "Cells held on average (90% of replays), and how many replays reach what was asked, by how far the level of "
        "what comes can not be known:",
        markdown(pd.DataFrame(shares)),
        f"How often each cell is held with a shock of {middle:.0%}; `lost` where it is not on the real outcomes:",
        markdown(pd.DataFrame(rows)),
        "## Figures that were asked for",
        f"`replays`, with a shock of {middle:.0%}, is the middle one and the range of 90%: how much of it is luck. "
        "`within reach` is the share of replays that meet what was asked.",
        markdown(pd.DataFrame(list(_asked(replayed[middle], real)))),
    ]
    return "\n\n".join(lines) + "\n"


def _asked(replayed: dict[str, pd.DataFrame], real: dict[str, pd.DataFrame]) -> Iterator[dict[str, str]]:
    for cell, table in real.items():
        bounds = {metric: rule for metric, rule in BOUNDS.get(cell, {}).items()}
        bounds |= {metric: ("near", level) for metric, level in PITS.items()}
        for metric, (relation, bound) in bounds.items():
            drawn, value = (one[OURS, metric].to_numpy() for one in (replayed[cell], table))
            if metric == "bias":
                drawn, value = np.abs(drawn), np.abs(value)
            near = np.abs(drawn - bound) <= PIT_TOLERANCE
            meets = {">=": drawn >= bound, "<=": drawn <= bound, "near": near}[relation]
            low, middle, high = np.quantile(drawn, [0.05, 0.5, 0.95])
            yield {
                "origin": cell,
                "figure": metric,
                "asked": f"{bound:g} +- {PIT_TOLERANCE:g}" if relation == "near" else f"{relation} {bound:g}",
                "seen": f"{value[0]:.3g}",
                "replays": f"{middle:.3g} ({low:.3g} to {high:.3g})",
                "within reach": f"{np.mean(meets):.0%}",
            }


if __name__ == "__main__":
    main()
