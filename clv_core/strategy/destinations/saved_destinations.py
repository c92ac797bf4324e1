"""The kinds of destinations, and those that are saved.

workspace/destinations/<name>/
  destination.json  kind, address, and where its secret lies; never the secret
  <dataset>.jsonl   what was accepted (:class:`~clv_core.strategy.destinations.push.Ledger`)
"""

from __future__ import annotations

import re
import shutil
import urllib.parse
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from clv_core import audit
from clv_core.collection.sources import LOCAL_HOSTS
from clv_core.errors import NotFound, UsageError
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.destinations.destination import (
    MARKETING,
    PURPOSES,
    Destination,
    Row,
    Send,
    Tell,
    score_rows,
)
from clv_core.strategy.destinations.http_senders import hubspot, hubspot_rows, klaviyo, klaviyo_rows, webhook
from clv_core.strategy.destinations.table_senders import bucket, postgresql
from clv_core.workspace import Workspace, check_name, read_json, write_json

FOLDER: Final = "destinations"
RECORD: Final = "destination.json"
TABLE: Final = re.compile(r"\w+(\.\w+)?")
SECRET_KINDS: Final = ("env:", "file:", "keyring:")


@dataclass(frozen=True)
class Kind:
    """A kind of destination.

    Args:
        format: of ``EXPORTS``, whose audience it gets.
        rows: audience's customers -> what is sent of each.
        connect: destination, secret, how to wait, and whom to tell what is sent otherwise than asked -> what sends,
            while it is open.
        most_rows: in one request; None sends all at once and replaces what was there.
        schemes: of its address; ``http`` as well on this machine.
        address: where none is given.
        example: of an address that has to be given.
        title: its proper name; "" where its name for people is the catalogue key ``export.<id>``.
        needs_secret: whether it does not work without.
    """

    format: str
    rows: Callable[[pd.DataFrame], list[Row]]
    connect: Callable[[Destination, str, Callable[[float], None], Tell], AbstractContextManager[Send]]
    most_rows: int | None
    schemes: tuple[str, ...] = ("https",)
    address: str = ""
    example: str = ""
    title: str = ""
    needs_secret: bool = True

    @property
    def purposes(self) -> tuple[str, ...]:
        """What it may be for: a mail or ad platform contacts customers."""
        return (MARKETING,) if EXPORTS[self.format].needs_contacts else PURPOSES


KINDS: Final = {
    "webhook": Kind("csv", score_rows, webhook, 500, example="https://crm.shop.example/clv"),
    "klaviyo": Kind("klaviyo", klaviyo_rows, klaviyo, 5000, address="https://a.klaviyo.com", title="Klaviyo"),
    "hubspot": Kind("hubspot", hubspot_rows, hubspot, 100, address="https://api.hubapi.com", title="HubSpot"),
    "postgresql": Kind(
        *("csv", score_rows, postgresql, None, ("postgresql",)),
        example="postgresql://clv@db.shop.example/dwh",
        needs_secret=False,
    ),
    "bucket": Kind(
        *("csv", score_rows, bucket, None, ("s3", "file")),
        example="s3://shop-lake/clv?region=eu-central-1",
        needs_secret=False,
    ),
}


def add_destination(
    workspace: Workspace,
    name: str,
    kind: str,
    address: str = "",
    secret: str = "",
    table: str = "clv_scores",
    purpose: str = "",
) -> Destination:
    """Save a destination; one of that name is replaced, and is sent everything again where its address is another.

    ``purpose``: one of ``PURPOSES``; "" for that of the one that is replaced where its address stays, else marketing.

    Raises:
        UsageError: the kind is unknown or is not for the purpose, the address is missing or holds a password, or the
            secret is no reference.
    """
    if kind not in KINDS:
        raise UsageError("destination_kind", kind=kind, known=list(KINDS))
    address = address or KINDS[kind].address
    parts = urllib.parse.urlsplit(address)
    is_allowed = parts.scheme in KINDS[kind].schemes or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)
    if not is_allowed or parts.password or (KINDS[kind].needs_secret and not secret):
        raise UsageError("destination_address", kind=kind, schemes=list(KINDS[kind].schemes))
    if secret and not secret.startswith(SECRET_KINDS):
        raise UsageError("secret_reference")
    if not TABLE.fullmatch(table):
        raise UsageError("destination_table", table=table[:60])
    _check_purpose(kind, purpose or MARKETING)
    folder = workspace.folder(FOLDER, check_name(name))
    made = Destination(name.strip(), kind, address, secret, table, uuid.uuid4().hex, purpose or MARKETING)
    if (folder / RECORD).exists():
        before = open_destination(workspace, name)
        if (before.kind, before.address, before.table) == (kind, address, table):
            made = replace(made, salt=before.salt, purpose=purpose or before.purpose)
        else:
            for sent in folder.glob("*.jsonl"):
                sent.unlink()
    _save(workspace, made, "destinations add")
    return made


def set_purpose(workspace: Workspace, name: str, purpose: str) -> Destination:
    """Change what a destination is for; the next push sends there what that changes.

    Raises:
        NotFound: there is none of that name.
        UsageError: its kind is not for that.
    """
    before = open_destination(workspace, name)
    _check_purpose(before.kind, purpose)
    made = replace(before, purpose=purpose)
    _save(workspace, made, "destinations change")
    return made


def _check_purpose(kind: str, purpose: str) -> None:
    if purpose not in KINDS[kind].purposes:
        raise UsageError("destination_purpose", kind=kind, purpose=purpose[:40], known=list(KINDS[kind].purposes))


def _save(workspace: Workspace, made: Destination, action: str) -> None:
    write_json(workspace.folder(FOLDER, made.name) / RECORD, made.to_json())
    facts = {"format": made.kind, "destination": made.name, "purpose": made.purpose}
    audit.note(workspace, action, **facts, outcome="done")


def list_destinations(workspace: Workspace) -> list[Destination]:
    """Return all destinations, by name."""
    paths = sorted(workspace.place(FOLDER).glob(f"*/{RECORD}"))
    return [Destination.from_json(read_json(path)) for path in paths]


def open_destination(workspace: Workspace, name: str) -> Destination:
    """Return the destination of a name.

    Raises:
        NotFound: there is none of that name.
    """
    destinations = {destination.name: destination for destination in list_destinations(workspace)}
    if name.strip() not in destinations:
        raise NotFound("no_destination", name=name[:80], known=list(destinations) or "-")
    return destinations[name.strip()]


def remove_destination(workspace: Workspace, name: str) -> None:
    """Forget a destination; what it was sent stays there."""
    destination = open_destination(workspace, name)
    shutil.rmtree(workspace.place(FOLDER, destination.name))
    audit.note(workspace, "destinations remove", format=destination.kind, destination=destination.name, outcome="done")
