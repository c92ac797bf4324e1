"""Scores on disk: every run saves them in the dataset's folder, where pages, reports and lists read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd

from clv_core.collection.privacy import has_objected, objected_ids, without_objected
from clv_core.collection.store import MADE, Dataset, open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.artifacts import ArtifactKind, artifact_folder
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.dataset_scoring import score_parts
from clv_core.deployment.scoring_warnings import (
    bundle_staleness_warnings,
    gap_warnings,
    learned_from_objected,
    lost_signal_warnings,
)
from clv_core.deployment.terms import Terms
from clv_core.errors import Message, NotFound, Refused
from clv_core.jobs import Progress
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

MAX_OTHER_TERMS: Final = 8
"""Sets of scores for other horizons, rates and margins that are saved of a model."""


@dataclass(frozen=True)
class Scored:
    """A dataset as a model sees it, and what its values are: what every step after scoring takes.

    Args:
        workspace: of both.
        dataset: who is scored; without those who objected (:func:`~clv_core.collection.privacy.without_objected`).
        model: by which.
        terms: horizon, discount and margin of the values.
        cutoff: as of when; None is the log's end.
    """

    workspace: Workspace
    dataset: Dataset
    model: Bundle
    terms: Terms
    cutoff: date | None = None

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        dataset: Dataset,
        model: Bundle,
        terms: Terms | None = None,
        cutoff: date | None = None,
    ) -> Self:
        """Return it for an open dataset and model, without the customers who objected to profiling.

        Terms of None: the trained horizon, without discount or margin.

        Raises:
            NotEnoughData: everybody objected.
            Refused: the key of the list of objections is missing.
        """
        dataset = without_objected(workspace, dataset)
        return cls(workspace, dataset, model, terms or Terms(model.record.horizon_days), cutoff)

    @classmethod
    def open(
        cls,
        workspace: Workspace,
        name: str,
        model_id: str,
        cutoff: date | None = None,
        terms: Terms | None = None,
    ) -> Self:
        """Open the dataset ``name`` and the bundle ``model_id``; terms as in :meth:`of`.

        Raises:
            NotFound: there is no such dataset or model.
            Refused: one of them is damaged.
        """
        return cls.of(workspace, open_dataset(workspace, name), open_bundle(workspace, model_id), terms, cutoff)

    def at(self, terms: Terms) -> Self:
        """Return the same with other terms."""
        return replace(self, terms=terms)

    def at_horizon(self, horizon: int | str | None, discount_rate: float = 0.0, margin_rate: float = 1.0) -> Self:
        """Return the same for another horizon, named as :meth:`Terms.of` takes it, and other rates.

        Raises:
            UsageError: they are out of bounds.
        """
        return self.at(Terms.of(horizon, self.trained_days, discount_rate, margin_rate))

    @property
    def trained(self) -> Self:
        """The same for the trained horizon, without discount or margin: what tiers, histories and embeddings go by."""
        return self.at(Terms(self.trained_days))

    @property
    def is_trained(self) -> bool:
        """Whether the terms are those of :attr:`trained`."""
        return self.terms.plain(self.trained_days)

    @property
    def as_of(self) -> date:
        """The cutoff; nothing at or after it is read."""
        return self.cutoff or self.dataset.log_end

    @property
    def trained_days(self) -> int:
        """The trained horizon."""
        return self.model.record.horizon_days

    @property
    def currency(self) -> str:
        """Of the values; may be empty."""
        return self.model.record.currency

    @property
    def folder(self) -> Path:
        """The folder of the model's artifacts from this version of the dataset."""
        return artifact_folder(self.dataset, self.model)

    @property
    def scores_path(self) -> Path:
        """The file of the scores at these terms."""
        mark = "" if self.is_trained else f"-{self.terms.mark}"
        return self.folder / f"{ArtifactKind.SCORES}-{self.as_of:%Y%m%d}{mark}.parquet"

    def scores(self, progress: Progress) -> pd.DataFrame:
        """Return the scores at these terms: saved, or computed and saved."""
        path = self.scores_path
        return pd.read_parquet(path) if path.exists() else score(self, progress=progress)

    def at_terms(self, customers: pd.DataFrame, progress: Progress) -> pd.DataFrame:
        """Return customers with their ``predicted_clv`` at these terms; other columns are unchanged.

        Args:
            customers: customer_id and predicted_clv of the :attr:`trained` scores, one row a customer.
            progress: listener.

        Raises:
            Refused: the dataset changed since the customers were read, and some of them have no value any more.
        """
        terms = self.terms
        if replace(terms, margin_rate=1.0).plain(self.trained_days):
            if terms.margin_rate == 1:
                return customers
            return customers.assign(predicted_clv=customers["predicted_clv"] * terms.margin_rate)
        path = self.scores_path
        if path.exists():
            frame = pd.read_parquet(path, columns=[CUSTOMER_ID, "predicted_clv"])
        else:
            frame = score(self, progress=progress)
        rows = pd.Index(frame[CUSTOMER_ID]).get_indexer(pd.Index(customers[CUSTOMER_ID]))
        if (rows < 0).any():
            raise Refused("scores_changed", name=self.dataset.name, missing=int((rows < 0).sum()))
        return customers.assign(predicted_clv=np.asarray(frame["predicted_clv"], float)[rows])

    def check_customer(self, customer: str) -> None:
        """Refuse to profile a customer who objected to it.

        Raises:
            NotFound: the customer objected.
        """
        if has_objected(self.workspace, self.dataset, customer):
            raise NotFound("customer_objected", customer=customer[:200])

    def without_objected(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return rows of customers, such as earlier predictions, without those who objected to profiling since."""
        ids = objected_ids(self.workspace, self.dataset)
        return customers[~customers[CUSTOMER_ID].isin(ids)].reset_index(drop=True) if ids else customers

    def objection_warnings(self) -> list[Message]:
        """Return how many customers objected and are left out, and with how many of them the model was trained."""
        customers, learned = self.dataset.objected.customers, learned_from_objected(self.workspace, self.model)
        left_out = [Message("warning.objected", {"customers": customers})] if customers else []
        return left_out + ([Message("warning.learned_from_objected", {"customers": learned})] if learned else [])

    def warnings(self) -> list[Message]:
        """Return the warnings that go with the scores.

        They state who objected and is not among them, what is assumed for the terms, that the model is too old or has
        seen beyond the cutoff, columns that it learned from and that the dataset no longer has, and how many customers
        have a gap that was filled.
        """
        assumed, stale = self.terms.warnings(self.trained_days), bundle_staleness_warnings(self.model, self.as_of)
        assumed = [*self.objection_warnings(), *assumed]
        return [*assumed, *stale, *lost_signal_warnings(self.model, self.dataset), *self.gap_warnings()]

    def gap_warnings(self) -> list[Message]:
        """Return how many customers lack a feature that the training windows had to have; their gap was filled."""
        path = companion_path(self.scores_path, ArtifactKind.GAPS, ".json")
        return gap_warnings(self.model.record.train_config, read_json(path)["customers"] if path.exists() else 0)


def score(scored: Scored, *, progress: Progress) -> pd.DataFrame:
    """Return the scores of all customers, computed anew, and save them."""
    return pd.concat(list(_score_and_save(scored, [], progress)), ignore_index=True)


def score_file(scored: Scored, out: Path, *, progress: Progress) -> tuple[int, float]:
    """Write what :func:`score` returns to ``out``, CSV or Parquet by its ending, some customers at a time.

    Returns:
        How many customers, and the sum of their predicted_clv.
    """
    customers, total = 0, 0.0
    for frame in _score_and_save(scored, [out], progress):
        customers, total = customers + len(frame), total + float(frame["predicted_clv"].sum())
    return customers, total


def _score_and_save(scored: Scored, files: list[Path], progress: Progress) -> Iterator[pd.DataFrame]:
    """Yield the scores in parts while they are written to ``files`` and to :attr:`Scored.scores_path`."""
    saved = scored.scores_path
    gaps: list[int] = []
    with ExitStack() as stack:
        writers = [stack.enter_context(table_file(path)) for path in (*files, saved)]
        for frame in score_parts(
            scored.model, scored.dataset, cutoff=scored.cutoff, terms=scored.terms, gaps=gaps, progress=progress
        ):
            for write in writers:
                write(frame)
            yield frame
    if gaps:
        write_json(companion_path(saved, ArtifactKind.GAPS, ".json"), {"customers": sum(gaps)})
    remove_old_terms(saved.parent)


def companion_path(scores: Path, kind: str, suffix: str = ".parquet") -> Path:
    """Return the file of another kind about the customers of a scores file."""
    return scores.with_name(f"{kind}{scores.stem.removeprefix(ArtifactKind.SCORES)}{suffix}")


def saved_score_files(workspace: Workspace, model_id: str, name: str) -> list[tuple[date, Path]]:
    """Return ``(cutoff, file)`` of a model's scores of any version of the dataset ``name``; trained horizon only."""
    paths = workspace.place("datasets", name, MADE).glob(f"*/{model_id}/{ArtifactKind.SCORES}-{'[0-9]' * 8}.parquet")
    return [(datetime.strptime(path.stem[-8:], "%Y%m%d").date(), path) for path in sorted(paths)]


def remove_old_terms(folder: Path) -> None:
    """Remove a model's scores for other terms than the trained horizon, but for the newest."""
    saved: dict[Path, float] = {}
    for path in folder.glob(f"{ArtifactKind.SCORES}-*-*.parquet"):
        with suppress(FileNotFoundError):  # another run has just removed it
            saved[path] = path.stat().st_mtime
    for path in sorted(saved, key=saved.__getitem__, reverse=True)[MAX_OTHER_TERMS:]:
        path.unlink(missing_ok=True)


@contextmanager
def table_file(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield a function that appends rows to a CSV or Parquet file; the file appears once the block ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary, ExitStack() as stack:
        writer: pq.ParquetWriter | None = None

        def write(frame: pd.DataFrame) -> None:
            nonlocal writer
            if path.suffix != ".parquet":
                frame.to_csv(temporary, index=False, mode="a", header=not temporary.exists())
                return
            table = pa.Table.from_pandas(frame, preserve_index=False)
            writer = writer or stack.enter_context(pq.ParquetWriter(temporary, table.schema))
            writer.write_table(table)

        yield write


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's ending."""
    with table_file(path) as write:
        write(frame)
