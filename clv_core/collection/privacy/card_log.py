"""Who looked at which customer's card: lines of the audit log with a pseudonym under a key of the customer's own.

Each customer whose card was looked at has a random key, a file in ``audit/cards`` whose name is a keyed hash of the id.
The log's lines hold a hash of the id under that key. Once an erasure has destroyed it, nobody can tell of a line whose
card it was, not even who knows the id and all other keys.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from clv_core import audit
from clv_core.collection.parse.id_texts import KEY_BYTES, key_path, load_key, pseudonym
from clv_core.locks import writing
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, atomic_path

ACTION: Final = "card"
KEYS: Final = "cards"
"""Folder of the customers' keys, in the audit log's."""
NAMES: Final = "cards.key"
"""The key of the names of their files."""
SHOWN: Final = 16
"""Hexadecimal digits of a pseudonym in the log."""


def note_card(workspace: Workspace, dataset: str, model: str, customer: str, action: str = ACTION) -> None:
    """Note in the audit log that somebody looks at a customer's card, or takes another action on one customer.

    Nothing is noted where the workspace may only be read.
    """
    if workspace.read_only:
        return
    folder = workspace.folder(audit.FOLDER)
    with writing(folder / NAMES):
        names = _key(folder / NAMES)
        key = _key(folder / KEYS / pseudonym(names, customer))
    audit.note(workspace, action, dataset=dataset, model=model, customers=1, card=pseudonym(key, customer)[:SHOWN])


def card_views(workspace: Workspace, customer: str) -> list[JsonObject]:
    """Return the lines of the audit log on a customer's card, the latest first; none once she is erased."""
    words = [customer]
    if key_path(workspace).exists():
        words.append(pseudonym(load_key(workspace), customer))
    cards = {
        pseudonym(bytes.fromhex(path.read_text()), word)[:SHOWN]
        for word in words
        for path in _paths(workspace, [word])
        if path.exists()
    }
    return [line for line in audit.lines(workspace) if line["action"] == ACTION and line.get("card") in cards]


def forget_cards(workspace: Workspace, customers: Iterable[str]) -> int:
    """Destroy the keys of some customers, and return how many had one."""
    stored = [path for path in _paths(workspace, customers) if path.exists()]
    for path in stored:
        path.unlink()
    return len(stored)


def _paths(workspace: Workspace, customers: Iterable[str]) -> list[Path]:
    """Return where the keys of some customers would lie; nowhere where no card was ever looked at."""
    folder = workspace.place(audit.FOLDER)
    if not (folder / NAMES).exists():
        return []
    names = bytes.fromhex((folder / NAMES).read_text())
    return [folder / KEYS / name for name in {pseudonym(names, customer) for customer in customers} if name]


def _key(path: Path) -> bytes:
    """Return the key in a file, a new one where there is none; readable by its owner only."""
    if not path.exists():
        with atomic_path(path) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(KEY_BYTES))
    return bytes.fromhex(path.read_text())
