"""Makes the relations at hand from an engine's events: rows dealt out by customer, then summed shard by shard."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from numpy.typing import NDArray

from clv_core.errors import Refused
from clv_core.features.columnar.column import MILLIONTHS, Column
from clv_core.features.columnar.files import write_tables
from clv_core.features.columnar.rows import Rows
from clv_core.features.lines import NUMBERS, number_lines
from clv_core.features.pack import ORDER
from clv_core.features.relations import RELATIONS
from clv_core.features.shards import CUSTOMERS, FACTS, each, file_of
from clv_core.features.spool import deal, read_lines
from clv_core.workspace import write_json

if TYPE_CHECKING:
    import ibis

SHARD_ROWS: Final = 500_000
"""About as many rows as a processor sorts without leaving its caches for long."""

MOST_SHARDS: Final = 200
"""Each is an open file as long as the log is open."""

LARGEST_SUM: Final = 9e12
"""No customer's amounts may add up to more, signs aside: millionths of it fit 63 bits."""


def shard(events: ibis.Table, connection: ibis.BaseBackend, folder: Path) -> None:
    """Fill ``folder`` with the relations of ``events`` (:mod:`clv_core.features.shards`).

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the embedded engine, which holds ``events``.
        folder: exists and is empty.

    Raises:
        Refused: a number, or a customer's sum, is absurdly large.
    """
    lines = number_lines(events, connection)
    people = connection.to_pyarrow(lines.customers.order_by("customer").select("customer_id", "lines"))
    _write_texts(folder / f"{CUSTOMERS}.arrow", people["customer_id"])
    for name, vocabulary in lines.vocabularies.items():
        _write_texts(folder / f"{name}.arrow", connection.to_pyarrow(vocabulary.order_by("code"))["text"])
    bounds = _bounds(people["lines"].to_numpy())
    scratch = Path(tempfile.mkdtemp(prefix="rows-", dir=folder))
    parts = deal(connection, lines, bounds, scratch)
    filled = each(lambda job: _fill(folder / file_of(job[0]), job[1]), list(enumerate(parts)))
    shutil.rmtree(scratch)
    days = [min(span[0] for _, span in filled), max(span[1] for _, span in filled)] if filled else [None, None]
    places = [places for places, _ in filled]
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    write_json(folder / FACTS, {"bounds": bounds.tolist(), "places": places, "days": days, "bytes": sizes})


def _bounds(lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first customer of each shard and, last, the number of customers; no customer is divided."""
    most = max(SHARD_ROWS, -(-int(lines.sum()) // MOST_SHARDS))
    before = np.cumsum(lines) - lines
    starts = np.flatnonzero(np.diff(before // most, prepend=-1))
    return np.append(starts, len(lines)).astype(np.int64)


def _fill(target: Path, source: Path) -> tuple[dict[str, list[int]], tuple[int, int]]:
    """Write all relations of one shard; return their places, and the shard's first and last day."""
    lines = read_lines(source)
    days = lines.day.values
    relations = RelationsAtHand(lines)
    places = write_tables(target, ((name, relations[name]) for name in RELATIONS))
    source.unlink()
    return places, (int(days.min()), int(days.max()))


class RelationsAtHand(dict[str, Rows]):
    """``RELATIONS`` of lines in memory by name, sorted as models read them, each made when it is first asked for.

    Args:
        lines: the relation ``lines``, in any order.

    Raises:
        Refused: a customer's sum is absurdly large.
    """

    def __init__(self, lines: Rows) -> None:
        super().__init__(lines=lines.sorted_by(("customer", "day", "type")))
        _refuse_absurd_sums(self["lines"])  # before anything is added up: a sum of a day may not fit 63 bits either

    def __missing__(self, name: str) -> Rows:
        """Make a relation of the one that it comes from."""
        origin, make = RELATIONS[name]
        made: Rows = make(self[origin])
        self[name] = made = made.sorted_by(ORDER) if name == "steps" else made
        return made


def _refuse_absurd_sums(lines: Rows) -> None:
    for name in NUMBERS:
        sizes = lines[name].abs()
        if int(sizes.values.max(initial=0)) * lines.size <= LARGEST_SUM * MILLIONTHS:
            continue
        units = Column(sizes.values // MILLIONTHS, sizes.known)
        sums = lines.mutate(units=units).aggregate(("customer",), lambda rows: {"units": rows.units.sum()}).units
        if sums.fill_null(0).values.max(initial=0) > LARGEST_SUM:
            raise Refused("number_absurd", column=name, value=str(sums.values.max()), largest=LARGEST_SUM)


def _write_texts(path: Path, texts: pa.ChunkedArray) -> None:
    table = pa.table({"text": texts})
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
