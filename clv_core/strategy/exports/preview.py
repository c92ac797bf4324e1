"""What a list would hold, before it is written: how many match, why the others do not, and whether it is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from clv_core.collection.privacy.stoplist import StopList
from clv_core.errors import Message
from clv_core.strategy.exports.export import Contacts, who_is_in
from clv_core.strategy.exports.formats import EXPORTS

SHOWN: Final = 5


@dataclass(frozen=True, eq=False)
class Preview:
    """A list that is not written yet.

    Args:
        format: id of ``EXPORTS``.
        asked: customers asked for.
        rows: those of them whom the list would hold.
        left_out: the others by reason, as in :class:`~clv_core.strategy.exports.export.Exported`.
        reach: customers in it by contact field.
        first: its first rows as the platform would read them; None for generic formats.
        unknown_countries: customers in it whose country is not known, by what they have instead; a phone number that
            names no country is read by the region then.
        unknown_consent: see :class:`~clv_core.strategy.contacts.reach.Reach`.
        unread: the same.
        notes: what is to be said of them.
    """

    format: str
    asked: int
    rows: int
    left_out: dict[str, int]
    reach: dict[str, int]
    first: pd.DataFrame | None
    unknown_countries: dict[str, int] = field(default_factory=dict)
    unknown_consent: dict[str, int] = field(default_factory=dict)
    unread: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()

    @property
    def match_rate(self) -> float:
        """Share of those asked for whom the list would hold, 0 to 1; 0 where nobody was asked for."""
        return self.rows / self.asked if self.asked else 0.0

    @property
    def fewest(self) -> int:
        """Smallest list that the platform takes."""
        return EXPORTS[self.format].fewest

    @property
    def too_small(self) -> Message | None:
        """Why the platform would refuse the list; None where it would not."""
        if self.rows >= self.fewest:
            return None
        return Message("error.export_too_few", {"format": self.format, "rows": self.rows, "fewest": self.fewest})

    def to_json(self, language: str) -> dict[str, Any]:
        """Return it as JSON types; it names no customer."""
        small = self.too_small
        return {
            "format": self.format,
            "asked": self.asked,
            "rows": self.rows,
            "match_rate": self.match_rate,
            "left_out": self.left_out,
            "reach": self.reach,
            "unknown_countries": self.unknown_countries,
            "unknown_consent": self.unknown_consent,
            "unread": self.unread,
            "fewest": self.fewest,
            "too_small": None if small is None else small.to_json(language),
        }


def preview(
    frame: pd.DataFrame, format: str, contacts: Contacts | None = None, *, stop: StopList | None = None
) -> Preview:
    """Return what :func:`~clv_core.strategy.exports.export.export` would write of these customers; nothing is written.

    Args:
        frame: scored customers.
        format: id of ``EXPORTS``.
        contacts: how they can be reached, and who must not be.
        stop: the suppression list of the workspace.

    Raises:
        UsageError: unknown format, a platform format without contacts, or a region that is no country.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or ids that stand twice.
    """
    people = who_is_in(frame, format, contacts, stop)
    columns = EXPORTS[format].columns
    first = None if columns is None else columns(people.customers.head(SHOWN)).reset_index(drop=True)
    return Preview(
        format,
        len(frame),
        len(people.customers),
        people.left_out,
        people.reach,
        first,
        people.unknown_countries,
        people.unknown_consent,
        people.unread,
        people.not_understood,
    )
