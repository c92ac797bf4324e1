"""The sections on why and what to do: drivers, segments, plan, limits."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from clv_core.deployment.terms import Terms
from clv_core.errors import Message
from clv_core.evaluation.deciles import top_share
from clv_core.evaluation.explain.sentences import SECOND
from clv_core.i18n import translate, without_options
from clv_core.strategy.plans.budget_plan import COST, GAIN, OFFER
from clv_core.strategy.report.content import BASELINE, PREDICTED, Chart, ReportFigure, Section, Series, Table
from clv_core.strategy.report.ground import Ground
from clv_core.strategy.report.said import Said
from clv_core.strategy.segments import VALUE, table, too_few, total
from clv_core.strategy.tiers import NAMES

DRIVERS: Final = 8


def headline(ground: Ground) -> str:
    """Return what all customers are worth in the horizon, and how few hold how much of it."""
    said = ground.said
    worth = total(ground.tiered, ground.shared)
    share = said.percent(top_share(ground.tiered[VALUE]))
    span = "" if worth.low is None or worth.high is None else said.span(worth.low, worth.high)
    sure = said.t("report.sure", span=span) if span else ""
    total_said = said.money(worth.value)
    return said.t("report.finding", horizon=ground.horizon_days, total=total_said, sure=sure, share=share)


def drivers(ground: Ground) -> Section:
    """Return what moves predictions most, from a kept explanation; where there is none, how to get one."""
    said, found = ground.said, ground.explanation
    if found is None:
        return Section(
            "drivers", said.t("report.drivers"), said.t("report.drivers.none"), (said.t("report.drivers.how"),)
        )
    rows = found.importance().head(DRIVERS)
    names = tuple(said.name("feature_group", part) for part in rows["part"])
    shares = rows["share"].head(2).to_numpy()
    if len(shares) < 2 or shares[1] < SECOND * shares[0]:
        finding = said.t("report.drivers.finding.one", first=names[0], share=said.percent(shares[0]))
    else:
        known = {"first": names[0], "second": names[1], "share": said.percent(shares.sum())}
        finding = said.t("report.drivers.finding", **known)
    series = Series(said.t("report.drivers.effect"), tuple(rows["mean_abs"]), PREDICTED)
    axis = said.t("report.drivers.axis", unit=said.unit())
    note = said.t("report.drivers.note", customers=len(found.customer_ids))
    return Section(
        "drivers", said.t("report.drivers"), finding, (note,), chart=Chart("bars", names, (series,), "", axis)
    )


def segments(ground: Ground) -> Section:
    """Return the tiers with size, value and interval, and what is usually done for each."""
    said = ground.said
    rows = table(ground.tiered, ground.tier_names, ground.shared)
    first = rows.iloc[0]
    finding = said.t(
        "report.segments.finding",
        name=first["name"],
        customers=said.percent(first["share_of_customers"]),
        value=said.percent(first["share_of_value"]),
    )
    head = tuple(said.t(f"report.segments.{name}") for name in ("tier", "customers", "value", "span", "mean", "chance"))
    cells = tuple(
        (
            str(row["name"]),
            f"{row['customers']:,}",
            said.money(row["value_sum"]),
            _span(ground, row),
            said.money(row["value_mean"]) if row["customers"] else "–",
            said.percent(row["p_purchase_mean"]) if row["customers"] else "–",
        )
        for row in rows.to_dict("records")
    )
    series = (
        Series(said.t("report.segments.share_of_customers"), tuple(rows["share_of_customers"]), BASELINE),
        Series(said.t("report.segments.share_of_value"), tuple(rows["share_of_value"].fillna(0.0)), PREDICTED),
    )
    chart = Chart("columns", tuple(rows["name"]), series, "", said.t("report.segments.axis"), percent=True)
    names = NAMES.get(len(rows), ())
    points = tuple(
        said.t("report.segments.action", name=name, action=translate(f"segments.action.{kind}", said.language))
        for name, kind in zip(rows["name"], names, strict=False)
    )
    return Section("segments", said.t("report.segments"), finding, points, (), Table(head, cells), chart)


def _span(ground: Ground, row: dict[Hashable, Any]) -> str:
    """Return the interval of a tier's sum; where too few are expected to buy, that it cannot be told."""
    if ground.shared is not None and row["customers"] and too_few(row["buyers_expected"]):
        return ground.said.t("report.segments.too_few")
    return ground.said.span(row["value_sum_low"], row["value_sum_high"]) or "–"


def plan(ground: Ground) -> Section:
    """Return who gets what for the budget, and what that rests on; where no plan was asked for, that there is none."""
    said, planned = ground.said, ground.planned
    if planned is None:
        return Section("plan", said.t("report.plan"), said.t("report.plan.none"), (said.t("report.plan.how"),))
    made = planned.plan
    gain = said.money(made.allocation.gain)
    if planned.terms.margin_rate == 1:
        gain = said.t("budget.gain.revenue", gain=gain)
    key = "report.plan.finding.even" if made.even else "report.plan.finding"
    budget, spent = said.money(planned.budget), said.money(made.allocation.spent)
    finding = said.t(key, budget=budget, spent=spent, gain=gain)
    figures = (
        ReportFigure(said.t("report.plan.spent"), spent, said.t("budget.figure.spent.note", budget=budget)),
        ReportFigure(said.t("report.plan.gain"), said.money(made.allocation.gain)),
        ReportFigure(said.t("report.plan.uniform"), said.money(made.gain_uniform)),
        ReportFigure(said.t("report.plan.customers"), f"{len(made.customers):,}"),
    )
    sums = made.table.groupby(OFFER)[["customers", COST, GAIN]].sum().sort_values(GAIN, ascending=False)
    head = tuple(said.t(f"report.plan.{name}") for name in ("offer", "customers", "spent", "gain", "evidence"))
    measured = {offer.name: offer.measured for offer in planned.offers}
    rows = tuple(
        (
            str(name),
            f"{int(row['customers']):,}",
            said.money(row[COST]),
            said.money(row[GAIN]),
            said.t("report.plan.measured" if measured[str(name)] else "report.plan.assumed"),
        )
        for name, row in sums.iterrows()
    )
    rests = "report.plan.rests.measured" if all(measured.values()) else "report.plan.rests.assumed"
    # Which effects are assumed is said by ``rests`` and in the table.
    notes = [_note(one, said) for one in planned.notes if one.code != "warning.offer_assumed"]
    points = (said.t(rests), *_rates(planned.terms, said), *notes)
    return Section("plan", said.t("report.plan"), finding, points, figures, Table(head, rows))


def _note(note: Message, said: Said) -> str:
    """Return a note on the plan as a reader can use it, who has neither the fields of a page nor a command line."""
    if note.code == "warning.gain_revenue":
        return said.t("report.plan.revenue")
    return without_options(note.text(said.language))


def _rates(terms: Terms, said: Said) -> list[str]:
    """Return at which margin and discount the plan counts, one sentence; none where it counts plain values."""
    words = [one.text(said.language) for one in terms.rates()]
    return [said.t("report.plan.terms", terms=said.t("report.plan.and").join(words))] if words else []


def limits(ground: Ground) -> Section:
    """Return what the figures do not say."""
    said, record = ground.said, ground.bundle.record
    points = [
        said.t("report.limits.value", unit=said.unit()),
        said.t(
            "report.limits.measured" if record["holdout"] else "report.limits.unmeasured", horizon=ground.horizon_days
        ),
        said.t("report.limits.level"),
        said.t("report.limits.spans") if ground.shared is not None else said.t("report.limits.no_spans"),
        said.t("report.limits.cause"),
    ]
    return Section("limits", said.t("report.limits"), said.t("report.limits.finding"), tuple(points))
