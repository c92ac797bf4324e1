"""Commands for stakeholders: the report, and the demo."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core import __version__
from clv_core.commands import DATASET, MODEL, Context, open_scored, trust_and_warnings, trust_json
from clv_core.commands.acquisition import read_margins, split_names
from clv_core.commands.actions import RATES
from clv_core.commands.parser import command, option
from clv_core.errors import NotEnoughData, UsageError
from clv_core.jobs import Progress

if TYPE_CHECKING:
    from clv_core.deployment.saved_scores import ScoredDataset


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
    *RATES,
)
def run_report(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Explain the model if no explanation is saved, write the report, and return its files and findings."""
    from clv_core.deployment.terms import Terms
    from clv_core.strategy.acquisition import Question
    from clv_core.strategy.plans.measured_offers import measure_offers
    from clv_core.strategy.plans.offers import parse_offers
    from clv_core.strategy.report.make_report import check_endings, make_report, read_logo, write_report
    from clv_core.strategy.segments.scored_customers import parse_scheme
    from clv_core.strategy.segments.value_tiers import ValueTiers

    check_endings(options.out)
    if options.logo is not None:
        read_logo(options.logo)
    if bool(options.offer) != (options.budget is not None):
        raise UsageError("report_plan")
    if options.budget == 0:
        raise NotEnoughData("plan_empty", budget=options.budget)
    scored = open_scored(options, context)
    terms = Terms(scored.horizon_days, options.discount_rate, options.margin_rate)
    scheme = ValueTiers.parse(options.scheme)
    plan_scheme = parse_scheme(options.plan_scheme or options.scheme, scored.dataset)
    assumed, files = parse_offers(options.offer) if options.offer else ((), {})
    offers, experiments = measure_offers(
        scored, assumed, files, scheme=plan_scheme, terms=terms, progress=context.progress
    )
    asked = None
    if options.by:
        margins = read_margins(options.margin)
        asked = Question(split_names(options.by), options.margin_rate, margins, options.target_ratio)
    _explain(scored, context.progress)
    report = make_report(
        scored,
        offers=offers,
        budget=options.budget or 0.0,
        scheme=scheme,
        plan_scheme=plan_scheme,
        plan_terms=terms,
        experiments=experiments,
        acquisition=asked,
        language=context.language,
        logo=options.logo,
        progress=context.progress,
    )
    written = write_report(report, options.out)
    return {
        "files": [str(file) for file in written],
        "model": options.model,
        "finding": report.finding,
        "sections": {section.id: section.finding for section in report.sections},
        **trust_and_warnings(scored, context, report.notes),
    }


def _explain(scored: ScoredDataset, progress: Progress) -> None:
    """Explain scores that have no saved explanation: a report names what drives the predictions."""
    from clv_core import pipeline
    from clv_core.deployment.score_explanations import explanation_folder
    from clv_core.evaluation.explain.store import load_record

    folder = explanation_folder(scored.bundle, scored.dataset)
    if load_record(folder) is None:
        pipeline.explain(scored, folder, progress=progress)


@command(
    "demo",
    option("--make", "cli.demo.make", type=Path, metavar="DIR"),
)
def run_demo(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Put the sample and its model into the workspace, and return their names."""
    from clv_core import pipeline
    from clv_core.deployment.demo import add_demo

    if options.make is not None:
        return _make(options.make, context)
    dataset, bundle = add_demo(context.workspace, progress=context.progress)
    return {
        "dataset": dataset.name,
        "model": bundle.id,
        "customers": dataset.manifest.customers,
        "trust": trust_json(pipeline.trust(context.workspace, bundle.id), context.language),
    }


def _make(folder: Path, context: Context) -> dict[str, Any]:
    """Train on the sample as ``train`` does, score, explain, and save all of it in ``folder``."""
    from clv_core import pipeline
    from clv_core.collection.ingest import ingest
    from clv_core.collection.store.version_store import open_dataset
    from clv_core.deployment.demo import CURRENCY, NAME, SAMPLE, SETTINGS, save_demo
    from clv_core.deployment.saved_scores import ScoredDataset
    from clv_core.deployment.score_explanations import explanation_folder

    started, work = time.monotonic(), context.workspace
    ingest(work, SAMPLE, NAME, currency=CURRENCY, progress=context.progress)
    dataset = open_dataset(work, NAME)
    bundle = pipeline.train(work, NAME, SETTINGS, progress=context.progress)
    scored = ScoredDataset(work, dataset, bundle)
    scored.scores(context.progress)
    pipeline.explain(scored, explanation_folder(bundle, dataset), progress=context.progress)
    about = {
        "made_by": "python -m clv_core demo --make assets/demo",
        "code_version": __version__,
        "settings": SETTINGS.to_json(),
        "seconds": round(time.monotonic() - started, 1),
    }
    save_demo(bundle, dataset, folder, about)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"out": str(folder), "dataset": dataset.name, "model": bundle.id, "bytes": size, "seconds": about["seconds"]}
