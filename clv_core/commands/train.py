"""``train NAME --horizon-days N``: dataset -> bundle; a folder that Spark reads becomes the dataset first, sampled."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from clv_core.commands import Context, day, message_json, tell
from clv_core.commands.score import add_folder_arguments
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.errors import Message, UsageError
from clv_core.i18n import translate
from clv_core.usage import HelpInLines

if TYPE_CHECKING:
    from clv_core.deployment.registry import Registry, Version


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words; the settings after them are drawn from :class:`TrainConfig`."""
    parser.formatter_class = partial(HelpInLines, language=language)
    parser.epilog = settings_help(language)
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_folder_arguments(parser, language)
    parser.add_argument("--customers", type=customers, default=None, help=translate("cli.train.customers", language))
    parser.add_argument("--currency", default="", help=translate("cli.ingest.currency", language))
    parser.add_argument("--horizon-days", type=int, required=True, help=translate("config.horizon_days.help", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.train.cutoff", language))
    parser.add_argument("--model", choices=MODEL_IDS, default=None, help=translate("cli.train.model", language))
    parser.add_argument("--seed", type=int, default=1, help=translate("config.seed.help", language))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=translate("cli.train.set", language)
    )


def customers(text: str) -> int:
    """Read a number of customers of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: 1, 2, 3, ...")
    return int(text)


def settings_help(language: str) -> str:
    """Return one line a setting of ``--set``: name, default, allowed values, and what it does."""
    lines = [translate("cli.train.settings", language)]
    for item in fields(TrainConfig):
        choices, low, high = (item.metadata[key] for key in ("choices", "low", "high"))
        allowed = "|".join(choices) if choices else "" if low is None else f"{low:,}–{high:,}"
        lines.append(f"  {item.name}={item.default}  ({allowed})" if allowed else f"  {item.name}={item.default}")
        lines.append(f"      {translate(f'config.{item.name}.help', language)}")
    return "\n".join(lines)


def config_from(options: argparse.Namespace, model: str) -> TrainConfig:
    """Return the settings that the command line names."""
    pairs = {}
    for text in options.set:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError("setting_pair", text=text)
        pairs[key.strip()] = value.strip()
    return TrainConfig.from_pairs(pairs, horizon_days=options.horizon_days, model=model, seed=options.seed)


def words_of(config: TrainConfig) -> list[str]:
    """Return the words of the command line that :func:`config_from` reads as ``config``: what is not the default."""
    words = ["--horizon-days", str(config.horizon_days), "--model", config.model]
    for item in fields(TrainConfig):
        value = getattr(config, item.name)
        if value != item.default and item.name not in ("horizon_days", "model"):
            words += ["--seed", str(value)] if item.name == "seed" else ["--set", f"{item.name}={value}"]
    return words


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Train and return the bundle's id and place in the registry, verdict, metrics and cost.

    Raises:
        UsageError: a setting is off, or customers are to be sampled and no folder is named.
    """
    from clv_core import pipeline
    from clv_core.deployment.registry import Registry

    if options.events is not None:
        _sample(options, context)
    elif options.customers is not None:
        raise UsageError("customers_without_events")

    config = config_from(options, options.model or pipeline.default_model(context.workspace, options.name))
    bundle = pipeline.train(context.workspace, options.name, config, cutoff=options.cutoff, progress=context.progress)
    record, registry = bundle.record, Registry(context.workspace)
    version = registry.find(bundle.id)
    challenging = unheard(registry, version)
    tell(challenging, context)
    return {
        "model": bundle.id,
        "name": version and version.name,
        "version": version and version.number,
        "role": version and version.role,
        "dataset": record["dataset"],
        "sampled": record.get("sampled"),
        "cutoff": record["cutoff"],
        "horizon_days": record["horizon_days"],
        "trust": {
            "verdict": record["trust"]["verdict"],
            "reasons": [message_json(reason, context.language) for reason in record["trust"]["reasons"]],
        },
        "metrics": record["metrics"],
        "baselines": record["baselines"],
        "holdout": record["holdout"],
        "signals": record["signals"],
        "warnings": [
            *(message_json(warning, context.language) for warning in record["warnings"]),
            *(message.to_json(context.language) for message in challenging),
        ],
        "estimate": record["estimate"],
        "actual": record["actual"],
    }


def unheard(registry: Registry, version: Version | None) -> list[Message]:
    """Return a sentence on who answers instead of a version that was just trained; none where it answers itself."""
    champion = None if version is None else registry.champion(version.name)
    if version is None or champion is None or champion.number == version.number:
        return []
    said = {"name": version.name, "version": version.number, "champion": champion.number, "model": champion.bundle}
    return [Message("warning.not_champion", {**said, "quoted": shlex.quote(version.name)})]


def _sample(options: argparse.Namespace, context: Context) -> None:
    from clv_core import pipeline
    from clv_core.features.spark import Spark

    with Spark(options.master) as spark:
        pipeline.sample_folder(
            context.workspace,
            spark,
            options.events,
            options.name,
            **({} if options.customers is None else {"customers": options.customers}),
            timezone=options.timezone or "UTC",
            currency=options.currency,
            progress=context.progress,
        )
