"""How often the customers of a log come back, and when in the year: what the model that scored them goes by.

It takes seconds to add up of a large log, so it is kept beside the scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from clv_core.collection.stored.store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.artifacts import RHYTHM
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.saved_scores import companion_path, scores_path
from clv_core.disk import ignore_unwritable
from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.features.last_year import LastYear
from clv_core.features.log import open_log
from clv_core.features.season import last_year
from clv_core.records import JsonRecord
from clv_core.workspace import Workspace, read_json, write_json


@dataclass(frozen=True)
class Rhythm(JsonRecord):
    """How orders come, of all customers of a log as of a cutoff.

    Args:
        counts: BG/NBD of their purchase days, the anchor of the model's snapshot.
        last_year: how time runs after the cutoff.
    """

    counts: BgNbd
    last_year: LastYear = LastYear()

    @classmethod
    def of(cls, bundle: Bundle, dataset: Dataset, cutoff: date) -> Self:
        """Read it of the events before ``cutoff`` that the model reads.

        Raises:
            NotEnoughData: nobody was seen before the cutoff.
        """
        config = TrainConfig.from_json(bundle.record["config"])
        log = open_log(dataset, before=cutoff, **config.of_log())
        try:
            _, _, anchor = log.history(cutoff, config.horizon_days)
            return cls(anchor.counts, last_year(log, cutoff, config.horizon_days))
        finally:
            log.close()


def kept_rhythm(scores: Path, bundle: Bundle, dataset: Dataset, cutoff: date) -> Rhythm:
    """Return the rhythm of kept scores; where it is not kept, or is older than the scores, it is made.

    Args:
        scores: the file of the model's plain scores as of the cutoff.
        bundle: the model.
        dataset: the log that they come from.
        cutoff: local midnight.
    """
    path = companion_path(scores, RHYTHM, ".json")
    if not path.exists() or path.stat().st_mtime_ns < scores.stat().st_mtime_ns:
        found = Rhythm.of(bundle, dataset, cutoff)
        with ignore_unwritable():
            write_json(path, found.to_json())
        return found
    return Rhythm.from_json(read_json(path))


def keep_rhythm(workspace: Workspace, name: str, model_id: str) -> None:
    """Have the rhythm of customers who were scored as of the log's end ready for the pages."""
    bundle, dataset = open_bundle(workspace, model_id), open_dataset(workspace, name)
    kept_rhythm(scores_path(bundle, dataset), bundle, dataset, dataset.log_end)
