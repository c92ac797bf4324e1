"""Send what changed to a destination, with a receipt."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import pandas as pd

from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import CONSENT
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import ClvError, Message, UsageError
from clv_core.jobs import Progress
from clv_core.locks import run_lock
from clv_core.records import JsonObject
from clv_core.secrets_by_reference import secret as secret_of
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.campaign_list import CampaignList, enrolled
from clv_core.strategy.audiences.consent import stated_consent
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Exported, Side, log_export
from clv_core.strategy.audiences.export_records import export_log
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.stored_contacts import latest_contacts, marketing_contacts
from clv_core.strategy.destinations.destination import (
    AS_OF,
    MARKETING,
    BadRows,
    Destination,
    Row,
    Send,
    SendError,
    Tell,
)
from clv_core.strategy.destinations.saved_destinations import FOLDER, KINDS
from clv_core.workspace import Workspace, append_record, read_lines, write_text

EXAMPLES: Final = 10
"""Rows that a dry run shows."""
MAX_SAME_REFUSALS: Final = 3
"""Whole batches refused in a row after which the destination may be one that refuses everything."""
PROBES: Final = 10
"""Rows tried by themselves before a push stops for that: where half of all rows are bad, 1 of 1,000 stops wrongly."""
NAMED_ROWS: Final = 100
"""So many bad rows are named, each with its reason, at one and a half requests for each; a guess."""
Outcome = tuple[list[int], dict[int, str]]
"""Places of rows that were accepted, and why others were not, by their place."""
PERSONAL: Final = re.compile(r"email|phone.*|first_?name|last_?name|city|zip|id")


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

    @classmethod
    def holds(cls, workspace: Workspace, destination: Destination, dataset: str, customers: Iterable[str]) -> bool:
        """Return whether a destination has accepted any of some customers of a dataset."""
        if not (workspace.place(FOLDER, destination.name) / f"{dataset}.jsonl").exists():
            return False
        ledger = cls(workspace, destination, dataset)
        return any(ledger.key(customer) in ledger.digests for customer in customers)

    def accept(self, rows: Mapping[str, str]) -> None:
        """Note on the disk that rows were accepted: hash of the id to digest of what was sent."""
        append_record(self._path, {"rows": dict(rows)})
        self.digests |= rows

    def close(self, keys: Iterable[str]) -> None:
        """Note that the receipt was written, and keep one line of what was accepted of these hashes."""
        lines = ({"rows": {key: self.digests[key] for key in keys if key in self.digests}}, {"receipt": True})
        write_text(self._path, "".join(f"{json.dumps(line)}\n" for line in lines))


@dataclass(frozen=True)
class Pushed:
    """What a push did, or would do.

    Args:
        destination: name.
        purpose: of it.
        sent: customers that were accepted.
        audience: customers of the segment who may be there.
        changed: customers whose row is new or another than the one that was accepted before.
        unchanged: customers who were not sent again.
        left_out: customers of the segment who may not, by reason, as of files.
        more_left_out: how many more they are than at the last push of this segment; 0 for none and at the first push.
        failed: customer and reason of those that the destination did not accept; the next push tries them again.
        examples: the first rows, contacts masked; of a dry run only.
        recovered: customers that an earlier push sent before it was killed, without a receipt until now.
        refused: customers who were refused for one reason before the push stopped for it; ``failed`` has some of them.
        control_there: customers of the campaign's control group whom the destination has from earlier pushes.
        notes: warnings of the audience.
    """

    destination: str
    purpose: str
    sent: int
    audience: int
    changed: int
    unchanged: int
    left_out: dict[str, int]
    more_left_out: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    examples: list[JsonObject] = field(default_factory=list)
    recovered: int = 0
    refused: int = 0
    control_there: int = 0
    notes: tuple[Message, ...] = ()

    def to_json(self) -> JsonObject:
        """Return it for a person or a job, without the notes: their sentences depend on the language."""
        facts = ("destination", "purpose", "sent", "audience", "changed", "unchanged", "left_out", "more_left_out")
        counts = {name: getattr(self, name) for name in (*facts, "refused", "recovered", "control_there", "examples")}
        failed = [{"customer_id": customer, "reason": reason} for customer, reason in self.failed]
        return {**counts, "failed": failed}


@dataclass(frozen=True, eq=False)
class PushList:
    """Whom a push is about.

    Args:
        customers: scored, one row a customer.
        side: what the numbers mean.
        contacts: contact fields and consent (:func:`push_contacts`).
        stop: the suppression list.
        campaign: whose list they are, and whose control group is not sent; None for no campaign.
    """

    customers: pd.DataFrame
    side: Side
    contacts: Contacts | None = None
    stop: SuppressionList | None = None
    campaign: CampaignList | None = None


def push(
    workspace: Workspace,
    destination: Destination,
    people: PushList,
    *,
    dry_run: bool = False,
    progress: Progress,
    wait: Callable[[float], None] = time.sleep,
    tell: Tell = lambda _: None,
) -> Pushed:
    """Send the rows that changed since the last push, and note a receipt in the export log.

    Args:
        workspace: whose export log.
        destination: where to.
        people: whom to send.
        dry_run: only work out what would be sent.
        progress: listener.
        wait: sleeps for so many seconds.
        tell: gets a warning before anything is sent where more customers are left out than by the last push, or the
            destination already has some of the control group.

    Raises:
        ClvError: the destination refused or did not answer; ``result`` is :meth:`Pushed.to_json` of what it accepted
            before, which is in the receipt, too. The next push resumes there.
        Refused: another push to it is running.
        UsageError, NeedsAnswer: as of files; a campaign's list is sent to where no one is contacted.
    """
    kind, campaign = KINDS[destination.kind], people.campaign
    if campaign is not None and destination.purpose != MARKETING:
        raise UsageError("campaign_warehouse", name=destination.name)
    side = people.side if campaign is None else people.side.of_campaign(campaign)
    with run_lock(workspace, f"push-{destination.name}", destination.name, "push_running"):
        plan = _plan(workspace, destination, people, dry_run=dry_run)
        ledger, rows, made, count = plan.ledger, plan.rows, plan.made, plan.made.changed
        if dry_run:
            places = [place for batch in plan.batches for place in batch][:EXAMPLES]
            return replace(made, examples=[_masked(rows[place]) for place in places])
        for message in made.notes if made.more_left_out or made.control_there else ():
            tell(message)
        facts = ("dataset", "dataset_version", "cutoff", "model", "horizon_days", "currency")
        about = {name: getattr(side, name) for name in facts}
        secret = secret_of(destination.secret) if destination.secret else ""
        short, complete = list[Message](), False
        try:
            with kind.connect(destination, secret, wait, short.append) as send:
                progress.report("pushing", 0, count)
                for accepted, refused in _outcomes(partial(_try, send, rows, about), plan.batches):
                    # What was not sent completely is sent again by the next push.
                    ledger.accept({plan.keys[place]: "" if short else plan.digests[place] for place in accepted})
                    failed = [*made.failed, *((plan.ids[place], reason) for place, reason in refused.items())]
                    made = replace(made, sent=made.sent + len(accepted), failed=failed)
                    progress.report("pushing", made.sent + len(failed), count)
            complete = True
        except SendError as error:
            made = replace(made, refused=error.refused)
            counts = {"sent": made.sent, "refused": made.refused}
            counts["left"] = count - made.sent - (made.refused or len(made.failed))
            stopped = ClvError(error.code, name=destination.name, host=destination.host, reason=error.reason, **counts)
            stopped.result = made.to_json()
            raise stopped from error
        finally:
            if plan.batches or made.recovered or made.more_left_out or not complete:
                _note_receipt(workspace, destination, made, side, complete=complete)
            if campaign is not None and (complete or made.sent):
                campaign.note_sent(
                    destination.kind,
                    side.model,
                    made.audience,
                    made.left_out,
                    destination=destination.name,
                    control_there=made.control_there,
                )
            ledger.close(plan.keys if complete and kind.most_rows is None else list(ledger.digests))
        return replace(made, notes=(*made.notes, *short))


@dataclass(frozen=True, eq=False)
class Plan:
    """What a push will send, with its counts before it starts.

    Args:
        ledger: what was accepted before.
        ids: of the customers who may be sent, in the order of all that follows.
        rows: of each.
        keys: by which the ledger has each.
        digests: of the rows.
        batches: places of the rows that are sent in one request; one, maybe empty, where a table is replaced.
        made: the push before anything is sent.
    """

    ledger: Ledger
    ids: list[str]
    rows: list[Row]
    keys: list[str]
    digests: list[str]
    batches: list[list[int]]
    made: Pushed


def _plan(workspace: Workspace, destination: Destination, people: PushList, *, dry_run: bool) -> Plan:
    kind, ledger = KINDS[destination.kind], Ledger(workspace, destination, people.side.dataset)
    audience, left_out, withheld, notes = _audience(destination, people, dry_run=dry_run)
    ids, rows = audience[CUSTOMER_ID].astype("str").tolist(), kind.rows(audience)
    keys, digests = [ledger.key(customer) for customer in ids], [_digest(row) for row in rows]
    changed = [place for place, key in enumerate(keys) if ledger.digests.get(key) != digests[place]]
    if kind.most_rows is not None:
        batches = [changed[begin : begin + kind.most_rows] for begin in range(0, len(changed), kind.most_rows)]
    elif changed or {*ledger.digests} - {*keys}:
        batches = [changed := list(range(len(rows)))]
    else:
        batches = []
    before = _left_out_before(workspace, destination, people.side) if ledger.digests else None
    more = 0 if before is None else max(0, sum(left_out.values()) - sum(before.values()))
    if more:
        counts = {"name": destination.name, "more": more, "left_out": sum(left_out.values())}
        notes = (*notes, Message("warning.push_leaves_out", counts))
        not_sent = {*people.customers[CUSTOMER_ID].astype("str")} - {*ids}
        stay = sum(ledger.key(customer) in ledger.digests for customer in not_sent) if kind.most_rows is not None else 0
        notes += (Message("warning.push_stays", {"name": destination.name, "customers": stay}),) if stay else ()
    there = sum(ledger.key(customer) in ledger.digests for customer in withheld) if kind.most_rows is not None else 0
    notes += (Message("warning.push_control_stays", {"name": destination.name, "customers": there}),) if there else ()
    made = Pushed(
        destination.name,
        purpose=destination.purpose,
        sent=0,
        audience=len(rows),
        changed=len(changed),
        unchanged=len(rows) - len(changed),
        left_out=left_out,
        more_left_out=more,
        recovered=ledger.without_receipt,
        control_there=there,
        notes=notes,
    )
    return Plan(ledger, ids, rows, keys, digests, batches, made)


def _audience(
    destination: Destination, push_list: PushList, *, dry_run: bool
) -> tuple[pd.DataFrame, dict[str, int], Collection[str], tuple[Message, ...]]:
    """Return who may be sent, by id; who is left out, by reason; the control group of the campaign; and warnings."""
    format, contacts = KINDS[destination.kind].format, push_list.contacts or Contacts()
    of_marketing = destination.purpose == MARKETING
    consent = stated_consent(contacts.customers)
    by_consent = of_marketing and consent is not None
    withheld: Collection[str] = ()
    if push_list.campaign is None:
        audience = filter_audience(push_list.customers, format, contacts, push_list.stop, by_consent=by_consent)
    else:
        fewest = None if dry_run else 1
        enrolment = enrolled(push_list.campaign, push_list.customers, format, contacts, push_list.stop, fewest=fewest)
        audience, withheld = enrolment.audience, enrolment.assignment.withheld
    people, notes = audience.customers.sort_values(CUSTOMER_ID, ignore_index=True), audience.notes
    if not of_marketing:
        agreed = people[CUSTOMER_ID].astype("str").map({} if consent is None else consent)
        people = people.assign(**{CONSENT: agreed.map({True: "yes", False: "no"}).fillna("unknown")})
    elif not EXPORTS[format].needs_contacts:
        people = people.drop(columns=CONSENT, errors="ignore")
        if consent is None and not contacts.assume_consent and len(people):
            notes += (Message("warning.push_consent_unknown", {"name": destination.name, "customers": len(people)}),)
    return people, audience.left_out, withheld, notes


def _left_out_before(workspace: Workspace, destination: Destination, side: Side) -> dict[str, int] | None:
    """Return whom the last push of these customers to the destination left out, by reason; None where there was none.

    Those are the customers of the same dataset who were chosen in the same way.
    """
    identity = (side.dataset, side.logged_segment, side.scheme)
    for line in export_log(workspace):
        is_of_it = line.settings.get("destination") == destination.name
        if is_of_it and (line.dataset, line.segment, line.scheme) == identity:
            return line.left_out
    return None


def push_contacts(destination: Destination, contacts: Contacts, dataset: Dataset) -> Contacts | None:
    """Return the contacts that a push of a dataset's customers uses: those given, else those of the dataset.

    Raises:
        NeedsAnswer: of a destination of marketing, consent is missing, but columns that may hold it were not
            taken.
        Refused: the contact fields that the destination needs are pseudonyms.
    """
    format = KINDS[destination.kind].format
    if destination.purpose == MARKETING or EXPORTS[format].needs_contacts or contacts.customers is not None:
        return marketing_contacts(contacts, dataset, format)
    return replace(contacts, customers=latest_contacts(dataset, consent_alone=True))


def _try(send: Send, rows: Sequence[Row], about: Row, places: Sequence[int]) -> Outcome:
    """Send the rows of some places; of one row that is refused, return why.

    Raises:
        BadRows: several are refused for one of them.
    """
    try:
        failed = send([rows[place] for place in places], about)
    except BadRows as error:
        if len(places) > 1:
            raise
        failed = {0: str(error)}
    accepted = [place for number, place in enumerate(places) if number not in failed]
    return accepted, {places[number]: reason for number, reason in failed.items()}


def _outcomes(send: Callable[[Sequence[int]], Outcome], batches: Iterable[Sequence[int]]) -> Iterator[Outcome]:
    """Send batches of places and yield, of each request, which were accepted and why others were not.

    A batch that is refused for a row is sent in thirds when all batches were tried, until only bad rows are left.

    Raises:
        SendError: :data:`MAX_SAME_REFUSALS` batches in a row were refused for one reason, and so was each of
            :data:`PROBES` single rows.
    """
    waiting, same_refusal, status, refused = deque(batches), list[Sequence[int]](), "", set[int]()
    while waiting:
        batch = waiting.popleft()
        try:
            outcome = send(batch)
        except BadRows as error:
            refused.update(batch)
            same_refusal, status = [*same_refusal, batch] if error.status == status else [batch], error.status
            third = -(-len(batch) // 3)
            waiting.extend(batch[begin : begin + third] for begin in range(0, len(batch), third))
            if (
                len(same_refusal) < MAX_SAME_REFUSALS
                or len(set().union(*same_refusal[-MAX_SAME_REFUSALS:])) <= NAMED_ROWS
            ):
                continue
            left, tried = sorted(place for piece in waiting for place in piece), set[int]()
            for place in left[:: -(-len(left) // PROBES)]:
                tried.add(place)
                outcome = send([place])
                yield outcome
                if outcome[0]:
                    break
                refused.update(outcome[1])
            else:
                raise SendError("push_refused_alike", str(error), len(refused)) from None
            waiting = deque(rest for piece in waiting if (rest := [place for place in piece if place not in tried]))
        else:
            yield outcome
        if outcome[0]:
            same_refusal, status = [], ""
        refused = (refused | {*outcome[1]}) - {*outcome[0]}


def _note_receipt(workspace: Workspace, destination: Destination, made: Pushed, side: Side, *, complete: bool) -> None:
    facts = {"destination": destination.name, "unchanged": made.unchanged, "failed": len(made.failed)}
    facts |= {"complete": complete, **({"sent_before_kill": made.recovered} if made.recovered else {})}
    facts |= {"refused": made.refused} if made.refused else {}
    receipt = Exported((), workspace.exports / "none", made.sent, made.sent, made.left_out)
    log_export(workspace, receipt, destination.kind, replace(side, settings={**side.settings, **facts}))


def _digest(row: Row) -> str:
    """Return what differs where a row has changed, which a later day alone is not."""
    text = json.dumps(_undated(row), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _undated(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _undated(item) for name, item in value.items() if name not in AS_OF}
    return value


def _masked(value: Any, name: str = "") -> Any:
    """Return a row whose contact fields show their first letter, addresses their domain as well."""
    if isinstance(value, dict):
        return {key: _masked(item, key) for key, item in value.items()}
    if isinstance(value, str) and value and PERSONAL.fullmatch(name):
        before, at, domain = value.partition("@")
        return f"{before[:1]}…{at}{domain}"
    return value
