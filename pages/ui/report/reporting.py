"""The report page: what goes into the report, the run that makes it, and its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from clv_core import jobs
from clv_core.deployment import Scored, explanation_folder
from clv_core.errors import ClvError
from clv_core.evaluation.explain import load_record
from clv_core.i18n import LANGUAGES
from clv_core.strategy.acquisition import spend_mark
from clv_core.strategy.forecast import REFUND_DATE, REFUND_DATES, last_expected
from clv_core.strategy.plans import (
    TIERS,
    capacities,
    check_offers,
    costs,
    expected_gains,
    max_useful_budget,
    with_experiments,
)
from clv_core.strategy.report import read_logo
from clv_core.strategy.segments import TIER, VALUE
from clv_core.workspace import atomic_path
from pages.ui import access, cells, page_files, progress, received, scores, session, terms, verdict, widgets
from pages.ui.acquisition import asking
from pages.ui.budget import offer_table
from pages.ui.budget.offer_table import PlanInputs
from pages.ui.budget.planning import slider_scale
from pages.ui.i18n import t
from pages.ui.page_files import file_name

SLIDES, PAGE = ".pptx", ".html"


@dataclass(frozen=True)
class Wish:
    """A requested report.

    Args:
        command: that makes it.
        label: distinguishes its runs from others.
        language: of its sentences.
        files: slides and page.
    """

    command: tuple[str, ...]
    label: str
    language: str
    files: tuple[Path, Path]


def choose(scored: Scored) -> Wish:
    """Ask for the language and for a plan, and start the run where the button is pressed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        language = st.segmented_control(
            t("reporting.language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            default=session.language(),
            required=True,
            key=f"report_language_{session.language()}",
        )
        planned = st.toggle(t("reporting.plan"), True, key="report_plan", help=t("reporting.plan.help"))
        words = _plan_words(scored, str(language)) if planned else ()
        acquired = st.toggle(
            t("reporting.acquisition"),
            asking.spend_of(scored.dataset) is not None,
            key="report_acquisition",
            help=t("reporting.acquisition.help"),
        )
        refunds = () if last_expected(scored) is None else _refund_words()
    if planned and not verdict.is_acknowledged(scored.model):
        words = ()
    if acquired:
        words = (*words, *asking.report_words(scored, has_margin="--margin-rate" in words))
    logo = _logo()
    if load_record(explanation_folder(scored)) is None:
        st.caption(t("reporting.no_reasons"))
    wish = _wish(scored, str(language), (*logo, *refunds, *words))
    job = progress.latest_run("report", wish.label)
    if st.button(
        t("reporting.make"),
        type="primary" if made(wish) is None else "secondary",
        icon=":material/slideshow:",
        key="make_report",
        **access.if_may("change", disabled=progress.is_running(job)),
    ):
        progress.start_job(wish.command, wish.label, wish.language)
        st.rerun()
    return wish


def _refund_words() -> tuple[str, ...]:
    """Ask on which day refunds count where a forecast is held against what came; return it as words of the command."""
    refunds = st.segmented_control(
        t("reporting.refunds"),
        REFUND_DATES,
        format_func=lambda day: t(f"reporting.refunds.{day}"),
        default=REFUND_DATE,
        required=True,
        key="report_refunds",
        help=t("reporting.refunds.help"),
    )
    return () if refunds == REFUND_DATE else ("--refunds", str(refunds))


def _logo() -> tuple[str, ...]:
    """Let the person upload or remove the logo of this workspace, and return it as words of the command line."""
    path = session.workspace().place("branding") / "logo.png"
    with st.expander(t("reporting.logo"), icon=":material/image:"):
        file = st.file_uploader(t("reporting.logo.file"), ["png"], key="report_logo", disabled=not access.may("change"))
        if file is not None:
            access.require("change")
            with atomic_path(path) as temporary:
                received.save(file, temporary)
        if path.is_file():
            st.image(str(path), width=160)
            if st.button(t("reporting.logo.remove"), key="report_logo_remove", **access.if_may("change")):
                path.unlink()
                st.rerun()
    if not path.is_file():
        return ()
    try:
        read_logo(path)
    except ClvError as error:
        widgets.show_error(error)
        return ()
    return ("--logo", str(path))


@dataclass(frozen=True)
class ReportPlan:
    """The plan that a report may hold.

    Args:
        words: of the command line: offers, experiments, segments and rates of the strategy page; empty without a plan.
        budget: that of the strategy page, money.
        missing: key of the sentence about why there is none; "" where no sentence is needed.
    """

    words: tuple[str, ...] = ()
    budget: float = 0.0
    missing: str = ""

    def at(self, budget: float) -> tuple[str, ...]:
        """Return the words with a budget; none without a plan or a budget."""
        return (*self.words, "--budget", f"{budget:.10g}") if self.words and budget else ()


def prepare(scored: Scored) -> None:
    """Start the run that makes the report as the page offers it first, unless it is made or runs already."""
    customers = scores.need_scores(scored)
    language, logo = session.language(), session.workspace().place("branding") / "logo.png"
    plan = _plan(scored, language, customers)
    words = (*(("--logo", str(logo)) if logo.is_file() else ()), *plan.at(plan.budget))
    wish = _wish(scored, language, words)
    if made(wish) is None and not progress.is_running(progress.latest_run("report", wish.label)):
        progress.start_job(wish.command, wish.label, wish.language)


def _plan_words(scored: Scored, language: str) -> tuple[str, ...]:
    """Ask for rates and budget, and return the plan as words of the command line."""
    scored = scored.at(terms.choose_rates(scored.model))
    plan = _plan(scored, language, scores.need_scores(scored))
    if plan.missing:
        st.caption(t(plan.missing))
        return ()
    label = cells.headed(t("budget.slider"), scored.currency)
    key = f"report_budget_{scored.model.id}"
    budget = st.number_input(label, 0.0, value=plan.budget, format="%g", key=key, width=180)
    if plan.words and not budget:
        st.caption(t("reporting.no_budget"))
    return plan.at(budget)


def _plan(scored: Scored, language: str, customers: pd.DataFrame) -> ReportPlan:
    """Return the plan of the strategy page at these rates."""
    dataset, rates, horizon_days = scored.dataset, scored.terms, scored.trained_days
    saved = offer_table.saved_offers(dataset)
    segments = offer_table.segment_customers(offer_table.saved_scheme(dataset), scored, customers)
    count, by_tier = len(segments.names), segments.by == TIERS
    table = offer_table.as_table(saved.rows.get(segments.by), offer_table.starting_for(segments, language))
    entered = offer_table.read_offers(table, count)
    if not entered:
        return ReportPlan(missing="budget.offers.none")
    given = with_experiments(check_offers(entered), saved.experiments, horizon_days, rates.margin_rate, by_tier=by_tier)
    inputs = PlanInputs(scored, segments, segments.people, given)
    if not inputs.has_effect:
        return ReportPlan(missing="reporting.no_effect")
    people = session.suppression_list().without(segments.people)
    gains = expected_gains(given, people[VALUE].to_numpy(), people[TIER].to_numpy(), count)
    most = max_useful_budget(gains, costs(given), capacities(given))
    if most <= 0:
        return ReportPlan(budget=saved.budget or 0.0)
    words = [word for offer in given for word in ("--offer", str(offer))]
    words += [] if by_tier else ["--plan-scheme", segments.by]
    words += ["--discount-rate", f"{rates.discount_rate:.10g}"] if rates.discount_rate else []
    words += ["--margin-rate", f"{rates.margin_rate:.10g}"] if rates.margin_rate != 1 else []
    return ReportPlan(tuple(words), slider_scale(most, saved.budget)[2])


def _wish(scored: Scored, language: str, words: tuple[str, ...]) -> Wish:
    dataset, bundle = scored.dataset, scored.model
    stem = file_name(bundle, f"report-{language}", dataset.log_end, "x").removesuffix(".x")
    folder = session.workspace().place("exports")
    files = (folder / f"{stem}{SLIDES}", folder / f"{stem}{PAGE}")
    outs = [word for file in files for word in ("--out", str(file))]
    command = ("report", dataset.name, "--model", bundle.id, *outs, *words)
    marks = (*words, spend_mark(dataset)) if "--by" in words else words
    plan = f" {hashlib.sha256(repr(marks).encode()).hexdigest()[:6]}" if words else ""
    return Wish(command, f"{bundle.id} {dataset.version} {language}{plan}", language, files)


def made(wish: Wish) -> dict[str, Any] | None:
    """Return what the last run for this wish has made; None where there is none, or other files lie there now."""
    job = progress.latest_run("report", wish.label)
    if job is None or job.status().state != jobs.DONE:
        return None
    written = job.status().updated
    there = all(file.is_file() and file.stat().st_mtime <= written + 1 for file in wish.files)
    result: dict[str, Any] = job.status().result
    return result if there and set(result["files"]) == {str(file) for file in wish.files} else None


def show(wish: Wish, result: dict[str, Any]) -> None:
    """Offer the files, list their findings, and show the page."""
    slides, page = wish.files
    with st.container(horizontal=True):
        page_files.download(t("reporting.slides"), slides.read_bytes(), slides.name, "download_slides", type="primary")
        page_files.download(t("reporting.page"), page.read_bytes(), page.name, "download_page")
    with st.container(border=True):
        st.markdown(f"**{t('reporting.findings')}**")
        st.markdown("\n".join(f"1. {widgets.escape(sentence)}" for sentence in result["sections"].values()))
    st.header(t("reporting.preview"), anchor=False)
    st.iframe(page.read_text(encoding="utf-8"), height=720)
