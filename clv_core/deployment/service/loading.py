"""From a name to a scorer that is ready: looked up in the registry, every byte checked, warmed up."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clv_core.collection.store import open_dataset
from clv_core.columns import PURCHASE
from clv_core.deployment.registry import Registry
from clv_core.deployment.service.scorer import Scorer
from clv_core.deployment.service.scoring import Ask, answer
from clv_core.deployment.surroundings import FOLDER, surroundings
from clv_core.errors import NotFound
from clv_core.workspace import Workspace

LOCK: Final = ".lock"


@dataclass(frozen=True)
class Wanted:
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


def look_up(workspace: Workspace, registry: Registry, asked: str) -> Wanted:
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
    dataset = open_dataset(workspace, str(version.record["dataset"]["name"]))
    return Wanted(version.name, version.number, version.bundle, version.digest, dataset.version, champion)


def load(workspace: Workspace, registry: Registry, wanted: Wanted) -> Scorer:
    """Return the scorer of what was looked up, or, where a champion is damaged, of the last good version.

    Raises:
        NotFound: it is gone by now.
        Refused: a byte of it was changed, and no version of its name is sound.
    """
    if wanted.champion:
        served = registry.serving(wanted.name)
        version, bundle, warnings = served.version, served.bundle, served.warnings
    else:
        version = registry.version(wanted.name, wanted.bundle)
        bundle, warnings = registry.open(version), ()
    dataset = open_dataset(workspace, str(bundle.record["dataset"]["name"]))
    with (workspace.folder(FOLDER) / LOCK).open("w") as lock:  # the log is read by one process, the others wait for it
        fcntl.flock(lock, fcntl.LOCK_EX)
        around = surroundings(workspace, bundle, dataset)
    scorer = Scorer(bundle, around, dataset, version.name, version.number, tuple(warnings))
    warm_up(scorer)
    return scorer


def warm_up(scorer: Scorer) -> None:
    """Score a customer who is nobody, so that the first one who is somebody need not wait for imports and caches."""
    time = datetime.combine(scorer.around.cutoff, datetime.min.time()) - timedelta(days=1)
    event = {"event_time": time, "event_type": PURCHASE, "amount": 1.0}
    said = answer([Ask(scorer, scorer.around.cutoff, [{"customer_id": "-", "events": [event]}])])  # type: ignore[list-item]
    assert "error" not in said[0][0]
