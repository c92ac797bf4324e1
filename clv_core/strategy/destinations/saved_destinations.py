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
from dataclasses import dataclass
from typing import Final

import pandas as pd

from clv_core import audit
from clv_core.collection.sources.source import LOCAL_HOSTS
from clv_core.errors import NotFound, UsageError
from clv_core.strategy.destinations.destination import Destination, Row, Send, score_rows
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
        connect: destination, secret and how to wait -> what sends, while it is open.
        most_rows: in one request; None sends all at once and replaces what was there.
        schemes: of its address; ``http`` as well on this machine.
        address: where none is given.
        example: of an address that has to be given.
        title: its proper name; "" where its name for people is the catalogue key ``export.<id>``.
        needs_secret: whether it does not work without.
    """

    format: str
    rows: Callable[[pd.DataFrame], list[Row]]
    connect: Callable[[Destination, str, Callable[[float], None]], AbstractContextManager[Send]]
    most_rows: int | None
    schemes: tuple[str, ...] = ("https",)
    address: str = ""
    example: str = ""
    title: str = ""
    needs_secret: bool = True


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
    known = parts.scheme in KINDS[kind].schemes or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)
    if not known or parts.password or (KINDS[kind].needs_secret and not secret):
        raise UsageError("destination_address", kind=kind, schemes=list(KINDS[kind].schemes))
    if secret and not secret.startswith(SECRET_KINDS):
        raise UsageError("secret_reference")
    if not TABLE.fullmatch(table):
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
