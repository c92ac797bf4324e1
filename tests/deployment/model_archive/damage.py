"""Damaged variants of a JSON document: each value of another type, out of range, cut, left out or renamed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
LEFT_OUT, RENAMED = object(), object()


def damaged(document: Any, seed: int, count: int = 0, under: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ``(what was done, variant)``; of places that differ in positions of lists alone, one is chosen.

    Args:
        document: JSON values.
        seed: of the choices.
        count: how many variants are chosen; 0 is all.
        under: how the places begin that are damaged; empty is everywhere.
    """
    chance, places = random.Random(seed), dict[str, list[tuple[Place, Any]]]()
    for place, value in _places(document):
        places.setdefault(".".join("*" if isinstance(key, int) else key for key in place), []).append((place, value))
    found: list[tuple[str, Place, Any]] = []
    for name, alike in places.items():
        place, value = chance.choice(alike)
        for instead in _instead(value) if name.startswith(under) else ():
            if json.dumps(instead) != json.dumps(value):
                found.append((f"{name} = {instead!r:.40}", place, instead))
        for how, word in ((LEFT_OUT, "left out"), (RENAMED, "renamed")):
            if place and isinstance(place[-1], str) and name.startswith(under):
                found.append((f"{name} {word}", place, how))
    for what, place, instead in chance.sample(found, min(count or len(found), len(found))):
        yield what, _changed(document, place, instead)


def _places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield place, value
    if isinstance(value, (dict, list)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(one, (*place, key))


def _instead(value: Any) -> list[Any]:
    """Return what may stand instead of a value."""
    if isinstance(value, bool):
        return ["no", 1, None, []]
    if isinstance(value, (int, float)):
        return [str(value), None, True, [value], {}, -value, 0, -1, value + 0.5, 1e300, 2**70, 1e-300]
    if isinstance(value, str):
        return [5, None, True, [value], {}, "", "x" * 201, "2020-13-45"]
    if isinstance(value, dict):
        return [list(value.values()), None, "x", {}, 5, {**value, "extra": 1}]
    if isinstance(value, list):
        return [dict(enumerate(value)), None, "x", [], 5, [None], [[]], [{}], [*value, None], value[:-1], value[::-1]]
    return ["x", 5, [], {}]


def _changed(document: Any, place: Place, instead: Any) -> Any:
    if not place:
        return instead
    found = copy.deepcopy(document)
    around = found
    for key in place[:-1]:
        around = around[key]
    if instead in (LEFT_OUT, RENAMED):
        value = around.pop(place[-1])
        if instead is RENAMED:
            around[f"{place[-1]}x"] = value
    else:
        around[place[-1]] = instead
    return found
