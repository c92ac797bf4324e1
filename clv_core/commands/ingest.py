"""``ingest FILE... --name NAME``: event logs become a dataset, or join one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clv_core.collection.append import saved_answers
from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.money.discounts import DISCOUNTS
from clv_core.collection.mapping.money.minor_units import UNITS
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.collection.values.id_texts import SIMILAR_IDS
from clv_core.collection.words.state_words import MEANINGS
from clv_core.commands import Context
from clv_core.errors import Message, Refused, UsageError
from clv_core.i18n import translate
from clv_core.preprocessing.append import append


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's options."""
    parser.add_argument("file", type=Path, nargs="+", help=translate("cli.ingest.files", language))
    parser.add_argument("--name", required=True, help=translate("cli.ingest.name", language))
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--append", action="store_true", help=translate("cli.ingest.append", language))
    known.add_argument("--remembered", action="store_true", help=translate("cli.ingest.remembered", language))
    parser.add_argument("--pseudonymise", action="store_true", help=translate("cli.ingest.pseudonymise", language))
    add_reading_arguments(parser, language)


def add_reading_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare how a file is to be read: what :class:`~clv_core.collection.mapping.answers.Answers` holds."""

    def text(option: str) -> str:
        return translate(f"cli.ingest.{option}", language)

    parser.add_argument("--map", action="append", default=[], metavar="CANONICAL=SOURCE", help=text("map"))
    parser.add_argument("--event", action="append", default=[], metavar="NAME=TYPE", help=text("event"))
    parser.add_argument("--state", action="append", default=[], metavar="WORD=MEANING", help=text("state"))
    parser.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), default=None, help=text("date_order"))
    parser.add_argument("--decimal", choices=("point", "comma"), default=None, help=text("decimal"))
    parser.add_argument("--amount-unit", choices=UNITS, default=None, help=text("amount_unit"))
    parser.add_argument("--discount", choices=DISCOUNTS, default=None, help=text("discount"))
    parser.add_argument("--sign", choices=("positive", "negative"), default=None, help=text("sign"))
    parser.add_argument("--max-amount", type=float, default=None, metavar="AMOUNT", help=text("max_amount"))
    parser.add_argument("--broken-rows", choices=("reject",), default=None, help=text("broken_rows"))
    parser.add_argument("--overlap", choices=("replace", "add"), default=None, help=text("overlap"))
    parser.add_argument("--similar-ids", choices=SIMILAR_IDS, default=None, help=text("similar_ids"))
    parser.add_argument("--header", action=argparse.BooleanOptionalAction, default=None, help=text("header"))
    parser.add_argument("--encoding", default="", metavar="NAME", help=text("encoding"))
    parser.add_argument("--sheet", default="", metavar="NAME", help=text("sheet"))
    parser.add_argument("--timezone", default=None, help=text("timezone"))
    parser.add_argument("--currency", default="", help=text("currency"))
    repeated = parser.add_mutually_exclusive_group()
    repeated.add_argument("--keep-duplicates", dest="duplicates", action="store_const", const="keep", help=text("keep"))
    repeated.add_argument("--drop-duplicates", dest="duplicates", action="store_const", const="drop", help=text("drop"))


def reading_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return what :func:`add_reading_arguments` declared, as :func:`~clv_core.collection.ingest.ingest` takes it.

    Raises:
        UsageError: a ``--map``, ``--event`` or ``--state`` without its equals sign, or a state that there is not.
    """
    return {
        "mapping": _pairs(options.map, empty=True),
        "events": _pairs(options.event, last=True),
        "states": _states(options.state),
        "decimal": options.decimal,
        "header": options.header,
        "date_order": options.date_order,
        "currency": options.currency,
        "duplicates": options.duplicates,
        "encoding": options.encoding,
        "sheet": options.sheet,
        "amount_unit": options.amount_unit,
        "discount": options.discount,
        "sign": options.sign,
        "max_amount": options.max_amount,
        "broken_rows": options.broken_rows,
        "overlap": options.overlap,
        "similar_ids": options.similar_ids,
        **({"timezone": options.timezone} if options.timezone else {}),
    }


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Read the files and return the accounting, in the shape of design section 4.

    What joined a dataset is warned of by itself: what was said of earlier files stands with the dataset (``datasets``).

    Raises:
        UsageError: a ``--map``, ``--event`` or ``--state`` without its equals sign, or a state that there is not.
    """
    if options.append:
        before = open_dataset(context.workspace, options.name).manifest.messages
        made = _append(options, context)
        new = [message.to_json(context.language) for message in _without(made.messages, before)]
        return {**accounting(made, context.language), "warnings": new}
    manifest = ingest(
        context.workspace,
        options.file,
        options.name,
        **reading_options(options),
        remembered=options.remembered,
        pseudonymise=options.pseudonymise,
        progress=context.progress,
    )
    return accounting(manifest, context.language)


def accounting(manifest: Manifest, language: str) -> dict[str, Any]:
    """Return what became of every row of a dataset, and what it amounts to."""
    return {
        "dataset": manifest.name,
        "version": manifest.version,
        "rows_read": manifest.rows_read,
        "rows_kept": manifest.rows_kept,
        "rows_set_aside": manifest.rows_set_aside,
        "rows_duplicate": manifest.rows_duplicate,
        "rows_overlap": sum(part["rows_overlap"] for part in manifest.parts),
        "parts": manifest.parts,
        "customers": manifest.customers,
        "purchases": manifest.purchases,
        "first_event": manifest.first_event,
        "last_event": manifest.last_event,
        "log_end": manifest.log_end,
        "net_revenue": manifest.net_revenue,
        "warnings": [message.to_json(language) for message in manifest.messages],
    }


def _append(options: argparse.Namespace, context: Context) -> Manifest:
    """Append with what was said about the dataset's file, save where the command says otherwise."""
    dataset = open_dataset(context.workspace, options.name)
    if options.pseudonymise and not dataset.manifest.pseudonymised:
        raise Refused("append_readable", name=dataset.name)
    said = {key: value for key, value in reading_options(options).items() if value}
    if options.header is not None:
        said["header"] = options.header
    saved = saved_answers(dataset)
    said |= {key: {**getattr(saved, key), **said[key]} for key in ("events", "states") if key in said}
    answers = replace(saved, **said)
    return append(context.workspace, options.name, options.file, answers=answers, progress=context.progress)


def _without(messages: Sequence[Message], before: Sequence[Message]) -> list[Message]:
    """Return the messages that were not there before; one that came once more is one of them."""
    found = list(messages)
    for message in before:
        if message in found:
            found.remove(message)
    return found


def _states(words: list[str]) -> dict[str, str]:
    """Return word -> meaning.

    Raises:
        UsageError: a meaning that there is not.
    """
    states = {word: meaning.lower() for word, meaning in _pairs(words, last=True).items()}
    for word, meaning in states.items():
        if meaning not in MEANINGS:
            raise UsageError("state_meaning", word=word[:60], meaning=meaning[:60], known=list(MEANINGS))
    return states


def _pairs(words: list[str], *, empty: bool = False, last: bool = False) -> dict[str, str]:
    """Split words at their first equals sign, or at their ``last`` one: names of events may hold one."""
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.rpartition("=") if last else word.partition("=")
        if not equals or not key.strip() or not (value.strip() or empty):
            raise UsageError("map_pair", pair=word)
        pairs[key.strip()] = value.strip()
    return pairs
