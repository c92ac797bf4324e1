"""``segment NAME --model ID --scheme S --out FILE``: put scored customers into value tiers, or other segments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from clv_core.commands import Context, add_model, day, not_trusted, trust_json
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--scheme", default="quantile", help=translate("cli.segment.scheme", language))
    parser.add_argument("--segment", action="append", default=[], help=translate("cli.segment.segment", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.segment.out", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Cut, write the list, and return one record a tier, or a segment, of all customers.

    Sums come with their 80% interval; null where no past origin says how far off sums of this model are.
    """
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.strategy.exports.files import check_ending
    from clv_core.strategy.schemes.parse import asked

    scheme, conditions = asked(options.scheme, options.segment, open_dataset(context.workspace, options.name))
    check_ending(options.out)
    made, rows, total, customers = pipeline.segment(
        context.workspace,
        options.name,
        options.model,
        options.out,
        scheme=scheme,
        conditions=conditions,
        cutoff=options.cutoff,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    return {
        "out": str(options.out),
        "side_file": str(made.side_file),
        "model": options.model,
        "scheme": str(scheme),
        "rows": made.rows,
        "value_sum": total.value,
        "value_sum_low": total.low,
        "value_sum_high": total.high,
        "past_origins": total.origins,
        "customers": customers,
        "tiers" if "tier" in rows else "segments": _records(rows),
        "trust": trust_json(trust, context.language),
        "warnings": not_trusted(trust, options.model, context.language),
    }


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The table as JSON types: days as ISO dates, null for what an empty tier has not."""
    days = rows.assign(last_purchase_median=rows["last_purchase_median"].dt.strftime("%Y-%m-%d"))
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()} for row in days.to_dict("records")
    ]
