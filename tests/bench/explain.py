"""Explanations, measured: ``python -m tests.bench.explain [--workspace DIR] [--model blend] [--log cdnow|browsing]``.

On CDNOW (from the lifetimes package) and a ``browsing`` log of 20,000 customers: how far base + effects is from what
``score`` writes, seconds for 1,000 customers, agreement of the ranks with a run 20 times as large, whether hiding the
strongest parts moves predictions more than hiding others, the residual of integrated gradients, seconds of a what-if,
and where the parts rank that the simulator drives value with, beside their ranks in its own expectation. Datasets and
models are made where there are none yet.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import Dataset, list_datasets, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explain_scores, open_session
from clv_core.evaluation.explain.checks import agreement
from clv_core.evaluation.explain.explanation import ANSWERS, Explanation, answers_of
from clv_core.jobs import NoProgress
from clv_core.strategy.explanation_files import explain
from clv_core.workspace import Workspace
from tests.bench.explain_truth import true_strengths

CURRENCY: Final = {"cdnow": "USD", "browsing": "EUR"}
HORIZON: Final = {"cdnow": 182, "browsing": 90}
DRIVERS: Final = {
    "moods: when they come": "timing",
    "moods: views and carts": "actions",
    "experience: ratings and reviews": "ratings",
    "experience: returns": "returns",
    "price level and quantities: spend": "spend",
    "price level and quantities: size of orders": "basket",
}
"""What moves value in the browsing scenario, and the part that tells it."""
SHOP: Final = SimulationPlan(20_000, 540, 1, 182)
MANY: Final = 40
QUIET: Final = NoProgress()


@dataclass(frozen=True)
class Subject:
    """A model on its dataset."""

    workspace: Workspace
    dataset: Dataset
    bundle: Bundle

    @classmethod
    def of(cls, workspace: Workspace, log: str, model: str) -> Subject:
        """Return a model of a log, made where there is none."""
        if log not in [item.name for item in list_datasets(workspace)]:
            with tempfile.TemporaryDirectory() as folder:
                ingest(workspace, _file(log, Path(folder)), log, currency=CURRENCY[log], timezone="UTC", progress=QUIET)
        known = [one for one in list_bundles(workspace, log) if one.record.model == model]
        if not known:
            config = TrainConfig(horizon_days=HORIZON[log], model=model)
            known = [pipeline.train(workspace, log, config, progress=QUIET)]
        return cls(workspace, open_dataset(workspace, log), known[0])

    @property
    def scored(self) -> Scored:
        """The model in the log."""
        return Scored.of(self.workspace, self.dataset, self.bundle)

    def figures(self) -> Iterator[tuple[str, str]]:
        """Yield what was measured, and the figure."""
        yield from self._sums()
        yield from self._seconds()
        yield from self._ranks()
        yield from self._asked()

    def _sums(self) -> Iterator[tuple[str, str]]:
        scores = self.scored.scores(QUIET)
        found = explain_scores(self.scored, sample=500, permutations=1, progress=QUIET)
        rows = scores.set_index("customer_id").loc[list(found.value.customer_ids)]
        said = answers_of(rows["p_purchase"].to_numpy(), rows["predicted_clv"].to_numpy())
        for number, answer in enumerate(ANSWERS):
            one = found.answers[answer]
            off = np.abs(one.base + one.values.sum(axis=1) - said[:, number]) / np.maximum(said[:, number], 1e-12)
            yield f"base + effects against `score`, {answer}, 500 customers", f"{off.max():.1e} relative"

    def _seconds(self) -> Iterator[tuple[str, str]]:
        wall, cpu = time.perf_counter(), time.process_time()
        found = explain_scores(self.scored, sample=1000, progress=QUIET)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        live = int((np.abs(found.value.values).max(axis=0) > 0).sum())
        about = f"{len(found.value.customer_ids):,} customers, {live} live parts, 3 answers, checks, everything"
        yield about, f"{wall:.0f} s, {cpu:.0f} s of CPU ({cpu / 2:.0f} s on 2 free cores)"
        assert found.faithfulness is not None and found.stability is not None
        for answer in ANSWERS:
            one, stable = found.faithfulness[answer], found.stability[answer]
            moves = [f"{one.hidden[k]}: {one.strongest[k]:.3g} / {one.chance[k]:.3g}" for k in range(len(one.hidden))]
            yield f"hiding the strongest / random, {answer}", f"{'; '.join(moves)}, passed {one.passed}"
            each = "-" if stable.one_customer is None else f"{stable.one_customer:.2f}"
            yield (
                f"ranks, {answer}: halves of customers, of permutations, one customer",
                f"{stable.customers:.2f}, {stable.permutations:.2f}, {each}, {stable.same} of 5 the same",
            )
        if self.dataset.name == "browsing":
            with tempfile.TemporaryDirectory() as folder:
                simulate("browsing", SHOP).write(Path(folder))
                true = true_strengths(self.dataset, Path(folder) / "truth.csv", SHOP.horizon_days)
            for answer in ANSWERS:
                yield from _driven(found.answers[answer], true)

    def _ranks(self) -> Iterator[tuple[str, str]]:
        small, large = (
            explain_scores(self.scored, sample=50, permutations=count, progress=QUIET) for count in (2, MANY)
        )
        for answer in ANSWERS:
            one, other = (np.abs(run.answers[answer].values) for run in (small, large))
            overall = agreement(one.mean(axis=0)[None], other.mean(axis=0)[None], other.mean(axis=0)[None])
            each = agreement(one, other, other)
            tops = [
                set(np.argsort(-row)[:5]) & set(np.argsort(-twin)[:5]) for row, twin in zip(one, other, strict=True)
            ]
            shared = np.mean([len(top) for top in tops]) / 5
            yield (
                f"2 against {MANY} permutations, {answer}: top-5 ranks over 50 customers, of each one, parts shared",
                f"{overall:.2f}, {each:.2f}, {shared:.2f}",
            )

    def _asked(self) -> Iterator[tuple[str, str]]:
        with tempfile.TemporaryDirectory() as folder:
            explain(
                self.scored,
                Path(folder),
                sample=300,
                permutations=1,
                progress=QUIET,
            )
            begun = time.perf_counter()
            asking = open_session(self.bundle, Path(folder))
            loaded = time.perf_counter() - begun
        who = sorted(asking.predicted, key=lambda one: -asking.predicted[one])[:50]
        if asking.reads_events:
            begun = time.perf_counter()
            effects = [asking.events(customer) for customer in who]
            each = (time.perf_counter() - begun) / len(who)
            worst = max(one.residual for one in effects)
            share = np.median([abs(one.value - one.start) / one.value for one in effects])
            yield (
                "events of the 50 most valuable, 128 points: worst residual, seconds each, share of value moved",
                f"{worst:.1e}, {each:.2f} s, {share:.0%}",
            )
        what_if, row = asking.what_if, asking.row(who[5])
        parts = what_if.changeable(row)[:4]
        changes = {part: what_if.choices(part)[-1] for part in parts}
        what_if.answer(row, changes)
        begun = time.perf_counter()
        for _ in range(5):
            what_if.answer(row, changes)
        yield (
            "what-if with 4 changed parts; loading model and customers",
            f"{(time.perf_counter() - begun) / 5:.3f} s; {loaded:.2f} s",
        )


def _driven(explanation: Explanation, true: pd.Series) -> Iterator[tuple[str, str]]:
    """Yield where each driver ranks, and how the order goes with that of the true expectation."""
    order = explanation.importance()
    live = order.loc[order["mean_abs"] > 0, "part"].tolist()
    expected = true[true > 0].index.tolist()
    places = [f"{driver} {live.index(part) + 1} ({expected.index(part) + 1})" for driver, part in DRIVERS.items()]
    yield f"rank of {len(live)} live parts (in the true expectation), {explanation.answer}", "; ".join(places)
    third = len(live) // 3
    both = set(live[:third]) & set(expected[:third])
    strengths = order.set_index("part")["mean_abs"].reindex(true.index)
    alike = float(strengths.corr(true, method="spearman"))
    yield (
        f"top third shared with the true expectation, rank correlation, {explanation.answer}",
        (f"{len(both)} of {third}, {alike:.2f}"),
    )


def _file(log: str, folder: Path) -> Path:
    if log == "browsing":
        simulate("browsing", SHOP).write(folder)
        return folder / "events.csv"
    spec = find_spec("lifetimes")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"


def main() -> None:
    """Print the figures as a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, default=Path("build/bench-explain"))
    parser.add_argument("--model", default="blend")
    parser.add_argument("--log", choices=sorted(CURRENCY), default=None)
    options = parser.parse_args()
    print("| log | what | figure |\n|---|---|---|")
    for log in [options.log] if options.log else sorted(CURRENCY):
        for what, figure in Subject.of(Workspace(options.workspace), log, options.model).figures():
            print(f"| {log} | {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
