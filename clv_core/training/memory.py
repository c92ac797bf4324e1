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

PEAK, NOW = "VmHWM", "VmRSS"
"""The largest resident memory that a process has had, and what it holds."""


class Workers:
    """Remembers the largest memory of this process and others that run beside it."""

    def __init__(self) -> None:
        self.together_mb = 0.0

    def look(self, processes: Iterable[int]) -> None:
        """Take note of what these processes, by their ids, have needed so far, beside what this one holds now."""
        beside = sum(process_mb(one) for one in processes)
        self.together_mb = max(self.together_mb, process_mb("self", NOW) + beside)


WORKERS: Final = Workers()
"""Of this process."""


def process_mb(process: int | str, which: str = PEAK) -> float:
    """Return the memory of a process in MB; 0 where that cannot be read: it has gone, or the system is not Linux."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    found = re.search(rf"{which}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def peak_memory_mb() -> float:
    """Return the largest memory so far of this process and its workers together, in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    own = process_mb("self") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return max(own, WORKERS.together_mb)
