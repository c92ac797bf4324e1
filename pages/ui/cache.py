"""Results that all sessions share, keyed by what they were made from: a model, a data version, a file."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle, Scored

P = ParamSpec("P")
R = TypeVar("R")

CUSTOMERS: Final = 10
"""Results with a row for every customer that are held at a time: one for each of ten people at work."""
SMALL: Final = 128
"""Charts, summaries and records that are held at a time."""


def _written(path: Path) -> tuple[str, int]:
    """Return a path and when it was last written; 0 where it is missing."""
    try:
        return str(path), path.stat().st_mtime_ns
    except OSError:
        return str(path), 0


def _dataset(dataset: Dataset) -> tuple[Hashable, ...]:
    return str(dataset.folder), dataset.manifest.currency


def _bundle(bundle: Bundle) -> tuple[Hashable, ...]:
    return str(bundle.folder), bundle.record.created, bundle.record.currency


def _scored(scored: Scored) -> tuple[Hashable, ...]:
    return *_dataset(scored.dataset), *_bundle(scored.model), *astuple(scored.terms), scored.cutoff


KEYS: Final[Mapping[str | type[Any], Callable[[Any], Hashable]]] = {
    type(Path()): _written,
    Bundle: _bundle,
    Dataset: _dataset,
    Scored: _scored,
}
"""What identifies an argument; of a file also when it was last written."""


def cached(entries: int = SMALL) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that computes a result once for all sessions; nobody may write to it.

    Arguments are compared by :data:`KEYS`, others by their value; those that begin with ``_`` are ignored. The
    latest ``entries`` results are held.
    """
    return st.cache_resource(max_entries=entries, show_spinner=False, hash_funcs=dict(KEYS))
