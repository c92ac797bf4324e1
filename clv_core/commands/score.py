"""``score NAME --model ID --out FILE``: predict every customer, of a dataset or of a folder that Spark reads."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core.commands import Context, add_model, day, tell
from clv_core.errors import Message, UsageError
from clv_core.i18n import translate

if TYPE_CHECKING:
    from clv_core.deployment.terms import Terms


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", nargs="?", help=translate("cli.option.dataset", language))
    add_folder_arguments(parser, language)
    add_model(parser, language)
    parser.add_argument("--out", required=True, help=translate("cli.score.out", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.score.cutoff", language))
    parser.add_argument("--horizon-days", type=horizon, default=None, help=translate("cli.score.horizon", language))
    parser.add_argument("--discount-rate", type=float, default=0.0, help=translate("cli.score.discount", language))
    parser.add_argument("--margin-rate", type=float, default=1.0, help=translate("cli.score.margin", language))


def add_folder_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare where events lie that are no dataset, and who reads them."""
    parser.add_argument("--events", metavar="FOLDER", default=None, help=translate("cli.spark.events", language))
    parser.add_argument("--master", default="local[*]", help=translate("cli.spark.master", language))
    parser.add_argument("--timezone", default=None, help=translate("cli.spark.timezone", language))


def horizon(text: str) -> int | str:
    """Read a horizon of the command line: a number of days, or ``lifetime``."""
    try:
        return text if text == "lifetime" else int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: 1-3650, lifetime") from error


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Score, write the file and what its numbers mean beside it, and return counts and totals.

    Raises:
        UsageError: neither a dataset nor a folder is named, or both are, or the file has an unknown ending.
    """
    if (options.name is None) == (options.events is None):
        raise UsageError("dataset_or_events")
    return _dataset(options, context) if options.events is None else _folder(options, context)


def _dataset(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.terms import Terms
    from clv_core.strategy.exports.export import Exported, Side, log_export

    out = Path(options.out)
    if out.suffix not in (".csv", ".parquet"):
        raise UsageError("bad_out", path=str(out), endings=".csv, .parquet")
    record = open_bundle(context.workspace, options.model).record
    terms = Terms.of(options.horizon_days, record["horizon_days"], options.discount_rate, options.margin_rate)
    customers, total = pipeline.score_file(
        context.workspace, options.name, options.model, out, **_asked(options), progress=context.progress
    )
    if options.cutoff is None and terms.plain(record["horizon_days"]):
        pipeline.keep_history(context.workspace, options.name, options.model)
        pipeline.keep_rhythm(context.workspace, options.name, options.model)
    warnings = pipeline.score_warnings(context.workspace, options.name, options.model, terms, options.cutoff)
    dataset = open_dataset(context.workspace, options.name)
    as_of = options.cutoff or dataset.log_end
    about = {"dataset": dataset.name, "dataset_version": dataset.version, "currency": dataset.manifest.currency}
    said = _said(options, context, terms, as_of, warnings) | {"customers": customers, "predicted_total": total}
    side_file = _beside(out, {**about, **said})
    side = Side(
        dataset.name,
        dataset.version,
        options.model,
        as_of.isoformat(),
        terms.horizon_days,
        dataset.manifest.currency,
        lifetime=terms.lifetime,
        discount_rate=terms.discount_rate,
        margin_rate=terms.margin_rate,
    )
    log_export(context.workspace, Exported((out,), Path(side_file), customers, customers), out.suffix[1:], side)
    return {"out": options.out, "side_file": side_file, **said}


def _folder(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    from clv_core import pipeline
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.timeliness import untimely_scores
    from clv_core.features.spark import REMOTE, Spark

    bundle = open_bundle(context.workspace, options.model)
    with Spark(options.master) as spark:
        found = pipeline.score_folder(
            context.workspace,
            spark,
            options.events,
            options.model,
            options.out,
            timezone=options.timezone,
            **_asked(options),
            progress=context.progress,
        )
    about = {"events": options.events, "timezone": found.timezone, "currency": bundle.record["currency"]}
    warnings = [*found.terms.warnings(bundle.record["horizon_days"]), *untimely_scores(bundle, found.as_of)]
    said = _said(options, context, found.terms, found.as_of, warnings)
    said |= {"customers": found.customers, "predicted_total": found.total}
    side_file = None if REMOTE in options.out else _beside(Path(options.out), {**about, **said})
    return {"out": options.out, "side_file": side_file, **said}


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("cutoff", "horizon_days", "discount_rate", "margin_rate")}


def _said(
    options: argparse.Namespace, context: Context, terms: Terms, as_of: date, warnings: list[Message]
) -> dict[str, Any]:
    tell(warnings, context)
    return {
        "model": options.model,
        "as_of": as_of.isoformat(),
        "horizon_days": terms.horizon_days,
        "lifetime": terms.lifetime,
        "discount_rate": terms.discount_rate,
        "margin_rate": terms.margin_rate,
        "warnings": [message.to_json(context.language) for message in warnings],
    }


def _beside(out: Path, said: dict[str, Any]) -> str:
    """Write what the numbers mean beside them, and return where."""
    from clv_core.workspace import write_json

    side_file = out.with_name(out.name + ".json")
    write_json(side_file, said)
    return str(side_file)
