"""Whether a network gives away who was in its training: one that learned by heart does, and is caught."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import measure, run_origin
from clv_core.evaluation.membership import Memory
from clv_core.features.log import EventLog, open_log
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.membership import NETWORKS, Apart, keep_apart, losses_in_and_out, window_losses
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.conftest import SMALL

PLANTED, REFERENCES = 20, 120
BY_HEART = TrainConfig(
    horizon_days=180, model="mlp", cutoffs=3, partial_windows=False, steps=1500, ensemble=1, processes=1, dropout=0.0,
    branch_dropout=0.0, weight_decay=0.0, learning_rate=5e-3, mlp_width=128, batch_size=128,
)  # fmt: skip


def canaries(end: date) -> pd.DataFrame:
    """Return customers with orders of up to a thousand times the usual size, at days and in numbers of their own."""
    rng, rows = np.random.default_rng(3), []
    for number in range(PLANTED + REFERENCES):
        days = rng.choice(530, rng.integers(5, 14), replace=False)
        for day, amount in zip(days, np.exp(rng.normal(7, 1.5, len(days))).round(2), strict=True):
            time = f"{end - timedelta(days=int(day) + 1)}T12:00:00"
            rows.append({"customer_id": f"canary-{number:03d}", "event_time": time, "amount": amount})
    return pd.DataFrame(rows).assign(event_type="purchase")


@pytest.fixture(scope="module")
def buyers(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Windows of some 460 buyers, and of the canaries."""
    folder = tmp_path_factory.mktemp("buyers")
    simulate("browsing", SimulationPlan(1500, 540, 1, 180)).write(folder / "log")
    path = folder / "log" / "events.csv"
    events = pd.read_csv(path, dtype=str)
    end = date.fromisoformat(str(events["event_time"].max())[:10])
    pd.concat([events, canaries(end).astype(str)]).to_csv(path, index=False)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, path, "shop", progress=NoProgress(), mapping={}, timezone="UTC", currency="EUR")
    log = open_log(open_dataset(workspace, "shop"))
    train = training_data(log, log.end, BY_HEART, NoProgress())
    bought = train.features.index[train.bought]
    return train.take(np.flatnonzero(train.features.index.isin(bought)))


@pytest.fixture(scope="module")
def by_heart(buyers: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The loss of each customer, and whether she was among the 300 whom a network learned by heart."""
    ids = sorted(set(buyers.features.index))
    ordinary = [one for one in ids if not one.startswith("canary")]
    planted = [f"canary-{number:03d}" for number in range(PLANTED)]
    learned = {*np.random.default_rng(0).permutation(ordinary)[: 300 - PLANTED], *planted}
    inside = buyers.features.index.isin(list(learned))
    apart = Apart(buyers.take(np.flatnonzero(inside)), buyers, inside)
    task = FitTask(apart.rest, BY_HEART, tmp_path_factory.mktemp("run"), NoProgress(), "training")
    model = MODELS["mlp"].fit(task).model
    losses = pd.Series(window_losses(model, buyers), buyers.features.index).groupby(level=0).mean()
    frame = pd.DataFrame({"loss": losses, "member": losses.index.isin(list(learned))})
    found = losses_in_and_out(model, apart, BY_HEART)
    for part, member in zip(found, (True, False), strict=True):
        np.testing.assert_allclose(np.sort(part), np.sort(frame.loc[frame["member"] == member, "loss"]), rtol=1e-6)
    return frame


def memory_of(frame: pd.DataFrame) -> Memory:
    return Memory.of(*(frame.loc[frame["member"] == member, "loss"].to_numpy(np.float64) for member in (True, False)))


def test_a_network_overtrained_on_300_customers_gives_them_away(by_heart: pd.DataFrame) -> None:
    found = memory_of(by_heart[~by_heart.index.str.startswith("canary")])
    assert found.members == 300 - PLANTED and found.nonmembers > 100
    assert found.auc > 0.7 and found.low > 0.6 and found.outcome == "clear"
    assert found.tpr_at_1pct is not None and found.tpr_at_1pct > 0.05


def test_labels_that_say_nothing_give_nobody_away(by_heart: pd.DataFrame) -> None:
    rng, holds = np.random.default_rng(5), 0
    for _ in range(200):
        found = memory_of(by_heart.assign(member=rng.permutation(by_heart["member"])))
        holds += found.low <= 0.5 <= found.high
    assert 180 <= holds <= 199  # 95% of 200, within 3 standard deviations


def test_planted_customers_are_recognised_among_their_like(by_heart: pd.DataFrame) -> None:
    """Canaries that were never in the training are the false alarms, as in Carlini et al. (2019), arXiv 1802.08232."""
    found = memory_of(by_heart[by_heart.index.str.startswith("canary")])
    assert (found.members, found.nonmembers) == (PLANTED, REFERENCES)
    assert found.auc > 0.9 and found.tpr_at_1pct is not None and found.tpr_at_1pct >= 0.3


@pytest.fixture(scope="module")
def log(small_workspace: Workspace) -> EventLog:
    return open_log(open_dataset(small_workspace, "shop"))


def test_who_is_kept_apart_is_in_no_window_that_is_learned_from_and_differs_in_nothing_else(log: EventLog) -> None:
    train = training_data(log, log.end - timedelta(days=90), SMALL, NoProgress())
    apart = keep_apart(train, SMALL)
    assert apart is not None
    everyone, out = set(train.features.index), set(apart.tried.features.index[~apart.is_member])
    assert len(out) == min(100, len(everyone) // 10) and set(apart.rest.features.index) == everyone - out
    assert set(apart.tried.features.index) == everyone and len(apart.rest) + (~apart.is_member).sum() == len(train)
    again = keep_apart(train, dataclasses.replace(SMALL, seed=SMALL.seed + 1))
    assert again is not None and set(again.tried.features.index[~again.is_member]) != out
    few = train.take(np.flatnonzero(train.features.index.isin(sorted(everyone)[:299])))
    assert keep_apart(few, SMALL) is None and keep_apart(train, dataclasses.replace(SMALL, model="lightgbm")) is None


@pytest.mark.examples(2)
@pytest.mark.parametrize("model", NETWORKS)
def test_the_measured_fit_of_every_network_is_tried_and_says_nothing_of_others(
    log: EventLog, model: str, tmp_path: Path
) -> None:
    config = dataclasses.replace(SMALL, model=model)
    origin, _ = measure(log, config, tmp_path / "tried", NoProgress())
    assert origin is not None and origin.memory is not None
    memory = origin.memory
    assert memory.low <= memory.auc <= memory.high and memory.low < 0.6
    plain = run_origin(log, origin.cutoff, config, [model], tmp_path / "plain", NoProgress(), "holdout")
    assert plain.memory is None and origin.train_windows < plain.train_windows
