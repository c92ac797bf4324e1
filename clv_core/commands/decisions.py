"""Commands on what to do: who gets which offer, which products to recommend, how sales respond to prices, where new
customers pay back, what the shop will take.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clv_core.commands import (
    CUTOFF,
    DATASET,
    MODEL,
    Answer,
    Context,
    day,
    horizon,
    open_scored,
    print_messages,
    split_pairs,
    trust_and_warnings,
    whole_number,
    written_json,
)
from clv_core.commands.customer_lists import CAMPAIGN, read_campaign
from clv_core.commands.parser import command, option
from clv_core.errors import NotEnoughData, UsageError
from clv_core.i18n import translate
from clv_core.strategy.forecast import REFUND_DATE, REFUND_DATES

if TYPE_CHECKING:
    from clv_core.strategy import WrittenPlan
    from clv_core.strategy.plans import BudgetPlan

RATES: Final = (
    option("--discount-rate", "cli.score.discount", type=float, default=0.0),
    option("--margin-rate", "cli.plan.margin", type=float, default=1.0),
)
"""Declare the discount and the margin of the values that a plan is made for."""


@command(
    "plan",
    DATASET,
    MODEL,
    option("--budget", "cli.plan.budget", type=float, required=True),
    option("--offer", "cli.plan.offer", action="append", default=[]),
    option("--learned", "cli.plan.learned", action="store_true"),
    option("--scheme", "cli.plan.scheme", default="quantile"),
    option("--out", "cli.segment.out", type=Path, required=True),
    CUTOFF,
    option("--horizon-days", "cli.score.horizon", type=horizon),
    option("--control-share", "cli.plan.control", type=float),
    option("--start", "cli.plan.start", type=day),
    *CAMPAIGN,
    *RATES,
)
def run_plan(options: argparse.Namespace, context: Context) -> Answer:
    """Plan, write the list, and return its costs, its expected gain, and the evidence for that."""
    from clv_core.strategy import PlanInputs
    from clv_core.strategy import plan as run_plan
    from clv_core.strategy.audiences import check_ending
    from clv_core.strategy.campaigns import learned_offers, outcomes, with_learned
    from clv_core.strategy.plans import check_offers, parse_offers
    from clv_core.strategy.segments import parse_scheme

    scored = open_scored(options, context)
    scheme = parse_scheme(options.scheme, scored.dataset)
    offers, experiments = parse_offers(options.offer) if options.offer or not options.learned else ((), {})
    check_ending(options.out)
    scored = scored.at_horizon(options.horizon_days, options.discount_rate, options.margin_rate)
    if options.learned:
        learned = learned_offers(outcomes(context.workspace, scored.dataset))
        offers = check_offers(with_learned(offers, learned, str(scheme), scored.terms))
    campaign = read_campaign(options, scored)
    inputs = PlanInputs(offers, options.budget, scheme, options.control_share, options.start, campaign)
    made = run_plan(
        scored, inputs, options.out, experiments=experiments, language=context.language, progress=context.progress
    )
    return {
        "out": str(options.out),
        "side_file": str(made.written.side_file),
        "model": options.model,
        "scheme": str(scheme),
        "rows": made.written.rows,
        "horizon_days": scored.terms.horizon_days,
        "lifetime": scored.terms.lifetime,
        "discount_rate": scored.terms.discount_rate,
        "margin_rate": scored.terms.margin_rate,
        "budget": options.budget,
        **_worth(made.plan),
        "offers": _offers(made),
        "experiments": {
            offer: {
                "window_days": experiment.window_days,
                "effects": [dataclasses.asdict(effect) for effect in experiment.effects],
            }
            for offer, experiment in made.experiments.items()
        },
        **trust_and_warnings(scored, context, made.notes),
    }


def _worth(plan: BudgetPlan) -> Answer:
    """Return what the plan costs and is expected to bring, and what another use of the money would."""
    return {
        "spent": plan.allocation.spent,
        "expected_gain": plan.allocation.gain,
        "gain_bound": plan.allocation.bound,
        "gain_assumed": plan.evidence.assumed,
        "gain_measured": plan.evidence.measured,
        "gain_measured_low": plan.evidence.low,
        "gain_measured_high": plan.evidence.high,
        "gain_uniform": plan.gain_uniform,
        "gain_random": plan.gain_random,
        "next_coin": None if plan.marginal_return is None else dataclasses.asdict(plan.marginal_return),
    }


def _offers(made: WrittenPlan) -> list[Answer]:
    """Return each offer with how many get it, at what cost, for what expected gain."""
    spent = made.plan.table.groupby("offer")[["customers", "cost", "expected_gain"]].sum()
    return [
        offer.to_json()
        | {
            "customers": int(spent["customers"].get(offer.name, 0)),
            "spent": float(spent["cost"].get(offer.name, 0.0)),
            "expected_gain": float(spent["expected_gain"].get(offer.name, 0.0)),
        }
        for offer in made.offers
    ]


@command(
    "recommend",
    DATASET,
    MODEL,
    option("--out", "cli.recommend.out", type=Path),
    option("--top", "cli.recommend.top", type=int, default=10),
    option("--without-bought", "cli.recommend.without", action="store_true"),
    option("--exclude", "cli.recommend.exclude", action="append"),
)
def run_recommend(options: argparse.Namespace, context: Context) -> Answer:
    """Recommend, write the list, and return how good the recommendations were in the last month."""
    from clv_core.strategy.recommend import assumption
    from clv_core.strategy.recommend_and_price import recommend

    scored = open_scored(options, context)
    made, stored = recommend(
        scored,
        options.out,
        top=options.top,
        without_bought=options.without_bought,
        exclude=None if options.exclude is None else [product for product in options.exclude if product],
        language=context.language,
        progress=context.progress,
    )
    return {
        **written_json(made),
        "model": options.model,
        "customers": len(stored.customers),
        "products": len(stored.products),
        "without_bought": options.without_bought,
        "measured": stored.record,
        "assumed": [assumption().to_json(context.language)],
        **trust_and_warnings(scored, context),
    }


@command(
    "price",
    DATASET,
    MODEL,
    option("--out", "cli.price.out", type=Path),
    option("--change", "cli.price.change", action="append", default=[]),
    option("--by", "cli.price.by", choices=("price", "discount"), default="price"),
    option("--category", "cli.price.category", action="append", default=[]),
    option("--margin-rate", "cli.price.margin", type=float),
)
def run_price(options: argparse.Namespace, context: Context) -> Answer:
    """Measure, write the table, and return it in short, with what a rule would bring."""
    from clv_core.strategy import price
    from clv_core.strategy.pricing import ALL, Rule, parse_changes
    from clv_core.strategy.segments import DEFAULT_SCHEME

    rule = None
    if options.change:
        if options.margin_rate is None:
            raise UsageError("price_needs_margin")
        changes = parse_changes(options.change, DEFAULT_SCHEME.tiers)
        rule = Rule(changes, options.margin_rate, tuple(options.category), options.by)
    scored = open_scored(options, context)
    made, responses, outcome = price(
        scored, options.out, rule=rule, language=context.language, progress=context.progress
    )
    everyone = responses.table[responses.table["tier"] == ALL]
    return {
        **written_json(made),
        "model": options.model,
        "categories": len(everyone),
        "negative": int((everyone["elasticity"] < 0).sum()),
        "surely_negative": int((everyone["high"] < 0).sum()),
        "elasticity_median": float(everyone["elasticity"].median()),
        "period_days": responses.period_days,
        "left_out": responses.left_out["reason"].value_counts().to_dict(),
        "what_if": None
        if outcome is None
        else {
            "revenue": dataclasses.asdict(outcome.revenue),
            "margin": dataclasses.asdict(outcome.margin),
            "base": outcome.base,
            "touched": outcome.touched,
            "tiers": outcome.tiers.to_dict("records"),
            "assumed": [assumption.to_json(context.language) for assumption in outcome.assumptions],
        },
        "fairness": translate("price.fair", context.language),
        **trust_and_warnings(scored, context),
    }


def split_names(text: str) -> tuple[str, ...]:
    """Return names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_margins(words: Sequence[str]) -> dict[str, float]:
    """Return the margin of each group that ``GROUP=RATE`` names.

    Raises:
        UsageError: a margin that is no number.
    """
    try:
        return {group: float(rate) for group, rate in split_pairs(words, at_last=True).items()}
    except ValueError as error:
        raise UsageError("acquisition_margin", margin=", ".join(words)) from error


@command(
    "acquire",
    DATASET,
    MODEL,
    option("--by", "cli.acquire.by", default="channel"),
    option("--spend", "cli.acquire.spend", type=Path, action="append", default=[]),
    option("--spend-channel", "cli.acquire.spend_channel", action="append", default=[]),
    option("--map", "cli.acquire.map", action="append", default=[], metavar="MEANING=COLUMN"),
    option("--spend-currency", "cli.acquire.currency", default=""),
    option("--target-ratio", "cli.acquire.target", type=float, default=3.0),
    option("--payback-months", "cli.acquire.payback", type=whole_number(1), default=12),
    option("--margin-rate", "cli.plan.margin", type=float, default=1.0),
    option("--margin", "cli.acquire.margin", action="append", default=[], metavar="GROUP=RATE"),
    option("--minimum", "cli.acquire.minimum", type=whole_number(2), default=50),
    option("--horizon-days", "cli.score.horizon", type=horizon),
    option("--discount-rate", "cli.score.discount", type=float, default=0.0),
    option("--out", "cli.acquire.out", type=Path),
    CUTOFF,
)
def run_acquire(options: argparse.Namespace, context: Context) -> Answer:
    """Read spend tables, report by group and cohort, and write the table of groups.

    Raises:
        UsageError: a margin that is no number.
    """
    from clv_core.strategy.acquisition import Question, Spend, SpendSettings, read_spends, report_json
    from clv_core.strategy.acquisition.acquire import acquire

    settings = SpendSettings(split_pairs(options.map), currency=options.spend_currency)
    tables = read_spends(options.spend, options.spend_channel, settings)
    spend = Spend.together(tables) if tables else None
    scored = open_scored(options, context)
    question = Question(
        by=split_names(options.by),
        margin_rate=options.margin_rate,
        margins=read_margins(options.margin),
        target_ratio=options.target_ratio,
        payback_months=options.payback_months,
        min_customers=options.minimum,
    )
    scored = scored.at_horizon(options.horizon_days, options.discount_rate)
    made, report = acquire(scored, question, spend, options.out, language=context.language, progress=context.progress)
    return {
        **written_json(made),
        "model": options.model,
        "horizon_days": scored.terms.horizon_days,
        "lifetime": scored.terms.lifetime,
        "discount_rate": scored.terms.discount_rate,
        **report_json(report),
        "spend_tables": [table.to_json() for table in tables],
        **trust_and_warnings(scored, context, report.warnings),
    }


@command(
    "forecast",
    DATASET,
    MODEL,
    option("--days", "cli.forecast.days", type=whole_number(1)),
    option("--unit", "cli.forecast.unit", default="week"),
    option("--new-customers", "cli.forecast.new_customers", type=float, metavar="SHARE"),
    option("--out", "cli.forecast.out", type=Path),
    option("--bridge", "cli.forecast.bridge", type=Path),
    option("--refunds", "cli.report.refunds", choices=REFUND_DATES, default=REFUND_DATE),
)
def run_forecast(options: argparse.Namespace, context: Context) -> Answer:
    """Forecast the shop's revenue, write it by period, and write the bridge from the last forecast to what came.

    Raises:
        NotEnoughData: there is no earlier forecast for a bridge.
    """
    from clv_core.strategy.audiences import check_ending, side_of, write_rows
    from clv_core.strategy.forecast import ask_forecast, bridge_table, last_expected, make_bridge

    for path in (options.out, options.bridge):
        if path is not None:
            check_ending(path)
    scored = open_scored(options, context)
    asked = ask_forecast(
        scored, context.progress, days=options.days, unit=options.unit, new_customers=options.new_customers
    )
    bridge = written_bridge = written = None
    if options.bridge is not None:
        expected = last_expected(scored)
        if expected is None:
            raise NotEnoughData("forecast_no_bridge", dataset=options.name)
        bridge = make_bridge(context.workspace, scored.dataset, expected, options.refunds)
        table = bridge_table(bridge, context.language)
        side = side_of(scored).at(scored.terms, bridge.warnings, context.language)
        written_bridge = write_rows(context.workspace, table, options.bridge, side, dataset=scored.dataset)
    if options.out is not None:
        side = side_of(scored).at(scored.terms, asked.notes, context.language)
        written = write_rows(context.workspace, asked.table(), options.out, side, dataset=scored.dataset)
    warnings = [*asked.notes, *(() if bridge is None else bridge.warnings)]
    return {
        **written_json(written),
        "model": options.model,
        **asked.to_json(),
        "bridge": None
        if bridge is None
        else {
            **written_json(written_bridge),
            "cutoff": bridge.cutoff.isoformat(),
            "days": bridge.days,
            "refunds": bridge.refunds,
            "forecast": bridge.forecast_cents / 100,
            "actual": bridge.actual_cents / 100,
        },
        **trust_and_warnings(scored, context, warnings),
    }


@command(
    "results",
    option("name", "cli.results.name", nargs="?"),
    option("--model", "cli.results.model"),
    option("--cost", "cli.results.cost", type=float),
    option("--json", "cli.results.json", action="store_true"),
)
def run_results(options: argparse.Namespace, context: Context) -> Answer:
    """Return the outcome of each campaign, and with a model whom to write to next.

    Raises:
        UsageError: a model without a dataset.
    """
    from clv_core.collection.store import list_datasets, open_dataset
    from clv_core.deployment import Scored
    from clv_core.deployment.registry import resolve_bundle_id
    from clv_core.errors import Message
    from clv_core.strategy.campaigns import (
        choose_next_list,
        headline,
        learned_offers,
        offer_json,
        outcome_json,
        outcomes,
        say_next,
        say_outcome,
    )

    if options.model is not None and options.name is None:
        raise UsageError("results_dataset")
    work = context.workspace
    datasets = list_datasets(work) if options.name is None else [open_dataset(work, options.name)]
    found: list[Answer] = []
    said: list[Message] = []
    for dataset in datasets:
        measured, currency = outcomes(work, dataset), dataset.manifest.currency
        learned = learned_offers(measured)
        answer: Answer = {
            "dataset": dataset.name,
            "finding": headline(measured, currency, context.language).display(context.language),
            "campaigns": [outcome_json(one, currency, context.language) for one in measured],
            "offers": [offer_json(offer) for offer in learned],
        }
        said += [say_outcome(one, currency, context.language) for one in measured]
        if options.model is not None:
            scored = Scored.open(work, dataset.name, resolve_bundle_id(work, options.model, dataset.name))
            made = choose_next_list(
                scored, learned, cost=options.cost, language=context.language, progress=context.progress
            )
            sentences = say_next(made, currency, context.language)
            said += sentences
            answer["next"] = {
                "offer": None if made.offer is None else made.offer.name,
                "customers": len(made.customers),
                "expected_gain": made.gain,
                "expected_gain_low": made.low,
                "expected_gain_high": made.high,
                "unknown": list(made.unknown),
                "tests": [dataclasses.asdict(test) for test in made.tests],
                "messages": [sentence.to_json(context.language) for sentence in sentences],
                **trust_and_warnings(scored, context),
            }
        found.append(answer)
    if not options.json:
        print_messages(said, context)
    return {"datasets": found} if options.name is None else found[0]


@command(
    "demand",
    DATASET,
    MODEL,
    option("--weeks", "cli.demand.weeks", type=whole_number(1), default=4),
    option("--by", "cli.demand.by", default="product"),
    option("--stock", "cli.demand.stock", type=Path, metavar="FILE"),
    option("--campaign", "cli.demand.campaign", metavar="NAME"),
    option("--out", "cli.demand.out", type=Path),
)
def run_demand(options: argparse.Namespace, context: Context) -> Answer:
    """Forecast what will be bought of each product, and write the table to order by."""
    from clv_core.strategy.audiences import check_ending, side_of, write_rows
    from clv_core.strategy.demand import ask_demand, campaign_demand

    if options.out is not None:
        check_ending(options.out)
    scored = open_scored(options, context)
    asked = ask_demand(scored, context.progress, weeks=options.weeks, by=options.by, stock=options.stock)
    added = None if options.campaign is None else campaign_demand(scored, asked.made, options.campaign).to_json()
    written = None
    if options.out is not None:
        side = side_of(scored).at(scored.terms, asked.notes, context.language)
        written = write_rows(context.workspace, asked.table(), options.out, side, dataset=scored.dataset)
    return {
        **written_json(written),
        "model": options.model,
        **asked.to_json(),
        **({} if added is None else {"campaign": added}),
        **trust_and_warnings(scored, context, asked.notes),
    }
