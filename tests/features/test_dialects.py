"""Features and steps are the same in the SQL of a warehouse.

No warehouse is at hand: what would be sent there is translated by sqlglot, which knows their dialects, and run here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from clv_core.features.duckdb_engine import Engine
from clv_core.features.lines import VOCABULARIES
from clv_core.features.relations import day_of
from clv_core.features.warehouse import Warehouse
from tests.features.conftest import differences

pytestmark = pytest.mark.slow

CUTOFF = date(2023, 12, 15)
Complete = Callable[[pd.DataFrame], pd.DataFrame]


class Speaking:
    """An engine that takes another one's SQL only, and whose answers' columns are named by their place."""

    def __init__(self, dialect: str, inner: Any) -> None:
        self.name, self._inner = dialect, inner
        inner.raw_sql("create macro ieee_divide(a, b) as a / b")  # BigQuery's; all others sqlglot knows

    def create_table(self, name: str, rows: ibis.Table, overwrite: bool) -> ibis.Table:
        made: ibis.Table = self._inner.create_table(name, self.to_pyarrow(rows), overwrite=overwrite)
        return made

    def drop_table(self, name: str) -> None:
        self._inner.drop_table(name)

    def to_pyarrow(self, rows: ibis.Table) -> pa.Table:
        return self._ask(str(ibis.to_sql(rows, dialect=self.name)), rows.schema())

    def _ask(self, sql: str, schema: ibis.Schema) -> pa.Table:
        found = self._inner.raw_sql(self._here(sql)).to_arrow_table()
        return found.rename_columns(schema.names).cast(schema.to_pyarrow())

    def _here(self, sql: str) -> str:
        told = sqlglot.parse_one(sql, read=self.name)
        for kind in told.find_all(exp.DataType):
            if self.name == "bigquery" and kind.is_type("decimal") and not kind.expressions:
                kind.replace(exp.DataType.build("decimal(38, 9)"))
        return told.sql("duckdb")


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake"])
def test_in_the_sql_of_a_warehouse_features_and_steps_are_the_same_bit_for_bit(
    dialect: str, shop: pd.DataFrame, complete: Complete, tmp_path: Path
) -> None:
    complete(shop).to_parquet(tmp_path / "events.parquet", index=False)
    ours, theirs = Engine(memory_limit_mb=512), Engine(memory_limit_mb=512)
    held, told = (
        Warehouse(engine.connection.read_parquet(tmp_path / "events.parquet", table_name="events"), connection)
        for engine, connection in ((ours, ours.connection), (theirs, Speaking(dialect, theirs.connection)))
    )
    assert held.seen(day_of(CUTOFF)).tolist() == told.seen(day_of(CUTOFF)).tolist()
    assert held.customer_ids.tolist() == told.customer_ids.tolist()
    assert all(held.texts(name).tolist() == told.texts(name).tolist() for name in VOCABULARIES)
    assert differences(held, told, CUTOFF) == []
