"""The loop as the command line runs it: train, resume, score, backtest."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextvars import Context
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from clv_core import evaluation, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.saved_scores import Scored, score
from clv_core.errors import NotEnoughData, Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.conftest import SMALL, own_copy


def run(*arguments, timeout=240):
    """Run the command line; return its exit code and the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "clv_core", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_the_holdout_is_measured_beside_the_baselines(small_bundle):
    record = small_bundle.record
    assert set(record.baselines) == {"naive", "bgnbd"}
    assert record.metrics["gini"] > 0.2
    assert (record.train_config.ensemble, record.holdout.networks) == (2, 1)  # the measured fit has half of them
    assert len(small_bundle.model.networks) == 2
    frame = small_bundle.holdout()
    assert set(frame["model"]) == {"hybrid", "naive", "bgnbd"}
    assert frame.groupby("model")["customer_id"].nunique().nunique() == 1


def test_the_holdout_s_actual_values_are_those_of_the_file(small_workspace, small_bundle):
    events = pd.read_csv(small_workspace.root.parent / "log" / "events.csv", parse_dates=["event_time"])
    origin = pd.Timestamp(small_bundle.record.holdout.cutoff)
    inside = events[(events["event_time"] >= origin) & (events["event_time"] < origin + pd.Timedelta(days=90))]
    money = inside[inside["event_type"].isin(["purchase", "return"])].groupby("customer_id")["amount"].sum()
    frame = small_bundle.holdout().query("model == 'hybrid'").set_index("customer_id")["actual"]
    np.testing.assert_allclose(frame, money.reindex(frame.index).fillna(0), atol=1e-6)


@pytest.mark.slow
def test_the_same_seed_gives_identical_weights_and_another_does_not(small_workspace, tmp_path):
    few = dataclasses.replace(SMALL, horizon_days=300, steps=15)  # so long a horizon is not measured

    def weights(run, seed):
        workspace, config = own_copy(small_workspace, tmp_path / run), dataclasses.replace(few, seed=seed)
        return pipeline.train(workspace, "shop", config, progress=NoProgress()).model.state()[0]

    first, again, other = weights("first", 1), weights("again", 1), weights("other", 9)
    assert all(np.array_equal(value, again[name]) for name, value in first.items())
    assert any(not np.array_equal(value, other[name]) for name, value in first.items())


def test_what_comes_after_the_cutoff_changes_no_prediction(small_workspace, tmp_path):
    log = small_workspace.root.parent / "log" / "events.csv"
    events = pd.read_csv(log, dtype=str, keep_default_na=False)
    cutoff = "2023-12-01"
    scores = []
    for name, part in (("whole", events), ("cut", events[events["event_time"] < cutoff])):
        path = tmp_path / f"{name}.csv"
        part.sample(frac=1, random_state=len(scores)).to_csv(path, index=False)
        workspace = Workspace(tmp_path / name)
        ingest(workspace, path, "shop", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
        when = pd.Timestamp(cutoff).date()
        bundle = pipeline.train(
            workspace, "shop", dataclasses.replace(SMALL, steps=15), cutoff=when, progress=NoProgress()
        )
        frame = score(Scored.open(workspace, "shop", bundle.id, cutoff=when), progress=NoProgress())
        scores.append(frame.drop(columns="model"))
    assert scores[0].equals(scores[1])


@pytest.mark.slow
def test_kill_9_at_random_moments_resumes_to_the_same_bits(small_workspace, tmp_path):
    sizes = "ensemble=2 steps=300 cutoffs=2 max_windows=600 batch_size=64 rnn_width=8 mlp_width=16"
    settings = [f"--set={one}" for one in (*sizes.split(), "device=cpu", "processes=2")]
    words = ["train", "shop", "--horizon-days", "90", *settings]
    moments = random.Random(4)
    results = []
    for kills in (0, 2):
        workspace = own_copy(small_workspace, tmp_path / str(kills))
        command = [sys.executable, "-m", "clv_core", *words, "--workspace", str(workspace.root)]
        for _ in range(kills):
            process = subprocess.Popen(
                command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            _wait_for_state(workspace, process)
            time.sleep(moments.uniform(0, 2))
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            assert process.returncode == -signal.SIGKILL, "it had ended before it was killed"
        code, result = run(*words, "--workspace", workspace.root)
        assert code == 0
        assert not list(workspace.runs.iterdir())
        results.append(open_bundle(workspace, result["model"]).model.state()[0])
    assert all(np.array_equal(value, results[1][name]) for name, value in results[0].items())


def test_the_same_run_beside_another_is_refused_and_the_other_is_whole(small_workspace, tmp_path, monkeypatch):
    workspace, measure, met = own_copy(small_workspace, tmp_path), evaluation.measure, []
    config = dataclasses.replace(SMALL, model="naive")

    def meanwhile(log, config, folder, progress):
        (folder.parent / "train.safetensors").write_bytes(b"state")
        with pytest.raises(Refused) as refused:
            Context().run(pipeline.train, workspace, "shop", config, progress=progress)
        met.append((refused.value.code, (folder.parent / "train.safetensors").exists()))
        return measure(log, config, folder, progress)

    monkeypatch.setattr(evaluation, "measure", meanwhile)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    assert met == [("run_going_on", True)] and open_bundle(workspace, bundle.id).record.model == "naive"
    assert not list(workspace.runs.iterdir())


def test_a_short_log_is_trained_but_not_measured(small_workspace, tmp_path):
    workspace = own_copy(small_workspace, tmp_path)
    config = dataclasses.replace(SMALL, horizon_days=300)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    assert bundle.record.holdout is None and bundle.holdout() is None
    assert bundle.record.trust.verdict == "caution"
    assert [reason.code for reason in bundle.record.trust.reasons] == [
        "reason.unvalidated",
        "reason.horizon_too_long",
        "reason.few_known_buyers",
    ]


def test_a_horizon_longer_than_the_log_is_refused_with_the_longest_possible(small_workspace):
    with pytest.raises(NotEnoughData) as error:
        pipeline.train(small_workspace, "shop", TrainConfig(horizon_days=2000), progress=NoProgress())
    assert error.value.code == "horizon_too_long"
    assert not [path for path in small_workspace.runs.iterdir() if any(path.iterdir())]


def test_a_cutoff_with_no_room_before_it_is_said_to_be_too_early(small_workspace):
    early = open_dataset(small_workspace, "shop").log_end - timedelta(days=535)
    config = TrainConfig(horizon_days=90, model="bgnbd")
    with pytest.raises(NotEnoughData) as error:
        pipeline.train(small_workspace, "shop", config, cutoff=early, progress=NoProgress())
    assert error.value.code == "log_too_short" and "later cutoff" in error.value.message()


@pytest.mark.slow
def test_score_and_backtest_by_the_command_line(small_workspace, small_bundle, tmp_path):
    where = ("--workspace", small_workspace.root)
    code, result = run("score", "shop", "--model", small_bundle.id, "--out", tmp_path / "s.csv", *where)
    assert code == 0
    frame = pd.read_csv(tmp_path / "s.csv", dtype={"customer_id": str})
    assert len(frame) == result["customers"] and not frame.isna().any().any()
    words = ("backtest", "shop", "--horizon-days", "90", "--origins", "1", "--models", "bgnbd,naive")
    code, result = run(*words, "--out", tmp_path / "b", *where)
    assert code == 0 and len(result["origins"]) == 1
    board = pd.read_csv(tmp_path / "b" / "scoreboard.csv")
    assert list(board.columns[:4]) == ["origin", "model", "metric", "value"]
    assert {"low", "high"} <= set(board.columns)
    predictions = pd.read_parquet(tmp_path / "b" / "predictions.parquet")
    assert {"origin", "actual"} <= set(predictions.columns)


def _wait_for_state(workspace, process):
    """Wait until a network's state or weights are on disk, or the run has ended."""
    while process.poll() is None and not list(workspace.runs.glob("*/*/*-1.safetensors")):
        time.sleep(0.05)
