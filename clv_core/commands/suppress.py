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
    from clv_core.strategy.contacts_file import read_suppressed

    words = sorted({*options.customer, *(read_suppressed(options.file) if options.file else ())})
    people = StopList.of(context.workspace)
    changed = 0
    if options.action != "list":
        if not words:
            raise UsageError("suppress_nobody")
        changed = people.add(words) if options.action == "add" else people.remove(words)
        audit.note(context.workspace, f"suppress {options.action}", customers=changed)
    entries = people.entries()
    shown = [{key: entry[key] for key in ("at", "who")} for entry in entries] if options.action == "list" else []
    return {"action": options.action, "changed": changed, "suppressed": len(entries), "entries": shown}
