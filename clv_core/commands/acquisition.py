"""The command on new customers: what they cost, are worth, and when they pay back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clv_core.commands import (
    CUTOFF,
    DATASET,
    MODEL,
    Context,
    horizon,
    open_scored,
    split_pairs,
    trust_and_warnings,
    whole_number,
    written_json,
)
from clv_core.commands.parser import command, option
from clv_core.errors import UsageError


def split_names(text: str) -> tuple[str, ...]:
    """Return names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_margins(words: Sequence[str]) -> dict[str, float]:
    """Return the margin of each group that ``GROUP=RATE`` names.

    Raises:
        UsageError: a margin that is no number.
    """
    try:
        return {group: float(rate) for group, rate in split_pairs(words, at_last=True).items()}
    except ValueError as error:
        raise UsageError("acquisition_margin", margin=", ".join(words)) from error


@command(
    "acquire",
    DATASET,
    MODEL,
    option("--by", "cli.acquire.by", default="channel"),
    option("--spend", "cli.acquire.spend", type=Path, action="append", default=[]),
    option("--spend-channel", "cli.acquire.spend_channel", default=""),
    option("--map", "cli.acquire.map", action="append", default=[], metavar="MEANING=COLUMN"),
    option("--spend-currency", "cli.acquire.currency", default=""),
    option("--target-ratio", "cli.acquire.target", type=float, default=3.0),
    option("--payback-months", "cli.acquire.payback", type=whole_number(1), default=12),
    option("--margin-rate", "cli.plan.margin", type=float, default=1.0),
    option("--margin", "cli.acquire.margin", action="append", default=[], metavar="GROUP=RATE"),
    option("--minimum", "cli.acquire.minimum", type=whole_number(2), default=50),
    option("--horizon-days", "cli.score.horizon", type=horizon),
    option("--discount-rate", "cli.score.discount", type=float, default=0.0),
    option("--out", "cli.acquire.out", type=Path),
    CUTOFF,
)
def run_acquire(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Read spend tables, report by group and cohort, and write the table of groups.

    Raises:
        UsageError: a margin that is no number.
    """
    from clv_core import pipeline
    from clv_core.deployment.terms import Terms
    from clv_core.strategy.acquisition import Question, Spend, SpendSettings, read_spend
    from clv_core.strategy.acquisition.acquire import report_json

    settings = SpendSettings(split_pairs(options.map), options.spend_channel, options.spend_currency)
    tables = [read_spend(path, settings) for path in options.spend]
    spend = Spend.together(tables) if tables else None
    scored = open_scored(options, context)
    question = Question(
        by=split_names(options.by),
        margin_rate=options.margin_rate,
        margins=read_margins(options.margin),
        target_ratio=options.target_ratio,
        payback_months=options.payback_months,
        min_customers=options.minimum,
    )
    terms = Terms.of(options.horizon_days, scored.horizon_days, options.discount_rate)
    made, report = pipeline.acquire(
        scored, question, spend, terms, options.out, language=context.language, progress=context.progress
    )
    return {
        **written_json(made),
        "model": options.model,
        "horizon_days": terms.horizon_days,
        "lifetime": terms.lifetime,
        "discount_rate": terms.discount_rate,
        **report_json(report),
        "spend_tables": [table.to_json() for table in tables],
        **trust_and_warnings(scored, context, report.warnings),
    }
