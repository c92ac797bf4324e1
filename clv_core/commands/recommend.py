"""``recommend NAME --model ID [--out FILE] [--top 10] [--without-bought]``: which products for which customer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.commands import Context, add_model, not_trusted, trust_json, written_json
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--out", type=Path, default=None, help=translate("cli.recommend.out", language))
    parser.add_argument("--top", type=int, default=10, help=translate("cli.recommend.top", language))
    parser.add_argument("--without-bought", action="store_true", help=translate("cli.recommend.without", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Recommend, write the list, and return how good the recommendations were in the last month."""
    from clv_core import pipeline
    from clv_core.strategy.recommend.stored_recommendations import assumption

    made, kept = pipeline.recommend(
        context.workspace,
        options.name,
        options.model,
        options.out,
        top=options.top,
        without_bought=options.without_bought,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    return {
        **written_json(made),
        "model": options.model,
        "customers": len(kept.customers),
        "products": len(kept.products),
        "without_bought": options.without_bought,
        "measured": kept.record,
        "assumed": [assumption().to_json(context.language)],
        "trust": trust_json(trust, context.language),
        "warnings": not_trusted(trust, options.model, context.language),
    }
