"""A challenger replaces the champion only where it is surely better; what is better is known here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core import audit, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import REFERENCE, list_bundles, open_bundle
from clv_core.deployment.dataset_scoring import score_customers
from clv_core.deployment.registry import Registry
from clv_core.errors import Message, Refused
from clv_core.evaluation.bootstrap import Estimate
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.monitoring.drift.drift_reference import reference_of
from clv_core.monitoring.retraining import JUDGED, MetricPair, Outcome, early, equal
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny
from tests.monitoring.steady_shop import changed_from, day_after, dearer, steady_log, write_log
from tests.records import model_record

pytestmark = pytest.mark.slow

CUTOFF = day_after(240)
CONFIG = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)


def shop(folder: Path, *, change: bool) -> Workspace:
    events = steady_log(1000 if change else 400, 400, seed=5)
    events = events[events["event_type"].isin(["purchase", "return"])]
    if change:
        events = changed_from(events, CUTOFF, lambda late: dearer(late, 5.0))
    work = Workspace(folder / "workspace")
    ingest(work, write_log(events, folder / "events.csv"), "shop", currency="EUR")
    return work


def train(work: Workspace, config: TrainConfig = CONFIG) -> str:
    return pipeline.train(work, "shop", config, cutoff=CUTOFF, progress=NoProgress()).id


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return shop(tmp_path_factory.mktemp("steady"), change=False)


@pytest.fixture(scope="module")
def champion(steady: Workspace) -> str:
    return train(steady)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop in which everything became dearer after its champion was trained; another model is registered too."""
    work = shop(tmp_path_factory.mktemp("changed"), change=True)
    train(work, replace(CONFIG, model="lightgbm"))
    Registry(work).register(tiny.save(work, 2, "shop"))
    return work


class Promotes(NoProgress):
    """Promotes another model while the challenger is trained."""

    def __init__(self, work: Workspace) -> None:
        self.work = work

    def report(self, *_: Any, **__: Any) -> None:
        Registry(self.work).promote("shop", 2)


@pytest.mark.parametrize(
    ("promote", "meanwhile", "outcome"), [(True, False, "promoted"), (False, False, "better"), (True, True, "stays")]
)
def test_a_surely_better_challenger_replaces_only_whom_it_was_held_against_and_only_where_it_may(
    changed: Workspace, tmp_path: Path, promote: bool, meanwhile: bool, outcome: str
) -> None:
    shutil.copytree(changed.root, tmp_path / "work")
    work, registry = Workspace(tmp_path / "work"), Registry(Workspace(tmp_path / "work"))
    champion, other = (registry.version("shop", number).bundle for number in (1, 2))
    progress = Promotes(work) if meanwhile else NoProgress()
    found = pipeline.retrain(work, "shop", champion, promote=promote, progress=progress)
    speaking = registry.champion("shop")
    assert speaking is not None and (found.outcome, found.champion) == (outcome, champion)
    assert speaking.bundle == {"promoted": found.challenger, "better": champion, "stays": other}[outcome]
    noted = [line["version"] for line in audit.lines(work) if line["action"] == "models promote"]
    assert set(noted) == (set() if outcome == "better" else {speaking.number})
    words = {"promoted": "已启用", "better": "", "stays": ""}[outcome]
    assert words in found.why.text("zh") and "{" not in found.why.text("zh")

    dataset, held = open_dataset(work, "shop"), open_bundle(work, found.challenger).holdout()
    assert held is not None
    theirs, origin = held[held["model"] == "lightgbm"].set_index("customer_id"), date.fromisoformat(found.origin)
    scores = score_customers(open_bundle(work, champion), dataset, cutoff=origin, progress=NoProgress())
    ours = scores.set_index("customer_id")["predicted_clv"]
    figures = {one.metric: one for one in found.figures}
    assert set(figures) == set(JUDGED) and found.customers == len(theirs)
    off = ours - theirs["actual"], theirs["predicted_clv"] - theirs["actual"]
    assert figures["rmse"].champion == pytest.approx(np.sqrt((off[0] ** 2).mean()))
    one_start = np.sqrt((off[1] ** 2).mean())
    assert found.starts == 3 and figures["rmse"].challenger == pytest.approx(one_start, rel=0.01)
    own = open_bundle(work, found.challenger).record.metrics  # of one start, and of the same customers
    assert own["rmse"] == pytest.approx(one_start) and own["bias"] == pytest.approx(
        theirs["predicted_clv"].sum() / theirs["actual"].sum() - 1
    )
    bias = ours.sum() / theirs["actual"].sum() - 1  # of both: the level comes from the log as of the origin
    assert figures["bias"].champion == pytest.approx(bias)
    assert figures["bias"].challenger == pytest.approx(
        bias, rel=0.03
    )  # customers silent for too long keep a floor each


def test_a_missing_reference_is_made_of_the_dataset(steady: Workspace, champion: str, tmp_path: Path) -> None:
    bundle, dataset = open_bundle(steady, champion), open_dataset(steady, "shop")
    sums = {name: value for name, value in bundle.record.checksums.items() if name not in REFERENCE}
    bare = replace(bundle, record=replace(bundle.record, checksums=sums))
    made = reference_of(bare, dataset, tmp_path, NoProgress())
    trained = reference_of(bundle, dataset, tmp_path / "other", NoProgress())
    assert (trained.source, made.source) == ("training", "dataset")
    assert made.histograms == trained.histograms and made.bins == trained.bins
    for kind, before in trained.profiles.items():
        pd.testing.assert_frame_equal(made.profiles[kind].counts, before.counts, check_dtype=False)
        assert made.profiles[kind].periods == before.periods
    again = reference_of(bare, dataset, tmp_path, NoProgress())
    assert again.source == "dataset" and again.histograms == made.histograms


def test_a_reference_that_was_changed_is_refused(steady: Workspace, champion: str, tmp_path: Path) -> None:
    folder = tmp_path / champion
    shutil.copytree(open_bundle(steady, champion).folder, folder)
    path = folder / "reference.json"
    path.write_text(path.read_text().replace('"training"', '"nothing"'))
    changed = replace(open_bundle(steady, champion), folder=folder)
    with pytest.raises(Refused, match="reference.json"):
        reference_of(changed, open_dataset(steady, "shop"), tmp_path / "kept", NoProgress())


def test_the_champion_stays_where_nothing_changed(steady: Workspace, champion: str) -> None:
    found = pipeline.retrain(steady, "shop", champion, progress=NoProgress())
    assert found.outcome == "stays" and len(list_bundles(steady)) == 2
    assert equal(found.figures) and found.why.code == "retrain.nothing_learned"  # BG/NBD is fitted at each prediction
    registry = Registry(steady)
    speaking, challenger = registry.champion("shop"), registry.challenger("shop")
    assert speaking is not None and speaking.bundle == champion
    assert challenger is not None and challenger.bundle == found.challenger
    assert not any(one.better for one in found.figures) or any(one.worse for one in found.figures)
    log_end = open_dataset(steady, "shop").log_end
    again = pipeline.retrain(steady, "shop", champion, every_days=7, progress=NoProgress())
    is_early(again, log_end + timedelta(days=7))
    assert again.why.code == "retrain.resting" and len(list_bundles(steady)) == 2
    registry.promote("shop", challenger.number)
    soon = pipeline.retrain(steady, "shop", found.challenger, progress=NoProgress())
    is_early(soon, log_end + timedelta(days=60))
    assert len(list_bundles(steady)) == 2


@pytest.mark.parametrize(
    ("passed", "code", "since"), [(59, "retrain.early", 60), (60, "retrain.same", 61), (61, None, None)]
)
def test_a_model_is_not_held_against_itself(passed: int, code: str | None, since: int | None) -> None:
    """One horizon after the cutoff, what a challenger is measured by is trained on what the champion was trained on."""
    record = model_record(horizon_days=60, cutoff=CUTOFF.isoformat())
    bundle: Any = SimpleNamespace(id="champion", untrained=False, record=record)
    dataset: Any = SimpleNamespace(log_end=CUTOFF + timedelta(days=passed))
    found = early(bundle, dataset)
    assert (found and found.why.code) == code
    if found is not None and since is not None:
        is_early(found, CUTOFF + timedelta(days=since))


def is_early(found: Outcome, since: date) -> None:
    assert (found.outcome, found.challenger, found.figures) == ("early", "", ())
    assert found.why.params["since"] == since.isoformat()
    assert all("{" not in found.why.text(language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "better", "worse"),
    [
        ("gini", 0.02, 0.01, 0.03, True, False),
        ("gini", 0.02, -0.01, 0.05, False, False),  # unsure
        ("gini", 0.001, 0.0005, 0.0015, False, False),  # sure, and too little
        ("rmse", -2.0, -3.0, -1.0, False, True),
        ("rmse", -0.2, -0.3, -0.1, False, False),  # 0.2% of 100
        ("bias", -0.05, -0.1, -0.01, False, True),
        ("bias", 0.15, 0.05, 0.25, False, False),  # luck that moves all customers of one span does as much
        ("bias", 0.4, 0.2, 0.6, True, False),
    ],
)
def test_a_difference_must_be_sure(
    metric: str, value: float, low: float, high: float, better: bool, worse: bool
) -> None:
    figure = MetricPair(metric, 100.0 if metric == "rmse" else 0.5, 0.0, Estimate(value, low, high))
    assert (figure.better, figure.worse) == (better, worse)


def test_what_got_worse_is_said_though_it_may_be_chance() -> None:
    """An error of the total from +1.0% to −3.3% stood under "worse in none"."""
    gini = MetricPair("gini", 0.442, 0.749, Estimate(0.308, 0.272, 0.344))
    rmse = MetricPair("rmse", 71.6, 71.5, Estimate(0.1, -0.2, 0.4))
    bias = MetricPair("bias", 0.0103, -0.0333, Estimate(-0.023, -0.071, 0.138))
    why = Message("retrain.promoted", {"origin": "2025-04-02", "customers": 19413})
    found = Outcome("promoted", "old", "new", why, "2025-04-02", 19413, (gini, rmse, bias), 3)
    assert found.losses("en") == ["Worse, though it may be chance: Error of the total (bias) went from +1.0% to −3.3%."]
    for language in LANGUAGES:
        message = found.to_json(language)["why"]["message"]
        assert message.startswith(why.text(language)) and "−3.3%" in message and "0.749" not in message
    near = replace(bias, challenger=-0.02, advantage=Estimate(-0.0097, -0.06, 0.04))  # less than a point: no matter
    assert replace(found, figures=(gini, rmse, near)).losses("en") == []
    surely = replace(rmse, challenger=80.0, advantage=Estimate(-8.4, -9.0, -7.0))
    said = replace(found, outcome="stays", figures=(surely, bias)).losses("en", "EUR")
    assert said[0] == "Clearly worse: Typical error (RMSE) went from 71.6 EUR to 80 EUR." and len(said) == 2
    assert Outcome.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("challenger", "low", "high", "same"),
    [(0.5, 0.0, 0.0, True), (0.5, -0.01, 0.01, False), (0.5 + 1e-12, 0.0, 0.0, False)],
)
def test_models_are_equal_only_where_no_figure_and_no_resample_differs(
    challenger: float, low: float, high: float, same: bool
) -> None:
    alike = MetricPair("gini", 0.5, 0.5, Estimate(0.0, 0.0, 0.0))
    assert equal([alike, MetricPair("bias", 0.5, challenger, Estimate(0.0, low, high))]) is same
    assert not equal([])
