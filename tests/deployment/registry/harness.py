"""Processes that work on one registry and are killed at random: run by the tests with few, by the benchmark with many.

    python -m tests.deployment.registry.harness ROOT kills,COUNT,SEED registrations,PROCESSES,EACH flips,COUNT,SEED \
        races,COUNT

Everything is imported once; the processes that are killed are forks, so that a kill costs no start of Python.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.model_archive.import_export import export_bundle, import_bundle
from clv_core.deployment.registry import Registry
from clv_core.errors import ClvError, Refused
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny

NAME = "shop"
LONGEST_LIFE = 0.3
VERSIONS_KEPT = 12
ACTIONS = ("save", "promote", "delete", "import")


def kills(root: Path, count: int, seed: int) -> dict[str, Any]:
    """Kill a working process ``count`` times, and look at what it leaves each time."""
    workspace, chance = Workspace(root), random.Random(seed)
    archives = _prepare(workspace, root.parent / "archives")
    found: Counter[str] = Counter()
    during: Counter[str] = Counter()
    for number in range(count):
        action = ACTIONS[number % len(ACTIONS)]
        told, tell = os.pipe()
        child = _fork(partial(_work, workspace, seed + number, action, archives, tell))
        os.close(tell)
        end = time.monotonic() + chance.uniform(0, LONGEST_LIFE)
        while time.monotonic() < end:
            during[_champions(workspace)] += 1
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        words = _words(told)
        found.update(f"killed_in_{word}" for word in words[-1:])
        found["actions_done"] += max(0, len(words) - 1)
        found.update(_inspect(workspace))
    champions = {key: value for key, value in during.items() if key != "one"}
    return {"kills": count, "problems": {**_problems(found), **champions}, "looks": sum(during.values()), **found}


def registrations(root: Path, processes: int, each: int) -> dict[str, Any]:
    """Let processes register bundles at the same time, and count what is there."""
    workspace, started = Workspace(root), time.monotonic()

    def work(first: int) -> None:
        for seed in range(first, first + each):
            Registry(workspace).register(tiny.save(workspace, seed))

    children = [_fork(partial(work, number * each)) for number in range(processes)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    versions = Registry(workspace).versions(NAME)
    return {
        "versions": len(versions),
        "numbers": sorted({one.number for one in versions}) == list(range(1, processes * each + 1)),
        "champions": sum(one.role == "champion" for one in versions),
        "sound": sum(Registry(workspace).sound(one) for one in versions),
        "failed": sum(code != 0 for code in codes),
        "seconds": round(time.monotonic() - started, 1),
    }


def races(root: Path, count: int) -> dict[str, Any]:
    """Let one process promote and another delete the same version at the same time, ``count`` times; look on."""
    workspace, started = Workspace(root), time.monotonic()
    for number in range(count + 1):
        tiny.save(workspace, number)  # the first look registers them all; the last is champion
    ready = multiprocessing.get_context("fork").Barrier(2)

    def work(act: Callable[[str, int], object]) -> None:
        for number in range(1, count + 1):
            ready.wait(60)
            try:
                act(NAME, number)
            except ClvError:
                continue

    children = [_fork(partial(work, act)) for act in (Registry(workspace).promote, Registry(workspace).delete)]
    seen: Counter[str] = Counter()
    codes: list[int] = []
    while len(codes) < len(children):
        seen[_champions(workspace)] += 1
        done, status = os.waitpid(-1, os.WNOHANG)
        codes += [os.waitstatus_to_exitcode(status)] if done else []
    registry = Registry(workspace)
    why = Counter(str(move["why"]) for move in registry.history(NAME))
    return {
        "looks": seen.total(),
        "not_one": seen.total() - seen["one"],
        "promoted": why["promote"],
        "champions_lost": why["left"],
        "versions": len(registry.versions(NAME)),
        "served": not registry.serving(NAME).warnings,
        "failed": sum(code != 0 for code in codes),
        "seconds": round(time.monotonic() - started, 1),
    }


def flips(root: Path, count: int, seed: int) -> dict[str, Any]:
    """Flip one bit of one file of the champion at a time; count what was noticed, and what spoke instead."""
    workspace, chance = Workspace(root), random.Random(seed)
    registry = Registry(workspace)
    for number in range(3):
        registry.register(tiny.save(workspace, number, held=True))
    champion = registry.promote(NAME, 2)
    folder, found = workspace.models / champion.bundle, Counter[str]()
    for _ in range(count):
        path = chance.choice(sorted(folder.iterdir()))
        content = path.read_bytes()
        changed, place = bytearray(content), chance.randrange(len(content) * 8)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        found["refused_by_registry"] += _refused(lambda: registry.open(champion))
        found["refused_at_use"] += _refused(lambda: _use(workspace, champion.bundle))
        served = registry.serving(NAME)
        assert served.bundle.model.horizon_days_ == tiny.HORIZON  # type: ignore[union-attr]
        found["last_good_served"] += served.version.number != champion.number and len(served.warnings) == 1
        path.write_bytes(content)
    return {"flips": count, **found, "sound_again": registry.serving(NAME).version.number == champion.number}


def _use(workspace: Workspace, model_id: str) -> None:
    """Read all that is ever read of a bundle, as pages and commands do without the registry."""
    bundle = open_bundle(workspace, model_id)
    assert bundle.model is not None
    bundle.history()
    bundle.holdout()


def _refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except Refused:
        return True
    return False


def _prepare(workspace: Workspace, folder: Path) -> list[Path]:
    """Give the workspace a champion, and write archives of bundles that it does not hold."""
    other = Workspace(folder / "workspace")
    archives = []
    for seed in range(900_000, 900_006):
        version = Registry(other).register(tiny.save(other, seed))
        archives.append(folder / f"{seed}.zip")
        export_bundle(other, version, archives[-1])
    Registry(workspace).register(tiny.save(workspace, 0))
    return archives


def _work(workspace: Workspace, seed: int, action: str, archives: list[Path], tell: int) -> None:
    """Do one kind of thing, and whatever else keeps the number of versions level, until killed."""
    chance = random.Random(seed)
    for step in range(10_000):
        registry = Registry(workspace)
        versions = registry.versions(NAME)
        others = [one.number for one in versions if one.role != "champion"]
        word = action
        if len(versions) > VERSIONS_KEPT:
            word = "delete"
        elif not others and word in ("promote", "delete"):
            word = "save"
        os.write(tell, f"{word} ".encode())
        try:
            if word == "save":
                registry.register(tiny.save(workspace, 1000 * seed + step + 1))
            elif word == "promote":
                registry.promote(NAME, chance.choice(others))
            elif word == "delete":
                registry.delete(NAME, chance.choice(others))
            else:
                imported = import_bundle(workspace, chance.choice(archives))
                if step and imported.role != "champion":  # the last version may be deleted, and then nobody speaks
                    registry.delete(NAME, imported.number)
        except ClvError:
            continue


def _inspect(workspace: Workspace) -> Counter[str]:
    """Return what is wrong after a kill, and how many versions there are."""
    found: Counter[str] = Counter()
    registry = Registry(workspace)
    versions = registry.versions(NAME)
    found["not_one_champion"] += sum(one.role == "champion" for one in versions) != 1
    found["half_bundle"] += sum(not registry.sound(one) for one in versions)
    folders = {path.name for path in workspace.models.iterdir() if not path.name.startswith(".")}
    found["without_a_row"] += len(folders - {one.bundle for one in versions})
    found["champion_not_served"] += bool(registry.serving(NAME).warnings)
    found["leaving"] += sum(path.name.startswith(".leaving") for path in workspace.models.iterdir())
    found["versions_seen"] += len(versions)
    return found


def _problems(found: Counter[str]) -> dict[str, int]:
    names = ("not_one_champion", "half_bundle", "without_a_row", "champion_not_served", "leaving")
    return {name: found[name] for name in names if found[name]}


def _champions(workspace: Workspace) -> str:
    """Say how many champions there are while another process works."""
    versions = Registry(workspace).versions(NAME)
    found = sum(one.role == "champion" for one in versions)
    return "one" if found == 1 else f"{found}_champions_of_{len(versions)}"


def _words(told: int) -> list[str]:
    """Return what a killed process had begun, in order."""
    with os.fdopen(told) as pipe:
        return pipe.read().split()


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        _end(work)
    return child


def _end(work: Callable[[], None]) -> NoReturn:
    """Work, and leave without what the parent would do at its end."""
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    asked = [word.split(",") for word in sys.argv[2:]]
    known = {"kills": kills, "registrations": registrations, "flips": flips, "races": races}
    for what, *numbers in asked:
        print(json.dumps({what: known[what](root / what / "workspace", *map(int, numbers))}), flush=True)
