"""Send what changed to a destination, with a receipt."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Cancelled, ClvError, Message
from clv_core.jobs import Progress
from clv_core.locks import run_lock
from clv_core.secrets_by_reference import secret as secret_of
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Exported, Side, log_export
from clv_core.strategy.destinations.destination import Destination, Ledger
from clv_core.strategy.destinations.senders import KINDS, split
from clv_core.workspace import Workspace

EXAMPLES: Final = 10
PERSONAL: Final = re.compile(r"email|phone.*|first_?name|last_?name|city|zip|id")


@dataclass(frozen=True)
class Pushed:
    """What a push did, or would do.

    Args:
        destination: name.
        sent: customers that were accepted.
        changed: customers whose row is new or another than the one that was accepted before.
        unchanged: customers who were not sent again.
        left_out: customers of the segment who are not sent, by reason, as of files.
        failed: customer and reason of those that the destination did not accept; the next push tries them again.
        examples: the first rows, contacts masked; of a dry run only.
        recovered: customers that an earlier push sent before it was killed, without a receipt until now.
        notes: warnings of the audience.
    """

    destination: str
    sent: int
    changed: int
    unchanged: int
    left_out: dict[str, int]
    failed: list[tuple[str, str]] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    recovered: int = 0
    notes: tuple[Message, ...] = ()


def push(
    workspace: Workspace,
    destination: Destination,
    customers: pd.DataFrame,
    side: Side,
    *,
    contacts: Contacts | None = None,
    stop: SuppressionList | None = None,
    dry_run: bool = False,
    progress: Progress,
    wait: Callable[[float], None] = time.sleep,
) -> Pushed:
    """Send the rows that changed since the last push, and note a receipt in the export log.

    Args:
        workspace: whose export log.
        destination: where to.
        customers: scored, one row a customer.
        side: what the numbers mean.
        contacts: contact fields and consent, as of files for the same system.
        stop: the suppression list.
        dry_run: only work out what would be sent.
        progress: listener.
        wait: sleeps for so many seconds.

    Raises:
        ClvError: the destination refused or did not answer; what it accepted before is in the receipt, and the next
            push goes on from there.
        Refused: another push to it is running.
        UsageError, NeedsAnswer: as of files.
    """
    kind = KINDS[destination.kind]
    with run_lock(workspace, f"push-{destination.name}", destination.name, "push_running"):
        audience = filter_audience(customers, kind.format, contacts, stop)
        people = audience.customers.sort_values(CUSTOMER_ID, ignore_index=True)
        ids, rows = people[CUSTOMER_ID].astype("str").tolist(), kind.rows(people)
        ledger = Ledger(workspace, destination, side.dataset)
        keys = [ledger.key(one) for one in ids]
        digests = [_digest(row) for row in rows]
        changed = [place for place, key in enumerate(keys) if ledger.digests.get(key) != digests[place]]
        if kind.most_rows is None and (changed or {*ledger.digests} - {*keys}):
            changed = list(range(len(rows)))  # a table is replaced
        made = Pushed(
            destination.name,
            0,
            len(changed),
            len(rows) - len(changed),
            audience.left_out,
            recovered=ledger.without_receipt,
            notes=audience.notes,
        )
        if dry_run:
            return replace(made, examples=[_masked(rows[place]) for place in changed[:EXAMPLES]])
        facts = ("dataset", "dataset_version", "cutoff", "model", "horizon_days", "currency")
        about = {name: getattr(side, name) for name in facts}
        failed: dict[int, str] = {}
        complete = False
        try:
            secret = secret_of(destination.secret) if destination.secret else ""
            step = kind.most_rows or max(len(changed), 1)
            with kind.connect(destination, secret, wait) as send:
                for begin in range(0, len(changed), step):
                    progress.report("pushing", begin, len(changed))
                    batch = changed[begin : begin + step]
                    refused = split(send, [rows[place] for place in batch], about)
                    failed |= {batch[place]: reason for place, reason in refused.items()}
                    ledger.accept({keys[place]: digests[place] for place in batch if place not in failed})
                    made = replace(made, sent=made.sent + len(batch) - len(refused))
            progress.report("pushing", len(changed), len(changed))
            complete = True
        except Cancelled:
            raise
        except ClvError as error:
            left = len(changed) - made.sent - len(failed)
            reason = error.message()
            raise ClvError("push_stopped", name=destination.name, sent=made.sent, left=left, reason=reason) from error
        finally:
            if made.sent or failed or made.recovered or not complete:
                made = replace(made, failed=[(ids[place], reason) for place, reason in failed.items()])
                _note_receipt(workspace, destination, made, side, complete=complete)
            ledger.close(keys if complete and kind.most_rows is None else list(ledger.digests))
        return made


def _note_receipt(workspace: Workspace, destination: Destination, made: Pushed, side: Side, *, complete: bool) -> None:
    facts = {"destination": destination.name, "unchanged": made.unchanged, "failed": len(made.failed)}
    facts |= {"complete": complete, **({"sent_before_kill": made.recovered} if made.recovered else {})}
    receipt = Exported((), workspace.exports / "none", made.sent, made.sent, made.left_out)
    log_export(workspace, receipt, destination.kind, replace(side, settings={**side.settings, **facts}))


def _digest(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


def _masked(value: Any, name: str = "") -> Any:
    """Return a row whose contact fields show their first letter, addresses their domain as well."""
    if isinstance(value, dict):
        return {key: _masked(one, key) for key, one in value.items()}
    if isinstance(value, str) and value and PERSONAL.fullmatch(name):
        before, at, domain = value.partition("@")
        return f"{before[:1]}…{at}{domain}"
    return value
