"""The command ``source``: from where a shop's log is read again and again."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Final

from clv_core import audit
from clv_core.collection.sources import (
    APPEND,
    KINDS,
    REPLACE,
    Source,
    add_source,
    change_source,
    changes_of,
    list_sources,
    load_source,
    load_state,
    remove_source,
    update_source,
)
from clv_core.commands import Answer, Context, error_json, whole_number
from clv_core.commands.ingestion import READING, accounting, loaded, reading_options
from clv_core.commands.parser import command, option
from clv_core.errors import NeedsAnswer, UsageError

NAME = option("name", "cli.source.name")
FIELDS: Final = (
    *("kind", "where", "what", "dataset", "grows", "time_column", "order_column", "look_back_days"),
    *("secret", "ca", "tls"),
)
"""Options of ``source add`` that are fields of a source."""


@command(
    "source add",
    NAME,
    option("--kind", "cli.source.kind", choices=list(KINDS)),
    option("--from", "cli.source.from", dest="where", metavar="ADDRESS"),
    option("--what", "cli.source.what", metavar="TABLE|SELECT|PATTERN"),
    option("--dataset", "cli.source.dataset", metavar="NAME"),
    option("--grows", "cli.source.grows", choices=(APPEND, REPLACE)),
    option("--time-column", "cli.source.time_column", metavar="COLUMN"),
    option("--order-column", "cli.source.order_column", metavar="COLUMN|none"),
    option("--look-back", "cli.source.look_back", dest="look_back_days", type=whole_number(0), metavar="DAYS"),
    option("--secret", "cli.source.secret", metavar="REFERENCE"),
    option("--ca", "cli.source.ca", metavar="FILE"),
    option("--no-tls", "cli.source.no_tls", dest="tls", action="store_false", default=None),
    option("--change", "cli.source.change", action="store_true"),
    *READING,
)
def run_source_add(options: argparse.Namespace, context: Context) -> Answer:
    """Save a source, and return warnings of rights of its role beyond reading; no rows are fetched yet.

    An existing source of that name gets the options that are given, once what changes has been shown.

    Raises:
        NeedsAnswer: no column has the number of the order; or the source exists, and ``--change`` was not given.
    """
    from clv_core.preprocessing import note_role, said_of, with_order_column

    given = {key: value for key in FIELDS if (value := getattr(options, key)) is not None}
    answers = _given_answers(options)
    before = next((saved for saved in list_sources(context.workspace) if saved.name == options.name), None)
    if before is None:
        if missing := [word for word, key in (("--kind", "kind"), ("--from", "where")) if key not in given]:
            raise UsageError("source_needs", name=options.name, missing=missing)
        source = with_order_column(
            _checked(Source(options.name, **{"dataset": options.name, **given}, answers=answers))
        )
        add_source(context.workspace, source)
        changed: Answer = {}
    else:
        after = replace(before, **given)
        source = _checked(said_of(after, **answers) if answers else after)
        changed = {key: list(values) for key, values in changes_of(before, source).items()}
        if changed and not options.change:
            words = [f"{key}: {old} -> {new}" for key, (old, new) in changed.items()]
            raise NeedsAnswer("source_changes", name=source.name, changes=words)
        change_source(context.workspace, source)
    audit.note(context.workspace, "source add", source=source.name, dataset=source.dataset, outcome="done")
    warnings = [message.to_json(context.language) for message in note_role(context.workspace, source)]
    return {**_shown(source), **({} if before is None else {"changed": changed}), "warnings": warnings}


def _checked(source: Source) -> Source:
    source.check()
    return source


@command("source test", NAME)
def run_source_test(options: argparse.Namespace, context: Context) -> Answer:
    """Connect, fetch one row or the newest file, and return the columns and files, and what its role may do."""
    from clv_core.preprocessing import columns, note_role

    source = load_source(context.workspace, options.name)
    column_names, files = columns(source)
    warnings = [message.to_json(context.language) for message in note_role(context.workspace, source)]
    return {"source": options.name, "columns": column_names, "files": files, "warnings": warnings}


@command("source preview", NAME)
def run_source_preview(options: argparse.Namespace, context: Context) -> Answer:
    """Return how the first rows would be read; nothing is stored."""
    from clv_core.preprocessing import check_sample, sample
    from clv_core.scratch import temporary_folder

    source = load_source(context.workspace, options.name)
    with temporary_folder("clv-source-") as folder:
        checked = check_sample(context.workspace, source, sample(source, folder, context.progress))
    shown = checked.first_rows.head(5)
    rows = shown.astype(str).astype(object).where(shown.notna(), None).to_dict("records")
    warnings = [message.to_json(context.language) for message in checked.warnings]
    return {
        "source": options.name,
        **checked.accounting,
        "mapping": checked.manifest.mapping,
        "first_rows": rows,
        "warnings": warnings,
    }


@command("source run", NAME, option("--all", "cli.source.all", dest="everything", action="store_true"), *READING)
def run_source_run(options: argparse.Namespace, context: Context) -> Answer:
    """Read what is new into the dataset; reading options are saved with the source.

    Returns the accounting of the dataset, and in ``loaded`` that of the run, whose warnings it has.

    Raises:
        UsageError: a ``--map``, ``--event`` or ``--state`` without its equals sign, or a state that there is not.
    """
    from clv_core.preprocessing import said_of
    from clv_core.preprocessing.refresh import refresh

    if answers := _given_answers(options):
        update_source(context.workspace, said_of(load_source(context.workspace, options.name), **answers))
    done = refresh(context.workspace, options.name, everything=options.everything, progress=context.progress)
    counts = {"rows_fetched": done.rows, "rows_new": done.new_rows, "files": list(done.files), "seconds": done.seconds}
    counts["reconciled"] = done.reconciled.to_json() if done.reconciled else {}
    warnings = [message.to_json(context.language) for message in (*done.reading_warnings, *done.warnings)]
    totals = accounting(done.manifest, context.language)
    return {"source": options.name, **counts, **totals, "loaded": loaded(done.parts), "warnings": warnings}


@command("source list")
def run_source_list(options: argparse.Namespace, context: Context) -> Answer:
    """Return all sources, and how the last run of each ended."""
    sources = []
    for source in list_sources(context.workspace):
        state = load_state(context.workspace, source.name)
        error = state.error and error_json(state.error, context.language)
        sources.append({**_shown(source), "refreshed": state.refreshed, "rows_new": state.new_rows, "error": error})
    return {"sources": sources}


@command("source remove", NAME)
def run_source_remove(options: argparse.Namespace, context: Context) -> Answer:
    """Remove the source; its dataset stays."""
    remove_source(context.workspace, options.name)
    audit.note(context.workspace, "source remove", source=options.name, outcome="done")
    return {"removed": options.name}


def _given_answers(options: argparse.Namespace) -> Answer:
    return {key: value for key, value in reading_options(options).items() if value not in (None, "", {})}


def _shown(source: Source) -> Answer:
    fields = (
        *("name", "kind", "host", "what", "dataset", "grows", "time_column", "order_column", "look_back_days"),
        *("secret", "tls"),
    )
    return {name: getattr(source, name) for name in fields}
