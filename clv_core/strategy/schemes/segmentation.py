"""What all schemes share: segments with names, a fit that settles the cuts, and customers placed by them."""

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

SEGMENT: Final = "segment"
SEGMENT_NAME: Final = "segment_name"
MEMBER: Final = "in_"
"""Before a segment's key: a column that says who is in it, where customers may be in several."""


@dataclass(frozen=True)
class Segment:
    """One segment of a scheme.

    Args:
        key: tells it apart within its scheme, on the command line and in files.
        title: parts of its name, in any language or as a person wrote them.
        about: who is in it and what to do with them, "" where nothing is said.
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
class Placed:
    """Customers in segments.

    Args:
        segments: of the scheme, in its order.
        where: each customer's segment, 0 to k - 1; the first one where there are several, [n].
        inside: who is in which segment, bool [k, n]; None where each is in exactly one.
    """

    segments: tuple[Segment, ...]
    where: Ints
    inside: NDArray[np.bool_] | None = None

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self.segments)

    def members(self) -> tuple[Ints, Ints]:
        """Return the places of customers and the segment of each; who is in two stands twice, both [m]."""
        if self.inside is None:
            return np.arange(len(self.where)), self.where
        segment, place = np.nonzero(self.inside)
        return place, segment

    def chosen(self, segments: Collection[int]) -> NDArray[np.bool_]:
        """Return who is in any of these segments, bool [n]; everybody where none is named."""
        if not segments:
            return np.ones(len(self.where), bool)
        if self.inside is None:
            return np.isin(self.where, list(segments))
        return np.asarray(self.inside[list(segments)].any(axis=0), np.bool_)


class Fitted(ABC):
    """A scheme whose cuts are settled."""

    segments: tuple[Segment, ...]

    @abstractmethod
    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers, of whatever day, into the segments.

        Args:
            customers: ``score``'s columns with the history's, one row each, [n].
            points: the model's embedding of the same customers, [n, d], where there is one.
        """


class Segmentation(ABC):
    """A scheme as it is asked for. ``str()`` returns the text that asks for it."""

    kind: ClassVar[str]

    @property
    def names_key(self) -> str:
        """Under what names that a person gives are kept: cuts may change, the segments they name may not."""
        return self.kind

    @abstractmethod
    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> Fitted:
        """Settle the cuts by these customers (see :meth:`Fitted.place`)."""


def _text(part: Message | str, language: str) -> str:
    return part if isinstance(part, str) else part.text(language)
