"""The demo: its model is whole, of this sample and as good as said, and what it shows is what the raw files say."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.simulate.shop_scenarios import CAMPAIGN, COSTS
from clv_core.collection.store.version_store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import score_customers
from clv_core.deployment.registry.database import transaction
from clv_core.deployment.registry.registry_rows import versions
from clv_core.deployment.saved_evaluation import trust
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.errors import NotFound, Refused
from clv_core.evaluation.explain.saved_explanations import load_explanation
from clv_core.jobs import NoProgress
from clv_core.monitoring.monitoring_report import Report, last_outcome, report_folder
from clv_core.strategy.acquisition.acquire import report_table
from clv_core.strategy.acquisition.customer_origins import load_new_customers
from clv_core.strategy.acquisition.economics import acquisition_report
from clv_core.strategy.acquisition.question import Question
from clv_core.strategy.acquisition.spend import load_spend
from clv_core.strategy.campaigns import outcomes
from clv_core.strategy.plans.saved_offers import load_offers
from clv_core.training.cost import DEFAULT
from clv_core.upkeep.demo import (
    CURRENCY,
    FILES,
    NAME,
    NEXT_QUARTER,
    PLAN,
    SAMPLE,
    SETTINGS,
    SHIPPED,
    SPEND,
    VOUCHER,
    VOUCHER_TEST,
    add_demo,
    added_model,
)
from clv_core.workspace import Workspace, read_json, write_json

Demo = tuple[Workspace, Dataset, Bundle]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    workspace = Workspace(tmp_path_factory.mktemp("demo"))
    return (workspace, *add_demo(workspace, progress=NoProgress()))


@pytest.fixture(scope="module")
def quarter() -> pd.DataFrame:
    """The next quarter as its file has it, read without the package: customer, time, amount, channel."""
    names = {"Kundennummer": "customer", "Zeitpunkt": "time", "Betrag": "amount", "Kanal": "channel"}
    table = pd.read_csv(NEXT_QUARTER, sep=";", decimal=",").rename(columns=names)
    return table.assign(time=pd.to_datetime(table["time"], format="%d.%m.%Y %H:%M:%S"))[list(names.values())]


def test_the_shipped_model_is_of_the_default_kind_and_trusted(demo: Demo) -> None:
    workspace, dataset, bundle = demo
    assert bundle.record.cutoff == PLAN.cutoff and dataset.log_end == PLAN.end
    assert bundle.record.model == SETTINGS.model == DEFAULT
    assert bundle.record.train_config == SETTINGS
    assert trust(workspace, bundle.id).verdict == "trusted"


def test_on_its_holdout_it_ranks_surely_better_than_bgnbd_with_no_larger_error_and_the_total_within_a_tenth(
    demo: Demo,
) -> None:
    held = demo[2].holdout()
    assert held is not None
    wide = held.pivot(index="customer_id", columns="model", values="predicted_clv")
    actual = held.drop_duplicates("customer_id").set_index("customer_id")["actual"].reindex(wide.index).to_numpy()
    own, other = wide[SETTINGS.model].to_numpy(), wide["bgnbd"].to_numpy()
    assert abs(own.sum() / actual.sum() - 1) <= 0.1
    assert np.square(own - actual).mean() <= np.square(other - actual).mean()
    random = np.random.default_rng(1)
    draws = [random.integers(len(actual), size=len(actual)) for _ in range(200)]
    gains = [gini(own[rows], actual[rows]) - gini(other[rows], actual[rows]) for rows in draws]
    assert np.quantile(gains, 0.025) > 0


def gini(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Return the area between the gain curve and the diagonal, of that of the perfect order."""
    paid = np.maximum(actual, 0)

    def area(order: np.ndarray) -> float:
        return float((np.cumsum(paid[order]) / paid.sum()).mean() - 0.5)

    return area(np.argsort(-predicted, kind="stable")) / area(np.argsort(-paid, kind="stable"))


def test_its_candidate_won_over_three_starts_and_is_the_current_model(demo: Demo) -> None:
    """A service that was started before looks for a champion in the registry's rows, and opens no folder."""
    workspace, _, bundle = demo
    with transaction(workspace) as rows:
        found = {version.bundle: version for version in versions(rows, NAME)}
    assert len(found) == 2 and (found[bundle.id].role, found[bundle.id].source) == ("champion", "imported")
    outcome = last_outcome(workspace, bundle.id)
    assert outcome is not None and outcome.starts == 3
    assert (outcome.outcome, outcome.challenger) == ("promoted", bundle.id)
    assert outcome.champion in found and outcome.champion != bundle.id
    assert next(one for one in outcome.figures if one.metric == "gini").advantage.low > 0


@pytest.mark.slow
def test_what_came_true_is_what_the_raw_files_say(demo: Demo, quarter: pd.DataFrame) -> None:
    _, dataset, bundle = demo
    report = Report.load(report_folder(Scored.of(*demo)))
    assert report is not None
    known = set(pd.read_parquet(SAMPLE, columns=["customer_id"])["customer_id"])
    last = report.realised[-1]
    end = pd.Timestamp(PLAN.cutoff) + pd.Timedelta(days=SETTINGS.horizon_days)
    inside = quarter[(quarter["time"] < end) & quarter["amount"].notna()]
    assert last.realised == pytest.approx(inside[inside["customer"].isin(known)]["amount"].sum(), abs=0.005)
    assert last.expected == pytest.approx(
        score_customers(bundle, dataset, cutoff=PLAN.cutoff, progress=NoProgress())["predicted_clv"].sum(), rel=1e-3
    )


def test_the_one_alert_is_the_campaign(demo: Demo, quarter: pd.DataFrame) -> None:
    report = Report.load(report_folder(Scored.of(*demo)))
    assert report is not None
    (alert,) = report.alerts
    assert (alert.code, alert.params["value"]) == ("new_channel", CAMPAIGN)
    began = quarter[quarter["channel"] == CAMPAIGN]["time"].min()
    assert began >= pd.Timestamp(alert.begin) > began - pd.Timedelta(days=5)


def test_the_voucher_was_measured_as_its_groups_spent(demo: Demo) -> None:
    saved = load_offers(demo[1])
    ((_, experiment),) = saved.experiments.items()
    overall = experiment.effects[0]
    log, groups = pd.read_parquet(SAMPLE), pd.read_csv(VOUCHER_TEST).set_index("customer_id")
    sent = pd.Timestamp(groups["date"].iloc[0])
    window = log[log["event_time"].between(sent, sent + pd.Timedelta(days=90), inclusive="left")]
    spent = window.groupby("customer_id")["amount"].sum().reindex(groups.index, fill_value=0.0)
    means = spent.groupby(groups["group"]).mean()
    assert overall.low is not None and overall.high is not None and overall.low > 0
    assert overall.low < means["offer"] - means["control"] < overall.high
    assert saved.budget == 20_000


def test_acquisition_opens_with_what_each_paid_channel_cost(demo: Demo, quarter: pd.DataFrame) -> None:
    spend = load_spend(demo[1])
    assert spend is not None and spend.currency == CURRENCY and not spend.rows_rejected
    customers = load_new_customers(Scored.of(*demo), NoProgress())
    table = report_table(acquisition_report(customers, spend, Question(("channel",)))).set_index("channel")
    log, paid = pd.read_parquet(SAMPLE), pd.read_csv(SPEND)
    events = pd.concat([log.rename(columns={"event_time": "time", "customer_id": "customer"}), quarter])
    first = events.sort_values("time", kind="stable").groupby("customer").first()
    won = first[first["time"] >= paid["month"].min()].groupby("channel").size()
    cost = paid.groupby("channel")["spend"].sum() / won
    assert cost.dropna().index.tolist() == ["affiliate", "creator_campaign", "email", "search", "social"]
    for channel, each in cost.dropna().items():
        assert table.loc[channel, "cac"] == pytest.approx(each, abs=0.005)
        assert each == pytest.approx(COSTS[channel], rel=0.1)
    assert table.loc["direct", "cac"] == 0


@pytest.mark.slow
def test_it_passes_its_checksums_and_its_scores_are_what_it_says_when_asked_anew(demo: Demo) -> None:
    workspace, dataset, bundle = demo
    kept = pd.read_parquet(Scored.of(*demo).scores_path).set_index("customer_id").sort_index()
    anew = score_customers(bundle, dataset, progress=NoProgress()).set_index("customer_id").sort_index()
    assert kept.index.tolist() == anew.index.tolist() and len(kept) == dataset.manifest.customers
    for column in ("p_purchase", "predicted_clv", "clv_p10", "clv_p90"):
        np.testing.assert_allclose(kept[column], anew[column], rtol=1e-3, atol=1e-4)


def test_its_reasons_add_up_to_its_scores(demo: Demo) -> None:
    workspace, dataset, bundle = demo
    found = load_explanation(explanation_folder(Scored.of(*demo)))
    assert found is not None
    explanation, about = found
    assert explanation.residual < 1e-4 and about["model"] == bundle.id
    kept = Scored.open(workspace, NAME, bundle.id).scores(NoProgress()).set_index("customer_id")["predicted_clv"]
    np.testing.assert_allclose(kept[list(explanation.customer_ids)], explanation.predicted, rtol=1e-3, atol=1e-4)


def test_it_is_small_and_says_how_it_was_made() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in (*files, *FILES.iterdir())) < 14_500_000
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".parquet"}
    record = read_json(SHIPPED / "record.json")
    assert record["made_by"].startswith("python -m clv_core demo --make")
    assert TrainConfig.from_json(record["settings"]) == SETTINGS


@pytest.mark.slow
def test_another_sample_or_none_is_refused_in_words(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    write_json(other / "record.json", {**read_json(SHIPPED / "record.json"), "version": "0" * 12})
    workspace = Workspace(tmp_path / "workspace")
    with pytest.raises(Refused) as caught:
        add_demo(workspace, folder=other, progress=NoProgress())
    assert caught.value.code == "demo_other_sample" and caught.value.message("zh")
    assert list(workspace.models.iterdir()) == []
    assert added_model(workspace) is None
    with pytest.raises(NotFound):
        add_demo(workspace, folder=tmp_path / "nowhere", progress=NoProgress())


def test_the_voucher_test_is_a_campaign_with_a_result(demo: Demo) -> None:
    workspace, dataset, _ = demo
    (found,) = outcomes(workspace, dataset)
    test = pd.read_csv(VOUCHER_TEST, dtype="str")
    sizes = test["group"].value_counts()
    assert (found.campaign.name, found.state) == (VOUCHER, "due")
    assert (found.listed, found.control) == (sizes["offer"], sizes["control"])
    events = pd.concat([pd.read_parquet(dataset.events_path, columns=["customer_id", "event_time", "amount"])])
    since = (events["event_time"].dt.tz_localize(None).dt.normalize() - pd.Timestamp(test["date"].iloc[0])).dt.days
    spent = events[(since >= 0) & (since < 30)].groupby("customer_id")["amount"].sum()
    means = test.assign(spent=test["customer_id"].map(spent).fillna(0.0)).groupby("group")["spent"].mean()
    assert found.uplift is not None and found.uplift.low > 0
    assert found.uplift.effect == pytest.approx(means["offer"] - means["control"], abs=2 * found.uplift.error)
    assert [one.segment for one in found.by_segment] == ["1", "2", "3", "4"]
