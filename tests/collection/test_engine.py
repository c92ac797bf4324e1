"""The engine: a signal stops a long query at once, and a setting that it cannot take is named."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from clv_core.collection.engine import connect, fetch
from clv_core.errors import Cancelled, UsageError
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


@pytest.mark.parametrize(("memory", "limit"), [("2GB", "1.8 GiB"), ("", "1.1 GiB")])
def test_the_memory_that_is_set_is_the_engine_s(
    memory: str, limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLV_INGEST_MEMORY", memory)
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT current_setting('memory_limit')").fetchone() == (limit,)


@pytest.mark.parametrize("memory", ["plenty", "1200", "1GB'; SELECT 1; --"])
def test_memory_that_is_no_size_is_named(memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLV_INGEST_MEMORY", memory)
    with pytest.raises(UsageError, match="CLV_INGEST_MEMORY"):
        connect(tmp_path)
