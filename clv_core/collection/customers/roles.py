"""What each column of a customers file holds: proposed by name and values, overruled by the person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import TextRow
from clv_core.collection.infer.columns.proposal import NUMBER, TIME
from clv_core.collection.store.manifest import Roles as Roles
from clv_core.collection.vocabulary.column_names import (
    CONSENT,
    EMAIL,
    FIELDS,
    IMPERSONAL,
    MISSING,
    PHONE,
    contact_columns,
    id_column,
)
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NeedsAnswer, UsageError

ID, CONTACT, DATE, ATTRIBUTE = "id", "contact", "date", "attribute"
BY_NAME, BY_VALUES = 0.95, 0.6
"""Confidence of a role by the column's name, and by its values alone, which makes it a guess that a warning names."""
SHAPES: Final = {
    EMAIL: re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"),
    PHONE: re.compile(r"(\+|00)\d[\d\s().-]{7,18}|1[3-9]\d{9}|\(?0\d{2,4}\)?[\s.-]\d[\d\s.-]{5,10}"),
}
"""Values that are contact fields whatever their column is called."""


@dataclass(frozen=True)
class RoleProposal:
    """What one column of a customers file seems to be.

    Args:
        column: its name in the file.
        role: ``id``, ``contact`` (consent too), ``date`` or ``attribute``.
        field: the contact field, where it is one.
        kind: ``number``, ``date`` or ``text``, by the sample's values.
        confidence: 0 to 1.
        samples: a few different values.
    """

    column: str
    role: str
    field: str = ""
    kind: str = "text"
    confidence: float = BY_NAME
    samples: tuple[str, ...] = ()


def propose_roles(columns: Sequence[str], rows: Sequence[TextRow]) -> list[RoleProposal]:
    """Return one proposal a column, in file order; attributes are only ever proposed, never on by themselves.

    Args:
        columns: names in the file.
        rows: sample rows as text.
    """
    id_name = id_column(columns)
    proposals: list[RoleProposal] = []
    contacts = contact_columns(column for column in columns if column != id_name)
    taken = set(contacts.values())
    for column in columns:
        values = [str(row[column]).strip() for row in rows if row.get(column) is not None]
        values = [value for value in values if value.lower() not in MISSING]
        samples = tuple(dict.fromkeys(value[:80] for value in values))[:5]
        kind = _kind(values)
        if column == id_name:
            proposals.append(RoleProposal(column, ID, "", kind, BY_NAME, samples))
            continue
        contact, confidence = contacts.get(column), BY_NAME
        if contact is None:
            likely = (name for name, shape in SHAPES.items() if _share(shape, values) > 0.8)
            contact = next((name for name in likely if name not in taken), None)
            confidence = BY_VALUES
        if contact is not None:
            taken.add(contact)
            proposals.append(RoleProposal(column, CONTACT, contact, "text", confidence, samples))
        else:
            proposals.append(RoleProposal(column, DATE if kind == "date" else ATTRIBUTE, "", kind, confidence, samples))
    return proposals


@dataclass(frozen=True)
class ChosenRoles:
    """Roles that are settled.

    Args:
        customer_id: the column of ids.
        attributes: attribute -> the column that dates it, or None; in file order.
        contacts: contact field or ``consent`` -> column.
        guessed: contact fields recognised by their values alone.
        off: columns that are not taken.
    """

    customer_id: str
    attributes: dict[str, str | None]
    contacts: dict[str, str]
    guessed: tuple[str, ...]
    off: tuple[str, ...]

    @property
    def dates(self) -> tuple[str, ...]:
        """Columns that date attributes."""
        return tuple(dict.fromkeys(date for date in self.attributes.values() if date is not None))


def settle(columns: Sequence[str], proposals: Sequence[RoleProposal], roles: Roles) -> ChosenRoles:
    """Return the roles: the person's word first, then the proposals; attributes only where the person marked them.

    Raises:
        NeedsAnswer: no column looks like ids, or nothing at all is taken from the file.
        UsageError: a word names no column or no field, a column twice, or a person's contact field as an attribute.
    """
    attributes = _attributes(columns, roles)
    id_name = _column(roles.customer_id, columns) if roles.customer_id else ""
    id_name = id_name or next((item.column for item in proposals if item.role == ID), "")
    if not id_name:
        raise NeedsAnswer("customers_no_id", found=list(columns[:40]))
    contacts, guessed = _contacts(columns, [item for item in proposals if item.column != id_name], roles)
    _check(id_name, attributes, contacts, _personal(proposals, contacts, roles))
    used = {id_name, *attributes, *contacts.values(), *(date for date in attributes.values() if date)}
    if len(used) == 1:
        raise NeedsAnswer("customers_nothing_on", found=[column for column in columns if column != id_name])
    off = tuple(column for column in columns if column not in used)
    return ChosenRoles(id_name, attributes, contacts, tuple(sorted(guessed & set(contacts))), off)


def _attributes(columns: Sequence[str], roles: Roles) -> dict[str, str | None]:
    """Return the marked attributes in file order, and the column that dates each, or None."""
    wanted: dict[str, str | None] = {_column(name, columns): None for name in roles.static}
    both = [name for name in roles.dated if _column(name, columns) in wanted]
    if both:
        raise UsageError("customers_static_and_dated", column=both[0])
    wanted |= {_column(name, columns): _column(date, columns) for name, date in roles.dated.items()}
    return {column: wanted[column] for column in columns if column in wanted}


def _contacts(
    columns: Sequence[str], proposals: Sequence[RoleProposal], roles: Roles
) -> tuple[dict[str, str], set[str]]:
    """Return the column of each contact field, and the fields that only values spoke for before the person did."""
    proposed = [item for item in proposals if item.role == CONTACT]
    contacts = {item.field: item.column for item in proposed}
    guessed = {item.field for item in proposed if item.confidence < BY_NAME}
    for name, column in roles.contacts.items():
        if name not in (*FIELDS, CONSENT):
            raise UsageError("customers_field", field=name[:40], known=list((*FIELDS, CONSENT)))
        guessed.discard(name)
        contacts.pop(name, None)
        if column:
            contacts[name] = _column(column, columns)
    named = {_column(name, columns) for name in (*roles.static, *roles.dated, *roles.dated.values())}
    return {name: column for name, column in contacts.items() if name in IMPERSONAL or column not in named}, guessed


def _personal(proposals: Sequence[RoleProposal], contacts: Mapping[str, str], roles: Roles) -> dict[str, str]:
    """Return the columns that identify a person, and the field of each, without guesses that were corrected."""
    proposed = [item for item in proposals if item.role == CONTACT and item.field not in IMPERSONAL]
    return {
        item.column: item.field
        for item in proposed
        if item.confidence >= BY_NAME or contacts.get(item.field) == item.column or item.field not in roles.contacts
    }


def _check(
    id_name: str, attributes: Mapping[str, str | None], contacts: Mapping[str, str], personal: Mapping[str, str]
) -> None:
    for column in attributes:
        if column == id_name or column in personal:
            raise UsageError("customers_personal", column=column, field=personal.get(column, CUSTOMER_ID))
    names = {CUSTOMER_ID: id_name, **contacts}
    for column in attributes:
        if column in attributes.values():
            raise UsageError("customers_date_is_attribute", column=column)
    for column in (*attributes, *(date for date in attributes.values() if date)):
        holder = names.get(column.lower())
        if holder is not None and holder != column:
            raise UsageError("customers_clash", column=column, other=holder)


def _column(name: str, columns: Sequence[str]) -> str:
    by_name = {column.lower(): column for column in columns}
    match = name if name in columns else by_name.get(name.strip().lower())
    if match is None:
        raise UsageError("customers_column", column=name[:60], found=list(columns[:40]))
    return match


def _kind(values: Sequence[str]) -> str:
    if not values:
        return "text"
    if _share(TIME, values) == 1:
        return "date"
    padded = any(re.fullmatch(r"0\d+", value) for value in values)
    return "number" if not padded and _share(NUMBER, values) == 1 else "text"


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return sum(bool(pattern.fullmatch(value)) for value in values) / max(len(values), 1)
