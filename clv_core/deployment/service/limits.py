"""How often a key may ask: a token bucket a key, shared by all worker processes.

A bucket that holds ``burst`` tokens and gains ``rate`` a second is one number: when it will be full again. A request
moves that moment on by ``1 / rate``, and is turned away where it would lie more than ``burst / rate`` ahead (the
generic cell rate algorithm). The numbers lie in a file that all workers map, each locked while it is moved.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from pathlib import Path
from typing import Final

MOST_KEYS: Final = 4096
"""Slots beyond these share with earlier ones."""
SIZE: Final = 8


class Limiter:
    """The buckets of all keys.

    Args:
        path: a file that all workers share; made where it is not there.
        rate: tokens a second.
        burst: tokens of a full bucket.
    """

    def __init__(self, path: Path, rate: float, burst: float) -> None:
        self._each, self._most = 1 / rate, burst / rate
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._file).st_size < MOST_KEYS * SIZE:
            os.ftruncate(self._file, MOST_KEYS * SIZE)
        self._map = mmap.mmap(self._file, MOST_KEYS * SIZE)

    def wait(self, slot: int, now: float | None = None) -> float:
        """Take a token from the bucket of ``slot``; return 0, or, where it is empty, the seconds until there is one.

        Args:
            slot: whose bucket.
            now: seconds on a clock that all workers share; None asks it.
        """
        now = time.monotonic() if now is None else now
        at = slot % MOST_KEYS * SIZE
        fcntl.lockf(self._file, fcntl.LOCK_EX, SIZE, at)
        try:
            full = max(now, struct.unpack_from("d", self._map, at)[0]) + self._each
            if full - now > self._most + 1e-9:
                return float(full - now - self._most)
            struct.pack_into("d", self._map, at, full)
            return 0.0
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, SIZE, at)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        os.close(self._file)
