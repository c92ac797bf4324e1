"""Make the stakeholder report from a workspace, and write it as slides or as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clv_core import __version__
from clv_core.collection.privacy import SuppressionList
from clv_core.deployment import Scored, explanation_folder, shared_error, trust_of
from clv_core.deployment.registry import Registry
from clv_core.errors import UsageError
from clv_core.evaluation.explain import load_explanation
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.acquisition import Acquisition, Question, acquisition_report, load_new_customers, load_spend
from clv_core.strategy.acquisition.findings import discount_question
from clv_core.strategy.activation import PlanInputs
from clv_core.strategy.campaigns import outcomes
from clv_core.strategy.demand import Demand
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.forecast.bridge import REFUND_DATE, Expected, make_bridge
from clv_core.strategy.forecast.shop_forecast import Forecast
from clv_core.strategy.plans.budget_plan import all_warnings, make_plan
from clv_core.strategy.plans.offers import check_offers
from clv_core.strategy.report.document import Report
from clv_core.strategy.report.html import write_html
from clv_core.strategy.report.report_context import Formatter, ReportContext, ReportPlan
from clv_core.strategy.report.sections import SECTIONS, headline
from clv_core.strategy.report.slides import write_slides
from clv_core.strategy.segments.saved_segments import tier_labels
from clv_core.strategy.segments.scored_customers import load_scored_customers
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers, assign_tiers

PNG: Final = b"\x89PNG\r\n\x1a\n"
MAX_LOGO_BYTES: Final = 2_000_000
"""A logo is embedded in every report; two megabytes are a photograph."""
WRITERS: Final[dict[str, Callable[[Report, Path], Path]]] = {".pptx": write_slides, ".html": write_html}


def check_endings(paths: Sequence[Path]) -> None:
    """Check the paths' suffixes before the work.

    Raises:
        UsageError: a suffix that is not of :data:`WRITERS`.
    """
    for path in paths:
        if path.suffix.lower() not in WRITERS:
            raise UsageError("report_out", path=path.name, endings=list(WRITERS))


def make_report(
    scored: Scored,
    *,
    plan: PlanInputs | None = None,
    experiments: Mapping[str, Experiment] | None = None,
    scheme: ValueTiers = DEFAULT_SCHEME,
    acquisition: Question | None = None,
    forecast: Forecast | None = None,
    demand: Demand | None = None,
    expected: Expected | None = None,
    refunds: str = REFUND_DATE,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> Report:
    """Return the report on a dataset and a model.

    Args:
        scored: dataset and model; the cutoff is the log's end. The terms are those of the plan: all other sections use
            the values of the trained horizon without discount and margin.
        plan: offers for all customers but those on the suppression list; None: no plan.
        experiments: that measured effects of the offers, by the offer's name.
        scheme: of the tiers.
        acquisition: question about new customers, answered with the saved spend tables; None leaves the section out.
        forecast: what the shop will take from the log's end on; None leaves its section out.
        demand: what will be bought of each product; None leaves its section out.
        expected: the last forecast, of days that have passed; None leaves the bridge to what came out.
        refunds: the day on which refunds count in the bridge, one of
            :data:`~clv_core.strategy.forecast.bridge.REFUND_DATES`.
        language: of all texts.
        progress: listener.

    Raises:
        NotEnoughData: the log ends before the days of ``expected``.
        UsageError: the log has no values of a dimension of ``acquisition``.
        Refused: the spend is in another currency than the log, or about other days.
    """
    dataset, bundle, workspace = scored.dataset, scored.model, scored.workspace
    tiered = assign_tiers(scored.trained.scores(progress), scheme)
    progress.report("report", 0, len(SECTIONS))
    explained = load_explanation(explanation_folder(scored))
    planned = None
    if plan is not None:
        people, names = tiered, tier_labels(dataset, scheme.tiers, language)
        if plan.scheme != scheme:
            segmented = load_scored_customers(scored, plan.scheme, progress=progress)
            people, names = segmented.numbered(), segmented.names(dataset, language)
        people = SuppressionList.of(workspace, dataset).without(people)
        people = scored.at_terms(people, progress)
        made = make_plan(people, len(names), check_offers(plan.offers), plan.budget)
        notes = all_warnings(made, plan.offers, names, scored.terms, experiments or {})
        planned = ReportPlan(made, plan, people, names, notes)
    f = Formatter(language, bundle.record.currency)
    context = ReportContext(
        scored=scored,
        tiered=tiered,
        scheme=scheme,
        trust=trust_of(workspace, bundle),
        shared=shared_error(workspace, bundle),
        explanation=None if explained is None else explained[0],
        plan=planned,
        acquisition=None if acquisition is None else _acquisition(scored, acquisition, progress),
        forecast=forecast,
        demand=demand,
        bridge=None if expected is None else make_bridge(workspace, dataset, expected, refunds),
        campaigns=outcomes(workspace, dataset),
        model_name=_model_name(scored, f),
        format=f,
    )
    report = Report(
        title=f.t("report.title", dataset=dataset.name),
        finding=headline(context),
        made=f.t("report.made", day=f.day(datetime.now(UTC).date()), version=__version__),
        language=language,
        sections=tuple(section for make in SECTIONS if (section := make(context)) is not None),
        notes=() if planned is None else planned.notes,
    )
    progress.report("report", len(SECTIONS), len(SECTIONS))
    return report


def _acquisition(scored: Scored, question: Question, progress: Progress) -> tuple[Acquisition, Acquisition | None]:
    customers = load_new_customers(scored.trained, progress)
    spend, discount = load_spend(scored.dataset), discount_question(customers, question)
    discounts = None if discount is None else acquisition_report(customers, spend, discount)
    return acquisition_report(customers, spend, question), discounts


def _model_name(scored: Scored, f: Formatter) -> str:
    """Return the kind of a model with its version, or with the day of its training where it has none."""
    kind = f.name("model", scored.model.record.model)
    versions = {entry.bundle: entry for entry in Registry(scored.workspace).versions()}
    version = versions.get(scored.model.id)
    return f"{kind} v{version.number}" if version else f"{kind}, {f.day(scored.model.record.created[:10])}"


def read_logo(path: Path) -> bytes:
    """Return the PNG at a path.

    Raises:
        UsageError: it is missing, no PNG, or larger than :data:`MAX_LOGO_BYTES`.
    """
    content = path.read_bytes() if path.is_file() else b""
    if not content.startswith(PNG) or len(content) > MAX_LOGO_BYTES:
        raise UsageError("report_logo", path=path.name, megabytes=MAX_LOGO_BYTES // 1_000_000)
    return content


def write_report(report: Report, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Write a report into each file, by its suffix."""
    check_endings(paths)
    return tuple(WRITERS[path.suffix.lower()](report, path) for path in paths)
