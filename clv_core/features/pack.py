"""From the engine's long rows to the flat arrays of :class:`Steps`: Arrow batches, then one sort in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.features.engine import read_table
from clv_core.features.sequences import Steps

if TYPE_CHECKING:
    import ibis

BATCH_ROWS: Final = 1_000_000
KEYS: Final = ("customer", "day", "second", "type")


def read_steps(connection: ibis.BaseBackend, tables: dict[str, ibis.Table]) -> Steps:
    """Return all steps of the relations, ordered by customer, day, time of day and event type.

    Args:
        connection: the engine.
        tables: the relations of :mod:`clv_core.features.relations`.
    """
    steps = tables["steps"]
    columns = steps.select(
        *KEYS,
        amount=steps.amount.cast("float64").cast("float32"),
        quantity=steps.quantity.cast("float64").cast("float32"),
        lines=steps.lines.cast("float32"),
        discount=steps.discount.cast("float64").cast("float32"),
        rating=(steps.rating.cast("float64") / steps.ratings).cast("float32"),
        review_length=steps.review_length.cast("float32"),
        category=steps.category_code.fill_null(-1),
    )
    total = int(connection.to_pyarrow(steps.count()).as_py())
    keys = {name: np.empty(total, np.int32) for name in KEYS}
    values = np.empty((total, len(columns.columns) - len(KEYS) - 1), np.float32)
    category = np.empty(total, np.int32)
    filled = 0
    for batch in read_table(connection, columns, BATCH_ROWS):
        rows = slice(filled, filled + batch.num_rows)
        for name in KEYS:
            keys[name][rows] = batch[name].to_numpy(zero_copy_only=False)
        for position, name in enumerate(columns.columns[len(KEYS) : -1]):
            values[rows, position] = batch[name].to_numpy(zero_copy_only=False)
        category[rows] = batch["category"].to_numpy(zero_copy_only=False)
        filled = rows.stop

    order = _order([keys[name] for name in KEYS])
    customer, day = keys["customer"][order], keys["day"][order]
    customer_ids = texts_of(connection, tables["customers"], "customer", "customer_id")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(customer, minlength=len(customer_ids)))]).astype(np.int64)
    gap = np.zeros(total, np.float32)
    gap[1:] = np.diff(day)
    gap[offsets[:-1]] = 0
    vocabularies = (texts_of(connection, tables["event_types"]), texts_of(connection, tables["categories"]))
    return Steps(
        customer_ids=customer_ids,
        offsets=offsets,
        day=day,
        gap_days=gap,
        values=values[order],
        codes=np.column_stack([keys["type"][order], category[order]]).astype(np.int32),
        vocabularies=tuple(tuple(texts) for texts in vocabularies),
    )


def _order(keys: list[NDArray[np.int32]]) -> NDArray[np.int64]:
    """Return the order by ``keys``, the first weighs most; through one packed key where it fits into 63 bits."""
    if not len(keys[0]):
        return np.empty(0, np.int64)
    lowest = [int(key.min()) for key in keys]
    width = [int(key.max()) - low + 1 for key, low in zip(keys, lowest, strict=True)]
    if np.prod([float(w) for w in width]) >= 2.0**62:
        return np.lexsort(keys[::-1])
    packed = np.zeros(len(keys[0]), np.int64)
    for key, low, span in zip(keys, lowest, width, strict=True):
        packed *= span
        packed += key
        packed -= low
    return np.argsort(packed)


def texts_of(
    connection: ibis.BaseBackend, table: ibis.Table, code: str = "code", text: str = "text"
) -> NDArray[np.object_]:
    """Return the texts of a numbered table by their number, object [n]."""
    rows = connection.to_pyarrow(table.select(code, text))
    texts = np.empty(rows.num_rows, object)
    texts[rows[code].to_numpy()] = rows[text].to_pandas().to_numpy(object)
    return texts
