"""``models ACTION ...``: versions of models, which one speaks, and bundles in and out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clv_core import audit
from clv_core.commands import Context, trust_json
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.registry import KEEP
from clv_core.errors import NotFound
from clv_core.i18n import LANGUAGES, translate

Run = Callable[[argparse.Namespace, Context, Registry], dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the actions, each with its words."""
    text = translate("cli.models.action", language)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help=text)
    for name, (words, _) in ACTIONS.items():
        text = translate(f"cli.models.{name}", language)
        action = actions.add_parser(name, help=text, description=text)
        for word in words:
            _WORDS[word](action, language)
        unsaid: dict[str, Any] = {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}  # what stands before counts
        action.add_argument("--workspace", type=Path, **unsaid)
        action.add_argument("--lang", choices=sorted(LANGUAGES), **unsaid)
        action.add_argument("--quiet", action="store_true", **unsaid)


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Do one action and return what is there after it."""
    return ACTIONS[options.action][1](options, context, Registry(context.workspace))


def _list(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    found = registry.versions(options.name)
    if options.name and not found:
        raise NotFound("no_name", name=options.name, known=", ".join(registry.names()) or "-")
    champions = {one.name: one.number for one in found if one.role == "champion"}
    return {"champions": champions, "versions": [one.to_json() for one in found]}


def _show(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    from clv_core.deployment.registry.card import model_card

    one = registry.version(options.name, options.version)
    record = one.record
    return {
        **one.to_json(),
        "sound": registry.sound(one),
        "config": record["config"],
        "baselines": record["baselines"],
        "holdout": record["holdout"],
        "reasons": trust_json(one.trust, context.language)["reasons"],
        "checksums": record["checksums"],
        "history": registry.history(options.name),
        "card": model_card(one, context.language),
    }


def _compare(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    from clv_core.deployment.registry.compare import compare

    one, other = (registry.version(options.name, which) for which in (options.version, options.other))
    return compare(one, other, (registry.open(one), registry.open(other))).to_json()


def _promote(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    return registry.promote(options.name, options.version).to_json()


def _rollback(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    return registry.roll_back(options.name).to_json()


def _archive(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    return registry.archive(options.name, options.version, back=options.back).to_json()


def _delete(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    gone = registry.delete(options.name, options.version, last=options.force)
    champion = registry.champion(options.name)
    return {"deleted": gone.to_json(), "champion": champion and champion.number}


def _prune(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    gone = registry.prune(options.name, keep=options.keep)
    kept = [one.number for one in registry.versions(options.name)]
    return {"name": options.name, "kept": kept, "removed": [one.number for one in gone]}


def _export(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    from clv_core.deployment.exchange.exporting import export_bundle
    from clv_core.strategy.exports.past_days import log_holdout

    one = registry.version(options.name, options.version)
    files = export_bundle(context.workspace, one, options.out, holdout=options.with_holdout, language=context.language)
    if options.with_holdout:
        log_holdout(context.workspace, one, options.out)
    return {**one.to_json(), "out": str(options.out), "files": files}


def _import(options: argparse.Namespace, context: Context, registry: Registry) -> dict[str, Any]:
    from clv_core.deployment.exchange.importing import import_bundle

    known = {one.bundle for one in registry.versions()}
    context.progress.report("importing", 0, 1)
    one = import_bundle(context.workspace, options.file, name=options.dataset)
    context.progress.report("importing", 1, 1)
    audit.note(
        context.workspace, "models import", dataset=one.name, version=one.number, model=one.bundle, outcome="done"
    )
    return {**one.to_json(), "new": one.bundle not in known}


def _word(name: str, key: str, **kept: Any) -> Callable[[argparse.ArgumentParser, str], None]:
    def add(action: argparse.ArgumentParser, language: str) -> None:
        action.add_argument(name, help=translate(key, language), **kept)

    return add


_WORDS: Final = {
    "name?": _word("name", "cli.models.name", nargs="?", default=None),
    "name": _word("name", "cli.models.name"),
    "version": _word("version", "cli.models.version"),
    "other": _word("other", "cli.models.version"),
    "file": _word("file", "cli.models.file", type=Path),
    "out": _word("--out", "cli.models.out", type=Path, required=True),
    "holdout": _word("--with-holdout", "cli.models.holdout", action="store_true"),
    "dataset": _word("--name", "cli.models.dataset", dest="dataset", default=None),
    "force": _word("--force", "cli.models.force", action="store_true"),
    "keep": _word("--keep", "cli.models.keep", type=int, default=KEEP),
    "back": _word("--back", "cli.models.back", action="store_true"),
}

ACTIONS: Final[dict[str, tuple[tuple[str, ...], Run]]] = {
    "list": (("name?",), _list),
    "show": (("name", "version"), _show),
    "compare": (("name", "version", "other"), _compare),
    "promote": (("name", "version"), _promote),
    "rollback": (("name",), _rollback),
    "archive": (("name", "version", "back"), _archive),
    "delete": (("name", "version", "force"), _delete),
    "prune": (("name", "keep"), _prune),
    "export": (("name", "version", "out", "holdout"), _export),
    "import": (("file", "dataset"), _import),
}
"""Every action with its words and what it does."""
