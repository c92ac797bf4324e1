"""A signal stops a long query at once."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from clv_core.collection.engine import connect, fetch
from clv_core.errors import Cancelled
from clv_core.jobs import NoProgress


def test_a_signal_interrupts_a_query_that_would_run_for_minutes(tmp_path: Path) -> None:
    def stop(signum: int, frame: object) -> None:
        raise Cancelled

    connection = connect(tmp_path)
    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.35)
    started = time.monotonic()
    try:
        with pytest.raises(Cancelled):
            fetch(connection, "SELECT sum(sqrt(i)) FROM range(100000000000) t(i)", NoProgress(), "write")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    connection.close()
    assert time.monotonic() - started < 10
