"""JSON logs that hold the events of a session or a customer as a list within one object, and no event of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import EVENT_TIME
from clv_core.errors import Refused


def refuse_nested_events(
    paths: Sequence[tuple[str, ...]], columns: Sequence[str], kinds: Sequence[Any], file: str
) -> None:
    """Refuse objects whose only times stand in a list of objects.

    Args:
        paths: keys that lead to each value.
        columns: top-level keys.
        kinds: their types, as the engine found them.
        file: what the person calls it.

    Raises:
        Refused: the events are to be unfolded first.
    """
    if any(_is_time(path[-1]) for path in paths):
        return
    for column, kind in zip(columns, kinds, strict=True):
        if kind.id != "list" or kind.child.id != "struct":
            continue
        keys = [str(key) for key, _ in kind.child.children]
        if any(map(_is_time, keys)):
            raise Refused("nested_events", file=file, column=column, keys=list(keys[:8]))


def _is_time(key: str) -> bool:
    return EVENT_TIME in (SURE_NAMES.get(fold(key)), LIKELY_NAMES.get(fold(key)))
