"""The command on who objected to profiling."""

from __future__ import annotations

import argparse
from pathlib import Path

from clv_core.commands import Answer, Context
from clv_core.commands.parser import command, option
from clv_core.errors import Message, UsageError


@command(
    "objections",
    option("action", "cli.objections.action", choices=("add", "list", "remove")),
    option("customer", "cli.suppress.id", nargs="*", metavar="ID"),
    option("--file", "cli.suppress.file", type=Path),
)
def run_objections(options: argparse.Namespace, context: Context) -> Answer:
    """Change the list; return how many are on it, in each dataset, and models trained with them; it names nobody."""
    from clv_core.collection.privacy import objection_list
    from clv_core.collection.store import list_datasets
    from clv_core.strategy.audiences import entries_of, matches, read_entries, words_of
    from clv_core.upkeep import change_objections, models_to_retrain, objected_customers

    work, language = context.workspace, context.language
    entries = (*entries_of("\n".join(options.customer)), *(read_entries(options.file) if options.file else ()))
    words = sorted(words_of(entries))
    changed, notes = 0, list[Message]()
    if options.action != "list":
        if not words:
            raise UsageError("suppress_nobody")
        changed, notes = change_objections(work, options.action, words)
    if options.action == "add":
        counts = matches(work, entries, list_datasets(work)).to_json()
        notes = [Message("warning.objections_matched", counts), *notes]
    listed = objection_list(work).entries()
    shown = [{key: entry[key] for key in ("at", "who")} for entry in listed] if options.action == "list" else []
    return {
        "action": options.action,
        "changed": changed,
        "listed": len(listed),
        "entries": shown,
        "datasets": {name: objected.customers for name, objected in objected_customers(work).items()},
        "retrain": [{"model": bundle.id, "customers": learned} for bundle, learned in models_to_retrain(work)],
        "warnings": [note.to_json(language) for note in notes],
    }
