"""The largest memory of a training: of this process, and of its workers while they ran side by side.

The kernel's ``ru_maxrss`` is no use for either: it starts from what the parent held when it started the process, so a
worker of 200 MB would be counted like its parent of several GB. ``VmHWM`` is the process's own (proc_pid_status(5)).
"""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PEAK: Final = re.compile(r"VmHWM:\s+(\d+) kB")


class Workers:
    """Remembers the largest memory of processes that run side by side."""

    def __init__(self) -> None:
        self.largest_mb = 0.0

    def look(self, processes: Iterable[int]) -> None:
        """Take note of what these processes, by their ids, have needed so far; one that has gone counts nothing."""
        self.largest_mb = max(self.largest_mb, sum(map(process_mb, processes)))


WORKERS: Final = Workers()
"""Of this process."""


def process_mb(process: int | str) -> float:
    """Return the largest resident memory that a process has had, in MB; 0 where that cannot be read."""
    try:
        found = PEAK.search(Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace"))
    except OSError:
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def peak_memory_mb() -> float:
    """Return the largest memory of this process so far plus that of its workers, in MB."""
    own = process_mb("self") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )
    return own + WORKERS.largest_mb
