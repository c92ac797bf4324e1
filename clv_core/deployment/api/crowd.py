"""How many connections a service holds, and who gives way where there are more.

Each takes a descriptor. Were all of them taken by clients who begin requests and never end them, nobody else could come
in, and nothing could be read from the disk.
"""

from __future__ import annotations

import logging
import resource
import time
from typing import Final, Protocol, Self

log = logging.getLogger(__name__)

MOST: Final = 4_096
"""Connections that are held where there are descriptors for more: what each has sent so far is kept in memory."""
OWN: Final = 256
"""Descriptors that are left for files: threads that read the registry and the latest scores have a few open each."""
OF_WORKER: Final = 4
"""And for each process that scores."""
TELL_SECONDS: Final = 10.0
"""How often it is logged at most."""


class Guest(Protocol):
    """A connection, as the crowd sees it."""

    def give_way(self) -> None:
        """Close at once."""

    def turn_away(self, most: int) -> None:
        """Say that as many as there may be are being answered, and close."""


class ConnectionLimit:
    """Connections of a service. Where one comes too many, the one that has been silent for longest gives way.

    Silent is who owes the service something: the rest of a request, the next one, or to read its answer. Where all
    are being answered, who comes is turned away.

    Args:
        most: connections at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: set[Guest] = set()
        self._silent: dict[Guest, None] = {}
        self._closed = self._turned_away = 0
        self._told = -TELL_SECONDS

    @classmethod
    def of_process(cls, workers: int) -> Self:
        """Return the crowd that this process has descriptors for, beside so many processes that score."""
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if descriptors == resource.RLIM_INFINITY:
            return cls(MOST)
        own = min(OWN + OF_WORKER * (workers + 1), descriptors // 2)
        return cls(min(MOST, descriptors - own))

    def enter(self, one: Guest) -> None:
        """Take a connection in, which has said nothing yet."""
        self._open.add(one)
        self.silent(one)
        if len(self._open) <= self.most:
            return
        going = next(iter(self._silent))
        self.leave(going)
        if going is one:
            self._turned_away += 1
            one.turn_away(self.most)
        else:
            self._closed += 1
            going.give_way()
        self._tell()

    def silent(self, one: Guest) -> None:
        """Note that from now on it is a connection's turn."""
        if one in self._open:
            self._silent.pop(one, None)
            self._silent[one] = None

    def answered(self, one: Guest) -> None:
        """Note that a connection waits for the service."""
        self._silent.pop(one, None)

    def leave(self, one: Guest) -> None:
        """Let go of a connection."""
        self._open.discard(one)
        self._silent.pop(one, None)

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            log.warning(
                "%d connections are open, as many as there may be (see ulimit -n). Since the last line like this one, "
                "closed for new ones, as silent for longest: %d; turned away, as all others were being answered: %d",
                *(self.most, self._closed, self._turned_away),
            )
            self._told, self._closed, self._turned_away = now, 0, 0
