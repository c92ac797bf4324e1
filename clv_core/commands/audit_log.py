"""Commands on the audit log: its head, whether somebody tampered with it, who looked at a card, and pruning it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, time
from pathlib import Path

from clv_core import audit
from clv_core.audit_chain import Head
from clv_core.commands import Answer, Context, day
from clv_core.commands.parser import command, one_of, option
from clv_core.errors import ClvError


@command("audit head")
def run_audit_head(options: argparse.Namespace, context: Context) -> Answer:
    """Return how many lines the log has had, the hash of the last one, and both as ``verify --head`` takes them."""
    head = audit.head(context.workspace)
    return {"count": head.count, "hash": head.hash, "head": str(head)}


@command(
    "audit verify",
    one_of(
        option("--head", "cli.audit.verify.head", metavar="COUNT:HASH"),
        option("--backup", "cli.audit.verify.backup", type=Path),
    ),
)
def run_audit_verify(options: argparse.Namespace, context: Context) -> Answer:
    """Return the log's head, what was found with its place, and what no check can find.

    Raises:
        ClvError: somebody tampered with the log; what was found is in the error's ``result``.
        UsageError: the head is none.
        Refused: the backup is none.
    """
    from clv_core.upkeep import audit_head

    earlier = Head.parse(options.head) if options.head else None
    if options.backup is not None:
        earlier = audit_head(options.backup)
    checked = audit.verify(context.workspace, earlier)
    messages = {"found": checked.findings, "notes": checked.notes, "cannot_find": checked.limits}
    result: Answer = {
        "head": str(checked.head),
        "compared": None if earlier is None else str(earlier),
        "pruned": checked.checkpoint.count,
        "findings": checked.found,
        **{name: [message.to_json(context.language) for message in some] for name, some in messages.items()},
    }
    if checked.found:
        first = checked.findings[0].text(context.language)
        error = ClvError("audit_tampered", found=checked.found, first=first)
        error.result = result
        raise error
    return result


@command("audit views", option("customer", "cli.audit.views.id", metavar="ID"))
def run_audit_views(options: argparse.Namespace, context: Context) -> Answer:
    """Return who looked at a customer's card and when, the latest first; of an erased customer nothing is known."""
    from clv_core.collection.privacy import card_views

    views = card_views(context.workspace, options.customer)
    facts = ("at", "who", "dataset", "model")
    return {"views": [{fact: view.get(fact) for fact in facts} for view in views]}


@command(
    "audit prune",
    option("--before", "cli.audit.prune.before", type=day, required=True, metavar="DAY"),
    option("--dry-run", "cli.audit.prune.dry", action="store_true"),
)
def run_audit_prune(options: argparse.Namespace, context: Context) -> Answer:
    """Remove the lines from before a day (UTC) and return how many, and the head after it."""
    before = datetime.combine(options.before, time(), UTC)
    removed = audit.prune(context.workspace, before, dry_run=options.dry_run)
    return {"removed": removed, "dry_run": options.dry_run, "head": str(audit.head(context.workspace))}
