"""Scores sent by HTTP: to a webhook, to Klaviyo, to HubSpot.

Requests that were not answered, or with 408, 429 or 5xx, are sent again, as late as ``Retry-After`` asks; each is such
that sending it twice changes nothing.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeVar

import pandas as pd

from clv_core.collection.vocabulary import CITY, COUNTRY, EMAIL, FIRST_NAME, LAST_NAME, PHONE, STATE, ZIP
from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.audiences.platforms import PROPERTIES, properties
from clv_core.strategy.destinations.destination import BadRows, Destination, Row, Send, SendError, Tell, records

T = TypeVar("T")
MAX_ATTEMPTS: Final = 6
"""Requests before a batch is given up; with pauses that double, about half a minute. A guess."""
TIMEOUT_SECONDS: Final = 30.0
"""For one answer."""
MAX_WAIT_SECONDS: Final = 900.0
"""Seconds; a server that asks for more gets no further attempt before the next push."""
RETRY_STATUS: Final = (408, 429, 500, 502, 503, 504)
"""Timeouts, rate limits and failures of the server; other errors than these and :data:`BAD_ROWS` stop the push."""
BAD_ROWS: Final = (400, 413, 422)
"""A batch with a bad row, or too large: its halves are sent."""
KLAVIYO_REVISION: Final = "2025-01-15"
POLLS: Final = 300
"""Times that the status of an import is read: ten minutes, with :data:`POLL_SECONDS`."""
POLL_SECONDS: Final = 2.0
"""Between two of them."""


class Http:
    """A client that repeats a request until the server answers.

    Args:
        target: whose address.
        headers: of each request.
        wait: sleeps for so many seconds.
        pause: seconds between two requests.
    """

    def __init__(self, target: Destination, headers: Row, wait: Callable[[float], None], pause: float = 0.0) -> None:
        import httpx

        self._client, self._address = httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS), target.address
        self._wait, self._pause, self._last = wait, pause, 0.0

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def ask(self, method: str, path: str, read: Callable[[Any], T], **request: Any) -> T:
        """Return what ``read`` makes of the answer's JSON (of None where the answer is no JSON).

        Raises:
            BadRows: the server refuses what was sent.
            SendError: it does not answer, or refuses everything.
        """
        import httpx

        url = f"{self._address.rstrip('/')}/{path}" if path else self._address
        reason = ""
        for attempt in range(MAX_ATTEMPTS):
            self._wait(max(0.0, self._last + self._pause - time.monotonic()))
            delay = 2.0**attempt
            try:
                answer = self._client.request(method, url, **request)
                self._last = time.monotonic()
                if answer.is_success:
                    try:
                        return read(_json(answer))
                    except (KeyError, TypeError, ValueError):
                        reason = f"HTTP {answer.status_code}, unreadable"
                elif answer.status_code in BAD_ROWS:
                    raise BadRows(f"HTTP {answer.status_code}: {_reason(answer)}".rstrip(": "))
                elif answer.status_code in RETRY_STATUS:
                    reason = f"HTTP {answer.status_code}"
                    delay = _retry_after(answer.headers.get("retry-after", ""), delay)
                else:
                    raise SendError("push_refused", f"HTTP {answer.status_code}")
            except (httpx.RequestError, httpx.InvalidURL) as error:
                reason = type(error).__name__
            if delay > MAX_WAIT_SECONDS:
                break
            if attempt < MAX_ATTEMPTS - 1:
                self._wait(delay)
        raise SendError("push_unanswered", reason)


def _json(answer: Any) -> Any:
    return answer.json() if answer.content else None


def _reason(answer: Any) -> str:
    """Return what an answer gives as a reason: its words in JSON, else its text; "" for a page."""
    try:
        body = answer.json()
        errors = body.get("errors") or [body]
        reason = errors[0].get("detail") or errors[0].get("message") or errors[0].get("error") or ""
    except (ValueError, AttributeError, LookupError, TypeError):
        reason = "" if "html" in answer.headers.get("content-type", "") else answer.text
    return " ".join(str(reason).split())[:200]


def _retry_after(text: str, otherwise: float) -> float:
    """Return the seconds that a ``Retry-After`` asks for: a number or a date (RFC 9110, 10.2.3)."""
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return otherwise


@contextmanager
def webhook(target: Destination, secret: str, wait: Callable[[float], None], _: Tell) -> Iterator[Send]:
    """Post JSON, signed as the Standard Webhooks do, whose libraries check it (github.com/standard-webhooks).

    ``webhook-id`` and ``Idempotency-Key`` are the same for the same rows: a receiver that has seen one drops it.
    """
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:
        body = json.dumps({"type": "clv.scores", **about, "customers": list(rows)}, ensure_ascii=False, sort_keys=True)
        name, now = f"msg_{hashlib.sha256(body.encode()).hexdigest()[:32]}", str(int(time.time()))
        signed = hmac.new(key, f"{name}.{now}.{body}".encode(), hashlib.sha256).digest()
        headers = {
            "webhook-id": name,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
            "idempotency-key": name,
        }
        http.ask("POST", "", lambda _: None, content=body.encode(), headers=headers)
        return {}

    with Http(target, {"content-type": "application/json"}, wait) as http:
        yield send


def klaviyo_rows(customers: pd.DataFrame) -> list[Row]:
    """Return profiles: identifiers, place, and the scores as properties."""
    fields = {"email": EMAIL, "phone_number": PHONE, "first_name": FIRST_NAME, "last_name": LAST_NAME}
    people = records({"external_id": customers[CUSTOMER_ID], **{name: customers[of] for name, of in fields.items()}})
    places = records({"city": customers[CITY], "region": customers[STATE], "country": customers[COUNTRY]})
    scores = records({name: customers[of] for of, name in PROPERTIES.items() if of in customers})
    return [
        person | ({"location": place} if place else {}) | {"properties": score}
        for person, place, score in zip(people, places, scores, strict=True)
    ]


@contextmanager
def klaviyo(target: Destination, secret: str, wait: Callable[[float], None], _: Tell) -> Iterator[Send]:
    """Spawn bulk profile imports, wait for each, and read its errors.

    Up to 10,000 profiles and 5 MB a request, 10 requests a second and 150 a minute. Source:
    developers.klaviyo.com/en/reference/bulk_import_profiles, get_bulk_import_profiles_job and
    get_errors_for_bulk_import_profiles_job.
    """
    media = "application/vnd.api+json"
    headers = {"authorization": f"Klaviyo-API-Key {secret}", "revision": KLAVIYO_REVISION, "accept": media}
    path = "api/profile-bulk-import-jobs"

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:  # noqa: ARG001
        profiles = [{"type": "profile", "attributes": row} for row in rows]
        attributes = {"profiles": {"data": profiles}}
        body = {"data": {"type": "profile-bulk-import-job", "attributes": attributes}}
        job = http.ask("POST", path, lambda answer: str(answer["data"]["id"]), json=body)
        for _ in range(POLLS):
            state = http.ask("GET", f"{path}/{job}", lambda answer: dict(answer["data"]["attributes"]))
            if state["status"] not in ("queued", "processing"):
                break
            wait(POLL_SECONDS)
        if state["status"] != "complete":
            raise SendError("push_unanswered", str(state["status"]))
        failed: dict[int, str] = {}
        page = f"{path}/{job}/import-errors" if state.get("failed_count") else ""
        while page:
            answer = http.ask("GET", page, dict)
            for fault in answer["data"]:
                place = re.search(r"/profiles/data/(\d+)", str(fault["attributes"].get("source", {}).get("pointer")))
                if place is None:
                    raise BadRows(str(fault["attributes"].get("detail", "")))
                failed[int(place[1])] = str(fault["attributes"].get("detail", ""))
            page = str((answer.get("links") or {}).get("next") or "").removeprefix(target.address).lstrip("/")
        return failed

    with Http(target, headers | {"content-type": media}, wait, pause=0.4) as http:
        yield send


def hubspot_rows(customers: pd.DataFrame) -> list[Row]:
    """Return contacts, keyed by their e-mail address."""
    names = {"firstname": FIRST_NAME, "lastname": LAST_NAME, "phone": PHONE, "city": CITY, "state": STATE}
    names |= {"zip": ZIP, "country": COUNTRY}
    properties_of = records({name: customers[of] for name, of in names.items()} | properties(customers))
    return [
        {"id": address, "idProperty": "email", "properties": {"email": address, **values}}
        for address, values in zip(customers[EMAIL], properties_of, strict=True)
    ]


@contextmanager
def hubspot(target: Destination, secret: str, wait: Callable[[float], None], _: Tell) -> Iterator[Send]:
    """Upsert contacts in batches of 100; an answer of 207 names those that were not accepted.

    Source: developers.hubspot.com/docs/api-reference/crm-contacts-v3/batch/post-crm-v3-objects-contacts-batch-upsert;
    100 requests in 10 seconds (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
    """

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:  # noqa: ARG001
        inputs = [{**row, "objectWriteTraceId": str(place)} for place, row in enumerate(rows)]
        try:
            answer = http.ask("POST", "crm/v3/objects/contacts/batch/upsert", _with_results, json={"inputs": inputs})
        except BadRows as error:
            if "does not exist" in str(error):  # a property that nobody has created: no row would be accepted
                raise SendError("push_refused", str(error)) from None
            raise
        failed: dict[int, str] = {}
        for fault in answer.get("errors") or []:
            named = {str(value) for listed in (fault.get("context") or {}).values() for value in listed}
            places = [place for place, row in enumerate(rows) if {str(place), row["id"]} & named]
            if not places:
                raise BadRows(str(fault.get("message", "")))
            failed |= dict.fromkeys(places, str(fault.get("message", "")))
        if len(answer["results"]) + len(failed) < len(rows):
            raise BadRows(f"{len(answer['results'])} of {len(rows)} results")
        return failed

    with Http(target, {"authorization": f"Bearer {secret}"}, wait, pause=0.1) as http:
        yield send


def _with_results(answer: Any) -> Row:
    """Return a batch's answer that has results."""
    return {**answer, "results": list(answer["results"])}
