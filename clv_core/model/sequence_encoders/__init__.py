"""Sequence encoders: one file each, whose name is a choice of the setting ``rnn``.

A file holds:

``LABELS``  what the choice is called, by language
``COST``    time of a step relative to a GRU of the same width
``make``    (width_in, width, layers, dropout) -> a module that reads a packed batch and returns nothing, and the last
            states [..., B, width], as ``torch.nn.GRU`` does

A module that is made of linear layers, norms and embeddings can be stacked with others as it is
(:mod:`clv_core.model.stacking`), if it counts its axes from the end.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def sequence_encoder(name: str) -> Any:
    """Return the file of an encoder; it brings torch only when a module is made."""
    return import_module(f"{__name__}.{name}")
