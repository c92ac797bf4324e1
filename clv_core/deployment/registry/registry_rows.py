"""SQL of the registry inside one transaction: versions are added and removed, the pointers of a name are moved."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

from clv_core.deployment.bundle import Bundle, sealed
from clv_core.deployment.registry.version import QUERY, Source, Version

RECENT_SECONDS: Final = 60.0
"""A bundle registered as ``found`` so recently may be one that the process that made it is about to register."""
_ACTIVE_CHAMPIONS: Final = "SELECT number FROM moves WHERE name = ? AND stands ORDER BY seq DESC"


def now() -> str:
    """Return the time in UTC, ISO to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def find(rows: sqlite3.Connection, bundle: str) -> Version | None:
    """Return the version that a bundle is registered as."""
    return _fetch_one(rows, "bundle = ?", (bundle,))


def version(rows: sqlite3.Connection, name: str, number: int) -> Version | None:
    """Return one version."""
    return _fetch_one(rows, "name = ? AND number = ?", (name, number))


def versions(rows: sqlite3.Connection, name: str | None = None) -> list[Version]:
    """Return all versions, the newest first, optionally of one name."""
    where, params = ("", ()) if name is None else ("WHERE name = ?", (name,))
    return [Version.of(row) for row in rows.execute(f"{QUERY} {where} ORDER BY name, number DESC", params)]


def champion(rows: sqlite3.Connection, name: str) -> Version | None:
    """Return the champion of a name."""
    return _fetch_one(rows, "name = ? AND number = champion", (name,))


def _fetch_one(rows: sqlite3.Connection, where: str, params: tuple[str | int, ...]) -> Version | None:
    row = rows.execute(f"{QUERY} WHERE {where}", params).fetchone()
    return None if row is None else Version.of(row)


def add(rows: sqlite3.Connection, name: str, bundle: Bundle, source: Source) -> int:
    """Add a bundle as the next version of a name, give it a role, and return its number.

    The first version becomes champion, a later one challenger. An untrained model is never challenger, and is replaced
    as champion by the first trained one.
    """
    number = next_number(rows, name)
    values = (name, number, bundle.id, bundle.record.digest, now(), source, sealed(bundle.record.to_json()))
    rows.execute(
        "INSERT INTO versions (name, number, bundle, digest, registered, source, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    current = champion(rows, name)
    if current is None:
        rows.execute("INSERT INTO names (name, champion) VALUES (?, ?)", (name, number))
        _add_to_history(rows, name, number, "first", is_active=True)
    elif current.untrained and not bundle.untrained:
        set_champion(rows, name, number, "trained")
    elif not bundle.untrained:
        rows.execute("UPDATE names SET challenger = ? WHERE name = ?", (number, name))
    return number


def set_source(rows: sqlite3.Connection, bundle: str, source: Source) -> None:
    """Set the source of a bundle that another process registered just before its maker could register it."""
    recent = (datetime.now(UTC) - timedelta(seconds=RECENT_SECONDS)).isoformat(timespec="seconds")
    rows.execute(
        "UPDATE versions SET source = ? WHERE bundle = ? AND source = 'found' AND registered >= ?",
        (source, bundle, recent),
    )


def next_number(rows: sqlite3.Connection, name: str) -> int:
    """Return a version number that was never used under this name."""
    rows.execute("INSERT OR IGNORE INTO counters VALUES (?, 0)", (name,))
    rows.execute("UPDATE counters SET last = last + 1 WHERE name = ?", (name,))
    return int(rows.execute("SELECT last FROM counters WHERE name = ?", (name,)).fetchone()[0])


def set_champion(rows: sqlite3.Connection, name: str, number: int, why: str, *, is_active: bool = True) -> None:
    """Make a version the champion; if it was the challenger, there is none any more."""
    _clear_challenger(rows, name, number)  # first: a constraint forbids both roles even between two statements
    rows.execute("UPDATE names SET champion = ? WHERE name = ?", (number, name))
    _add_to_history(rows, name, number, why, is_active=is_active)


def _clear_challenger(rows: sqlite3.Connection, name: str, number: int) -> None:
    """Clear the challenger of a name where it is this version."""
    rows.execute("UPDATE names SET challenger = nullif(challenger, ?) WHERE name = ?", (number, name))


def archive(rows: sqlite3.Connection, target: Version, *, archived: bool) -> None:
    """Archive a version, which then is no challenger, or bring it back."""
    rows.execute(
        "UPDATE versions SET archived = ? WHERE name = ? AND number = ?", (archived, target.name, target.number)
    )
    if archived:
        _clear_challenger(rows, target.name, target.number)


def _add_to_history(rows: sqlite3.Connection, name: str, number: int, why: str, *, is_active: bool) -> None:
    """Add a line to the history of champions; a rollback may return to active ones only."""
    values = (name, number, now(), why, is_active)
    rows.execute("INSERT INTO moves (name, number, at, why, stands) VALUES (?, ?, ?, ?, ?)", values)


def earlier_champions(rows: sqlite3.Connection, name: str) -> list[Version]:
    """Return the earlier champions that a rollback may return to, the latest first, each once."""
    current = champion(rows, name)
    numbers = dict.fromkeys(int(row[0]) for row in rows.execute(_ACTIVE_CHAMPIONS, (name,)))
    earlier = [version(rows, name, number) for number in numbers]
    return [
        candidate for candidate in earlier if candidate is not None and not candidate.archived and candidate != current
    ]


def roll_back(rows: sqlite3.Connection, name: str, to: Version) -> None:
    """Make an earlier champion the champion again; those after it are no longer active in the history.

    The inner query finds the last active line of that version; the update deactivates all lines of the name after it.
    """
    rows.execute(
        "UPDATE moves SET stands = 0 WHERE name = ? AND seq > "
        "(SELECT max(seq) FROM moves WHERE name = ? AND number = ? AND stands)",
        (name, name, to.number),
    )
    set_champion(rows, name, to.number, "rollback", is_active=False)


def remove(rows: sqlite3.Connection, target: Version) -> None:
    """Remove a version; a champion is followed by its successor, and without versions the name is removed."""
    remaining = [other for other in versions(rows, target.name) if other.number != target.number]
    if not remaining:
        rows.execute("DELETE FROM names WHERE name = ?", (target.name,))
    elif target.role == "champion":
        successor = next(iter([*earlier_champions(rows, target.name), *by_succession(remaining)]))
        set_champion(rows, target.name, successor.number, "left")
    _clear_challenger(rows, target.name, target.number)
    rows.execute("UPDATE moves SET stands = 0 WHERE name = ? AND number = ?", (target.name, target.number))
    rows.execute("DELETE FROM versions WHERE name = ? AND number = ?", (target.name, target.number))


def by_succession(candidates: list[Version]) -> list[Version]:
    """Return versions in the order in which they would follow a champion: not archived, then trained, then newest."""
    return sorted(candidates, key=lambda candidate: (candidate.archived, candidate.untrained, -candidate.number))


def rename(rows: sqlite3.Connection, old: str, new: str) -> None:
    """Move the versions of ``old`` to ``new``; where both exist they are merged, and ``old``'s champion is champion."""
    moving = sorted(versions(rows, old), key=lambda moved: moved.number)
    if not moving:
        return
    merged = champion(rows, new) is not None
    numbers = {}
    if merged:
        rows.execute("UPDATE moves SET stands = 0 WHERE name = ?", (new,))
    else:
        rows.execute("DELETE FROM counters WHERE name = ?", (new,))
        rows.execute("UPDATE counters SET name = ? WHERE name = ?", (new, old))
    for moved in moving:
        numbers[moved.number] = next_number(rows, new) if merged else moved.number
        rows.execute(
            "UPDATE versions SET name = ?, number = ? WHERE name = ? AND number = ?",
            (new, numbers[moved.number], old, moved.number),
        )
    for seq, number in rows.execute("SELECT seq, number FROM moves WHERE name = ?", (old,)).fetchall():
        rows.execute("UPDATE moves SET name = ?, number = ? WHERE seq = ?", (new, numbers.get(number, number), seq))
    champion_number, challenger_number = rows.execute(
        "SELECT champion, challenger FROM names WHERE name = ?", (old,)
    ).fetchone()
    rows.execute("DELETE FROM names WHERE name = ?", (old,))
    rows.execute("DELETE FROM names WHERE name = ?", (new,))
    rows.execute("INSERT INTO names VALUES (?, ?, ?)", (new, numbers[champion_number], numbers.get(challenger_number)))
    if merged:
        _add_to_history(rows, new, numbers[champion_number], "renamed", is_active=True)
