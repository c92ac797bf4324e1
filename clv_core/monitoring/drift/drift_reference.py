"""The reference: what the data and the customers were like before a model's cutoff.

Training writes it into the bundle, as ``reference.json`` (histograms, periods) and ``reference.parquet`` (counts and
sampled amounts of each period). For bundles without one it is made from the dataset, as long as that still holds what
lies before the cutoff; :attr:`Reference.source` is which it was.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment import REFERENCE, Bundle
from clv_core.errors import NotEnoughData
from clv_core.features import EventLog, open_log
from clv_core.jobs import Progress
from clv_core.locks import writing
from clv_core.monitoring.drift.feature_histograms import (
    FeatureHistograms,
    choose_bins,
    earlier_instants,
    features_with_predictions,
    make_histograms,
)
from clv_core.monitoring.drift.periods import COUNTS, KINDS, MIN_PERIODS, Period, Profile, periods_before, profile
from clv_core.workspace import atomic_path, write_json

if TYPE_CHECKING:
    from clv_core.training import Model

FILE, TABLE = REFERENCE
PRICE: Final = "price:"
TRAINING, DATASET = "training", "dataset"


@dataclass(frozen=True, eq=False)
class Reference:
    """What was before a cutoff.

    Args:
        cutoff: of the model.
        source: ``training``, or ``dataset``: made when it was first needed.
        first_day: the log's first day.
        profiles: by kind of period; a kind of which there are too few periods is left out.
        bins: of the histograms.
        histograms: the cutoff's first, then those of months before it.
    """

    cutoff: date
    source: str
    first_day: date
    profiles: dict[str, Profile]
    bins: dict[str, list[float]]
    histograms: tuple[FeatureHistograms, ...]

    @classmethod
    def of(
        cls,
        log: EventLog,
        model: Model,
        config: TrainConfig,
        cutoff: date,
        progress: Progress,
        source: str = TRAINING,
    ) -> Self:
        """Make the reference of a model; nothing at or after the cutoff is read.

        Args:
            log: of the dataset that the model was trained on, or of a later version of it, opened for features.
            model: what was trained.
            config: its settings.
            cutoff: the end of its training data.
            progress: listener.
            source: ``training`` or ``dataset``.
        """
        dataset = log.dataset
        assert dataset is not None, "a log without a dataset has no profiles"
        periods = {kind: periods_before(cutoff, kind, log.first_day) for kind in KINDS}
        profiles = {kind: profile(dataset, some) for kind, some in periods.items() if len(some) >= MIN_PERIODS[kind]}
        bins: dict[str, list[float]] = {}
        histograms = []
        instants = earlier_instants(cutoff, log.first_day)
        for number, instant in enumerate(instants):
            progress.report("reference", number, len(instants))
            customers = features_with_predictions(log, model, config, instant)
            bins = bins or choose_bins(customers)
            histograms.append(make_histograms(customers, bins, instant))
        return cls(cutoff, source, log.first_day, profiles, bins, tuple(histograms))

    def save(self, folder: Path) -> None:
        """Write the two files into an existing folder, each atomically, the JSON last."""
        parts = [_to_table(made).assign(kind=kind) for kind, made in self.profiles.items()]
        empty = pd.DataFrame(columns=["kind", *COUNTS, "number"])
        table = pd.concat(parts, ignore_index=True) if parts else empty
        texts, numbers = ("kind", "subject", "value"), ("rows", "customers", "number")
        types = {**dict.fromkeys(texts, "str"), **dict.fromkeys(numbers, "float64"), "chunk": "int64"}
        with atomic_path(folder / TABLE) as temporary:
            table.astype(types).to_parquet(temporary, index=False)
        chunks = {
            kind: [[period.number, period.begin.isoformat(), period.end.isoformat()] for period in made.periods]
            for kind, made in self.profiles.items()
        }
        about = {"cutoff": self.cutoff.isoformat(), "source": self.source, "first_day": self.first_day.isoformat()}
        sights = [asdict(histograms) for histograms in self.histograms]
        write_json(folder / FILE, {**about, "chunks": chunks, "bins": self.bins, "sights": sights})

    @classmethod
    def of_files(cls, about: bytes, table: bytes) -> Self:
        """Return the reference of the content of its two files."""
        values: dict[str, Any] = json.loads(about)
        rows, profiles = pd.read_parquet(io.BytesIO(table)), {}
        for kind, spans in values["chunks"].items():
            periods = (Period(int(n), date.fromisoformat(begin), date.fromisoformat(end)) for n, begin, end in spans)
            profiles[kind] = _to_profile(rows[rows["kind"] == kind], tuple(periods))
        return cls(
            date.fromisoformat(values["cutoff"]),
            values["source"],
            date.fromisoformat(values["first_day"]),
            profiles,
            values["bins"],
            tuple(FeatureHistograms(**record) for record in values["sights"]),
        )


def _to_table(period_profile: Profile) -> pd.DataFrame:
    prices = period_profile.prices.assign(
        subject=PRICE + period_profile.prices["subject"], value="", rows=0.0, customers=0.0
    )
    return pd.concat([period_profile.counts.assign(number=float("nan")), prices], ignore_index=True)


def _to_profile(rows: pd.DataFrame, periods: tuple[Period, ...]) -> Profile:
    priced = rows["subject"].str.startswith(PRICE)
    prices = rows.loc[priced, ["chunk", "subject", "number"]]
    prices = prices.assign(subject=prices["subject"].str.removeprefix(PRICE)).reset_index(drop=True)
    return Profile(rows.loc[~priced, COUNTS].reset_index(drop=True), prices, periods)


def reference_of(bundle: Bundle, dataset: Dataset, folder: Path, progress: Progress) -> Reference:
    """Return a model's reference: the bundle's, else one saved in ``folder``, else made from the dataset and saved.

    Args:
        bundle: the model.
        dataset: what is monitored.
        folder: for one that had to be made.
        progress: listener.

    Raises:
        NotEnoughData: the dataset holds nothing before the model's cutoff.
        Refused: the bundle's files were changed.
    """
    if set(REFERENCE) <= set(bundle.record.checksums):
        return Reference.of_files(*(bundle.read(name) for name in REFERENCE))
    if (saved := _load(folder)) is not None:
        return saved
    cutoff, config = bundle.record.cutoff, bundle.record.train_config
    if cutoff <= dataset.log_start:
        first = dataset.manifest.log_start
        raise NotEnoughData("no_reference", model=bundle.id, cutoff=cutoff.isoformat(), first=first)
    log = open_log(dataset, **config.of_log())
    try:
        made = Reference.of(log, bundle.model, config, cutoff, progress, DATASET)
    finally:
        log.close()
    with writing(folder / FILE):
        if (saved := _load(folder)) is not None:
            return saved
        made.save(folder)
    return made


def _load(folder: Path) -> Reference | None:
    if not all((folder / name).is_file() for name in REFERENCE):
        return None
    return Reference.of_files(*((folder / name).read_bytes() for name in REFERENCE))
