"""The commands, one module each: ``add_arguments(parser, language)`` and ``run(options, context)``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from clv_core.errors import Message
from clv_core.i18n import translate
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.evaluation.trust import Trust
    from clv_core.strategy.exports.export import Exported


@dataclass(frozen=True)
class Context:
    """What every command is given.

    Args:
        workspace: where datasets and models live.
        language: of the messages.
        progress: listener for long runs.
    """

    workspace: Workspace
    language: str
    progress: Progress


def add_model(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare ``--model`` of a trained model; ``run`` is given its bundle's id, whatever word it was asked for by."""
    parser.add_argument("--model", required=True, help=translate("cli.option.model", language))
    parser.set_defaults(trained=True)


def day(text: str) -> date:
    """Read a date of the command line, ``1997-12-31``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid day value: {text!r}") from error


def tell(messages: Iterable[Message], context: Context) -> None:
    """Say messages to who is at the terminal, one a line."""
    for message in messages:
        print(message.text(context.language), file=sys.stderr, flush=True)


def trust_json(trust: Trust, language: str) -> dict[str, Any]:
    """Return ``{verdict, reasons}`` of a model, the reasons as ``{code, params, message}``."""
    return {"verdict": trust.verdict, "reasons": [reason.to_json(language) for reason in trust.reasons]}


def not_trusted(trust: Trust, model: str, language: str) -> list[dict[str, Any]]:
    """Return the warning that a list of customers carries where its model is not trusted, with the main reason."""
    if trust.verdict != "not_trusted":
        return []
    reason = trust.reasons[0].text(language)
    return [Message("warning.not_trusted", {"model": model, "reason": reason}).to_json(language)]


def written_json(made: Exported | None) -> dict[str, Any]:
    """Return ``{out, side_file, rows}`` of a file; None three times where none was asked for."""
    if made is None:
        return {"out": None, "side_file": None, "rows": None}
    return {"out": str(made.files[0]), "side_file": str(made.side_file), "rows": made.rows}


def message_json(coded: dict[str, Any], language: str) -> dict[str, Any]:
    """Return ``{code, params, message}`` of a message kept as ``{code, params}``."""
    return Message(coded["code"], coded["params"]).to_json(language)
