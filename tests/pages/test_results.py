"""What the result pages say is what the model's record and scores say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle, list_bundles, write_record
from clv_core.deployment.saved_evaluation import shared_error
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import open_session
from clv_core.evaluation import best_baseline, format_metric, model_scoreboard
from clv_core.i18n import say_money, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.purchase_history import purchase_history, with_history
from clv_core.strategy.report.make_report import make_report
from clv_core.strategy.segments import total
from clv_core.strategy.segments.scored_customers import parse_scheme
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from clv_core.workspace import Workspace
from pages.ui import widgets
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, control, do

pytestmark = pytest.mark.first(6)


def bundle_of(root: Path) -> Bundle:
    return list_bundles(Workspace(root))[0]


def holdout_of(bundle: Bundle) -> pd.DataFrame:
    holdout = bundle.holdout()
    assert holdout is not None
    return holdout[holdout["model"] == bundle.record.model]


def scores_of(root: Path) -> pd.DataFrame:
    return Scored.open(Workspace(root), "shop", bundle_of(root).id).scores(NoProgress())


def test_main_figures_are_the_metrics_of_the_record(open_page: OPEN, with_model: Path) -> None:
    bundle = bundle_of(with_model)
    metrics = bundle.record.metrics
    baseline = bundle.record.baselines[best_baseline(bundle.record.baselines, "mae", model="bgnbd")]
    app = open_page(with_model, "evaluate", lang="en")
    shown = {item.label: item for item in app.metric}
    values = {name: shown[translate(f"metric.{name}")].value for name in ("gini", "bias", "mae", "rmse")}
    assert values["gini"] == f"{metrics['gini']:.3f}"
    assert values["bias"] == f"{metrics['bias']:+.1%}".replace("-", "−")
    assert values["mae"] == say_money(metrics["mae"], "EUR") and values["rmse"] == say_money(metrics["rmse"], "EUR")
    assert say_money(baseline["mae"], "EUR") in shown[translate("metric.mae")].delta
    actual = holdout_of(bundle)["actual"].to_numpy()
    mean, zero = np.sqrt(((actual - actual.mean()) ** 2).mean()), np.abs(actual).mean()
    caption = next(item.value for item in app.caption if "MSE" in item.value)
    assert all(say_money(value, "") in caption for value in (metrics["mse"], mean, zero))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_total_of_which_nothing_was_measured_is_not_said_to_be_met(open_page: OPEN, root: Path, lang: str) -> None:
    bundle = bundle_of(root)
    metrics = {name: value for name, value in bundle.record.metrics.items() if name != "bias"}
    write_record(bundle.folder, replace(bundle.record, metrics=metrics))
    horizon = bundle.record.horizon_days
    found = open_page(root, "evaluate", lang=lang).header[0].value
    assert found == translate("evaluate.headline.nothing", lang, horizon=horizon)
    said = "".join(item.value for item in open_page(root, "segments", lang=lang).caption)
    assert translate("segments.nothing", lang) in said and translate("segments.checked", lang, off="0%") not in said


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_members_of_the_default_are_named_in_the_language_of_the_page(open_page: OPEN, root: Path, lang: str) -> None:
    bundle, weights = bundle_of(root), {"hybrid": 0.3, "instant_tuned": 0.5, "lightgbm": 0.2}
    write_record(bundle.folder, replace(bundle.record, weights=weights))
    app = do(open_page(root, "evaluate", lang=lang), ("evaluate_part", "models"))
    shares = [f"{translate(f'model.{name}', lang)} {share:.0%}" for name, share in weights.items()]
    assert any(all(share in caption.value for share in shares) for caption in app.caption)


def test_threshold_moves_precision_and_recall_as_counted_by_hand(open_page: OPEN, with_model: Path) -> None:
    ours = holdout_of(bundle_of(with_model))
    app = do(open_page(with_model, "evaluate", lang="en"), ("evaluate_part", "buyers"))
    names = {translate(f"metric.{name}") for name in ("precision", "recall", "f1", "accuracy")}
    assert names <= {item.label for item in app.metric}, "one click away"
    app = do(app, ("threshold", 30))
    called, bought = ours["p_purchase"] >= 0.3, ours["actual"] > 0
    shown = {item.label: item.value for item in app.metric}
    assert shown[translate("metric.precision")] == f"{(called & bought).sum() / called.sum():.1%}"
    assert shown[translate("metric.recall")] == f"{(called & bought).sum() / bought.sum():.1%}"


def test_headline_of_segments_adds_up_the_scores(open_page: OPEN, root: Path) -> None:
    for forecast in root.glob("datasets/*/made/*/*/forecast-*"):
        forecast.unlink()  # another test may have opened the page that makes it
    values = np.sort(scores_of(root)["predicted_clv"])[::-1]
    app = open_page(root, "segments", lang="en")
    share = values[: round(len(values) / 10)].sum() / values.sum()
    finding = app.header[0].value
    assert say_money(values.sum(), "EUR") in finding and f"{share:.0%}" in finding
    worth = total(scores_of(root), shared_error(Workspace(root), bundle_of(root)))
    assert worth.low is not None and worth.high is not None
    sure = f"{say_money(worth.value, 'EUR')} (80% sure: {say_money(worth.low, '')} to {say_money(worth.high, 'EUR')});"
    assert sure in finding
    assert app.markdown and any("80% sure" in item.value and "hold" in item.value for item in app.markdown)


def test_list_shows_every_customer_once_and_filters(open_page: OPEN, with_model: Path) -> None:
    scores = scores_of(with_model)
    app = open_page(with_model, "segments", lang="en")
    assert sorted(app.dataframe[0].value["customer_id"]) == sorted(scores["customer_id"])
    app.slider(key="filter_p").set_value(50).run()
    assert len(app.dataframe[0].value) == (scores["p_purchase"] >= 0.5).sum()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_list_of_a_model_that_is_not_trusted_waits_until_its_main_reason_is_acknowledged(
    open_page: OPEN, not_trusted: Path, lang: str
) -> None:
    bundle = bundle_of(not_trusted)
    main = bundle.record.trust.reasons[0]
    app = open_page(not_trusted, "segments", lang=lang)
    assert [button.disabled for button in app.get("download_button")] == [True] * 3
    assert widgets.escape(main.text(lang)) in [item.value for item in app.warning]
    box = app.checkbox(key=f"acknowledge_{bundle.id}")
    assert translate("trust.because.ranking_near_chance", lang) in box.label
    box.check().run()
    assert [button.disabled for button in app.get("download_button")] == [False] * 3


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("page", "steps", "files"),
    [
        ("segments", [("segments_view", "figures")], 1),
        ("segments", [("segments_view", "came")], 1),
        ("customer", [], 2),
        ("explain", [], 1),
    ],
)
def test_figures_about_segments_of_a_model_that_is_not_trusted_leave_once_it_is_acknowledged(
    open_page: OPEN, not_trusted: Path, page: str, steps: list[tuple[str, str]], files: int
) -> None:
    app = do(open_page(not_trusted, page, lang="en"), *steps)
    assert sum(button.disabled for button in app.get("download_button")) == files, "a person's file never waits"
    app.checkbox(key=f"acknowledge_{bundle_of(not_trusted).id}").check().run()
    assert not any(button.disabled for button in app.get("download_button"))


def test_badge_in_the_sidebar_opens_the_reasons(open_page: OPEN, not_trusted: Path) -> None:
    app = open_page(not_trusted, "home", lang="en")
    shown = "".join(str(item.value) for item in app.sidebar.markdown)
    for reason in bundle_of(not_trusted).record.trust.reasons:
        assert widgets.escape(reason.text("en").replace("2024-10-02", "2 Oct 2024")) in shown


def test_explanation_names_reasons_and_one_customer(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "explain", lang="en")
    charts = {"overall": 2, "dependence": 1, "groups": 1, "customer": 1}  # no events of a model without
    for part, count in charts.items():
        app = do(app, ("explain_part", part))
        assert not app.error and len(app.get("plotly_chart")) == count, part
    first = app.selectbox(key="explain_customer").value
    assert first in "".join(str(item.value) for item in app.markdown)
    assert any("not single events" in str(item.value) for item in app.caption)


def test_each_factor_is_explained_for_itself(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "explain", lang="zh")
    value = app.header[0].value
    app.button_group(key="explain_answer").set_value("p_purchase").run()
    assert app.header[0].value != value
    assert "百分点" in "".join(str(item.value) for item in app.markdown)


@pytest.mark.parametrize("kind", ["quantile", "rfm"])
def test_segments_of_the_whole_list_are_compared_by_the_means_of_their_explained_customers(
    open_page: OPEN, with_model: Path, kind: str
) -> None:
    dataset = open_dataset(Workspace(with_model), "shop")
    everyone = with_history(scores_of(with_model), purchase_history(dataset, dataset.log_end), dataset.log_end)
    placed = parse_scheme(kind if kind == "rfm" else str(DEFAULT_SCHEME), dataset).fit(everyone).place(everyone)
    shap = pd.read_parquet(next(with_model.rglob("explanation/shap.parquet")))
    where = pd.Series(placed.where, everyone["customer_id"]).reindex(shap["customer_id"]).to_numpy()
    app = open_page(with_model, "home", lang="en")
    app.session_state["scheme_kind"], app.session_state["explain_part"] = kind, "groups"
    app.switch_page(BY_NAME["explain"].path).run()
    assert not app.error
    these, those = (control(app, f"why_{name}_") for name in ("these", "those"))
    assert (these.value, those.value) == (where.min(), where.max())
    text = "".join(str(item.value) for item in app.markdown)
    assert f"{say_money(shap['predicted_clv'][where == these.value].mean(), 'EUR')} per customer" in text


def test_a_slider_scores_again_and_home_is_where_it_was(open_page: OPEN, with_model: Path) -> None:
    app = do(open_page(with_model, "explain", lang="en"), ("explain_part", "customer"))
    now = {item.label: item.value for item in app.metric}
    part = app.multiselect[0].value[0]
    customer = app.selectbox(key="explain_customer").value
    slider = app.select_slider(key=f"what_if_{customer}_{part}")
    own = slider.value
    folder = next(with_model.rglob("explanation"))
    what_if = open_session(bundle_of(with_model), folder).what_if
    other = max(what_if.choices(part), key=lambda choice: abs(choice - own))
    slider.set_value(other).run()
    changed = {item.label: item.value for item in app.metric}
    row = what_if.pool.features.index.get_loc(customer)
    assert changed != now
    assert changed["Predicted value"] == say_money(what_if.answer(row, {part: other})[0], "EUR")
    app.select_slider(key=f"what_if_{customer}_{part}").set_value(own).run()
    assert {item.label: item.value for item in app.metric} == now


@pytest.mark.parametrize("networks", [0, 1])
def test_a_test_by_fewer_networks_than_the_model_has_is_said(open_page: OPEN, root: Path, networks: int) -> None:
    record = bundle_of(root).record
    assert record.holdout is not None
    write_record(bundle_of(root).folder, replace(record, holdout=replace(record.holdout, networks=networks)))
    fewer = translate("evaluate.tested.networks", tested=1, all=record.train_config.ensemble)
    app = open_page(root, "evaluate", lang="en")
    assert any(fewer in item.value for item in (*app.caption, *app.markdown)) == (networks == 1)


@pytest.mark.parametrize(("best", "other"), [("naive", "lightgbm"), ("lightgbm", "naive")])
def test_tiles_and_report_hold_the_model_against_the_same_simple_model(
    open_page: OPEN, root: Path, monkeypatch: pytest.MonkeyPatch, best: str, other: str
) -> None:
    monkeypatch.setattr(model_scoreboard, "BASELINES", ("naive", "lightgbm"))  # the model itself is the other, BG/NBD
    record = bundle_of(root).record
    order = {best: 0.99, other: 0.11}
    sizes = {best: 0.5, other: 9.5}
    baselines = {
        name: {"gini": order[name], "bias": sizes[name], "mae": sizes[name], "rmse": sizes[name]} for name in order
    }
    write_record(bundle_of(root).folder, replace(record, baselines=baselines))
    tiles = {item.label: item.delta for item in open_page(root, "evaluate", lang="en").metric}
    work = Workspace(root)
    report = make_report(Scored.open(work, "shop", bundle_of(root).id), plan=None, language="en", progress=NoProgress())
    (section,) = [one for one in report.sections if one.id == "trust"]
    labels = {translate(f"metric.{name}"): name for name in ("gini", "bias", "mae", "rmse")}
    both = [figure for figure in section.figures if figure.label in labels]
    assert {figure.label for figure in both} == set(tiles)
    for figure in both:
        metric = labels[figure.label]
        value = format_metric(metric, baselines[best][metric], "EUR")
        assert value in figure.note and value in tiles[figure.label]
        assert all(translate(f"model.{best}") in said for said in (figure.note, tiles[figure.label]))


def test_a_simple_model_is_not_held_against_itself(open_page: OPEN, root: Path) -> None:
    assert bundle_of(root).record.model == "bgnbd"
    app = open_page(root, "evaluate", lang="en")
    naive = translate("model.naive")
    assert all(naive in item.delta and translate("model.bgnbd") not in item.delta for item in app.metric)
    (gains,) = [item.value for item in app.markdown if "perfect" in item.value and "hold" in item.value]
    assert naive in gains and translate("model.bgnbd") not in gains


@pytest.mark.parametrize("times", [0.9, 1.1])
def test_the_error_of_predicting_zero_stands_on_the_tile_where_it_is_smaller(
    open_page: OPEN, root: Path, times: float
) -> None:
    bundle = bundle_of(root)
    zero = float(holdout_of(bundle)["actual"].abs().mean())
    write_record(bundle.folder, replace(bundle.record, metrics={**bundle.record.metrics, "mae": zero * times}))
    shown = {item.label: item.delta for item in open_page(root, "evaluate", lang="en").metric}
    said = translate("evaluate.and_zero", note="", value=say_money(zero, "EUR"))
    assert (said in shown[translate("metric.mae")]) == (times > 1)
    assert said not in shown[translate("metric.rmse")]
