"""What is simulated (:class:`SimulationPlan`), and what comes out (:class:`Simulation`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core import columns
from clv_core.collection.engine import connect_memory
from clv_core.errors import UsageError
from clv_core.workspace import atomic_path

START: Final = date(2023, 1, 1)
"""First day of every simulated log."""

MONEY: Final = (columns.AMOUNT, columns.UNIT_PRICE, columns.DISCOUNT)


@dataclass(frozen=True)
class SimulationPlan:
    """The size of a simulated log.

    Args:
        customers: number of customers.
        days: length of the log, history and horizon together.
        seed: the same seed gives the same rows.
        horizon_days: the truth is about the last ``horizon_days`` of the log.
        channels: whether customers come through channels of different quality (:mod:`.channels`), with what these cost
            and are worth; scenarios ``browsing`` and ``subscription``.
    """

    customers: int
    days: int
    seed: int
    horizon_days: int = 182
    channels: bool = False

    def __post_init__(self) -> None:
        """Check the sizes.

        Raises:
            UsageError: no customer, no horizon, a negative seed, or no week of history before the horizon.
        """
        for name, value, low, high in (
            ("customers", self.customers, 1, 10_000_000),
            ("horizon-days", self.horizon_days, 1, 3650),
            ("seed", self.seed, 0, 2**63 - 1),
        ):
            if not low <= value <= high:
                raise UsageError("simulate_bounds", option=name, value=value, low=low, high=high)
        if not self.horizon_days + 7 <= self.days <= 36_500:
            raise UsageError("simulate_days", days=self.days, horizon=self.horizon_days, least=self.horizon_days + 7)

    @property
    def cutoff_day(self) -> int:
        """Days from the log's start to the cutoff: the history's length."""
        return self.days - self.horizon_days

    @property
    def cutoff(self) -> date:
        """The cutoff of the true values."""
        return START + timedelta(days=self.cutoff_day)

    @property
    def end(self) -> date:
        """The first midnight after the log."""
        return START + timedelta(days=self.days)

    def customer_ids(self) -> NDArray[np.object_]:
        """Return the customers' ids, shape [customers]."""
        width = len(str(self.customers))
        return np.array([f"C{number:0{width}d}" for number in range(1, self.customers + 1)], dtype=object)


@dataclass(frozen=True)
class Simulation:
    """A log and its truth.

    Args:
        plan: of the simulation.
        events: the log, canonical columns, ordered by time; money in cents' precision.
        truth: one row a customer seen before the cutoff: ``customer_id``; ``actual_value`` (net value in the horizon);
            ``expected_value`` (its expectation given everything latent at the cutoff); ``attainable_value`` (its
            expectation given the history before the cutoff under the true parameters, NaN where no closed form is
            known); then the scenario's latent parameters.
        spend: with channels, the cost by day and channel (:func:`.channels.spend_table`); else None.
        channels: with them, what each is worth in truth (:func:`.channels.priced`); else None.
    """

    plan: SimulationPlan
    events: pd.DataFrame
    truth: pd.DataFrame
    spend: pd.DataFrame | None = None
    channels: pd.DataFrame | None = None

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write ``events.csv`` and ``truth.csv`` into ``folder`` and return their paths.

        With channels, ``spend.csv`` and ``channels.csv`` are written too.

        Raises:
            UsageError: the folder cannot be made or written to.
        """
        events, truth = folder / "events.csv", folder / "truth.csv"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write_csv(self.events, events)
            _write_csv(self.truth, truth)
            for name, table in (("spend", self.spend), ("channels", self.channels)):
                if table is not None:
                    _write_csv(table, folder / f"{name}.csv")
        except OSError as error:
            raise UsageError("simulate_out", path=str(folder), reason=error.strerror or "") from error
        return events, truth


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    def expression(name: str) -> str:
        if name in MONEY:
            return f'CAST("{name}" AS DECIMAL(18, 2)) AS "{name}"'
        if name == columns.EVENT_TIME:
            whole_days = bool((frame[name] == frame[name].dt.normalize()).all())
            return f"strftime({name}, '{'%Y-%m-%d' if whole_days else '%Y-%m-%d %H:%M:%S'}') AS {name}"
        return f'"{name}"'

    selected = ", ".join(expression(name) for name in frame.columns)
    with atomic_path(path) as temporary, connect_memory() as connection:
        connection.register("frame", frame)
        target = str(temporary).replace("'", "''")
        connection.execute(f"COPY (SELECT {selected} FROM frame) TO '{target}' (FORMAT csv, HEADER, DELIMITER ',')")
