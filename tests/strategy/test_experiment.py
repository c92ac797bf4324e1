"""Experiments against scipy, against a regression, and against effects that are known."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import ClvError, NotEnoughData, Refused
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences.contacts import read_contacts
from clv_core.strategy.experiments.randomized_experiment import measure_experiment, outcomes, read_experiment
from clv_core.strategy.experiments.treatment_effect import Experiment, Measured, balance_warnings, difference, measure
from clv_core.workspace import Workspace
from tests.bench.budget import experiments
from tests.monitoring.steady_shop import stored

pytestmark = pytest.mark.first(12)


HEAD = "customer_id,group,date\n"
MANY = "".join(f"c{i},{'offer' if i % 2 else 'control'},2024-01-01\n" for i in range(40))


@pytest.mark.examples(5)
@pytest.mark.parametrize("written", ["2024-05-31", "2024/5/31", "2024年5月31日", "2024-05-31 00:00:00", "2024.05.31"])
@pytest.mark.parametrize("control", ["control", "Control group", "对照组", "空白组"])
def test_days_and_groups_as_spreadsheets_write_them(written: str, control: str, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(f"{HEAD}a,offer,{written}\nb,{control},{written}\n", encoding="utf-8")
    found = read_experiment(tmp_path / "e.csv")
    assert found["treated"].tolist() == [True, False]
    assert found["date"].tolist() == [pd.Timestamp("2024-05-31")] * 2


@pytest.mark.parametrize(
    ("content", "code", "params"),
    [
        # days that can be read in two ways
        *[
            (f"{HEAD}a,offer,{day}\nb,control,{day}\n", "experiment_dates", {"text": day})
            for day in ("31/05/2024", "05/31/24", "2024-13-01", "2024-05-311", "soon")
        ],
        # a blank cell puts nobody into a group
        (f"{HEAD}a,control,2024-01-01\nb,x,2024-01-01\nc,,2024-01-01\n", "experiment_blank", {"line": 4}),
        (f"{HEAD}a,control,2024-01-01\nb,x,2024-01-01\n,x,2024-01-01\n", "experiment_blank", {"line": 4}),
        (f"{HEAD}a,control,2024-01-01\nb,x,2024-01-01\nc,x,\n", "experiment_dates", {"line": 4}),
        (
            HEAD + MANY.replace("c20,control,2024-01-01", "c20,control,2024-01-01,x"),
            "experiment_bad_lines",
            {"line": 22},
        ),
        ("customer_id,when\nc1,2024-01-01\n", "experiment_columns", {}),
        (None, "experiment_missing", {}),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    content: str | None, code: str, params: dict[str, object], tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "e.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ClvError) as caught:
        read_experiment(tmp_path / "e.csv")
    assert caught.value.code == code and params.items() <= caught.value.params.items()
    assert caught.value.message("en") and caught.value.message("zh")


def test_who_got_an_offer_last_is_judged_on_as_many_days_as_who_got_it_first(tmp_path: Path) -> None:
    """The log ends 20 days after the last offer, 51 after the first; Ann buys for 1 every day, Bob for 2."""
    days = pd.date_range("2024-01-01", "2024-04-20")
    spent = {"ann": 1.0, "bob": 2.0}
    rows = [(name, day, "purchase", each) for day in days for name, each in spent.items()]
    log = stored(pd.DataFrame(rows, columns=["customer_id", "event_time", "event_type", "amount"]), tmp_path)
    (tmp_path / "e.csv").write_text(f"{HEAD}ann,control,2024-03-01\nbob,offer,2024-04-01\n")
    found = outcomes(log, read_experiment(tmp_path / "e.csv"), 365)
    assert (found.window_days, found.start.isoformat()) == (20, "2024-03-01")
    assert dict(zip(found.customer_id, found.outcome, strict=True)) == {"ann": 20.0, "bob": 40.0}
    assert dict(zip(found.customer_id, found.before, strict=True)) == {"ann": 60.0, "bob": 182.0}


def test_of_groups_of_one_size_it_is_welchs_test() -> None:
    rng = np.random.default_rng(1)
    outcome, treated = rng.lognormal(2, 1, 300), np.arange(300) % 2 == 0
    outcome[treated] *= 3
    found = difference(outcome, treated)
    theirs = stats.ttest_ind(outcome[treated], outcome[~treated], equal_var=False)
    interval = theirs.confidence_interval(0.9)
    ours = (found.effect, found.low, found.high, found.p_value)
    mean = outcome[treated].mean() - outcome[~treated].mean()
    np.testing.assert_allclose(ours, (mean, interval.low, interval.high, theirs.pvalue))
    assert found.kept == 1


def test_intervals_of_a_small_group_of_skewed_amounts_hold_the_truth() -> None:
    """Welch's hold it in 70 to 82% of such experiments: a small group has not seen the large buyers."""
    rng = np.random.default_rng(1)
    for treated_count, control, sigma, chance in [(30, 300, 1.5, 0.2), (60, 600, 2.0, 0.1), (30, 970, 1.0, 0.15)]:
        size = (600, treated_count + control)
        level = rng.lognormal(3, sigma, size)
        outcome = np.where(rng.random(size) < chance, level * rng.lognormal(-0.08, 0.4, size), 0.0)
        treated = np.broadcast_to(np.arange(size[1]) < treated_count, size)
        known, truth = chance * level, 0.1 * chance * np.exp(3 + sigma**2 / 2)
        found = difference(outcome + 0.1 * known * treated, treated, known)
        assert 0.86 <= ((found.low <= truth) & (truth <= found.high)).mean() <= 0.97


def test_where_amounts_are_not_skewed_the_offer_may_change_their_spread() -> None:
    rng = np.random.default_rng(2)
    for treated_count, control, spread in [(30, 300, 1.5), (300, 30, 0.6), (3000, 300, 0.6), (200, 2000, 0.5)]:
        size = (500, treated_count + control)
        treated = np.broadcast_to(np.arange(size[1]) < treated_count, size)
        found = difference(rng.normal(size=size) * np.where(treated, spread, 1.0), treated)
        assert 0.86 <= ((found.low <= 0) & (found.high >= 0)).mean() <= 0.95


def test_outcomes_that_a_few_customers_decide_are_warned_of_by_cochrans_rule() -> None:
    rng = np.random.default_rng(8)
    treated, flat = np.arange(800) % 2 == 0, np.zeros(800)
    for outcome in (rng.gamma(2, 5, 800) + 9 * treated, rng.lognormal(2, 2, 800)):
        found = measure(outcome, treated, flat, None, flat + 1, 1, 30)
        skewness = max(abs(stats.skew(outcome[group])) for group in (treated, ~treated))
        said = [one for one in found.warnings if one.code == "warning.experiment_skewed"]
        assert bool(said) == (25 * skewness**2 > 400)
        for one in said:
            assert one.params == {"customers": 400, "needed": int(np.ceil(25 * skewness**2))}
            assert one.text("en") and one.text("zh")


def test_cuped_is_the_regression_on_group_and_what_was_known() -> None:
    rng = np.random.default_rng(2)
    known, treated = rng.normal(size=500), rng.random(500) < 0.5
    outcome = 3 * known + 0.7 * treated + rng.normal(size=500)
    found = difference(outcome, treated, known)
    design = np.column_stack([np.ones(500), treated, known])
    coefficients = np.linalg.lstsq(design, outcome, rcond=None)[0]
    assert found.effect == pytest.approx(coefficients[1])
    inside = [np.corrcoef(known[group], outcome[group])[0, 1] for group in (treated, ~treated)]
    assert found.kept == pytest.approx(1 - np.mean(inside) ** 2, abs=0.01)


def test_intervals_hold_known_effects_and_cuped_narrows_them() -> None:
    """240 experiments here; 1,000 and more in tests/bench/budget.py."""
    outcome, treated, known, truth = experiments(240, 1000, seed=5)
    plain, found = difference(outcome, treated), difference(outcome, treated, known)
    for one in (plain, found):
        assert 0.83 < ((one.low <= truth) & (truth <= one.high)).mean() < 0.96
    assert (found.high - found.low).mean() < 0.8 * (plain.high - plain.low).mean()
    assert abs((found.effect - truth).mean()) < 3 * (found.effect - truth).std() / np.sqrt(240)


def test_many_experiments_at_once_are_the_same_as_one_by_one() -> None:
    outcome, treated, known, _ = experiments(5, 200, seed=6)
    together = difference(outcome, treated, known)
    for row in range(5):
        alone = difference(outcome[row], treated[row], known[row])
        np.testing.assert_allclose([alone.effect, alone.low], [together.effect[row], together.low[row]])


def test_small_tiers_have_no_effect_and_small_experiments_are_refused() -> None:
    rng = np.random.default_rng(3)
    outcome, treated, known = rng.gamma(2, 5, 400), np.arange(400) % 2 == 0, rng.gamma(2, 5, 400)
    tier = np.where(np.arange(400) < 50, 1, 2)
    found = measure(outcome, treated, known, None, tier, 2, 30)
    assert [one.tier for one in found.effects] == [0, 1, 2]
    assert found.effects[1].effect is None and found.effects[2].effect is not None
    with pytest.raises(NotEnoughData) as caught:
        measure(outcome[:58], treated[:58], known[:58], None, tier[:58], 2, 30)
    assert caught.value.code == "experiment_too_few" and caught.value.message("zh")


def test_groups_that_differed_before_are_warned_of() -> None:
    rng = np.random.default_rng(4)
    before, treated = rng.gamma(2, 50, 1000), np.arange(1000) % 2 == 0
    assert balance_warnings(before, treated) == []
    (warning,) = balance_warnings(before + 40 * treated, treated)
    assert warning.code == "warning.experiment_draw" and warning.text("zh")


def test_an_effect_that_may_be_nothing_is_warned_of_and_a_clear_one_is_not() -> None:
    rng = np.random.default_rng(7)
    treated, noise = np.arange(400) % 2 == 0, rng.normal(10, 3, 400)
    codes = [
        [one.code for one in measure(noise + lift * treated, treated, noise * 0, None, treated * 0 + 1, 1, 30).warnings]
        for lift in (0.0, 5.0)
    ]
    assert codes == [["warning.experiment_unsure"], []]


def test_tiers_have_effects_of_their_own_only_where_chance_does_not_explain_the_difference() -> None:
    everyone = Measured(0, 99, 99, 2.0, 1.0, 3.0, 1.0)
    near, far = Measured(1, 40, 40, 2.5, 1.0, 4.0, 1.0), Measured(1, 40, 40, 9.0, 8.0, 10.0, 1.0)
    other, none = Measured(2, 40, 40, 1.0, 0.0, 2.0, 1.0), Measured(2, 2, 9, None, None, None, None)
    for tiers, differ in (((near, other), False), ((far, other), True), ((far, none), False)):
        assert Experiment((everyone, *tiers), 30).tiers_differ == differ


@pytest.fixture
def shop(small_workspace: Workspace) -> Dataset:
    return open_dataset(small_workspace, "shop")


def table(dataset: Dataset, path: Path, **columns: object) -> Path:
    """Write an experiment of the shop's customers, every other one treated, 90 days before the log's end."""
    ids = pd.read_parquet(dataset.events_path, columns=["customer_id"])["customer_id"].drop_duplicates().sort_values()
    rows = pd.DataFrame({"customer_id": ids.to_numpy()})
    rows["group"] = np.where(np.arange(len(rows)) % 2 == 0, "offer", "Control")
    rows["date"] = (pd.Timestamp(dataset.log_end) - pd.Timedelta(days=90)).strftime("%Y-%m-%d")
    rows.assign(**columns).to_csv(path, index=False)
    return path


def test_outcomes_are_what_the_log_says(shop: Dataset, tmp_path: Path) -> None:
    rows = read_experiment(table(shop, tmp_path / "e.csv"))
    found = outcomes(shop, rows, 60)
    events = pd.read_parquet(shop.events_path)
    start = pd.Timestamp(found.start, tz=events["event_time"].dt.tz)
    money = events[events["event_type"].isin(["purchase", "return"])]
    after = money[(money["event_time"] >= start) & (money["event_time"] < start + pd.Timedelta(days=60))]
    theirs = after.groupby("customer_id")["amount"].sum()
    ours = pd.Series(found.outcome, found.customer_id)
    np.testing.assert_allclose(ours, theirs.reindex(ours.index, fill_value=0), atol=1e-6)
    before = money[(money["event_time"] < start) & (money["event_time"] >= start - pd.Timedelta(days=365))]
    theirs = before.groupby("customer_id")["amount"].sum().reindex(ours.index, fill_value=0)
    np.testing.assert_allclose(found.before, theirs, atol=1e-6)
    seen = set(events.loc[events["event_time"] < start, "customer_id"])
    assert set(found.customer_id) == seen and found.left_out == len(rows) - len(seen) > 0
    assert outcomes(shop, rows, 365).window_days == 90


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"group": "offer"}, "experiment_groups"),
        ({"group": ["a", "b"] * 450}, "experiment_control"),
        ({"customer_id": "c1"}, "experiment_twice"),
        ({"customer_id": [f"x{i}" for i in range(900)]}, "experiment_unknown"),
        ({"date": "2099-01-01"}, "experiment_window"),
    ],
)
def test_an_unusable_table_is_refused(shop: Dataset, tmp_path: Path, columns: dict[str, object], code: str) -> None:
    events = pd.read_parquet(shop.events_path, columns=["customer_id"])["customer_id"].nunique()
    fitted = {name: value[:events] if isinstance(value, list) else value for name, value in columns.items()}
    with pytest.raises(ClvError) as caught:
        outcomes(shop, read_experiment(table(shop, tmp_path / "e.csv", **fitted)), 60)
    assert caught.value.code == code
    assert caught.value.message("en") and caught.value.message("zh")


def test_a_file_that_breaks_off_or_is_damaged_is_refused_with_a_sentence(tmp_path: Path) -> None:
    ids = [f"c{at}" for at in range(5000)]
    pd.DataFrame({"customer_id": ids, "group": "control", "date": "2024-01-01"}).to_parquet(tmp_path / "e.parquet")
    content = bytearray((tmp_path / "e.parquet").read_bytes())
    content[200:900] = b"\xff" * 700
    (tmp_path / "e.parquet").write_bytes(content)
    for read in (read_experiment, read_contacts):
        with pytest.raises(Refused) as caught:
            read(tmp_path / "e.parquet")
        assert caught.value.code == "unreadable_table" and "e.parquet" in caught.value.message("zh")


def test_outcomes_count_no_longer_than_the_plan_looks_ahead(shop: Dataset, tmp_path: Path) -> None:
    path = table(shop, tmp_path / "e.csv", date=(shop.log_end - timedelta(days=200)).isoformat())
    rows = read_experiment(path)
    assert outcomes(shop, rows, 30).window_days == 30
    assert outcomes(shop, rows, 365).window_days == 200


def test_customers_without_a_score_are_left_out_and_counted(
    small_workspace: Workspace, small_bundle: Bundle, shop: Dataset, tmp_path: Path
) -> None:
    path, mine = table(shop, tmp_path / "e.csv"), Workspace(tmp_path / "work")
    for kind in ("datasets", "models"):
        shutil.copytree(small_workspace.root / kind, mine.root / kind, dirs_exist_ok=True)
    seen = outcomes(shop, read_experiment(path), 60)
    scored = Scored.open(mine, "shop", small_bundle.id, seen.start)
    scored.scores_path.parent.mkdir(parents=True, exist_ok=True)
    scored.scores(NoProgress()).iloc[:-50].to_parquet(scored.scores_path)
    found = measure_experiment(Scored.open(mine, "shop", small_bundle.id), path, most_days=60, progress=NoProgress())
    everyone = found.effects[0]
    assert everyone.treated + everyone.control == len(seen.customer_id) - 50
    assert found.warnings[-1].params["customers"] == seen.left_out + 50
