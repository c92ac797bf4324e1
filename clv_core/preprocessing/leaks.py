"""Attributes that know the future: refused by default, by their name or by what they explain.

``total_spent`` or ``last_order_date`` in a customers table is the classic leak: exported today, it holds what a model
at a past cutoff must not know. A dated attribute says when it was known, so that evidence
(:mod:`~clv_core.preprocessing.leak_evidence`) alone judges it where there is any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clv_core.collection.store import Attribute, Dataset
from clv_core.collection.vocabulary import load_vocabulary
from clv_core.errors import Message, Refused, UsageError
from clv_core.jobs import Progress
from clv_core.preprocessing.leak_evidence import (
    FEWEST_BUYERS,
    FEWEST_CUSTOMERS,
    SHORTEST_DAYS,
    Evidence,
    gather_evidence,
    spans,
)
from clv_core.records import JsonObject

SHARE: Final = 0.10
LOW: Final = 0.05
"""An attribute is a leak where it explains this share of the rest, and surely (99%) more than the lower one.

Measured on simulated logs: channel, age, country and even the true tendency to buy with its own size of noise stay
below; an exact total reaches 0.6 to 0.9, a total with 50% noise 0.2 to 0.3, a tier cut from it 0.1 to 0.4.
"""


@dataclass(frozen=True)
class Judgement:
    """What was found about the attributes of a customers table.

    Args:
        named: attributes whose name says that they count the whole log.
        measured: the strongest evidence of each attribute that explains what it should not know.
        notes: why evidence could not be gathered, if so.
        untested: dated attributes with such a name, where no evidence could be gathered.
    """

    named: tuple[str, ...]
    measured: tuple[Evidence, ...]
    notes: tuple[Message, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All attributes that are refused by default."""
        return (*self.named, *self.untested, *(item.column for item in self.measured))

    def only(self, columns: Sequence[str]) -> Judgement:
        """Return the findings about ``columns``."""
        named, untested = (tuple(column for column in of if column in columns) for of in (self.named, self.untested))
        return Judgement(
            named, tuple(item for item in self.measured if item.column in columns), self.notes, untested=untested
        )

    def params(self) -> JsonObject:
        """Return the words' parameters: columns by name, and columns by evidence with their figures."""
        strongest = max(self.measured, key=lambda item: item.low, default=None)
        return {
            "named": list(self.named),
            "untested": list(self.untested),
            "measured": [f"{item.column} ({item.share:.0%})" for item in self.measured],
            "start": strongest.start.isoformat() if strongest else "",
            "end": strongest.end.isoformat() if strongest else "",
            "first": self.columns[0] if self.columns else "",
        }


def judge(dataset: Dataset, customers: Path, attributes: Sequence[Attribute], progress: Progress) -> Judgement:
    """Return which attributes are refused by default, and why.

    Args:
        dataset: the log.
        customers: the customers table, ids written as in the log.
        attributes: those that are on.
        progress: who listens.
    """
    suspicious = [attribute for attribute in attributes if says_leak(attribute.name)]
    named = [attribute.name for attribute in suspicious if attribute.dated_by is None]
    open_ones = [attribute for attribute in attributes if attribute.name not in named]
    found = gather_evidence(dataset, customers, open_ones, progress) if open_ones else []
    notes: tuple[Message, ...] = ()
    untested: tuple[str, ...] = ()
    if open_ones and not found:
        untested = tuple(attribute.name for attribute in suspicious if attribute.dated_by is not None)
        notes = (_unjudged(dataset),)
    strongest: dict[str, Evidence] = {}
    for item in found:
        if item.share >= SHARE and item.low >= LOW:
            before = strongest.get(item.column)
            strongest[item.column] = item if before is None or item.low > before.low else before
    return Judgement(tuple(named), tuple(strongest.values()), notes, untested)


def refuse_leaks(judgement: Judgement, attributes: Sequence[Attribute], accept: Sequence[str]) -> tuple[str, ...]:
    """Return the leaks that the person takes all the same; refuse the others.

    Args:
        judgement: of :func:`judge`.
        attributes: those that are on.
        accept: attributes that the person names.

    Raises:
        UsageError: ``accept`` names no attribute that is on.
        Refused: an attribute knows the future and is not named in ``accept``.
    """
    known = {attribute.name.lower(): attribute.name for attribute in attributes}
    for word in accept:
        if word.strip().lower() not in known:
            raise UsageError("customers_accept", column=word[:60], known=list(known.values()) or "-")
    taken = {known[word.strip().lower()] for word in accept}
    left = judgement.only([column for column in judgement.columns if column not in taken])
    if left.named and left.measured:
        raise Refused("leaks_both", **left.params())
    if left.named:
        raise Refused("leaks_by_name", **left.only(left.named).params())
    if left.untested:
        raise Refused("leaks_untested", **left.params())
    if left.measured:
        raise Refused("leaks_by_evidence", **left.params())
    return tuple(column for column in judgement.columns if column in taken)


def accepted_notes(judgement: Judgement, accepted: Sequence[str]) -> tuple[Message, ...]:
    """Return what stays to be said about leaks that were accepted, and about what could not be judged."""
    taken = judgement.only(accepted)
    said = taken.notes
    if taken.named or taken.untested:
        columns = [*taken.named, *taken.untested]
        said += (Message("warning.leaks_accepted_by_name", {"columns": columns}),)
    if taken.measured:
        said += (Message("warning.leaks_accepted_by_evidence", {"columns": taken.params()["measured"]}),)
    return said


def _unjudged(dataset: Dataset) -> Message:
    if not spans(dataset):
        days = (dataset.log_end - dataset.log_start).days
        return Message("warning.leaks_log_too_short", {"days": days, "needed": 4 * SHORTEST_DAYS})
    return Message("warning.leaks_too_few", {"customers": FEWEST_CUSTOMERS, "buyers": FEWEST_BUYERS})


_VOCABULARY: Final = load_vocabulary()
_DEED: Final = f"(?:{_VOCABULARY.pattern('leaks', 'deeds')})"
_WHOLE: Final = f"(?:{_VOCABULARY.pattern('leaks', 'whole')})"
_LAST: Final = f"(?:{_VOCABULARY.pattern('leaks', 'last')})"
WHOLE_NAMES: Final = re.compile(
    rf"{_VOCABULARY.pattern('leaks', 'columns')}|{_WHOLE}_(?:\w+_)?{_DEED}|{_DEED}_(?:\w+_)?{_WHOLE}"
    rf"|(?:{_VOCABULARY.pattern('leaks', 'numbers_of')})_{_DEED}"
    rf"|{_LAST}_(?:\w+_)?(?:{_VOCABULARY.pattern('leaks', 'last_deeds')})"
)
"""Whole names, in lower case with words joined by ``_``."""
PLACED: Final = re.compile(_VOCABULARY.pattern("leaks", "others"))
"""Tiers and segments of something else than the customer's buying."""
ENDS: Final = re.compile(f"_(?:{_VOCABULARY.pattern('leaks', 'ends')})$")
"""What a name may end with that says nothing of what is meant."""
WITHIN: Final = re.compile(_VOCABULARY.pattern("leaks", "within"))
"""Found anywhere in a name, without ``_``."""


def says_leak(column: str) -> bool:
    """Say whether a column's name says that it was counted or cut from what customers did in the whole log."""
    plain = unicodedata.normalize("NFKC", column).strip()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    words = ENDS.sub("", _snake(spaced))
    if PLACED.fullmatch(words):
        return False
    if any(map(WHOLE_NAMES.fullmatch, (words, _snake(spaced)))):
        return True
    return bool(WITHIN.search(words.replace("_", "")))


def _snake(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")
