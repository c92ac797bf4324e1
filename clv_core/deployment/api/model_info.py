"""What is known of a model without having it in memory: what it is made of, and what its answers say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.registry import Registry
from clv_core.deployment.timeliness import learned_until
from clv_core.errors import Message, NotFound
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.deployment.api.scorer import Scorer


@dataclass(frozen=True)
class ModelKey:
    """What a scorer is made of: it is as good as another one of the same.

    Args:
        name: under which the registry knows it.
        version: its number there.
        bundle: its id.
        digest: its content.
        log_version: content hash of the log around it.
        champion: whether it was asked for as the champion of its name.
    """

    name: str
    version: int
    bundle: str
    digest: str
    log_version: str
    champion: bool


@dataclass(frozen=True)
class ModelInfo:
    """What is to be known of a scorer without having it in memory.

    Args:
        wanted: what it is made of, asked for by its id: wherever it is loaded again, it is this one.
        timezone: IANA name of the log's time zone.
        event_types: what the model reads, as :class:`~clv_core.config.TrainConfig` has it.
        horizon_days: the model's horizon.
        currency: of the log; empty where it is not known.
        warnings: what its answers carry along.
        cutoff: up to when the model learned; None where it is not known, or it has learned from no log.
        log_types: event types of the log, which may have some of its own beside the usual ones.
        attributes: those of customers that the model learned from, and their kinds.
    """

    wanted: ModelKey
    timezone: str
    event_types: str
    horizon_days: int
    currency: str
    warnings: tuple[Message, ...] = ()
    cutoff: date | None = None
    log_types: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, scorer: Scorer, wanted: ModelKey) -> Self:
        """Return what is to be known of a scorer that was made of what was wanted."""
        record = scorer.bundle.record
        own = {"version": scorer.version, "bundle": scorer.bundle.id, "digest": record["digest"]}
        return cls(
            replace(wanted, **own, champion=False),
            scorer.around.timezone,
            scorer.config.event_types,
            scorer.config.horizon_days,
            record.get("currency") or "",
            scorer.warnings,
            learned_until(scorer.bundle),
            tuple(scorer.dataset.manifest.event_types),
            scorer.attributes,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """Return what :meth:`to_json` described."""
        warnings = tuple(Message(**one) for one in said["warnings"])
        own = {
            "cutoff": said["cutoff"] and date.fromisoformat(str(said["cutoff"])),
            "log_types": tuple(said["log_types"]),
        }
        return cls(**{**said, **own, "wanted": ModelKey(**said["wanted"]), "warnings": warnings})


def resolve_model(workspace: Workspace, registry: Registry, asked: str) -> ModelKey:
    """Return what stands behind a name of the registry (its champion) or a model's id; no file of it is read.

    Raises:
        NotFound: there is no such name or model, or its log is not here.
    """
    version = registry.champion(asked)
    champion = version is not None
    if version is None:
        version = registry.find(asked)
    if version is None:
        raise NotFound("no_model", model=asked[:80], known=", ".join(registry.names()) or "-")
    dataset = open_dataset(workspace, version.name)
    return ModelKey(version.name, version.number, version.bundle, version.digest, dataset.version, champion)
