"""The memory of a process is its own, not what its parent held when it started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clv_core.training.pool import NOW, Workers, peak_memory_mb, process_mb

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system")
HELD = "x = b'1' * int({size} * 1e6); print('ready', flush=True); input()"


def started(size: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HELD.format(size=size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_workers_count_with_what_they_hold_side_by_side_however_large_their_parent_is() -> None:
    mine = np.ones(50_000_000)  # 400 MB
    small, larger = started(1), started(101)
    try:
        alone = process_mb(small.pid)
        assert 1 < alone < 60 < 400 < process_mb("self")
        assert process_mb(larger.pid) - alone == pytest.approx(100, abs=15)
        workers = Workers()
        workers.look([small.pid, larger.pid])
        together = process_mb("self", NOW) + alone + process_mb(larger.pid)
        assert workers.together_mb == pytest.approx(together, rel=0.05)
    finally:
        for process in (small, larger):
            process.kill()
            process.communicate()
    needed = workers.together_mb
    workers.look([small.pid, larger.pid])
    assert workers.together_mb == needed, "it is remembered when it is over"
    assert process_mb(larger.pid) == 0.0 and peak_memory_mb() >= mine.nbytes / 1e6
