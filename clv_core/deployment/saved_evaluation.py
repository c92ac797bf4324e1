"""How good a model was, read from its files: holdout, backtest on rolling origins, searches for settings, verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from clv_core import __version__
from clv_core.collection.privacy import without_objected
from clv_core.collection.store import MADE, Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment import artifacts
from clv_core.deployment.artifacts import ArtifactKind
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.errors import Message, NotEnoughData
from clv_core.evaluation import (
    BASELINES,
    ROWS,
    Evidence,
    Grade,
    Question,
    Rolling,
    SharedError,
    Trust,
    grade,
    in_order,
    judge,
)
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.training import identity, state_folder
from clv_core.workspace import Workspace, read_json, write_json

if TYPE_CHECKING:
    from clv_core.evaluation import Tuning

BACKTEST_FILE: Final = "backtest.json"
PREDICTIONS_FILE: Final = "predictions.parquet"
COLUMNS: Final = ("p_purchase", "predicted_clv", "actual")


def backtest_folder(workspace: Workspace, bundle: Bundle) -> Path:
    """Return the folder of a model's backtest: :data:`BACKTEST_FILE` and :data:`PREDICTIONS_FILE`."""
    dataset = bundle.record.dataset
    return workspace.place("datasets", dataset.name, MADE, dataset.version, bundle.id, artifacts.ArtifactKind.BACKTEST)


def origin_predictions(workspace: Workspace, bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return a model's predictions at past origins with the actual values.

    Returns:
        ``p_purchase``, ``predicted_clv`` and ``actual``, one row a customer, by origin (ISO date): those of the
        backtest and of the holdout. Empty where the log was too short for either.
    """
    by_origin = {}
    path = backtest_folder(workspace, bundle) / PREDICTIONS_FILE
    if path.is_file():
        rows = pd.read_parquet(path, columns=["origin", *COLUMNS], filters=[("model", "==", bundle.record.model)])
        by_origin = {str(origin): frame[list(COLUMNS)] for origin, frame in rows.groupby("origin")}
    holdout = bundle.holdout(bundle.record.model, COLUMNS)
    if holdout is not None and bundle.record.holdout is not None:
        by_origin[bundle.record.holdout.cutoff.isoformat()] = holdout
    return by_origin


def holdout_predictions(bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return the holdout's predictions of a model and of the baselines, with the actual values.

    Returns:
        :data:`~clv_core.evaluation.model_scoreboard.ROWS` by model, in the order of customers. Empty without
        a holdout; the model's own are without rows where it was not measured.
    """
    rows = bundle.holdout(None, ("model", *ROWS))
    if rows is None:
        return {}
    model, models = bundle.record.model, rows.pop("model")
    by_model = {str(name): in_order(predictions) for name, predictions in rows.groupby(models, sort=False)}
    return {
        model: rows[:0],
        **{name: predictions for name, predictions in by_model.items() if name in (model, *BASELINES)},
    }


def shared_error(workspace: Workspace, bundle: Bundle) -> SharedError | None:
    """Return the error that all customers share, estimated from past origins; None where there are none."""
    return SharedError.of(list(origin_predictions(workspace, bundle).values()))


def trust_of(workspace: Workspace, bundle: Bundle) -> Trust:
    """Return the verdict on a model: that of its training, or with a backtest of two or more origins, a new one."""
    evidence = _evidence_of(workspace, bundle)
    if evidence is None or evidence.rolling is None:
        return bundle.record.trust
    return judge(evidence)


def distrust_warnings(bundle: Bundle, trust: Trust, language: str = DEFAULT_LANGUAGE) -> list[Message]:
    """Return the warning that goes with what is made from a model that is not trusted; none of any other."""
    if trust.verdict != "not_trusted":
        return []
    return [Message("warning.not_trusted", {"model": bundle.id, "reason": trust.reasons[0].text(language)})]


def grades_of(workspace: Workspace, bundle: Bundle) -> dict[Question, Grade]:
    """Return the grades of a model's ranking, total and probabilities; empty where they were not measured."""
    evidence = _evidence_of(workspace, bundle)
    return {} if evidence is None else grade(evidence)


def _evidence_of(workspace: Workspace, bundle: Bundle) -> Evidence | None:
    """Return what a model's training measured, with the backtest made since; None for models of early versions."""
    evidence = bundle.record.evidence
    if evidence is None:
        return None
    path = backtest_folder(workspace, bundle) / BACKTEST_FILE
    rolling = Rolling.of(read_json(path), bundle.record.model) if path.is_file() else None
    return replace(evidence, rolling=rolling, currency=bundle.record.currency)


def trust(workspace: Workspace, model_id: str) -> Trust:
    """Return the verdict on a model by its id, as :func:`trust_of`."""
    return trust_of(workspace, open_bundle(workspace, model_id))


def tune(
    workspace: Workspace, name: str, config: TrainConfig, *, trials: int, origins: int, progress: Progress
) -> Tuning:
    """Search for settings that predict a dataset better than the default, and save the result.

    The search reads nothing at or after the last origin, one horizon before the log's end; there the best settings are
    compared with the default. A search that was stopped resumes.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        config: model, horizon, and all settings that are not searched.
        trials: how many settings are tried, the default among them.
        origins: how many earlier origins judge each.
        progress: listener.
    """
    from clv_core.evaluation import compare_with_default, search, too_short
    from clv_core.features import open_log

    dataset = without_objected(workspace, open_dataset(workspace, name))
    dataset.check_value()
    origin = dataset.log_end - timedelta(days=config.horizon_days)
    decides = (dataset.version, "tune", origins, config.to_json(), __version__)
    progress.report("features", 0, 1)
    with state_folder(workspace, dataset.name, *decides) as folder:
        try:
            past = open_log(dataset, before=origin, **config.of_log())
        except NotEnoughData as error:
            if error.code != "log_empty_before":
                raise
            raise too_short(config.horizon_days, 0) from error  # the user gave a horizon, not a date
        result = search(past, config, trials=trials, origins=origins, folder=folder, progress=progress)
        past.close()
        log = open_log(dataset, **config.of_log())
        tuning = compare_with_default(log, origin, config, result, folder / "last", progress)
        log.close()
        save_tuning(dataset, config, tuning)
    return tuning


def save_tuning(dataset: Dataset, config: TrainConfig, tuning: Tuning) -> None:
    """Save a search for settings that started from ``config``, in place of an earlier one from there."""
    path = dataset.made_folder / f"{ArtifactKind.TUNING}-{identity(config.to_json())}.json"
    write_json(path, {"version": dataset.version, "config": config.to_json(), **tuning.to_json()})


def find_tuning(dataset: Dataset, config: TrainConfig) -> dict[str, Any] | None:
    """Return the saved search that started from ``config``, else one that ended at it, else None.

    Returns:
        ``{version, config}`` and what :meth:`~clv_core.evaluation.tune.Tuning.to_json` returns.
    """
    searches = [read_json(path) for path in sorted(dataset.made_folder.glob(f"{ArtifactKind.TUNING}-*.json"))]
    started = (search for search in searches if TrainConfig.from_json(search["config"]) == config)
    ended = (
        search
        for search in searches
        if TrainConfig.from_json({**search["config"], **search["settings"]}).same_as(config)
    )
    return next(started, None) or next(ended, None)
