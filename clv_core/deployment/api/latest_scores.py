"""A customer's row in the latest batch that ``score`` wrote."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clv_core.collection.parse.id_texts import folded
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.registry import Registry, Version
from clv_core.deployment.saved_scores import saved_score_files
from clv_core.errors import NotFound
from clv_core.workspace import Workspace

MAX_FILES: Final = 2
"""Files that are held in memory."""


class LatestScores:
    """Looks customers up in the latest scores of a registry name.

    Args:
        workspace: of the scores.
        registry: of the same workspace.
    """

    def __init__(self, workspace: Workspace, registry: Registry) -> None:
        self._workspace, self._registry, self._lock = workspace, registry, Lock()
        self._tables: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()

    def of(self, name: str, customer: str) -> dict[str, Any]:
        """Return a customer's row of the champion's latest scores, or where it has none, of the name's latest.

        Raises:
            NotFound: no such name, no scores, the customer is not among them or is on the suppression list.
        """
        versions = self._registry.versions(name)
        if not versions:
            raise self._registry.no_name(name[:80])
        champion = next(one for one in versions if one.role == "champion")
        newest = self._newest([champion]) or self._newest(versions)
        if newest is None:
            raise NotFound("service_no_scores", name=name, model=champion.bundle)
        as_of, path = newest
        row, dataset = _row(self._table(path), folded(customer)), open_dataset(self._workspace, champion.name)
        if row is None or SuppressionList.of(self._workspace, dataset).holds(customer):
            raise NotFound("service_not_scored", customer=customer[:200], as_of=as_of.isoformat())
        version = next(one for one in versions if one.bundle == path.parent.name)
        return {**row, "name": name, "currency": str(version.record.get("currency", ""))}

    def _newest(self, versions: list[Version]) -> tuple[date, Path] | None:
        """Return the latest scores of the versions' own dataset, and their cutoff."""
        kept = [scores for one in versions for scores in saved_score_files(self._workspace, one.bundle, one.name)]
        return max(kept, key=lambda scores: (scores[0], scores[1].stat().st_mtime_ns), default=None)

    def _table(self, path: Path) -> pa.Table:
        """Return the rows of a file by customer_id."""
        key = (path, path.stat().st_mtime_ns)
        with self._lock:
            if key not in self._tables:
                table = pq.read_table(path)
                ids = table[CUSTOMER_ID].combine_chunks()
                if not pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py():
                    table = table.take(pc.sort_indices(ids))
                self._tables[key] = table.combine_chunks()
                while len(self._tables) > MAX_FILES:
                    self._tables.popitem(last=False)
            self._tables.move_to_end(key)
            return self._tables[key]


def _row(table: pa.Table, customer: str) -> dict[str, Any] | None:
    """Return a customer's row of a table that is sorted by customer_id."""
    ids = table[CUSTOMER_ID]
    at = bisect_left(range(len(ids)), customer, key=lambda at: ids[at].as_py())
    if at == len(ids) or ids[at].as_py() != customer:
        return None
    row: dict[str, Any] = table.slice(at, 1).to_pylist()[0]
    return row
