"""How far a run is as a whole, and how long the rest of it takes: learned from how long earlier runs took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp
from statistics import median
from typing import ClassVar, Final

from clv_core.records import StoredRecord

MAX_PHASES: Final = 200
"""Of a run; what comes after belongs to the last of them."""
POINTS_APART: Final = 0.04
"""Between the shares that a phase remembers when it reached them."""
NEARLY: Final = 0.8
"""Share of the time expected until the next report after which the bar slows down: it never overtakes a report."""
TRUSTED: Final = 0.05
"""How much the pace of earlier runs counts beside that of the present one, as a share of a run."""
SOON: Final = 0.05
"""Share of a run after which the time left is told where nothing was learned from earlier ones."""


@dataclass(frozen=True)
class Phase(StoredRecord):
    """A stage of a run, from its first report until another stage's; of a plan, what is expected of it.

    Args:
        stage: its name, "" from the run's start to its first report.
        seconds: how long it took, or until it was last written.
        points: shares that it reported, 0 to 1, each larger than the one before, with the seconds until it did.
        reached: share of the whole run that was shown before its latest report.
    """

    FILE: ClassVar[str] = "status.json"
    OMITTED: ClassVar[frozenset[str]] = frozenset({"points"})

    stage: str
    seconds: float = 0.0
    points: tuple[tuple[float, float], ...] = ()
    reached: float = 0.0

    def seconds_until(self, share: float) -> float:
        """Return how long it took until a share was reported."""
        low, at = 0.0, 0.0
        for high, then in self.points:
            if share < high:
                return at + (then - at) * max(0.0, share - low) / (high - low)
            low, at = high, then
        return at

    def seconds_after(self, share: float) -> float:
        """Return how long it took until a larger share was reported, or the phase was over."""
        return next((seconds for other, seconds in self.points if other > share), self.seconds)


CHANGING: Final = ("--retrain", "--list", "--business")
"""Options with which a command does something else."""
TRAINING: Final = (
    *(("features", 2.0), ("windows", 8.0), ("holdout", 11.0), ("windows", 6.0), ("training", 35.0)),
    *(("reference", 1.5), ("saving", 0.5)),
)
READING: Final = (
    *(("read", 2.0), ("columns", 4.0), ("write", 1.0), ("set_aside", 0.1), ("duplicates", 0.5), ("figures", 1.0)),
)
MERGING: Final = (("overlap", 1.0), ("write", 1.5), ("set_aside", 0.1), ("figures", 1.0))
WATCHING: Final = (("watch", 2.0),)
MONITORING: Final = (*WATCHING, ("monitoring", 8.0), ("features", 5.0), ("monitoring", 0.1))
EXPLAINING: Final = (("features", 2.0), ("scoring", 4.0), ("explaining", 17.0), ("checking_reasons", 1.5))
FORECASTING: Final = (("features", 1.5), ("scoring", 2.5), ("forecasting", 2.0))
REFITTED: Final = (("windows", 8.0), ("holdout", 11.0))
USUAL: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "ingest": (*READING, *MERGING),
    "source": (("fetch", 3.0), *READING, *MERGING),
    "combine": MERGING,
    "clean --list": (("duplicates", 0.5), ("rules", 1.0)),
    "demo": (*READING, *READING, *MERGING, ("read", 0.5), ("columns", 0.5), ("write", 1.0), *FORECASTING, *WATCHING),
    "explore": (
        *(("explore_customers", 0.1), ("explore_lines", 0.3), ("explore_categories", 0.1)),
        ("explore_sums", 2.0),
    ),
    "look": (("features", 4.0), ("scoring", 1.5)),
    "train": TRAINING,
    "tune": (("tuning", 300.0), *REFITTED * 6),
    "score": (("features", 1.5), ("scoring", 2.5), *FORECASTING),
    "embed": (("features", 4.0), ("scoring", 0.5)),
    "explain": EXPLAINING,
    "recommend": (
        *(("recommend_reading", 1.5), ("recommend_earlier", 2.0), ("recommend_judging", 4.0)),
        *(("recommend_learning", 3.0), ("recommend_with_bought", 2.0), ("recommend_without_bought", 0.3)),
    ),
    "price": (("price_reading", 1.0), ("price_measuring", 3.0)),
    "report": (*EXPLAINING, *FORECASTING, ("report", 1.5)),
    "monitor": MONITORING,
    "monitor --business": WATCHING,
    "monitor --retrain": (*MONITORING, *TRAINING, *REFITTED * 2),
}
"""Stages of commands with several, each with its seconds on a small log, for a machine's first run."""
STARTING: Final = 3.0
"""Seconds until the first report."""


def kind_of(words: Sequence[str]) -> str:
    """Return what a command line does: its first word, and the options with which that does something else."""
    return " ".join([*words[:1], *(word for word in words if word in CHANGING)])


def usual(words: Sequence[str]) -> tuple[Phase, ...]:
    """Return the phases of a command line as they usually are; none where what it reports is the whole run's already.

    Args:
        words: of it, the command first.
    """
    stages = USUAL.get(kind_of(words), ())
    phases = (Phase(stage, seconds, ((0.0, 0.0), (1.0, seconds))) for stage, seconds in stages)
    return (Phase("", STARTING), *phases) if stages else ()


def reported(
    phases: tuple[Phase, ...], stage: str, share: float, elapsed: float, plan: Sequence[Phase] = ()
) -> tuple[Phase, ...]:
    """Return a run's phases after another report.

    Args:
        phases: those until then.
        stage: that is reported.
        share: of it that is done, 0 to 1.
        elapsed: seconds since the run began.
        plan: what is expected of the run.
    """
    reached = share_done(plan, phases, elapsed)
    phases = closed(phases, elapsed)
    phase = phases[-1]
    if stage != phase.stage and len(phases) < MAX_PHASES:
        return *phases, Phase(stage, 0.0, ((share, 0.0),), reached)
    points = phase.points
    if not points or share > points[-1][0]:
        kept = points[:-1] if len(points) > 1 and points[-1][0] - points[-2][0] < POINTS_APART else points
        points = *kept, (round(share, 4), phase.seconds)
    return *phases[:-1], replace(phase, points=points, reached=reached)


def not_below(phases: tuple[Phase, ...], share: float) -> tuple[Phase, ...]:
    """Return a run's phases that show at least a share of it."""
    *earlier, phase = phases
    return *earlier, replace(phase, reached=max(phase.reached, share))


def closed(phases: tuple[Phase, ...], elapsed: float) -> tuple[Phase, ...]:
    """Return a run's phases with the last one until now."""
    *earlier, phase = phases or (Phase(""),)
    seconds = max(0.0, elapsed - sum(item.seconds for item in earlier))
    return *earlier, replace(phase, seconds=round(seconds, 3))


def learned(runs: Sequence[Sequence[Phase]]) -> tuple[Phase, ...]:
    """Return the phases to expect of a run after others: those of the longest list, each in its median time.

    Args:
        runs: of the earlier ones, the newest first.
    """
    places = [dict(zip(_names(run), run, strict=True)) for run in runs]
    longest = max(places, key=len, default={})
    plan = []
    for name, phase in longest.items():
        same = [place[name] for place in places if name in place]
        points = tuple((share, median(other.seconds_until(share) for other in same)) for share, _ in phase.points)
        lacking = [0.0] * (len(runs) - len(same))
        plan.append(Phase(phase.stage, median([*(other.seconds for other in same), *lacking]), points))
    return tuple(plan)


def share_done(plan: Sequence[Phase], phases: Sequence[Phase], elapsed: float) -> float:
    """Return how much of a run is done, 0 to 1: it never shrinks while the run goes on.

    Args:
        plan: what is expected; where it is empty, what the phases report is taken for the run's.
        phases: those so far, the last one at work.
        elapsed: seconds since the run began.
    """
    *earlier, phase = phases or (Phase(""),)
    if not plan:
        return max((points[-1][0] for points in (item.points for item in phases) if points), default=0.0)
    places = {name: place for place, name in enumerate(_names(plan))}
    reached = [places.get(name, -1) for name in _names([*earlier, phase])]
    place, total = max(reached), sum(item.seconds for item in plan)
    before = sum(item.seconds for item in plan[: max(place, 0)])
    if place < 0 or not total:
        done = 0.0
    elif reached[-1] < place:  # that one is over, and what came since was not expected here
        done = before + plan[place].seconds
    else:
        began = sum(item.seconds for item in earlier)
        done = before + _done(plan[place], phase, elapsed - began, _slower(began, before, total))
    return min(1.0, max(phase.reached, done / total if total else 0.0))


def seconds_left(plan: Sequence[Phase], share: float, elapsed: float) -> float | None:
    """Return how long the rest of a run takes at the pace seen so far, None while there is no telling.

    Args:
        plan: what was learned from earlier runs; empty where there were none.
        share: how much of it is done.
        elapsed: seconds since it began.
    """
    total = sum(phase.seconds for phase in plan)
    if total:
        return total * (1 - share) * _slower(elapsed, total * share, total)
    return elapsed * (1 - share) / share if SOON < share < 1 else None


def _slower(elapsed: float, expected: float, total: float) -> float:
    """Return how many times as long a run takes as was expected of it, by its part so far."""
    return (elapsed + TRUSTED * total) / (expected + TRUSTED * total)


def _done(expected: Phase, phase: Phase, seconds: float, slower: float) -> float:
    """Return how many of its expected seconds a phase has behind it: as it reports, and by the clock in between."""
    share, at = phase.points[-1] if phase.points else (0.0, 0.0)
    done = min(expected.seconds, expected.seconds_until(share))
    gap = max(0.0, min(expected.seconds, expected.seconds_after(share)) - done)
    passed = max(0.0, seconds - at) / slower / gap if gap else 0.0
    return done + gap * (passed if passed < NEARLY else 1 - (1 - NEARLY) * exp((NEARLY - passed) / (1 - NEARLY)))


def _names(phases: Iterable[Phase]) -> list[tuple[str, int]]:
    """Return of each phase its stage and the how manieth of that stage it is."""
    count: Counter[str] = Counter()
    names = []
    for phase in phases:
        count[phase.stage] += 1
        names.append((phase.stage, count[phase.stage]))
    return names
