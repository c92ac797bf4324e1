"""Only the customers of a list: a plan, the groups of an experiment, or ids that somebody has chosen elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection.values.id_texts import folded_texts
from clv_core.collection.values.pseudonyms import pseudonym
from clv_core.collection.words.contact_fields import id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NotEnoughData, Refused
from clv_core.i18n import LANGUAGES
from clv_core.strategy.contacts.contacts_file import read_contacts
from clv_core.strategy.contacts.suppress_file import cells_of, entries_of, text_of
from clv_core.strategy.experiments.randomization import GROUP
from clv_core.strategy.exports.headers import header
from clv_core.strategy.plans.budget_plan import OFFER

TOLD: Final = (OFFER, GROUP)
"""What a list says of a customer beside that she is in it; conditions may ask for it."""
CALLED: Final = {header(name, language): name for language in LANGUAGES for name in TOLD}
"""The same by the names that a list has which was made for people of another language."""


def read_list(path: Path) -> pd.DataFrame:
    """Return customer_id and those of :data:`TOLD` that a list has, as text, one row a customer.

    Args:
        path: a table with a column of ids, as ``plan`` writes it: CSV, workbook, JSON Lines or Parquet; or ids, one a
            line.

    Raises:
        NotFound: there is no such file.
        Refused: it has no column of ids, or says two things of a customer.
    """
    frame = _rows(path).rename(columns=CALLED)
    ids = id_column(list(frame.columns))
    if ids is None:
        raise Refused("list_no_ids", file=path.name, found=list(frame.columns))
    told = [name for name in TOLD if name in frame and name != ids]
    named = frame[[ids, *told]].rename(columns={ids: CUSTOMER_ID}).dropna(subset=[CUSTOMER_ID])
    listed = named.assign(**{CUSTOMER_ID: folded_texts(named[CUSTOMER_ID])}).drop_duplicates()
    twice = listed[CUSTOMER_ID].duplicated()
    if twice.any():
        raise Refused("list_twice", file=path.name, customers=int(twice.sum()), columns=told)
    return listed


def only_listed(
    customers: pd.DataFrame, listed: pd.DataFrame, key: bytes | None = None
) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Return the customers of a list with what it says of them, in their order, and what is to be said of the others.

    Args:
        customers: with customer_id, one row each, [n].
        listed: of :func:`read_list`.
        key: of customers whose ids are pseudonyms; the list may name them by either.

    Raises:
        NotEnoughData: the list holds none of them.
    """
    ids = listed[CUSTOMER_ID]
    if key is not None:
        ids = ids.where(ids.isin(customers[CUSTOMER_ID]), ids.map(lambda text: pseudonym(key, text)))
    told = listed.assign(**{CUSTOMER_ID: ids})
    found = customers.drop(columns=list(told.columns[1:]), errors="ignore").merge(told, on=CUSTOMER_ID)
    if found.empty:
        raise NotEnoughData("list_nobody", listed=len(listed))
    others = len(listed) - len(found)
    return found, (Message("warning.list_unknown", {"listed": len(listed), "customers": others}),) if others else ()


def _rows(path: Path) -> pd.DataFrame:
    text = text_of(path) if path.is_file() else None
    if text is None or any(len(cells) > 1 for cells in cells_of(text)[:1]):
        return read_contacts(path)
    return pd.DataFrame({CUSTOMER_ID: [words[0] for words in entries_of(text)]}, dtype="str")
