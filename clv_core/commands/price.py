"""``price NAME --model ID [--out FILE] [--change TIER=PERCENT --by WHAT --margin-rate M]``: how sales answer prices."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from clv_core.commands import Context, add_model, not_trusted, trust_json, written_json
from clv_core.errors import UsageError
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--out", type=Path, default=None, help=translate("cli.price.out", language))
    parser.add_argument("--change", action="append", default=[], help=translate("cli.price.change", language))
    parser.add_argument(
        "--by", choices=("price", "discount"), default="price", help=translate("cli.price.by", language)
    )
    parser.add_argument("--category", action="append", default=[], help=translate("cli.price.category", language))
    parser.add_argument("--margin-rate", type=float, default=None, help=translate("cli.price.margin", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Measure, write the table, and return it in short, with what a rule would bring."""
    from clv_core import pipeline
    from clv_core.strategy.pricing.panel import ALL
    from clv_core.strategy.pricing.price_rule import Rule, parse_changes
    from clv_core.strategy.tiers import DEFAULT_SCHEME

    rule = None
    if options.change:
        if options.margin_rate is None:
            raise UsageError("price_needs_margin")
        changes = parse_changes(options.change, DEFAULT_SCHEME.tiers)
        rule = Rule(changes, options.margin_rate, tuple(options.category), options.by)
    made, found, outcome = pipeline.price(
        context.workspace,
        options.name,
        options.model,
        options.out,
        rule=rule,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    everyone = found.table[found.table["tier"] == ALL]
    return {
        **written_json(made),
        "model": options.model,
        "categories": len(everyone),
        "negative": int((everyone["elasticity"] < 0).sum()),
        "surely_negative": int((everyone["high"] < 0).sum()),
        "elasticity_median": float(everyone["elasticity"].median()),
        "period_days": found.period_days,
        "left_out": found.left_out["reason"].value_counts().to_dict(),
        "what_if": None
        if outcome is None
        else {
            "revenue": dataclasses.asdict(outcome.revenue),
            "margin": dataclasses.asdict(outcome.margin),
            "base": outcome.base,
            "touched": outcome.touched,
            "tiers": outcome.tiers.to_dict("records"),
            "assumed": [one.to_json(context.language) for one in outcome.assumptions],
        },
        "fairness": translate("price.fair", context.language),
        "trust": trust_json(trust, context.language),
        "warnings": not_trusted(trust, options.model, context.language),
    }
