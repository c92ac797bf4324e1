"""The sections of a report, from the data to the limits of what it says; :data:`SECTIONS` has their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, Final

import numpy as np

from clv_core.columns import PRODUCT_ID
from clv_core.deployment import Terms, holdout_predictions
from clv_core.errors import Message
from clv_core.evaluation import (
    METRICS,
    REASONS,
    advantages_of,
    best_baseline,
    both_figures,
    decile_table,
    format_metric,
    level_of,
    standing_of,
    top_share,
    with_role,
)
from clv_core.evaluation.explain import SECOND
from clv_core.i18n import say_list, say_money, say_number, say_orders, say_share, say_span, without_options
from clv_core.strategy.acquisition.findings import group_name
from clv_core.strategy.acquisition.findings import headline as acquisition_finding
from clv_core.strategy.campaigns import EARLY, notes_on, say_left_out
from clv_core.strategy.campaigns import headline as campaigns_finding
from clv_core.strategy.demand import BLOCK, demand_notes
from clv_core.strategy.demand import headline as demand_finding
from clv_core.strategy.forecast import find_headline
from clv_core.strategy.forecast.bridge import ACTUAL as CAME
from clv_core.strategy.forecast.bridge import BASKET, FORECAST, LOST_CUSTOMERS, OBJECTED, ORDERS_PER_BUYER, REFUNDS
from clv_core.strategy.forecast.saved_forecast import forecast_notes
from clv_core.strategy.forecast.shop_forecast import MONTHS, WEEKS, Sums
from clv_core.strategy.plans.break_even import (
    BUYERS,
    EVERYONE,
    PAID,
    BreakEven,
    OfferCost,
    easiest_break_even,
    measured_gain,
    offer_break_evens,
)
from clv_core.strategy.plans.budget_plan import COST, GAIN, OFFER
from clv_core.strategy.report.document import ACTUAL, BASELINE, PREDICTED, Chart, ReportFigure, Section, Series, Table
from clv_core.strategy.report.report_context import Formatter, ReportContext, ReportPlan
from clv_core.strategy.segments import VALUE, table, too_few, total
from clv_core.strategy.segments.value_tiers import NAMES

DRIVERS, GROUPS = 8, 8
"""Rows of the charts of drivers and of groups of new customers: as many as a slide shows."""
CAMPAIGNS: Final = 7
"""Rows of the table of campaigns, the latest first, as many as a slide shows; a guess."""
PERIODS, DATES = 7, 3
"""Of a forecast: rows of its table, and past dates on which it was tested, as many as a slide shows; guesses."""
DEMAND_ROWS: Final = 7
"""Rows of the table of demand, its total among them, as many as a slide shows; a guess."""
PAIRS: Final = 7
"""Rows of the table of break-evens, one an offer and segment; as many as fit a slide with its sentences."""
SHORT_DAYS: Final = 56
"""A forecast of at most so many days is shown by week, as two calendar months say little; a guess."""
JUDGED: Final = with_role("report")


def data(context: ReportContext) -> Section:
    """Return what is in the log."""
    f, facts = context.format, context.scored.dataset.manifest
    days = (context.scored.dataset.log_end - context.scored.dataset.log_start).days
    finding = f.t(
        "report.data.finding",
        customers=f"{facts.customers:,}",
        bought=say_orders(facts.orders, facts.lines, f.language),
        first=f.day(context.scored.dataset.log_start),
        last=f.day(context.scored.dataset.last_day),
    )
    rows = f.t(
        "report.data.rows",
        read=facts.rows_read,
        kept=facts.rows_kept,
        aside=facts.rows_set_aside,
        repeated=facts.rows_duplicate,
    )
    figures = (
        ReportFigure(f.t("report.data.customers"), f.count(facts.customers)),
        ReportFigure(f.t("report.data.orders"), "–" if facts.orders is None else f.count(facts.orders)),
        ReportFigure(f.t("report.data.revenue"), f.money(facts.net_revenue)),
        ReportFigure(f.t("report.data.days"), f"{days:,}"),
    )
    kinds = sorted(facts.event_types.items(), key=lambda item: -item[1])[:8]
    names = tuple(f.name("event", kind) for kind, _ in kinds)
    counts = Series(f.t("report.data.events"), tuple(float(count) for _, count in kinds), PREDICTED)
    chart = Chart("bars", names, (counts,), "", f.t("report.data.events")) if len(kinds) > 1 else None
    return Section("data", f.t("report.data"), finding, (rows,), figures, chart=chart)


def trust(context: ReportContext) -> Section:
    """Return the verdict on the model with its reasons, and how it did on the holdout against simple models."""
    f, verdict, record = context.format, context.trust.verdict, context.scored.model.record
    name, meaning = f.t(f"trust.{verdict}"), f.t(f"trust.{verdict}.meaning")
    reasons = [
        f.t(f"report.trust.{REASONS[reason.code.removeprefix('reason.')]}", reason=reason.display(f.language))
        for reason in context.trust.reasons
    ]
    finding = f.t("report.trust.finding", verdict=name, meaning=meaning)
    holdout = record.holdout
    if holdout is None:
        return Section("trust", f.t("report.trust"), finding, tuple(reasons))
    figures = tuple(_figure(context, metric) for metric in JUDGED if metric in record.metrics)
    span = f.t("report.quality.span", cutoff=f.day(holdout.cutoff), customers=holdout.customers, buyers=holdout.buyers)
    return Section("trust", f.t("report.trust"), finding, (quality(context), span, *reasons), figures)


def quality(context: ReportContext) -> str:
    """Return how ranking and level did on the holdout, in one sentence."""
    f, record = context.format, context.scored.model.record
    bias, order = record.metrics.get("bias"), best_baseline(record.baselines, "gini", model=record.model)
    rows, advantage = holdout_predictions(context.scored.model), None
    if order in rows:
        both = both_figures(record.metrics, record.baselines[order], ("gini",))
        advantage = advantages_of(rows[record.model], rows[order], both).get("gini")
    return f.t(
        f"report.quality.finding.{standing_of(advantage)}",
        horizon=context.horizon_days,
        model=f.name("model", order) if order else "",
        level=f.t(f"report.quality.level.{level_of(bias)}", off=f.percent(abs(bias or 0.0))),
    )


def _figure(context: ReportContext, metric: str) -> ReportFigure:
    f, record = context.format, context.scored.model.record
    value, name = record.metrics[metric], best_baseline(record.baselines, metric, model=record.model)
    label = f.t(f"metric.{metric}")
    if not name:
        return ReportFigure(label, _shown(context, metric, value))
    other = record.baselines[name][metric]
    note = f.t("report.quality.against", model=f.name("model", name), value=_shown(context, metric, other))
    return ReportFigure(label, _shown(context, metric, value), note)


def _shown(context: ReportContext, metric: str, value: float) -> str:
    return format_metric(metric, value, context.format.currency, context.format.language)


def deciles(context: ReportContext) -> Section | None:
    """Return predicted and actual value by decile of customers on the holdout; None without a holdout."""
    f, record = context.format, context.scored.model.record
    simple = best_baseline(record.baselines, "gini", model=record.model)
    rows = holdout_predictions(context.scored.model)
    if not rows:
        return None
    ours, theirs = rows[record.model], rows.get(simple)
    other = theirs["predicted_clv"] if theirs is not None and len(theirs) == len(ours) else None
    table = decile_table(ours["actual"], ours["predicted_clv"], baseline=other)
    first = table.iloc[0]
    finding = f.t(
        "report.deciles.finding",
        predicted=f.money(first["predicted_mean"]),
        actual=f.money(first["actual_mean"]),
        share=f.percent(first["share_of_value"]),
    )
    series = [
        Series(f.t("report.predicted"), tuple(table["predicted_mean"]), PREDICTED),
        Series(f.t("report.actual"), tuple(table["actual_mean"]), ACTUAL),
    ]
    if other is not None:
        series.append(Series(f.name("model", simple), tuple(table["baseline_mean"]), BASELINE))
    names = tuple(str(number) for number in table["decile"])
    axes = f.t("chart.decile"), f.t("chart.mean_value", unit=f.unit())
    return Section("deciles", f.t("report.deciles"), finding, chart=Chart("columns", names, tuple(series), *axes))


def forecast(context: ReportContext) -> Section | None:
    """Return what the shop will take, of customers known and of those still to be won, and how past dates came out."""
    f, made = context.format, context.forecast
    if made is None:
        return None
    whole, bare = made.sums(), Formatter(f.language, "")
    periods = made.by_period(WEEKS if made.horizon_days <= SHORT_DAYS else MONTHS)
    shown = periods if len(periods) <= PERIODS else periods[: PERIODS - 1]
    later = periods[len(shown) :]
    rows = [(_days(f, sums), sums.known, sums.won, sums.total, _range(bare, sums)) for sums in shown]
    if later:
        known, won = (sum(getattr(sums, part) for sums in later) for part in ("known", "won"))
        name = f.t("report.forecast.later", day=f.day(later[0].first))
        rows.append((name, known, won, known + won, "–"))
    rows.append((f.t("forecast.total"), whole.known, whole.won, whole.total, _range(bare, whole)))
    parts = tuple(f.t(f"forecast.{part}") for part in ("known", "won"))
    amounts = tuple(f.t("column.in_unit", label=name, unit=f.unit()) for name in (*parts, f.t("forecast.total")))
    head = (f.t("report.forecast.days"), *amounts, f.t("report.segments.span"))
    series = (
        Series(parts[0], tuple(sums.known for sums in shown), PREDICTED),
        Series(parts[1], tuple(sums.won for sums in shown), BASELINE),
    )
    tested = [
        f.t(
            "report.forecast.tested",
            day=f.day(test.cutoff),
            days=test.days,
            expected=f.money(test.known + test.won),
            actual=f.money(test.actual),
            error="–" if test.wape is None else f.percent(test.wape),
        )
        for test in made.tests[-DATES:]
    ]
    return Section(
        "forecast",
        f.t("report.forecast"),
        f.t("forecast.chart", days=made.horizon_days, share=f.percent(whole.known / whole.total if whole.total else 0)),
        (*tested, *(note.text(f.language) for note in forecast_notes(made))),
        table=Table(head, tuple((name, *map(bare.money, sums), ends) for name, *sums, ends in rows)),
        chart=Chart("bars", tuple(row[0] for row in rows[: len(shown)]), series, "", f.unit()),
    )


def demand(context: ReportContext) -> Section | None:
    """Return what will be bought in four weeks by category, or by product where the log has one category; else None."""
    f, made = context.format, context.demand
    if made is None:
        return None
    of = "categories" if len(made.categories) > 1 else "products"
    about, ranged = getattr(made, of), made.by_category if of == "categories" else made.by_product
    names = about["category"].replace("", f.t("demand.no_category"))
    if of == "products":
        names = about["name"].where(about["name"] != "", about[PRODUCT_ID])
    recent, month, money = about["recent"].to_numpy(), ranged.block, made.revenue(of)[:, :BLOCK].sum(axis=1)
    order = np.argsort(-money, kind="stable")
    shown, others = np.split(order, [len(order) if len(order) < DEMAND_ROWS else DEMAND_ROWS - 2])
    groups = [(str(names[at]), np.array([at]), _pieces(f, ranged.block_low[at], ranged.block_high[at])) for at in shown]
    groups += [(f.t("report.demand.others", others=len(others)), others, "–")] if len(others) else []
    groups += [(f.t("forecast.total"), order, "–")]
    bare = Formatter(f.language, "")
    rows = tuple(
        (name, f.count(round(recent[at].sum())), f.count(round(month[at].sum())), ends, bare.money(money[at].sum()))
        for name, at, ends in groups
    )
    head = (
        f.t("demand.category" if of == "categories" else "demand.product"),
        *(f.t(f"demand.{name}") for name in ("recent", "month")),
        f.t("report.segments.span"),
        f.t("column.in_unit", label=f.t("forecast.revenue"), unit=f.unit()),
    )
    series = (
        Series(head[1], tuple(map(float, recent[shown])), BASELINE),
        Series(head[2], tuple(map(float, month[shown])), PREDICTED),
    )
    return Section(
        "demand",
        f.t("page.demand"),
        demand_finding(made, f.language, BLOCK).display(f.language),
        tuple(note.display(f.language) for note in demand_notes(made)),
        table=Table(head, rows),
        chart=Chart("bars", tuple(name for name, *_ in groups[: len(shown)]), series, "", f.t("demand.pieces")),
    )


def _pieces(f: Formatter, low: float, high: float) -> str:
    """Return an interval of pieces."""
    return f.t("report.span", low=f.count(round(low)), high=f.count(round(high)))


def _days(f: Formatter, sums: Sums) -> str:
    """Return the first and the last day of a period of a forecast."""
    return say_span(date.fromisoformat(sums.first), date.fromisoformat(sums.until) - timedelta(days=1), f.language)


def _range(f: Formatter, sums: Sums) -> str:
    """Return the interval of a total of a forecast; a dash where no past date shows how far sums are off."""
    return "–" if sums.low is None or sums.high is None else f.span(sums.low, sums.high)


def bridge(context: ReportContext) -> Section | None:
    """Return the way from the last forecast to what came, to the cent; None without a forecast."""
    f, made = context.format, context.bridge
    if made is None:
        return None
    lines = [line for line in made.lines if line.cents or line.code != OBJECTED or line.actual]
    off = made.actual_cents - made.forecast_cents
    finding = f.t(
        f"report.bridge.finding.{'above' if off > 0 else 'below' if off else 'met'}",
        actual=f.money(made.actual_cents / 100),
        forecast=f.money(made.forecast_cents / 100),
        off=f.money(abs(off) / 100),
        line=f.t(f"bridge.{max(lines, key=lambda line: line.cents * off).code}"),
    )
    names = tuple(f.t(f"bridge.{code}") for code in (FORECAST, *(line.code for line in lines), CAME))
    cells = (
        ("", "", f.exact(made.forecast_cents)),
        *(
            (_step_figure(f, line.code, line.expected), _step_figure(f, line.code, line.actual), f.change(line.cents))
            for line in lines
        ),
        ("", "", f.exact(made.actual_cents)),
    )
    head = tuple(f.t(f"report.bridge.{name}", unit=f.unit()) for name in ("line", "expected", "came", "amount"))
    span = say_span(made.cutoff, made.stop - timedelta(days=1), f.language)
    codes = {line.code for line in lines}
    points = [f.t(f"report.bridge.{made.refunds}", span=span, day=f.day(made.until - timedelta(days=1)))]
    points += [f.t("report.bridge.assumed", days=made.days)] if BASKET in codes else []
    points += [f.t("report.bridge.objected")] if OBJECTED in codes else []
    points += [note.text(f.language) for note in made.warnings]
    return Section(
        "bridge",
        f.t("report.bridge"),
        finding,
        tuple(points),
        table=Table(head, tuple((name, *row) for name, row in zip(names, cells, strict=True))),
        chart=_waterfall(f, names, [made.forecast_cents, *(line.cents for line in lines), made.actual_cents]),
    )


def _step_figure(f: Formatter, code: str, value: float | None) -> str:
    """Return the figure of a step of the bridge: a count, a mean, a share, or money."""
    if value is None:
        return "–"
    if code == LOST_CUSTOMERS:
        return f.count(round(value))
    if code == REFUNDS:
        return say_share(value, 1)
    return f"{value:.2f}" if code == ORDERS_PER_BUYER else f.exact(round(100 * value))


def _waterfall(f: Formatter, names: tuple[str, ...], cents: list[int]) -> Chart | None:
    """Return the chart of a bridge; None where it leads below zero, from where its bars could not begin."""
    money = [cent / 100 for cent in cents]
    if min(accumulate(money[:-1])) < 0 or money[-1] < 0:
        return None
    last, none = len(money) - 1, (0.0,) * len(money)
    series = (
        Series(names[0], (money[0], *none[1:]), PREDICTED),
        Series(f.t("report.bridge.line"), (0.0, *money[1:last], 0.0), BASELINE),
        Series(names[-1], (*none[:last], money[-1]), ACTUAL),
    )
    return Chart("bars", names, series, "", f.t("report.bridge.amount", unit=f.unit()), waterfall=True)


def headline(context: ReportContext) -> str:
    """Return what known customers will bring, with new ones where a forecast is saved, and the top customers' share."""
    f = context.format
    worth = total(context.tiered, context.shared)
    share = f.percent(top_share(context.tiered[VALUE]))
    said = find_headline(context.scored.trained, f.language)
    if said is not None:
        return f.t("forecast.headline.top", forecast=said.display(f.language), share=share)
    span = "" if worth.low is None or worth.high is None else f.span(worth.low, worth.high)
    sure = f.t("report.sure", span=span) if span else ""
    return f.t("report.finding", horizon=context.horizon_days, total=f.money(worth.value), sure=sure, share=share)


def drivers(context: ReportContext) -> Section | None:
    """Return what moves predictions most, from a saved explanation; None without one."""
    f, explanation = context.format, context.explanation
    if explanation is None:
        return None
    rows = explanation.importance().head(DRIVERS)
    names = tuple(f.name("feature_group", part) for part in rows["part"])
    shares = rows["share"].head(2).to_numpy()
    if len(shares) < 2 or shares[1] < SECOND * shares[0]:
        finding = f.t("report.drivers.finding.one", first=names[0], share=f.percent(shares[0]))
    else:
        share = f.percent(shares.sum())
        finding = f.t("report.drivers.finding", first=names[0], second=names[1], share=share)
    series = Series(f.t("report.drivers.effect"), tuple(rows["mean_abs"]), PREDICTED)
    axis = f.t("report.drivers.axis", unit=f.unit())
    note = f.t("report.drivers.note", customers=len(explanation.customer_ids))
    return Section("drivers", f.t("report.drivers"), finding, (note,), chart=Chart("bars", names, (series,), "", axis))


def segments(context: ReportContext) -> Section:
    """Return the tiers with size, value and interval, and the usual action for each."""
    f = context.format
    rows = table(context.tiered, context.tier_names, context.shared)
    first = rows.iloc[0]
    finding = f.t(
        "report.segments.finding",
        name=first["name"],
        customers=f.percent(first["share_of_customers"]),
        value=f.percent(first["share_of_value"]),
    )
    head = tuple(f.t(f"report.segments.{name}") for name in ("tier", "customers", "value", "span", "mean", "chance"))
    cells = tuple(
        (
            str(row["name"]),
            f"{row['customers']:,}",
            f.money(row["value_sum"]),
            _span(context, row),
            f.money(row["value_mean"]) if row["customers"] else "–",
            f.percent(row["p_purchase_mean"]) if row["customers"] else "–",
        )
        for row in rows.to_dict("records")
    )
    series = (
        Series(f.t("report.segments.share_of_customers"), tuple(rows["share_of_customers"]), BASELINE),
        Series(f.t("report.segments.share_of_value"), tuple(rows["share_of_value"].fillna(0.0)), PREDICTED),
    )
    chart = Chart("columns", tuple(rows["name"]), series, "", f.t("report.segments.axis"), percent=True)
    names = NAMES.get(len(rows), ())
    points = tuple(
        f.t("report.segments.action", name=name, action=f.t(f"segments.action.{kind}"))
        for name, kind in zip(rows["name"], names, strict=False)
    )
    return Section("segments", f.t("report.segments"), finding, points, (), Table(head, cells), chart)


def _span(context: ReportContext, row: dict[Hashable, Any]) -> str:
    """Return the interval of a tier's sum, or that too few are expected to buy."""
    if context.shared is not None and row["customers"] and too_few(row["buyers_expected"]):
        return context.format.t("report.segments.too_few")
    return context.format.span(row["value_sum_low"], row["value_sum_high"]) or "–"


def acquisition(context: ReportContext) -> Section | None:
    """Return what new customers cost and are worth by group; None without a question about it."""
    if context.acquisition is None:
        return None
    f, (report, discounts) = context.format, context.acquisition
    bare = Formatter(f.language, "")  # the currency is in the head: in every cell it would break lines of slides
    groups = report.groups.head(GROUPS)
    names = [
        group_name(str(group), str(kind), f.language)
        for group, kind in zip(groups["group"], groups["kind"], strict=True)
    ]
    head = ("group", "customers", "cac", "ltv", "span", "ratio", "payback")
    cells = tuple(
        (
            name,
            f"{row['customers']:,}",
            bare.money(row["cac"]) if 0 < row["cac"] < np.inf else "–",
            bare.money(row["ltv"]) if np.isfinite(row["ltv"]) else "–",
            bare.span(row["ltv_low"], row["ltv_high"]) or "–",
            f"{row['ratio']:.1f}" if np.isfinite(row["ratio"]) else "–",
            f"{row['payback_month']:.0f}" if np.isfinite(row["payback_month"]) and row["cac"] > 0 else "–",
        )
        for name, row in zip(names, groups.to_dict("records"), strict=True)
    )
    costly = np.isfinite(groups["ratio"]).to_numpy()
    value, axis = ("ratio", "LTV:CAC") if costly.any() else ("ltv", f.unit())
    shown = costly if costly.any() else np.isfinite(groups[value]).to_numpy()
    series = Series(f.t(f"report.acquisition.{value}", unit=f.unit()), tuple(groups[value][shown]), PREDICTED)
    drawn = tuple(name for name, is_shown in zip(names, shown, strict=True) if is_shown)
    margin = report.question.margin_rate
    points = [
        f.t("warning.acquisition_not_causal"),
        f.t("report.acquisition.margin", margin=f.percent(margin)) if margin < 1 else f.t("report.acquisition.revenue"),
    ]
    return Section(
        "acquisition",
        f.t("report.acquisition"),
        acquisition_finding(report, discounts, f.language),
        tuple(points),
        (),
        Table(tuple(f.t(f"report.acquisition.{name}", unit=f.unit()) for name in head), cells),
        Chart("bars", drawn, (series,), "", axis) if len(drawn) > 1 else None,
    )


def campaigns(context: ReportContext) -> Section | None:
    """Return what campaigns brought beside their control groups; None without any."""
    f, outcomes = context.format, context.campaigns
    if not outcomes:
        return None
    currency = context.scored.dataset.manifest.currency
    finding = campaigns_finding(outcomes, currency, f.language).display(f.language)
    shown = outcomes[:CAMPAIGNS]
    head = tuple(f.t(f"results.column.{name}") for name in ("name", "customers", "cost", "margin", "return", "verdict"))
    rows = tuple(
        (
            one.campaign.name,
            f.count(one.listed),
            f.money(one.cost),
            "–" if one.margin is None else f"{f.money(one.margin.value)} ({f.span(one.margin.low, one.margin.high)})",
            "–" if one.returned is None else f.t("results.times", times=say_number(one.returned, f.language, 2)),
            f.t(f"results.verdict.{one.verdict}"),
        )
        for one in shown
    )
    early = [one for one in shown if one.state == EARLY]
    notes = [note for one in early[:1] for note in notes_on(one, f.language) if note.code == "results.note.early"]
    apart = sorted({name for one in shown for name in (*one.told_apart, *one.confounded_with)})
    points = [note.display(f.language) for note in notes]
    points += [f.t("report.campaigns.apart", names=say_list(apart, f.language))] if apart else []
    reasons = Counter[str]()
    for one in shown:
        reasons.update({**one.campaign.left_out, **one.left_out})
    points += [f.t("results.note.left_out", reasons=say_left_out(reasons, f.language))] if reasons else []
    return Section("campaigns", f.t("page.results"), finding, tuple(points), table=Table(head, rows))


def plan(context: ReportContext) -> Section | None:
    """Return who gets what for the budget, and the evidence for it; None without a plan."""
    f, planned = context.format, context.plan
    if planned is None:
        return None
    made = planned.plan
    gain = f.money(made.allocation.gain)
    if context.scored.terms.margin_rate == 1:
        gain = f.t("budget.gain.revenue", gain=gain)
    key = "report.plan.finding.even" if made.even else "report.plan.finding"
    budget, spent = f.money(planned.inputs.budget), f.money(made.allocation.spent)
    finding = f.t(key, budget=budget, spent=spent, gain=gain)
    figures = (
        ReportFigure(f.t("report.plan.spent"), spent, f.t("budget.figure.spent.note", budget=budget)),
        ReportFigure(f.t("report.plan.gain"), f.money(made.allocation.gain)),
        ReportFigure(f.t("report.plan.uniform"), f.money(made.gain_uniform)),
        ReportFigure(f.t("report.plan.customers"), f"{len(made.customers):,}"),
    )
    sums = made.table.groupby(OFFER)[["customers", COST, GAIN]].sum().sort_values(GAIN, ascending=False)
    head = tuple(f.t(f"report.plan.{name}") for name in ("offer", "customers", "spent", "gain", "evidence"))
    measured = {offer.name: offer.measured for offer in planned.inputs.offers}
    rows = tuple(
        (
            str(name),
            f"{int(row['customers']):,}",
            f.money(row[COST]),
            f.money(row[GAIN]),
            f.t("report.plan.measured" if measured[str(name)] else "report.plan.assumed"),
        )
        for name, row in sums.iterrows()
    )
    rests = "report.plan.rests.measured" if all(measured.values()) else "report.plan.rests.assumed"
    # ``rests`` and the table already name the assumed effects.
    notes = [_note(note, f) for note in planned.notes if note.code != "warning.offer_assumed"]
    points = (f.t(rests), *_rates(context.scored.terms, f), *notes)
    series = (
        Series(f.t("report.plan.spent"), tuple(sums[COST]), BASELINE),
        Series(f.t("report.plan.gain"), tuple(sums[GAIN]), PREDICTED),
    )
    chart = Chart("columns", tuple(map(str, sums.index)), series, "", f.unit())
    return Section("plan", f.t("report.plan"), finding, points, figures, Table(head, rows), chart)


def spending(context: ReportContext) -> Section | None:
    """Return what each offer of the plan must achieve in each segment before it pays; None without a plan."""
    f, planned = context.format, context.plan
    if planned is None:
        return None
    people, names, offers = planned.people, planned.names, planned.inputs.offers
    terms, easiest = context.scored.terms, easiest_break_even(people, offers, len(names))
    finding = f.t("report.spending.finding.none")
    if easiest is not None:
        offer, number, point = easiest
        about = {"offer": offer.name, "name": names[number - 1], "needed": point.message().text(f.language)}
        finding = f.t("break_even.headline", cost=say_money(offer.cost, f.currency, f.language, 2), **about)
    pairs = _pairs(f, planned)
    chosen = sorted(range(len(pairs)), key=lambda at: (pairs[at][0], at))[:PAIRS]
    rows = tuple(pairs[at][1] for at in sorted(chosen))
    unit = "gain.revenue" if terms.margin_rate == 1 else "gain"
    head = (
        f.t("report.spending.pair"),
        f.t("column.in_unit", label=f.t("break_even.cost"), unit=f.unit()),
        *(f.t(f"break_even.column.{name}") for name in ("p_purchase", EVERYONE, BUYERS)),
        f.t("column.in_unit", label=f.t(f"break_even.column.{unit}"), unit=f.unit()),
    )
    wide = len(head) - (0 if any(row[-1] for row in rows) else 1)
    notes = [note.text(f.language) for note in OfferCost(0.0, margin_rate=terms.margin_rate).notes]
    measured = [f.t("report.spending.measured")] if wide == len(head) else []
    left = [f.t("report.spending.left", left=len(pairs) - len(rows))] if len(pairs) > len(rows) else []
    return Section(
        "spending",
        f.t("break_even.title"),
        finding,
        (f.t("break_even.what"), *notes, *measured, *_rates(terms, f), *left),
        table=Table(head[:wide], tuple(row[:wide] for row in rows)),
    )


def _pairs(f: Formatter, planned: ReportPlan) -> list[tuple[int, tuple[str, ...]]]:
    """Return the row of each offer and segment, by offer the easiest first, with its place there.

    The first places of all offers go first where not all fit: else the cheapest offer filled the slide.
    """
    pairs: list[tuple[int, tuple[str, ...]]] = []
    for offer in planned.inputs.offers:
        by_kind = {kind: offer_break_evens(planned.people, offer, len(planned.names), kind) for kind in PAID}
        points = by_kind[EVERYONE]
        needed = {number: np.inf if point.uplift is None else point.uplift for number, point in points.items()}
        for place, number in enumerate(sorted(needed, key=needed.__getitem__)):
            gain, ends = measured_gain(offer, number), {}
            if gain is not None:
                ends = {end: say_money(getattr(gain, end), "", f.language, 2) for end in ("gain", "low", "high")}
            row = (
                f"{offer.name} · {planned.names[number - 1]}",
                say_money(offer.cost, "", f.language, 2),
                f.percent(points[number].p_purchase),
                *(_short(f, by_kind[kind][number]) for kind in (EVERYONE, BUYERS)),
                f.t("report.spending.gain", **ends) if ends else "",
            )
            pairs.append((place, row))
    return pairs


def _short(f: Formatter, point: BreakEven) -> str:
    """Return how many must buy because of an offer, in two or three words."""
    message = point.message()
    return f.t(f"break_even.short.{message.code.rpartition('.')[2]}", **message.params)


def _note(note: Message, f: Formatter) -> str:
    """Return a warning on the plan without what only users of the app or command line need."""
    if note.code == "warning.gain_revenue":
        return f.t("report.plan.revenue")
    return without_options(note.text(f.language))


def _rates(terms: Terms, f: Formatter) -> list[str]:
    """Return the plan's margin and discount in one sentence; none where it has neither."""
    words = [rate.text(f.language) for rate in terms.rates()]
    return [f.t("report.plan.terms", terms=f.t("report.plan.and").join(words))] if words else []


def limits(context: ReportContext) -> Section:
    """Return what the figures mean and do not show, and at the end what the report was made from."""
    f, record = context.format, context.scored.model.record
    points = [
        f.t("report.limits.value" if f.currency else "report.limits.value.bare", currency=f.currency),
        f.t("report.limits.measured" if record.holdout else "report.limits.unmeasured", horizon=context.horizon_days),
        f.t("report.limits.level"),
        f.t("report.limits.spans") if context.shared is not None else f.t("report.limits.no_spans"),
        f.t("report.limits.cause"),
    ]
    meanings = [
        f.t("report.quality.meaning", name=f.t(f"metric.{metric}"), text=f.t(f"metric.{metric}.meaning"))
        for metric in JUDGED
        if metric in record.metrics and METRICS[metric].unit != "money_squared"  # its root is the same in money
    ]
    return Section("limits", f.t("report.limits"), f.t("report.limits.finding"), (*points, *meanings, context.about))


SECTIONS: Final[tuple[Callable[[ReportContext], Section | None], ...]] = (
    data,
    trust,
    forecast,
    demand,
    deciles,
    bridge,
    drivers,
    segments,
    acquisition,
    campaigns,
    plan,
    spending,
    limits,
)
"""The sections in order; one that returns None is left out."""
