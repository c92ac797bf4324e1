"""What the train page offers, against the rules of training itself."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.check import check_file
from clv_core.collection.horizons import HORIZONS, USUAL_HORIZONS, HoldoutSize, recommended, support
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.zero_shot import zero_shot
from clv_core.i18n import LANGUAGES, translate
from clv_core.jobs import NoProgress
from clv_core.training.windows import longest_horizon, training_cutoffs
from clv_core.workspace import Workspace
from pages.ui.train import training
from tests.pages.conftest import OPEN, SAMPLE, keys_of


def test_longest_measurable_horizon_is_the_last_that_leaves_a_cutoff(with_dataset: Path) -> None:
    dataset = open_dataset(Workspace(with_dataset), "shop")
    allowed = training.horizons(dataset)
    first, end = dataset.log_start, dataset.log_end

    def fits(days: int) -> bool:
        return bool(training_cutoffs(first, end - timedelta(days=days), days, 1))

    assert allowed.days == (end - first).days
    assert fits(allowed.measurable) and not fits(allowed.measurable + 1)
    assert training_cutoffs(first, end, allowed.longest, 1)
    assert not training_cutoffs(first, end, allowed.longest + 1, 1)


def test_cost_grows_with_the_work(with_dataset: Path) -> None:
    dataset = open_dataset(Workspace(with_dataset), "shop")
    small = training.expected_cost(dataset, TrainConfig(horizon_days=90, steps=400))
    large = training.expected_cost(dataset, TrainConfig(horizon_days=90, steps=4000, rnn_width=128))
    assert 0 < small.seconds < large.seconds


def test_the_form_shows_what_the_chosen_model_reads(open_page: OPEN, with_dataset: Path) -> None:
    def shown(app: AppTest) -> set[str]:
        kinds = ("selectbox", "number_input", "toggle", "multiselect")
        return {name for name in names for kind in kinds for key in keys_of(app, kind) if f"setting_{name}_shop" in key}

    names = {item.name for item in fields(TrainConfig)} - {"horizon_days"}
    names -= {item.name for item in fields(TrainConfig) if len(item.metadata["choices"] or "  ") == 1}  # no choice left
    form = training.form_id(open_dataset(Workspace(with_dataset), "shop"))
    app = open_page(with_dataset, "train", lang="en")
    for model in ("instant_tuned", "bgnbd", "rnn", "hybrid"):
        app.selectbox(key=f"setting_model_{form}").set_value(model).run()
        assert shown(app) == names - set(TrainConfig(model=model).ignored())
    app.selectbox(key=f"setting_impute_{form}").set_value("delete").run()
    assert len(app.error) == 1 and "start_training" not in keys_of(app)
    app.multiselect(key=f"setting_delete_features_{form}").set_value(["gap_mean"]).run()
    assert not app.error and "start_training" in keys_of(app)


@pytest.mark.parametrize("log_days", [20, 35, 60, 100, 391, 392, 700, 758])
def test_upload_allows_a_horizon_where_training_finds_its_windows(log_days: int) -> None:
    first = date(2023, 1, 1)
    end = first + timedelta(days=log_days)
    for days in HORIZONS:
        trained = bool(training_cutoffs(first, end, days, 1))
        measured = bool(training_cutoffs(first, end - timedelta(days=days), days, 1))
        expected = "measured" if measured else "unmeasured" if trained else "too_short"
        assert support(days, log_days).verdict == expected


def test_the_shortest_log_that_is_asked_for_can_be_trained_on_and_a_shorter_one_cannot() -> None:
    first, needed = date(2023, 1, 1), training.SHORTEST_LOG_DAYS
    longest = [longest_horizon(first, first + timedelta(days=needed - less)) for less in (0, 1)]
    assert longest == [1, 0]


def test_a_log_that_is_too_short_is_not_said_to_be_long_enough_to_train_on(open_page: OPEN, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("customer_id,event_time,event_type,amount\nA,2024-01-01,purchase,10\nB,2024-01-01,view,\n")
    ingest(Workspace(tmp_path / "work"), log, "shop")
    app = open_page(tmp_path / "work", "train", lang="en")
    assert [one.value for one in app.warning] == [translate("train.too_short", "en", days=1, needed=8)]
    assert not app.header


SIZES = {days: HoldoutSize(1_000, 500) for days in (30, 60, 90, 182)}


def test_the_train_page_says_of_an_unchecked_horizon_what_the_upload_page_says() -> None:
    said = training.about(365, training.Horizons(700, 672, 336, recommended(700, 1_000, SIZES)), 1_000)
    assert said.endswith(translate("horizon.unmeasured", "en", days=365, found=700, needed=758))


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """A workspace with a log that is long enough, but in which hardly anybody buys: 40 customers, one order a month."""
    days = pd.date_range("2022-01-01", periods=900, freq="D")
    rows = [(f"C{place % 40}", day, 10.0) for place, day in enumerate(days)]
    log = tmp_path / "quiet.csv"
    pd.DataFrame(rows, columns=["customer_id", "event_time", "amount"]).to_csv(log, index=False)
    ingest(Workspace(tmp_path / "work"), log, "shop")
    return tmp_path


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_log_in_which_too_few_buy_is_not_said_to_be_checked(open_page: OPEN, quiet: Path, lang: str) -> None:
    app = open_page(quiet / "work", "train", lang=lang)
    assert app.header[0].value == translate("train.headline.few", lang, name="shop", days=900)
    chosen = next(one for one in app.get("button_group") if one.proto.id.endswith("train_horizon") or one.options)
    assert not any("check_circle" in label for label in chosen.options)
    few = translate("horizon.recommended.none", lang, days=182, buyers=40, needed=100)
    assert any(few in one.value for one in app.caption)


def test_upload_and_train_promise_the_same_horizons(quiet: Path, with_dataset: Path) -> None:
    for work, log in ((quiet / "work", quiet / "quiet.csv"), (with_dataset, SAMPLE)):
        check = check_file(log)
        allowed = training.horizons(open_dataset(Workspace(work), "shop"))
        promised = {one.horizon_days: one.verdict == "measured" for one in check.horizons}
        both = [days for days in USUAL_HORIZONS if days in promised and days <= allowed.longest]
        assert both and [allowed.measured(days) for days in both] == [promised[days] for days in both]
        assert max((days for days, measured in promised.items() if measured), default=0) == allowed.checked
        assert max(one.horizon_days for one in check.horizons if one.verdict != "too_short") == allowed.longest


def test_upload_first_look_and_train_recommend_one_period(open_page: OPEN, tmp_path: Path) -> None:
    # 800 days hold half a year three times, but two thirds of the customers came in the last of them.
    early = [(f"E{place % 400}", day) for day in range(0, 800, 10) for place in range(6 * day, 6 * day + 60)]
    late = [(f"L{place}", day) for day in range(640, 800) for place in range(5 * (day - 640), 5 * (day - 640) + 30)]
    log = tmp_path / "growing.csv"
    table = pd.DataFrame([*early, *late], columns=["customer_id", "day"])
    table["event_time"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(table.day, "D")
    table.drop(columns="day").assign(amount=10.0).to_csv(log, index=False)
    work = Workspace(tmp_path / "work")
    ingest(work, log, "shop")
    check, look = check_file(log), zero_shot(work, "shop", progress=NoProgress())
    app = open_page(tmp_path / "work", "train", lang="en")
    assert check.recommended is not None and check.recommended.reason.code == "horizon.recommended.growing"
    assert usual_of_length(800) == 182 and check.recommended.days == 90 == look.scored.model.record.horizon_days
    assert any(check.recommended.reason.text("en") in one.value for one in app.caption)
    chosen = next(group for group in app.get("button_group") if "182 days" in " ".join(group.options))
    assert chosen.value == 90
    assert app.header[0].value == translate("train.headline", "en", name="shop", days=800, recommended=90)


def usual_of_length(days: int) -> int:
    return max(horizon for horizon in USUAL_HORIZONS if 3 * horizon <= days)


def test_the_buyers_of_a_horizon_that_is_typed_in_are_counted_too(quiet: Path) -> None:
    dataset = open_dataset(Workspace(quiet / "work"), "shop")
    allowed = training.counted(dataset, training.horizons(dataset), 100)
    assert allowed.buyers(100) == 40 and not allowed.measured(100)
