"""Check a boosting model's text before the library that trusts it reads it: every tree is a tree over known columns.

The library follows the child numbers of a node without looking; a number out of range would read foreign memory, and a
circle would never end.
"""

from __future__ import annotations

import math
import re
from typing import Final

MOST_TREES: Final = 10_000
MOST_LEAVES: Final = 100_000
_TREE: Final = re.compile(r"^Tree=(\d+)$", re.MULTILINE)
_INNER: Final = ("split_feature", "threshold", "decision_type", "left_child", "right_child")


def check_booster(text: str, columns: int) -> None:
    """Check the text of one booster.

    Args:
        text: LightGBM's model format, version 4.
        columns: how many columns the model's encoder makes.

    Raises:
        ValueError: it does not describe sound trees over these columns.
    """
    parts = _TREE.split(text.partition("\nend of trees\n")[0])
    head = _fields(parts[0])
    if not parts[0].startswith("tree\n") or (head.get("num_class"), head.get("num_tree_per_iteration")) != ("1", "1"):
        raise ValueError("no booster of one value")
    if int(head["max_feature_idx"]) != columns - 1:
        raise ValueError("another number of columns")
    trees = parts[2::2]
    if not 1 <= len(trees) <= MOST_TREES or [int(number) for number in parts[1::2]] != list(range(len(trees))):
        raise ValueError("trees are missing")
    if len(head["tree_sizes"].split()) != len(trees) or not text.rstrip().endswith("pandas_categorical:null"):
        raise ValueError("sizes or an end are missing")
    for tree in trees:
        _check_tree(_fields(tree), columns)


def _check_tree(fields: dict[str, str], columns: int) -> None:
    leaves = int(fields["num_leaves"])
    if not 1 <= leaves <= MOST_LEAVES or fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
        raise ValueError("another kind of tree")
    values = _floats(fields["leaf_value"])
    if len(values) != leaves or not all(map(math.isfinite, values)):
        raise ValueError("leaves without a value")
    if leaves == 1:
        return
    inner = {name: fields[name].split() for name in _INNER}
    if any(len(found) != leaves - 1 for found in inner.values()):
        raise ValueError("nodes are missing")
    if any(not 0 <= int(feature) < columns for feature in inner["split_feature"]):
        raise ValueError("a column that there is not")
    if any(math.isnan(value) for value in map(float, inner["threshold"])):
        raise ValueError("a threshold that is no number")
    if any(not 0 <= int(kind) < 16 or int(kind) & 1 for kind in inner["decision_type"]):
        raise ValueError("another kind of decision")
    _check_children(inner["left_child"], inner["right_child"], leaves)


def _check_children(left: list[str], right: list[str], leaves: int) -> None:
    """Every node but the first, and every leaf, is the child of exactly one node that comes before it."""
    reached: list[int] = []
    for node, pair in enumerate(zip(left, right, strict=True)):
        for child in map(int, pair):
            if child >= 0 and not node < child < leaves - 1:
                raise ValueError("a child out of order")
            reached.append(child)
    if sorted(reached) != [*range(-leaves, 0), *range(1, leaves - 1)]:
        raise ValueError("a child twice")


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key in found:
            raise ValueError("a field twice")
        found[key] = value
    return found


def _floats(text: str) -> list[float]:
    return [float(value) for value in text.split()]
