"""The commands ``schedule`` and ``run-due``: chains of commands that run unattended; and their mail, ``summary``."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clv_core import audit
from clv_core.commands import DATASET, MODEL, Context, message_json
from clv_core.commands.parser import command, option
from clv_core.environment import Environment
from clv_core.workspace import write_text

NAME = option("name", "cli.schedule.name")


@command(
    "schedule add",
    NAME,
    option("--cron", "cli.schedule.cron", required=True, metavar="EXPRESSION"),
    option("--step", "cli.schedule.step", action="append", required=True, dest="steps", metavar="COMMAND"),
    option("--timezone", "cli.schedule.timezone", default="UTC"),
)
def run_schedule_add(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Save a schedule and return when it runs next."""
    from clv_core.monitoring.schedules import Schedule, add_schedule

    schedule = Schedule(options.name, options.cron, tuple(options.steps), options.timezone, context.language)
    add_schedule(context.workspace, schedule)
    audit.note(context.workspace, "schedule add", schedule=options.name, outcome="done")
    return _shown(options.name, context)


@command("schedule list")
def run_schedule_list(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return all schedules, when each runs next and how its last run ended."""
    from clv_core.monitoring.schedules import list_schedules

    return {"schedules": [_shown(schedule.name, context) for schedule, _ in list_schedules(context.workspace)]}


@command("schedule run", NAME)
def run_schedule_run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Run a chain now and return how it went."""
    from clv_core.monitoring.schedules import run_now

    run_now(context.workspace, options.name)
    return _shown(options.name, context)


@command("schedule pause", NAME)
def run_schedule_pause(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Let a schedule wait."""
    return _paused(options, context, paused=True)


@command("schedule resume", NAME)
def run_schedule_resume(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Let a schedule go on from its next time."""
    return _paused(options, context, paused=False)


@command("schedule remove", NAME)
def run_schedule_remove(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Remove a schedule; the log of its runs stays."""
    from clv_core.monitoring.schedules import remove_schedule

    remove_schedule(context.workspace, options.name)
    audit.note(context.workspace, "schedule remove", schedule=options.name, outcome="done")
    return {"removed": options.name}


@command("run-due")
def run_due_chains(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Run the chains that are due and return how each went."""
    from clv_core.monitoring.schedules import run_due

    return {"ran": run_due(context.workspace, datetime.now(UTC))}


@command("summary", DATASET, MODEL, option("--out", "cli.summary.out", type=Path))
def run_summary(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Mail what has changed since the model was trained, or write it to a file.

    Raises:
        UsageError: no mail server is set, or a variable is not valid.
        ClvError: the mail server cannot be reached, or refuses.
    """
    from clv_core import pipeline
    from clv_core.monitoring.notifications.mail import Smtp, send
    from clv_core.monitoring.notifications.summary import summary_mail

    smtp = Smtp.of(Environment.from_environment()) if options.out is None else None
    report = pipeline.monitor(context.workspace, options.name, options.model, progress=context.progress)
    subject, text, html = summary_mail(report, context.language)
    if smtp is None:
        write_text(options.out, html)
    else:
        send(smtp, subject, text, html=html)
    out = None if options.out is None else str(options.out)
    return {"dataset": options.name, "subject": subject, "sent": smtp is not None, "out": out}


def _paused(options: argparse.Namespace, context: Context, *, paused: bool) -> dict[str, Any]:
    from clv_core.monitoring.schedules import pause

    pause(context.workspace, options.name, paused=paused)
    audit.note(context.workspace, f"schedule {options.action}", schedule=options.name, outcome="done")
    return _shown(options.name, context)


def _shown(name: str, context: Context) -> dict[str, Any]:
    from clv_core.monitoring.schedules import load_schedule

    schedule, state = load_schedule(context.workspace, name)
    last = None
    if state.last is not None:
        error = state.last["steps"][-1]["error"]
        said = error and message_json({**error, "code": f"error.{error['code']}"}, context.language)
        last = {**state.last, "error": said}
    return {**schedule.to_json(), "next": state.next, "failures": state.failures, "last": last}
