"""Commands that make a model: a prediction without training, and training."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields

from clv_core.commands import (
    DATASET,
    HORIZON_DAYS,
    SEED,
    SETTINGS,
    Answer,
    Context,
    day,
    print_messages,
    trust_json,
    whole_number,
)
from clv_core.commands.parser import command, option
from clv_core.commands.scoring import SPARK
from clv_core.config import MODEL_IDS, OWN, READS, TrainConfig, setting_warnings
from clv_core.errors import Message, UsageError
from clv_core.i18n import translate


@command("look", DATASET, option("--horizon-days", "cli.look.horizon", type=int))
def run_look(options: argparse.Namespace, context: Context) -> Answer:
    """Predict everyone and return the model's id, the total, its distribution, and the verdict."""
    from clv_core.deployment import trust
    from clv_core.deployment.zero_shot import zero_shot
    from clv_core.strategy import load_history

    look = zero_shot(context.workspace, options.name, horizon_days=options.horizon_days, progress=context.progress)
    load_history(look.scored)
    model = look.scored.model
    facts = model.record.to_json()
    return {
        "model": model.id,
        **{name: facts[name] for name in ("dataset", "cutoff", "horizon_days")},
        "customers": look.customers,
        "predicted_total": round(look.predicted_total, 2),
        "top_decile_share": round(look.top_share, 4),
        "trust": trust_json(trust(context.workspace, model.id), context.language),
        "seconds": round(look.seconds, 2),
    }


def settings_help(language: str) -> str:
    """Return one line a setting of ``--set``: name, default, allowed values, and what it does."""
    lines = [translate("cli.train.settings", language)]
    for item in fields(TrainConfig):
        choices, low, high = (item.metadata[key] for key in ("choices", "low", "high"))
        allowed = "|".join(choices) if choices else "" if low is None else f"{low:,}–{high:,}"
        lines.append(f"  {item.name}={item.default}  ({allowed})" if allowed else f"  {item.name}={item.default}")
        lines.append(f"      {translate(f'config.{item.name}.help', language)}")
        readers = [model for model, reads in READS.items() if item.name in reads]
        if len(readers) < len(READS):
            lines.append(f"      {translate('cli.train.settings.read_by', language, models=', '.join(readers))}")
    return "\n".join(lines)


@command(
    "train",
    DATASET,
    *SPARK,
    option("--customers", "cli.train.customers", type=whole_number(1)),
    option("--currency", "cli.ingest.currency", default=""),
    HORIZON_DAYS,
    option("--cutoff", "cli.train.cutoff", type=day),
    option("--model", "cli.train.model", choices=(*MODEL_IDS, OWN)),
    SEED,
    SETTINGS,
    epilog=settings_help,
)
def run_train(options: argparse.Namespace, context: Context) -> Answer:
    """Train and return the bundle's id and place in the registry, verdict, metrics and cost.

    Raises:
        UsageError: a setting is invalid, or customers are to be sampled and no folder is named.
    """
    from clv_core import pipeline
    from clv_core.deployment.registry import Registry

    if options.events is not None:
        _sample(options, context)
    elif options.customers is not None:
        raise UsageError("customers_without_events")

    config = config_from(options, options.model or pipeline.default_model(context.workspace, options.name))
    bundle = pipeline.train(context.workspace, options.name, config, cutoff=options.cutoff, progress=context.progress)
    facts, registry = bundle.record.to_json(), Registry(context.workspace)
    version = registry.find(bundle.id)
    notes = [*ignored_settings(options, config), *registry.challenger_warnings(version)]
    print_messages(notes, context)
    return {
        "model": bundle.id,
        "name": version and version.name,
        "version": version and version.number,
        "role": version and version.role,
        **{name: facts.get(name) for name in ("dataset", "sampled", "cutoff", "horizon_days")},
        "trust": trust_json(bundle.record.trust, context.language),
        **{name: facts[name] for name in ("metrics", "baselines", "holdout", "signals")},
        "warnings": [message.to_json(context.language) for message in (*bundle.record.warnings, *notes)],
        **{name: facts[name] for name in ("estimate", "actual")},
    }


def config_from(options: argparse.Namespace, model: str) -> TrainConfig:
    """Return the settings that the command line names."""
    pairs = {}
    for text in options.set:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError("setting_pair", text=text)
        pairs[key.strip()] = value.strip()
    return TrainConfig.from_pairs(pairs, horizon_days=options.horizon_days, model=model, seed=options.seed)


def ignored_settings(options: argparse.Namespace, config: TrainConfig, models: Sequence[str] = ()) -> list[Message]:
    """Return a warning of settings that the command line names and that none of ``models`` (its own) reads."""
    named = {text.partition("=")[0].strip() for text in options.set}
    return setting_warnings(config, named, models)


def _sample(options: argparse.Namespace, context: Context) -> None:
    from clv_core.deployment.spark import LogFolder, Spark, sample_folder

    with Spark(options.master) as spark:
        sample_folder(
            context.workspace,
            LogFolder(spark, options.events, options.timezone),
            options.name,
            **({} if options.customers is None else {"customers": options.customers}),
            currency=options.currency,
            progress=context.progress,
        )
