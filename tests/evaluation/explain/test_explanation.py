"""Explanations of toy models on a small snapshot, where what each part adds is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clv_core.errors import ClvError, NotFound
from clv_core.evaluation.explain.explanation import Explanation, ExplanationTask, explain
from clv_core.evaluation.explain.mix import Mixer
from clv_core.evaluation.explain.parts import PARTS, background_rows, parts_of, sample_rows
from clv_core.evaluation.explain.saved_explanations import load_explanation, save_explanation, waterfall_json
from clv_core.features.behaviour import FEATURES
from clv_core.features.labels import group_label, label
from clv_core.features.sequences import STEP_CODES, STEP_VALUES
from clv_core.features.signals import SignalColumn
from clv_core.features.snapshot import Snapshot
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress

Floats = NDArray[np.float64]
PART = {part.id: number for number, part in enumerate(PARTS)}
STEPS = [part.id for part in PARTS if part.in_steps]


def linear(snapshot: Snapshot) -> Floats:
    features = snapshot.features
    return np.asarray(10 + 2 * features["net_value_90d"] + 3 * features["views_30d"] + 0.5 * features["tenure"])


def sequential(snapshot: Snapshot) -> Floats:
    """A model that reads every channel of the sequence, and when it began, beyond the window too."""
    windows, steps = snapshot.windows, snapshot.windows.steps
    channels = np.column_stack([np.nan_to_num(steps.values), steps.codes + 1.0, steps.gap_days])
    age = windows.cutoff_day[0] - steps.day
    totals = np.concatenate([[0.0], np.cumsum(channels.sum(axis=1) / np.maximum(age, 1))])
    first = steps.offsets[np.searchsorted(steps.offsets, windows.start, side="right") - 1]
    span = windows.cutoff_day - steps.day[first]
    return np.asarray(totals[windows.stop] - totals[windows.start] + 0.1 * span + linear(snapshot))


def test_every_feature_and_channel_belongs_to_exactly_one_part() -> None:
    assert sorted(name for part in PARTS for name in part.features) == sorted(FEATURES)
    assert sorted(name for part in PARTS for name in part.values) == sorted(STEP_VALUES)
    assert sorted(name for part in PARTS for name in part.codes) == sorted(STEP_CODES)
    assert [part.id for part in PARTS if part.timing] == ["timing"]


def test_a_log_s_own_columns_are_in_the_part_of_their_group_or_in_one_of_their_own(snapshot: Snapshot) -> None:
    own = {**snapshot.signals, "attribute:club": SignalColumn("attributes", "category")}
    assert set(snapshot.signals) == {"review_text"}
    parts = {part.id: part for part in parts_of(replace(snapshot, signals=own))}
    assert parts["attributes"].features == ("attribute:club",) and list(parts) == [*PART, "attributes"]
    assert parts["ratings"].features[-1] == "review_text"
    assert parts["ratings"].features[:-1] == PARTS[PART["ratings"]].features


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_has_a_name_and_something_to_read(language: str) -> None:
    assert len({group_label(part.id, language) for part in PARTS}) == len(PARTS)
    assert all(label(part.features[0], language) for part in PARTS)


def test_a_customer_mixed_from_itself_is_itself(snapshot: Snapshot) -> None:
    assert (snapshot.windows.stop - snapshot.windows.start == 12).sum() > 10
    mixer = Mixer(snapshot)
    for origins in (np.repeat(np.arange(len(snapshot))[:, None], len(parts_of(snapshot)), axis=1), mixer.codes):
        again = mixer.snapshot(origins)
        np.testing.assert_allclose(sequential(again), sequential(snapshot), rtol=1e-12)
        for name in snapshot.described:
            theirs = pd.Series(snapshot.features[name].to_numpy())
            pd.testing.assert_series_equal(pd.Series(again.features[name].to_numpy()), theirs, check_names=False)


def test_mixed_customers_of_the_same_steps_share_them(snapshot: Snapshot) -> None:
    mixer = Mixer(snapshot)
    origins = np.random.default_rng(5).integers(len(snapshot), size=(60, len(parts_of(snapshot))))
    for part in STEPS:
        origins[:, PART[part]] = np.repeat([3, 8, 3], 20)
    windows = mixer.snapshot(origins).windows
    assert len(set(windows.start.tolist())) == 2 and len(windows.steps.day) <= 2 * 13
    np.testing.assert_array_equal(windows.start[:20], windows.start[40:])
    apart = np.concatenate([sequential(mixer.snapshot(row[None])) for row in origins])
    np.testing.assert_allclose(sequential(mixer.snapshot(origins)), apart, rtol=1e-12)
    ordered = origins[mixer.side_by_side(origins)][:, PART["timing"]]
    assert np.count_nonzero(np.diff(ordered)) == 1


def test_each_part_comes_from_its_origin_aligned_at_the_latest_step(snapshot: Snapshot) -> None:
    windows, steps = snapshot.windows, snapshot.windows.steps
    length = windows.stop - windows.start
    timing, donor = int(np.flatnonzero(length == 12)[0]), int(np.flatnonzero(length == 5)[0])
    origins = np.full((1, len(parts_of(snapshot))), timing)
    origins[0, PART["basket"]] = origins[0, PART["recent_spend"]] = donor
    mixed = Mixer(snapshot).snapshot(origins)
    inside = slice(int(mixed.windows.start[0]), int(mixed.windows.stop[0]))
    own = slice(int(windows.start[timing]), int(windows.stop[timing]))
    np.testing.assert_array_equal(mixed.windows.steps.day[inside], steps.day[own])
    np.testing.assert_array_equal(mixed.windows.steps.codes[inside], steps.codes[own])
    rating, amount = STEP_VALUES.index("rating"), STEP_VALUES.index("amount")
    np.testing.assert_array_equal(mixed.windows.steps.values[inside, rating], steps.values[own, rating])
    theirs = steps.values[windows.start[donor] : windows.stop[donor], amount]
    expected = np.concatenate([theirs[-2:], theirs, theirs])
    np.testing.assert_array_equal(mixed.windows.steps.values[inside, amount], expected)
    for name in ("net_value_30d", "basket_value_mean"):
        assert mixed.features[name].iloc[0] == snapshot.features[name].iloc[donor]
    assert mixed.features["net_value"].iloc[0] == snapshot.features["net_value"].iloc[timing]


def test_a_pool_of_two_cutoffs_is_no_pool(snapshot: Snapshot) -> None:
    days = snapshot.cutoff_day.copy()
    days[0] -= 1
    with pytest.raises(ValueError, match="one cutoff"):
        Mixer(replace(snapshot, windows=replace(snapshot.windows, cutoff_day=days)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_background_stands_for_all_in_each_answer(seed: int) -> None:
    """Sentences call its mean that of the average customer, whichever answer they speak of."""
    random = np.random.default_rng(seed)
    chance, worth = random.beta(0.4, 3, 5000), random.lognormal(3, 1, 5000)
    answers = np.column_stack([chance * worth, chance, worth])
    rows, of_one = background_rows(answers, seed), background_rows(answers[:, 0], seed)
    assert len(set(rows.tolist())) == len(set(of_one.tolist())) == 20
    np.testing.assert_allclose(answers[rows].mean(axis=0), answers.mean(axis=0), rtol=0.03)
    off = np.abs(answers[of_one].mean(axis=0) / answers.mean(axis=0) - 1)
    assert off[0] < 0.05 and off.max() > 0.03
    assert background_rows(answers, seed).tolist() == rows.tolist() != background_rows(answers, seed + 1).tolist()
    assert sorted(background_rows(np.arange(3.0), seed)) == [0, 1, 2]


def test_the_sample_is_spread_over_the_ranking() -> None:
    predicted = np.random.default_rng(1).lognormal(3, 1.5, 5000)
    rows = sample_rows(predicted, 1, 100)
    ranks = np.sort(np.argsort(np.argsort(predicted))[rows])
    assert len(set(rows.tolist())) == 100 and (np.diff(rows) > 0).all()
    assert np.abs(np.diff(ranks) - 50).max() <= 1
    assert sample_rows(predicted, 1, 9999).tolist() == list(range(5000))


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> Explanation:
    predicted = sequential(snapshot)
    rows = sample_rows(predicted, 1, 60)
    return explain(ExplanationTask(sequential, snapshot, predicted, rows), progress=NoProgress())["predicted_clv"]


def test_a_linear_model_gives_each_part_its_own_difference(snapshot: Snapshot) -> None:
    features, predicted = snapshot.features, linear(snapshot)
    rows, compared = sample_rows(predicted, 1, 60), background_rows(predicted, 1)
    found = explain(ExplanationTask(linear, snapshot, predicted, rows), permutations=1, progress=NoProgress())[
        "predicted_clv"
    ]
    names = {"recent_spend": (2, "net_value_90d"), "actions": (3, "views_30d"), "age": (0.5, "tenure")}
    for part, (weight, name) in names.items():
        values = weight * features[name].to_numpy()
        expected = values[rows] - values[compared].mean()
        np.testing.assert_allclose(found.values[:, PART[part]], expected, rtol=1e-9, atol=1e-9)
    others = [number for part, number in PART.items() if part not in names]
    assert np.abs(found.values[:, others]).max() < 1e-9
    strength = {part: np.abs(found.values[:, PART[part]]).mean() for part in names}
    assert found.importance()["part"].tolist()[:3] == sorted(names, key=lambda part: -strength[part])


def test_base_and_parts_add_up_to_the_prediction_and_every_channel_counts(found: Explanation) -> None:
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.predicted, rtol=1e-9)
    for part in STEPS:
        assert np.abs(found.values[:, PART[part]]).max() > 0, part
    share = found.importance()["share"]
    assert share.sum() == pytest.approx(1) and share.is_monotonic_decreasing


def test_a_model_that_does_not_say_what_was_predicted_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(ClvError) as caught:
        explain(ExplanationTask(linear, snapshot, linear(snapshot) * 1.01, np.arange(5)), progress=NoProgress())
    assert caught.value.code == "explanation_off" and caught.value.message("zh")


def test_a_waterfall_leads_from_the_base_to_the_prediction(snapshot: Snapshot, found: Explanation) -> None:
    who = found.customer_ids[7]
    steps = found.waterfall(who)
    assert steps["start"].iloc[0] == pytest.approx(found.base, rel=1e-12)
    assert steps["end"].iloc[-1] == pytest.approx(found.predicted[7])
    np.testing.assert_allclose(steps["start"].iloc[1:], steps["end"].iloc[:-1])
    assert steps["value"].abs().is_monotonic_decreasing
    reading = dict(zip(steps["representative"], steps["reading"], strict=True))
    for name in ("net_value_90d", "views_30d"):
        if name in reading:
            assert reading[name] == snapshot.features.loc[who, name]
    with pytest.raises(NotFound):
        found.waterfall("nobody")


def test_the_beeswarm_holds_every_value_with_its_reading(snapshot: Snapshot, found: Explanation) -> None:
    swarm = found.beeswarm()
    assert len(swarm) == 60 * len(parts_of(snapshot))
    wide = swarm.pivot(index="customer_id", columns="part", values="value")
    np.testing.assert_array_equal(wide.loc[list(found.customer_ids), list(found.parts)].to_numpy(), found.values)
    level = swarm["level"].dropna()
    assert level.between(0, 1).all() and len(level) > 0
    timing = swarm[swarm["part"] == "timing"].set_index("customer_id")
    read = snapshot.features[found.representative_of("timing")].loc[timing.index]
    np.testing.assert_array_equal(timing["reading"].astype(float), read)


def test_an_explanation_on_disk_is_the_same(found: Explanation, tmp_path: Path) -> None:
    about = {"model": "toy", "cutoff": date(2024, 1, 1).isoformat()}
    for _ in range(2):
        save_explanation({"predicted_clv": found}, tmp_path / "kept", about)
    again, said = load_explanation(tmp_path / "kept")  # type: ignore[misc]
    assert said == about and again.customer_ids == found.customer_ids and again.base == found.base
    np.testing.assert_array_equal(again.values, found.values)
    pd.testing.assert_frame_equal(again.importance(), found.importance())
    assert load_explanation(tmp_path / "nothing") is None
    one = waterfall_json(found, found.customer_ids[0])
    assert one["predicted_clv"] == pytest.approx(one["base"] + sum(step["value"] for step in one["steps"]))
