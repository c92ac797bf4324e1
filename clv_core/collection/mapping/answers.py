"""What the person has said about a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict


@dataclass(frozen=True)
class Answers:
    """What the person has said about a file.

    Args:
        mapping: canonical name -> source column.
        date_order: ``dmy``, ``mdy``, ``ymd`` or None.
        decimal: ``point``, ``comma`` or None.
        timezone: IANA name of the log's time zone.
        currency: what the amounts are in.
        duplicates: ``keep``, ``drop`` or None for the rule.
        events: event name in the file -> event type.
        header: whether the file names its columns; None looks, and asks where that is not plain.
        states: word of a column of states of orders -> ``sold``, ``cancelled`` or ``refunded``; spelling aside.
        encoding: of a text file; empty looks.
        amount_unit: ``major``, ``minor``, ``micro`` or None: whether amounts are in the currency, in its smallest unit
            or in millionths; None takes them for the first, says where they look like the second, and knows the third
            by the names of Google Analytics.
        similar_ids: ``merge``, ``separate`` or None: whether ids that differ only in capitals, blanks or leading zeros
            are one customer; None decides where that is plain, and asks where it is not.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    date_order: str | None = None
    decimal: str | None = None
    timezone: str = "UTC"
    currency: str = ""
    duplicates: str | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    header: bool | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    amount_unit: str | None = None
    similar_ids: str | None = None


class Said(TypedDict, total=False):
    """The same as keywords of a call, each only where something was said."""

    mapping: Mapping[str, str]
    date_order: str | None
    decimal: str | None
    timezone: str
    currency: str
    duplicates: str | None
    events: Mapping[str, str]
    header: bool | None
    states: Mapping[str, str]
    encoding: str
    amount_unit: str | None
    similar_ids: str | None
