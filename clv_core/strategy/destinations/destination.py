"""Saved destinations, and which rows were sent to each.

workspace/destinations/<name>/
  destination.json  kind, address, and where its secret lies; never the secret
  <dataset>.jsonl   one line a batch that was accepted: keyed hash of each customer's id, digest of what was sent
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from clv_core import audit
from clv_core.errors import NotFound, UsageError
from clv_core.records import JsonRecord
from clv_core.strategy.destinations.senders import KINDS
from clv_core.workspace import Workspace, append_record, check_name, read_json, read_lines, write_json, write_text

FOLDER: Final = "destinations"
RECORD: Final = "destination.json"
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
"""Hosts that need no TLS."""
SECRET_KINDS: Final = ("env:", "file:", "keyring:")


@dataclass(frozen=True)
class Destination(JsonRecord):
    """Where scores are sent.

    Args:
        name: of it.
        kind: id of ``KINDS``.
        address: URL of the webhook, server or bucket; of a vendor, that of its API.
        secret: reference of the key, token or password (:mod:`clv_core.secrets_by_reference`); "" for none.
        table: of a database.
        salt: of the hashes of ids.
    """

    name: str
    kind: str
    address: str
    secret: str = ""
    table: str = "clv_scores"
    salt: str = ""

    @property
    def host(self) -> str:
        """What may be shown of the address."""
        parts = urllib.parse.urlsplit(self.address)
        return parts.hostname or parts.path


def add_destination(
    workspace: Workspace, name: str, kind: str, address: str = "", secret: str = "", table: str = "clv_scores"
) -> Destination:
    """Save a destination; one of that name is replaced, and is sent everything again where its address is another.

    Raises:
        UsageError: the kind is unknown, the address is missing or holds a password, or the secret is no reference.
    """
    if kind not in KINDS:
        raise UsageError("destination_kind", kind=kind, known=list(KINDS))
    address = address or KINDS[kind].address
    parts = urllib.parse.urlsplit(address)
    known = parts.scheme in KINDS[kind].schemes or (parts.scheme == "http" and parts.hostname in LOCAL)
    if not known or parts.password or (KINDS[kind].needs_secret and not secret):
        raise UsageError("destination_address", kind=kind, schemes=list(KINDS[kind].schemes))
    if secret and not secret.startswith(SECRET_KINDS):
        raise UsageError("secret_reference")
    if not table.replace("_", "a").isalnum():
        raise UsageError("destination_table", table=table[:60])
    folder = workspace.folder(FOLDER, check_name(name))
    made = Destination(name.strip(), kind, address, secret, table, uuid.uuid4().hex)
    if (folder / RECORD).exists():
        before = open_destination(workspace, name)
        if (before.kind, before.address, before.table) == (kind, address, table):
            made = Destination(made.name, kind, address, secret, table, before.salt)
        else:
            for sent in folder.glob("*.jsonl"):
                sent.unlink()
    write_json(folder / RECORD, made.to_json())
    audit.note(workspace, "destinations add", format=kind, outcome="done")
    return made


def list_destinations(workspace: Workspace) -> list[Destination]:
    """Return all destinations, by name."""
    paths = sorted(workspace.place(FOLDER).glob(f"*/{RECORD}"))
    return [Destination.from_json(read_json(path)) for path in paths]


def open_destination(workspace: Workspace, name: str) -> Destination:
    """Return one.

    Raises:
        NotFound: there is none of that name.
    """
    found = {one.name: one for one in list_destinations(workspace)}
    if name.strip() not in found:
        raise NotFound("no_destination", name=name[:80], known=list(found) or "-")
    return found[name.strip()]


def remove_destination(workspace: Workspace, name: str) -> None:
    """Forget a destination; what it was sent stays there."""
    found = open_destination(workspace, name)
    shutil.rmtree(workspace.place(FOLDER, found.name))
    audit.note(workspace, "destinations remove", format=found.kind, outcome="done")


class Ledger:
    """What a destination has accepted of a dataset, by customer.

    Args:
        workspace: whose.
        destination: which.
        dataset: name.
    """

    def __init__(self, workspace: Workspace, destination: Destination, dataset: str) -> None:
        self._path = workspace.folder(FOLDER, destination.name) / f"{dataset}.jsonl"
        self._salt = destination.salt.encode()
        self.digests: dict[str, str] = {}
        self.without_receipt = 0
        for line in read_lines(self._path):
            with suppress(ValueError):  # cut off by a crash
                record = json.loads(line)
                self.digests |= record.get("rows", {})
                self.without_receipt = 0 if "receipt" in record else self.without_receipt + len(record["rows"])

    def key(self, customer: str) -> str:
        """Return the keyed hash of a customer's id."""
        return hmac.new(self._salt, customer.encode(), hashlib.sha256).hexdigest()[:24]

    def accept(self, rows: Mapping[str, str]) -> None:
        """Note on the disk that rows were accepted: hash of the id to digest of what was sent."""
        append_record(self._path, {"rows": dict(rows)})
        self.digests |= rows

    def close(self, kept: Iterable[str]) -> None:
        """Note that the receipt was written, and keep one line of what was accepted of these hashes."""
        lines = ({"rows": {key: self.digests[key] for key in kept if key in self.digests}}, {"receipt": True})
        write_text(self._path, "".join(f"{json.dumps(line)}\n" for line in lines))
