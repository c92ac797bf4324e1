"""Records are stored as JSON objects of their fields and read from it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.records import FloatArray, JsonRecord


@dataclass(frozen=True)
class Level:
    value: float
    name: str = "none"


@dataclass(frozen=True, eq=False)
class Fit(JsonRecord):
    day: date | None
    levels: dict[int, Level]
    pairs: tuple[tuple[str, ...], ...]
    weights: dict[str, FloatArray]
    largest: float = math.inf


FIT = Fit(date(2024, 2, 29), {3: Level(0.5)}, (("a", "b"), ()), {"w": np.array([[1.0, 2.5]])})


def test_fields_become_json_types_and_come_back() -> None:
    written = FIT.to_json()
    assert written == {
        "day": "2024-02-29",
        "levels": {"3": {"value": 0.5, "name": "none"}},
        "pairs": [["a", "b"], []],
        "weights": {"w": [[1.0, 2.5]]},
        "largest": math.inf,
    }
    again = Fit.from_json(json.loads(json.dumps(written)))
    assert (again.day, again.levels, again.pairs, again.largest) == (FIT.day, FIT.levels, FIT.pairs, FIT.largest)
    assert again.weights["w"].dtype == np.float64 and again.weights["w"].tolist() == [[1.0, 2.5]]


def test_files_of_other_versions_are_read_by_the_fields_that_there_are() -> None:
    older = {"day": None, "levels": {"3": {"value": 0.5}}, "pairs": [], "weights": {}, "of a later version": 1}
    assert Fit.from_json(older).levels == {3: Level(0.5)}
    with pytest.raises(ValueError, match="day"):
        Fit.from_json({name: value for name, value in older.items() if name != "day"})
    with pytest.raises(ValueError, match="levels"):
        Fit.from_json({**older, "levels": {"three": {"value": 0.5}}})


@given(st.floats(allow_nan=False))
def test_numbers_are_exact(value: float) -> None:
    fit = Fit(None, {}, (), {"w": np.array([value])}, value)
    again = Fit.from_json(json.loads(json.dumps(fit.to_json())))
    assert again.largest == value and again.weights["w"].tolist() == [value]


def test_help_and_the_pipeline_do_without_pydantic() -> None:
    code = "import sys, clv_core.pipeline, clv_core.cli; clv_core.cli.build_parser(); print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
