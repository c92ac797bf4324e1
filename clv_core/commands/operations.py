"""Commands that cron runs: monitor a model and retrain it, mail a summary, run chains of commands on a schedule."""

from __future__ import annotations

import argparse
import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clv_core import audit
from clv_core.commands import DATASET, MODEL, Answer, Context, error_json, open_scored, whole_number
from clv_core.commands.parser import command, option
from clv_core.environment import Environment
from clv_core.errors import ClvError, Message, NotFound
from clv_core.workspace import write_text

if TYPE_CHECKING:
    from clv_core.monitoring import Report

NAME = option("name", "cli.schedule.name")


@command(
    "monitor",
    DATASET,
    MODEL,
    option("--chunk", "cli.monitor.chunk", choices=("auto", "week", "month"), default="auto"),
    option("--out", "cli.monitor.out", type=Path),
    option("--webhook", "cli.monitor.webhook", nargs="?", const="", metavar="URL"),
    option("--email", "cli.monitor.email", action="store_true"),
    option("--acknowledge", "cli.monitor.acknowledge", action="append", default=[], metavar="ALERT"),
    option("--retrain", "cli.monitor.retrain", action="store_true"),
    option("--every", "cli.monitor.every", type=whole_number(0), default=0, metavar="DAYS"),
    option("--leave", "cli.monitor.leave", action="store_true"),
)
def run_monitor(options: argparse.Namespace, context: Context) -> Answer:
    """Monitor, save the report, notify of new alerts, and return health, alerts and a recommendation.

    Raises:
        ClvError: a notification failed, or no challenger could be trained; all else was done, and is in the error's
            ``result``.
    """
    from clv_core.monitoring import write_report
    from clv_core.monitoring.monitor import monitor
    from clv_core.monitoring.notifications import Smtp, checked_url
    from clv_core.monitoring.notifications.notify import notify

    environment = Environment.from_environment()
    url = options.webhook or environment.webhook_url
    webhook = checked_url(url) if url or options.webhook is not None else None
    mailed = options.email or (environment.smtp_host and environment.smtp_to)
    smtp = Smtp.of(environment) if mailed else None
    report = monitor(open_scored(options, context), kind=options.chunk, progress=context.progress)
    if options.acknowledge:
        report = _acknowledged(report, options, context)
    if options.out is not None:
        write_report(report, options.out, context.language)
    result = report.to_json(context.language)
    result["out"] = None if options.out is None else str(options.out)
    failed: ClvError | None = None
    try:
        result["told"] = notify(context.workspace, report, webhook=webhook, smtp=smtp, language=context.language)
    except ClvError as error:
        failed = error
        result["untold"] = error.to_json(context.language)
    if options.retrain:
        try:
            result["retrain"] = _retrained(report, options, context)
        except ClvError as error:
            failed = error
    if failed is not None:
        failed.result = result
        raise failed
    return result


def _retrained(report: Report, options: argparse.Namespace, context: Context) -> Answer:
    """Train a challenger; while the data looks broken, a better one is not promoted but left for review."""
    from clv_core import pipeline
    from clv_core.monitoring import BETTER, PROMOTED, save_outcome

    broken = report.recommendation.of_broken_data
    outcome = pipeline.retrain(
        context.workspace,
        options.name,
        options.model,
        promote=not (options.leave or broken),
        every_days=options.every,
        progress=context.progress,
    )
    if broken and outcome.outcome == BETTER:
        outcome = dataclasses.replace(outcome, why=Message("retrain.broken", outcome.why.params))
    if outcome.challenger:
        audit.note(context.workspace, "retrain", dataset=options.name, model=outcome.challenger, outcome="done")
        about = {outcome.champion, *([outcome.challenger] if outcome.outcome == PROMOTED else [])}
        save_outcome(context.workspace, sorted(about), outcome, context.language)
    return outcome.to_json(context.language)


def _acknowledged(report: Report, options: argparse.Namespace, context: Context) -> Report:
    from clv_core.monitoring import acknowledge_alerts, acknowledged

    model = report.about.model
    alerts = [alert.id for alert in report.alerts]
    for alert in options.acknowledge:
        if alert != "all" and alert not in alerts:
            raise NotFound("no_alert", alert=alert[:40], model=model, known=list(alerts) or "-")
    selected = alerts if "all" in options.acknowledge else options.acknowledge
    acknowledge_alerts(context.workspace, model, selected, audit.actor())
    return report.seen(acknowledged(context.workspace, model))


@command(
    "schedule add",
    NAME,
    option("--cron", "cli.schedule.cron", required=True, metavar="EXPRESSION"),
    option("--step", "cli.schedule.step", action="append", required=True, dest="steps", metavar="COMMAND"),
    option("--timezone", "cli.schedule.timezone", default="UTC"),
)
def run_schedule_add(options: argparse.Namespace, context: Context) -> Answer:
    """Save a schedule and return when it runs next."""
    from clv_core.monitoring import Schedule, add_schedule

    schedule = Schedule(options.name, options.cron, tuple(options.steps), options.timezone, context.language)
    add_schedule(context.workspace, schedule)
    audit.note(context.workspace, "schedule add", schedule=options.name, outcome="done")
    return _shown(options.name, context)


@command("schedule list")
def run_schedule_list(options: argparse.Namespace, context: Context) -> Answer:
    """Return all schedules, when each runs next and how its last run ended."""
    from clv_core.monitoring import list_schedules

    return {"schedules": [_shown(schedule.name, context) for schedule, _ in list_schedules(context.workspace)]}


@command("schedule run", NAME)
def run_schedule_run(options: argparse.Namespace, context: Context) -> Answer:
    """Run a chain now and return how it went."""
    from clv_core.monitoring import run_now

    run_now(context.workspace, options.name)
    return _shown(options.name, context)


@command("schedule pause", NAME)
def run_schedule_pause(options: argparse.Namespace, context: Context) -> Answer:
    """Let a schedule wait."""
    return _paused(options, context, paused=True)


@command("schedule resume", NAME)
def run_schedule_resume(options: argparse.Namespace, context: Context) -> Answer:
    """Resume a schedule at its next time."""
    return _paused(options, context, paused=False)


@command("schedule remove", NAME)
def run_schedule_remove(options: argparse.Namespace, context: Context) -> Answer:
    """Remove a schedule; the log of its runs stays."""
    from clv_core.monitoring import remove_schedule

    remove_schedule(context.workspace, options.name)
    audit.note(context.workspace, "schedule remove", schedule=options.name, outcome="done")
    return {"removed": options.name}


@command("run-due")
def run_due_chains(options: argparse.Namespace, context: Context) -> Answer:
    """Run the chains that are due and return how each went."""
    from clv_core.monitoring import run_due

    return {"ran": run_due(context.workspace, datetime.now(UTC))}


@command("summary", DATASET, MODEL, option("--out", "cli.summary.out", type=Path))
def run_summary(options: argparse.Namespace, context: Context) -> Answer:
    """Mail what has changed since the model was trained, or write it to a file.

    Raises:
        UsageError: no mail server is set, or a variable is not valid.
        ClvError: the mail server cannot be reached, or refuses.
    """
    from clv_core.monitoring.monitor import monitor
    from clv_core.monitoring.notifications import Smtp, send, summary_mail

    smtp = Smtp.of(Environment.from_environment()) if options.out is None else None
    report = monitor(open_scored(options, context), progress=context.progress)
    subject, text, html = summary_mail(report, context.language, _sources(context, options.name))
    if smtp is None:
        write_text(options.out, html)
    else:
        send(smtp, subject, text, html=html)
    out = None if options.out is None else str(options.out)
    return {"dataset": options.name, "subject": subject, "sent": smtp is not None, "out": out}


def _sources(context: Context, dataset: str) -> list[str]:
    """Return a line on each comparison of a dataset with its sources, and on the warnings of their last runs."""
    from clv_core.collection.sources import list_sources, load_state
    from clv_core.preprocessing import comparison

    lines = []
    for source in list_sources(context.workspace):
        if source.dataset == dataset:
            state = load_state(context.workspace, source.name)
            compared = comparison(source, state)
            messages = [*([compared] if compared else []), *state.warnings]
            lines += [message.display(context.language) for message in messages]
    return lines


def _paused(options: argparse.Namespace, context: Context, *, paused: bool) -> Answer:
    from clv_core.monitoring import pause

    pause(context.workspace, options.name, paused=paused)
    audit.note(context.workspace, f"schedule {options.action}", schedule=options.name, outcome="done")
    return _shown(options.name, context)


def _shown(name: str, context: Context) -> Answer:
    from clv_core.monitoring import load_schedule

    schedule, state = load_schedule(context.workspace, name)
    last = None
    if state.last is not None:
        error = state.last.last.error
        last = {**state.last.to_json(), "error": error and error_json(error, context.language)}
    return {**schedule.to_json(), "next": state.next, "failures": state.failures, "last": last}
