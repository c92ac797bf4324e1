"""Names of files that a person saves: short, and in the words of the page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.i18n import has
from pages.ui import session
from pages.ui.i18n import t

LONGEST: Final = 80
"""Characters of a name with its ending."""
FORBIDDEN: Final = re.compile(r"[\\/:*?\"<>|\s]+")
"""Signs that a file system or a spreadsheet does not take in a name."""
_NUMBERED: Final = re.compile(r"([a-z]+)(\d+)")


def file_name(
    bundle: Bundle, what: str, as_of: date | str, ending: str, terms: Terms | None = None, mark: str = ""
) -> str:
    """Return ``<dataset>_<what>_<cutoff>_<horizon>.<ending>``, of at most :data:`LONGEST` characters.

    Which model and version it is of stands in the file's side file, or on the second sheet of a workbook.

    Args:
        bundle: the model.
        what: the content, in words with hyphens between them.
        as_of: the cutoff.
        ending: without a full stop.
        terms: horizon with discount and margin; None is the trained horizon.
        mark: what tells files apart that would else share the name, at its end.
    """
    record = bundle.record
    rest = [str(as_of)[:10], (terms or Terms(record["horizon_days"])).mark, *([mark] if mark else [])]
    room = LONGEST - len("_".join(["", "", *rest])) - len(f".{ending}")
    said, name = spoken(what), FORBIDDEN.sub("-", record["dataset"]["name"])
    name = _cut(name, max(room - len(said), room // 2))
    return "_".join([name, _cut(said, room - len(name)), *rest]) + f".{ending}"


def dated(what: str, ending: str) -> str:
    """Return ``<what>_<today>.<ending>``, for a file about the whole workspace."""
    return f"{spoken(what)}_{datetime.now(UTC):%Y-%m-%d}.{ending}"


def spoken(what: str) -> str:
    """Return the words of a file's content in the language of the page; what has no word there stays."""
    return FORBIDDEN.sub("-", "-".join(map(_word, what.split("-"))))


def _word(token: str) -> str:
    numbered = _NUMBERED.fullmatch(token)
    word, number = numbered.groups() if numbered else (token, "")
    return t(f"file.{word}") + number if has(f"file.{word}", session.language()) else token


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rstrip("-_. ")
