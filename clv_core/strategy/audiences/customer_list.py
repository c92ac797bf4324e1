"""Customers of a list: scored, with history and tier or segment, chosen by conditions or by a list of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection.stored.store import Dataset, open_dataset
from clv_core.collection.values.id_texts import folded_texts
from clv_core.collection.values.pseudonyms import pseudonym
from clv_core.collection.words.contact_fields import id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.saved_scores import scores
from clv_core.errors import Message, NotEnoughData, Refused
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES
from clv_core.jobs import Progress
from clv_core.strategy.audiences.contacts import read_contacts
from clv_core.strategy.audiences.export import Side
from clv_core.strategy.audiences.readable_columns import header
from clv_core.strategy.audiences.suppression_file import entries_of, list_cells, list_text
from clv_core.strategy.conditions import Condition, select
from clv_core.strategy.experiments.randomization import GROUP
from clv_core.strategy.history import purchase_history, with_history
from clv_core.strategy.plans.budget_plan import OFFER
from clv_core.strategy.schemes.known import with_known
from clv_core.strategy.schemes.rules import Rules
from clv_core.strategy.schemes.saved import names_of_tiers
from clv_core.strategy.schemes.segmentation import Placed, Segmentation
from clv_core.strategy.schemes.settle import called, points_of, settle, with_segments
from clv_core.strategy.segments import TIER, assign
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.workspace import Workspace

TIER_NAME: Final = "tier_name"
MAX_CHOICES: Final = 30
"""Values of a column that a sentence can list."""
LIST_COLUMNS: Final = (OFFER, GROUP)
"""Columns of a list of ids that come along with the customers; conditions may use them."""
TRANSLATED_COLUMNS: Final = {header(name, language): name for language in LANGUAGES for name in LIST_COLUMNS}
"""The same by their headers in lists that were written for people of another language."""


@dataclass(frozen=True, eq=False)
class ScoredCustomers:
    """Customers with scores, history, tier and segment.

    Args:
        frame: the most valuable first, [n].
        placed: their segments; None where they are cut into value tiers.
        count: how many tiers or segments there are.
        side: what the numbers mean, for a file of them.
    """

    frame: pd.DataFrame
    placed: Placed | None
    count: int
    side: Side

    def numbered(self) -> pd.DataFrame:
        """Return them with ``tier``: the number of the tier or segment that offers are written for, from 1."""
        return self.frame if self.placed is None else self.frame.assign(**{TIER: self.placed.where + 1})

    def names(self, dataset: Dataset, language: str = DEFAULT_LANGUAGE) -> list[str]:
        """Return what the tiers or segments are called, in the scheme's order."""
        if self.placed is None:
            return names_of_tiers(dataset, self.count, language)
        return [segment.name(language) for segment in self.placed.segments]


def load_scored_customers(
    workspace: Workspace,
    name: str,
    model_id: str,
    scheme: Scheme | Segmentation,
    *,
    conditions: Sequence[Condition] = (),
    cutoff: date | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> ScoredCustomers:
    """Return all scored customers of a dataset with their tier, or their segment of another scheme.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose scores count.
        scheme: how customers are cut.
        conditions: whose columns are needed.
        cutoff: as of when; None is the log's end.
        language: of names.
        progress: listener.
    """
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    scored = scores(workspace, name, model_id, cutoff=cutoff, progress=progress)
    side = replace(side_of(dataset, bundle, cutoff), segment=" ".join(map(str, conditions)), scheme=str(scheme))
    as_of, columns = cutoff or dataset.log_end, {condition.column for condition in conditions}
    if isinstance(scheme, Scheme):
        tiered = _with_tiers(dataset, scored, scheme, as_of, language)
        return ScoredCustomers(with_known(tiered, dataset, as_of, columns), None, scheme.tiers, side)
    columns |= scheme.columns if isinstance(scheme, Rules) else set()
    customers = with_known(_with_tiers(dataset, scored, DEFAULT_SCHEME, as_of, language), dataset, as_of, columns)
    points = points_of(workspace, scheme, bundle, dataset, customers, cutoff, progress)
    fitted = settle(scheme, bundle, dataset, customers, points, cutoff)
    placed = called(fitted.place(customers, points), scheme, bundle, dataset)
    return ScoredCustomers(with_segments(customers, placed, fitted, language), placed, placed.count, side)


def side_of(dataset: Dataset, bundle: Bundle, cutoff: date | None) -> Side:
    """Return the content of the side file of a list of these scores."""
    return Side(
        dataset=dataset.name,
        dataset_version=dataset.version,
        model=bundle.id,
        cutoff=(cutoff or dataset.log_end).isoformat(),
        horizon_days=bundle.record["horizon_days"],
        currency=dataset.manifest.currency,
    )


def choose(customers: pd.DataFrame, conditions: Sequence[Condition]) -> pd.DataFrame:
    """Return the customers who fulfil all conditions.

    Raises:
        NotEnoughData: nobody does; the error lists the values of a column that has few, as the condition's may be
            misspelt.
        UsageError: a condition on a column that is not there, or that does not fit it.
    """
    chosen = select(customers, conditions)
    if chosen.empty:
        for one in conditions:
            choices = _choices(customers[one.column])
            if one.operator == "=" and choices and not one.holds(customers).any():
                raise NotEnoughData("segment_value", column=one.column, value=list(one.values), known=choices)
        raise NotEnoughData("segment_empty", segment=" ".join(map(str, conditions)) or "-")
    return chosen


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


def only_listed(
    customers: pd.DataFrame, listed: pd.DataFrame, key: bytes | None = None
) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Return the customers of a list with its columns, in their order, and a warning of ids that are none of them.

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
    chosen = customers.drop(columns=list(columns.columns[1:]), errors="ignore").merge(columns, on=CUSTOMER_ID)
    if chosen.empty:
        raise NotEnoughData("list_nobody", listed=len(listed))
    others = len(listed) - len(chosen)
    return chosen, (Message("warning.list_unknown", {"listed": len(listed), "customers": others}),) if others else ()


def _with_tiers(dataset: Dataset, scored: pd.DataFrame, scheme: Scheme, cutoff: date, language: str) -> pd.DataFrame:
    """Return the scored customers with history before the cutoff, tier and the tier's name, the most valuable first."""
    tiered = assign(with_history(scored, purchase_history(dataset, cutoff), cutoff), scheme)
    names = dict(enumerate(names_of_tiers(dataset, scheme.tiers, language), start=1))
    tiered = tiered.assign(**{TIER_NAME: tiered[TIER].map(names)})
    return tiered.sort_values("predicted_clv", ascending=False, kind="stable", ignore_index=True)


def _choices(column: pd.Series[Any]) -> list[str]:
    """Return the sorted values of a column that has few; else nothing."""
    values = column.dropna().drop_duplicates()
    return values.sort_values().astype("str").tolist() if len(values) <= MAX_CHOICES else []
