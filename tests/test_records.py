"""Records are stored as JSON objects of their fields and read from it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.errors import Message, Refused
from clv_core.float_arrays import FloatArray
from clv_core.records import JsonRecord, StoredRecord, Unreadable


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


@dataclass(frozen=True)
class Kept(StoredRecord):
    FILE: ClassVar = "kept.json"
    FORMAT: ClassVar = 2
    OMITTED: ClassVar = frozenset({"note", "told"})

    rows: int
    said: tuple[Message, ...] = ()
    note: str = ""
    told: bool | None = None


def test_a_stored_record_writes_what_it_holds_and_reads_it_again() -> None:
    said = (Message("warning.rows", {"rows": 3, "share": math.inf}),)
    for kept, more in ((Kept(3, said), {}), (Kept(3, said, "a", told=False), {"note": "a", "told": False})):
        written = {"rows": 3, "said": [{"code": "warning.rows", "params": {"rows": 3, "share": math.inf}}], **more}
        assert kept.to_json() == written and Kept.from_json({**written, "format": 2}) == kept


@pytest.mark.parametrize(
    ("more", "field"),
    [({"of nobody": 1}, "of nobody"), ({"rows": "many"}, "rows"), ({"said": [{"code": "a", "of": 1}]}, "said.0.of")],
)
def test_a_field_of_a_stored_record_that_is_not_known_is_refused(more: dict[str, object], field: str) -> None:
    with pytest.raises(Unreadable, match=f"kept.json .*“{field}”"):
        Kept.from_json({"rows": 3, **more})


def test_a_stored_record_of_a_later_format_is_refused_by_its_number() -> None:
    with pytest.raises(Refused, match="format 3; this one reads up to 2") as refused:
        Kept.from_json({"format": 3, "of a later version": 1})
    assert not isinstance(refused.value, ValueError)  # what only leaves out damaged files tells of this one
