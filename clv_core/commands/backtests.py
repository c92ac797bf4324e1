"""Commands that compare: models on past cutoffs, and settings of one model."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clv_core.commands import DATASET, HORIZON_DAYS, SEED, SETTINGS, Answer, Context, day, print_messages
from clv_core.commands.parser import command, one_of, option
from clv_core.commands.training import config_from, ignored_settings
from clv_core.config import MODEL_IDS, OWN, config_words
from clv_core.errors import Message, UsageError
from clv_core.workspace import write_json

if TYPE_CHECKING:
    import pandas as pd

    from clv_core.evaluation import Bootstrap


MAX_TRIALS, MAX_ORIGINS = 500, 10
"""Of ``tune``, which fits trials times origins models. Guesses: more is hours, for settings that hardly get better."""


@command(
    "backtest",
    DATASET,
    HORIZON_DAYS,
    one_of(
        option("--origins", "cli.backtest.origins", type=int),
        option("--origin", "cli.backtest.origin", type=day, action="append", default=[]),
    ),
    option("--models", "cli.backtest.models", default=""),
    option("--seeds", "cli.backtest.seeds", type=int, default=1),
    SEED,
    option("--variant", "cli.backtest.variant", action="append", default=[], metavar="KEY=VALUE"),
    SETTINGS,
    option("--folds", "cli.backtest.folds", type=int, default=0, metavar="K"),
    option("--out", "cli.backtest.out", type=Path, required=True),
)
def run_backtest(options: argparse.Namespace, context: Context) -> Answer:
    """Run the origins, write the tables and the predictions, and return the scoreboard with verdicts in words.

    Without ``--models``, they are the one that ``train`` takes and the baselines that training measures it by. The
    first model is compared with each of the others, and each model against its own variants. ``scoreboard.csv`` has
    all metrics with intervals, ``slices.csv`` those of parts of the customers, ``seasons.csv`` those by season of the
    horizon, ``stability.csv`` how much of the top decile stays; with ``--folds``, ``folds.csv`` those of the first
    model on customers that it has seen and on customers that it has not.
    """
    from clv_core.collection.privacy import without_objected
    from clv_core.collection.store import open_dataset
    from clv_core.deployment import write_table
    from clv_core.evaluation import RUN, BacktestPlan, Bootstrap, season_table, slice_table, stability, table_of
    from clv_core.evaluation.backtest import backtest as run_backtest
    from clv_core.strategy.audiences import log_backtest
    from clv_core.training import own_class

    count, models = _origins(options), _models(options, context)
    config = config_from(options, models[0])
    if OWN in models:
        own_class(config.code)
    print_messages(ignored_settings(options, config, models), context)
    backtest = run_backtest(
        context.workspace,
        options.name,
        config,
        BacktestPlan(models, options.origin, count, options.seeds, options.variant, options.folds),
        progress=context.progress,
    )
    bootstrap = Bootstrap.of(backtest.predictions)
    scoreboard, stable = table_of(bootstrap), stability(backtest.predictions)
    write_table(scoreboard, options.out / "scoreboard.csv")
    write_table(slice_table(backtest.predictions, backtest.facts), options.out / "slices.csv")
    write_table(season_table(backtest.predictions), options.out / "seasons.csv")
    write_table(stable, options.out / "stability.csv")
    write_table(backtest.predictions, options.out / "predictions.parquet")
    dataset = without_objected(context.workspace, open_dataset(context.workspace, options.name))
    log_backtest(
        context.workspace, dataset, options.horizon_days, backtest.predictions, options.out / "predictions.parquet"
    )
    names = [name for name in dict.fromkeys(backtest.predictions["model"]) if RUN not in name]
    metrics = _metrics(scoreboard)
    currency = dataset.manifest.currency
    result = {
        "out": str(options.out),
        "dataset": dataset.name,
        "dataset_version": dataset.version,
        "horizon_days": options.horizon_days,
        "currency": currency,
        "origins": sorted(metrics),
        "models": names,
        "metrics": metrics,
        "verdicts": [
            verdict
            for first, second in _pairs(names)
            for verdict in _verdicts(bootstrap, first, second, options.seeds, currency, context.language)
        ],
        "stability": [
            {"model": model, "between": between, "overlap": float(part.mean())}
            for (model, between), part in stable.groupby(["model", "between"], sort=False)["overlap"]
        ],
    }
    if options.variant and options.seeds == 1:
        once = Message("warning.variant_once", {})
        print_messages([once], context)
        result["warnings"] = [once.to_json(context.language)]
    if backtest.unseen is not None:
        result["folds"] = _folds(backtest.predictions, backtest.unseen, options.out, context.language)
    write_json(options.out / "backtest.json", result)
    return result


def _models(options: argparse.Namespace, context: Context) -> list[str]:
    """Return the models to test; the first is compared with the others.

    Raises:
        UsageError: there is no such model, or an option needs one that is trained.
    """
    from clv_core import pipeline
    from clv_core.evaluation import BASELINES
    from clv_core.training import MODELS

    models = [model.strip() for model in options.models.split(",") if model.strip()]
    models = models or [pipeline.default_model(context.workspace, options.name), *BASELINES]
    for model in models:
        if model not in (*MODEL_IDS, OWN):
            raise UsageError("setting_choice", setting="models", value=model, choices=[*MODEL_IDS, OWN])
    if options.folds and MODELS[models[0]].baseline:
        raise UsageError("folds_need_model", model=models[0])
    if options.variant and all(MODELS[model].baseline for model in models):
        raise UsageError("variant_needs_model", models=list(models))
    return models


def _origins(options: argparse.Namespace) -> int:
    """Return how many origins are wanted at most.

    Raises:
        UsageError: there are too few or too many of them, of seeds or of folds.
    """
    from clv_core.evaluation import MAX_FOLDS, MIN_FOLDS
    from clv_core.training import MOST_ORIGINS

    count = MOST_ORIGINS if options.origins is None else int(options.origins)
    for flag, value in (("origins", count), ("seeds", options.seeds)):
        if not 1 <= value <= 100:
            raise UsageError("setting_bounds", setting=flag, value=value, low=1, high=100)
    if options.folds and not MIN_FOLDS <= options.folds <= MAX_FOLDS:
        raise UsageError("setting_bounds", setting="folds", value=options.folds, low=MIN_FOLDS, high=MAX_FOLDS)
    return count


def _metrics(scoreboard: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the value of each metric by origin and model."""
    return {
        f"{origin}": {
            f"{model}": dict(zip(part["metric"], part["value"], strict=True)) for model, part in rows.groupby("model")
        }
        for origin, rows in scoreboard.groupby("origin")
    }


def _folds(predictions: pd.DataFrame, unseen: pd.DataFrame, out: Path, language: str) -> Answer:
    """Write ``folds.csv``, and return both views' figures over all customers with a sentence on the result."""
    from clv_core.deployment import write_table
    from clv_core.evaluation import compare

    model, origin = unseen["model"].iloc[0], unseen["origin"].iloc[0]
    seen = predictions[(predictions["model"] == model) & (predictions["origin"] == origin)]
    table, memorisation = compare(unseen, seen)
    write_table(table, out / "folds.csv")
    all_customers = table[table["fold"] == 0]
    return {
        "model": model,
        "origin": origin,
        "folds": int(unseen["fold"].max()),
        "outcome": memorisation.outcome,
        "metrics": {
            view: dict(zip(rows["metric"], rows["value"], strict=True)) for view, rows in all_customers.groupby("view")
        },
        "advantage": {name: asdict(figure) for name, figure in memorisation.advantage.items()},
        **(memorisation.message.to_json(language) if memorisation.message else {}),
    }


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Return which models are compared: the first model against all others, each model against its variants."""
    base_models = [name for name in names if "[" not in name]
    variant_pairs = [(name.partition("[")[0], name) for name in names if "[" in name]
    return [(base_models[0], other) for other in base_models[1:]] + variant_pairs


def _verdicts(bootstrap: Bootstrap, model: str, other: str, seeds: int, currency: str, language: str) -> list[Answer]:
    """Return who is better on each metric, averaged over origins, as JSON with a sentence.

    Of a model and its variant all runs count: what one of each differ by may be the luck of the random start.
    """
    from clv_core.evaluation import RUN, verdicts

    other_seeds = [f"{RUN}{number}" for number in range(2, seeds + 1)] if other.startswith(f"{model}[") else []
    runs = [(model + run, other + run) for run in ("", *other_seeds)] if other_seeds else []
    return [
        {
            "model": model,
            "other": other,
            "metric": verdict.metric,
            "outcome": verdict.outcome,
            "advantage": asdict(verdict.advantage),
            **verdict.message.to_json(language),
        }
        for verdict in verdicts(bootstrap, model, other, currency=currency, runs=runs)
    ]


@command(
    "tune",
    DATASET,
    HORIZON_DAYS,
    option("--trials", "cli.tune.trials", type=int, default=20),
    option("--origins", "cli.tune.origins", type=int, default=3),
    option("--model", "cli.train.model", choices=MODEL_IDS),
    SEED,
    SETTINGS,
)
def run_tune(options: argparse.Namespace, context: Context) -> Answer:
    """Search, compare with the default at the last origin, and return settings, trials and advantage.

    Raises:
        UsageError: a setting is off, or no model is named and the default one cannot be tuned.
    """
    from clv_core.deployment import tune

    for flag, value, most in (("trials", options.trials, MAX_TRIALS), ("origins", options.origins, MAX_ORIGINS)):
        if not 1 <= value <= most:
            raise UsageError("setting_bounds", setting=flag, value=value, low=1, high=most)
    config = config_from(options, options.model or _default_model(options.name, context))
    print_messages(ignored_settings(options, config), context)
    tuning = tune(
        context.workspace,
        options.name,
        config,
        trials=options.trials,
        origins=options.origins,
        progress=context.progress,
    )
    words = " ".join(config_words(replace(config, **tuning.settings)))
    return {"dataset": options.name, "horizon_days": config.horizon_days, **tuning.to_json(), "train_with": words}


def _default_model(name: str, context: Context) -> str:
    """Return the model that is trained by default.

    Raises:
        UsageError: it cannot be tuned.
    """
    from clv_core import pipeline
    from clv_core.evaluation import TUNABLE

    model = pipeline.default_model(context.workspace, name)
    if model not in TUNABLE:
        raise UsageError("default_not_tunable", name=name, model=model, known=list(TUNABLE))
    return model
