"""What a service is made of, once it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from clv_core.deployment.service.batching import Batcher
from clv_core.deployment.service.gate import Gate
from clv_core.deployment.service.latest import Latest
from clv_core.deployment.service.metrics import Metrics
from clv_core.deployment.service.roster import Roster
from clv_core.deployment.service.settings import ServiceSettings
from clv_core.deployment.service.workers import Workers
from clv_core.workspace import Workspace


@dataclass
class Parts:
    """What the routes work with; the last five are made when the service starts."""

    workspace: Workspace
    settings: ServiceSettings
    metrics: Metrics
    gate: Gate = field(init=False)
    workers: Workers = field(init=False)
    roster: Roster = field(init=False)
    latest: Latest = field(init=False)
    lanes: dict[str, Batcher] = field(init=False)
