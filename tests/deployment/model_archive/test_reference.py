"""The reference in a foreign bundle: one as we write it passes, everything else is refused by name."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.deployment.bundle import REFERENCE
from clv_core.deployment.model_archive.model_checks import check_reference
from clv_core.errors import Refused
from clv_core.monitoring.drift.drift_reference import Reference
from clv_core.monitoring.drift.feature_histograms import FeatureHistograms
from clv_core.monitoring.drift.periods import MONTH, periods_before, profile
from tests.monitoring.steady_shop import day_after, steady_log, stored

ABOUT, TABLE = REFERENCE


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("reference")
    dataset = stored(steady_log(200, 200, seed=1), folder / "log")
    cutoff = day_after(190)
    before = profile(dataset, periods_before(cutoff, MONTH, dataset.log_start))
    sights = (FeatureHistograms("2023-07-10", 200, {"frequency": [100, 100, 0]}, 12.5, 0.4),)
    made = Reference(cutoff, "training", dataset.log_start, {MONTH: before}, {"frequency": [1.0]}, sights)
    made.save(folder)
    return {name: (folder / name).read_bytes() for name in REFERENCE}


def test_what_training_writes_is_accepted_and_reads_back(files: dict[str, bytes]) -> None:
    check_reference(files)
    check_reference({})
    again = Reference.of_files(*files.values())
    assert again.histograms[0].counts == {"frequency": [100, 100, 0]} and len(again.profiles[MONTH].periods) == 6
    assert again.profiles[MONTH].table("channel")[0][""].sum() > 0 and len(again.profiles[MONTH].prices) > 100


def test_a_reference_without_any_chunk_is_one_too(tmp_path: Path) -> None:
    Reference(day_after(5), "training", day_after(0), {}, {}, ()).save(tmp_path)
    check_reference({name: (tmp_path / name).read_bytes() for name in REFERENCE})


@pytest.mark.parametrize("left", REFERENCE)
def test_one_file_without_the_other_is_refused(files: dict[str, bytes], left: str) -> None:
    with pytest.raises(Refused) as caught:
        check_reference({left: files[left]})
    assert caught.value.code == "import_missing"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cutoff", "soon"),
        ("chunks", {"month": [["x", "2023-01-01", "2023-02-01"]]}),
        ("bins", {"frequency": ["one"]}),
        ("sights", [{"as_of": "2023-01-01"}]),
        ("source", 3),
    ],
)
def test_another_shape_is_refused_by_its_field(files: dict[str, bytes], field: str, value: Any) -> None:
    changed = json.dumps({**json.loads(files[ABOUT]), field: value}).encode()
    with pytest.raises(Refused) as caught:
        check_reference({**files, ABOUT: changed})
    assert (caught.value.code, caught.value.params["field"]) == ("import_field", field)


def test_another_table_is_refused(files: dict[str, bytes]) -> None:
    frame = pd.read_parquet(io.BytesIO(files[TABLE]))
    for other in (frame.drop(columns="rows"), frame.assign(extra=1), frame.assign(rows=frame["subject"])):
        buffer = io.BytesIO()
        other.to_parquet(buffer, index=False)
        with pytest.raises(Refused) as caught:
            check_reference({**files, TABLE: buffer.getvalue()})
        assert caught.value.code == "import_table"
    with pytest.raises(Refused):
        check_reference({**files, TABLE: files[TABLE][:-200]})
