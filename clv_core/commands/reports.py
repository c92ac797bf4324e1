"""Commands for stakeholders: the report, and the demo."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clv_core import __version__
from clv_core.commands import DATASET, MODEL, Answer, Context, open_scored, trust_and_warnings, trust_json
from clv_core.commands.decisions import RATES, read_margins, split_names
from clv_core.commands.parser import command, one_of, option
from clv_core.errors import NotEnoughData, UsageError
from clv_core.jobs import Progress
from clv_core.strategy.forecast import REFUND_DATE, REFUND_DATES

if TYPE_CHECKING:
    from clv_core.deployment import Scored

VOUCHER: Final = "Voucher 10 €"
BUDGET: Final = 20_000.0
"""Of the demo's plan."""


def check_report(options: argparse.Namespace) -> None:
    """Refuse options of a report that do not go together.

    Raises:
        UsageError: a file has an unsupported ending, or there are offers without a budget, or the reverse.
        NotEnoughData: a budget of nothing.
    """
    from clv_core.strategy.report import check_endings

    check_endings(options.out)
    if bool(options.offer) != (options.budget is not None):
        raise UsageError("report_plan")
    if options.budget == 0:
        raise NotEnoughData("plan_empty", budget=options.budget)


@command(
    "report",
    DATASET,
    MODEL,
    option("--out", "cli.report.out", type=Path, action="append", required=True),
    option("--offer", "cli.report.offer", action="append", default=[]),
    option("--budget", "cli.report.budget", type=float),
    option("--scheme", "cli.plan.tiers", default="quantile"),
    option("--plan-scheme", "cli.plan.scheme"),
    option("--logo", "cli.report.logo", type=Path),
    option("--by", "cli.report.by"),
    option("--target-ratio", "cli.acquire.target", type=float, default=3.0),
    option("--margin", "cli.acquire.margin", action="append", default=[], metavar="GROUP=RATE"),
    option("--refunds", "cli.report.refunds", choices=REFUND_DATES, default=REFUND_DATE),
    *RATES,
    check=check_report,
)
def run_report(options: argparse.Namespace, context: Context) -> Answer:
    """Explain the model if no explanation is saved, write the report, and return its files and findings."""
    from clv_core.strategy import PlanInputs
    from clv_core.strategy.acquisition import Question
    from clv_core.strategy.demand import find_demand
    from clv_core.strategy.forecast import forecast, last_expected
    from clv_core.strategy.plans import measure_offers, parse_offers
    from clv_core.strategy.report import read_logo, write_report
    from clv_core.strategy.report.make_report import make_report
    from clv_core.strategy.segments import ValueTiers, parse_scheme

    check_report(options)
    logo = None if options.logo is None else read_logo(options.logo)
    scored = open_scored(options, context).at_horizon(None, options.discount_rate, options.margin_rate)
    plan_scheme = parse_scheme(options.plan_scheme or options.scheme, scored.dataset)
    assumed, files = parse_offers(options.offer) if options.offer else ((), {})
    offers, experiments = measure_offers(scored, assumed, files, scheme=plan_scheme, progress=context.progress)
    question = None
    if options.by:
        margins = read_margins(options.margin)
        question = Question(split_names(options.by), options.margin_rate, margins, options.target_ratio)
    _explain(scored, context.progress)
    made = forecast(scored, context.progress)
    report = make_report(
        scored,
        plan=PlanInputs(offers, options.budget, plan_scheme) if offers else None,
        experiments=experiments,
        scheme=ValueTiers.parse(options.scheme),
        acquisition=question,
        forecast=made,
        demand=find_demand(scored),
        expected=last_expected(scored),
        refunds=options.refunds,
        language=context.language,
        progress=context.progress,
    )
    written = write_report(replace(report, logo=logo), options.out)
    return {
        "files": [str(file) for file in written],
        "model": options.model,
        "finding": report.finding,
        "sections": {section.id: section.finding for section in report.sections},
        **trust_and_warnings(scored, context, report.notes),
    }


def _explain(scored: Scored, progress: Progress) -> None:
    """Explain scores that have no saved explanation: a report names what drives the predictions."""
    from clv_core.deployment import explanation_folder
    from clv_core.evaluation.explain import load_record
    from clv_core.strategy import explain

    folder = explanation_folder(scored)
    if load_record(folder) is None:
        explain(scored, folder, progress=progress)


@command(
    "demo",
    one_of(
        option("--out", "cli.demo.out", type=Path, metavar="DIR"),
        option("--make", "cli.demo.make", type=Path, metavar="DIR"),
    ),
)
def run_demo(options: argparse.Namespace, context: Context) -> Answer:
    """Put the sample and its model into the workspace, and return their names; or copy its files to a folder."""
    from clv_core.deployment import Scored, trust
    from clv_core.monitoring import watch_dataset
    from clv_core.strategy.demand import demand
    from clv_core.upkeep import add_demo, copy_sample

    if options.make is not None:
        return _make(options.make, context)
    if options.out is not None:
        return {"out": str(options.out), "files": [str(path) for path in copy_sample(options.out)]}
    dataset, bundle = add_demo(context.workspace, progress=context.progress)
    scored = Scored.open(context.workspace, dataset.name, bundle.id)
    demand(scored, context.progress)  # and the forecast, as pages say it and make none
    watch_dataset(dataset, context.progress)
    return {
        "dataset": dataset.name,
        "model": bundle.id,
        "customers": dataset.manifest.customers,
        "trust": trust_json(trust(context.workspace, bundle.id), context.language),
    }


def _make(folder: Path, context: Context) -> Answer:
    """Make the sample and its demo anew, in a workspace without one: what a shop does in its first year.

    BG/NBD is its first model; the default model, three months later, has to beat it from three random starts. The next
    quarter is then appended, and all that pages show is made: scores, explanations, monitoring, recommendations, prices
    and the effect of the voucher.
    """
    import numpy as np

    from clv_core import pipeline
    from clv_core.deployment import Scored, explanation_folder, trust
    from clv_core.deployment.registry import Registry
    from clv_core.evaluation.explain import VALUE
    from clv_core.monitoring import confirm_over_seeds, model_folder, retraining, save_outcome
    from clv_core.monitoring.monitor import monitor
    from clv_core.strategy import explain, price
    from clv_core.strategy.experiments import measure_experiment
    from clv_core.strategy.plans import FILE, TIERS, SavedOffers, save_offers
    from clv_core.strategy.recommend_and_price import recommend
    from clv_core.upkeep import demo

    started, work, progress = time.monotonic(), context.workspace, context.progress
    demo.make_sample(demo.FILES)
    dataset = demo.read_sample(work, progress)
    horizon = timedelta(days=demo.SETTINGS.horizon_days)
    settings = replace(demo.SETTINGS, model="bgnbd")
    before = pipeline.train(work, demo.NAME, settings, cutoff=dataset.log_end - horizon, progress=progress)
    bundle = pipeline.train(work, demo.NAME, demo.SETTINGS, progress=progress)
    outcome = retraining.compare(dataset, before, bundle, progress)
    outcome = confirm_over_seeds(work, outcome, dataset, before, bundle, progress)
    outcome = retraining.apply_outcome(Registry(work), outcome, promote=True)
    save_outcome(work, [before.id, bundle.id], outcome)
    dataset = demo.grow_sample(work, progress)
    scored = Scored.of(work, dataset, bundle)
    scored.scores(progress)
    made = explain(scored, explanation_folder(scored), progress=progress).answers[VALUE]
    report = monitor(scored, progress=progress)
    recommend(scored, None, progress=progress)
    price(scored, None, progress=progress)
    effect = measure_experiment(scored, demo.VOUCHER_TEST, most_days=scored.trained_days, progress=progress)
    offer = {
        "name": VOUCHER,
        "cost": demo.VOUCHER_COST,
        "unit": "money",
        **{f"tier{tier}": 0.0 for tier in range(1, 5)},
    }
    save_offers(dataset, SavedOffers({TIERS: ({"start": None, **offer, "capacity": None},)}, {VOUCHER: effect}, BUDGET))
    paths = [before.folder, bundle.folder, scored.folder, dataset.folder.parent / FILE]
    paths += [model_folder(work, model) for model in (before.id, bundle.id)]
    about = {
        "models": [before.id, bundle.id],
        "dataset": dataset.name,
        "version": dataset.version,
        "customer": str(made.customer_ids[int(np.argmax(made.predicted))]),
        "made_by": "python -m clv_core demo --make assets/demo",
        "code_version": __version__,
        "settings": demo.SETTINGS.to_json(),
        "seconds": round(time.monotonic() - started, 1),
    }
    demo.save_demo(work, paths, folder, about)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "out": str(folder),
        "dataset": dataset.name,
        "model": bundle.id,
        "bytes": size,
        "seconds": about["seconds"],
        "trust": trust_json(trust(work, bundle.id), context.language),
        "metrics": bundle.record.metrics,
        "challenger": outcome.to_json(context.language),
        "alerts": [alert.text(context.language) for alert in report.alerts],
    }
