"""What speaks for a name: the champion if every byte of it is sound, else the last version that is."""

from __future__ import annotations

from dataclasses import dataclass

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.registry.version import Version
from clv_core.errors import Message


@dataclass(frozen=True)
class Served:
    """A version whose files were all held against their checksums.

    Args:
        version: which one.
        bundle: its bytes; the model is loaded from what is checked once more as it is read.
        warnings: what a person must know: empty where it is the champion.
    """

    version: Version
    bundle: Bundle
    warnings: tuple[Message, ...] = ()
