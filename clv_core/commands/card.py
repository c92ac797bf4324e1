"""``card NAME --model ID --customer ID``: what is known and expected of one customer."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.collection.values.id_texts import folded
from clv_core.commands import Context, add_model, day, trust_json
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--customer", type=folded, required=True, help=translate("cli.card.customer", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return the customer's card, when the next order is expected in words, and whether the model may be trusted."""
    from clv_core import pipeline

    card = pipeline.card(
        context.workspace,
        options.name,
        options.model,
        options.customer,
        cutoff=options.cutoff,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    said = card.next_order.message().text(context.language)
    return {
        **card.to_json(),
        "next_order": {**card.next_order.to_json(), "message": said},
        "trust": trust_json(trust, context.language),
    }
