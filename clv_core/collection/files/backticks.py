"""Bills of payment services mark each cell with a backtick before it, and quote none: `2024-01-31,`12.50,`A, B."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import Final

FIRST_LINES: Final = 20
"""Lines in which cells have to be marked so; the column names are not."""
FEWEST: Final = 2
MARK: Final = "`"
BETWEEN: Final = ",`"


def ticked(path: Path) -> bool:
    """Say whether the first lines of the UTF-8 file ``path``, but for its column names, mark their cells so."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in islice(file, FIRST_LINES) if line.strip()][1:]
    marked = [line for line in lines if line.startswith(MARK) and line.count(BETWEEN) >= FEWEST]
    return len(marked) >= FEWEST and 2 * len(marked) > len(lines)


def without_ticks(path: Path, target: Path) -> Path:
    """Write ``path`` to ``target`` line by line without the marks, cells that hold a comma or a quote in quotes."""
    with path.open(encoding="utf-8-sig", newline="") as source, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for line in source:
            bare = line.rstrip("\r\n")
            if bare.startswith(MARK):
                writer.writerow(bare[len(MARK) :].split(BETWEEN))
            else:
                out.write(f"{bare}\n")
    return target
