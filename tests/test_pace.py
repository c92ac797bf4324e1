"""One bar for a whole run: how much is done, what is left, and what earlier runs teach about both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clv_core import jobs, pace
from clv_core.pace import Phase
from clv_core.workspace import Workspace, write_json

pytestmark = pytest.mark.first(7)

TRUTH = (
    ("features", 4.0, 1),
    ("windows", 2.0, 20),
    ("holdout", 30.0, 300),
    ("windows", 4.0, 20),
    ("training", 60.0, 400),
)
"""Stages of a run, each with its seconds and how many reports it makes."""


Stages = tuple[tuple[str, float, int], ...]
Seen = tuple[float, tuple[Phase, ...]]


def run(slower: float = 1.0, stages: Stages = TRUTH, plan: tuple[Phase, ...] = ()) -> Iterator[Seen]:
    """Yield the seconds since a run began and its phases, ten times between two reports."""
    now, phases = 3.0 * slower, tuple[Phase, ...]()
    for stage, seconds, reports in stages:
        for report in range(reports):
            phases = pace.reported(phases, stage, report / reports, now, plan)
            for part in range(10):
                yield now + part / 10 * slower * seconds / reports, phases
            now += slower * seconds / reports
    yield now, pace.closed(phases, now)


def last_of(slower: float = 1.0, stages: Stages = TRUTH) -> tuple[Phase, ...]:
    return [*run(slower, stages)][-1][1]


def test_phases_hold_how_long_each_stage_took_also_where_one_comes_twice() -> None:
    phases = last_of()
    assert [phase.stage for phase in phases] == ["", "features", "windows", "holdout", "windows", "training"]
    assert [phase.seconds for phase in phases] == pytest.approx([3, 4, 2, 30, 4, 60], abs=0.01)
    assert [len(phase.points) for phase in phases[:3]] == [0, 1, 20] and len(phases[5].points) <= 26
    shares, seconds = zip(*phases[3].points, strict=True)
    assert shares[0] == 0 and shares[-1] == pytest.approx(299 / 300, abs=1e-4)
    assert seconds == pytest.approx([30 * share for share in shares], abs=0.01)


@pytest.mark.parametrize("slower", [0.5, 1.0, 6.0])
def test_the_bar_follows_the_clock_of_an_earlier_run_on_a_machine_of_any_speed(slower: float) -> None:
    plan = pace.learned([last_of()])
    seen = [(now, pace.share_done(plan, phases, now)) for now, phases in run(slower, plan=plan)]
    shares = [share for _, share in seen]
    assert shares == sorted(shares) and max(b - a for a, b in zip(shares, shares[1:], strict=False)) < 0.03
    whole = 103 * slower
    assert max(abs(share - now / whole) for now, share in seen) < 0.04 and shares[-1] > 0.99
    if slower == 1.0:
        assert pace.seconds_left(plan, 0.0, 0.0) == pytest.approx(103, abs=0.1)
    for now, share in seen:
        if now > 0.25 * whole:
            left = pace.seconds_left(plan, share, now)
            assert left is not None and abs(left - (whole - now)) < 0.15 * whole
            assert abs(left - (whole - now)) < 0.05 * whole or slower != 1.0


def test_a_stage_is_measured_by_the_time_that_its_shares_took_before_not_by_the_shares() -> None:
    """A training reports 40% for the longest time, the other 60% at once, and then goes on without a word."""
    phases: tuple[Phase, ...] = ()
    for now, share in ((0, 0.0), (40, 0.2), (80, 0.4), (82, 0.9), (83, 1.0)):
        phases = pace.reported(phases, "training", share, now)
    plan = pace.learned([pace.closed(phases, 100)])

    def shown(share: float, at: float, now: float) -> float:
        points = ((0.0, 0.0), (share, at)) if share else ((0.0, 0.0),)
        return pace.share_done(plan, (Phase(""), Phase("training", at, points)), now)

    assert shown(0.3, 60, 60) == pytest.approx(0.6) and shown(0.4, 80, 80) == pytest.approx(0.8)
    assert shown(1.0, 83, 83) == pytest.approx(0.83) and shown(1.0, 83, 91.5) == pytest.approx(0.915)
    assert shown(1.0, 83, 1000) <= 1


def test_a_stage_that_hardly_reports_goes_by_the_clock_and_never_seems_over() -> None:
    plan = pace.learned([last_of(stages=(("features", 10.0, 1), ("saving", 10.0, 1)))])
    phases = pace.reported((), "features", 0.0, 3.0)
    shares = [pace.share_done(plan, phases, 3.0 + seconds) for seconds in (0, 2, 5, 10, 30, 100, 1000)]
    assert shares == sorted(shares) and shares[2] == pytest.approx((3 + 5) / 23, abs=0.01)
    assert shares[-2] > shares[-3] and shares[-1] <= 13 / 23
    later = pace.reported(phases, "saving", 0.0, 1003.0)
    assert pace.share_done(plan, later, 1003.0) == pytest.approx(13 / 23, abs=0.001)


def test_stages_that_no_earlier_run_had_or_that_come_in_another_order_never_turn_the_bar_back() -> None:
    plan = pace.learned([last_of()])
    odd = (
        ("windows", 2.0, 20),
        ("features", 4.0, 1),
        ("cleaning", 9.0, 9),
        ("training", 60.0, 400),
        ("holdout", 3.0, 9),
    )
    shares = [pace.share_done(plan, phases, now) for now, phases in run(stages=odd, plan=plan)]
    assert shares == sorted(shares) and 0.99 < shares[-1] <= 1


def test_times_are_the_medians_of_the_runs_and_a_stage_that_few_had_takes_none() -> None:
    runs = [last_of(slower) for slower in (1.0, 1.0, 9.0)]
    rare = last_of(stages=(*TRUTH, ("repair", 50.0, 9)))
    plan = {phase.stage: phase.seconds for phase in pace.learned([*runs, rare])}
    assert plan["training"] == pytest.approx(60, abs=0.1) and plan["repair"] == 0


@pytest.mark.parametrize("kind", sorted(pace.USUAL))
def test_without_an_earlier_run_the_bar_still_goes_from_0_to_100_without_turning_back(kind: str) -> None:
    command, *options = kind.split()
    plan = pace.usual([command, "shop", *options])
    stages = tuple((stage, seconds, 20) for stage, seconds in pace.USUAL[kind])
    shares = [pace.share_done(plan, phases, now) for now, phases in run(stages=stages, plan=plan)]
    assert shares == sorted(shares) and shares[0] < 0.7 and shares[-1] > 0.9
    assert pace.seconds_left((), 0.01, 10.0) is None and pace.seconds_left((), 0.25, 10.0) == pytest.approx(30)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def done(workspace: Workspace, name: str, args: list[str], seconds: float, state: jobs.State = jobs.DONE) -> None:
    folder = workspace.jobs / f"2026010{name}-000000-{args[0]}-abc"
    folder.mkdir()
    status = jobs.JobStatus(folder.name, args[0], tuple(args), state=state, phases=(Phase("training", seconds),))
    write_json(folder / "status.json", status.to_json())


def test_a_run_is_planned_by_the_newest_five_that_were_done_with_the_most_like_words(workspace: Workspace) -> None:
    train = ["train", "shop", "--model", "blend"]
    assert jobs.plan_of(workspace, train) == ()
    for day, seconds in enumerate([500, 10, 11, 12, 13, 14], start=1):
        done(workspace, str(day), train, seconds)
    done(workspace, "7", [*train[:3], "bgnbd"], 1)
    done(workspace, "8", train, 900, jobs.FAILED)
    done(workspace, "9", ["score", *train[1:]], 2)
    assert jobs.plan_of(workspace, train) == (Phase("training", 12),)
    assert jobs.plan_of(workspace, ["train", "other", "--model", "bgnbd"]) == (Phase("training", 1),)
    assert jobs.plan_of(workspace, [*train, "--retrain"]) == (), "it does something else"


def test_a_job_keeps_its_plan_and_its_phases_and_the_next_one_learns_from_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    short = "simulate --scenario btyd --customers 50 --days 300 --seed 1".split()
    first = jobs.start(workspace, [*short, "--out", str(tmp_path / "one")], language="en")
    end = time.monotonic() + 60
    while first.status().is_running:
        assert time.monotonic() < end
        time.sleep(0.05)
    ended = first.status()
    assert ended.plan == () and [phase.stage for phase in ended.phases] == ["", "simulate", "simulate_write"]
    took = ended.updated - ended.started
    assert sum(phase.seconds for phase in ended.phases) == pytest.approx(took, abs=0.5)
    second = jobs.start(workspace, [*short, "--out", str(tmp_path / "two")], language="en")
    planned, left = second.status().plan, second.status().seconds_left
    assert [(phase.stage, phase.seconds) for phase in planned] == [(p.stage, p.seconds) for p in ended.phases]
    assert left is not None and left < took + 0.1
    second.cancel()
    while second.status().is_running:
        time.sleep(0.05)


def test_a_status_with_phases_is_read_as_the_whole_run(workspace: Workspace) -> None:
    plan = (Phase("a", 30.0, ((0, 0), (1, 30))), Phase("b", 10.0, ((0, 0), (0.5, 5), (0.52, 5.001), (1, 10))))
    phases = (Phase("a", 60.0, ((0, 0), (1, 60))), Phase("b", 10.0, ((0, 0), (0.5, 10.0))))
    status = jobs.JobStatus("run", "train", started=time.time() - 70, stage="b", done=1, total=2, phases=phases)
    assert replace(status, plan=plan).share == pytest.approx(0.875)
    left = replace(status, plan=plan).seconds_left
    assert left == pytest.approx(5 * 72 / 37, abs=0.1)


def test_a_bar_that_is_read_more_often_than_it_is_written_never_turns_back(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is half as fast as planned: between two reports the clock promises more than the next one holds."""
    clock = [1000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    plan = (Phase("training", 100.0, ((0, 0), (0.5, 50), (1, 100))),)
    job = jobs.Job(workspace.jobs / "slow")
    job.folder.mkdir()
    write_json(job.folder / "status.json", jobs.JobStatus("slow", "train", started=1000.0, plan=plan).to_json())
    progress, shares = jobs.JobProgress(job.folder), []
    for step in range(400):
        clock[0] += 0.05
        if step % 3 == 0:
            progress.report("training", step * 0.025, 100)
        shares.append(jobs.JobStatus.of(job.folder).share)
    assert shares == sorted(shares) and 0.1 < shares[-1] < 0.12


def test_the_bar_of_a_first_run_moves_before_its_first_report() -> None:
    words = ("price", "shop")
    status = jobs.JobStatus("run", "price", words, started=time.time() - 2)
    assert 0.15 < status.share < 3 / 7 and replace(status, args=("simulate",)).share == 0


def test_the_command_line_prints_the_share_of_the_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    plan = (Phase("simulate", 30.0, ((0, 0), (1, 30))), Phase("training", 10.0, ((0, 0), (1, 10))))
    progress = jobs.ConsoleProgress("en", plan=plan)
    for stage in ("simulate", "training"):
        progress.report(stage, 0, 10)
        progress.report(stage, 10, 10)
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == ["0%", "75%", "75%", "100%"]
