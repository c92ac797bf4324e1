"""``suppress add|list|remove``: customers whom no list, plan or look-up may hold."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core import audit
from clv_core.collection.privacy.stoplist import StopList
from clv_core.commands import Context
from clv_core.errors import UsageError
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("action", choices=("add", "list", "remove"), help=translate("cli.suppress.action", language))
    parser.add_argument("customer", nargs="*", metavar="ID", help=translate("cli.suppress.id", language))
    parser.add_argument("--file", type=Path, default=None, help=translate("cli.suppress.file", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Change the list, and return how many are on it, when each was added and by whom; it names nobody."""
    from clv_core.collection.stored.store import list_datasets
    from clv_core.strategy.contacts.suppress_file import entries_of, read_entries, words_of
    from clv_core.strategy.exports.suppress_match import matches

    entries = (*entries_of("\n".join(options.customer)), *(read_entries(options.file) if options.file else ()))
    words = sorted(words_of(entries))
    people = StopList.of(context.workspace)
    changed = 0
    found: dict[str, Any] = {}
    if options.action != "list":
        if not words:
            raise UsageError("suppress_nobody")
        changed = people.add(words) if options.action == "add" else people.remove(words)
        audit.note(context.workspace, f"suppress {options.action}", customers=changed)
    if options.action == "add":
        known = matches(context.workspace, entries, list_datasets(context.workspace))
        found = {"matches": known.to_json(), "warnings": [known.message.to_json(context.language)]}
    listed = people.entries()
    shown = [{key: entry[key] for key in ("at", "who")} for entry in listed] if options.action == "list" else []
    return {"action": options.action, "changed": changed, "suppressed": len(listed), "entries": shown, **found}
