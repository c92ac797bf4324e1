"""Texts of charts, numbers and amounts in the reader's language: of the page in the app, English elsewhere.

Names from a log are cut where they would take the chart's room (:func:`short`), and read as letters, never as tags
(:func:`lettered`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import accumulate
from textwrap import wrap
from typing import Any, Final

import numpy as np

from clv_core.i18n import DEFAULT_LANGUAGE, has, room, say_money, say_number, say_share, translate
from clv_core.model.sequence_encoders import sequence_encoder

MAX_LETTERS: Final = 26
"""Letters of a segment's name at an axis."""
MAX_LOG_LETTERS: Final = 22
"""Letters of a name from a log at an axis."""
IN_CELL: Final = 12
"""Letters of a line in a cell of a grid."""
IN_WORDS: Final = 60
"""Letters of a name in a sentence."""
SMALLER: Final = "span style='font-size:11px'"
TAG: Final = re.compile(rf"&|<(?!br>|/span>|{SMALLER}>)")
"""What Plotly would read as a tag or as the name of a letter, but for the tags that our own texts have."""


def _default() -> str:
    return DEFAULT_LANGUAGE


_source: Callable[[], str] = _default


def follow_language(source: Callable[[], str]) -> None:
    """Take the language from ``source`` from now on; the app's sessions each have their own."""
    global _source
    _source = source


def language() -> str:
    """Return the reader's language."""
    return _source()


def t(key: str, **params: Any) -> str:
    """Return the sentence ``key`` in the reader's language."""
    return translate(key, language(), **params)


def name_of(prefix: str, value: str) -> str:
    """Return the catalogue's word for ``value`` (``feature.frequency``); what comes from data stays as it is."""
    if prefix == "choice.rnn":
        labels: dict[str, str] = sequence_encoder(value).LABELS
        return labels.get(language(), labels[DEFAULT_LANGUAGE])
    return t(f"{prefix}.{value}") if has(f"{prefix}.{value}", language()) else value


def say(value: float, digits: int = 3) -> str:
    """Return a number in the reader's language, rounded to some digits."""
    return say_number(value, language(), digits)


def money(value: float, currency: str = "", digits: int = 3) -> str:
    """Return an amount in the reader's language, with the log's currency where it has a name."""
    return say_money(value, currency, language(), digits)


def unit(currency: str) -> str:
    """Return the unit of money for axes: the log's currency, or that it is the log's where it has no name."""
    return currency or t("unit.currency")


def percent(share: float, digits: int = 0) -> str:
    """Return a share as a percentage; only 0 and 1 become 0 % and 100 %."""
    return say_share(share, digits)


def cut(name: str, most: int = IN_WORDS) -> str:
    """Return a name with its end left out where it takes more room than ``most`` Latin letters."""
    ends = list(accumulate(map(room, name)))
    if not ends or ends[-1] <= most:
        return name
    return f"{name[: sum(end < most for end in ends)]}…"


def short(names: Iterable[object], most: int = MAX_LETTERS) -> list[str]:
    """Return names short enough to leave room for the chart, still distinct."""
    return _apart(cut(str(name), most) for name in names)


def wrapped(names: Iterable[object]) -> list[str]:
    """Return names on two lines where they are long, for charts whose rows have room for them."""
    return _apart("<br>".join(_lines(cut(str(name), 2 * MAX_LETTERS))) for name in names)


def in_cell(name: str) -> str:
    """Return a name on up to three lines, for a cell of a grid."""
    return "<br>".join(_lines(name, IN_CELL, 3))


def smaller(text: str) -> str:
    """Return a text for a label's second line."""
    return f"<{SMALLER}>{text}</span>"


def _lines(name: str, most: int = MAX_LETTERS, lines: int = 2) -> list[str]:
    return wrap(name, most // max(map(room, name), default=1), max_lines=lines, placeholder="…") or [""]


def _apart(names: Iterable[str]) -> list[str]:
    distinct: list[str] = []
    for name in names:
        distinct.append(name if name not in distinct else f"{name} ({len(distinct) + 1})")
    return distinct


def lettered(value: Any) -> Any:
    """Return a text, or a list or an array of texts, as Plotly has to be given it to write it letter by letter."""
    if isinstance(value, str):
        return TAG.sub(lambda match: "&amp;" if match[0] == "&" else "&lt;", value)
    if isinstance(value, list):
        return [lettered(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        written = np.empty(value.size, object)
        written[:] = [lettered(item) for item in value.ravel()]
        return written.reshape(value.shape)
    return value
