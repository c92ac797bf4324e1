"""The registry's rows inside one transaction: versions added and taken out, the pointers of a name moved."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.registry.version import QUERY, Source, Version

JUST_SECONDS: Final = 60.0
CHAMPIONS: Final = "SELECT number FROM moves WHERE name = ? AND stands ORDER BY seq DESC"


def now() -> str:
    """Return the time in UTC, ISO to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def find(rows: sqlite3.Connection, bundle: str) -> Version | None:
    """Return the version that a bundle is registered as."""
    found = rows.execute(f"{QUERY} WHERE bundle = ?", (bundle,)).fetchone()
    return None if found is None else Version.of(found)


def version(rows: sqlite3.Connection, name: str, number: int) -> Version | None:
    """Return one version."""
    found = rows.execute(f"{QUERY} WHERE name = ? AND number = ?", (name, number)).fetchone()
    return None if found is None else Version.of(found)


def versions(rows: sqlite3.Connection, name: str | None = None) -> list[Version]:
    """Return all versions, the newest first, optionally of one name."""
    where, params = ("", ()) if name is None else ("WHERE name = ?", (name,))
    return [Version.of(row) for row in rows.execute(f"{QUERY} {where} ORDER BY name, number DESC", params)]


def champion(rows: sqlite3.Connection, name: str) -> Version | None:
    """Return the champion of a name."""
    found = rows.execute(f"{QUERY} WHERE name = ? AND number = champion", (name,)).fetchone()
    return None if found is None else Version.of(found)


def add(rows: sqlite3.Connection, name: str, bundle: Bundle, source: Source) -> int:
    """Add a bundle as the next version of a name, let it take its place there, and return its number.

    The first version is champion. A first look holds the place only until a model was trained, and challenges nobody.
    """
    number = next_number(rows, name)
    record = bundle.record
    values = (name, number, bundle.id, record["digest"], now(), source, json.dumps(record, ensure_ascii=False))
    rows.execute(
        "INSERT INTO versions (name, number, bundle, digest, registered, source, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    speaking = champion(rows, name)
    if speaking is None:
        rows.execute("INSERT INTO names (name, champion) VALUES (?, ?)", (name, number))
        note(rows, name, number, "first", stands=True)
    elif speaking.untrained and not bundle.untrained:
        point(rows, name, number, "trained")
    elif not bundle.untrained:
        rows.execute("UPDATE names SET challenger = ? WHERE name = ?", (number, name))
    return number


def came_from(rows: sqlite3.Connection, bundle: str, source: Source) -> None:
    """Say where a bundle comes from that another look found on disk just before its maker could register it."""
    just = (datetime.now(UTC) - timedelta(seconds=JUST_SECONDS)).isoformat(timespec="seconds")
    rows.execute(
        "UPDATE versions SET source = ? WHERE bundle = ? AND source = 'found' AND registered >= ?",
        (source, bundle, just),
    )


def next_number(rows: sqlite3.Connection, name: str) -> int:
    """Return a version number that was never given under this name."""
    rows.execute("INSERT OR IGNORE INTO counters VALUES (?, 0)", (name,))
    rows.execute("UPDATE counters SET last = last + 1 WHERE name = ?", (name,))
    return int(rows.execute("SELECT last FROM counters WHERE name = ?", (name,)).fetchone()[0])


def point(rows: sqlite3.Connection, name: str, number: int, why: str, *, stands: bool = True) -> None:
    """Make a version the champion; where it was the challenger, nobody is any more."""
    challenge_no_more(rows, name, number)  # first: nobody is both, not even between two statements
    rows.execute("UPDATE names SET champion = ? WHERE name = ?", (number, name))
    note(rows, name, number, why, stands=stands)


def challenge_no_more(rows: sqlite3.Connection, name: str, number: int) -> None:
    """Where a version is the challenger, let nobody be."""
    rows.execute("UPDATE names SET challenger = nullif(challenger, ?) WHERE name = ?", (number, name))


def archive(rows: sqlite3.Connection, one: Version, *, archived: bool) -> None:
    """Take a version out of use, where it also challenges no more, or back into it."""
    rows.execute("UPDATE versions SET archived = ? WHERE name = ? AND number = ?", (archived, one.name, one.number))
    if archived:
        challenge_no_more(rows, one.name, one.number)


def note(rows: sqlite3.Connection, name: str, number: int, why: str, *, stands: bool) -> None:
    """Add a line to the history of champions."""
    rows.execute(
        "INSERT INTO moves (name, number, at, why, stands) VALUES (?, ?, ?, ?, ?)", (name, number, now(), why, stands)
    )


def before(rows: sqlite3.Connection, name: str) -> list[Version]:
    """Return earlier champions that could speak again, the latest first, each once."""
    speaking = champion(rows, name)
    numbers = dict.fromkeys(int(row[0]) for row in rows.execute(CHAMPIONS, (name,)))
    found = [version(rows, name, number) for number in numbers]
    return [one for one in found if one is not None and not one.archived and one != speaking]


def step_back(rows: sqlite3.Connection, name: str, to: Version) -> None:
    """Make an earlier champion speak again; what came after it no longer stands in the history."""
    rows.execute(
        "UPDATE moves SET stands = 0 WHERE name = ? AND seq > "
        "(SELECT max(seq) FROM moves WHERE name = ? AND number = ? AND stands)",
        (name, name, to.number),
    )
    point(rows, name, to.number, "rollback", stands=False)


def remove(rows: sqlite3.Connection, one: Version) -> None:
    """Take a version out; with the last one its name goes, and a champion is followed by whoever is next in line."""
    others = [other for other in versions(rows, one.name) if other.number != one.number]
    if not others:
        rows.execute("DELETE FROM names WHERE name = ?", (one.name,))
    elif one.role == "champion":
        heir = next(iter([*before(rows, one.name), *line(others)]))
        point(rows, one.name, heir.number, "left")
    challenge_no_more(rows, one.name, one.number)
    rows.execute("UPDATE moves SET stands = 0 WHERE name = ? AND number = ?", (one.name, one.number))
    rows.execute("DELETE FROM versions WHERE name = ? AND number = ?", (one.name, one.number))


def line(found: list[Version]) -> list[Version]:
    """Return versions in the order in which they would follow a champion: in use and trained before others, newest."""
    return sorted(found, key=lambda one: (one.archived, one.untrained, -one.number))


def rename(rows: sqlite3.Connection, old: str, new: str) -> None:
    """Let the versions of ``old`` be versions of ``new``; where both exist they join, and ``old``'s champion speaks."""
    moving = sorted(versions(rows, old), key=lambda one: one.number)
    if not moving:
        return
    joined = champion(rows, new) is not None
    numbers = {}
    if joined:
        rows.execute("UPDATE moves SET stands = 0 WHERE name = ?", (new,))
    else:
        rows.execute("DELETE FROM counters WHERE name = ?", (new,))
        rows.execute("UPDATE counters SET name = ? WHERE name = ?", (new, old))
    for one in moving:
        numbers[one.number] = next_number(rows, new) if joined else one.number
        rows.execute(
            "UPDATE versions SET name = ?, number = ?, record = json_set(record, '$.dataset.name', ?) "
            "WHERE name = ? AND number = ?",
            (new, numbers[one.number], new, old, one.number),
        )
    for seq, number in rows.execute("SELECT seq, number FROM moves WHERE name = ?", (old,)).fetchall():
        rows.execute("UPDATE moves SET name = ?, number = ? WHERE seq = ?", (new, numbers.get(number, number), seq))
    speaking, challenging = rows.execute("SELECT champion, challenger FROM names WHERE name = ?", (old,)).fetchone()
    rows.execute("DELETE FROM names WHERE name = ?", (old,))
    rows.execute("DELETE FROM names WHERE name = ?", (new,))
    rows.execute("INSERT INTO names VALUES (?, ?, ?)", (new, numbers[speaking], numbers.get(challenging)))
    if joined:
        note(rows, new, numbers[speaking], "renamed", stands=True)
