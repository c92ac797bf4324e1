"""Commands that predict customers and explain predictions."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clv_core.collection.values.id_texts import folded
from clv_core.commands import CUTOFF, DATASET, MODEL, Context, day, horizon, print_messages, trust_json
from clv_core.commands.parser import command, option
from clv_core.errors import Message, UsageError

if TYPE_CHECKING:
    from clv_core.deployment.terms import Terms

SPARK: Final = (
    option("--events", "cli.spark.events", metavar="FOLDER"),
    option("--master", "cli.spark.master", default="local[*]"),
    option("--timezone", "cli.spark.timezone"),
)
"""Declare where events lie that are no dataset, and who reads them."""

STRONGEST = 10


@command(
    "score",
    option("name", "cli.option.dataset", nargs="?"),
    *SPARK,
    MODEL,
    option("--out", "cli.score.out", required=True),
    option("--cutoff", "cli.score.cutoff", type=day),
    option("--horizon-days", "cli.score.horizon", type=horizon),
    option("--discount-rate", "cli.score.discount", type=float, default=0.0),
    option("--margin-rate", "cli.score.margin", type=float, default=1.0),
)
def run_score(options: argparse.Namespace, context: Context) -> dict[str, Any]:
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
    from clv_core.strategy.audiences.export import Exported, Side, log_export

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
    from clv_core.deployment.scoring_warnings import bundle_staleness_warnings
    from clv_core.deployment.terms import Terms
    from clv_core.features.spark import REMOTE, Spark

    bundle = open_bundle(context.workspace, options.model)
    trained_days = bundle.record["horizon_days"]
    terms = Terms.of(options.horizon_days, trained_days, options.discount_rate, options.margin_rate)
    with Spark(options.master) as spark:
        found = pipeline.score_folder(
            context.workspace,
            spark,
            options.events,
            options.model,
            options.out,
            timezone=options.timezone,
            cutoff=options.cutoff,
            terms=terms,
            progress=context.progress,
        )
    about = {"events": options.events, "timezone": found.timezone, "currency": bundle.record["currency"]}
    warnings = [*terms.warnings(trained_days), *bundle_staleness_warnings(bundle, found.as_of)]
    said = _said(options, context, terms, found.as_of, warnings)
    said |= {"customers": found.customers, "predicted_total": found.total}
    side_file = None if REMOTE in options.out else _beside(Path(options.out), {**about, **said})
    return {"out": options.out, "side_file": side_file, **said}


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("cutoff", "horizon_days", "discount_rate", "margin_rate")}


def _said(
    options: argparse.Namespace, context: Context, terms: Terms, as_of: date, warnings: list[Message]
) -> dict[str, Any]:
    print_messages(warnings, context)
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


@command(
    "explain",
    DATASET,
    MODEL,
    option("--out", "cli.explain.out", type=Path, required=True),
    option("--customer", "cli.explain.customer", type=folded),
    option("--sample", "cli.explain.sample", type=int, default=300),
    option("--permutations", "cli.explain.permutations", type=int, default=2),
    CUTOFF,
)
def run_explain(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Explain, write the tables, and return the strongest parts, or one customer's way to the prediction."""
    from clv_core import pipeline
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.explanation_session import open_session
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
        asking = open_session(open_bundle(context.workspace, options.model), options.out)
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


@command(
    "card",
    DATASET,
    MODEL,
    option("--customer", "cli.card.customer", type=folded, required=True),
    CUTOFF,
)
def run_card(options: argparse.Namespace, context: Context) -> dict[str, Any]:
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


@command(
    "embed",
    DATASET,
    MODEL,
    CUTOFF,
)
def run_embed(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Read the last hidden layers, keep their main directions, and return where and of how many."""
    from clv_core import pipeline

    path, customers = pipeline.embed(
        context.workspace, options.name, options.model, cutoff=options.cutoff, progress=context.progress
    )
    return {"kept": str(path), "model": options.model, "customers": customers}
