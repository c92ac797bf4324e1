"""Settings of the service, read from environment variables, so that a container needs no file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Self

from clv_core.config import Settings, option
from clv_core.errors import UsageError

PREFIX: Final = "CLV_API_"
SWITCH_SECONDS: Final = 0.001
"""How soon a waiting thread of a service's process gets its turn; with Python's own 5 ms, p99 shows it."""


@dataclass(frozen=True)
class ServiceSettings(Settings):
    """Each field is the variable ``CLV_API_<FIELD>``; ``config.api.<field>`` says in words what it is.

    Args:
        host: address that is listened on.
        port: port that is listened on.
        workers: processes that score, each on one processor, beside the one that talks, which wants one of its own; 0:
            that one scores too.
        name: the model that answers where a request names none: a name of the registry; empty: the only one there is.
        open: whether no key is asked for; on this machine only.
        rate: requests a second that a key may make in the long run.
        burst: requests that a key may make at once.
        max_bytes: largest body of a request.
        max_customers: most customers of a request.
        max_events: most events of a customer.
        max_waiting: most customers that wait to be scored before others are turned away.
        answer_seconds: after so long a request to score is turned away; a model may take long to load.
        batch: most customers that are scored together.
        wait_ms: how long a call waits for the next customer.
        poll_seconds: how often a new champion or a grown log is looked for.
        max_models: models beside the champion that are held in memory.
    """

    host: str = option("127.0.0.1", group="service")
    port: int = option(8000, low=0, high=65_535, group="service")
    workers: int = option(1, low=0, high=64, group="service")
    name: str = option("", group="service")
    open: bool = option(False, group="service")
    rate: float = option(200.0, low=0.01, high=1e6, group="service")
    burst: float = option(400.0, low=1, high=1e6, group="service")
    max_bytes: int = option(4_000_000, low=1_000, high=1_000_000_000, group="service")
    max_customers: int = option(1_000, low=1, high=100_000, group="service")
    max_events: int = option(2_000, low=1, high=9_000, group="service")
    max_waiting: int = option(20_000, low=1, high=1_000_000, group="service")
    answer_seconds: float = option(60.0, low=0.1, high=3_600.0, group="service")
    batch: int = option(128, low=1, high=4_096, group="service")
    wait_ms: float = option(0.3, low=0.0, high=1_000.0, group="service")
    poll_seconds: float = option(1.0, low=0.01, high=3_600.0, group="service")
    max_models: int = option(4, low=1, high=64, group="service")

    def __post_init__(self) -> None:
        """Check every field, and that the largest request can wait.

        Raises:
            UsageError: a value is out of bounds, or fewer customers may wait than one request may hold.
        """
        super().__post_init__()
        if self.max_waiting < self.max_customers:
            raise UsageError("service_waiting", waiting=self.max_waiting, customers=self.max_customers)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return the settings of an environment; None is that of this process.

        Raises:
            UsageError: a variable's text is no value of its field.
        """
        known = os.environ if environment is None else environment
        variables = {item.name: known[variable(item.name)] for item in fields(cls) if known.get(variable(item.name))}
        return cls.from_pairs(variables)

    def to_environment(self) -> dict[str, str]:
        """Return the variables that :meth:`from_environment` reads these settings from."""
        return {variable(name): str(value) for name, value in self.to_json().items()}


def variable(name: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + name.upper()
