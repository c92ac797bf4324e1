"""What the latest batch said of a customer, from the scores that ``score`` keeps."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values.id_texts import folded
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.kept_scores import kept_of
from clv_core.deployment.registry import Registry, Version
from clv_core.errors import NotFound
from clv_core.workspace import Workspace

KEPT: Final = 2
"""Files that are held in memory."""


@dataclass(frozen=True)
class Scores:
    """A file of scores in memory, sorted by customer.

    Args:
        table: its rows.
    """

    table: pa.Table

    @classmethod
    def read(cls, path: Path) -> Scores:
        """Return a file's rows."""
        table = pq.read_table(path)
        ids = table[CUSTOMER_ID].combine_chunks()
        if not pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py():
            table = table.take(pc.sort_indices(ids))
        return cls(table.combine_chunks())

    def of(self, customer: str) -> dict[str, Any] | None:
        """Return a customer's row."""
        ids = self.table[CUSTOMER_ID].chunk(0) if len(self.table) else ()
        at = bisect_left(_Texts(ids), customer)
        if at == len(ids) or ids[at].as_py() != customer:
            return None
        row: dict[str, Any] = self.table.slice(at, 1).to_pylist()[0]
        return row


class _Texts(Sequence[str]):
    """An Arrow column as texts, each made when it is looked at."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, at: Any) -> Any:
        return self._column[at].as_py()


class LatestScores:
    """The latest scores by name.

    Args:
        workspace: where scores are kept.
        registry: of the same workspace.
    """

    def __init__(self, workspace: Workspace, registry: Registry) -> None:
        self._workspace, self._registry, self._lock = workspace, registry, Lock()
        self._held: OrderedDict[tuple[Path, int], Scores] = OrderedDict()

    def of(self, name: str, customer: str) -> dict[str, Any]:
        """Return what the champion's latest scores say of a customer, or where it has none, the latest of the name.

        Raises:
            NotFound: nobody was scored under this name, or not this customer, or she is on the suppression list.
        """
        versions = self._registry.versions(name)
        if not versions:
            raise NotFound("no_name", name=name[:80], known=", ".join(self._registry.names()) or "-")
        champion = next(one for one in versions if one.role == "champion")
        newest = self._newest([champion]) or self._newest(versions)
        if newest is None:
            raise NotFound("service_no_scores", name=name, model=champion.bundle)
        as_of, found = newest
        row, dataset = self._scores(found).of(folded(customer)), open_dataset(self._workspace, champion.name)
        if row is None or StopList.of(self._workspace, dataset).holds(customer):
            raise NotFound("service_not_scored", customer=customer[:200], as_of=as_of.isoformat())
        known = next(one for one in versions if one.bundle == found.parent.name)
        return {**row, "name": name, "currency": str(known.record.get("currency", ""))}

    def _newest(self, versions: list[Version]) -> tuple[date, Path] | None:
        """Return the latest scores of the versions' own dataset, and as of when they are."""
        kept = [scores for one in versions for scores in kept_of(self._workspace, one.bundle, one.name)]
        return max(kept, key=lambda scores: (scores[0], scores[1].stat().st_mtime_ns), default=None)

    def _scores(self, path: Path) -> Scores:
        key = (path, path.stat().st_mtime_ns)
        with self._lock:
            if key not in self._held:
                self._held[key] = Scores.read(path)
                while len(self._held) > KEPT:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]
