"""The scores of a workspace: made once, written to files, and kept where the pages look for them."""

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
from clv_core.deployment.scoring import score_parts
from clv_core.deployment.signals import lost_signals
from clv_core.deployment.table_file import table_file
from clv_core.deployment.terms import Terms
from clv_core.deployment.timeliness import untimely_scores
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

KEPT: Final = 8
"""Sets of scores for other horizons, rates and margins that are kept of a model."""


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
    """Score all customers of a dataset; they are also kept in the dataset's folder for the pages.

    ``horizon_days`` may be ``lifetime`` (:mod:`clv_core.deployment.terms`).
    """
    asked = {"horizon_days": horizon_days, "discount_rate": discount_rate, "margin_rate": margin_rate}
    frames = list(_scored(workspace, name, model_id, [], cutoff=cutoff, progress=progress, **asked))
    return pd.concat(frames, ignore_index=True)


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
    asked = {"horizon_days": horizon_days, "discount_rate": discount_rate, "margin_rate": margin_rate}
    customers, total = 0, 0.0
    for frame in _scored(workspace, name, model_id, [out], cutoff=cutoff, progress=progress, **asked):
        customers, total = customers + len(frame), total + float(frame["predicted_clv"].sum())
    return customers, total


def _scored(
    workspace: Workspace, name: str, model_id: str, files: list[Path], *, cutoff: date | None, **asked: Any
) -> Iterator[pd.DataFrame]:
    """Yield the scores in parts, as they are written to ``files`` and to where the pages look for them."""
    bundle, dataset = open_bundle(workspace, model_id), open_dataset(workspace, name)
    terms = Terms.of(asked["horizon_days"], bundle.record["horizon_days"], asked["discount_rate"], asked["margin_rate"])
    kept = scores_path(bundle, dataset, cutoff, terms)
    with ExitStack() as stack:
        writers = [stack.enter_context(table_file(path)) for path in (*files, kept)]
        for frame in score_parts(bundle, dataset, cutoff=cutoff, **asked):
            for write in writers:
                write(frame)
            yield frame
    let_go(kept.parent)


def score_warnings(
    workspace: Workspace, name: str, model_id: str, terms: Terms | None = None, cutoff: date | None = None
) -> list[Message]:
    """Return what is to be said of scores.

    That is what has to be assumed for ``terms``, whether the model may be asked as of ``cutoff`` (default: log end),
    and what it learned from that the dataset no longer has.
    """
    bundle, dataset = open_bundle(workspace, model_id), open_dataset(workspace, name)
    assumed = [] if terms is None else terms.warnings(bundle.record["horizon_days"])
    return [*assumed, *untimely_scores(bundle, cutoff or dataset.log_end), *lost_signals(bundle, dataset)]


def scores(
    workspace: Workspace, name: str, model_id: str, *, cutoff: date | None = None, progress: Progress
) -> pd.DataFrame:
    """Return the plain scores, from disk where they are there, computed and kept where not."""
    path = scores_path(open_bundle(workspace, model_id), open_dataset(workspace, name), cutoff)
    return (
        pd.read_parquet(path) if path.exists() else score(workspace, name, model_id, cutoff=cutoff, progress=progress)
    )


def scores_path(bundle: Bundle, dataset: Dataset, cutoff: date | None = None, terms: Terms | None = None) -> Path:
    """Return where the scores of a model as of a cutoff (default: log end) are kept.

    Args:
        bundle: the model.
        dataset: who is scored.
        cutoff: as of when.
        terms: what they speak of; None is the trained horizon without discount or margin.
    """
    as_of = cutoff or dataset.log_end
    mark = "" if terms is None or terms.plain(bundle.record["horizon_days"]) else f"-{terms.mark}"
    return artifact_folder(dataset, bundle) / f"{SCORES}-{as_of:%Y%m%d}{mark}.parquet"


def beside_scores(scores: Path, kind: str, suffix: str = ".parquet") -> Path:
    """Return where something of another kind about the customers of plain scores is kept."""
    return scores.with_name(f"{kind}{scores.stem.removeprefix(SCORES)}{suffix}")


def kept_scores(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> list[tuple[date, Path]]:
    """Return as of when a model's plain scores are kept, of whichever version of the dataset, and in which file."""
    return kept_of(workspace, bundle.id, dataset.name)


def kept_of(workspace: Workspace, model_id: str, name: str) -> list[tuple[date, Path]]:
    """Return what :func:`kept_scores` returns, of a model's id and a dataset's name."""
    paths = workspace.place("datasets", name, MADE).glob(f"*/{model_id}/{SCORES}-{'[0-9]' * 8}.parquet")
    return [(datetime.strptime(path.stem[-8:], "%Y%m%d").date(), path) for path in sorted(paths)]


def let_go(folder: Path) -> None:
    """Remove a model's scores for other terms than the plain ones, but for those that were made last."""
    other = list(folder.glob(f"{SCORES}-*-*.parquet"))
    made: dict[Path, float] = {}
    for path in other:
        with suppress(FileNotFoundError):  # another run has just let it go
            made[path] = path.stat().st_mtime
    for path in sorted(made, key=made.__getitem__, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)
