"""``keys add|list|revoke``: who may use the API."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core import audit
from clv_core.commands import Context
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("action", choices=("add", "list", "revoke"), help=translate("cli.keys.action", language))
    parser.add_argument("name", nargs="?", default=None, help=translate("cli.keys.name", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Make, list or revoke; a new key is shown this once."""
    from clv_core.deployment.api.auth import add_key, list_keys, revoke_key
    from clv_core.errors import UsageError

    if (options.name is None) != (options.action == "list"):
        raise UsageError("keys_name", action=options.action)
    if options.action == "add":
        key, text = add_key(context.workspace, options.name)
        audit.note(context.workspace, "keys add", key=key.id, outcome="done")
        return {**key.to_json(), "key": text}
    if options.action == "revoke":
        revoked = revoke_key(context.workspace, options.name)
        audit.note(context.workspace, "keys revoke", key=revoked.id, outcome="done")
        return revoked.to_json()
    return {"keys": [key.to_json() for key in list_keys(context.workspace)]}
