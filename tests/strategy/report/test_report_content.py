"""What a report says is what the record, the holdout, the scores and the plan say."""

from __future__ import annotations

import math
import shutil
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from pptx import Presentation

from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.deployment.bundle import Bundle, read_record, write_record
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.deployment.terms import Terms
from clv_core.errors import Message, UsageError
from clv_core.i18n import LANGUAGES, say_money, say_share, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.acquisition import Question
from clv_core.strategy.activation import PlanInputs
from clv_core.strategy.campaigns import headline, outcomes
from clv_core.strategy.demand import demand, find_demand
from clv_core.strategy.demand import headline as demand_headline
from clv_core.strategy.forecast import find_forecast, forecast
from clv_core.strategy.forecast.bridge import REFUND_DATES, Bridge, Expected, Line, make_bridge
from clv_core.strategy.plans.offers import Offer
from clv_core.strategy.report.document import Report, Section
from clv_core.strategy.report.make_report import check_endings, make_report, read_logo, write_report
from clv_core.strategy.report.report_context import Formatter
from clv_core.strategy.report.sections import SECTIONS, bridge, limits
from clv_core.strategy.segments.rfm_and_quadrant import Quadrant
from clv_core.strategy.segments.saved_segments import SegmentLabel, save_labels, tier_labels
from clv_core.strategy.segments.scored_customers import load_scored_customers
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, assign_tiers
from clv_core.upkeep.demo import GERMAN, NEXT_QUARTER, SAMPLE, SPEND, add_demo
from clv_core.workspace import Workspace

Demo = tuple[Workspace, Dataset, Bundle]
PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
"""A PNG of one pixel."""
OFFERS = (Offer.parse("name=Mail,cost=0.01,effect=1%"), Offer.parse("name=Call,cost=2,effect=12%,capacity=20"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    workspace = Workspace(tmp_path_factory.mktemp("report"))
    return (workspace, *add_demo(workspace, progress=NoProgress()))


@pytest.fixture(scope="module", params=LANGUAGES)
def report(demo: Demo, request: pytest.FixtureRequest) -> Report:
    known = {"language": request.param, "acquisition": Question(margin_rate=0.5), "expected": quarter(demo)}
    scored = Scored.open(demo[0], demo[1].name, demo[2].id)
    known |= {"forecast": forecast(scored, NoProgress()), "demand": demand(scored, NoProgress())}
    return made(demo, offers=OFFERS, budget=300.0, **known)


def quarter(demo: Demo) -> Expected:
    """Return a forecast of the log's last 90 days."""
    return Expected(demo[1].log_end - timedelta(days=90), 90, known=215_000.0, buyers=1_400.0, to_be_won=35_000.5)


def made(
    demo: Demo,
    offers: tuple[Offer, ...] = (),
    budget: float = 0.0,
    terms: Terms | None = None,
    scheme: Segmentation = DEFAULT_SCHEME,
    **options: object,
) -> Report:
    workspace, dataset, bundle = demo
    scored = Scored.open(workspace, dataset.name, bundle.id, terms=terms)
    plan = PlanInputs(offers, budget, scheme) if offers else None
    return make_report(scored, plan=plan, progress=NoProgress(), **options)  # type: ignore[arg-type]


@pytest.fixture
def copied(demo: Demo, tmp_path: Path) -> Demo:
    """A copy that may be changed."""
    shutil.copytree(demo[0].root, tmp_path / "copy")
    workspace = Workspace(tmp_path / "copy")
    return workspace, open_dataset(workspace, demo[1].name), demo[2]


def section(report: Report, name: str) -> Section:
    return next(one for one in report.sections if one.id == name)


def test_campaigns_are_what_the_log_says_of_them(report: Report, demo: Demo) -> None:
    (section,) = [one for one in report.sections if one.id == "campaigns"]
    (outcome,) = outcomes(demo[0], demo[1])
    assert section.finding == headline([outcome], "EUR", report.language).display(report.language)
    assert section.table is not None and outcome.margin is not None and outcome.returned is not None
    ((name, customers, cost, margin, times, verdict),) = section.table.rows
    assert (name, customers, cost) == ("Voucher 10 EUR", f"{outcome.listed:,}", say_money(outcome.cost, "EUR"))
    assert margin.startswith(say_money(outcome.margin.value, "EUR", report.language))
    assert f"{outcome.returned:.2f}" in times and verdict == translate("results.verdict.loses", report.language)


def test_it_has_every_section_and_names_what_it_is_about(report: Report, demo: Demo) -> None:
    assert [one.id for one in report.sections] == [make.__name__ for make in SECTIONS]
    assert len(report.sections) == 13
    provenance = section(report, "limits").points[-1]
    for known in (demo[1].name, "2025", "90", "v2"):
        assert known in provenance
    every = [text for one in report.sections for text in (one.title, one.finding, *one.points)]
    assert not any(demo[2].id in text for text in every) and every.count(provenance) == 1
    for one in report.sections:
        assert one.title and one.finding and "{" not in one.finding + "".join(one.points)


def test_acquisition_has_the_customers_of_each_channel_of_the_log_and_says_that_it_is_no_cause(report: Report) -> None:
    found = section(report, "acquisition")
    names = ["customer_id", "event_time", "channel"]
    later = pd.read_csv(NEXT_QUARTER, sep=";", dtype=str)[[GERMAN[name] for name in names]].set_axis(names, axis=1)
    later["event_time"] = pd.to_datetime(later["event_time"], dayfirst=True)
    log = pd.concat([pd.read_parquet(SAMPLE, columns=names), later]).sort_values("event_time", kind="stable")
    first = log.groupby("customer_id")[["event_time", "channel"]].first()
    spend = pd.read_csv(SPEND)  # by month; who came in no month with spend is outside of it, and counted there
    inside = first["event_time"].dt.strftime("%Y-%m").isin(spend["month"].str[:7])
    first = first.loc[inside, "channel"].value_counts()
    assert found.table is not None
    assert {row[0]: int(row[1].replace(",", "")) for row in found.table.rows} == first.to_dict()
    assert found.points[0] == translate("warning.acquisition_not_causal", report.language)
    assert "50%" in found.points[1]


def test_data_and_trust_are_the_manifest_and_the_verdict(report: Report, demo: Demo) -> None:
    facts, trust = demo[1].manifest, demo[2].record.trust
    found = section(report, "data")
    assert f"{facts.customers:,}" in found.finding and f"{facts.rows_kept:,}" in found.points[0]
    assert found.chart is not None
    assert found.chart.series[0].values == tuple(sorted(map(float, facts.event_types.values()), reverse=True))
    assert len(section(report, "trust").points) == 2 + len(trust.reasons)


def test_a_day_is_said_alike_all_over_the_report(report: Report) -> None:
    said = "".join(section(report, "trust").points)
    assert {"en": "2 Apr 2025", "zh": "2025年4月2日"}[report.language] in said and "2025-04-02" not in said


def test_quality_is_held_against_the_better_simple_model_on_each_figure(report: Report, demo: Demo) -> None:
    record = demo[2].record
    order, level, size, typical, squared = section(report, "trust").figures
    baselines = record.baselines
    best = max(("naive", "bgnbd"), key=lambda name: baselines[name]["gini"])
    assert order.value == f"{record.metrics['gini']:.3f}" and order.note.endswith(f"{baselines[best]['gini']:.3f}")
    nearest = min(("naive", "bgnbd"), key=lambda name: abs(baselines[name]["bias"]))
    assert level.note.endswith(f"{baselines[nearest]['bias']:+.1%}".replace("-", "\u2212"))
    assert float(size.value.split()[0]) == pytest.approx(record.metrics["mae"], rel=0.01)
    assert float(typical.value.split()[0]) == pytest.approx(record.metrics["rmse"], rel=0.01)
    assert "MSE" in squared.label and say_money(record.metrics["mse"], "") in squared.value


def test_tiers_are_called_as_a_person_calls_them(demo: Demo) -> None:
    save_labels(demo[1], "tiers:4", {"1": SegmentLabel("Gold"), "4": SegmentLabel("Tin")})
    try:
        found = section(made(demo, language="zh"), "segments")
    finally:
        save_labels(demo[1], "tiers:4", {})
    assert "Gold" in found.finding and found.table is not None
    names = [row[0] for row in found.table.rows]
    assert (names[0], names[-1]) == ("Gold", "Tin")


def test_the_first_decile_is_the_mean_of_the_tenth_that_was_put_first(report: Report, demo: Demo) -> None:
    chart = section(report, "deciles").chart
    assert chart is not None and len(chart.categories) == 10
    holdout = pd.read_parquet(demo[2].folder / "holdout.parquet")
    ours = holdout[holdout["model"] == "blend"].sort_values("predicted_clv", ascending=False)
    tenth = len(ours) / 10
    weights = (tenth - pd.Series(range(len(ours)), index=ours.index)).clip(0, 1)
    for series, values in zip(chart.series, (ours["predicted_clv"], ours["actual"].clip(lower=0)), strict=False):
        assert series.values[0] == pytest.approx((values * weights).sum() / tenth, rel=1e-6)


def test_the_forecast_has_the_sums_that_are_saved_and_what_came_on_past_dates(report: Report, demo: Demo) -> None:
    found, saved = section(report, "forecast"), find_forecast(Scored.open(demo[0], demo[1].name, demo[2].id))
    assert saved is not None and found.table is not None and found.chart is not None
    sums, months = saved.sums(), saved.by_period("month")
    assert len(found.chart.categories) == len(months) == len(found.table.rows) - 1
    for series, part in zip(found.chart.series, ("known", "won"), strict=True):
        assert series.name == translate(f"forecast.{part}", report.language)
        assert series.values == pytest.approx([getattr(month, part) for month in months], rel=1e-5)
        assert sum(series.values) == pytest.approx(getattr(sums, part), rel=1e-5)
    assert found.table.rows[-1][1:4] == tuple(
        say_money(value, "", report.language) for value in (sums.known, sums.won, sums.total)
    )
    assert say_money(sums.low or 0, "", report.language) in found.table.rows[-1][-1]
    assert f"{sums.known / sums.total:.0%}" in found.finding and found.finding not in report.finding
    (test,) = saved.tests
    for known in (test.known + test.won, test.actual):
        assert say_money(known, "EUR", report.language) in found.points[0]
    assert f"{test.wape:.0%}" in found.points[0]


def test_a_long_forecast_keeps_its_sum_and_a_short_one_is_by_week(demo: Demo) -> None:
    whole = forecast(Scored.open(demo[0], demo[1].name, demo[2].id), NoProgress())
    whole = replace(whole, known=whole.known / 100, won=whole.won / 100, ends=None, tests=(), draws=None)
    for days, rows in ((365, 8), (28, 5)):
        made_for = replace(whole, horizon_days=days)
        found = section(made(demo, forecast=made_for), "forecast")
        assert found.table is not None and found.chart is not None and len(found.table.rows) == rows
        for column, part in enumerate((whole.known, whole.won, whole.known + whole.won), 1):
            amounts = [float(row[column].replace(",", "")) for row in found.table.rows]
            assert sum(amounts[:-1]) == pytest.approx(amounts[-1], rel=0.01)
            assert amounts[-1] == pytest.approx(part[:days].sum(), rel=0.005)
        assert {row[-1] for row in found.table.rows} == {"–"}
        assert translate("forecast.no_range", "en") in found.points
    assert found.table.rows[0][0] == "1 – 7 Oct 2025"


def test_demand_has_the_pieces_that_are_saved_and_says_how_past_dates_came_out(report: Report, demo: Demo) -> None:
    found, saved = section(report, "demand"), find_demand(Scored.open(demo[0], demo[1].name, demo[2].id))
    assert saved is not None and found.table is not None and found.chart is not None
    assert found.finding == demand_headline(saved, report.language, 4).display(report.language)
    assert f"{saved.tests[0].share_off():.0%}" in found.points[0]
    money = saved.revenue("categories")[:, :4].sum(axis=1)
    best = int(money.argmax())
    name, recent, month, ends, amount = found.table.rows[0]
    assert (name, recent) == (saved.categories["category"][best], f"{saved.categories['recent'][best]:.0f}")
    assert month == f"{saved.by_category.block[best]:.0f}" and f"{saved.by_category.block_high[best]:,.0f}" in ends
    assert amount == say_money(money[best], "", report.language)
    assert len(found.table.rows) == 7 and len(found.chart.categories) == 5, "the others are one row"
    whole = [int(row[2].replace(",", "")) for row in found.table.rows]
    assert sum(whole[:-1]) == pytest.approx(whole[-1], abs=3)
    assert whole[-1] == pytest.approx(saved.by_category.block.sum(), abs=0.5)


def test_demand_of_a_log_with_one_category_is_by_product(demo: Demo) -> None:
    whole = demand(Scored.open(demo[0], demo[1].name, demo[2].id), NoProgress())
    found = section(made(demo, demand=replace(whole, categories=whole.categories[:1])), "demand")
    top = whole.products["product_id"][int(whole.revenue()[:, :4].sum(axis=1).argmax())]
    assert found.table is not None and found.table.rows[0][0] == top


def test_the_bridge_adds_up_to_the_cent_and_its_bars_meet(report: Report, demo: Demo) -> None:
    found, names = section(report, "bridge"), ("forecast", "new_customers", "lost_customers", "actual")
    assert found.table is not None and found.chart is not None and found.chart.waterfall
    amounts = [round(100 * float(row[-1].replace(",", "").replace("\u2212", "-"))) for row in found.table.rows]
    made = make_bridge(demo[0], demo[1], quarter(demo))
    assert amounts[1:-1] == [line.cents for line in made.lines if line.code != "objected"]
    assert amounts[0] == made.forecast_cents and sum(amounts[:-1]) == amounts[-1] == made.actual_cents
    words = [row[0] for row in found.table.rows]
    assert [words[place] for place in (0, 1, 2, -1)] == [translate(f"bridge.{name}", report.language) for name in names]
    assert found.chart.starts[0] == found.chart.starts[-1] == 0 and found.chart.starts[1] == amounts[0] / 100
    last = sum(series.values[-2] for series in found.chart.series)
    assert found.chart.starts[-2] + last == pytest.approx(found.chart.series[-1].values[-1])
    lowest = min(made.lines, key=lambda line: line.cents)
    assert made.actual_cents < made.forecast_cents
    assert translate(f"bridge.{lowest.code}", report.language) in found.finding


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bridge_says_where_refunds_count_and_names_those_who_objected(copied: Demo, language: str) -> None:
    log = pd.read_parquet(copied[1].events_path, columns=["customer_id", "event_time", "event_type", "amount"])
    late = log[log["event_type"].eq("purchase") & (log["event_time"] >= pd.Timestamp(quarter(copied).cutoff))]
    objection_list(copied[0]).add([late.loc[late["amount"].idxmax(), "customer_id"]])
    points = {}
    for refunds in REFUND_DATES:
        context: Any = SimpleNamespace(
            format=Formatter(language, "EUR"), bridge=make_bridge(copied[0], copied[1], quarter(copied), refunds)
        )
        found = bridge(context)
        assert found is not None and found.table is not None
        assert translate("bridge.objected", language) in {row[0] for row in found.table.rows}
        assert translate("report.bridge.objected", language) in found.points
        points[refunds] = found.points[0]
    day = {"en": "30 Sept 2025", "zh": "2025年9月30日"}[language]
    assert points["refund_date"] != points["order_date"] and day in points["order_date"]


def test_a_bridge_below_zero_has_a_table_and_no_chart() -> None:
    lines = (Line("new_customers", -30_000, 0.0, -300.0), Line("objected", 5_000, None, 50.0))
    days = date(2024, 1, 1), date(2024, 2, 1), date(2024, 2, 1)
    made = Bridge(*days, "refund_date", "", 10_000, lines, -15_000, (Message("warning.bridge_one_line", {"days": 31}),))
    context: Any = SimpleNamespace(format=Formatter("en", ""), bridge=made)
    found = bridge(context)
    assert found is not None and found.chart is None and found.table is not None
    assert [row[-1] for row in found.table.rows] == ["100.00", "\u2212300.00", "+50.00", "\u2212150.00"]
    assert found.points[-1] == translate("warning.bridge_one_line", "en", days=31) and "New customers" in found.finding


def test_segments_add_up_to_the_scores_and_carry_intervals(report: Report, demo: Demo) -> None:
    table, chart = section(report, "segments").table, section(report, "segments").chart
    assert table is not None and chart is not None
    scored = pd.read_parquet(Scored.of(*demo).scores_path)
    assert sum(int(row[1].replace(",", "")) for row in table.rows) == len(scored)
    top = scored["predicted_clv"].nlargest(len(scored) // 10).sum() / scored["predicted_clv"].sum()
    assert chart.series[1].values[0] == pytest.approx(top, rel=1e-6)
    assert all(len(row) == len(table.head) for row in table.rows) and "–" not in table.rows[0]


def test_the_plan_stays_within_the_budget_and_says_that_its_effects_are_assumed(report: Report) -> None:
    found = section(report, "plan")
    assert found.table is not None
    word = {"en": "assumed", "zh": "假设"}[report.language]
    assert {row[-1] for row in found.table.rows} == {word} and word in found.points[0].lower()
    assert float(found.figures[0].value.removesuffix(" EUR")) <= 300
    assert "Call" in {row[0] for row in found.table.rows}


def test_an_offer_must_win_its_cost_over_what_a_buyer_brings_and_the_easiest_segment_is_the_finding(
    report: Report, demo: Demo
) -> None:
    found, tiered = section(report, "spending"), assign_tiers(Scored.of(*demo).scores(NoProgress()), DEFAULT_SCHEME)
    names = tier_labels(demo[1], DEFAULT_SCHEME.tiers, report.language)
    means = tiered.groupby("tier")[["p_purchase", "predicted_clv"]].mean()
    needed = OFFERS[1].cost * means["p_purchase"] / means["predicted_clv"]
    assert found.table is not None
    rows = {row[0]: row for row in found.table.rows}
    assert len(rows) == 7 and len(found.table.head) == 5
    easiest = needed.sort_values().index[:3]  # the first three of the second offer, and all of the first
    for number in easiest:
        row = rows[f"Call · {names[number - 1]}"]
        assert row[2] == say_share(float(means.loc[number, "p_purchase"]))
        one_in = 1 / needed[number]
        said = translate("break_even.short.one_in", report.language, number=math.floor(one_in))
        assert one_in < 5 or row[3] == said
    best = math.floor(1 / needed.min())
    assert f"{best:,}" in found.finding and names[int(needed.idxmin()) - 1] in found.finding and "Call" in found.finding
    assert translate("warning.break_even", report.language) in found.points


def test_what_an_experiment_measured_is_said_less_the_cost_and_what_does_not_fit_is_counted(demo: Demo) -> None:
    measured = Offer.parse("name=Call,cost=2,effect=4.1(2.5;5.7),days=90")
    found = section(
        made(demo, offers=(measured, OFFERS[0], Offer.parse("name=Gift,cost=1,effect=3%")), budget=300.0), "spending"
    )
    assert found.table is not None and len(found.table.rows) == 7
    calls = [row for row in found.table.rows if row[0].startswith("Call")]
    assert len(calls) == 3 and {row[-1] for row in calls} == {"2.1 (0.5 to 3.7)"}
    assert {row[-1] for row in found.table.rows if row[0].startswith("Mail")} == {""}
    assert any("5 more pairs" in point for point in found.points)
    dear = made(demo, offers=(Offer.parse("name=Car,cost=900000,effect=1%"),), budget=300.0)
    assert section(dear, "spending").finding == translate("report.spending.finding.none")


def test_of_a_budget_that_is_too_large_the_plan_says_what_is_spent(demo: Demo) -> None:
    found = section(made(demo, offers=OFFERS, budget=5000.0), "plan")
    spent, note = found.figures[0].value, found.figures[0].note
    assert found.finding.startswith(f"{spent} on") and "5,000" not in found.finding and note == "of 5,000 EUR"


def test_without_offers_and_reasons_it_has_no_empty_slides(copied: Demo) -> None:
    shutil.rmtree(explanation_folder(Scored.of(*copied)))
    found = {one.id: one for one in made(copied).sections}
    assert not {"drivers", "plan", "spending"} & set(found)
    assert all(one.figures or one.table or one.chart or len(one.points) > 5 for one in found.values())


def test_a_logo_stands_on_the_cover_and_what_is_no_png_is_refused(demo: Demo, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(PIXEL)
    report = replace(made(demo), logo=read_logo(logo))
    slides, page = write_report(report, [tmp_path / "r.pptx", tmp_path / "r.html"])
    cover = Presentation(str(slides)).slides[0]
    assert [shape.image.blob for shape in cover.shapes if hasattr(shape, "image")] == [PIXEL]
    assert b64encode(PIXEL).decode() in page.read_text(encoding="utf-8")
    logo.write_bytes(b"GIF89a")
    with pytest.raises(UsageError) as refused:
        read_logo(logo)
    assert refused.value.code == "report_logo"


def test_a_model_that_was_not_measured_has_no_figures_of_quality_and_says_so_in_the_limits(copied: Demo) -> None:
    folder = copied[0].models / copied[2].id
    (folder / "holdout.parquet").unlink()
    known = read_record(folder)
    checksums = {name: one for name, one in known.checksums.items() if name != "holdout.parquet"}
    write_record(folder, replace(known, holdout=None, metrics={}, baselines={}, checksums=checksums))
    found = made(copied, language="zh")
    assert "deciles" not in {one.id for one in found.sections} and not section(found, "trust").figures
    table = section(found, "segments").table
    assert table is not None and {row[3] for row in table.rows} == {"–"}
    assert any("未与实际结果核对" in point for point in section(found, "limits").points)


def test_another_ending_is_refused_before_the_work() -> None:
    with pytest.raises(UsageError) as caught:
        check_endings([Path("good.pptx"), Path("bad.docx")])
    assert "bad.docx" in caught.value.message("zh")


def test_the_plan_gives_nothing_to_customers_on_the_suppression_list(copied: Demo) -> None:
    scored = pd.read_parquet(Scored.of(*copied).scores_path)
    known = scored.sort_values("predicted_clv", ascending=False)["customer_id"].tolist()
    SuppressionList.of(copied[0]).add(known[:-50])
    found = section(made(copied, offers=(Offer.parse("name=Mail,cost=0,effect=9"),), budget=30.0), "plan")
    assert found.figures[3].value == "50"


def test_an_effect_that_was_measured_for_less_time_is_said_beside_the_plan(demo: Demo) -> None:
    offer = Offer.parse("name=Gift,cost=0.1,effect=4(2;6),days=30")
    for language, days in (("en", "30 days"), ("zh", "30 天")):
        found = section(made(demo, language=language, offers=(offer,), budget=30.0), "plan")
        assert any(days in point and "Gift" in point for point in found.points)


def test_the_plan_says_what_it_is_revenue_untried_or_as_good_as_an_even_spread(demo: Demo) -> None:
    offer = Offer.parse("name=Gift,cost=0.1,effect=3:4(2;6)+4:4(2;6),days=90")
    for language, revenue, even in (
        ("en", "revenue", "choosing customers makes no difference"),
        ("zh", "按收入计", "选谁并无差别"),
    ):
        options = {"language": language, "offers": (offer,), "budget": 30.0}
        whole = made(demo, **options)
        found = section(whole, "plan")
        assert "warning.offer_untried" in [note.code for note in whole.notes]
        assert even in found.finding and revenue in found.finding
        assert any("Gift" in point and "Top value" in point for point in found.points) or language == "zh"
        found = section(made(demo, **options, terms=Terms(90, margin_rate=0.3)), "plan")
        assert revenue not in found.finding + "".join(found.points)
        assert "--" not in "".join(section(whole, "plan").points), "a report has no command line"
        assert any("30%" in point for point in found.points)
    assert "no difference" not in section(made(demo, offers=OFFERS, budget=30.0), "plan").finding


def test_a_plan_by_segments_calls_them_by_their_names(demo: Demo) -> None:
    workspace, dataset, bundle = demo
    scheme = Quadrant()
    people = load_scored_customers(Scored.open(workspace, dataset.name, bundle.id), scheme, progress=NoProgress())
    names = people.names(dataset, "zh")
    assert len(set(names)) == people.count and not any(name.isdecimal() for name in names)
    offer = Offer.parse("name=Gift,cost=0.1,effect=1:4(2;6),days=90")
    whole = made(demo, offers=(offer,), budget=30.0, scheme=scheme, language="zh")
    assert any(names[1] in point for point in section(whole, "plan").points)


@pytest.mark.parametrize(("currency", "said"), [("EUR", ", in EUR, before"), ("", "period, before")])
def test_the_limits_name_the_currency_and_leave_it_out_where_there_is_none(
    demo: Demo, currency: str, said: str
) -> None:
    scored = Scored.open(demo[0], demo[1].name, demo[2].id)
    about = {"shared": None, "horizon_days": 90, "about": ""}
    context: Any = SimpleNamespace(format=Formatter("en", currency), scored=scored, **about)
    assert said in limits(context).points[0]
