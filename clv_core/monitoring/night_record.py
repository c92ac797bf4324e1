"""The night's record: what ran, how long it took, what came in, what differs from the source, who was sent where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clv_core.collection.sources import list_sources
from clv_core.errors import ClvError
from clv_core.i18n import say_clauses, say_count, say_elapsed, say_together, translate
from clv_core.monitoring.chain_notices import say_moment
from clv_core.monitoring.schedules import Run, Schedule, Step, history, list_schedules, read_run, running_record
from clv_core.records import JsonObject
from clv_core.workspace import Workspace

FIGURES: Final = {
    "source run": ("rows_fetched", "rows_new", "loaded", "reconciled"),
    "monitor": ("business",),
    "push": ("destination", "sent", "unchanged", "left_out", "refused"),
    "export": ("rows", "left_out"),
    "segment": ("rows",),
}
"""Which fields of a step's answer are kept with its run; none of them names a customer."""
LATEST: Final = timedelta(days=7)
"""Runs that are older than that are no news; chains of a week are the longest that are usual."""


@dataclass(frozen=True)
class Night:
    """A run of a chain, as the record tells it.

    Args:
        schedule: its chain.
        run: that ended, or that is running.
    """

    schedule: Schedule
    run: Run

    def lines(self, language: str) -> list[str]:
        """Return a line on the run, and one on each of its steps."""
        when = say_moment(datetime.fromisoformat(self.run.started), self.schedule.timezone, language)
        facts = {"name": self.schedule.name, "when": when, "elapsed": say_elapsed(self.run.seconds, language)}
        return [
            translate(f"night.chain.{self.run.outcome}", language, **facts),
            *(_line(step, language) for step in self.run.steps),
        ]

    def to_json(self) -> JsonObject:
        """Return it for programs."""
        return {"schedule": self.schedule.name, **self.run.to_json()}


def figures_of(words: Sequence[str], result: JsonObject) -> JsonObject:
    """Return the fields of a step's answer that its run keeps."""
    line = " ".join(words[:2])
    fields = next((names for begin, names in FIGURES.items() if f"{line} ".startswith(f"{begin} ")), ())
    return {name: result[name] for name in fields if name in result}


def nights(workspace: Workspace, dataset: str, now: datetime) -> list[Night]:
    """Return the latest run of each chain that is about a dataset; of one that is running, what it did so far."""
    sources = {source.name for source in list_sources(workspace) if source.dataset == dataset}
    found = []
    for schedule, _ in list_schedules(workspace):
        run = read_run(running_record(workspace, schedule.name)) or next(iter(history(workspace, schedule.name)), None)
        if run is not None and _is_about(schedule, dataset, sources):
            if now - datetime.fromisoformat(run.started) < LATEST:
                found.append(Night(schedule, run))
    return found


def _is_about(schedule: Schedule, dataset: str, sources: set[str]) -> bool:
    try:
        commands = schedule.commands()
    except ClvError:
        return False
    return any(dataset in words or words[:2] == ["source", "run"] and words[-1] in sources for words in commands)


def _line(step: Step, language: str) -> str:
    """Return what ran, how long, and what came of it."""
    said = [translate("night.step", language, step=step.step, elapsed=say_elapsed(step.seconds, language))]
    if step.error is not None:
        said.append(ClvError(step.error.code, **step.error.params).message(language))
    return say_together([*said, *_came(step, language)], language)


def _came(step: Step, language: str) -> Iterator[str]:
    figures = step.figures
    if "rows_new" in figures:
        rejected = figures.get("loaded", {}).get("rows_set_aside", 0)
        counts = {"rows": figures["rows_fetched"], "new": figures["rows_new"], "rejected": rejected}
        yield translate("night.rows", language, **counts)
        if compared := figures.get("reconciled"):
            days = len(compared["days"])
            rows = compared["rows"] - compared["held_rows"] - compared["left_out"]
            yield translate("night.differs" if days else "night.same", language, n=days, rows=rows)
    elif "business" in figures:
        business = figures["business"]
        found = [item for item in business["findings"] if item["recent"] and not item["acknowledged"]]
        yield translate(f"night.business.{business['state']}", language, n=len(found))
    elif "sent" in figures:
        counts = {"sent": figures["sent"], "unchanged": figures.get("unchanged", 0)}
        yield translate("night.pushed", language, name=figures.get("destination", ""), **counts)
    elif "rows" in figures:
        yield translate("night.listed", language, rows=figures["rows"])
    if left_out := figures.get("left_out"):
        colon = "：" if language == "zh" else ": "
        reasons = [
            f"{translate(f'export.left_out.{why}', language)}{colon}{say_count(n, language)}"
            for why, n in left_out.items()
        ]
        yield translate("night.left_out", language, reasons=say_clauses(reasons, language))
