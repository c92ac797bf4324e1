"""A worker that is handed some customers' lines knows of them what the whole log's store knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from clv_core.features.duckdb_engine import Engine
from clv_core.features.lines import VOCABULARIES
from clv_core.features.relations import day_of
from clv_core.features.warehouse import Warehouse, rows_by_customer, store_of_rows
from tests.features.conftest import features_at

Complete = Callable[[pd.DataFrame], pd.DataFrame]


def test_rows_in_any_order_tell_features_and_steps_of_the_holder_bit_for_bit(
    shop: pd.DataFrame, complete: Complete, tmp_path: Path
) -> None:
    cutoff = date(2023, 12, 15)
    complete(shop[shop["event_time"] < pd.Timestamp(cutoff)]).to_parquet(tmp_path / "events.parquet", index=False)
    engine = Engine(memory_limit_mb=512)
    held = Warehouse(engine.connection.read_parquet(tmp_path / "events.parquet"), engine.connection)
    table = engine.connection.to_pyarrow(rows_by_customer(held, day_of(cutoff)))
    (batch,) = table.combine_chunks().to_batches()
    store = store_of_rows(batch, {name: held.texts(name) for name in VOCABULARIES})
    theirs = features_at(held, cutoff, 90)
    ours, everyone = {name: np.full(batch.num_rows, np.inf) for name in theirs}, np.arange(batch.num_rows)
    store.features(day_of(cutoff), 90, everyone, ours)
    place = np.searchsorted(held.customer_ids, store.customer_ids)
    assert sorted(place.tolist()) == everyone.tolist()
    assert [name for name in ours if ours[name].tobytes() != theirs[name][place].tobytes()] == []
    steps, others = store.steps(), held.steps()
    engine.close()
    rows = np.concatenate([np.arange(*others.offsets[[at, at + 1]]) for at in place])
    assert np.diff(steps.offsets).tolist() == np.diff(others.offsets)[place].tolist()
    for name in ("day", "gap_days", "values", "codes"):
        assert getattr(steps, name).tobytes() == getattr(others, name)[rows].tobytes(), name
    assert steps.vocabularies == others.vocabularies
