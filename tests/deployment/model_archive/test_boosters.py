"""Trees are trees before the library that trusts them reads them."""

from __future__ import annotations

import numpy as np
import pytest

from clv_core.deployment.model_archive.model_checks import check_booster

COLUMNS = 5


@pytest.fixture(scope="module")
def text() -> str:
    """Return a booster's text as the library writes it."""
    lightgbm = pytest.importorskip("lightgbm", reason="LightGBM does not run on this machine")
    rows = np.random.default_rng(0).random((400, COLUMNS))
    data = lightgbm.Dataset(rows, rows[:, 0] + rows[:, 1] * rows[:, 2])
    settings = {"verbosity": -1, "num_leaves": 7, "num_threads": 1}
    return str(lightgbm.train(settings, data, num_boost_round=5).model_to_string())


def test_what_the_library_writes_is_sound(text: str) -> None:
    check_booster(text, COLUMNS)


def changed(text: str, field: str, value: str, place: int = 0) -> str:
    """Return the text with one number of the first tree's ``field`` replaced."""
    lines = text.split("\n")
    number = next(number for number, line in enumerate(lines) if line.startswith(f"{field}="))
    name, _, values = lines[number].partition("=")
    parts = values.split(" ")
    parts[place] = value
    return "\n".join([*lines[:number], f"{name}={' '.join(parts)}", *lines[number + 1 :]])


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("left_child", "0", 0),  # a circle
        ("left_child", "99999999", 0),  # foreign memory
        ("left_child", "-99", 0),
        ("right_child", "1", 2),
        ("split_feature", "99", 0),
        ("split_feature", "-1", 1),
        ("leaf_value", "nan", 0),
        ("leaf_value", "inf", 1),
        ("threshold", "nan", 0),
        ("decision_type", "1", 0),  # a category: its bits lie elsewhere
        ("num_leaves", "70", 0),
        ("num_leaves", "0", 0),
        ("num_cat", "3", 0),
        ("max_feature_idx", "40", 0),
        ("num_class", "3", 0),
        ("tree_sizes", "1 1", 0),
    ],
)
def test_what_would_lead_it_astray_is_refused(text: str, field: str, value: str, place: int) -> None:
    with pytest.raises(ValueError, match="."):
        check_booster(changed(text, field, value, place), COLUMNS)


@pytest.mark.parametrize("broken", ["", "tree\n", "Tree=0\n", "\x00" * 100])
def test_what_is_no_booster_is_refused(broken: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        check_booster(broken, COLUMNS)


def test_a_tree_that_is_cut_out_is_missed(text: str) -> None:
    start, end = text.index("Tree=1\n"), text.index("Tree=2\n")
    with pytest.raises(ValueError, match="missing"):
        check_booster(text[:start] + text[end:], COLUMNS)
