"""The reference: what the data and the customers looked like before a model's cutoff.

It is written at training into the bundle, as ``reference.json`` (sights, spans), ``reference.parquet`` (counts of each
chunk) and ``reference_prices.parquet``. Bundles without one get it from the dataset, as long as that still holds what
lies before the cutoff; :attr:`Reference.source` says which it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotEnoughData
from clv_core.features.log import EventLog, open_log
from clv_core.jobs import Progress
from clv_core.monitoring.drift.chunks import FEWEST, KINDS, Chunk, chunks_before
from clv_core.monitoring.drift.customers import earlier_instants
from clv_core.monitoring.drift.profile import Profile, profile
from clv_core.monitoring.drift.sights import Sight, bins_of, look_at, sight_of
from clv_core.training.fit import Model
from clv_core.workspace import read_json, write_json

FILE: Final = "reference.json"
COUNTS_FILE: Final = "reference.parquet"
PRICES_FILE: Final = "reference_prices.parquet"
TRAINING, DATASET = "training", "dataset"


@dataclass(frozen=True, eq=False)
class Reference:
    """What was before a cutoff.

    Args:
        cutoff: of the model.
        source: ``training``, or ``dataset``: made when it was first asked for.
        first_day: the log's first day.
        profiles: by kind of chunk; kinds of which there are too few chunks are not there.
        bins: of the histograms.
        sights: the cutoff's first, then months before it.
    """

    cutoff: date
    source: str
    first_day: date
    profiles: dict[str, Profile]
    bins: dict[str, list[float]]
    sights: tuple[Sight, ...]

    @classmethod
    def of(
        cls, dataset: Dataset, log: EventLog, model: Model, config: TrainConfig, cutoff: date, source: str = TRAINING
    ) -> Self:
        """Make the reference of a model; nothing at or after the cutoff is read.

        Args:
            dataset: the log that the model was trained on, or a later version of it.
            log: the same as features see it.
            model: what was trained.
            config: its settings.
            cutoff: the end of what it knows.
            source: ``training`` or ``dataset``.
        """
        chunks = {kind: chunks_before(cutoff, kind, log.first_day) for kind in KINDS}
        profiles = {kind: profile(dataset, some) for kind, some in chunks.items() if len(some) >= FEWEST[kind]}
        bins: dict[str, list[float]] = {}
        sights = []
        for instant in earlier_instants(cutoff, log.first_day):
            seen = look_at(log, model, config, instant)
            bins = bins or bins_of(seen)
            sights.append(sight_of(seen, bins, instant))
        return cls(cutoff, source, log.first_day, profiles, bins, tuple(sights))

    def save(self, folder: Path) -> None:
        """Write the reference's files into a folder that is there."""
        tables = {COUNTS_FILE: "counts", PRICES_FILE: "prices"}
        for file, name in tables.items():
            parts = [getattr(one, name).assign(kind=kind) for kind, one in self.profiles.items()]
            if parts:
                pd.concat(parts, ignore_index=True).to_parquet(folder / file, index=False)
        chunks = {
            kind: [[one.number, one.begin.isoformat(), one.end.isoformat()] for one in found.chunks]
            for kind, found in self.profiles.items()
        }
        about = {"cutoff": self.cutoff.isoformat(), "source": self.source, "first_day": self.first_day.isoformat()}
        sights = [sight.to_json() for sight in self.sights]
        write_json(folder / FILE, {**about, "chunks": chunks, "bins": self.bins, "sights": sights})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the reference kept in a folder, or None."""
        if not (folder / FILE).is_file():
            return None
        values: dict[str, Any] = read_json(folder / FILE)
        profiles = {}
        for kind, rows in values["chunks"].items():
            tables = [
                pd.read_parquet(folder / file, filters=[("kind", "==", kind)]).drop(columns="kind")
                for file in (COUNTS_FILE, PRICES_FILE)
            ]
            chunks = (Chunk(int(n), date.fromisoformat(begin), date.fromisoformat(end)) for n, begin, end in rows)
            profiles[kind] = Profile(*tables, tuple(chunks))
        return cls(
            date.fromisoformat(values["cutoff"]),
            values["source"],
            date.fromisoformat(values["first_day"]),
            profiles,
            values["bins"],
            tuple(Sight.from_json(sight) for sight in values["sights"]),
        )


def reference_of(bundle: Bundle, dataset: Dataset, kept: Path, progress: Progress) -> Reference:
    """Return a model's reference: of its bundle, else kept beside, else made from the dataset and kept.

    Args:
        bundle: the model.
        dataset: what is monitored.
        kept: folder for one that had to be made.
        progress: listener.

    Raises:
        NotEnoughData: the dataset holds nothing before the model's cutoff.
    """
    found = Reference.load(bundle.folder) or Reference.load(kept)
    if found is not None:
        return found
    progress.report("reference", 0, 1)
    cutoff = date.fromisoformat(bundle.record["cutoff"])
    config = TrainConfig.from_json(bundle.record["config"])
    if cutoff <= dataset.log_start:
        raise NotEnoughData("no_reference", model=bundle.id, cutoff=cutoff.isoformat(), first=dataset.manifest.log_start)
    log = open_log(dataset, **config.of_log())
    try:
        made = Reference.of(dataset, log, bundle.model, config, cutoff, DATASET)
    finally:
        log.close()
    kept.mkdir(parents=True, exist_ok=True)
    made.save(kept)
    return made


