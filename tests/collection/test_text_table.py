"""A list of people is read whole, within the memory that is set aside for reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core.collection.read.text_table import BLOCK_ROWS, read_text_table
from clv_core.errors import Refused

pytestmark = pytest.mark.first(2)


def repeated(path: Path, rows: int) -> Path:
    """Return a Parquet file that says the same in every row, and takes next to no room for it."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["a" * 60]))
    pq.write_table(pa.table({"customer_id": column}), path, compression="zstd")
    return path


def test_what_unpacks_to_more_than_the_memory_for_reading_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLV_INGEST_MEMORY", "100MB")
    path = repeated(tmp_path / "people.parquet", 3_000_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(Refused) as caught:
        read_text_table(path)
    assert caught.value.code == "out_of_memory"


def test_what_fits_is_read_to_its_last_row(tmp_path: Path) -> None:
    rows = 2 * BLOCK_ROWS + 1
    frame, rejects = read_text_table(repeated(tmp_path / "people.parquet", rows))
    assert len(frame) == rows and set(frame.customer_id) == {"a" * 60} and not rejects
