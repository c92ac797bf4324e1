"""Warnings of Python, and sentences in its words: ``duplicates="drop"`` where the command has ``--drop-duplicates``.

The catalogues name options of the command line; here they become the keywords of
:class:`~clv_core.estimator.keywords.Reading`.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from clv_core.collection import CHOICES
from clv_core.config import LEAVING
from clv_core.errors import Message
from clv_core.estimator.keywords import Reading

PAIRS: Final[Mapping[str, str]] = {"map": "columns", "event": "event_types", "state": "states", "rows": "rows"}
"""Option that takes ``KEY=VALUE`` -> keyword that takes a dictionary."""
FLAGS: Final[Mapping[str, str]] = {
    "--keep-duplicates": 'duplicates="keep"',
    "--drop-duplicates": 'duplicates="drop"',
    "--no-header": "header=False",
    "--header": "header=True",
    "--workspace": "workspace",
}
VALUES: Final = frozenset(Reading.__annotations__) - {*PAIRS.values(), "header", "duplicates"}
"""Keywords whose option takes a value."""
_TOKEN: Final = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+"
_PAIR: Final = rf"--(?:{'|'.join(PAIRS)})[ =](?:{_TOKEN})"
_RUN: Final = re.compile(rf"{_PAIR}(?: {_PAIR})*(?: \(empty\))?")
_FLAG: Final = re.compile("|".join(FLAGS))
_VALUE: Final = re.compile(
    rf"--({'|'.join(sorted(name.replace('_', '-') for name in VALUES))})\b"
    rf"(?:[ =](\"[^\"]*\"|'[^']*'|[A-Za-z0-9_/+-]+(?:\.[A-Za-z0-9]+)?))?(?: or (\w+))?"
)
_BARE_PAIR: Final = re.compile(rf"--({'|'.join(PAIRS)})\b")
_PACKAGE: Final = str(Path(__file__).resolve().parents[1])


class ClvWarning(UserWarning):
    """Something about the data, a model or its scores that the command line would say, too.

    Args:
        message: code, parameters and sentence.

    Attributes:
        code: stable name, for example ``duplicates_kept``.
        params: what the sentence names.

    Examples:
        >>> import warnings
        >>> from clv_core import ClvWarning
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always", ClvWarning)
        ...     predicted = clv.predict(pd.concat([past, past.head(2)]))
        >>> for doubt in caught:
        ...     print(doubt.message.code, doubt.message.params)
        duplicates_kept {'rows': 2}
    """

    def __init__(self, message: Message) -> None:
        super().__init__(python_words(message.text()))
        self.code = message.code.split(".", 1)[-1]
        self.params = message.params
        self._message = message

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to unpickle it."""
        return type(self), (self._message,)


class ClvDeprecation(ClvWarning, DeprecationWarning):
    """A setting whose value a later version no longer takes; it is shown as every :class:`ClvWarning` is."""


def warn(messages: Iterable[Message]) -> None:
    """Give messages as warnings of the line that called this package."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    for message in messages:
        kind = ClvDeprecation if message.code == LEAVING else ClvWarning
        warnings.warn(kind(message), stacklevel=level)


def python_words(sentence: str) -> str:
    """Return a sentence with the keywords of ``fit`` in place of the options of ``clv ingest``."""
    sentence = _RUN.sub(_dictionaries, sentence)
    sentence = _BARE_PAIR.sub(lambda match: PAIRS[match[1]], sentence)
    sentence = _FLAG.sub(lambda match: FLAGS[match[0]], sentence)
    return _VALUE.sub(_keyword, sentence)


def _dictionaries(match: re.Match[str]) -> str:
    """Return ``columns={"a": "b", "c": "d"}`` for ``--map a=b --map c=d``."""
    run, end = match[0].removesuffix(" (empty)"), ""
    pairs: dict[str, list[str]] = {}
    for option, token in re.findall(rf"--({'|'.join(PAIRS)})[ =]({_TOKEN})", run):
        bare = token.rstrip(".,;:)")
        end = token[len(bare) :]
        text = re.sub("[\"']", "", bare)
        key, _, value = text.partition("=") if option == "map" else text.rpartition("=")
        pairs.setdefault(PAIRS[option], []).append(f'"{key}": "{value}"')
    return ", ".join(f"{keyword}={{{', '.join(items)}}}" for keyword, items in pairs.items()) + end


def _keyword(match: re.Match[str]) -> str:
    name, value, other = match[1].replace("-", "_"), match[2], match[3]
    behind = f" or {other}" if other else ""
    if value is None or (name in CHOICES and value not in CHOICES[name]):
        return f"{name}{'' if value is None else f' {value}'}{behind}"
    if other in CHOICES.get(name, ()):
        behind = f' or "{other}"'
    quoted = value if name == "max_amount" or value[0] in "\"'" else f'"{value}"'
    return f"{name}={quoted}{behind}"
