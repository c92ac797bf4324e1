"""From a workspace to a report: what is kept is read, what is missing is said, files are written by their ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core import __version__
from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.saved_evaluation import shared_error, trust_of
from clv_core.deployment.saved_scores import scores
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
from clv_core.evaluation.explain.store import load_explanation
from clv_core.i18n import DEFAULT_LANGUAGE, translate
from clv_core.jobs import Progress
from clv_core.strategy.audiences.customer_list import load_scored_customers
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.plans.budget_plan import make_plan
from clv_core.strategy.plans.offers import Offer, check_offers
from clv_core.strategy.plans.plan_warnings import all_warnings
from clv_core.strategy.report import acted, measured
from clv_core.strategy.report.content import Report, Section
from clv_core.strategy.report.ground import Ground, Planned
from clv_core.strategy.report.html import write_html
from clv_core.strategy.report.said import Said
from clv_core.strategy.report.slides import write_slides
from clv_core.strategy.schemes.saved import names_of_tiers
from clv_core.strategy.schemes.segmentation import Segmentation
from clv_core.strategy.segments import assign
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.strategy.valued import valued
from clv_core.workspace import Workspace

SECTIONS: Final[tuple[Callable[[Ground], Section | None], ...]] = (
    measured.data,
    measured.trust,
    measured.quality,
    measured.deciles,
    acted.drivers,
    acted.segments,
    acted.plan,
    acted.limits,
)
"""The sections in order; one that has nothing to say is None and left out."""

WRITERS: Final[dict[str, Callable[[Report, Path], Path]]] = {".pptx": write_slides, ".html": write_html}


def check_endings(paths: Sequence[Path]) -> None:
    """Say before the work that a file cannot be written.

    Raises:
        UsageError: an ending that is not of :data:`WRITERS`.
    """
    for path in paths:
        if path.suffix.lower() not in WRITERS:
            raise UsageError("report_out", path=path.name, endings=list(WRITERS))


def make_report(
    workspace: Workspace,
    name: str,
    model_id: str,
    *,
    offers: Sequence[Offer] = (),
    budget: float = 0.0,
    scheme: Scheme = DEFAULT_SCHEME,
    plan_scheme: Scheme | Segmentation | None = None,
    plan_terms: Terms | None = None,
    experiments: Mapping[str, Experiment] | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> Report:
    """Return the report on a dataset and a model.

    Args:
        workspace: where they are.
        name: of the dataset.
        model_id: of the bundle.
        offers: what can be given to all but those on the suppression list; none: no plan is made.
        budget: for the offers.
        scheme: how customers are cut into tiers.
        plan_scheme: how they are cut into the segments that offers have effects for; None is by the tiers.
        plan_terms: what the values that the plan counts with speak of, of the trained horizon; None is without discount
            and margin. All other sections speak of plain values.
        experiments: that measured effects of the offers, by the offer's name.
        language: of all sentences.
        progress: listener.
    """
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    tiered = assign(scores(workspace, name, model_id, progress=progress), scheme)
    progress.report("report", 0, len(SECTIONS))
    kept = load_explanation(explanation_folder(bundle, dataset))
    planned = None
    if offers:
        given = check_offers(offers)
        people, names = tiered, names_of_tiers(dataset, scheme.tiers, language)
        if plan_scheme is not None and plan_scheme != scheme:
            cut = load_scored_customers(workspace, name, model_id, plan_scheme, progress=progress)
            people, names = cut.numbered(), cut.names(dataset, language)
        asked = plan_terms or Terms(bundle.record["horizon_days"])
        people = valued(
            workspace, name, model_id, StopList.of(workspace, dataset).without(people), asked, progress=progress
        )
        planned = _planned(people, names, given, budget, asked, experiments or {})
    said = Said(language, bundle.record["currency"])
    ground = Ground(
        dataset=dataset,
        bundle=bundle,
        tiered=tiered,
        scheme=scheme,
        trust=trust_of(workspace, bundle),
        shared=shared_error(workspace, bundle),
        explanation=None if kept is None else kept[0],
        planned=planned,
        said=said,
    )
    sections = tuple(section for make in SECTIONS if (section := make(ground)) is not None)
    context = said.t(
        "report.context", dataset=name, cutoff=said.day(dataset.log_end), horizon=ground.horizon_days, model=model_id
    )
    written = said.t("report.made", day=said.day(datetime.now(UTC).date()), version=__version__)
    title = translate("report.title", language, dataset=name)
    progress.report("report", len(SECTIONS), len(SECTIONS))
    known = () if planned is None else planned.notes
    return Report(title, acted.headline(ground), context, written, language, sections, known)


def _planned(
    people: pd.DataFrame,
    names: Sequence[str],
    offers: tuple[Offer, ...],
    budget: float,
    terms: Terms,
    experiments: Mapping[str, Experiment],
) -> Planned:
    """Return the plan for people whose values speak of ``terms``, and what has to be known of it."""
    made = make_plan(people, len(names), offers, budget)
    return Planned(made, offers, budget, terms, all_warnings(made, offers, names, terms, experiments))


def write_report(report: Report, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Write a report into each file, by its ending."""
    check_endings(paths)
    return tuple(WRITERS[path.suffix.lower()](report, path) for path in paths)
