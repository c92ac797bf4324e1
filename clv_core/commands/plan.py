"""``plan NAME --model ID --budget B --offer ... --out FILE``: which customer gets which offer."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core.commands import Context, add_model, day, not_trusted, trust_json
from clv_core.commands.score import horizon
from clv_core.i18n import translate

if TYPE_CHECKING:
    from clv_core.strategy.acting import PlanMade
    from clv_core.strategy.plans.budget_plan import BudgetPlan


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--budget", type=float, required=True, help=translate("cli.plan.budget", language))
    parser.add_argument("--offer", action="append", required=True, help=translate("cli.plan.offer", language))
    parser.add_argument("--scheme", default="quantile", help=translate("cli.plan.scheme", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.segment.out", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))
    parser.add_argument("--horizon-days", type=horizon, default=None, help=translate("cli.score.horizon", language))
    parser.add_argument("--control-share", type=float, default=None, help=translate("cli.plan.control", language))
    parser.add_argument("--start", type=day, default=None, help=translate("cli.plan.start", language))
    add_rates(parser, language)


def add_rates(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the discount and the margin of the values that a plan is made for."""
    parser.add_argument("--discount-rate", type=float, default=0.0, help=translate("cli.score.discount", language))
    parser.add_argument("--margin-rate", type=float, default=1.0, help=translate("cli.plan.margin", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Plan, write the list, and return what it costs, what it is expected to bring, and what that rests on."""
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.terms import Terms
    from clv_core.strategy.exports.files import check_ending
    from clv_core.strategy.plans.offers import parse_offers
    from clv_core.strategy.schemes.parse import asked

    scheme, _ = asked(options.scheme, (), open_dataset(context.workspace, options.name))
    offers, experiments = parse_offers(options.offer)
    check_ending(options.out)
    trained_days = open_bundle(context.workspace, options.model).record["horizon_days"]
    terms = Terms.of(options.horizon_days, trained_days, options.discount_rate, options.margin_rate)
    made = pipeline.plan(
        context.workspace,
        options.name,
        options.model,
        options.out,
        offers=offers,
        budget=options.budget,
        experiments=experiments,
        scheme=scheme,
        terms=terms,
        cutoff=options.cutoff,
        control_share=options.control_share,
        start=options.start,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    return {
        "out": str(options.out),
        "side_file": str(made.written.side_file),
        "model": options.model,
        "scheme": str(scheme),
        "rows": made.written.rows,
        "horizon_days": terms.horizon_days,
        "lifetime": terms.lifetime,
        "discount_rate": terms.discount_rate,
        "margin_rate": terms.margin_rate,
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
        "trust": trust_json(trust, context.language),
        "warnings": [
            *not_trusted(trust, options.model, context.language),
            *(one.to_json(context.language) for one in made.notes),
        ],
    }


def _worth(plan: BudgetPlan) -> dict[str, Any]:
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


def _offers(made: PlanMade) -> list[dict[str, Any]]:
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
