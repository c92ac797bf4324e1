"""``clean NAME``: list what the cleaning rules would change, or make the version in which chosen rules are on."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.commands import Context
from clv_core.errors import UsageError
from clv_core.i18n import translate
from clv_core.preprocessing.clean import Effect, checked, clean, effects


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--list", dest="listing", action="store_true", help=translate("cli.clean.list", language))
    parser.add_argument(
        "--rule", action="append", default=[], metavar="ID[=LIMIT]", help=translate("cli.clean.rule", language)
    )


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return the effect of every rule (``--list``), or the accounting of the new version.

    Exactly the rules named are on afterwards; none named returns to the version without any.

    Raises:
        UsageError: a limit is no number, or a rule is not known.
        Refused: too little would be left.
    """
    rules = _rules(options.rule)
    if not options.listing:
        return _made(clean(context.workspace, options.name, rules, progress=context.progress), context.language)
    dataset = open_dataset(context.workspace, options.name)
    found = effects(dataset, context.progress, rules)
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "raw_version": dataset.manifest.raw_version or dataset.version,
        "rules": [_described(item, context.language) for item in found],
    }


def _rules(words: list[str]) -> dict[str, float | None]:
    rules: dict[str, float | None] = {}
    for word in words:
        key, equals, limit = word.partition("=")
        try:
            rules[key.strip()] = float(limit) if equals else None
        except ValueError as error:
            raise UsageError("clean_limit_number", rule=key[:60], limit=limit[:20]) from error
    return checked(rules) and rules


def _described(effect: Effect, language: str) -> dict[str, Any]:
    words = {part: translate(f"clean.{effect.rule}.{part}", language) for part in ("title", "why")}
    return dataclasses.asdict(effect) | {"examples": list(effect.examples)} | words


def _made(manifest: Manifest, language: str) -> dict[str, Any]:
    return {
        "dataset": manifest.name,
        "version": manifest.version,
        "raw_version": manifest.raw_version or manifest.version,
        "rules": manifest.rules,
        "rows_read": manifest.rows_read,
        "rows_kept": manifest.rows_kept,
        "rows_set_aside": manifest.rows_set_aside,
        "rows_duplicate": manifest.rows_duplicate,
        "customers": manifest.customers,
        "purchases": manifest.purchases,
        "net_revenue": manifest.net_revenue,
        "warnings": [message.to_json(language) for message in manifest.messages],
    }
