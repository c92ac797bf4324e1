"""The network that the program ships with: one safetensors file, and a record of how it came about."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from safetensors.torch import load_file, save_file

from clv_core.model.instant.network import InstantNetwork
from clv_core.program_files import ASSETS
from clv_core.workspace import atomic_path, read_json, write_json

SHIPPED: Final = ASSETS / "instant"
WEIGHTS: Final = "weights.safetensors"
RECORD: Final = "record.json"


def save_network(network: InstantNetwork, folder: Path, record: dict[str, Any]) -> None:
    """Write a network and the record of its training into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, temporary)
    write_json(folder / RECORD, record)


def load_network(folder: Path = SHIPPED) -> InstantNetwork:
    """Return a network of its own with the weights in ``folder``, in eval mode."""
    return InstantNetwork.of(load_file(folder / WEIGHTS))


@cache
def shipped_record() -> dict[str, Any]:
    """Return the record of the network that the program ships with."""
    record: dict[str, Any] = read_json(SHIPPED / RECORD)
    return record
