"""Kills, crowds and flipped bits; the benchmark ``tests/bench/registry.py`` runs the same with larger numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what all four gave, run by one process: starting it is what takes longest."""
    asked = ("kills,50,7", "registrations,4,8", "flips,60,3", "races,200")
    done = subprocess.run(
        [sys.executable, "-m", "tests.deployment.registry.harness", str(tmp_path_factory.mktemp("survival")), *asked],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    parts: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines():
        parts |= json.loads(line)
    return parts


def test_fifty_kills_leave_one_champion_and_no_half_bundle(found: dict[str, dict[str, Any]]) -> None:
    seen = found["kills"]
    assert seen["problems"] == {} and seen["looks"] > 50
    killed = sum(count for word, count in seen.items() if word.startswith("killed_in_"))
    assert killed > 25 and seen["actions_done"] > 25


def test_registrations_at_the_same_time_are_all_kept(found: dict[str, dict[str, Any]]) -> None:
    seen = found["registrations"]
    assert seen["failed"] == 0
    assert (seen["versions"], seen["sound"], seen["champions"], seen["numbers"]) == (32, 32, 1, True)


def test_of_200_versions_promoted_and_deleted_at_the_same_time_each_is_champion_or_gone_and_one_always_is(
    found: dict[str, dict[str, Any]],
) -> None:
    seen = found["races"]
    assert (seen["failed"], seen["not_one"], seen["champions_lost"], seen["served"]) == (0, 0, 0, True)
    assert seen["looks"] > 50 and 0 < seen["promoted"] < 200 and seen["versions"] == seen["promoted"] + 1


def test_every_flipped_bit_is_found_before_use_and_the_last_good_version_speaks(
    found: dict[str, dict[str, Any]],
) -> None:
    seen = found["flips"]
    assert [seen[key] for key in ("refused_by_registry", "refused_at_use", "last_good_served")] == [60, 60, 60]
    assert seen["sound_again"]
