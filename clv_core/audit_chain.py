"""The chain of an audit log: each line carries its number and the hash of the line before, so that tampering shows.

A line's hash is SHA-256 of its bytes as they stand in the file, without the line feed. A line that carries no hash, as
earlier versions wrote it or a crash left it, hashes with the hash before it: the next line that carries one seals all
of them. A log whose earliest lines were pruned begins with a checkpoint, the count and hash of the last line removed;
a line of the chain repeats it.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from clv_core.errors import Message, UsageError
from clv_core.records import JsonObject

NUMBER, PREVIOUS, CHECKPOINT = "number", "previous", "checkpoint"
"""Fields of a line: its place since the log began, the hash of the line before; where a pruned log begins."""
HASH: Final = re.compile(r"[0-9a-f]{64}")
TAIL_BYTES: Final = 1 << 16
"""Of a log's end that an append reads first; some hundred lines."""
MAX_FINDINGS: Final = 100
"""Findings that are listed; all are counted."""


@dataclass(frozen=True)
class Head:
    """How far a log goes.

    Args:
        count: its lines since it began, pruned ones included.
        hash: of the last one.
    """

    count: int = 0
    hash: str = "0" * 64

    def __str__(self) -> str:
        """Return ``COUNT:HASH``."""
        return f"{self.count}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the head of ``COUNT:HASH``.

        Raises:
            UsageError: it is none.
        """
        count, _, digest = text.strip().lower().partition(":")
        if not (count.isascii() and count.isdigit() and len(count) <= 12 and HASH.fullmatch(digest)):
            raise UsageError("audit_head", head=text[:80])
        return cls(int(count), digest)

    def after(self, line: Line) -> Head:
        """Return the head once ``line`` follows."""
        raw = line.raw if line.previous else self.hash.encode() + b"\n" + line.raw
        return Head(self.count + 1, hashlib.sha256(raw).hexdigest())


@dataclass(frozen=True)
class Line:
    """A line of a log.

    Args:
        place: in the file, from 1.
        raw: its bytes.
        record: its JSON object; None where it is none.
        number: that it carries; 0 for none.
        previous: hash that it carries; "" for none.
    """

    place: int
    raw: bytes
    record: JsonObject | None
    number: int = 0
    previous: str = ""

    @classmethod
    def of(cls, raw: bytes, place: int = 0) -> Self:
        """Return the line of some bytes."""
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            return cls(place, raw, None)
        number, previous = record.get(NUMBER), record.get(PREVIOUS)
        if type(number) is int and number > 0 and isinstance(previous, str) and HASH.fullmatch(previous):
            return cls(place, raw, record, number, previous)
        return cls(place, raw, record)

    @property
    def checkpoint(self) -> Head | None:
        """The checkpoint that the line names, None for none."""
        try:
            return Head.parse(str((self.record or {})[CHECKPOINT]))
        except (KeyError, UsageError):
            return None


@dataclass(frozen=True)
class Verification:
    """What a check of a log found.

    Args:
        head: of the log as it is.
        checkpoint: where a pruned log begins; of count 0 where nothing was pruned.
        findings: signs of tampering, by place; the first :data:`MAX_FINDINGS`.
        found: how many there are.
        notes: what else is worth knowing.
        limits: what no such check can find.
    """

    head: Head
    checkpoint: Head
    findings: tuple[Message, ...]
    found: int
    notes: tuple[Message, ...]
    limits: tuple[Message, ...]


def read_log(raw: bytes) -> list[Line]:
    """Return the lines of a log's bytes that are not blank."""
    return [Line.of(text, place) for place, text in enumerate(raw.split(b"\n"), 1) if text.strip()]


def split_checkpoint(lines: Sequence[Line]) -> tuple[Head, Sequence[Line]]:
    """Return where a log begins, and its lines without the checkpoint."""
    first = lines[0].checkpoint if lines and not lines[0].previous else None
    return (first, lines[1:]) if first is not None else (Head(), lines)


def heads(start: Head, lines: Sequence[Line]) -> Iterator[Head]:
    """Yield the head after each line; a line's number is its own where it carries one."""
    head = start
    for line in lines:
        head = (Head(line.number - 1) if line.previous else head).after(line)
        yield head


def last_head(lines: Sequence[Line]) -> Head:
    """Return the head of all lines of a log."""
    start, lines = split_checkpoint(lines)
    return [start, *heads(start, lines)][-1]


def head_of(path: Path) -> Head:
    """Return the head of a log, of which only the end is read where that says it."""
    if not path.exists():
        return Head()
    size, span = path.stat().st_size, TAIL_BYTES
    with path.open("rb") as file:
        while True:
            file.seek(max(0, size - span))
            lines = read_log(file.read())
            if span >= size:
                return last_head(lines)
            hashed = [place for place, line in enumerate(lines) if line.previous and place]  # the first may be cut
            if hashed:
                return [*heads(Head(), lines[hashed[-1] :])][-1]
            span *= 2


def verify(raw: bytes, head: Head | None = None) -> Verification:
    """Return what the chain of a log says.

    Args:
        raw: the file.
        head: of the log at an earlier time, kept where nobody who writes the log can change it.
    """
    check = _Check(raw)
    check.run()
    if head is not None:
        check.compare(head)
    return check.result(head)


class _Check:
    """A check that collects findings by place."""

    def __init__(self, raw: bytes) -> None:
        self._start, self._lines = split_checkpoint(read_log(raw))
        self._end = self._lines[-1].place + 1 if self._lines else 1
        self._places: dict[int, int] = {}
        self._heads: dict[int, Head] = {self._start.count: self._start}
        self._last = self._start
        self._found: list[tuple[int, Message]] = []
        self._notes: list[Message] = []
        self._sealed = 0

    def run(self) -> None:
        """Check every line."""
        first = next((place for place, line in enumerate(self._lines) if line.previous), len(self._lines))
        old, chain = self._lines[:first], self._lines[first:]
        before = [self._start, *heads(self._start, old)]
        self._heads |= {head.count: head for head in before}
        self._places |= {head.count: line.place for head, line in zip(before[1:], old, strict=True)}
        self._last = before[-1]
        if chain:
            self._sealed = len(old)
            numbered = self._numbered(chain)
            self._check_seal(old, before[-1], numbered[min(numbered)])
            self._check_links(numbered)
            self._check_order(numbered)
        self._check_checkpoint(chain)

    def compare(self, head: Head) -> None:
        """Compare the log with an earlier head of it."""
        if head.count > self._last.count:
            params = {"number": self._last.count + 1, "last": head.count, "lines": head.count - self._last.count}
            self._add("cut", self._end, **params)
        elif head.count < self._start.count:
            self._notes.append(Message("audit.note.pruned", {"count": head.count, "number": self._start.count}))
        elif head.count in self._heads and self._heads[head.count] != head:
            self._add("rewritten", self._places.get(head.count, 1), number=head.count)

    def result(self, head: Head | None) -> Verification:
        """Return what was found, and what cannot be."""
        end = Message("audit.limit.end") if head is None else Message("audit.limit.after", {"number": head.count})
        limits = [end, Message("audit.limit.rewritten")]
        if self._sealed:
            limits.append(Message("audit.limit.sealed", {"number": self._start.count + self._sealed}))
        found = [message for _, message in sorted(self._found, key=lambda pair: pair[0])]
        shown = tuple(found[:MAX_FINDINGS])
        return Verification(self._last, self._start, shown, len(found), tuple(self._notes), tuple(limits))

    def _add(self, kind: str, place: int, **params: int) -> None:
        self._found.append((place, Message(f"audit.found.{kind}", {**params, "place": place})))

    def _add_removed(self, place: int, *, number: int, last: int) -> None:
        if number == last:
            self._add("removed", place, number=number)
        else:
            self._add("removed_several", place, number=number, last=last)

    def _numbered(self, chain: Sequence[Line]) -> dict[int, Line]:
        """Return the lines of the chain by number; of several with one number the one that the next line names."""
        hashed = {line.number for line in chain if line.previous}
        named = {(line.number - 1, line.previous) for line in chain if line.previous}
        by_number: dict[int, list[tuple[bool, bool, Line]]] = defaultdict(list)
        number = chain[0].number - 1
        for line in chain:
            if not line.previous and number + 1 in hashed:
                self._add("added", line.place)
                continue
            before, number = number, line.number or number + 1
            linked = bool(line.previous) and (number, Head().after(line).hash) in named
            by_number[number].append((linked, before + 1 == number, line))
        chosen = {}
        for number, ranked in by_number.items():
            lines = [line for *_, line in sorted(ranked, key=lambda rank: rank[:2], reverse=True)]
            chosen[number] = lines[0]
            for line in lines:
                if line is not chosen[number]:
                    self._add("added", line.place)
        return chosen

    def _check_seal(self, old: Sequence[Line], sealed: Head, first: Line) -> None:
        """Compare the lines before the chain, which carry no hashes, with what its first line says of them."""
        expected = first.number - 1
        if sealed.count == expected and sealed.hash == first.previous:
            return
        params = {"number": self._start.count + 1, "last": expected}
        if not old and expected > sealed.count:
            self._add_removed(first.place, **params)
        elif not old:
            self._add("changed", first.place, number=first.number)
        elif sealed.count == expected:
            self._add("seal_changed", first.place, **params)
        else:
            lines = abs(sealed.count - expected)
            self._add("seal_removed" if sealed.count < expected else "seal_added", first.place, lines=lines, **params)

    def _check_links(self, numbered: dict[int, Line]) -> None:
        """Compare each line with the hash that the next one carries."""
        ordered = sorted(numbered.items())
        before: tuple[int, Line, Head] | None = None
        unsealed: list[tuple[int, Line]] = []
        for number, line in ordered:
            if before is None or before[0] + 1 < number:
                if before is not None:
                    self._add_removed(line.place, number=before[0] + 1, last=number - 1)
                head = Head(number - 1).after(line)
            else:
                if line.previous and line.previous != before[2].hash:
                    self._add("changed", before[1].place, number=before[0])
                    unsealed = unsealed[:-1]
                head = before[2].after(line)
            if line.previous:
                self._tell_unhashed(unsealed)
            unsealed = [] if line.previous else [*unsealed, (number, line)]
            self._heads[number], self._places[number] = head, line.place
            before = number, line, head
        if before is not None:
            self._last = before[2]
            self._tell_unhashed(unsealed)

    def _tell_unhashed(self, lines: Sequence[tuple[int, Line]]) -> None:
        """Tell of lines without a hash, which the next line with one seals or which are the last."""
        for number, line in lines:
            if line.record is None:
                self._notes.append(Message("audit.note.torn", {"number": number, "place": line.place}))
            else:
                self._add("unhashed", line.place, number=number)

    def _check_order(self, numbered: dict[int, Line]) -> None:
        """Find lines that stand elsewhere than where their numbers say."""
        places = {line.place: number for number, line in numbered.items()}
        found = [places[place] for place in sorted(places)]
        right, where = sorted(found), {number: line.place for number, line in numbered.items()}
        wrong = {at: number for at, number in enumerate(found) if number != right[at]}
        at_of = {number: at for at, number in enumerate(right)}
        swapped = {at: at_of[number] for at, number in wrong.items() if found[at_of[number]] == right[at]}
        for at, other in swapped.items():
            if at < other:
                self._add("swapped", where[found[at]], number=right[at], other=right[other])
        rest = [number for at, number in enumerate(found) if at not in swapped]
        for number in sorted(set(rest) - set(_longest_rising(rest))):
            self._add("moved", where[number], number=number)

    def _check_checkpoint(self, chain: Sequence[Line]) -> None:
        """Compare where the log begins with what its last line on pruning says."""
        said = [line.checkpoint for line in chain if line.previous and line.checkpoint is not None]
        if (said[-1] if said else Head()) != self._start:
            self._add("checkpoint", 1, number=self._start.count)


def _longest_rising(numbers: Sequence[int]) -> list[int]:
    """Return a longest part of some different numbers that rises (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        pile = bisect_left(tops, number)
        tops[pile : pile + 1] = [number]
        before[number] = tops[pile - 1] if pile else None
    at = tops[-1] if tops else None
    while at is not None:
        ends.append(at)
        at = before[at]
    return ends[::-1]
