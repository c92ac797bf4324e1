"""Lists of customers: what their numbers mean, and which customers a list of ids names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection.parse import folded_texts, pseudonym
from clv_core.collection.vocabulary import id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored
from clv_core.errors import Message, NotEnoughData, Refused
from clv_core.i18n import LANGUAGES
from clv_core.strategy.audiences.contacts import read_contacts
from clv_core.strategy.audiences.export import Side
from clv_core.strategy.audiences.readable_columns import header
from clv_core.strategy.audiences.suppression_file import entries_of, list_cells, list_text
from clv_core.strategy.experiments.randomized_experiment import GROUP
from clv_core.strategy.plans.budget_plan import OFFER
from clv_core.strategy.segments.segment_rules import Condition
from clv_core.strategy.segments.segmentation import Segmentation

LIST_COLUMNS: Final = (OFFER, GROUP)
"""Columns of a list of ids that are added to the customers; conditions may use them."""
TRANSLATED_COLUMNS: Final = {header(name, language): name for language in LANGUAGES for name in LIST_COLUMNS}
"""The same by their headers in lists that were written for people of another language."""


def side_of(scored: Scored, scheme: Segmentation | None = None, conditions: Sequence[Condition] = ()) -> Side:
    """Return the side file of a list of the scores for the trained horizon."""
    return Side(
        dataset=scored.dataset.name,
        dataset_version=scored.dataset.version,
        model=scored.model.id,
        cutoff=scored.as_of.isoformat(),
        horizon_days=scored.trained_days,
        currency=scored.dataset.manifest.currency,
        segment=" ".join(map(str, conditions)),
        scheme="" if scheme is None else str(scheme),
        objected=scored.dataset.objected.customers or None,
    )


def read_id_list(path: Path) -> pd.DataFrame:
    """Return customer_id and those of :data:`LIST_COLUMNS` that a list has, as text, one row a customer.

    Args:
        path: a table with a column of ids, as ``plan`` writes it: CSV, workbook, JSON Lines or Parquet; or ids, one a
            line.

    Raises:
        NotFound: there is no such file.
        Refused: it has no column of ids, or differs between two rows of a customer.
    """
    text = list_text(path) if path.is_file() else None
    if text is None or any(len(cells) > 1 for cells in list_cells(text)[:1]):
        frame = read_contacts(path).rename(columns=TRANSLATED_COLUMNS)
    else:
        frame = pd.DataFrame({CUSTOMER_ID: [words[0] for words in entries_of(text)]}, dtype="str")
    ids = id_column(list(frame.columns))
    if ids is None:
        raise Refused("list_no_ids", file=path.name, found=list(frame.columns))
    columns = [name for name in LIST_COLUMNS if name in frame and name != ids]
    rows = frame[[ids, *columns]].rename(columns={ids: CUSTOMER_ID}).dropna(subset=[CUSTOMER_ID])
    rows = rows.assign(**{CUSTOMER_ID: folded_texts(rows[CUSTOMER_ID])}).drop_duplicates()
    repeated = rows[CUSTOMER_ID].duplicated()
    if repeated.any():
        raise Refused("list_twice", file=path.name, customers=int(repeated.sum()), columns=columns)
    return rows


def match_id_list(
    customers: pd.DataFrame, listed: pd.DataFrame, key: bytes | None = None
) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Return the customers of a list with its columns, in their order, and a warning of ids of no customer.

    Args:
        customers: with customer_id, one row each, [n].
        listed: of :func:`read_id_list`.
        key: of customers whose ids are pseudonyms; the list may name them by either.

    Raises:
        NotEnoughData: the list holds none of them.
    """
    ids = listed[CUSTOMER_ID]
    if key is not None:
        ids = ids.where(ids.isin(customers[CUSTOMER_ID]), ids.map(lambda text: pseudonym(key, text)))
    columns = listed.assign(**{CUSTOMER_ID: ids})
    matches = customers.drop(columns=list(columns.columns[1:]), errors="ignore").merge(columns, on=CUSTOMER_ID)
    if matches.empty:
        raise NotEnoughData("list_nobody", listed=len(listed))
    unmatched = len(listed) - len(matches)
    return matches, (
        Message("warning.list_unknown", {"listed": len(listed), "customers": unmatched}),
    ) if unmatched else ()
