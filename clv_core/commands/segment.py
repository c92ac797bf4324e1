"""``segment NAME --model ID --scheme S --out FILE``: cut scored customers into value tiers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from clv_core.commands import Context, day, not_trusted, trust_json
from clv_core.errors import UsageError
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--model", required=True, help=translate("cli.option.model", language))
    parser.add_argument("--scheme", default="quantile", help=translate("cli.segment.scheme", language))
    parser.add_argument("--segment", action="append", default=[], help=translate("cli.segment.segment", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.segment.out", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Cut, write the list, and return one record a tier of all customers.

    Sums come with their 80% interval; null where no past origin says how far off sums of this model are.
    """
    from clv_core import pipeline
    from clv_core.strategy.conditions import Condition
    from clv_core.strategy.lists import ENDINGS
    from clv_core.strategy.tiers import Scheme

    scheme, conditions = Scheme.parse(options.scheme), [Condition.parse(text) for text in options.segment]
    if options.out.suffix not in ENDINGS:
        raise UsageError("segment_out", path=options.out.name, endings=", ".join(ENDINGS))
    made, tiers, total = pipeline.segment(
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
        "customers": int(tiers["customers"].sum()),
        "tiers": _records(tiers),
        "trust": trust_json(trust, context.language),
        "warnings": not_trusted(trust, options.model, context.language),
    }


def _records(tiers: pd.DataFrame) -> list[dict[str, Any]]:
    """The table as JSON types: days as ISO dates, null for what an empty tier has not."""
    days = tiers.assign(last_purchase_median=tiers["last_purchase_median"].dt.strftime("%Y-%m-%d"))
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()} for row in days.to_dict("records")
    ]
