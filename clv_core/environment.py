"""Environment variables that CLV Studio reads: one field each, with its default and a description.

``assets/docs/environment.md`` shows :func:`table`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Final, Self

from clv_core.config import Settings
from clv_core.errors import UsageError


def variable(
    default: Any,
    about: str,
    *,
    unset: str = "",
    low: float | None = None,
    high: float | None = None,
    secret: bool = False,
) -> Any:
    """Declare one variable.

    Args:
        default: its value where it is not set or empty.
        about: description for the document.
        unset: how the document shows an empty default.
        low: smallest allowed number.
        high: largest allowed number.
        secret: whether ``repr`` leaves it out.
    """
    return field(default=default, repr=not secret, metadata={"about": about, "unset": unset, "low": low, "high": high})


@dataclass(frozen=True)
class EnvironmentSettings(Settings):
    """Base of settings that are environment variables: field ``name`` is the variable ``<PREFIX><NAME>``."""

    PREFIX: ClassVar[str] = "CLV_"

    @classmethod
    def variable(cls, name: str) -> str:
        """Return the environment variable of a field."""
        return cls.PREFIX + name.upper()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return the settings of an environment; None is that of this process, as it is now.

        Raises:
            UsageError: a variable's text cannot be read as its field's type, or is out of bounds.
        """
        given = os.environ if environment is None else environment
        values = {item.name: given.get(cls.variable(item.name)) for item in fields(cls)}
        return cls.from_pairs({name: text for name, text in values.items() if text})

    def to_environment(self) -> dict[str, str]:
        """Return the variables that :meth:`from_environment` reads these settings from."""
        return {self.variable(name): str(value) for name, value in self.to_json().items()}


@dataclass(frozen=True)
class Environment(EnvironmentSettings):
    """Variables of the command line, the app and the monitor. All are texts: whoever uses one checks it."""

    workspace: str = variable(
        "",
        "folder of datasets, models, keys and everything else that is stored",
        unset="`workspace` in a checkout; installed: the user's data folder",
    )
    key_file: str = variable("", "key of pseudonyms, do-not-contact list and erasures", unset="`<workspace>.key`")
    ingest_memory: str = variable("1200MB", "memory limit for reading a log; beyond it the disk is used")
    files: str = variable("", "folder of the files that the app may read by path", unset="any; with sign-in, none")
    login: str = variable("", "`required`: the app stays closed while no sign-in is set up (below)", unset="off")
    login_hours: str = variable("12", "hours until people sign in again; `0`: with Streamlit's cookie, after 30 days")
    frame_ancestors: str = variable("'self'", "sites that may show the app in a frame (below)")
    metrics_token: str = variable(
        "", "token that reads the app's `/_stcore/metrics` (below)", unset="none: nobody reads them", secret=True
    )
    access_file: str = variable(".streamlit/access.toml", "who is viewer, analyst or administrator")
    models: str = variable(
        "", "own models that may be loaded, as `module:Class`, separated by commas or blanks (below)", unset="none"
    )
    debug: str = variable("", "any value: unexpected errors print trace and text, which may quote a cell", unset="off")
    actor: str = variable("", "name in the audit log for what a command does", unset="the system's user")
    schedules: str = variable("", "`off`: the app runs no schedules; something else calls `run-due`", unset="on")
    webhook_url: str = variable(
        "", "address for alerts, failed schedules and summaries; Slack gets cards", unset="none", secret=True
    )
    smtp_host: str = variable("", "mail server for the same", unset="none")
    smtp_from: str = variable("", "address of the sender", unset="none")
    smtp_to: str = variable("", "addresses of the recipients, separated by commas", unset="none")
    smtp_security: str = variable("starttls", "`starttls`, `ssl` or `none`")
    smtp_port: str = variable("", "port of the mail server", unset="587; 465 with `ssl`; 25 with `none`")
    smtp_user: str = variable("", "name to log in with", unset="no login")
    smtp_password: str = variable("", "its password", unset="none", secret=True)


ALERT_ADDRESSES: Final = tuple(map(Environment.variable, ("webhook_url", "smtp_host", "smtp_to")))
"""Variables that decide who is notified of alerts; mail is sent where both of the mail server's are set."""


@dataclass(frozen=True)
class ServiceSettings(EnvironmentSettings):
    """Variables of the HTTP API, ``CLV_API_<FIELD>``, so that a container needs no file."""

    PREFIX: ClassVar[str] = "CLV_API_"

    host: str = variable("127.0.0.1", "address that the service listens on; in `compose.yaml` always 0.0.0.0")
    port: int = variable(8000, "its port; in `compose.yaml` always 8000", low=0, high=65_535)
    workers: int = variable(1, "processes that score; best one less than processors (below)", low=0, high=64)
    name: str = variable("", "name in the registry whose champion answers (below)", unset="the only one there is")
    open: bool = variable(False, "`true`: no key is needed; only with a host that is this machine")
    rate: float = variable(200.0, "requests a second that a key may make in the long run", low=0.01, high=1e6)
    burst: float = variable(400.0, "requests that a key may make at once", low=1, high=1e6)
    max_bytes: int = variable(4_000_000, "largest body of a request", low=1_000, high=1_000_000_000)
    max_customers: int = variable(1_000, "most customers of a request (20 with reasons)", low=1, high=100_000)
    max_events: int = variable(2_000, "most events of a customer", low=1, high=9_000)
    max_waiting: int = variable(20_000, "most customers in the queue, else 503 is answered", low=1, high=1_000_000)
    answer_seconds: float = variable(60.0, "after so long a request to score is answered by 503", low=0.1, high=3_600.0)
    batch: int = variable(128, "most customers that are scored in one call", low=1, high=4_096)
    wait_ms: float = variable(0.3, "longest wait of a call for the next customer", low=0.0, high=1_000.0)
    poll_seconds: float = variable(1.0, "how often the service checks for a new champion", low=0.01, high=3_600.0)
    max_models: int = variable(4, "models besides its own that are held in memory", low=1, high=64)

    def __post_init__(self) -> None:
        """Check every field, and that the largest request can wait.

        Raises:
            UsageError: a value is out of bounds, or fewer customers may wait than one request may hold.
        """
        super().__post_init__()
        if self.max_waiting < self.max_customers:
            raise UsageError("service_waiting", waiting=self.max_waiting, customers=self.max_customers)


OTHERS: Final = (
    ("CLV_MONITOR_SECONDS", "`86400`", "`compose.yaml`: time from one run of the monitor to the next"),
    ("CLV_MONITOR_RETRAIN", "`false`", "`true`: the monitor of `compose.yaml` also retrains once a week"),
    ("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "`200`", "largest upload of a browser in MB (below)"),
    ("OMP_NUM_THREADS", "`1`", "threads of one operation; work is shared out above them"),
)
"""Variables that ``compose.yaml`` or libraries read."""


def table() -> str:
    """Return all variables as a Markdown table."""
    rows = [_row(kind, item) for kind in (Environment, ServiceSettings) for item in fields(kind)]
    lines = [f"| `{name}` | {default} | {about} |" for name, default, about in (*rows, *OTHERS)]
    return "\n".join(["| variable | default | what it is |", "|---|---|---|", *lines])


def _row(kind: type[EnvironmentSettings], item: Field[Any]) -> tuple[str, str, str]:
    default = f"{item.default:g}" if isinstance(item.default, float) else str(item.default)
    shown = item.metadata["unset"] or f"`{default.lower() if isinstance(item.default, bool) else default}`"
    return kind.variable(item.name), shown, item.metadata["about"]
