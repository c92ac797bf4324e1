"""A quote that is opened and never closed must not swallow the lines after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_LINES_IN_A_CELL: Final = 500


@dataclass(frozen=True)
class Reject:
    """A line that is no row of the table.

    Args:
        line: its number in the file, from 1.
        reason: catalogue key without ``reason.``.
        text: the line, cut to 1,000 characters.
        lines: how many lines it takes.
    """

    line: int
    reason: str
    text: str
    lines: int = 1


def close_quotes(path: Path, target: Path, delimiter: str, columns: int) -> list[Reject]:
    """Copy ``path`` without the lines that open a quote and never close it; return these lines.

    A line with an odd number of quotes opens a cell that goes on in the next lines. It is taken to be the culprit when
    the next line is a whole row by itself, when the cell would go on for hundreds of lines, or when the file ends.
    """
    rejects: list[Reject] = []
    held: list[str] = []
    start = 0
    with path.open(encoding="utf-8", newline="") as source, target.open("w", encoding="utf-8", newline="") as out:

        def give_up() -> None:
            """Reject the line that opened the quote and read the held ones after it again."""
            nonlocal held
            rejects.append(Reject(start, "open_quote", held[0].rstrip("\n")[:1000]))
            again, held = held[1:], []
            for offset, line in enumerate(again, start + 1):
                take(line, offset)

        def take(line: str, number: int) -> None:
            nonlocal start, held
            odd = line.count('"') % 2 == 1
            if not held:
                if odd:
                    held, start = [line], number
                else:
                    out.write(line)
                return
            if (len(held) == 1 and not odd and _cells(line, delimiter) == columns) or len(held) > MAX_LINES_IN_A_CELL:
                held.append(line)
                give_up()
                return
            held.append(line)
            if odd:
                out.writelines(held)
                held = []

        for number, line in enumerate(source, 1):
            take(line, number)
        while held:
            give_up()
    return rejects


def _cells(line: str, delimiter: str) -> int:
    """Count the cells of a line whose quotes are even."""
    parts = line.split('"')
    return 1 + sum(part.count(delimiter) for part in parts[::2])
