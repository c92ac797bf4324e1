"""``erase ID... [--file ids.txt] [--dataset NAME]``: customers gone for good, with a certificate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.commands import Context
from clv_core.errors import Message, NotFound
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("customer", nargs="*", metavar="ID", help=translate("cli.erase.id", language))
    parser.add_argument("--file", type=Path, default=None, help=translate("cli.erase.file", language))
    parser.add_argument("--dataset", default="", help=translate("cli.erase.dataset", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Erase and return counts, models that learned from the customers, what remains, and the certificate.

    Raises:
        NotFound: none of the ids is in any dataset or file. They are kept out of new files all the same, and the
            certificate, which is in the error's ``result``, says so.
    """
    from clv_core.erasing.certificate import FOLDER, markdown_path
    from clv_core.erasing.erase import erase
    from clv_core.strategy.contacts.suppress_file import read_entries, words_of

    ids = [*options.customer, *(sorted(words_of(read_entries(options.file, exact=True))) if options.file else ())]
    told = erase(context.workspace, ids, dataset=options.dataset, source=options.file, progress=context.progress)
    found = sum(told.customers.values())
    missing = len(told.customers) - found
    warned = Message("warning.erase_not_found", {"missing": missing, "asked": len(told.customers)})
    result = {
        "certificate": str(context.workspace.root / FOLDER / f"{told.id}.json"),
        "certificate_text": str(markdown_path(context.workspace, told.id, context.language)),
        "customers": len(told.customers),
        "found": found,
        "not_found": missing,
        "datasets": told.datasets,
        "removed": {**told.removed, "exports": len(told.exports)},
        "files": told.files,
        "models": told.models,
        "retrain": [one["model"] for one in told.learned],
        "remains": told.remains,
        "unsure": told.unsure,
        "warnings": [warned.to_json(context.language)] if missing else [],
    }
    touched = (told.datasets, told.exports, told.files, told.models, told.remains, told.removed.get("jobs"))
    if not found and not any(touched):
        error = NotFound("erase_not_found", asked=len(told.customers), certificate=result["certificate_text"])
        error.result = result
        raise error
    return result
