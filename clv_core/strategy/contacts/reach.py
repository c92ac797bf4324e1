"""Whom a platform file may hold: suppression and consent first, then who can be reached at all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.values.email_texts import addresses, every_address, mailbox, mailboxes
from clv_core.collection.values.id_texts import folded
from clv_core.collection.values.phone_texts import one_number, phone_keys, phone_marks
from clv_core.collection.words.contact_fields import CONSENT, COUNTRY, EMAIL, FIELDS, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message
from clv_core.strategy.contacts.contacts import (
    COUNTRY_CODE,
    MOBILE_CN,
    emails,
    mobiles_cn,
    named,
    phones,
    unread,
)
from clv_core.strategy.contacts.contacts_consent import consenting, not_understood
from clv_core.strategy.contacts.countries import country_codes
from clv_core.strategy.contacts.regions import named_country
from clv_core.strategy.segments import VALUE

GIVEN: Final = {EMAIL: "email_given", PHONE: "phone_given"}
"""Columns with the cells that an address and a number were read from."""

MAILBOX: Final = "mailbox"
"""Column with what tells e-mail addresses apart."""
Spelling = Callable[["pd.Series[Any]"], "pd.Series[Any]"]
"""Makes one text of the addresses that are not told apart."""

EXAMPLES: Final = 3
"""Of words and cells that were not understood, shown where there are some."""

NOBODYS_OWN: Final = 5
"""A phone number that more customers have is nobody's own, but that of a shop, say, or one to fill the column with."""


@dataclass(frozen=True)
class Reach:
    """Who is left, and who is not.

    Args:
        customers: scores with clean contact columns (text, "" for unknown), the most valuable first.
        left_out: customers by the first reason that took them out.
        reach: customers left by contact field that they have.
        unknown_countries: customers left whose country is no country that is known, by what they have instead, the
            most frequent first.
        unknown_consent: customers asked for, by a word on their consent that means neither yes nor no.
        unread: customers who may be contacted and whose ``email`` or ``phone`` could not be read, by the field and the
            shape of the cell (:func:`clv_core.strategy.contacts.contacts.unread`).
        unplaced: of the unread ones, phone numbers that name no country, where none was given for them.
        crowded: customers left whose phone number was taken out: many have it, and one of these must not be contacted.
    """

    customers: pd.DataFrame
    left_out: dict[str, int]
    reach: dict[str, int]
    unknown_countries: dict[str, int] = field(default_factory=dict)
    unknown_consent: dict[str, int] = field(default_factory=dict)
    unread: dict[str, dict[str, int]] = field(default_factory=dict)
    crowded: int = 0
    unplaced: int = 0

    @property
    def not_understood(self) -> tuple[Message, ...]:
        """What is to be said of words and cells that were not understood; examples are words, and shapes of cells."""
        said = []
        if self.unknown_consent:
            words = list(self.unknown_consent)[:EXAMPLES]
            counts = {"customers": sum(self.unknown_consent.values()), "examples": words}
            said.append(Message("warning.consent_words", counts))
        for name, known in ((PHONE, self.unplaced), (EMAIL, 0)):
            shapes = self.unread.get(name, {})
            if sum(shapes.values()) > known:  # of numbers that want nothing but a country, the next sentence says it
                found = {f"{name}s": sum(shapes.values()), "examples": list(shapes)[:EXAMPLES]}
                said.append(Message(f"warning.{name}s_unread", found))
        if self.unplaced:
            said.append(Message("warning.phones_unplaced", {"phones": self.unplaced}))
        if self.crowded:
            said.append(Message("warning.phones_crowded", {"customers": self.crowded, "most": NOBODYS_OWN}))
        return tuple(said)


def reachable(
    scored: pd.DataFrame,
    customers: pd.DataFrame,
    keys: tuple[str, ...],
    region: str | None,
    assume_consent: bool,
    suppressed: Collection[str],
    stop: StopList | None = None,
    read_as: Spelling | None = None,
) -> Reach:
    """Return the scored customers who may be and can be contacted.

    Consent, and the wish to be left alone, hold for an address and not for an id: who shares an e-mail address or a
    phone number with a customer who must not be contacted is left out too. A number of more than ``NOBODYS_OWN``
    customers is taken from the list instead of its customers. Two spellings are one address where they reach one
    mailbox, or where the platform reads them alike: it would find a customer by the hash of the other's.

    Args:
        scored: scores, one row a customer.
        customers: contact fields by customer; see :func:`clv_core.strategy.contacts.contacts.named`.
        keys: contact fields of which at least one is needed; of customers who share them all, the most valuable stays.
        region: country of phone numbers that name none.
        assume_consent: what holds where there is no consent column.
        suppressed: customer ids, e-mail addresses (in any case) and phone numbers to leave out.
        stop: the suppression list of the workspace, which itself names nobody.
        read_as: what the platform makes of e-mail addresses before it compares them.

    Raises:
        UsageError: the region is no country whose numbers are known.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or ids that stand twice.
    """
    words = {folded(text.strip()) for text in suppressed}
    known, silent = _known(customers, region, assume_consent, words, stop, read_as or mailboxes)
    plain = scored.drop(columns=[name for name in (*FIELDS, CONSENT, COUNTRY_CODE, MOBILE_CN) if name in scored])
    people = plain.sort_values(VALUE, ascending=False, kind="stable").merge(known, on=CUSTOMER_ID, how="left")
    people[CUSTOMER_ID] = people[CUSTOMER_ID].astype("str")
    strange = not_understood(people[people["agreed"].notna()])
    left_out: dict[str, int] = {}

    def leave_out(reason: str, out: pd.Series[bool]) -> None:
        nonlocal people
        if out.any():
            left_out[reason] = left_out.get(reason, 0) + int(out.sum())
            people = people[~out]

    leave_out("suppressed", people[CUSTOMER_ID].isin(words | silent))
    leave_out("no_contact", people["agreed"].isna())
    leave_out("no_consent", ~people["agreed"].astype(bool))
    leave_out("suppressed", people["listed"].astype(bool))
    leave_out("shared_contact", people["shared"].astype(bool))
    bad = {name: unread(people[title], people[name]) for name, title in GIVEN.items() if title in people}
    unplaced = 0 if region else _unplaced(people)
    reached = pd.concat([people[key].ne("") for key in keys], axis=1).any(axis=1)
    leave_out("no_contact", ~reached)
    alike = people[list(keys)].assign(**{key: people[MAILBOX] for key in keys if key == EMAIL})
    leave_out("same_contact", alike.duplicated())
    crowded = int(people["crowded"].sum())
    helpers = [
        "agreed",
        "listed",
        "shared",
        "crowded",
        MAILBOX,
        *(title for title in GIVEN.values() if title in people),
    ]
    people = people.drop(columns=helpers).reset_index(drop=True)
    reach = {key: int(people[key].ne("").sum()) for key in keys}
    bad = {name: shapes for name, shapes in bad.items() if shapes}
    return Reach(people, left_out, reach, _unknown_countries(people), strange, bad, crowded, unplaced)


def _known(
    customers: pd.DataFrame,
    region: str | None,
    assume_consent: bool,
    words: set[str],
    stop: StopList | None,
    read_as: Spelling,
) -> tuple[pd.DataFrame, set[str]]:
    """Return what is known of each customer's contacts, and the ids that a list names.

    Returns:
        The cleaned fields beside those that were given (``GIVEN``), with ``agreed`` (has consented), ``listed`` (an
        address of hers is on a list), ``MAILBOX``, ``shared`` (with somebody who must not be contacted) and
        ``crowded``; and ids.
    """
    known = named(customers)
    known = known.assign(agreed=consenting(known, assume_consent))
    known = known[[CUSTOMER_ID, *(name for name in (*FIELDS, CONSENT, "agreed") if name in known)]]
    given = {title: known[name].astype("str").fillna("") for name, title in GIVEN.items() if name in known}
    known = clean(known.assign(**given), region)
    own, listed = known[CUSTOMER_ID].isin(words), _on_list(known, words)
    if stop is not None and stop.hashes:
        own |= stop.hides(known[[CUSTOMER_ID]])
        listed |= stop.hides_emails(known[GIVEN[EMAIL]] if GIVEN[EMAIL] in known else known[EMAIL])
        for column in (PHONE, GIVEN[PHONE]):
            if column in known:
                listed |= stop.hides_phones(known[column])
    known = known.assign(listed=listed, **{MAILBOX: read_as(mailboxes(known[EMAIL]))})
    known = _shared(known, ~known["agreed"] | own | listed, read_as)
    return known, set(known.loc[own, CUSTOMER_ID])


def hidden(scored: pd.DataFrame, customers: pd.DataFrame | None, suppressed: Collection[str]) -> pd.Series[bool]:
    """Return which scored customers must be in no list, by their id, e-mail address (in any case) or phone number.

    Args:
        scored: scores, one row a customer.
        customers: whose addresses are known; None where none are.
        suppressed: customer ids, e-mail addresses and phone numbers.
    """
    words = {folded(text.strip()) for text in suppressed}
    ids = scored[CUSTOMER_ID].astype("str")
    out = ids.isin(words)
    if customers is None or not words:
        return out
    known = named(customers)
    return out | ids.isin(set(known.loc[_on_list(known, words), CUSTOMER_ID]))


def stopped(scored: pd.DataFrame, customers: pd.DataFrame | None, stop: StopList) -> set[str]:
    """Return the ids of those who are on the suppression list of the workspace, by their id or an address of theirs.

    Args:
        scored: scores, one row a customer.
        customers: whose addresses are known; None where none are.
        stop: the list, which itself names nobody.
    """
    found = {str(one) for one in scored.loc[stop.hides(scored), CUSTOMER_ID]}
    if customers is None or not stop.hashes:
        return found
    known = named(customers)
    return found | {str(one) for one in known.loc[stop.hides(known), CUSTOMER_ID]}


def _on_list(known: pd.DataFrame, words: set[str]) -> pd.Series[bool]:
    """Return who has an e-mail address or a phone number among ``words``, as they are written and as they are read."""
    listed: pd.Series[bool] = pd.Series(False, index=known.index)
    mails = {mailbox(one) for word in words for one in (word.lower(), *addresses(word))}
    marks = {mark for word in words for mark in phone_marks(word)}
    for column in (EMAIL, GIVEN[EMAIL]):
        if column in known:
            texts = known[column].astype("str").fillna("").str.strip().str.lower()
            found = mailboxes(every_address(known[column]))
            listed |= (mailboxes(texts).isin(mails) & texts.ne("")) | known.index.isin(found.index[found.isin(mails)])
    for column in (PHONE, GIVEN[PHONE]):
        if column in known and marks:
            listed |= phone_keys(known[column]).isin(marks).any(axis=1)
    return listed


def _shared(known: pd.DataFrame, blocked: pd.Series[bool], read_as: Spelling) -> pd.DataFrame:
    """Return the customers with ``shared``: whether a contact of theirs is also that of somebody who is ``blocked``.

    A number that many have is emptied instead, as it is nobody's own; ``crowded`` says whose it was.
    """
    cells = known.loc[blocked, GIVEN[EMAIL] if GIVEN[EMAIL] in known else EMAIL]
    theirs = set(read_as(mailboxes(every_address(cells))))
    shared: pd.Series[bool] = known[EMAIL].ne("") & known[MAILBOX].isin(theirs)
    held = known[PHONE].ne("") & known[PHONE].isin(set(known.loc[blocked, PHONE]))
    crowded = held & (known[PHONE].map(known[PHONE].value_counts()) > NOBODYS_OWN)
    emptied = {name: known[name].mask(crowded, "") for name in (PHONE, GIVEN[PHONE], MOBILE_CN) if name in known}
    return known.assign(shared=shared | (held & ~crowded), crowded=crowded, **emptied)


def clean(people: pd.DataFrame, region: str | None) -> pd.DataFrame:
    """Return the customers with all contact fields, ``country_code`` and ``mobile_cn``; "" for unknown.

    E-mail and phone are in the platforms' form, "" where they cannot be one; other fields keep their bytes.
    """
    empty = pd.Series("", index=people.index, dtype="str")
    fields = {name: people[name].astype("str").fillna("") if name in people else empty for name in FIELDS}
    country = country_codes(fields[COUNTRY])
    numbers = phones(fields[PHONE], country, region)
    read = {COUNTRY_CODE: country, EMAIL: emails(fields[EMAIL]), PHONE: numbers, MOBILE_CN: mobiles_cn(numbers)}
    return people.assign(**{**fields, **read})


def _unplaced(people: pd.DataFrame) -> int:
    """Return how many customers' phone numbers could not be read and name no country, neither do their customers."""
    if GIVEN[PHONE] not in people:
        return 0
    missed = people.loc[(people[PHONE] == "") & (people[COUNTRY_CODE] == ""), GIVEN[PHONE]]
    numbers = [one_number(cell) for cell in missed]
    return sum(any(sign.isdigit() for sign in number) and not named_country(number) for number in numbers)


def _unknown_countries(people: pd.DataFrame) -> dict[str, int]:
    words = people.loc[people[COUNTRY_CODE] == "", COUNTRY].str.strip()
    return {str(word): int(count) for word, count in words[words != ""].value_counts().items()}
