"""Commands on privacy: erase customers, what is held of one, and the list of those who must not be contacted."""

from __future__ import annotations

import argparse
from pathlib import Path

from clv_core import audit
from clv_core.collection.privacy import SuppressionList
from clv_core.commands import Answer, Context
from clv_core.commands.parser import command, option
from clv_core.errors import Message, NotFound, UsageError
from clv_core.i18n import LANGUAGES


@command(
    "erase",
    option("customer", "cli.erase.id", nargs="*", metavar="ID"),
    option("--file", "cli.erase.file", type=Path),
    option("--dataset", "cli.erase.dataset", default=""),
)
def run_erase(options: argparse.Namespace, context: Context) -> Answer:
    """Erase and return counts, models that learned from the customers, what remains, and the certificate.

    Raises:
        NotFound: none of the ids is in any dataset or file. They are excluded from new files all the same; the error's
            ``result`` has the certificate.
    """
    from clv_core.erasure import FOLDER, markdown_path
    from clv_core.erasure.erase import erase
    from clv_core.strategy.audiences import read_entries, words_of

    ids = [*options.customer, *(sorted(words_of(read_entries(options.file, exact=True))) if options.file else ())]
    done = erase(context.workspace, ids, dataset=options.dataset, source=options.file, progress=context.progress)
    customers, in_dataset = len(done.customers), sum(done.customers.values())
    missing = customers - in_dataset
    warning = Message("warning.erase_not_found", {"missing": missing, "asked": customers})
    result = {
        "certificate": str(context.workspace.root / FOLDER / f"{done.id}.json"),
        "certificate_text": str(markdown_path(context.workspace, done.id, context.language)),
        "customers": customers,
        "found": in_dataset,
        "not_found": missing,
        "datasets": [record.to_json() for record in done.datasets],
        "removed": {**done.removed, "exports": len(done.exports)},
        "files": done.files,
        "models": [record.to_json() for record in done.models],
        "retrain": [record.model for record in done.learned],
        "remains": [record.to_json() for record in done.remains],
        "unsure": [record.to_json() for record in done.unsure],
        "warnings": [warning.to_json(context.language)] if missing else [],
    }
    touched = (done.datasets, done.exports, done.files, done.models, done.remains, done.removed.get("jobs"))
    if not in_dataset and not any(touched):
        error = NotFound("erase_not_found", asked=customers, certificate=result["certificate_text"])
        error.result = result
        raise error
    return result


@command(
    "person export",
    option("customer", "cli.person.export.id", metavar="ID"),
    option("--out", "cli.person.export.out", type=Path),
)
def run_person_export(options: argparse.Namespace, context: Context) -> Answer:
    """Write what is held of a customer as JSON and as a page in each language; return the files and counts.

    Raises:
        NotFound: nothing is held; of an erased customer the error names the certificate.
    """
    from clv_core.erasure import make_person_file, write_person_file

    found = make_person_file(context.workspace, options.customer, context.progress)
    folder = options.out or context.workspace.exports
    files = write_person_file(found, folder, list(LANGUAGES), context.language)
    facts = found.facts
    return {
        "json": str(files[0]),
        "pages": [str(path) for path in files[1:]],
        "datasets": len(found.datasets),
        "events": sum(len(dataset["events"]) for dataset in facts["datasets"]),
        "objected": facts["objected"],
        "do_not_contact": facts["do_not_contact"],
        **{name: len(facts[name]) for name in ("exports", "pushes", "lists_without_a_file", "places")},
        "erasures": facts["erasures"],
    }


@command(
    "suppress",
    option("action", "cli.suppress.action", choices=("add", "list", "remove")),
    option("customer", "cli.suppress.id", nargs="*", metavar="ID"),
    option("--file", "cli.suppress.file", type=Path),
)
def run_suppress(options: argparse.Namespace, context: Context) -> Answer:
    """Change the list, and return how many are on it, when each was added and by whom; it names nobody."""
    from clv_core.collection.store import list_datasets
    from clv_core.strategy.audiences import entries_of, matches, read_entries, words_of

    entries = (*entries_of("\n".join(options.customer)), *(read_entries(options.file) if options.file else ()))
    words = sorted(words_of(entries))
    people = SuppressionList.of(context.workspace)
    changed = 0
    added: Answer = {}
    if options.action != "list":
        if not words:
            raise UsageError("suppress_nobody")
        changed = people.add(words) if options.action == "add" else people.remove(words)
        audit.note(context.workspace, f"suppress {options.action}", customers=changed)
    if options.action == "add":
        people_matched = matches(context.workspace, entries, list_datasets(context.workspace))
        added = {"matches": people_matched.to_json(), "warnings": [people_matched.message.to_json(context.language)]}
    listed = people.entries()
    shown = [{key: entry[key] for key in ("at", "who")} for entry in listed] if options.action == "list" else []
    return {"action": options.action, "changed": changed, "suppressed": len(listed), "entries": shown, **added}
