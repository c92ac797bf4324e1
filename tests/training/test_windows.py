"""Which cutoffs a model may learn from."""

from datetime import date, timedelta

from clv_core.config import TrainConfig
from clv_core.training.cost import estimate
from clv_core.training.windows import longest_horizon, training_cutoffs

FIRST, END = date(1997, 1, 1), date(1997, 12, 31)


def test_every_label_window_ends_by_the_end():
    for horizon in (7, 30, 91, 182):
        cutoffs = training_cutoffs(FIRST, END, horizon, 12)
        assert cutoffs[0] == END - timedelta(days=horizon)
        assert all(cutoff + timedelta(days=horizon) <= END for cutoff in cutoffs)


def test_cutoffs_are_spaced_an_eighth_of_the_horizon_and_no_less_than_a_week():
    assert (training_cutoffs(FIRST, END, 182, 12)[0] - training_cutoffs(FIRST, END, 182, 12)[1]).days == 23
    assert (training_cutoffs(FIRST, END, 30, 12)[0] - training_cutoffs(FIRST, END, 30, 12)[1]).days == 7


def test_every_cutoff_leaves_history():
    assert all((cutoff - FIRST).days >= 28 for cutoff in training_cutoffs(FIRST, END, 182, 60))


def test_the_longest_horizon_is_the_longest_that_has_a_cutoff():
    longest = longest_horizon(FIRST, END)
    assert training_cutoffs(FIRST, END, longest, 1)
    assert not training_cutoffs(FIRST, END, longest + 1, 1)


def test_the_expected_cost_grows_with_the_log_and_the_network_and_stays_bounded_by_the_windows():
    small, large = (estimate(TrainConfig(), FIRST, END, customers, 5 * customers) for customers in (1_000, 20_000))
    wide = estimate(TrainConfig(rnn_width=128, steps=1200), FIRST, END, 20_000, 100_000)
    huge = estimate(TrainConfig(), FIRST, END, 20_000_000, 100_000_000)
    simple = estimate(TrainConfig(model="bgnbd"), FIRST, END, 20_000, 100_000)
    assert small.seconds < large.seconds < wide.seconds
    assert simple.seconds < large.seconds
    assert huge.seconds == large.seconds
