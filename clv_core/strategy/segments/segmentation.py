"""What all schemes share: segments with names, fitted cuts, and customers assigned by them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

VALUE: Final = "predicted_clv"
P_PURCHASE: Final = "p_purchase"
TIER: Final = "tier"
SEGMENT: Final = "segment"
SEGMENT_NAME: Final = "segment_name"
MEMBER: Final = "in_"
"""Prefix of a segment's key in a column of its members, where segments overlap."""


@dataclass(frozen=True)
class Segment:
    """One segment of a scheme.

    Args:
        key: its id within the scheme, on the command line and in files.
        title: parts of its name, in any language or as a person wrote them.
        about: who is in it and what to do with them; may be empty.
    """

    key: str
    title: tuple[Message | str, ...]
    about: Message | str = ""

    def name(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return its name."""
        return " · ".join(_text(part, language) for part in self.title)

    def description(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return who is in it and what to do with them."""
        return _text(self.about, language)


@dataclass(frozen=True, eq=False)
class Assignment:
    """Customers in segments.

    Args:
        segments: of the scheme, in its order.
        where: each customer's segment, 0 to k - 1; the first of several, [n].
        inside: who is in which segment, bool [k, n]; None where each customer is in exactly one.
    """

    segments: tuple[Segment, ...]
    where: Ints
    inside: Bools | None = None

    @property
    def count(self) -> int:
        """Number of segments."""
        return len(self.segments)

    def members(self) -> tuple[Ints, Ints]:
        """Return rows of customers and the segment of each; a customer in two segments has two entries, both [m]."""
        if self.inside is None:
            return np.arange(len(self.where)), self.where
        segment, row = np.nonzero(self.inside)
        return row, segment

    def chosen(self, segments: Collection[int]) -> Bools:
        """Return who is in any of these segments, bool [n]; everybody if there are none."""
        if not segments:
            return np.ones(len(self.where), bool)
        if self.inside is None:
            return np.isin(self.where, list(segments))
        return np.asarray(self.inside[list(segments)].any(axis=0), np.bool_)


class FittedScheme(ABC):
    """A scheme whose cuts are fixed, so that customers of another day are assigned by the same ones."""

    segments: tuple[Segment, ...]

    @abstractmethod
    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers of any day to the segments.

        Args:
            customers: ``score``'s columns and the purchase history, one row each, [n].
            points: the model's embedding of the same customers, [n, d], if there is one.
        """


class Segmentation(ABC):
    """A scheme to cut customers by. ``str()`` returns the text that :func:`.scored_customers.parse_scheme` reads."""

    kind: ClassVar[str]

    @property
    def names_key(self) -> str:
        """Key of the labels that a person gave; the same for other cuts into the same segments."""
        return self.kind

    @abstractmethod
    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedScheme:
        """Fit the cuts to these customers (see :meth:`FittedScheme.place`)."""


def _text(part: Message | str, language: str) -> str:
    return part if isinstance(part, str) else part.text(language)
