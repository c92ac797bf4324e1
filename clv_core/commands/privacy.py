"""Commands on privacy: erase customers, and the list of customers who may not be contacted."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core import audit
from clv_core.collection.privacy.stoplist import StopList
from clv_core.commands import Context
from clv_core.commands.parser import command, option
from clv_core.errors import Message, NotFound, UsageError


@command(
    "erase",
    option("customer", "cli.erase.id", nargs="*", metavar="ID"),
    option("--file", "cli.erase.file", type=Path),
    option("--dataset", "cli.erase.dataset", default=""),
)
def run_erase(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Erase and return counts, models that learned from the customers, what remains, and the certificate.

    Raises:
        NotFound: none of the ids is in any dataset or file. New files leave them out all the same, as the
            certificate in the error's ``result`` records.
    """
    from clv_core.erasing.certificate import FOLDER, markdown_path
    from clv_core.erasing.erase import erase
    from clv_core.strategy.audiences.suppression_file import read_entries, words_of

    ids = [*options.customer, *(sorted(words_of(read_entries(options.file, exact=True))) if options.file else ())]
    certificate = erase(context.workspace, ids, dataset=options.dataset, source=options.file, progress=context.progress)
    erased = sum(certificate.customers.values())
    missing = len(certificate.customers) - erased
    warned = Message("warning.erase_not_found", {"missing": missing, "asked": len(certificate.customers)})
    result = {
        "certificate": str(context.workspace.root / FOLDER / f"{certificate.id}.json"),
        "certificate_text": str(markdown_path(context.workspace, certificate.id, context.language)),
        "customers": len(certificate.customers),
        "found": erased,
        "not_found": missing,
        "datasets": certificate.datasets,
        "removed": {**certificate.removed, "exports": len(certificate.exports)},
        "files": certificate.files,
        "models": certificate.models,
        "retrain": [one["model"] for one in certificate.learned],
        "remains": certificate.remains,
        "unsure": certificate.unsure,
        "warnings": [warned.to_json(context.language)] if missing else [],
    }
    touched = (
        certificate.datasets,
        certificate.exports,
        certificate.files,
        certificate.models,
        certificate.remains,
        certificate.removed.get("jobs"),
    )
    if not erased and not any(touched):
        error = NotFound("erase_not_found", asked=len(certificate.customers), certificate=result["certificate_text"])
        error.result = result
        raise error
    return result


@command(
    "suppress",
    option("action", "cli.suppress.action", choices=("add", "list", "remove")),
    option("customer", "cli.suppress.id", nargs="*", metavar="ID"),
    option("--file", "cli.suppress.file", type=Path),
)
def run_suppress(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Change the list, and return how many are on it, when each was added and by whom; it names nobody."""
    from clv_core.collection.stored.store import list_datasets
    from clv_core.strategy.audiences.suppression_file import entries_of, matches, read_entries, words_of

    entries = (*entries_of("\n".join(options.customer)), *(read_entries(options.file) if options.file else ()))
    words = sorted(words_of(entries))
    people = StopList.of(context.workspace)
    changed = 0
    matched: dict[str, Any] = {}
    if options.action != "list":
        if not words:
            raise UsageError("suppress_nobody")
        changed = people.add(words) if options.action == "add" else people.remove(words)
        audit.note(context.workspace, f"suppress {options.action}", customers=changed)
    if options.action == "add":
        customers = matches(context.workspace, entries, list_datasets(context.workspace))
        matched = {"matches": customers.to_json(), "warnings": [customers.message.to_json(context.language)]}
    listed = people.entries()
    shown = [{key: entry[key] for key in ("at", "who")} for entry in listed] if options.action == "list" else []
    return {"action": options.action, "changed": changed, "suppressed": len(listed), "entries": shown, **matched}
