"""``report NAME --model ID --out FILE.pptx|.html``: what a stakeholder needs to see, as slides or as a page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.commands import Context, add_model, not_trusted, trust_json
from clv_core.commands.plan import add_rates
from clv_core.errors import NotEnoughData, UsageError
from clv_core.i18n import translate
from clv_core.jobs import Progress
from clv_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--out", type=Path, action="append", required=True, help=translate("cli.report.out", language))
    parser.add_argument("--offer", action="append", default=[], help=translate("cli.report.offer", language))
    parser.add_argument("--budget", type=float, default=None, help=translate("cli.report.budget", language))
    parser.add_argument("--scheme", default="quantile", help=translate("cli.plan.tiers", language))
    parser.add_argument("--plan-scheme", default=None, help=translate("cli.plan.scheme", language))
    add_rates(parser, language)


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Explain the model where no explanation is kept, write the report, and return its files and findings."""
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.terms import Terms
    from clv_core.strategy.plans.measured_offers import measure_offers
    from clv_core.strategy.plans.offers import parse_offers
    from clv_core.strategy.report.make import check_endings, make_report, write_report
    from clv_core.strategy.schemes.parse import asked
    from clv_core.strategy.tiers import Scheme

    check_endings(options.out)
    if bool(options.offer) != (options.budget is not None):
        raise UsageError("report_plan")
    if options.budget == 0:
        raise NotEnoughData("plan_empty", budget=options.budget)
    horizon_days = open_bundle(context.workspace, options.model).record["horizon_days"]
    terms = Terms(horizon_days, options.discount_rate, options.margin_rate)
    place = (context.workspace, options.name, options.model)
    scheme = Scheme.parse(options.scheme)
    cut, _ = asked(options.plan_scheme or options.scheme, (), open_dataset(context.workspace, options.name))
    said, tried = parse_offers(options.offer) if options.offer else ((), {})
    offers, found = measure_offers(*place, said, tried, scheme=cut, terms=terms, progress=context.progress)
    _explain(*place, context.progress)
    report = make_report(
        *place,
        offers=offers,
        budget=options.budget or 0.0,
        scheme=scheme,
        plan_scheme=cut,
        plan_terms=terms,
        experiments=found,
        language=context.language,
        progress=context.progress,
    )
    files = write_report(report, options.out)
    trust = pipeline.trust(context.workspace, options.model)
    warnings = [one.to_json(context.language) for one in report.notes]
    return {
        "files": [str(file) for file in files],
        "model": options.model,
        "finding": report.finding,
        "sections": {section.id: section.finding for section in report.sections},
        "trust": trust_json(trust, context.language),
        "warnings": [*not_trusted(trust, options.model, context.language), *warnings],
    }


def _explain(workspace: Workspace, name: str, model_id: str, progress: Progress) -> None:
    """Explain a model that no explanation of is kept: a report names what drives its predictions."""
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.kept_explanations import explanation_folder
    from clv_core.evaluation.explain.store import load_record

    folder = explanation_folder(workspace, open_bundle(workspace, model_id), open_dataset(workspace, name))
    if load_record(folder) is None:
        pipeline.explain(workspace, name, model_id, folder, progress=progress)
