"""The command ``monitor``: is a model still accurate, and should it be retrained? For people and for cron."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core import audit
from clv_core.commands import DATASET, MODEL, Context, whole_number
from clv_core.commands.parser import command, option
from clv_core.environment import Environment
from clv_core.errors import ClvError, Message, NotFound

if TYPE_CHECKING:
    from clv_core.monitoring.monitoring_report import Report


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
def run_monitor(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Monitor, save the report, notify of new alerts, and return health, alerts and a recommendation.

    Raises:
        ClvError: a notification failed, or no challenger could be trained; all else was done, and is in the error's
            ``result``.
    """
    from clv_core import pipeline
    from clv_core.monitoring.monitoring_report import write_report
    from clv_core.monitoring.notifications.mail import Smtp
    from clv_core.monitoring.notifications.webhook import checked_url

    environment = Environment.from_environment()
    url = options.webhook or environment.webhook_url
    webhook = checked_url(url) if url or options.webhook is not None else None
    mailed = options.email or (environment.smtp_host and environment.smtp_to)
    smtp = Smtp.of(environment) if mailed else None
    report = pipeline.monitor(
        context.workspace, options.name, options.model, kind=options.chunk, progress=context.progress
    )
    if options.acknowledge:
        report = _acknowledged(report, options, context)
    if options.out is not None:
        write_report(report, options.out, context.language)
    result = report.to_json(context.language)
    result["out"] = None if options.out is None else str(options.out)
    failed: ClvError | None = None
    try:
        result["told"] = pipeline.notify(
            context.workspace, report, webhook=webhook, smtp=smtp, language=context.language
        )
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


def _retrained(report: Report, options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Train a challenger; while the data looks broken, a better one is not promoted but left for review."""
    from clv_core import pipeline
    from clv_core.monitoring.monitoring_report import save_outcome
    from clv_core.monitoring.retraining import BETTER, PROMOTED

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
    result = outcome.to_json(context.language)
    if outcome.challenger:
        audit.note(context.workspace, "retrain", dataset=options.name, model=outcome.challenger, outcome="done")
        about = {outcome.champion, *([outcome.challenger] if outcome.outcome == PROMOTED else [])}
        save_outcome(context.workspace, sorted(about), result)
    return result


def _acknowledged(report: Report, options: argparse.Namespace, context: Context) -> Report:
    from clv_core.monitoring.monitoring_report import acknowledge_alerts, acknowledged

    model = str(report.about["model"])
    alerts = [alert.id for alert in report.alerts]
    for alert in options.acknowledge:
        if alert != "all" and alert not in alerts:
            raise NotFound("no_alert", alert=alert[:40], model=model, known=list(alerts) or "-")
    chosen = alerts if "all" in options.acknowledge else options.acknowledge
    acknowledge_alerts(context.workspace, model, chosen, audit.actor())
    return report.seen(acknowledged(context.workspace, model))
