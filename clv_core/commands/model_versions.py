"""``models ACTION ...``: list, compare, promote, archive, delete, export and import versions of models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from clv_core import audit
from clv_core.commands import Answer, Context, trust_json
from clv_core.commands.parser import command, option
from clv_core.deployment.registry import KEEP, Registry
from clv_core.errors import NotFound

NAME: Final = option("name", "cli.models.name")
VERSION: Final = option("version", "cli.models.version")


@command("models list", option("name", "cli.models.name", nargs="?"))
def run_list(options: argparse.Namespace, context: Context) -> Answer:
    """Return the champions and all versions, or those of one name."""
    registry = Registry(context.workspace)
    versions = registry.versions(options.name)
    if options.name and not versions:
        raise NotFound("no_name", name=options.name, known=", ".join(registry.names()) or "-")
    champions = {version.name: version.number for version in versions if version.role == "champion"}
    return {"champions": champions, "versions": [version.to_json() for version in versions]}


@command("models show", NAME, VERSION)
def run_show(options: argparse.Namespace, context: Context) -> Answer:
    """Return the record of a version, with its model card."""
    from clv_core.deployment.registry.model_card import model_card

    registry = Registry(context.workspace)
    version = registry.version(options.name, options.version)
    facts = version.record.to_json()
    return {
        **version.to_json(),
        "sound": registry.sound(version),
        **{name: facts[name] for name in ("config", "baselines", "holdout")},
        "memory": facts.get("memory"),
        "reasons": trust_json(version.trust, context.language)["reasons"],
        "checksums": facts["checksums"],
        "history": registry.history(options.name),
        "card": model_card(version, context.language),
    }


@command("models compare", NAME, VERSION, option("other", "cli.models.version"))
def run_compare(options: argparse.Namespace, context: Context) -> Answer:
    """Return two versions side by side."""
    from clv_core.deployment.registry import compare

    registry = Registry(context.workspace)
    first, second = (registry.version(options.name, which) for which in (options.version, options.other))
    return compare(first, second, (registry.open(first), registry.open(second))).to_json()


@command("models promote", NAME, VERSION)
def run_promote(options: argparse.Namespace, context: Context) -> Answer:
    """Make a version the champion."""
    registry = Registry(context.workspace)
    return registry.promote(options.name, options.version).to_json()


@command("models rollback", NAME)
def run_rollback(options: argparse.Namespace, context: Context) -> Answer:
    """Make the champion before the present one the champion again."""
    registry = Registry(context.workspace)
    return registry.roll_back(options.name).to_json()


@command("models archive", NAME, VERSION, option("--back", "cli.models.back", action="store_true"))
def run_archive(options: argparse.Namespace, context: Context) -> Answer:
    """Archive a version, or take it back."""
    registry = Registry(context.workspace)
    return registry.archive(options.name, options.version, back=options.back).to_json()


@command("models delete", NAME, VERSION, option("--force", "cli.models.force", action="store_true"))
def run_delete(options: argparse.Namespace, context: Context) -> Answer:
    """Delete a version."""
    registry = Registry(context.workspace)
    deleted = registry.delete(options.name, options.version, last=options.force)
    champion = registry.champion(options.name)
    return {"deleted": deleted.to_json(), "champion": champion and champion.number}


@command("models prune", NAME, option("--keep", "cli.models.keep", type=int, default=KEEP))
def run_prune(options: argparse.Namespace, context: Context) -> Answer:
    """Delete all but the newest versions."""
    registry = Registry(context.workspace)
    removed = registry.prune(options.name, keep=options.keep)
    remaining = [version.number for version in registry.versions(options.name)]
    return {"name": options.name, "kept": remaining, "removed": [version.number for version in removed]}


@command(
    "models export",
    NAME,
    VERSION,
    option("--out", "cli.models.out", type=Path, required=True),
    option("--with-holdout", "cli.models.holdout", action="store_true"),
)
def run_export(options: argparse.Namespace, context: Context) -> Answer:
    """Write a version as a zip for another workspace."""
    from clv_core.deployment.model_archive import export_bundle
    from clv_core.deployment.registry import memory_text
    from clv_core.strategy.audiences import log_holdout

    registry = Registry(context.workspace)
    version = registry.version(options.name, options.version)
    files = export_bundle(
        context.workspace, version, options.out, holdout=options.with_holdout, language=context.language
    )
    if options.with_holdout:
        log_holdout(context.workspace, version, options.out)
    memory = {
        "memory": version.record.to_json().get("memory"),
        "memory_text": memory_text(version.record, context.language),
    }
    return {**version.to_json(), "out": str(options.out), "files": files, **memory}


@command(
    "models import",
    option("file", "cli.models.file", type=Path),
    option("--name", "cli.models.dataset", dest="dataset"),
)
def run_import(options: argparse.Namespace, context: Context) -> Answer:
    """Register a version from a zip."""
    from clv_core.deployment.model_archive import import_bundle

    registry = Registry(context.workspace)
    earlier = {version.bundle for version in registry.versions()}
    context.progress.report("importing", 0, 1)
    version = import_bundle(context.workspace, options.file, name=options.dataset)
    context.progress.report("importing", 1, 1)
    audit.note(
        context.workspace,
        "models import",
        dataset=version.name,
        version=version.number,
        model=version.bundle,
        outcome="done",
    )
    return {**version.to_json(), "new": version.bundle not in earlier, "file": str(options.file)}
