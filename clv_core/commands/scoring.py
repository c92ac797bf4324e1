"""Commands that predict customers and explain predictions."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clv_core.collection.parse import folded
from clv_core.commands import (
    CUTOFF,
    DATASET,
    MODEL,
    Answer,
    Context,
    day,
    horizon,
    open_scored,
    print_messages,
    trust_json,
)
from clv_core.commands.parser import command, option
from clv_core.errors import Message, UsageError
from clv_core.i18n import say_count, say_elapsed, say_number

if TYPE_CHECKING:
    from clv_core.deployment import Bundle, Terms
    from clv_core.deployment.shards import Comparison, FolderRequest, MergedScores
    from clv_core.deployment.spark import FolderScores

SPARK: Final = (
    option("--events", "cli.spark.events", metavar="FOLDER"),
    option("--master", "cli.spark.master", default="local[*]"),
    option("--timezone", "cli.spark.timezone"),
)
"""Options of events that are no dataset: where they are, and who reads them."""


def price(text: str) -> float:
    """Read a price of the command line: a number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"invalid float value: {text!r}")
    return value


CORE_HOUR_PRICE: Final = option("--core-hour-price", "cli.score.core_hour_price", type=price)
STRONGEST = 10
"""Feature groups that the result lists; there are 18 in all, and the table on disk has each."""


def check_score(options: argparse.Namespace) -> None:
    """Refuse options of ``score`` that do not go together.

    Raises:
        UsageError: neither a dataset nor a folder is named, or both are; a dataset has no shards and no estimate; only
            an estimate has a price, and only an estimate writes nothing; the file has an unsupported ending.
    """
    if (options.name is None) == (options.events is None):
        raise UsageError("dataset_or_events")
    if options.shard is not None and options.events is None:
        raise UsageError("shard_without_events")
    if options.estimate and options.events is None:
        raise UsageError("estimate_without_events")
    if options.core_hour_price is not None and not options.estimate:
        raise UsageError("price_without_estimate")
    if options.out is None and not options.estimate:
        raise UsageError("score_out")
    if options.events is None and Path(options.out).suffix not in (".csv", ".parquet"):
        raise UsageError("bad_out", path=options.out, endings=".csv, .parquet")


@command(
    "score",
    option("name", "cli.option.dataset", nargs="?"),
    *SPARK,
    option("--shard", "cli.score.shard", metavar="3/16"),
    option("--estimate", "cli.score.estimate", action="store_true"),
    CORE_HOUR_PRICE,
    MODEL,
    option("--out", "cli.score.out"),
    option("--cutoff", "cli.score.cutoff", type=day),
    option("--horizon-days", "cli.score.horizon", type=horizon),
    option("--discount-rate", "cli.score.discount", type=float, default=0.0),
    option("--margin-rate", "cli.score.margin", type=float, default=1.0),
    check=check_score,
)
def run_score(options: argparse.Namespace, context: Context) -> Answer:
    """Score, write the file and its side file, and return counts and totals.

    Raises:
        UsageError: see :func:`check_score`.
    """
    check_score(options)
    if options.estimate:
        return _estimate(options, context)
    if options.shard is not None:
        return _shard(options, context)
    return _dataset(options, context) if options.events is None else _folder(options, context)


def _dataset(options: argparse.Namespace, context: Context) -> Answer:
    from clv_core.deployment import score_file
    from clv_core.strategy import load_history
    from clv_core.strategy.audiences import Exported, log_export, side_of
    from clv_core.strategy.customer import load_rhythm
    from clv_core.strategy.forecast import forecast

    out = Path(options.out)
    scored = open_scored(options, context)
    scored = scored.at_horizon(options.horizon_days, options.discount_rate, options.margin_rate)
    customers, total = score_file(scored, out, progress=context.progress)
    if options.cutoff is None and scored.is_trained:  # pages would have to wait for them
        load_history(scored)
        load_rhythm(scored)
        forecast(scored, context.progress)
    side = replace(side_of(scored), **asdict(scored.terms))
    about = {"dataset": side.dataset, "dataset_version": side.dataset_version, "currency": side.currency}
    result = _result(options.model, context, scored.terms, scored.as_of, scored.warnings())
    objected = scored.dataset.objected.customers
    result |= {"customers": customers, "predicted_total": total, "objected": objected}
    side_file = _write_side_file(out, {**about, **result})
    log_export(context.workspace, Exported((out,), Path(side_file), customers, customers), out.suffix[1:], side)
    return {"out": options.out, "side_file": side_file, **result}


def _folder(options: argparse.Namespace, context: Context) -> Answer:
    from clv_core.deployment import Terms, open_bundle
    from clv_core.deployment.shards import REMOTE
    from clv_core.deployment.spark import LogFolder, Spark, score_folder

    bundle = open_bundle(context.workspace, options.model)
    trained_days = bundle.record.horizon_days
    terms = Terms.of(options.horizon_days, trained_days, options.discount_rate, options.margin_rate)
    with Spark(options.master) as spark:
        scores = score_folder(
            context.workspace,
            LogFolder(spark, options.events, options.timezone),
            options.model,
            options.out,
            cutoff=options.cutoff,
            terms=terms,
            progress=context.progress,
        )
    about = {"events": options.events, "timezone": scores.timezone, "currency": bundle.record.currency}
    result = _folder_result(bundle, terms, scores.as_of, scores, context)
    side_file = None if REMOTE in options.out else _write_side_file(Path(options.out), {**about, **result})
    return {"out": options.out, "side_file": side_file, **result}


def _request(options: argparse.Namespace, context: Context) -> FolderRequest:
    from clv_core.deployment import Terms, open_bundle
    from clv_core.deployment.shards import FolderRequest

    trained_days = open_bundle(context.workspace, options.model).record.horizon_days
    terms = Terms.of(options.horizon_days, trained_days, options.discount_rate, options.margin_rate)
    return FolderRequest(options.events, options.model, options.timezone, options.cutoff, terms)


def _estimate(options: argparse.Namespace, context: Context) -> Answer:
    from clv_core.deployment.shards import Shard, estimate_shards, money

    shards = None if options.shard is None else Shard.parse(options.shard).of
    size, estimate = estimate_shards(context.workspace, _request(options, context), shards)
    cost = money(estimate.core_seconds, options.core_hour_price)
    language = context.language
    params = {
        "events": say_count(size.events, language),
        "customers": say_count(size.customers, language),
        "shards": estimate.shards,
        "time": say_elapsed(estimate.core_seconds, language),
        "memory": say_number(estimate.memory_mb / 1e3, language, 2),
        "disk": say_number(estimate.disk_mb / 1e3, language, 2),
    }
    messages = [Message("shards.estimate", params)]
    if cost is not None:
        params = {"price": f"{options.core_hour_price:g}", "money": say_number(cost, language)}
        messages.append(Message("shards.money", params))
    print_messages(messages, context)
    return {
        "events": options.events,
        "model": options.model,
        "folder": size.to_json(),
        **estimate.to_json(),
        "core_hours": estimate.core_seconds / 3600,
        "money": cost,
        "messages": [message.to_json(language) for message in messages],
    }


def _shard(options: argparse.Namespace, context: Context) -> Answer:
    from clv_core.deployment.shards import Shard, not_ready, score_shard

    shard, request = Shard.parse(options.shard), _request(options, context)
    out, report = Path(options.out), context.progress
    run = score_shard(context.workspace, request, shard, out, progress=report, own_process=True)
    done = Message("shards.progress", {"shards": shard.of, **run.progress})
    print_messages([done], context)
    if run.waits_for and not run.written:
        raise not_ready(run.waits_for, run.round, run.progress, shard.of)
    return {
        "shard": str(shard),
        "out": options.out,
        "model": options.model,
        "written": run.written,
        "done": not run.waits_for,
        "waits_for": {"round": run.round, "shards": run.waits_for} if run.waits_for else None,
        "customers": run.customers,
        "progress": {"shards": shard.of, **run.progress},
        "estimate": run.estimate.to_json(),
        "message": done.text(context.language),
    }


@command(
    "merge",
    option("shards", "cli.merge.shards", type=Path, metavar="DIR"),
    option("--out", "cli.merge.out", required=True, type=Path),
    CORE_HOUR_PRICE,
)
def run_merge(options: argparse.Namespace, context: Context) -> Answer:
    """Write the scores of all shards and their side file, and return counts and totals.

    Raises:
        UsageError: the file has an unsupported ending.
    """
    from clv_core.deployment import open_bundle
    from clv_core.deployment.shards import merge_shards

    if options.out.suffix not in (".csv", ".parquet"):
        raise UsageError("bad_out", path=str(options.out), endings=".csv, .parquet")
    merged = merge_shards(context.workspace, options.shards, options.out, progress=context.progress, own_process=True)
    plan, bundle = merged.plan, open_bundle(context.workspace, merged.plan.model)
    about = {"events": plan.events, "timezone": plan.timezone, "currency": bundle.record.currency}
    result = _folder_result(bundle, plan.terms, plan.as_of, merged, context)
    side_file = _write_side_file(options.out, {**about, **result})
    cost = _compared(merged.cost, options.core_hour_price, context)
    return {"out": str(options.out), "side_file": side_file, "shards": plan.shards, **result, "cost": cost}


def _compared(cost: Comparison, core_hour_price: float | None, context: Context) -> Answer:
    """Return what shards took beside what was estimated, and print it."""
    from clv_core.deployment.shards import money

    language, estimated, taken = context.language, cost.estimated, cost.taken
    params = {"time": say_elapsed(taken.core_seconds, language), "memory": say_number(taken.memory_mb / 1e3, language)}
    messages = [Message("shards.taken", params)]
    prices = {"taken": money(taken.core_seconds, core_hour_price), "estimated": None}
    if estimated is not None:
        prices["estimated"] = money(estimated.core_seconds, core_hour_price)
        messages.append(
            Message(
                "shards.estimated",
                {
                    "time": say_elapsed(estimated.core_seconds, language),
                    "memory": say_number(estimated.memory_mb / 1e3, language),
                },
            )
        )
    if prices["taken"] is not None:
        params = {"price": f"{core_hour_price:g}", "money": say_number(prices["taken"], language)}
        messages.append(Message("shards.money", params))
    if cost.unrecorded:
        messages.append(Message("shards.unrecorded", {"rounds": cost.unrecorded}))
    print_messages(messages, context)
    told = [message.to_json(language) for message in messages]
    return {**cost.to_json(), "money": None if core_hour_price is None else prices, "messages": told}


def _folder_result(
    bundle: Bundle, terms: Terms, as_of: date, scores: FolderScores | MergedScores, context: Context
) -> Answer:
    from clv_core.deployment import bundle_staleness_warnings, gap_warnings, learned_from_objected

    objected = [Message("warning.objected", {"customers": scores.objected})] if scores.objected else []
    if scores.erased:
        objected.append(Message("warning.erased_in_folder", {"customers": scores.erased}))
    if learned := learned_from_objected(context.workspace, bundle):
        objected.append(Message("warning.learned_from_objected", {"customers": learned}))
    assumed, stale = terms.warnings(bundle.record.horizon_days), bundle_staleness_warnings(bundle, as_of)
    warnings = [*objected, *assumed, *stale, *gap_warnings(bundle.record.train_config, scores.gaps)]
    result = _result(bundle.id, context, terms, as_of, warnings)
    return result | {"customers": scores.customers, "predicted_total": scores.total, "objected": scores.objected}


def _result(model: str, context: Context, terms: Terms, as_of: date, warnings: list[Message]) -> Answer:
    print_messages(warnings, context)
    return {
        "model": model,
        "as_of": as_of.isoformat(),
        "horizon_days": terms.horizon_days,
        "lifetime": terms.lifetime,
        "discount_rate": terms.discount_rate,
        "margin_rate": terms.margin_rate,
        "warnings": [message.to_json(context.language) for message in warnings],
    }


def _write_side_file(out: Path, content: Answer) -> str:
    """Write what the numbers mean, and return where."""
    from clv_core.workspace import write_json

    side_file = out.with_name(out.name + ".json")
    write_json(side_file, content)
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
def run_explain(options: argparse.Namespace, context: Context) -> Answer:
    """Explain, write the tables, and return the strongest parts, or the waterfall of one customer."""
    from clv_core.deployment import open_session
    from clv_core.evaluation.explain import waterfall_json
    from clv_core.strategy import explain

    scored = open_scored(options, context)
    explanations = explain(
        scored,
        options.out,
        customer=options.customer,
        sample=options.sample,
        permutations=options.permutations,
        progress=context.progress,
    )
    value = explanations.value
    result = {
        "out": str(options.out),
        "model": options.model,
        "customers": len(value.customer_ids),
        "base": value.base,
        "residual": max(explanation.residual for explanation in explanations.answers.values()),
    }
    if options.customer is not None:
        session = open_session(scored.model, options.out)
        events = session.events(options.customer).to_json() if session.reads_events else None
        return {**result, **waterfall_json(value, options.customer), "events": events}
    return {
        **result,
        "importance": value.importance().head(STRONGEST).to_dict("records"),
        "answers": {
            answer: {
                "base": explanation.base,
                "importance": explanation.importance().head(STRONGEST).to_dict("records"),
            }
            for answer, explanation in explanations.answers.items()
        },
        "faithfulness": {answer: check.to_json() for answer, check in (explanations.faithfulness or {}).items()},
        "stability": {answer: check.to_json() for answer, check in (explanations.stability or {}).items()},
    }


@command("card", DATASET, MODEL, option("--customer", "cli.card.customer", type=folded, required=True), CUTOFF)
def run_card(options: argparse.Namespace, context: Context) -> Answer:
    """Return the customer's card, when the next order is expected in words, and whether the model may be trusted."""
    from clv_core.collection.privacy import note_card
    from clv_core.deployment import trust_of
    from clv_core.strategy.customer import load_card

    scored = open_scored(options, context)
    card = load_card(scored, options.customer, language=context.language, progress=context.progress)
    note_card(context.workspace, options.name, scored.model.id, card.customer_id)
    message = card.next_order.message().text(context.language)
    return {
        **card.to_json(),
        "next_order": {**card.next_order.to_json(), "message": message},
        "trust": trust_json(trust_of(scored.workspace, scored.model), context.language),
    }


@command("embed", DATASET, MODEL, CUTOFF)
def run_embed(options: argparse.Namespace, context: Context) -> Answer:
    """Save the embedding of all customers, and return where and of how many."""
    from clv_core.deployment import embed

    path, customers = embed(open_scored(options, context), progress=context.progress)
    return {"kept": str(path), "model": options.model, "customers": customers}
