"""One mailbox under two spellings: it is asked once, and who said no under one spelling is found by neither."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.parse.contact_texts import mailbox, mailboxes
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import preview
from clv_core.workspace import Workspace
from tests.strategy.lists import digest, made

SPELT = {
    "no": ("jane.doe@gmail.com", "no"),
    "same_as_no": ("JaneDoe@googlemail.com", "yes"),
    "first": ("a.b@gmail.com", "yes"),
    "again": ("ab+shop@gmail.com", "yes"),
    "tag": ("x+1@shop.example", "yes"),
    "other_tag": ("x+2@shop.example", "yes"),
    "stops": ("a.b@shop.example", "yes"),
    "no_stops": ("ab@shop.example", "yes"),
}
CROWD = 1100
"""So many others that no platform refuses the list."""


def customers() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores, the most valuable first, and contacts."""
    crowd = {f"c{number}": (f"c{number}@shop.example", "yes") for number in range(CROWD)}
    told = {**SPELT, **crowd}
    values = [float(len(told) - place) for place in range(len(told))]
    scores = pd.DataFrame({"customer_id": list(told), "predicted_clv": values, "p_purchase": 0.5})
    emails, said = zip(*told.values(), strict=True)
    return scores, pd.DataFrame({"customer_id": list(told), "email": emails, "consent": said})


@pytest.mark.parametrize(
    ("format", "column", "once"),
    [
        ("google_customer_match", "Email", digest("ab@gmail.com")),
        ("tiktok", "Email_SHA256", digest("x@shop.example")),
        ("meta_value_based", "email", digest("a.b@gmail.com")),
        ("klaviyo", "Email", "a.b@gmail.com"),
        ("mailchimp", "Email Address", "a.b@gmail.com"),
    ],
)
def test_a_list_holds_a_mailbox_once_and_none_that_said_no(format: str, column: str, once: str, tmp_path: Path) -> None:
    scores, people = customers()
    before = preview(scores, format, Contacts(people))
    written = made(scores, people, format, tmp_path)
    found = pd.read_csv(written.files[0], dtype="str")[column]
    assert found.is_unique and (found == once).sum() == 1
    same = 2 if format == "tiktok" else 1  # which takes the tag off at every host
    assert before.left_out == written.left_out == {"no_consent": 1, "shared_contact": 1, "same_contact": same}
    assert before.rows == written.rows == len(found) == len(scores) - 2 - same
    spelt = ("jane.doe@gmail.com", "janedoe@gmail.com", "janedoe@googlemail.com")
    assert not found.isin([*spelt, *map(digest, spelt)]).any()


@pytest.mark.examples(2)
@pytest.mark.parametrize("listed", ["J.A.Nedoe+news@gmail.com", "janedoe@googlemail.com", "Jane <jane.doe@gmail.com>"])
def test_who_wants_no_contact_is_found_by_any_spelling_of_the_mailbox(listed: str, tmp_path: Path) -> None:
    scores, people = customers()
    people = people.assign(consent="yes")
    stop = SuppressionList.of(Workspace(tmp_path))
    assert stop.add([listed]) == 1
    stop = SuppressionList.of(Workspace(tmp_path))
    for contacts, kept in ((Contacts(people), stop), (Contacts(people, suppressed=[listed.lower()]), None)):
        for format in ("google_customer_match", "klaviyo"):
            found = filter_audience(scores, format, contacts, kept)
            assert found.left_out["suppressed"] == 2 and not {"no", "same_as_no"} & set(found.customers["customer_id"])
    assert filter_audience(scores, "csv", Contacts(people), stop).left_out == {"suppressed": 2}
    assert stop.hides_emails(people["email"]).sum() == 2
    assert stop.remove(["jane.doe@gmail.com"]) == 1


def test_only_gmail_reads_stops_and_tags_so() -> None:
    texts = pd.Series(["a.b+c.d@gmail.com", "ab@googlemail.com", "a.b+c@gmail.com.example", "a.b@shop.example", ""])
    told = ["ab@gmail.com", "ab@gmail.com", "a.b+c@gmail.com.example", "a.b@shop.example", ""]
    assert mailboxes(texts).tolist() == told == [mailbox(text) for text in texts]
