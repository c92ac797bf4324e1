"""The ensemble: the same bits in parts as in one piece, on one processor as on many."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.features.last_year import LastYear
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot, concat
from clv_core.model.calibrated import ROWS_AT_ONCE, SILENT_SHARE, CalibratedModel, Law, Level, Totals
from clv_core.model.deep import DeepModel
from clv_core.model.predictions import Predictions
from clv_core.workspace import Workspace

FIGURES = [field.name for field in fields(Predictions)]


@pytest.fixture(scope="module")
def snapshot(small_workspace: Workspace) -> Snapshot:
    """Return all customers at the log's end, with a residual of last year."""
    log = open_log(open_dataset(small_workspace, "shop"))
    return replace(scoring_snapshot(log, log.end, 90, max_steps=40), last_year=LastYear(0.3))


@pytest.fixture(scope="module")
def many(snapshot: Snapshot) -> Snapshot:
    """Return more rows than are predicted at once: the customers again and again."""
    return snapshot.take(np.resize(np.arange(len(snapshot)), 2 * ROWS_AT_ONCE + 300))


def joined(parts: list[Predictions]) -> Predictions:
    return Predictions(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in FIGURES})


def same(one: Predictions, other: Predictions) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in FIGURES)


@pytest.mark.parametrize("horizon", [None, 180])
def test_parts_are_predicted_to_the_bits_of_one_piece(
    small_bundle: Bundle, many: Snapshot, horizon: int | None
) -> None:
    rows = np.arange(len(many))
    parts = [many.take(rows[begin : begin + ROWS_AT_ONCE]) for begin in rows[::ROWS_AT_ONCE]]
    found = list(small_bundle.model.predict_parts(iter(parts), horizon))
    assert [len(part) for part in found] == [ROWS_AT_ONCE, ROWS_AT_ONCE, 300]
    assert same(joined(found), small_bundle.model.predict(many, horizon))


def test_the_level_is_set_by_all_rows_together(small_bundle: Bundle, snapshot: Snapshot) -> None:
    """Otherwise the test above could not fail."""
    some = np.argsort(small_bundle.model.predict(snapshot).predicted_clv)[:300]
    alone, among = small_bundle.model.levels(snapshot.take(some)), small_bundle.model.levels(snapshot)
    assert alone.keys() == among.keys() and all(abs(alone[day].value / among[day].value - 1) > 1e-3 for day in alone)


def test_half_of_what_last_year_missed_is_likely_and_buyers_meet_the_anchors_half_way(small_bundle: Bundle) -> None:
    model = small_bundle.model
    assert isinstance(model, CalibratedModel) and model.sets_chance
    totals = Totals(value=100.0, anchor_value=200.0, buyers=40.0, anchor_buyers=90.0)
    found = model.level_of(totals, np.log(1.44))
    assert found.value == pytest.approx(2.4)  # half of 1.44, on the log scale, is 1.2
    assert found.chance == pytest.approx(np.sqrt(1.2 * 90 / 40))
    earlier = replace(model, law=None).level_of(totals, np.log(1.44))  # as models did that were saved before
    assert (earlier.value, earlier.chance) == (found.value, pytest.approx(1.5))
    assert model.level_of(totals._replace(buyers=0.0), 0.0) == Level(2.0, 1.0)


def test_who_was_silent_for_longer_than_windows_show_keeps_part_of_what_the_anchor_expects(
    small_bundle: Bundle, snapshot: Snapshot
) -> None:
    model = small_bundle.model
    assert isinstance(model, DeepModel) and model.law is not None
    silence = (snapshot.features["T"] - snapshot.features["recency"]).to_numpy()
    beyond = silence > 60
    floored, free = replace(model, law=Law(60.0)), replace(model, law=Law(np.inf))
    assert floored.levels(snapshot) == free.levels(snapshot), "the level is set before"
    for days in (None, 30, 365):
        found, plain = floored.predict(snapshot, days), free.predict(snapshot, days)
        for name in ("p_purchase", "predicted_clv"):
            np.testing.assert_array_equal(getattr(found, name)[~beyond], getattr(plain, name)[~beyond])
            assert (getattr(found, name) >= getattr(plain, name)).all()
    least = SILENT_SHARE * snapshot.anchor_value[beyond]
    own, anchors = free.predict(snapshot), floored.predict(snapshot)
    np.testing.assert_allclose(anchors.predicted_clv[beyond], np.maximum(own.predicted_clv[beyond], least), rtol=1e-12)
    assert 0 < (anchors.predicted_clv > own.predicted_clv).sum() < beyond.sum() < len(beyond)
    chance, mean = floored.expected(snapshot, floored.levels(snapshot))
    np.testing.assert_array_equal(chance, anchors.p_purchase)
    np.testing.assert_array_equal(mean, anchors.predicted_clv)


def test_the_longest_silence_is_that_of_buyers_whose_horizon_has_passed(
    small_bundle: Bundle, snapshot: Snapshot
) -> None:
    silence = (snapshot.features["T"] - snapshot.features["recency"]).to_numpy()
    complete = silence < np.nanquantile(silence, 0.8)
    windows = replace(snapshot, target=np.ones(len(snapshot)), exposure=np.where(complete, 1.0, 0.5))
    assert Law.of(windows) == Law(float(silence[complete].max())) != Law(float(np.nanmax(silence)))
    assert Law.of(windows.take(np.flatnonzero(~complete))) == Law(np.inf)


def test_processors_change_no_bit(small_bundle: Bundle, many: Snapshot) -> None:
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(small_bundle.model.predict(many))
    torch.set_num_threads(before)
    assert same(*found)


@pytest.mark.parametrize("horizon", [None, 30, 365])
def test_a_quantile_is_nothing_exactly_where_that_much_of_the_chance_is_nothing(
    small_bundle: Bundle, snapshot: Snapshot, horizon: int | None
) -> None:
    found = small_bundle.model.predict(snapshot, horizon)
    for q, value in ((0.1, found.clv_p10), (0.5, found.clv_p50), (0.9, found.clv_p90)):
        assert ((value == 0) == (found.p_purchase <= 1 - q)).all()
    assert (found.clv_p90 > 0).any() and (found.clv_p90 == 0).any()


def test_a_season_is_expected_of_those_who_never_bought_as_of_those_who_did(
    small_bundle: Bundle, snapshot: Snapshot
) -> None:
    calm, busy = (
        small_bundle.model.predict(replace(snapshot, last_year=LastYear(missed))).predicted_clv
        for missed in (0.0, np.log(1.44))
    )
    assert isinstance(small_bundle.model, DeepModel) and small_bundle.model.law is not None
    never, silent = ~snapshot.bought, small_bundle.model.law.silent(snapshot)
    assert never.sum() > 50 and (calm[never] > 0).all()
    np.testing.assert_allclose(busy[never] / calm[never], 1.2, rtol=1e-5)
    usual = ~never & ~silent  # of whom no window shows the like, a part of what the anchor expects stays
    np.testing.assert_allclose(busy[usual].sum() / calm[usual].sum(), 1.2, rtol=1e-5)


def test_customers_put_together_keep_the_season_of_each(small_bundle: Bundle, snapshot: Snapshot) -> None:
    """Explanations mix customers: parts that forgot last year did not add up for those who never bought."""
    levels = small_bundle.model.levels(snapshot)
    rows = np.concatenate([np.flatnonzero(~snapshot.bought)[:20], np.flatnonzero(snapshot.bought)[:20]])
    together = concat([snapshot.take(rows[:25]), snapshot.take(rows[25:])])
    expected = small_bundle.model.predict(snapshot)
    p, mean = small_bundle.model.expected(together, levels)
    # 40 rows and 900 are summed in another order on some processors; the season is a factor of 1.16
    np.testing.assert_allclose(mean, expected.predicted_clv[rows], rtol=1e-5)
    np.testing.assert_allclose(p, expected.p_purchase[rows], rtol=1e-5)


def test_a_quiet_season_holds_less_of_the_horizon_and_the_horizon_what_it_held(
    small_bundle: Bundle, snapshot: Snapshot
) -> None:
    quiet = replace(snapshot, last_year=LastYear(0.3, (0.4,) * 3 + (1.5,) * 10))
    model = small_bundle.model
    assert same(model.predict(quiet), model.predict(snapshot))
    now, even = model.predict(quiet, 30), model.predict(snapshot, 30)
    bought = snapshot.features["T"].notna().to_numpy()
    for name in ("p_purchase", "predicted_clv"):
        assert (getattr(now, name) < getattr(even, name))[bought].all()
    later = model.predict(quiet, 300), model.predict(snapshot, 300)
    assert later[0].predicted_clv.sum() > 1.2 * later[1].predicted_clv.sum()


def test_nothing_falls_in_the_horizon_whatever_the_season(small_bundle: Bundle, snapshot: Snapshot) -> None:
    pace = tuple(np.random.default_rng(4).lognormal(0, 0.7, 13).tolist())
    some = replace(snapshot.take(np.arange(400)), last_year=LastYear(0.0, pace))
    levels = {int(some.cutoff_day[0]): Level(1.0, 0.8)}
    horizons = (1, 10, 29, 60, 89, 90, 91, 200, 364, 500, 730)
    found = [small_bundle.model.predict_at(some, levels, days) for days in horizons]
    for before, after in zip(found, found[1:], strict=False):
        for name in FIGURES:
            assert (getattr(after, name) >= getattr(before, name) * (1 - 1e-9)).all(), name
