"""Every model on the origins fixed in advance: ``make bench-accuracy``.

Writes ``figures.csv``, ``cells.csv`` and ``accuracy.md`` to ``tests/bench/results/``, after every origin, so that a run
that is stopped leaves what it has; then ``behaviour.md``. Claims want ``--seeds 5 --resamples 1000``.
"""

from __future__ import annotations

import argparse
import shutil
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clv_core.config import MODEL_IDS
from clv_core.evaluation.evidence import gather
from clv_core.evaluation.trust import judge
from clv_core.workspace import Workspace, atomic_path
from tests.bench.behaviour import ablate
from tests.bench.cells import ATTAINABLE, CELLS, Cell, run_cell
from tests.bench.claims import claims
from tests.bench.judging import FAMILY, JUDGED, OF_MEAN, OURS, SHOWN, Figures
from tests.bench.logs import prepare
from tests.bench.shops import compare_on_shops, shops_table

RESULTS = Path(__file__).resolve().parent / "results"
OWN = ("mlp", "rnn")
SCALE_FREE = ("gini", "spearman", "decile_mape", "bias")
KEPT = "accuracy-predictions"
"""Folder of the workspace that holds each cell's predictions until the next run."""


def main() -> None:
    """Run the chosen cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--models", default=",".join(MODEL_IDS))
    parser.add_argument("--only", default="", help="names of logs, by commas; default: all")
    parser.add_argument("--parts", default="cells,behaviour")
    parser.add_argument("--shops", type=int, default=0, help="compare on so many held-out simulated shops, only")
    parser.add_argument("--at-once", type=int, default=2, help="cells at a time, one process each")
    parser.add_argument("--resume", action="store_true", help="run only the models of which no predictions are kept")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--workspace", type=Path, default=Path("workspace/bench"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    models = options.models.split(",")
    chosen = [cell for cell in CELLS if not options.only or cell.dataset in options.only.split(",")]
    settings = dict(pair.split("=", 1) for pair in options.set)
    workspace = Workspace(options.workspace.absolute())
    if options.shops:
        found, short = compare_on_shops(workspace, options.shops, models, options.at_once, settings)
        options.out.mkdir(parents=True, exist_ok=True)
        found.to_csv(options.out / "shops.csv", index=False, float_format="%.6g")
        about = f"{OURS} against each model; {short} of {options.shops} shops were too short or had too few buyers."
        text = f"# Held-out simulated shops\n\n{about}\n\n{markdown(shops_table(found))}\n"
        (options.out / "shops.md").write_text(text, encoding="utf-8")
        print(text)
        return
    for name in dict.fromkeys(cell.dataset for cell in chosen):
        prepare(workspace, name)
    if "cells" in options.parts:
        if not options.resume:
            shutil.rmtree(workspace.root / KEPT, ignore_errors=True)
        work = partial(_measure, workspace.root, models, options.seeds, options.resamples, settings)
        done: dict[str, tuple[Cell, Figures, pd.DataFrame]] = {}
        with ProcessPoolExecutor(options.at_once) as pool:
            for one in as_completed([pool.submit(work, cell) for cell in chosen]):
                cell, figures, predictions, seconds = one.result()
                done[cell.id] = cell, figures, predictions
                ordered = [done[each.id] for each in chosen if each.id in done]
                write(options.out, ordered, options.seeds, options.resamples)
                print(f"{cell.id}: {seconds:.0f} s", flush=True)
        print((options.out / "accuracy.md").read_text(encoding="utf-8"))
    if "behaviour" in options.parts:
        table = ablate(workspace, options.seeds, options.resamples, **settings)
        about = f"Seeds: {options.seeds}. Positive: the model that reads everything is better."
        text = f"# What behaviour is worth\n\n{about}\n\n{markdown(table)}\n"
        print(text)
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "behaviour.md").write_text(text, encoding="utf-8")


def _measure(
    root: Path, models: list[str], seeds: int, resamples: int, settings: dict[str, str], cell: Cell
) -> tuple[Cell, Figures, pd.DataFrame, float]:
    """Run one cell in a process of its own, networks one after the other: the cells share the cores."""
    started, name = time.monotonic(), cell.id.replace(" ", "-")
    kept, folder = root / KEPT / f"{name}.parquet", root / "accuracy" / name
    known = [pd.read_parquet(kept)] if kept.exists() else []
    missing = [model for model in models if not known or model not in set(known[0]["model"])]
    if missing and not (known and cell.models and not set(missing) & set(cell.models)):
        found = run_cell(Workspace(root), cell, missing, seeds, folder, **{"processes": "1", **settings})
        predictions = pd.concat([*known, found[~found["model"].isin(known[0]["model"])] if known else found])
        with atomic_path(kept) as temporary:
            predictions.to_parquet(temporary, index=False)
        shutil.rmtree(folder, ignore_errors=True)
    predictions = pd.read_parquet(kept)
    return cell, Figures.of(predictions, resamples), predictions, time.monotonic() - started


def write(out: Path, done: list[tuple[Cell, Figures, pd.DataFrame]], seeds: int, resamples: int) -> None:
    """Write all tables of the cells that are done."""
    out.mkdir(parents=True, exist_ok=True)
    table, judged = figures_table(done), cells_table(done)
    table.to_csv(out / "figures.csv", index=False, float_format="%.6g")
    judged.to_csv(out / "cells.csv", index=False, float_format="%.6g")
    parts = [
        "# Accuracy, out of time",
        f"Seeds: {seeds}. Paired resamples of customers: {resamples}. Customers who bought nothing are in all figures.",
        *share_lines(judged),
        "## What was asked for",
        markdown(pd.DataFrame(claims(done, judged))),
        "## Models that may be the default",
        "Share of the counted cells that each would win or tie against the best rival, and its figures relative to "
        "BG/NBD's, averaged over the counted cells (of the bias: its size).",
        markdown(family_table(done)),
        "## Against each of the others",
        "Cells won, tied and lost against one other model, the same in all cells; `held` is the share won or tied.",
        markdown(singles_table(done)),
        "## Rules",
        "A win or a loss is a difference of over 1% (of the bias: a point) whose paired interval excludes 0; the rest "
        "is a tie.",
        f"## Cells\n\nOurs is {OURS}. The gap is relative to the rival's figure, positive where ours is worse (of the "
        "bias: in points of the actual total). `versus_bgnbd` says what the interval of the difference allows.",
        markdown(judged),
    ]
    for cell, figures, predictions in done:
        parts += [f"## {cell.id}", cell_markdown(figures, predictions)]
    (out / "accuracy.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def figures_table(done: list[tuple[Cell, Figures, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row a cell, model and metric, with the 95% interval."""
    rows = []
    for cell, figures, _ in done:
        for model, metric in figures.values:
            low, high = figures.interval(model, metric)
            facts = (cell.dataset, cell.cutoff, cell.horizon_days, model, figures.seeds[model], metric)
            rows.append((*facts, figures.values[model, metric], low, high))
    names = ["dataset", "origin", "horizon_days", "model", "seeds", "metric", "value", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def cells_table(done: list[tuple[Cell, Figures, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row a cell and judged metric: the default against the best rival, and against BG/NBD."""
    rows: list[dict[str, Any]] = []
    for cell, figures, _ in done:
        rivals = figures.rivals()
        if OURS not in figures.models or not rivals:
            continue
        for metric in JUDGED:
            best = figures.best(metric, rivals)
            outcome, gap, advantage = figures.verdict(OURS, best, metric)
            outside = [model for model in rivals if model not in OWN]
            row = {
                "cell": cell.id,
                "counted": cell.counted,
                "seen": cell.seen,
                "metric": metric,
                "ours": figures.size(OURS, metric),
                "best": best,
                "rival": figures.size(best, metric),
                "gap": gap,
                "low": advantage.low,
                "high": advantage.high,
                "outcome": outcome,
                "outcome_without_own_parts": figures.verdict(OURS, figures.best(metric, outside), metric)[0]
                if outside
                else "",
            }
            if "bgnbd" in rivals:
                over = figures.advantage(OURS, "bgnbd", metric)
                row["versus_bgnbd"] = "better" if over.low > 0 else "worse" if over.high < 0 else "open"
            rows.append(row)
    return pd.DataFrame(rows)


def singles_table(done: list[tuple[Cell, Figures, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row a rival: the counted cells that the default wins, ties and loses against that one alone.

    A row ``attainable`` is the other way round: what the true parameters would hold against the best of the models that
    learn, at the origins where they are known. No model can be expected to have a lower RMSE.
    """
    found: dict[str, list[str]] = {}
    for cell, figures, _ in done:
        if not cell.counted or OURS not in figures.models:
            continue
        for metric in JUDGED:
            for rival in figures.rivals():
                found.setdefault(rival, []).append(figures.verdict(OURS, rival, metric)[0])
            if ATTAINABLE in figures.models and metric in OF_MEAN:
                best = figures.best(metric, figures.rivals())
                found.setdefault(ATTAINABLE, []).append(figures.verdict(ATTAINABLE, best, metric)[0])
    rows = []
    for rival, outcomes in found.items():
        counts = {outcome: outcomes.count(outcome) for outcome in ("win", "tie", "loss")}
        rows.append({"rival": rival, **counts, "held": 1 - counts["loss"] / len(outcomes)})
    return pd.DataFrame(rows)


def family_table(done: list[tuple[Cell, Figures, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row for each of ``FAMILY``: what it would hold as the default, over the counted cells."""
    rows = []
    for model in FAMILY:
        outcomes: list[str] = []
        sizes: dict[str, list[float]] = {metric: [] for metric in JUDGED}
        for cell, figures, _ in done:
            if not cell.counted or model not in figures.models or not figures.rivals():
                continue
            outcomes += [figures.verdict(model, figures.best(metric, figures.rivals()), metric)[0] for metric in JUDGED]
            for metric in JUDGED:
                theirs = 1.0 if metric in SCALE_FREE else figures.size("bgnbd", metric)
                sizes[metric].append(figures.size(model, metric) / theirs)
        if outcomes:
            held = sum(outcome != "loss" for outcome in outcomes)
            means = {metric: sum(values) / len(values) for metric, values in sizes.items()}
            rows.append({"model": model, "held": f"{held} of {len(outcomes)} ({held / len(outcomes):.0%})", **means})
    return pd.DataFrame(rows)


def share_lines(judged: pd.DataFrame) -> list[str]:
    """Return the sentences of what share of the cells the default wins or ties: the counted, and those seen before."""
    lines = []
    rivals = {"every rival": "outcome", "every rival but the hybrid's halves": "outcome_without_own_parts"}
    for where, marked in (("", "counted"), (" at origins that choices had seen", "seen")):
        cells = judged[judged[marked]] if len(judged) else judged
        for name, column in rivals.items() if len(cells) else ():
            held = cells[column].value_counts()
            win, tie = int(held.get("win", 0)), int(held.get("tie", 0))
            lines.append(
                f"The default ({OURS}) against the best of {name}{where}: {win} wins, {tie} ties, "
                f"{len(cells) - win - tie} losses in {len(cells)} cells ({(win + tie) / len(cells):.0%} held)."
            )
    return lines


def cell_markdown(figures: Figures, predictions: pd.DataFrame) -> str:
    """Return the table of all models at one origin, how their quantiles hold, and the trust verdict of the default."""
    rows = []
    for model in figures.models:
        row: dict[str, Any] = {"model": model}
        known = OF_MEAN if model == ATTAINABLE else SHOWN
        row |= {metric: figures.values.get((model, metric), float("nan")) for metric in known}
        rows.append(row)
    text = markdown(pd.DataFrame(rows))
    if OURS in figures.models:
        trust = judge(gather(predictions, OURS))
        text += f"\n\nTrust: {trust.verdict}. " + " ".join(reason.text() for reason in trust.reasons)
    return text


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if value != value else f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
        return str(value)

    lines = [list(frame.columns), ["---"] * len(frame.columns)]
    lines += [[cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
