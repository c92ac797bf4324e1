"""Which cutoffs a model may learn from."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.features.log import open_log
from clv_core.features.sequences import windows_at
from clv_core.jobs import NoProgress
from clv_core.training.cost import budget, estimate
from clv_core.training.windows import (
    EPOCH,
    longest_horizon,
    partial_cutoffs,
    rolling_origins,
    thinned,
    training_cutoffs,
    training_data,
)
from clv_core.workspace import Workspace

FIRST, END = date(1997, 1, 1), date(1997, 12, 31)
CONFIG = TrainConfig(horizon_days=90, cutoffs=3, max_windows=10**6)


@pytest.mark.parametrize(("horizon", "apart", "least"), [(7, 7, 7), (30, 7, 28), (91, 11, 28), (182, 23, 28)])
def test_cutoffs_leave_their_horizon_and_some_history_and_are_an_eighth_of_a_horizon_apart(horizon, apart, least):
    cutoffs = training_cutoffs(FIRST, END, horizon, 60)
    assert cutoffs[0] == END - timedelta(days=horizon) and training_cutoffs(FIRST, END, horizon, 3) == cutoffs[:3]
    assert {(later - earlier).days for later, earlier in pairwise(cutoffs)} == {apart}
    assert least <= (cutoffs[-1] - FIRST).days < least + apart


def test_origins_are_a_horizon_apart_and_the_latest_is_the_last() -> None:
    """Of 364 days and a horizon of 90, a third would leave 4 days to learn from."""
    assert rolling_origins(FIRST, END, 90) == [END - timedelta(days=days) for days in (180, 90)]
    assert rolling_origins(FIRST, END, 90, 1) == [END - timedelta(days=90)]


@pytest.mark.parametrize("days", [1, 7, 8, 13, 14, 16, 40, 55, 56, 57, 400])
def test_the_longest_horizon_is_the_longest_that_has_a_cutoff(days: int) -> None:
    end = FIRST + timedelta(days=days)
    fitting = [horizon for horizon in range(1, days + 1) if training_cutoffs(FIRST, end, horizon, 1)]
    assert longest_horizon(FIRST, end) == max(fitting, default=0)


def test_the_expected_cost_grows_with_the_log_and_the_network_but_steps_are_bounded_by_the_windows():
    small, large = (estimate(TrainConfig(), FIRST, END, customers, 5 * customers) for customers in (1_000, 20_000))
    wide = estimate(TrainConfig(rnn_width=128, steps=1200), FIRST, END, 20_000, 100_000)
    more, most = (estimate(TrainConfig(), FIRST, END, customers, 5 * customers) for customers in (10**6, 2 * 10**6))
    simple = estimate(TrainConfig(model="bgnbd"), FIRST, END, 20_000, 100_000)
    assert small.seconds < large.seconds < wide.seconds and simple.seconds < large.seconds
    assert most.seconds < 2 * more.seconds and more.seconds < 50 * large.seconds


def test_the_expected_cost_is_near_the_measured_one():
    """Measured on 2 quiet cores: CDNOW took 69 s, before boosting and weights came along."""
    blend = TrainConfig(model="blend", horizon_days=182)
    cdnow = estimate(blend, date(1997, 1, 1), date(1998, 7, 1), 23_570, 70_000)
    assert 46 < cdnow.seconds < 104


def test_steps_grow_with_what_there_is_to_learn_from():
    span, blend = (date(2022, 1, 1), date(2024, 1, 1)), TrainConfig(model="blend", horizon_days=182)
    purchases, views, many = (
        budget(blend, *span, customers, events)
        for customers, events in ((20_000, 60_000), (20_000, 600_000), (10**6, 2 * 10**7))
    )
    assert purchases.windows == 150_000 < views.windows < many.windows == 1_500_000
    assert 200 <= purchases.steps <= 300 < views.steps < many.steps <= 3_000
    assert 100 <= purchases.tuned_steps <= views.tuned_steps < many.tuned_steps <= 500


def test_partial_cutoffs_fill_the_last_horizon_and_keep_a_quarter_of_it():
    for horizon in (30, 91, 182):
        partial, complete = partial_cutoffs(FIRST, END, horizon), training_cutoffs(FIRST, END, horizon, 12)
        assert complete[0] < partial[-1] and partial == sorted(partial, reverse=True)
        assert all(0.25 * horizon <= (END - cutoff).days < horizon for cutoff in partial)
        assert {(one - other).days for one, other in pairwise([*partial, complete[0]])} == {max(7, round(horizon / 8))}


def test_a_partial_window_holds_what_was_bought_before_the_end_and_says_how_much_that_is(small_workspace: Workspace):
    log = open_log(open_dataset(small_workspace, "shop"))
    end, horizon = log.end - timedelta(days=90), 90
    train, whole = (
        training_data(log, end, replace(CONFIG, partial_windows=partial), NoProgress()) for partial in (True, False)
    )
    np.testing.assert_array_equal(train.complete().target, whole.target)
    assert whole.exposure is None and train.exposure is not None
    for cutoff in partial_cutoffs(log.first_day, end, horizon):
        day = (cutoff - EPOCH).days
        rows = train.cutoff_day == day
        until_end, known = log.store.net_value(day, (end - EPOCH).days), windows_at(log.steps, day, 40)[0]
        np.testing.assert_allclose(train.target[rows].sum(), until_end[known].sum())
        buyers = train.features["T"].notna().to_numpy() & rows
        features, anchor = train.features[buyers], train.anchors[day]
        expected = anchor.expected_count(features, (end - cutoff).days) / anchor.expected_count(features, horizon)
        np.testing.assert_allclose(train.exposure[buyers], expected)
    assert len(thinned(train, len(train) - 10, seed=1)) == len(train) - 10


def test_thinning_takes_complete_windows_only(small_workspace: Workspace):
    log = open_log(open_dataset(small_workspace, "shop"))
    train = training_data(log, log.end, CONFIG, NoProgress())
    assert train.exposure is not None
    partial = int((train.exposure < 1).sum())
    left = thinned(train, partial + 100, seed=1)
    assert len(left) == partial + 100 and int((left.exposure < 1).sum()) == partial
