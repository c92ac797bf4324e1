"""Scores on disk: every run saves them in the dataset's folder, where pages, reports and lists read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection.stored.dataset import MADE
from clv_core.collection.stored.store import Dataset, open_dataset
from clv_core.deployment.artifacts import SCORES, artifact_folder
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.dataset_scoring import score_parts
from clv_core.deployment.scoring_warnings import bundle_staleness_warnings, lost_signal_warnings
from clv_core.deployment.table_file import table_file
from clv_core.deployment.terms import Terms
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

MAX_OTHER_TERMS: Final = 8
"""Sets of scores for other horizons, rates and margins that are saved of a model."""


def score(
    workspace: Workspace,
    name: str,
    model_id: str,
    *,
    cutoff: date | None = None,
    horizon_days: int | str | None = None,
    discount_rate: float = 0.0,
    margin_rate: float = 1.0,
    progress: Progress,
) -> pd.DataFrame:
    """Return the scores of all customers of a dataset, and save them.

    ``horizon_days`` may be ``lifetime`` (:mod:`clv_core.deployment.terms`).
    """
    terms = {"horizon_days": horizon_days, "discount_rate": discount_rate, "margin_rate": margin_rate}
    frames = _score_and_save(workspace, name, model_id, [], cutoff=cutoff, progress=progress, **terms)
    return pd.concat(list(frames), ignore_index=True)


def score_file(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    cutoff: date | None = None,
    horizon_days: int | str | None = None,
    discount_rate: float = 0.0,
    margin_rate: float = 1.0,
    progress: Progress,
) -> tuple[int, float]:
    """Write what :func:`score` returns to ``out``, CSV or Parquet by its ending, some customers at a time.

    Returns:
        How many customers, and the sum of their predicted_clv.
    """
    terms = {"horizon_days": horizon_days, "discount_rate": discount_rate, "margin_rate": margin_rate}
    customers, total = 0, 0.0
    for frame in _score_and_save(workspace, name, model_id, [out], cutoff=cutoff, progress=progress, **terms):
        customers, total = customers + len(frame), total + float(frame["predicted_clv"].sum())
    return customers, total


def _score_and_save(
    workspace: Workspace, name: str, model_id: str, files: list[Path], *, cutoff: date | None, **options: Any
) -> Iterator[pd.DataFrame]:
    """Yield the scores in parts while they are written to ``files`` and to :func:`scores_path`."""
    bundle, dataset = open_bundle(workspace, model_id), open_dataset(workspace, name)
    trained_days = bundle.record["horizon_days"]
    terms = Terms.of(options["horizon_days"], trained_days, options["discount_rate"], options["margin_rate"])
    saved = scores_path(bundle, dataset, cutoff, terms)
    with ExitStack() as stack:
        writers = [stack.enter_context(table_file(path)) for path in (*files, saved)]
        for frame in score_parts(bundle, dataset, cutoff=cutoff, **options):
            for write in writers:
                write(frame)
            yield frame
    remove_old_terms(saved.parent)


def score_warnings(
    workspace: Workspace, name: str, model_id: str, terms: Terms | None = None, cutoff: date | None = None
) -> list[Message]:
    """Return the warnings that go with scores as of ``cutoff`` (default: log end).

    They name what is assumed for ``terms``, a model that is too old or has seen beyond the cutoff, and columns that it
    learned from and that the dataset no longer has.
    """
    bundle, dataset = open_bundle(workspace, model_id), open_dataset(workspace, name)
    assumed = [] if terms is None else terms.warnings(bundle.record["horizon_days"])
    as_of = cutoff or dataset.log_end
    return [*assumed, *bundle_staleness_warnings(bundle, as_of), *lost_signal_warnings(bundle, dataset)]


def scores(
    workspace: Workspace, name: str, model_id: str, *, cutoff: date | None = None, progress: Progress
) -> pd.DataFrame:
    """Return the scores for the trained horizon, without discount or margin: saved ones, else computed and saved."""
    path = scores_path(open_bundle(workspace, model_id), open_dataset(workspace, name), cutoff)
    if path.exists():
        return pd.read_parquet(path)
    return score(workspace, name, model_id, cutoff=cutoff, progress=progress)


def scores_path(bundle: Bundle, dataset: Dataset, cutoff: date | None = None, terms: Terms | None = None) -> Path:
    """Return the file of a model's scores as of a cutoff (default: log end).

    Args:
        bundle: the model.
        dataset: who is scored.
        cutoff: as of when.
        terms: horizon, discount and margin; None is the trained horizon without discount or margin.
    """
    as_of = cutoff or dataset.log_end
    mark = "" if terms is None or terms.plain(bundle.record["horizon_days"]) else f"-{terms.mark}"
    return artifact_folder(dataset, bundle) / f"{SCORES}-{as_of:%Y%m%d}{mark}.parquet"


def companion_path(scores: Path, kind: str, suffix: str = ".parquet") -> Path:
    """Return the file of another kind about the customers of a scores file."""
    return scores.with_name(f"{kind}{scores.stem.removeprefix(SCORES)}{suffix}")


def saved_score_files(workspace: Workspace, model_id: str, name: str) -> list[tuple[date, Path]]:
    """Return ``(cutoff, file)`` of a model's scores of any version of the dataset ``name``; trained horizon only."""
    paths = workspace.place("datasets", name, MADE).glob(f"*/{model_id}/{SCORES}-{'[0-9]' * 8}.parquet")
    return [(datetime.strptime(path.stem[-8:], "%Y%m%d").date(), path) for path in sorted(paths)]


def remove_old_terms(folder: Path) -> None:
    """Remove a model's scores for other terms than the trained horizon, but for the newest."""
    saved: dict[Path, float] = {}
    for path in folder.glob(f"{SCORES}-*-*.parquet"):
        with suppress(FileNotFoundError):  # another run has just removed it
            saved[path] = path.stat().st_mtime
    for path in sorted(saved, key=saved.__getitem__, reverse=True)[MAX_OTHER_TERMS:]:
        path.unlink(missing_ok=True)
