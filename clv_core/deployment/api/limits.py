"""How often a key may ask: a token bucket a key.

A bucket that holds ``burst`` tokens and gains ``rate`` a second is one number: when it will be full again. A request
moves that moment on by ``1 / rate``, and is turned away where it would lie more than ``burst / rate`` ahead (the
generic cell rate algorithm).
"""

from __future__ import annotations

import time


class RateLimiter:
    """The buckets of all keys.

    Args:
        rate: tokens a second.
        burst: tokens of a full bucket.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._each, self._most = 1 / rate, burst / rate
        self._full: dict[int, float] = {}

    def wait(self, slot: int, now: float | None = None) -> float:
        """Take a token from the bucket of ``slot``; return 0, or, where it is empty, the seconds until there is one.

        Args:
            slot: whose bucket.
            now: seconds; None asks a clock.
        """
        now = time.monotonic() if now is None else now
        full = max(now, self._full.get(slot, 0.0)) + self._each
        if full - now > self._most + 1e-9:
            return float(full - now - self._most)
        self._full[slot] = full
        return 0.0
