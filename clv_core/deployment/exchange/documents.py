"""Read JSON that nobody vouches for: bounded depth, each name once, finite numbers."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

from clv_core.errors import Refused

DEEPEST: Final = 32
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_document(content: bytes, member: str) -> Any:
    """Return what a JSON file says.

    Args:
        content: the file.
        member: its name.

    Raises:
        Refused: it is no JSON, nested deeper than :data:`DEEPEST`, or holds a name twice or a number without end.
    """
    try:
        text = content.decode("utf-8")
        if _depth(text) > DEEPEST:
            raise ValueError("nested too deep")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused("import_json", member=member, deepest=DEEPEST) from error


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in re.finditer(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
