"""A kept explanation can be asked more: the same answers as the scores, what-if, and events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import ExplanationSession, open_session
from clv_core.errors import NotFound
from clv_core.evaluation.explain.events import event_effects
from clv_core.evaluation.explain.parts import PARTS
from clv_core.evaluation.explain.whatif import WhatIf, direction
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.model.calibrated import Level
from clv_core.model.read_steps import reads_steps
from clv_core.strategy.explanation_files import explain
from clv_core.workspace import Workspace
from tests.conftest import SMALL, own_copy

pytestmark = pytest.mark.first(4)


@pytest.fixture(scope="module", params=["hybrid", "blend", "bgnbd", "paretonbd"])
def asking(
    request: pytest.FixtureRequest, small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> ExplanationSession:
    config = replace(SMALL, model=request.param, steps=15, max_steps_back=8)
    workspace = own_copy(small_workspace, tmp_path_factory.mktemp("asking"))
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    folder = tmp_path_factory.mktemp("why")
    explain(Scored.open(workspace, "shop", bundle.id), folder, sample=40, permutations=1, progress=NoProgress())
    return open_session(bundle, folder)


@pytest.mark.examples(1)
def test_a_few_customers_on_disk_are_scored_as_among_all(asking: ExplanationSession) -> None:
    own = asking.what_if.own[:, 0]
    known = [asking.predicted[str(customer)] for customer in asking.what_if.pool.features.index]
    np.testing.assert_allclose(own, known, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(asking.what_if.own[:, 1] * asking.what_if.own[:, 2], own, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("part", ["recent_spend", "spend", "purchases"])
def test_what_if_takes_the_part_from_those_who_have_the_reading(asking: ExplanationSession, part: str) -> None:
    what_if, features = asking.what_if, asking.what_if.pool.features
    row = int(np.argsort(what_if.own[:, 0])[30])
    np.testing.assert_allclose(what_if.answer(row, {}), what_if.own[row], rtol=1e-5)
    reading = what_if.readings[part].reset_index(drop=True)
    wanted = float(reading.quantile(0.75))
    table = pd.DataFrame({"far": (reading - wanted).abs(), "apart": np.abs(what_if.own[:, 0] - what_if.own[row, 0])})
    near = table.dropna().sort_values(["far", "apart"], kind="stable").head(15)
    near = near[near["far"] <= near["far"].min() + 0.05 * np.ptp(table["far"].dropna())]
    donors = np.resize(near.sort_values("apart", kind="stable").index[:5], 5)
    columns = next(one.features for one in what_if.mixer.parts if one.id == part)
    copies = what_if.pool.take(np.full(5, row))
    changed = copies.features.assign(**{name: features[name].to_numpy()[donors] for name in columns})
    expected = what_if.predict(replace(copies, table=changed)).mean(axis=0)
    np.testing.assert_allclose(what_if.answer(row, {part: wanted}), expected, rtol=1e-5)


def test_what_the_steps_say_of_a_part_changes_along(asking: ExplanationSession) -> None:
    """A model that reads nothing but the day of the latest step hears of the change as one of the table would."""
    pool = asking.what_if.pool
    seen = pool.features["days_since_any"].to_numpy(np.float64)

    def silent(some: Snapshot) -> np.ndarray:
        last = some.windows.steps.day[some.windows.stop - 1]
        return np.asarray(some.cutoff_day - last, np.float64)[:, None]

    what_if = WhatIf(silent, pool, pd.DataFrame({**asking.what_if.readings, "timing": seen}))
    np.testing.assert_array_equal(what_if.own[:, 0], seen)
    for wanted in np.quantile(seen, [0.1, 0.5, 0.9]):
        assert abs(what_if.answer(3, {"timing": wanted})[0] - wanted) <= 0.1 * np.ptp(seen)
    assert what_if.answer(3, {"spend": 1.0})[0] == seen[3]


def test_events_add_up_to_the_value_and_the_latest_are_named(asking: ExplanationSession) -> None:
    pool = asking.what_if.pool
    if not asking.reads_events:
        assert not reads_steps(asking.model)
        return
    fine_and_coarse = []
    for customer in pool.features.index[[5, 20, 35]].astype(str):
        found = asking.events(customer)
        assert found.residual < 1e-3, "128 points are 0.1% off at most"
        assert found.value == pytest.approx(asking.predicted[customer])
        row = asking.row(customer)
        last = int(pool.windows.stop[row]) - 1
        assert (found.events["day"].iloc[-1] - np.datetime64("1970-01-01")).days == pool.windows.steps.day[last]
        assert set(found.kinds) == {part.id for part in PARTS if part.in_steps}
        coarse = event_effects(asking.model, pool.take(np.array([row])), pool, found.value, path_steps=1)
        fine_and_coarse.append((found.residual, coarse.residual))
    # A short path is straight, and both residuals are float32's last digits: the one whose path bends most tells.
    fine, rough = np.array(fine_and_coarse).max(axis=0)
    assert rough > 10 * fine, "one point says less of the way than 128"


def test_with_average_events_nothing_moves(asking: ExplanationSession) -> None:
    """A customer who is compared with herself alone has average events, where she has but one."""
    if not asking.reads_events:
        pytest.skip("no sequence branch")
    pool = asking.what_if.pool
    single = np.flatnonzero(pool.windows.stop - pool.windows.start == 1)
    assert len(single)
    alone = pool.take(single[:1])
    customer = str(alone.features.index[0])
    found = event_effects(asking.model, alone, alone, asking.predicted[customer])
    assert np.abs(found.effects).max() < 1e-6 * max(found.value, 1) and found.start == pytest.approx(found.value)


def test_events_of_one_whom_the_networks_put_above_the_bound_add_up(asking: ExplanationSession) -> None:
    """The level may bring her below it: her value is then not the bound's."""
    if not asking.reads_events:
        pytest.skip("no sequence branch")
    pool = asking.what_if.pool
    row = int(np.argmax(asking.what_if.own[:, 0]))
    one, plain = pool.take(np.array([row])), float(asking.model.read(pool).mean[row])
    deep = getattr(asking.model, "deep", asking.model)
    bounded = replace(deep, largest=plain / 3 / 2)
    model = bounded if deep is asking.model else replace(asking.model, deep=bounded)
    said = float(model.expected(one, {int(one.cutoff_day[0]): Level(0.25)})[1][0])
    assert said == pytest.approx(plain / 4, rel=1e-4) and model.read(one).largest < plain
    assert event_effects(model, one, pool, said).residual < 1e-3


def test_whoever_was_not_explained_is_refused(asking: ExplanationSession, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        asking.events("nobody") if asking.reads_events else asking.row("nobody")
    assert caught.value.code == "customer_not_explained"


def test_directions_are_said_of_steady_curves_only() -> None:
    def way(*answer: float) -> str:
        return direction(pd.DataFrame({"reading": np.arange(len(answer), dtype=float), "answer": answer}))

    assert way(1, 2, 3, 8) == "up" and way(9, 4, 3, 3.1) == "down"
    assert way(5, 5.01, 5, 5.02) == "flat" and way(1, 5, 1, 5) == "mixed"
    assert direction(pd.DataFrame({"reading": ["DE", "FR"], "answer": [1.0, 9.0]})) == "mixed"
