"""Movement, two schemes side by side, sums of segments, and what came of predictions, held against pandas and SQL."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.terms import Terms
from clv_core.evaluation.levels import SharedError
from clv_core.jobs import NoProgress
from clv_core.strategy.segments import segment_figures, total
from clv_core.strategy.segments.segment_figures import movement, segment_table
from clv_core.strategy.segments.segment_rules import Rules
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(4)

TIERS = DEFAULT_SCHEME


def test_movement_counts_who_went_where(customers: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    earlier = customers.iloc[100:2500].sample(frac=1, random_state=4).reset_index(drop=True)
    earlier = earlier.assign(predicted_clv=earlier["predicted_clv"] * rng.lognormal(0, 1, len(earlier)))
    later = customers.iloc[:2400]
    scheme = ValueTiers.parse("thresholds:40,15,5")
    before, now = scheme.place(earlier), scheme.place(later)
    found = movement(earlier, before, later, now)
    both = pd.merge(
        earlier[["customer_id"]].assign(start=before.where),
        later[["customer_id", "predicted_clv"]].assign(end=now.where),
        on="customer_id",
        how="outer",
    )
    seen = both.dropna()
    assert (found.customers == pd.crosstab(seen["start"], seen["end"]).to_numpy()).all()
    value = seen.pivot_table(index="start", columns="end", values="predicted_clv", aggfunc="sum").to_numpy()
    np.testing.assert_allclose(found.value, value)
    assert found.new.tolist() == both[both["start"].isna()]["end"].value_counts().sort_index().tolist()
    assert found.lost.tolist() == both[both["end"].isna()]["start"].value_counts().sort_index().tolist()
    assert found.moved == (seen["start"] != seen["end"]).sum() and found.stayed + found.moved == len(seen)
    largest = seen[seen["start"] != seen["end"]].groupby(["start", "end"]).size()
    assert found.largest() == (*largest.idxmax(), largest.max())
    still = movement(later, now, later, now)
    assert still.moved == 0 and still.largest() is None and not still.new.any() and not still.lost.any()


def test_only_what_was_predicted_after_the_model_had_learned_and_has_come_is_held_against_the_log(
    tmp_path: Path,
) -> None:
    """The model learned from days before 1 March, and the log ends with 29 June: 90 days after 1 April."""
    work = Workspace(tmp_path)
    folder = tmp_path / "datasets" / "shop" / "made" / "0123456789ab" / "model"
    folder.mkdir(parents=True)
    for day in ("20240101", "20240229", "20240301", "20240401", "20240402"):
        (folder / f"scores-{day}.parquet").touch()
    bundle: Any = SimpleNamespace(
        id="model", has_holdout=False, record=SimpleNamespace(horizon_days=90, holdout=None, cutoff=date(2024, 3, 1))
    )
    dataset: Any = SimpleNamespace(name="shop", log_end=date(2024, 6, 30))
    found = [(past.kind, past.cutoff) for past in segment_figures.past_predictions(Scored.of(work, dataset, bundle))]
    assert found == [(segment_figures.SAVED, date(2024, 4, 1)), (segment_figures.SAVED, date(2024, 3, 1))]


def test_overlapping_segments_are_summed_each_for_itself(customers: pd.DataFrame) -> None:
    bought = np.random.default_rng(1).random(len(customers)) < customers["p_purchase"]
    past = customers.assign(actual=customers["predicted_clv"] * bought / customers["p_purchase"])
    shared = SharedError.of([past])
    wanted = {"Big": "predicted_clv>=30", "Recent": "days_since_last<100"}
    segments = [{"name": name, "rules": [rule]} for name, rule in wanted.items()]
    placed = Rules.from_json({"overlapping": True, "segments": segments}, "mine").place(customers)
    rows = segment_table(customers, placed, shared)
    assert placed.inside is not None and rows["customers"].sum() > len(customers)
    for place, row in enumerate(rows.itertuples()):
        alone = total(customers, shared, placed.inside[place])
        sums = row.value_sum, row.value_sum_low, row.value_sum_high
        assert sums == pytest.approx((alone.value, alone.low, alone.high))
        mine = customers[placed.inside[place]]
        assert row.purchase_days_mean == pytest.approx(mine["purchase_days"].mean())
        assert row.share_of_value == pytest.approx(mine["predicted_clv"].sum() / customers["predicted_clv"].sum())


def events_between(root: Path, start: object, stop: object) -> pd.Series:
    path = next((root / "datasets" / "shop").glob("*/events.parquet"))
    frame = duckdb.sql(
        f"""select customer_id, sum(amount) v from '{path}' where event_type in ('purchase', 'return')
        and event_time >= '{start}' and event_time < '{stop}' group by 1"""
    ).df()
    return frame.set_index("customer_id")["v"]


def test_the_holdout_shows_what_segments_brought(with_bgnbd: Path) -> None:
    work = Workspace(with_bgnbd)
    bundle, dataset = list_bundles(work)[0], open_dataset(work, "shop")
    [past] = segment_figures.past_predictions(Scored.of(work, dataset, bundle))
    assert past.kind == segment_figures.HOLDOUT and past.cutoff == bundle.record.holdout.cutoff
    frame = segment_figures.read_past(past, Scored.of(work, dataset, bundle))
    placed = TIERS.place(frame)
    rows = segment_figures.realized_by_segment(
        frame, placed, segment_figures.other_origins_error(Scored.of(work, dataset, bundle), past)
    )
    sold = events_between(with_bgnbd, past.cutoff, past.cutoff + timedelta(days=past.horizon_days))
    actual = sold.reindex(frame["customer_id"]).fillna(0).to_numpy()
    for place in range(4):
        mine = placed.where == place
        assert rows["actual"][place] == pytest.approx(actual[mine].sum(), abs=0.01)
        assert rows["predicted"][place] == pytest.approx(frame["predicted_clv"][mine].sum())
        assert rows["buyers_actual"][place] == (actual[mine] > 0).sum()
    assert rows["low"].isna().all()  # no other origin: the holdout does not judge itself


def test_kept_scores_count_after_their_horizon_if_unseen_by_the_model(with_bgnbd: Path, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(with_bgnbd, root)
    work = Workspace(root)
    bundle, dataset = list_bundles(work)[0], open_dataset(work, "shop")
    early = dataset.log_end - timedelta(days=120)
    for cutoff in (early, dataset.log_end - timedelta(days=10)):
        score(Scored.open(work, "shop", bundle.id, cutoff=cutoff), progress=NoProgress())
    score(
        Scored.open(work, "shop", bundle.id, cutoff=early, terms=Terms(90, 1e-7)), progress=NoProgress()
    )  # -r1e-05: no day
    assert [past.kind for past in segment_figures.past_predictions(Scored.of(work, dataset, bundle))] == [
        segment_figures.HOLDOUT
    ]
    bundle = replace(bundle, record=replace(bundle.record, cutoff=early))
    kept = next(
        past
        for past in segment_figures.past_predictions(Scored.of(work, dataset, bundle))
        if past.kind == segment_figures.SAVED
    )
    assert kept.cutoff == early and kept.path == Scored.of(work, dataset, bundle, cutoff=early).scores_path
    frame = segment_figures.read_past(kept, Scored.of(work, dataset, bundle))
    sold = events_between(root, early, early + timedelta(days=90))
    expected = sold.reindex(frame["customer_id"]).fillna(0).to_numpy()
    np.testing.assert_allclose(frame["actual"].to_numpy(), expected, atol=1e-6)
