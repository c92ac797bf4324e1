"""What a registry survives: kills at random moments, many writers at once, flipped bits.

    python -m tests.bench.registry --kills 1000 --processes 16 --each 50 --flips 500

Prints one line of JSON for each of the three; a problem of any kind ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run all three and say whether every figure is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("kills", 1000), ("processes", 16), ("each", 50), ("flips", 500), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killed = _run(folder, "kills", asked.kills, asked.seed)
        written = _run(folder, "registrations", asked.processes, asked.each)
        flipped = _run(folder, "flips", asked.flips, asked.seed)
    everyone = asked.processes * asked.each
    good = (
        not killed["problems"]
        and (written["versions"], written["sound"], written["champions"]) == (everyone, everyone, 1)
        and flipped["refused_by_registry"] == flipped["refused_at_use"] == flipped["last_good_served"] == asked.flips
    )
    return 0 if good else 1


def _run(folder: str, what: str, *numbers: int) -> dict[str, object]:
    asked = ",".join([what, *map(str, numbers)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.deployment.registry.harness", folder, asked],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    print(done.stdout.strip(), flush=True)
    found: dict[str, object] = json.loads(done.stdout)[what]
    return found


if __name__ == "__main__":
    sys.exit(main())
