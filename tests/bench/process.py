"""One command of ours as a process of its own, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any


def command(words: list[str], cores: int | None = None) -> dict[str, Any]:
    """Run a command and return its JSON with ``seconds``, ``processor`` (seconds), ``memory_mb`` and ``load``.

    Args:
        words: what stands after ``python -m clv_core``.
        cores: how many processors it may use; None is all of them.
    """
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "clv_core", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),  # noqa: PLW1509 - no thread runs here
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0]} ended with exit code {process.returncode}: {output}")
    return {
        **json.loads(output.splitlines()[-1]),
        "seconds": time.monotonic() - started,
        "processor": usage.ru_utime + usage.ru_stime,
        "memory_mb": usage.ru_maxrss * 1024 / 1e6,
        "load": os.getloadavg()[0],
    }
