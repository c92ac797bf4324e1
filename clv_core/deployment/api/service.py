"""What a service is made of, once it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from clv_core.deployment.api.api_metrics import Metrics
from clv_core.deployment.api.api_settings import ServiceSettings
from clv_core.deployment.api.batcher import Batcher
from clv_core.deployment.api.gate import Authenticator
from clv_core.deployment.api.latest_scores import LatestScores
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.api.workers import Workers
from clv_core.workspace import Workspace


@dataclass
class Parts:
    """What the routes work with; the last five are made when the service starts."""

    workspace: Workspace
    settings: ServiceSettings
    metrics: Metrics
    gate: Authenticator = field(init=False)
    workers: Workers = field(init=False)
    roster: ModelCache = field(init=False)
    latest: LatestScores = field(init=False)
    lanes: dict[str, Batcher] = field(init=False)
