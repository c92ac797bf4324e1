"""Commands that cron runs: monitor a model and retrain it, mail a summary, run chains of commands on a schedule."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core import audit
from clv_core.commands import (
    DATASET,
    MODEL,
    MODEL_OR_NONE,
    Answer,
    Context,
    check_steps,
    error_json,
    open_scored,
    print_messages,
    whole_number,
)
from clv_core.commands.parser import command, one_of, option
from clv_core.environment import Environment
from clv_core.errors import ChainFailed, ClvError, Message, NotFound, UsageError
from clv_core.monitoring.notifications import EMAIL, WEBHOOK, Smtp, channels, chat_payload, checked_url, deliver
from clv_core.workspace import write_text

if TYPE_CHECKING:
    from clv_core.collection.store import Dataset
    from clv_core.monitoring import Report, Watched

NAME = option("name", "cli.schedule.name")


def _check_monitor(options: argparse.Namespace) -> None:
    """Refuse what needs a model beside ``--business``.

    Raises:
        UsageError: there is such an option.
    """
    if options.business and (options.retrain or options.leave or options.every or options.chunk != "auto"):
        raise UsageError("monitor_business")


@command(
    "monitor",
    DATASET,
    one_of(MODEL_OR_NONE, option("--business", "cli.monitor.business", action="store_true"), required=True),
    option("--chunk", "cli.monitor.chunk", choices=("auto", "week", "month"), default="auto"),
    option("--out", "cli.monitor.out", type=Path),
    option("--webhook", "cli.monitor.webhook", nargs="?", const="", metavar="URL"),
    option("--email", "cli.monitor.email", action="store_true"),
    option("--acknowledge", "cli.monitor.acknowledge", action="append", default=[], metavar="ALERT"),
    option("--retrain", "cli.monitor.retrain", action="store_true"),
    option("--every", "cli.monitor.every", type=whole_number(0), default=0, metavar="DAYS"),
    option("--leave", "cli.monitor.leave", action="store_true"),
    check=_check_monitor,
)
def run_monitor(options: argparse.Namespace, context: Context) -> Answer:
    """Watch the business, then monitor the model; save both, notify of what is new, and return what was found.

    Neither findings nor alerts are errors: the exit code is 0, as they are sent and stay until somebody has seen them.

    Raises:
        UsageError: an option needs a model.
        ClvError: a notification failed, or no challenger could be trained; all else was done, and is in the error's
            ``result``.
    """
    from clv_core.collection.store import open_dataset
    from clv_core.monitoring import watch_dataset, write_report, write_watch
    from clv_core.monitoring.monitor import monitor
    from clv_core.monitoring.notifications import notify_findings
    from clv_core.monitoring.notifications.notify import notify

    _check_monitor(options)
    environment = Environment.from_environment()
    url = options.webhook or environment.webhook_url
    webhook = checked_url(url) if url or options.webhook is not None else None
    mailed = options.email or (environment.smtp_host and environment.smtp_to)
    smtp = Smtp.of(environment) if mailed else None
    dataset = open_dataset(context.workspace, options.name)
    watched = watch_dataset(dataset, context.progress)
    report = None
    if not options.business:
        report = monitor(open_scored(options, context), kind=options.chunk, progress=context.progress)
    if options.acknowledge:
        report = _acknowledged(report, dataset, watched, options, context)
        watched = watch_dataset(dataset, context.progress)
    if not options.quiet:
        for line in watched.lines(context.language):
            print(line, file=sys.stderr, flush=True)
    if options.out is not None:
        write_watch(watched, options.out, context.language)
        if report is not None:
            write_report(report, options.out, context.language)
    result: Answer = {"business": watched.to_json(context.language)}
    result |= {"dataset": dataset.name} if report is None else report.to_json(context.language)
    result["out"] = None if options.out is None else str(options.out)
    failed: ClvError | None = None
    told: Counter[str] = Counter()
    ways: dict[str, Any] = {"webhook": webhook, "smtp": smtp, "language": context.language}
    tellers: list[Callable[[], dict[str, int]]] = [lambda: notify_findings(dataset, watched, **ways)]
    if report is not None:
        tellers.append(partial(notify, context.workspace, report, **ways))
    for tell in tellers:
        try:
            told.update(tell())
        except ClvError as error:
            failed = failed or error
    if failed is not None:
        result["untold"] = failed.to_json(context.language)
    else:
        result["told"] = dict(told)
    if options.retrain and report is not None:
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


def _acknowledged(
    report: Report | None, dataset: Dataset, watched: Watched, options: argparse.Namespace, context: Context
) -> Report | None:
    """Mark alerts of the model and findings of the watch as seen; return the report after that."""
    from clv_core.monitoring import acknowledge_alerts, acknowledge_findings, acknowledged

    alerts = [] if report is None else [alert.id for alert in report.alerts]
    findings = {record.id: record for record in watched.records}
    for alert in options.acknowledge:
        if alert != "all" and alert not in alerts and alert not in findings:
            known = [*findings, *alerts] or "-"
            raise NotFound("no_alert", alert=alert[:40], model=options.model or dataset.name, known=known)
    selected = {*findings, *alerts} if "all" in options.acknowledge else set(options.acknowledge)
    acknowledge_findings(dataset, [record for name, record in findings.items() if name in selected], audit.actor())
    if report is None:
        return None
    model = report.about.model
    acknowledge_alerts(context.workspace, model, [alert for alert in alerts if alert in selected], audit.actor())
    return report.seen(acknowledged(context.workspace, model))


@command(
    "schedule add",
    NAME,
    option("--cron", "cli.schedule.cron", required=True, metavar="EXPRESSION"),
    option("--step", "cli.schedule.step", action="append", required=True, dest="steps", metavar="COMMAND"),
    option("--timezone", "cli.schedule.timezone", default="UTC"),
)
def run_schedule_add(options: argparse.Namespace, context: Context) -> Answer:
    """Save a schedule all of whose steps can run, and return when it runs next.

    Raises:
        UsageError: a step is no command, or lacks an option.
        NotFound, Refused: a step needs something that there is not.
    """
    from clv_core.monitoring import Schedule, add_schedule

    schedule = Schedule(options.name, options.cron, tuple(options.steps), options.timezone, context.language)
    warnings = [message.to_json(context.language) for message in check_steps(context.workspace, schedule)]
    add_schedule(context.workspace, schedule)
    audit.note(context.workspace, "schedule add", schedule=options.name, outcome="done")
    return {**_shown(options.name, context), "warnings": warnings}


@command("schedule list")
def run_schedule_list(options: argparse.Namespace, context: Context) -> Answer:
    """Return all schedules, when each runs next and how its last run ended; and those whose files are damaged."""
    from clv_core.monitoring import damaged_schedules, list_schedules

    damaged = {name: error.to_json(context.language) for name, error in damaged_schedules(context.workspace).items()}
    schedules = [_shown(schedule.name, context) for schedule, _ in list_schedules(context.workspace)]
    return {"schedules": schedules, "damaged": damaged}


@command("schedule status", option("--json", "cli.schedule.json", action="store_true"))
def run_schedule_status(options: argparse.Namespace, context: Context) -> Answer:
    """Return whether each schedule works, for a health check; without ``--json`` also as sentences on stderr.

    Raises:
        ChainFailed: one failed, did not run, or cannot be read; all of them are in the error's ``result``.
    """
    from clv_core.monitoring import UNWELL, check_schedules

    found = check_schedules(context.workspace, datetime.now(UTC))
    if not options.json:
        for one in found:
            when = one.next or one.last
            shown_time = f"{when[:10]} {when[11:16]} UTC"
            print_messages([Message(f"schedules.state.{one.state}", {"name": one.name, "when": shown_time})], context)
    unwell = [one.name for one in found if one.state in UNWELL]
    shown = [{**one.to_json(), "error": one.error and error_json(one.error, context.language)} for one in found]
    result = {"well": not unwell, "schedules": shown}
    if unwell:
        raise _failed(ChainFailed("schedules_unwell", names=unwell), result)
    return result


@command("schedule run", NAME)
def run_schedule_run(options: argparse.Namespace, context: Context) -> Answer:
    """Run a chain now and return how it went.

    Raises:
        ChainFailed: it failed; how it went is in the error's ``result``.
    """
    from clv_core.monitoring import run_now

    run_now(context.workspace, options.name)
    result = _shown(options.name, context)
    if result["last"]["error"] is not None:
        why = {"step": result["last"]["steps"][-1]["step"], "reason": result["last"]["error"]["message"]}
        raise _failed(ChainFailed("chain_stopped", name=options.name, **why), result)
    return result


def _failed(error: ChainFailed, result: Answer) -> ChainFailed:
    """Return the error with what was done."""
    error.result = result
    return error


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
    """Run the chains that are due and return how each went.

    Raises:
        ChainFailed: one failed, or its file cannot be read; how all went is in the error's ``result``.
    """
    from clv_core.monitoring import run_due

    result = {"ran": run_due(context.workspace, datetime.now(UTC))}
    if failed := [name for name, outcome in result["ran"].items() if outcome != "done"]:
        raise _failed(ChainFailed("chain_failed", names=failed), result)
    return result


@command(
    "summary",
    DATASET,
    MODEL,
    option("--out", "cli.summary.out", type=Path),
    option("--webhook", "cli.summary.webhook", nargs="?", const="", metavar="URL"),
    option("--email", "cli.summary.email", action="store_true"),
)
def run_summary(options: argparse.Namespace, context: Context) -> Answer:
    """Send what the watch on the business found, the night's record and what has changed since the model was trained.

    The watch is that of the dataset as it is now, which ``monitor`` has made; where it has not, nothing is said of it.

    Raises:
        UsageError: neither a mail server nor an address is set, or a variable is not valid.
        ClvError: a server cannot be reached, or refuses; the other way was used.
    """
    from clv_core.collection.store import open_dataset
    from clv_core.monitoring import find_watch, nights
    from clv_core.monitoring.monitor import monitor
    from clv_core.monitoring.notifications import summary_mail

    environment, ways = _ways(options)
    report = monitor(open_scored(options, context), progress=context.progress)
    ran = nights(context.workspace, options.name, datetime.now(UTC))
    lines = [line for night in ran for line in night.lines(context.language)]
    watched = find_watch(open_dataset(context.workspace, options.name))
    business = [] if watched is None else watched.lines(context.language)
    sources, campaigns = _sources(context, options.name), _campaigns(context, options.name)
    subject, text, html = summary_mail(report, context.language, sources, lines, campaigns, business)
    facts = {"dataset": options.name, "nights": [night.to_json() for night in ran]}
    facts |= {} if watched is None else {"business": watched.to_json(context.language)}
    failed: ClvError | None = None
    sent = []
    for way in ways:
        try:
            payload = chat_payload(environment.webhook_url, subject, text.splitlines(), facts)
            deliver(way, environment, subject, text, payload, html=html)
            sent.append(way)
        except ClvError as error:
            failed = failed or error
    if options.out is not None:
        write_text(options.out, html)
    out = None if options.out is None else str(options.out)
    result = {"dataset": options.name, "subject": subject, "sent": bool(sent), "ways": sent, "out": out}
    if failed is not None:
        failed.result = result
        raise failed
    return result


def _ways(options: argparse.Namespace) -> tuple[Environment, tuple[str, ...]]:
    """Return by which ways a summary goes, and the environment with the address that was given.

    Raises:
        UsageError: by none, and it is not written either, or a variable is not valid.
    """
    environment = Environment.from_environment()
    environment = dataclasses.replace(environment, webhook_url=options.webhook or environment.webhook_url)
    asked = {WEBHOOK: options.webhook is not None, EMAIL: options.email}
    ways = tuple(way for way, wanted in asked.items() if wanted)
    if not ways and options.out is None:
        ways = channels(environment) or (EMAIL,)
    if WEBHOOK in ways:
        checked_url(environment.webhook_url)
    if EMAIL in ways:
        Smtp.of(environment)
    return environment, ways


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


def _campaigns(context: Context, dataset: str) -> list[str]:
    """Return a line on each campaign of a dataset that is measured or is to be."""
    from clv_core.collection.store import open_dataset
    from clv_core.strategy.campaigns import outcomes, summary_lines

    opened = open_dataset(context.workspace, dataset)
    found = outcomes(context.workspace, opened)
    return summary_lines(found, opened.manifest.currency, context.language)


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
