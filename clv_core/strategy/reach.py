"""Whom a platform file may hold: suppression and consent first, then who can be reached at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from clv_core.collection.contact_fields import CONSENT, COUNTRY, EMAIL, FIELDS, PHONE
from clv_core.collection.privacy.stoplist import StopList
from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.contacts import COUNTRY_CODE, consenting, country_codes, emails, named, phones
from clv_core.strategy.segments import VALUE


@dataclass(frozen=True)
class Reach:
    """Who is left, and who is not.

    Args:
        customers: scores with clean contact columns (text, "" for unknown), the most valuable first.
        left_out: customers by the first reason that took them out.
        reach: customers left by contact field that they have.
        unknown_countries: customers left whose country is no country that is known, by what they have instead, the
            most frequent first.
    """

    customers: pd.DataFrame
    left_out: dict[str, int]
    reach: dict[str, int]
    unknown_countries: dict[str, int] = field(default_factory=dict)


def reachable(
    scored: pd.DataFrame,
    customers: pd.DataFrame,
    keys: tuple[str, ...],
    region: str | None,
    assume_consent: bool,
    suppressed: Collection[str],
) -> Reach:
    """Return the scored customers who may be and can be contacted.

    Args:
        scored: scores, one row a customer.
        customers: contact fields by customer; see :func:`clv_core.strategy.contacts.named`.
        keys: contact fields of which at least one is needed; of customers who share them all, the most valuable stays.
        region: country of phone numbers that name none.
        assume_consent: what holds where there is no consent column.
        suppressed: customer ids and e-mail addresses to leave out, in any case.

    Raises:
        UsageError: the region is no country whose numbers are known.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or ids that stand twice.
    """
    known = named(customers)
    known = known.assign(agreed=consenting(known, assume_consent))
    known = known[[CUSTOMER_ID, *(name for name in (*FIELDS, CONSENT, "agreed") if name in known)]]
    own = scored.drop(columns=[name for name in (*FIELDS, CONSENT) if name in scored])
    people = own.sort_values(VALUE, ascending=False, kind="stable").merge(known, on=CUSTOMER_ID, how="left")
    people[CUSTOMER_ID] = people[CUSTOMER_ID].astype("str")
    left_out: dict[str, int] = {}

    def leave_out(reason: str, out: pd.Series[bool]) -> None:
        nonlocal people
        if out.any():
            left_out[reason] = int(out.sum())
            people = people[~out]

    stop = {text.strip() for text in suppressed}
    addresses = {text.lower() for text in stop}
    leave_out("suppressed", people[CUSTOMER_ID].isin(stop))
    leave_out("no_contact", people["agreed"].isna())
    leave_out("no_consent", ~people["agreed"].astype(bool))
    people = clean(people.drop(columns="agreed"), region)
    leave_out("suppressed_address", people[EMAIL].isin(addresses) & people[EMAIL].ne(""))
    reached = pd.concat([people[key].ne("") for key in keys], axis=1).any(axis=1)
    leave_out("no_contact_field", ~reached)
    leave_out("same_contact", people.duplicated(list(keys)))
    left_out = _merged(left_out, {"suppressed_address": "suppressed", "no_contact_field": "no_contact"})
    reach = {key: int(people[key].ne("").sum()) for key in keys}
    return Reach(people.reset_index(drop=True), left_out, reach, _unknown_countries(people))


def hidden(scored: pd.DataFrame, customers: pd.DataFrame | None, suppressed: Collection[str]) -> pd.Series[bool]:
    """Return which scored customers must be in no list, by their id or by their e-mail address, in any case.

    Args:
        scored: scores, one row a customer.
        customers: whose addresses are known; None where none are.
        suppressed: customer ids and e-mail addresses.
    """
    words = {text.strip() for text in suppressed}
    ids = scored[CUSTOMER_ID].astype("str")
    out = ids.isin(words)
    if customers is None or not words:
        return out
    known = named(customers)
    if EMAIL not in known:
        return out
    addresses = known[EMAIL].astype("str").str.strip().str.lower()
    owners = known.loc[addresses.isin({text.lower() for text in words}), CUSTOMER_ID]
    return out | ids.isin(set(owners))


def stopped(scored: pd.DataFrame, customers: pd.DataFrame | None, stop: StopList) -> set[str]:
    """Return the ids of those who are on the suppression list of the workspace, by their id or an address of theirs.

    Args:
        scored: scores, one row a customer.
        customers: whose addresses are known; None where none are.
        stop: the list, which itself names nobody.
    """
    found = {str(one) for one in scored.loc[stop.hides(scored), CUSTOMER_ID]}
    if customers is None:
        return found
    known = named(customers)
    if EMAIL in known:
        known = known.assign(**{EMAIL: emails(known[EMAIL].astype("str").fillna(""))})
    return found | {str(one) for one in known.loc[stop.hides(known), CUSTOMER_ID]}


def clean(people: pd.DataFrame, region: str | None) -> pd.DataFrame:
    """Return the customers with all contact fields, and ``country_code``; "" for unknown.

    E-mail and phone are in the platforms' form, "" where they cannot be one; other fields keep their bytes.
    """
    empty = pd.Series("", index=people.index, dtype="str")
    fields = {name: people[name].astype("str").fillna("") if name in people else empty for name in FIELDS}
    country = country_codes(fields[COUNTRY])
    return people.assign(
        **{
            **fields,
            COUNTRY_CODE: country,
            EMAIL: emails(fields[EMAIL]),
            PHONE: phones(fields[PHONE], country, region),
        }
    )


def _unknown_countries(people: pd.DataFrame) -> dict[str, int]:
    words = people.loc[people[COUNTRY_CODE] == "", COUNTRY].str.strip()
    return {str(word): int(count) for word, count in words[words != ""].value_counts().items()}


def _merged(counts: dict[str, int], names: dict[str, str]) -> dict[str, int]:
    merged: dict[str, int] = {}
    for reason, count in counts.items():
        merged[names.get(reason, reason)] = merged.get(names.get(reason, reason), 0) + count
    return merged
