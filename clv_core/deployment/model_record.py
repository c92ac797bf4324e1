"""A model's record, the content of ``bundle.json``: what it was trained on, how good it is, what it costs.

It is read as it was written or not at all: every field has a type, a range and a length, and there are no others. A
field that is added has a default, for records that were written before, and raises :data:`FORMAT`: an earlier program
then refuses the record and names the later version.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from annotated_types import Gt, Le, Len, Predicate

from clv_core import __version__
from clv_core.collection.store import Attribute
from clv_core.config import MODEL_IDS, OWN, TrainConfig
from clv_core.errors import Message, Refused
from clv_core.evaluation import METRICS, Evidence, Figures, HoldoutFacts, Memory, Trust, judge
from clv_core.records import MAX_NUMBER, Count, Currency, HorizonDays, JsonRecord, Number, Share, Time
from clv_core.training import Cost

if TYPE_CHECKING:
    from clv_core.collection.store import Dataset

FORMAT: Final = 4
"""The first one had no number; its records are read with the defaults of fields added since. From the third on, models
keep to one law (:mod:`clv_core.model.predictive_distribution`); those of earlier records score as they did. The fourth
may say how well a model's loss tells who was in its training."""
FIRST_SEALED: Final = 2
"""The first format with a number and a seal; archives have one of these."""
OF_SOME: Final = ("weights", "sampled", "untrained", "pretrained", "memory")
"""Fields that are written for the models that have them."""
SIGNED: Final = ("bias", "gini", "spearman", "capture10")
"""Metrics that may be negative."""
SHARES: Final = (
    *("auc", "brier", "accuracy", "precision", "recall", "f1", "coverage80", "coverage80_top"),
    *("pit10", "pit50", "pit90"),
)
"""Metrics between 0 and 1."""


def _is_measured(values: Mapping[str, float]) -> bool:
    """Say whether values are of metrics, and within their ranges."""
    lowest = {name: -MAX_NUMBER if name in SIGNED else 0.0 for name in METRICS}
    highest = {name: 1.0 if name in SHARES else MAX_NUMBER for name in METRICS}
    return all(name in METRICS and lowest[name] <= value <= highest[name] for name, value in values.items())


ModelId = Annotated[str, Predicate((*MODEL_IDS, OWN).__contains__)]
Setting = bool | int | float | str | None
Digest = Annotated[str, Predicate(re.compile(r"[0-9a-f]{64}").fullmatch)]
Metrics = Annotated[dict[str, Number], Predicate(_is_measured)]
MEMBERS: Final = ("hybrid", "instant_tuned", "lightgbm", "bgnbd")
"""Of a blend."""
Weights = Annotated[dict[Annotated[str, Predicate(MEMBERS.__contains__)], Share], Len(0, len(MEMBERS))]
Texts = Annotated[tuple[str, ...], Len(0, 64)]


@dataclass(frozen=True)
class DatasetVersion:
    """The dataset version that a model was trained on.

    Args:
        name: of the dataset.
        version: content hash of its version.
    """

    name: Annotated[str, Len(1, 64)]
    version: Annotated[str, Predicate(re.compile(r"[0-9a-f]{12}").fullmatch)]


@dataclass(frozen=True)
class Signals:
    """The dataset's own columns that a model reads.

    Args:
        attributes: of customers.
        review_themes: the strongest character n-grams of each theme of review texts.
    """

    attributes: tuple[Attribute, ...] = ()
    review_themes: Annotated[tuple[Texts, ...], Len(0, 64)] = ()


@dataclass(frozen=True)
class Sampled:
    """The sample of a larger log that a model was trained on.

    Args:
        customers: of the full log.
        events: likewise.
        fraction: of its customers that was requested.
        kept_customers: of the sample.
        kept_events: likewise.
    """

    customers: Count
    events: Count
    fraction: Annotated[float, Gt(0), Le(1)]
    kept_customers: Count
    kept_events: Count


@dataclass(frozen=True, kw_only=True)
class ModelRecord(JsonRecord):
    """The record of a model.

    Args:
        model: its kind, one of :data:`~clv_core.config.MODEL_IDS`, or ``own``.
        dataset: what it was trained on; the name is today's.
        created: time in UTC.
        code_version: of the program that trained it.
        cutoff: first day that it has not seen.
        horizon_days: length of the predicted span.
        currency: of all amounts; "" where the log's has no name.
        config: settings as its version wrote them; :attr:`train_config` has them as a type.
        metrics: on the holdout; empty where it was not measured.
        baselines: theirs, by model.
        holdout: where it was measured; None where it was not.
        evidence: what the verdict is made from; None of early versions.
        trust: the verdict of its training.
        signals: the dataset's own columns that it reads.
        weights: of the members of a blend; empty for other kinds.
        sampled: the sample that it was trained on; None where that was the log itself.
        warnings: of its training.
        estimate: what training was expected to cost.
        actual: what it cost.
        memory: how well its loss told who was in its training, of the fit that was measured; None where not tried.
        untrained: whether it has never learned from the log (:mod:`.zero_shot`).
        pretrained: record of the network that it is then.
        checksums: SHA-256 of its files by name.
        digest: content address; "" before it has files.
    """

    model: ModelId
    dataset: DatasetVersion
    created: Time
    code_version: Annotated[str, Predicate(re.compile(r"[0-9][0-9A-Za-z.+-]{0,39}").fullmatch)]
    cutoff: date
    horizon_days: HorizonDays
    currency: Currency
    config: dict[str, Setting]
    metrics: Metrics
    baselines: dict[ModelId, Metrics]
    holdout: HoldoutFacts | None
    evidence: Evidence | None = None
    trust: Trust
    signals: Signals = Signals()
    weights: Weights = field(default_factory=dict)
    sampled: Sampled | None = None
    warnings: Annotated[tuple[Message, ...], Len(0, 100)]
    estimate: Cost
    actual: Cost
    memory: Memory | None = None
    untrained: bool = False
    pretrained: dict[str, Any] | None = None
    checksums: dict[str, Digest] = field(default_factory=dict)
    digest: Digest = ""

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        config: TrainConfig,
        cutoff: date,
        figures: Figures,
        warnings: Sequence[Message],
        costs: tuple[Cost, Cost],
    ) -> Self:
        """Return the record of a model that was just trained.

        Args:
            dataset: on what.
            config: settings.
            cutoff: up to when.
            figures: how good it is.
            warnings: of the training.
            costs: what was expected, and what it came to.
        """
        return cls(
            model=config.model,
            dataset=DatasetVersion(dataset.name, dataset.version),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=__version__,
            cutoff=cutoff,
            horizon_days=config.horizon_days,
            currency=dataset.manifest.currency,
            config=config.to_json(),
            metrics=figures.metrics,
            baselines=figures.baselines,
            holdout=figures.holdout,
            evidence=figures.evidence,
            trust=judge(figures.evidence),
            warnings=tuple(warnings),
            estimate=costs[0].rounded(),
            actual=costs[1].rounded(),
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the record of the values of ``bundle.json``, of this version or an earlier one.

        Raises:
            BadField: a value is none that a record has.
            Refused: a later version wrote them.
        """
        return cls.exactly(upgrade(values))

    def to_json(self) -> dict[str, Any]:
        """Return the values of ``bundle.json``; :data:`OF_SOME` are left out where it has none."""
        return {name: value for name, value in super().to_json().items() if value or name not in OF_SOME}

    @cached_property
    def train_config(self) -> TrainConfig:
        """Its settings; those that are newer than it have their defaults.

        Raises:
            UsageError: this version does not know one, or a value of it.
        """
        return TrainConfig.from_json(self.config)

    def address(self, checksums: Mapping[str, str]) -> str:
        """Return the content address of a bundle, 64 hexadecimal digits; the dataset's name is no part of it.

        Args:
            checksums: SHA-256 by name of the files that make the model.
        """
        about = {
            "model": self.model,
            "code_version": self.code_version,
            "cutoff": self.cutoff.isoformat(),
            "horizon_days": self.horizon_days,
            "config": self.config,
            "data": self.dataset.version,
            "files": dict(sorted(checksums.items())),
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True, allow_nan=False).encode()).hexdigest()

    def named(self, name: str) -> Self:
        """Return the record of a model whose dataset has this name now."""
        return replace(self, dataset=replace(self.dataset, name=name))

    def labelled(self, currency: str) -> Self:
        """Return the record with every amount in ``currency``, in its evidence, reasons and warnings too."""

        def relabel(messages: tuple[Message, ...]) -> tuple[Message, ...]:
            return tuple(
                replace(message, params={**message.params, "currency": currency})
                if "currency" in message.params
                else message
                for message in messages
            )

        return replace(
            self,
            currency=currency,
            evidence=None if self.evidence is None else replace(self.evidence, currency=currency),
            trust=replace(self.trust, reasons=relabel(self.trust.reasons)),
            warnings=relabel(self.warnings),
        )


def upgrade(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of ``bundle.json`` as this version writes them, without format and seal.

    Raises:
        Refused: a later version wrote them.
    """
    file_format = values.get("format", FORMAT)
    if isinstance(file_format, int) and file_format > FORMAT:
        raise Refused("bundle_of_later_version", found=file_format, known=FORMAT)
    upgraded = {name: value for name, value in values.items() if name not in ("format", "seal")}
    evidence = upgraded.get("evidence")
    if isinstance(evidence, dict):  # up to the second format nothing was known of silences and gaps
        evidence = {**evidence, "silence": evidence.get("silence")}
        if isinstance(log := evidence.get("log"), dict):
            evidence["log"] = {**log, **{name: log.get(name, 0) for name in ("usual_gap", "long_gap")}}
        upgraded["evidence"] = evidence
    holdout = upgraded.get("holdout")
    if isinstance(holdout, dict):  # the measured fit had as many networks as the model
        upgraded["holdout"] = {**holdout, "networks": holdout.get("networks", 0)}
    return upgraded
