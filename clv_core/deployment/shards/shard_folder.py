"""The folder in which the runs of all shards meet: one plan, and what each shard has written in each round.

plan.json              model, events, time zone, cutoff and terms: the first run writes it, the others must agree
events/3/              rows and relations of a shard, as long as it needs them
statistics/3/          first round: what spans all customers (:mod:`.shard_statistics`)
anchor.json            made of them by whoever needs it first
sums/3.json            second round: what models and anchor expect of all customers
population.json        made of them likewise: what every prediction shares
scores/3.parquet       third round: the predictions; 3.json: how many, and who was left out
estimate.json          what all shards will take (:mod:`.shard_cost`); costs/<round>/3.json: what this one took

A file appears when it is complete, and every run of a step writes the same: a shard that was killed is run again, and
two runs at once do no harm. Records of cost alone differ from run to run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from clv_core.deployment.terms import Terms
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.records import StoredRecord
from clv_core.workspace import read_json, write_json

if TYPE_CHECKING:
    import ibis

STATISTICS: Final = "statistics"
SUMS: Final = "sums"
SCORES: Final = "scores"
ROUNDS: Final = (STATISTICS, SUMS, SCORES)
ENDINGS: Final = {STATISTICS: "", SUMS: ".json", SCORES: ".json"}
"""Of what says that a shard is done with a round."""
MAX_SHARDS: Final = 10_000
"""Of one plan; each is at least three files. A guess."""
COSTS: Final = "costs"
DIGITS: Final = 8
"""Hexadecimal digits of the customer's hash that choose the shard; the sample's are the ones after them."""


@dataclass(frozen=True)
class Shard:
    """One of several parts of all customers, by a hash of their ids.

    Args:
        number: from 1.
        of: how many there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard that a text like ``3/16`` names.

        Raises:
            UsageError: it names none.
        """
        found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text.strip())
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.number <= shard.of <= MAX_SHARDS:
            raise UsageError("bad_shard", value=text[:60], most=MAX_SHARDS)
        return shard

    def __str__(self) -> str:
        """Return what :meth:`parse` reads."""
        return f"{self.number}/{self.of}"

    def holds(self, ids: ibis.Value) -> ibis.Value:
        """Say of customers whether they are in the shard: by the first digits of a hash of the id, as in sampling.

        Args:
            ids: their ids, text.
        """
        import ibis

        first, last = self._bounds
        return ids.hexdigest("md5").lower().left(DIGITS).between(ibis.literal(first), ibis.literal(last))

    def may_hold(self, prefix: str) -> bool:
        """Return whether some customers whose hash begins so may be in the shard."""
        first, last = (bound[: len(prefix)] for bound in self._bounds)
        return first <= prefix <= last

    @property
    def _bounds(self) -> tuple[str, str]:
        """The first and the last digits of the shard's hashes."""
        first, after = (16**DIGITS * number // self.of for number in (self.number - 1, self.number))
        return f"{first:0{DIGITS}x}", f"{after - 1:0{DIGITS}x}"


@dataclass(frozen=True)
class Plan(StoredRecord):
    """What all runs of a folder have in common.

    Args:
        model: the bundle's id.
        events: folder of the events, as the first run named it; it may lie elsewhere on another machine.
        files: how many Parquet files it has, and how many bytes they are together.
        timezone: IANA name of the zone that days are counted in.
        shards: how many there are.
        as_of: midnight, log-local; nothing at or after it is read.
        terms: horizon, discount and margin.
    """

    FILE: ClassVar[str] = "plan.json"

    model: str
    events: str
    files: tuple[int, int]
    timezone: str
    shards: int
    as_of: date
    terms: Terms

    def check_same(self, asked: Plan) -> None:
        """Refuse a run that does not go with this plan.

        Raises:
            Refused: some of its options, or its events, are others.
        """
        differing = [
            entry.name
            for entry in fields(self)
            if entry.name != "events" and getattr(self, entry.name) != getattr(asked, entry.name)
        ]
        if differing == ["files"]:
            raise Refused("shard_events_changed", path=asked.events)
        if differing:
            name = differing[0]
            raise Refused("shard_plan", option=name, planned=_said(self, name), asked=_said(asked, name))


def _said(plan: Plan, name: str) -> str:
    value: Any = getattr(plan, name)
    return value.mark if isinstance(value, Terms) else str(value)


@dataclass(frozen=True)
class ShardFolder:
    """The folder of a plan.

    Args:
        root: its path.
    """

    root: Path

    @property
    def plan(self) -> Plan | None:
        """The plan; None where no shard has run yet."""
        path = self.root / Plan.FILE
        return Plan.from_json(read_json(path)) if path.exists() else None

    def open_plan(self) -> Plan:
        """Return the plan.

        Raises:
            NotFound: no shard has run yet.
        """
        plan = self.plan
        if plan is None:
            raise NotFound("no_shard_plan", path=str(self.root))
        return plan

    def begin(self, plan: Plan) -> None:
        """Write the plan of the first run, unless another run was first.

        Raises:
            Refused: the folder holds something else.
        """
        present = [path.name for path in self.root.iterdir()] if self.root.exists() else []
        if Plan.FILE in present:
            return
        if any(not name.startswith(".") for name in present):
            raise Refused("out_exists", path=str(self.root))
        write_json(self.root / Plan.FILE, plan.to_json())

    def path(self, step: str, number: int, ending: str | None = None) -> Path:
        """Return what shard ``number`` writes in a round; ``ending`` is that of a file beside it."""
        return self.root / step / f"{number}{ENDINGS[step] if ending is None else ending}"

    def cost_path(self, step: str, number: int) -> Path:
        """Return where shard ``number`` says what it took for a round."""
        return self.root / COSTS / step / f"{number}.json"

    def is_done(self, step: str, number: int) -> bool:
        """Return whether a shard is done with a round."""
        return self.path(step, number).exists()

    def missing(self, step: str, shards: int) -> list[int]:
        """Return the shards that are not done with a round, ascending."""
        folder = self.root / step
        present = {entry.name for entry in os.scandir(folder)} if folder.exists() else set()
        return [number for number in range(1, shards + 1) if self.path(step, number).name not in present]

    def progress(self, shards: int) -> dict[str, int]:
        """Return how many shards are done with each round."""
        return {step: shards - len(self.missing(step, shards)) for step in ROUNDS}
