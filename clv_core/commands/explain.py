"""``explain NAME --model ID [--customer ID] --out DIR``: what drives the predictions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.collection.values.id_texts import folded
from clv_core.commands import Context, add_model, day
from clv_core.i18n import translate

STRONGEST = 10


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.explain.out", language))
    parser.add_argument("--customer", type=folded, default=None, help=translate("cli.explain.customer", language))
    parser.add_argument("--sample", type=int, default=300, help=translate("cli.explain.sample", language))
    parser.add_argument("--permutations", type=int, default=2, help=translate("cli.explain.permutations", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Explain, write the tables, and return the strongest parts, or one customer's way to the prediction."""
    from clv_core import pipeline
    from clv_core.deployment.asking import ask
    from clv_core.deployment.bundle import open_bundle
    from clv_core.evaluation.explain.store import waterfall_json

    found = pipeline.explain(
        context.workspace,
        options.name,
        options.model,
        options.out,
        customer=options.customer,
        sample=options.sample,
        permutations=options.permutations,
        cutoff=options.cutoff,
        progress=context.progress,
    )
    value = found.value
    result = {
        "out": str(options.out),
        "model": options.model,
        "customers": len(value.customer_ids),
        "base": value.base,
        "residual": max(one.residual for one in found.answers.values()),
    }
    if options.customer is not None:
        asking = ask(open_bundle(context.workspace, options.model), options.out)
        events = asking.events(options.customer).to_json() if asking.reads_events else None
        return {**result, **waterfall_json(value, options.customer), "events": events}
    return {
        **result,
        "importance": value.importance().head(STRONGEST).to_dict("records"),
        "answers": {
            answer: {"base": one.base, "importance": one.importance().head(STRONGEST).to_dict("records")}
            for answer, one in found.answers.items()
        },
        "faithfulness": {answer: one.to_json() for answer, one in (found.faithfulness or {}).items()},
        "stability": {answer: one.to_json() for answer, one in (found.stability or {}).items()},
    }
