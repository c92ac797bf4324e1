"""Who may be in a list of customers, and who is left out, why: the rules, in their order, are :data:`RULES`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import pandas as pd

from clv_core.collection.parse import (
    addresses,
    every_address,
    first_number,
    folded,
    mailbox,
    mailboxes,
    phone_keys,
    phone_marks,
)
from clv_core.collection.privacy import SuppressionList
from clv_core.collection.vocabulary import CONSENT, COUNTRY, EMAIL, FIELDS, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, UsageError
from clv_core.strategy.audiences.consent import has_consent, unclear_consent
from clv_core.strategy.audiences.contacts import (
    COUNTRY_CODE,
    MOBILE_CN,
    Contacts,
    canonical_contacts,
    clean_contacts,
    unread,
)
from clv_core.strategy.audiences.countries import has_calling_code
from clv_core.strategy.audiences.formats import EXPORTS, Export
from clv_core.strategy.segments import VALUE

MAX_OWNERS: Final = 5
"""A phone number that more customers have belongs to none of them: it is a shop's, or fills the column."""
CONTROL: Final = "control"
SHARES_CONTROL: Final = "control_contact"
OF_CONTROL: Final = (CONTROL, SHARES_CONTROL)
"""Reasons of those who are left out for a campaign's control group. They come last: of who would be in the list."""
MAX_EXAMPLES: Final = 3
"""Words and shapes of cells that a warning shows."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The requested customers, and what the rules need of each; all of the index of ``customers``.

    Args:
        customers: scores with clean contact columns (text, "" for unknown), the most valuable first.
        keys: columns of ``customers`` of which the platform needs at least one.
        id_suppressed: whether the id is on a suppression list.
        has_contacts: whether the contacts have a row of the customer.
        has_consent: whether by that row the customer agreed.
        address_suppressed: whether an e-mail address or a phone number of the customer is on a suppression list.
        shares_contact: whether one of them is also that of somebody who is suppressed or did not agree.
        lost_number: whether the phone number was removed, as many have it and one of these must not be contacted.
        in_control: whether the customer is in the campaign's control group.
        shares_control: whether an e-mail address or a phone number is also that of somebody who is.
        mailbox: key by which e-mail addresses are compared.
        cells: the e-mail and phone cells as they are written.
    """

    customers: pd.DataFrame
    keys: tuple[str, ...]
    id_suppressed: pd.Series[bool]
    has_contacts: pd.Series[bool]
    has_consent: pd.Series[bool]
    address_suppressed: pd.Series[bool]
    shares_contact: pd.Series[bool]
    lost_number: pd.Series[bool]
    in_control: pd.Series[bool]
    shares_control: pd.Series[bool]
    mailbox: pd.Series[str]
    cells: pd.DataFrame

    def is_reachable(self) -> pd.Series[bool]:
        """Return who has a contact field that the platform needs."""
        return (self.customers[list(self.keys)] != "").any(axis=1)

    def repeats(self, left: pd.Series[bool]) -> pd.Series[bool]:
        """Return who has all contact fields that the platform needs in common with one of ``left`` of higher value."""
        contacts = self.customers[list(self.keys)].assign(**{key: self.mailbox for key in self.keys if key == EMAIL})
        return contacts[left].duplicated().reindex(left.index, fill_value=False)


@dataclass(frozen=True)
class Rule:
    """A reason for which customers are left out.

    Args:
        reason: what the counts call it; its name for people is the catalogue key ``export.left_out.<reason>``.
        applies: candidates, and those whom no rule above left out -> whom this rule leaves out.
        message: the rule in a sentence.
        forbids: whether the customers must not be contacted; else they may be, but cannot.
    """

    reason: str
    applies: Callable[[Candidates, pd.Series[bool]], pd.Series[bool]]
    message: str
    forbids: bool = True


RULES: Final = (
    Rule("suppressed", lambda people, _: people.id_suppressed, "The id is on a suppression list."),
    Rule("no_contact", lambda people, _: ~people.has_contacts, "There are neither contact fields nor consent."),
    Rule("no_consent", lambda people, _: ~people.has_consent, "The customer did not agree to be contacted."),
    Rule("suppressed", lambda people, _: people.address_suppressed, "An address or a number is on a suppression list."),
    Rule("shared_contact", lambda people, _: people.shares_contact, "Somebody who must not be contacted has it too."),
    Rule(
        "no_contact",
        lambda people, _: ~people.is_reachable(),
        "No contact field that the platform reads.",
        forbids=False,
    ),
    Rule(
        "same_contact",
        lambda people, left: people.repeats(left),
        "A customer of higher value has it too.",
        forbids=False,
    ),
    Rule(CONTROL, lambda people, _: people.in_control, "The campaign's control group does not get it.", forbids=False),
    Rule(
        SHARES_CONTROL,
        lambda people, _: people.shares_control,
        "Somebody of the control group has the address or the number too.",
        forbids=False,
    ),
)
"""Why customers are left out of a platform's list, in this order; each is counted under the first rule that applies."""
REASONS: Final = tuple(dict.fromkeys(rule.reason for rule in RULES))


@dataclass(frozen=True)
class Audience:
    """Who is in a list, and who is not.

    Args:
        customers: of platform formats scores with clean contact columns (text, "" for unknown), the most valuable
            first; of generic formats the rows as they were given.
        left_out: customers by the first reason that left them out.
        reach: customers in it by contact field that they have.
        unknown_countries: customers in it whose country is not recognised, by its text, the most frequent
            first.
        unknown_consent: requested customers, by a word on their consent that means neither yes nor no.
        unread: customers who may be contacted and whose ``email`` or ``phone`` could not be read, by the field and the
            shape of the cell (:func:`clv_core.strategy.audiences.contacts.unread`).
        lost_numbers: customers in it whose phone number was removed (:class:`Candidates`).
        without_country: of the unread ones, phone numbers that name no country, where none was given for them.
        uncounted: of a campaign's, customers in it who are in neither of its groups, for another has their contact.
    """

    customers: pd.DataFrame
    left_out: dict[str, int]
    reach: dict[str, int]
    unknown_countries: dict[str, int] = field(default_factory=dict)
    unknown_consent: dict[str, int] = field(default_factory=dict)
    unread: dict[str, dict[str, int]] = field(default_factory=dict)
    lost_numbers: int = 0
    without_country: int = 0
    uncounted: int = 0

    @property
    def notes(self) -> tuple[Message, ...]:
        """Warnings of words and cells that were not understood; examples are words, and shapes of cells."""
        notes = []
        if self.unknown_consent:
            examples = list(self.unknown_consent)[:MAX_EXAMPLES]
            counts = {"customers": sum(self.unknown_consent.values()), "examples": examples}
            notes.append(Message("warning.consent_words", counts))
        for name, explained in ((PHONE, self.without_country), (EMAIL, 0)):
            shapes = self.unread.get(name, {})
            if sum(shapes.values()) > explained:  # numbers that lack nothing but a country have the next warning
                counts = {f"{name}s": sum(shapes.values()), "examples": list(shapes)[:MAX_EXAMPLES]}
                notes.append(Message(f"warning.{name}s_unread", counts))
        if self.without_country:
            notes.append(Message("warning.phones_unplaced", {"phones": self.without_country}))
        if self.lost_numbers:
            notes.append(Message("warning.phones_crowded", {"customers": self.lost_numbers, "most": MAX_OWNERS}))
        if self.uncounted:
            notes.append(Message("warning.campaign_shared", {"customers": self.uncounted}))
        return tuple(notes)


def filter_audience(
    scored: pd.DataFrame,
    format: str,
    contacts: Contacts | None = None,
    stop: SuppressionList | None = None,
    *,
    by_consent: bool = False,
) -> Audience:
    """Return the customers whom a list of this format may and can hold, and why the others are not in it.

    Generic formats leave out who is suppressed; platform formats follow :data:`RULES`, and so do generic ones
    ``by_consent``, but for the rules on what reaches a customer.

    Consent, and the wish not to be contacted, hold for an address and not for an id: who shares an e-mail address or a
    phone number with a customer who must not be contacted is left out too. A number of more than :data:`MAX_OWNERS`
    customers is removed instead of its customers. Two spellings are one address where they are one mailbox, or where
    the platform reads them as one: it would find a customer by the hash of the other's.

    Args:
        scored: scores, one row a customer.
        format: id of ``EXPORTS``.
        contacts: contact fields, consent, and whom to leave out.
        stop: the suppression list of the workspace, which itself names nobody.
        by_consent: of generic formats, whether who did not agree is left out, too; the contacts say who did.

    Raises:
        UsageError: unknown format, contacts that are needed and missing, or a region that is no country.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or an id in two rows.
    """
    if format not in EXPORTS:
        raise UsageError("export_format", format=format, known=list(EXPORTS))
    entry, contacts = EXPORTS[format], contacts or Contacts()
    if not entry.needs_contacts:
        suppressed = {*contacts.suppressed, *(suppressed_ids(scored, contacts.customers, stop) if stop else ())}
        out = _is_suppressed(scored, contacts.customers, suppressed)
        suppression = Audience(scored[~out], {"suppressed": int(out.sum())} if out.any() else {}, {})
        if by_consent:
            return _by_consent(suppression, entry, contacts, stop)
        return _without_control(suppression, contacts) if contacts.control else suppression
    if contacts.customers is None:
        raise UsageError("export_needs_contacts", format=format)
    candidates = _candidates(scored, entry, contacts, contacts.customers, stop)
    left, permitted, left_out = _apply(RULES, candidates)
    customers, contactable = candidates.customers[left], candidates.customers[permitted]
    cells = candidates.cells[permitted]
    shapes = {name: unread(cells[name], contactable[name]) for name in (EMAIL, PHONE)}
    return Audience(
        customers.reset_index(drop=True),
        left_out,
        {key: int(customers[key].ne("").sum()) for key in candidates.keys},
        _unknown_countries(customers),
        unclear_consent(candidates.customers[candidates.has_contacts]),
        {name: counts for name, counts in shapes.items() if counts},
        int(candidates.lost_number[left].sum()),
        0 if contacts.region or entry.region else _without_country(contactable, cells[PHONE]),
    )


def _by_consent(audience: Audience, entry: Export, contacts: Contacts, stop: SuppressionList | None) -> Audience:
    """Return the audience of a generic format without those who must not be contacted; the others' rows as they were.

    Raises:
        UsageError: there are no contacts that could say who agreed.
    """
    if contacts.customers is None:
        raise UsageError("export_needs_contacts", format=entry.id)
    candidates = _candidates(audience.customers, entry, contacts, contacts.customers, stop)
    rules = [rule for rule in RULES if rule.forbids or rule.reason in OF_CONTROL]
    rules = [rule for rule in rules if rule.reason != "no_contact"]  # without a row: no consent
    left, _, left_out = _apply(rules, candidates)
    counts = {reason: audience.left_out.get(reason, 0) + left_out.get(reason, 0) for reason in REASONS}
    ids = audience.customers[CUSTOMER_ID].astype("str")
    return Audience(
        audience.customers[ids.isin(candidates.customers.loc[left, CUSTOMER_ID])],
        {reason: count for reason, count in counts.items() if count},
        {},
        unknown_consent=unclear_consent(candidates.customers[candidates.has_contacts]),
    )


def _without_control(audience: Audience, contacts: Contacts) -> Audience:
    """Return the audience of a generic format, of which it is not known who agreed, without the control group."""
    held = audience.customers[CUSTOMER_ID].astype("str").isin(set(contacts.control))
    left_out = {**audience.left_out, **({CONTROL: int(held.sum())} if held.any() else {})}
    return replace(audience, customers=audience.customers[~held], left_out=left_out)


def _apply(rules: Iterable[Rule], candidates: Candidates) -> tuple[pd.Series[bool], pd.Series[bool], dict[str, int]]:
    """Return who is left, who may be contacted, and how many each reason left out, of the index of the candidates."""
    left = permitted = pd.Series(True, index=candidates.customers.index)
    left_out: dict[str, int] = {}
    for rule in rules:
        out = left & rule.applies(candidates, left)
        left = left & ~out
        if out.any():
            left_out[rule.reason] = left_out.get(rule.reason, 0) + int(out.sum())
        if rule.forbids:
            permitted = left
    return left, permitted, left_out


def suppressed_ids(scored: pd.DataFrame, customers: pd.DataFrame | None, stop: SuppressionList) -> set[str]:
    """Return the ids of those who are on the suppression list of the workspace, by their id, e-mail or phone.

    ``customers`` have addresses; None if there are none. The list itself names nobody.
    """
    ids = set(scored.loc[stop.hides(scored), CUSTOMER_ID].astype("str"))
    if customers is None or not stop.hashes:
        return ids
    contacts = canonical_contacts(customers)
    return ids | set(contacts.loc[stop.hides(contacts), CUSTOMER_ID].astype("str"))


def _candidates(
    scored: pd.DataFrame, entry: Export, contacts: Contacts, customers: pd.DataFrame, stop: SuppressionList | None
) -> Candidates:
    """Return what the rules need of each customer, derived from all customers with contacts, requested or not."""
    suppressed = {folded(text.strip()) for text in contacts.suppressed}
    spelling = entry.read_as or mailboxes
    rows = canonical_contacts(customers)
    agreed = has_consent(rows, contacts.assume_consent).set_axis(rows[CUSTOMER_ID])
    rows = rows.set_index(CUSTOMER_ID)
    rows = rows[[name for name in (*FIELDS, CONSENT) if name in rows]]
    cells = rows.reindex(columns=[EMAIL, PHONE], fill_value="").astype("str").fillna("")
    clean = clean_contacts(rows, contacts.region or entry.region or None)
    by_id = pd.Series(rows.index.isin(suppressed), index=rows.index)
    by_address = _has_address_in(clean, suppressed) | _has_address_in(cells, suppressed)
    if stop is not None and stop.hashes:
        by_id |= stop.hides(rows.index.to_frame())
        by_address |= stop.hides_emails(cells[EMAIL])
        by_address |= stop.hides_phones(clean[PHONE]) | stop.hides_phones(cells[PHONE])
    blocked = ~agreed | by_id | by_address
    mailbox = spelling(mailboxes(clean[EMAIL]))
    blocked_mailboxes = set(spelling(mailboxes(every_address(cells.loc[blocked, EMAIL]))))
    shares_email = clean[EMAIL].ne("") & mailbox.isin(blocked_mailboxes)
    shares_phone = clean[PHONE].ne("") & clean[PHONE].isin(set(clean.loc[blocked, PHONE]))
    held = pd.Series(rows.index.isin(set(contacts.control)), index=rows.index)
    held_mailboxes = set(spelling(mailboxes(every_address(cells.loc[held, EMAIL]))))
    shares_held_email = clean[EMAIL].ne("") & mailbox.isin(held_mailboxes)
    shares_held_phone = clean[PHONE].ne("") & clean[PHONE].isin(set(clean.loc[held, PHONE]))
    owners = clean[PHONE].map(clean[PHONE].value_counts())
    lost_number = (shares_phone | shares_held_phone) & (owners > MAX_OWNERS)
    clean = clean.assign(**{name: clean[name].mask(lost_number, "") for name in (PHONE, MOBILE_CN)})
    cells = cells.assign(**{PHONE: cells[PHONE].mask(lost_number, "")})

    requested = scored.drop(columns=[name for name in (*FIELDS, CONSENT, COUNTRY_CODE, MOBILE_CN) if name in scored])
    requested = requested.sort_values(VALUE, ascending=False, kind="stable", ignore_index=True)
    ids = requested[CUSTOMER_ID].astype("str")

    def of_requested(flags: pd.Series[bool]) -> pd.Series[bool]:
        return flags.reindex(ids, fill_value=False).set_axis(requested.index)

    return Candidates(
        customers=requested.assign(**{CUSTOMER_ID: ids}).join(clean.reindex(ids).set_axis(requested.index)),
        keys=entry.reached or entry.keys,
        id_suppressed=ids.isin(suppressed) | of_requested(by_id),
        has_contacts=ids.isin(rows.index),
        has_consent=of_requested(agreed),
        address_suppressed=of_requested(by_address),
        shares_contact=of_requested(shares_email | (shares_phone & ~lost_number)),
        lost_number=of_requested(lost_number),
        in_control=ids.isin(set(contacts.control)),
        shares_control=of_requested(shares_held_email | (shares_held_phone & ~lost_number)),
        mailbox=mailbox.reindex(ids).set_axis(requested.index),
        cells=cells.reindex(ids).set_axis(requested.index),
    )


def _is_suppressed(
    scored: pd.DataFrame, customers: pd.DataFrame | None, suppressed: Collection[str]
) -> pd.Series[bool]:
    """Return which scored customers have an id, e-mail address (in any case) or phone number among ``suppressed``."""
    words = {folded(text.strip()) for text in suppressed}
    ids = scored[CUSTOMER_ID].astype("str")
    if customers is None or not words:
        return ids.isin(words)
    contacts = canonical_contacts(customers)
    return ids.isin(words | set(contacts.loc[_has_address_in(contacts, words), CUSTOMER_ID]))


def _has_address_in(contacts: pd.DataFrame, words: set[str]) -> pd.Series[bool]:
    """Return who has an e-mail address or a phone number among ``words``, as it is written or as it is read."""
    has: pd.Series[bool] = pd.Series(False, index=contacts.index)
    if EMAIL in contacts:
        wanted = {mailbox(address) for word in words for address in (word.lower(), *addresses(word))}
        texts = contacts[EMAIL].astype("str").fillna("").str.strip().str.lower()
        parts = mailboxes(every_address(contacts[EMAIL]))
        has |= (mailboxes(texts).isin(wanted) & texts.ne("")) | contacts.index.isin(parts.index[parts.isin(wanted)])
    numbers = {mark for word in words for mark in phone_marks(word)}
    if PHONE in contacts and numbers:
        has |= phone_keys(contacts[PHONE]).isin(numbers).any(axis=1)
    return has


def _without_country(customers: pd.DataFrame, cells: pd.Series[str]) -> int:
    """Return how many phone cells could not be read and name no country, if the customer's is missing too."""
    numbers = [first_number(cell) for cell in cells[(customers[PHONE] == "") & (customers[COUNTRY_CODE] == "")]]
    return sum(any(sign.isdigit() for sign in number) and not has_calling_code(number) for number in numbers)


def _unknown_countries(customers: pd.DataFrame) -> dict[str, int]:
    words = customers.loc[customers[COUNTRY_CODE] == "", COUNTRY].str.strip()
    return {str(word): int(count) for word, count in words[words != ""].value_counts().items()}
