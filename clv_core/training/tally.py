"""What a pre-training has taken and seen over all its sessions, and which code it ran: what its record says."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clv_core.workspace import read_json, write_json

CORE: Final = Path(__file__).resolve().parents[1]
DECIDING: Final = (
    *("features/btyd", "features/context", "features/sequences.py"),
    *("model/heads.py", "model/instant", "model/packing.py"),
    *("training/loop.py", "training/pretrain.py", "training/prior", "training/shops.py"),
)
"""Packages and modules of ``clv_core`` that decide the weights, beside seed and steps."""


@dataclass
class Tally:
    """Kept beside the state of a run, so that one that was cut off goes on counting.

    Args:
        path: the file.
        seconds: that all sessions took.
        shops: how many shops each chunk held that was learned from, by the chunk's number.
    """

    path: Path
    seconds: float = 0.0
    shops: dict[str, int] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, path: Path) -> Tally:
        """Return what is kept in ``path``, or an empty one."""
        return cls(path, **read_json(path)) if path.exists() else cls(path)

    def note(self, number: int, shops: int) -> None:
        """Count a chunk's shops, once however often it is begun, and the seconds since the last note."""
        self.shops[str(number)] = shops
        self.pause()

    def pause(self) -> None:
        """Count the seconds since the last note."""
        now = time.monotonic()
        self.seconds, self.began = self.seconds + now - self.began, now
        write_json(self.path, {"seconds": self.seconds, "shops": self.shops})

    def shops_of(self, chunks: int) -> int | None:
        """Return how many shops the first ``chunks`` chunks held; None where one was learned from and not counted."""
        wanted = [str(number) for number in range(chunks)]
        return sum(self.shops[number] for number in wanted) if self.shops.keys() >= set(wanted) else None


def code_hash(core: Path = CORE) -> str:
    """Return a hash of the code that decides the weights, 16 hexadecimal digits: of :data:`DECIDING`, byte by byte."""
    found = hashlib.sha256()
    for part in DECIDING:
        place = core / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(f"{path.relative_to(core).as_posix()}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]
