"""The recommendations that are kept of a model and a dataset, and the run that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotFound
from clv_core.strategy.recommend.interactions import check_columns
from clv_core.strategy.recommend.stored_recommendations import (
    RECORD,
    StoredRecommendations,
    load_recommendations,
    recommendations_folder,
)
from pages.ui import progress
from pages.ui.saying import t


@dataclass(frozen=True)
class Run:
    """What makes the recommendations, and where they are then.

    Args:
        command: of the command line.
        folder: where they are kept; its name tells the runs of several models apart.
    """

    command: list[str]
    folder: Path

    @property
    def written(self) -> float | None:
        """When the recommendations were written, in seconds since 1970; None while they are not there."""
        record = self.folder / RECORD
        return record.stat().st_mtime if record.is_file() else None

    def advice(self) -> StoredRecommendations | None:
        """Return the recommendations, or None while they are not there."""
        written = self.written
        return None if written is None else _load(str(self.folder), written)


def run_of(dataset: Dataset, bundle: Bundle) -> Run:
    """Return the run that makes the recommendations of a model for a dataset."""
    folder = recommendations_folder(bundle, dataset)
    return Run(["recommend", dataset.name, "--model", bundle.id], folder)


def need_advice(dataset: Dataset, bundle: Bundle) -> StoredRecommendations:
    """Return the recommendations; while they are not there, show the run that makes them.

    Raises:
        NotEnoughData: the log names no products.
    """
    check_columns(dataset)
    run = run_of(dataset, bundle)
    advice = run.advice()
    progress.need(advice is not None, run.command, run.folder.name, t("recommend.wait"))
    assert advice is not None
    return advice


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(folder: str, written: float) -> StoredRecommendations:
    """Return the recommendations of a folder; read once."""
    found = load_recommendations(Path(folder))
    if found is None:
        raise NotFound("recommend_missing", folder=folder)
    return found
