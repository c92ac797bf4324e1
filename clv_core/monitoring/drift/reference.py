"""The reference: what the data and the customers looked like before a model's cutoff.

It is written at training into the bundle, as ``reference.json`` (sights, spans) and ``reference.parquet`` (counts and
sampled amounts of each chunk). Bundles without one get it from the dataset, as long as that still holds what
lies before the cutoff; :attr:`Reference.source` says which it was.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import REFERENCE, Bundle
from clv_core.errors import NotEnoughData
from clv_core.features.log import EventLog, open_log
from clv_core.jobs import Progress
from clv_core.locks import writing
from clv_core.monitoring.drift.chunks import FEWEST, KINDS, Chunk, chunks_before
from clv_core.monitoring.drift.customers import earlier_instants
from clv_core.monitoring.drift.profile import COUNTS, Profile, profile
from clv_core.monitoring.drift.sights import Sight, bins_of, look_at, sight_of
from clv_core.workspace import atomic_path, write_json

if TYPE_CHECKING:
    from clv_core.training.fit import Model

FILE, TABLE = REFERENCE
PRICE: Final = "price:"
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
        cls,
        dataset: Dataset,
        log: EventLog,
        model: Model,
        config: TrainConfig,
        cutoff: date,
        progress: Progress,
        source: str = TRAINING,
    ) -> Self:
        """Make the reference of a model; nothing at or after the cutoff is read.

        Args:
            dataset: the log that the model was trained on, or a later version of it.
            log: the same as features see it.
            model: what was trained.
            config: its settings.
            cutoff: the end of what it knows.
            progress: listener.
            source: ``training`` or ``dataset``.
        """
        chunks = {kind: chunks_before(cutoff, kind, log.first_day) for kind in KINDS}
        profiles = {kind: profile(dataset, some) for kind, some in chunks.items() if len(some) >= FEWEST[kind]}
        bins: dict[str, list[float]] = {}
        sights = []
        instants = earlier_instants(cutoff, log.first_day)
        for number, instant in enumerate(instants):
            progress.report("reference", number, len(instants))
            seen = look_at(log, model, config, instant)
            bins = bins or bins_of(seen)
            sights.append(sight_of(seen, bins, instant))
        return cls(cutoff, source, log.first_day, profiles, bins, tuple(sights))

    def save(self, folder: Path) -> None:
        """Write the reference's files into a folder that is there, each whole, the one that says what it is last."""
        parts = [_table(one).assign(kind=kind) for kind, one in self.profiles.items()]
        empty = pd.DataFrame(columns=["kind", *COUNTS, "number"])
        table = pd.concat(parts, ignore_index=True) if parts else empty
        texts, numbers = ("kind", "subject", "value"), ("rows", "customers", "number")
        kinds = {**dict.fromkeys(texts, "str"), **dict.fromkeys(numbers, "float64"), "chunk": "int64"}
        with atomic_path(folder / TABLE) as temporary:
            table.astype(kinds).to_parquet(temporary, index=False)
        chunks = {
            kind: [[one.number, one.begin.isoformat(), one.end.isoformat()] for one in found.chunks]
            for kind, found in self.profiles.items()
        }
        about = {"cutoff": self.cutoff.isoformat(), "source": self.source, "first_day": self.first_day.isoformat()}
        sights = [sight.to_json() for sight in self.sights]
        write_json(folder / FILE, {**about, "chunks": chunks, "bins": self.bins, "sights": sights})

    @classmethod
    def of_files(cls, about: bytes, table: bytes) -> Self:
        """Return the reference of the content of its two files."""
        values: dict[str, Any] = json.loads(about)
        rows, profiles = pd.read_parquet(io.BytesIO(table)), {}
        for kind, spans in values["chunks"].items():
            chunks = (Chunk(int(n), date.fromisoformat(begin), date.fromisoformat(end)) for n, begin, end in spans)
            profiles[kind] = _profile(rows[rows["kind"] == kind], tuple(chunks))
        return cls(
            date.fromisoformat(values["cutoff"]),
            values["source"],
            date.fromisoformat(values["first_day"]),
            profiles,
            values["bins"],
            tuple(Sight.from_json(sight) for sight in values["sights"]),
        )


def _table(one: Profile) -> pd.DataFrame:
    prices = one.prices.assign(subject=PRICE + one.prices["subject"], value="", rows=0.0, customers=0.0)
    return pd.concat([one.counts.assign(number=float("nan")), prices], ignore_index=True)


def _profile(rows: pd.DataFrame, chunks: tuple[Chunk, ...]) -> Profile:
    priced = rows["subject"].str.startswith(PRICE)
    prices = rows.loc[priced, ["chunk", "subject", "number"]]
    prices = prices.assign(subject=prices["subject"].str.removeprefix(PRICE)).reset_index(drop=True)
    return Profile(rows.loc[~priced, COUNTS].reset_index(drop=True), prices, chunks)


def reference_of(bundle: Bundle, dataset: Dataset, kept: Path, progress: Progress) -> Reference:
    """Return a model's reference: of its bundle, else kept beside, else made from the dataset and kept.

    Args:
        bundle: the model.
        dataset: what is monitored.
        kept: folder for one that had to be made.
        progress: listener.

    Raises:
        NotEnoughData: the dataset holds nothing before the model's cutoff.
        Refused: the bundle's files were changed.
    """
    if set(REFERENCE) <= set(bundle.record["checksums"]):
        return Reference.of_files(*(bundle.read(name) for name in REFERENCE))
    if (found := _kept(kept)) is not None:
        return found
    cutoff = date.fromisoformat(bundle.record["cutoff"])
    config = TrainConfig.from_json(bundle.record["config"])
    if cutoff <= dataset.log_start:
        first = dataset.manifest.log_start
        raise NotEnoughData("no_reference", model=bundle.id, cutoff=cutoff.isoformat(), first=first)
    log = open_log(dataset, **config.of_log())
    try:
        made = Reference.of(dataset, log, bundle.model, config, cutoff, progress, DATASET)
    finally:
        log.close()
    with writing(kept / FILE):
        if (found := _kept(kept)) is not None:
            return found
        made.save(kept)
    return made


def _kept(folder: Path) -> Reference | None:
    if not all((folder / name).is_file() for name in REFERENCE):
        return None
    return Reference.of_files(*((folder / name).read_bytes() for name in REFERENCE))
