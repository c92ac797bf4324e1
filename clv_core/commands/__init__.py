"""The commands by subject: functions ``(options, context) -> JSON`` with their options, and what they share."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Final

from clv_core.commands.chain_steps import check_steps as check_steps
from clv_core.commands.parser import Answer as Answer
from clv_core.commands.parser import Context as Context
from clv_core.commands.parser import build_parser as build_parser
from clv_core.commands.parser import option
from clv_core.errors import Message, UsageError

if TYPE_CHECKING:
    from clv_core.deployment import Scored
    from clv_core.evaluation import Trust
    from clv_core.strategy.audiences import Exported


def day(text: str) -> date:
    """Read a date of the command line, ``1997-12-31``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid day value: {text!r}") from error


def horizon(text: str) -> int | str:
    """Read a horizon of the command line: a number of days, ``lifetime`` or ``lifetime:8`` (years)."""
    try:
        return text if re.fullmatch(r"lifetime(:[0-9]{1,3})?", text) else int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: 1-3650, lifetime, lifetime:8") from error


def whole_number(low: int) -> Callable[[str], int]:
    """Return a parser of integers that are ``low`` or more."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text!r}: {low}, {low + 1}, {low + 2}, ...")
        return int(text)

    return read


DATASET: Final = option("name", "cli.option.dataset")
MODEL: Final = option("--model", "cli.option.model", required=True)
"""A trained model, by id, role or version; the command gets its bundle's id."""
MODEL_OR_NONE: Final = option("--model", "cli.option.model")
"""The same for a command that also does something without one."""
CUTOFF: Final = option("--cutoff", "cli.explain.cutoff", type=day)
HORIZON_DAYS: Final = option("--horizon-days", "config.horizon_days.help", type=int, required=True)
SEED: Final = option("--seed", "config.seed.help", type=int, default=1)
SETTINGS: Final = option("--set", "cli.train.set", action="append", default=[], metavar="KEY=VALUE")
SCHEME: Final = option("--scheme", "cli.segment.scheme", default="quantile")


def open_scored(options: argparse.Namespace, context: Context) -> Scored:
    """Return the dataset and the model of a command line, as of its cutoff if it has one."""
    from clv_core.deployment import Scored

    return Scored.open(context.workspace, options.name, options.model, getattr(options, "cutoff", None))


def split_pairs(words: Iterable[str], *, allow_empty: bool = False, at_last: bool = False) -> dict[str, str]:
    """Return ``KEY=VALUE`` arguments as a dictionary.

    Args:
        words: split at their first equals sign, or at their last one (``at_last``): names of columns may hold one.
        allow_empty: whether a value may be empty.
        at_last: see ``words``.

    Raises:
        UsageError: one has no equals sign, no key or no value.
    """
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.rpartition("=") if at_last else word.partition("=")
        if not equals or not key.strip() or not (value.strip() or allow_empty):
            raise UsageError("map_pair", pair=word)
        pairs[key.strip()] = value.strip()
    return pairs


def print_messages(messages: Iterable[Message], context: Context) -> None:
    """Print messages on stderr, one a line."""
    for message in messages:
        print(message.text(context.language), file=sys.stderr, flush=True)


def trust_json(trust: Trust, language: str) -> Answer:
    """Return ``{verdict, reasons}`` of a model, the reasons as ``{code, params, message}``."""
    return trust.answer(language)


def trust_and_warnings(scored: Scored, context: Context, notes: Iterable[Message] = ()) -> Answer:
    """Return ``{trust, warnings}`` of a list of scores; a model that is not trusted is the first warning.

    Args:
        scored: model and dataset.
        context: of the command.
        notes: further warnings.
    """
    from clv_core.deployment import distrust_warnings, trust_of

    trust = trust_of(scored.workspace, scored.model)
    distrust = distrust_warnings(scored.model, trust, context.language)
    warnings = [*distrust, *scored.objection_warnings(), *notes]
    return {
        "trust": trust_json(trust, context.language),
        "warnings": [message.to_json(context.language) for message in warnings],
    }


def written_json(made: Exported | None) -> Answer:
    """Return ``{out, side_file, rows}`` of a file; None three times if none was written."""
    if made is None:
        return {"out": None, "side_file": None, "rows": None}
    return {"out": str(made.files[0]), "side_file": str(made.side_file), "rows": made.rows}


def error_json(error: Message, language: str) -> Answer:
    """Return ``{code, params, message}`` of an error that was kept under its own code."""
    return Message(f"error.{error.code}", error.params).to_json(language)
