"""Commands that prepare a dataset: cleaning rules, the customers table, key figures."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from clv_core.collection.store import Manifest, Roles, open_dataset
from clv_core.commands import DATASET, Answer, Context, day, split_pairs
from clv_core.commands.parser import command, option
from clv_core.errors import UsageError
from clv_core.i18n import translate
from clv_core.preprocessing import Effect, checked, effects, remove_customers
from clv_core.preprocessing.add_customers import add_customers
from clv_core.preprocessing.clean import clean


@command(
    "clean",
    DATASET,
    option("--list", "cli.clean.list", dest="listing", action="store_true"),
    option("--rule", "cli.clean.rule", action="append", default=[], metavar="ID[=LIMIT]"),
)
def run_clean(options: argparse.Namespace, context: Context) -> Answer:
    """Return the effect of every rule (``--list``), or the accounting of the new version.

    Exactly the rules named are on afterwards; none named returns to the version without any.

    Raises:
        UsageError: a limit is no number, or there is no such rule.
        Refused: too little would be left.
    """
    rules = _rules(options.rule)
    if not options.listing:
        return _made(clean(context.workspace, options.name, rules, progress=context.progress), context.language)
    dataset = open_dataset(context.workspace, options.name)
    rule_effects = effects(dataset, context.progress, rules)
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "raw_version": dataset.manifest.raw_version or dataset.version,
        "rules": [_described(item, context.language) for item in rule_effects],
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


def _described(effect: Effect, language: str) -> Answer:
    words = {part: translate(f"clean.{effect.rule}.{part}", language) for part in ("title", "why")}
    return dataclasses.asdict(effect) | {"examples": list(effect.examples)} | words


def _made(manifest: Manifest, language: str) -> Answer:
    rows = (
        "rules",
        "rows_read",
        "rows_kept",
        "rows_set_aside",
        "rows_duplicate",
        "customers",
        "orders",
        "lines",
        "purchases",
        "net_revenue",
    )
    return {
        "dataset": manifest.name,
        "version": manifest.version,
        "raw_version": manifest.raw_version or manifest.version,
        **{name: getattr(manifest, name) for name in rows},
        "net_revenue": manifest.net_revenue,
        "warnings": [message.to_json(language) for message in manifest.messages],
    }


@command(
    "customers",
    option("file", "cli.customers.file", type=Path, nargs="?"),
    option("--dataset", "cli.customers.dataset", required=True),
    option("--id", "cli.customers.id", default="", metavar="COLUMN"),
    option("--static", "cli.customers.static", action="append", default=[], metavar="COLUMN"),
    option("--dated", "cli.customers.dated", action="append", default=[], metavar="COLUMN=DATE_COLUMN"),
    option("--contact", "cli.customers.contact", action="append", default=[], metavar="FIELD=COLUMN"),
    option("--text", "cli.customers.text", action="append", default=[], metavar="COLUMN"),
    option("--accept", "cli.customers.accept", action="append", default=[], metavar="COLUMN"),
    option("--pseudonymise", "cli.customers.pseudonymise", action="store_true"),
    option("--date-order", "cli.customers.date_order", choices=("dmy", "mdy", "ymd")),
    option("--decimal", "cli.customers.decimal", choices=("point", "comma")),
    option("--header", "cli.customers.header", action=argparse.BooleanOptionalAction),
    option("--remove", "cli.customers.remove", action="store_true"),
)
def run_customers(options: argparse.Namespace, context: Context) -> Answer:
    """Return the accounting of the customers table, or the version without it.

    Raises:
        UsageError: a file and ``--remove``, neither, or a pair without its equals sign.
    """
    if options.remove:
        if options.file is not None:
            raise UsageError("customers_remove_with_file")
        dataset = remove_customers(context.workspace, options.dataset)
        return {
            "dataset": dataset.name,
            "version": dataset.version,
            "parent": dataset.parent,
            "removed": True,
        }
    if options.file is None:
        raise UsageError("customers_needs_file")
    roles = Roles(
        customer_id=options.id,
        static=tuple(options.static),
        dated=split_pairs(options.dated, at_last=True),
        contacts=split_pairs(options.contact, allow_empty=True),
        text=tuple(options.text),
        date_order=options.date_order,
        decimal=options.decimal,
        header=options.header,
    )
    manifest = add_customers(
        context.workspace,
        options.dataset,
        options.file,
        roles,
        accept=options.accept,
        pseudonymise=options.pseudonymise,
        progress=context.progress,
    )
    return made(manifest, context.language)


def made(manifest: Manifest, language: str) -> Answer:
    """Return the JSON of a dataset that has a customers table."""
    table = manifest.customers_table
    assert table is not None
    about = table.to_json()
    counts = ("rows_read", "rows", "rows_set_aside", "customers", "matched")
    lists = ("attributes", "contacts", "off", "accepted", "pseudonymised")
    return {
        "dataset": manifest.name,
        "version": manifest.version,
        "parent": manifest.parent,
        **{{"rows": "rows_kept"}.get(key, key): about[key] for key in counts},
        "customers_in_log": manifest.customers,
        **{key: about[key] for key in lists},
        "warnings": [message.to_json(language) for message in table.warnings],
    }


@command(
    "explore",
    DATASET,
    option("--start", "cli.explore.start", type=day),
    option("--end", "cli.explore.end", type=day),
    option("--channel", "cli.explore.channel", action="append", default=[]),
    option("--country", "cli.explore.country", action="append", default=[]),
)
def run_explore(options: argparse.Namespace, context: Context) -> Answer:
    """Sum the log where that has not been done, and return the key figures of the selection."""
    from clv_core.features.explore import (
        FIRST,
        LATER,
        SPANS,
        CubePart,
        Selection,
        back_within,
        build_cube,
        come_back,
        concentration,
        figures,
        funnel,
        gaps,
        keep_answers,
        median_gap,
    )

    cube = build_cube(context.workspace, options.name, context.progress)
    part = CubePart(cube, options.channel, options.country)
    selection = Selection.of(part, options.start, options.end)
    keep_answers(selection)
    spread, waits = concentration(selection), gaps(selection)
    curve = come_back(waits)
    return {
        "dataset": cube.dataset,
        "version": cube.version,
        "currency": cube.currency,
        "start": selection.start.isoformat(),
        "end": selection.end.isoformat(),
        **figures(selection).to_json(),
        "top10_share": spread.top10,
        "gini": spread.gini,
        "median_gap_days": median_gap(waits),
        "back_within": {
            after: {str(days): back_within(curve, after, days) for days in SPANS} for after in (FIRST, LATER)
        },
        "funnel": funnel(selection).to_dict("records"),
    }
