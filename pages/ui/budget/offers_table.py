"""The offers on the budget page: starting values, clearly assumed, in a table that the person edits."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.i18n import room, translate
from clv_core.strategy.plans.offers import MAX_OFFERS, MONEY, SHARE, UNITS, Effect, Offer, check_offers
from clv_core.strategy.segments import VALUE
from pages.ui import access, cells, saying, state
from pages.ui.budget import kept_offers
from pages.ui.budget.by_segments import Segments
from pages.ui.saying import t

MOST_IN_SIGHT: Final = 4
"""Columns of effects that fit beside the others; more are scrolled to, and may be wide."""
MARGIN: Final = 18
"""Pixels of a cell beside what is written in it."""
MARK: Final = 22
"""Pixels of the sign that a column can be edited."""
NARROWEST: Final = 68
WIDEST: Final = 190
"""Pixels that a column has at least, and that the offers' names take at most."""
START: Final = "start"
"""Which of the starting offers a row was; None for one that a person added."""


def edit(dataset: Dataset, mark: str, segments: Segments, currency: str) -> tuple[Offer, ...]:
    """Show the offers as a table, keep what is changed and return what it says; unfinished rows are passed over.

    Args:
        dataset: with which they are kept.
        mark: of what the values speak of: other values have other costs to begin with.
        segments: the customers, in the segments that offers have effects for.
        currency: of costs.

    Raises:
        UsageError: an offer is out of bounds, or two have one name.
    """
    key = f"budget_table_{mark}_{segments.mark}_{state.language()}"
    kept, names = kept_offers.kept(dataset), segments.names
    if key not in st.session_state:
        starting = starting_for(segments, state.language())
        base = as_table(kept.rows.get(segments.by), starting)
        st.session_state[f"{key}_base"] = starting, base
        st.session_state[f"{key}_rows"] = as_rows(base, starting, kept.experiments)
    starting, base = st.session_state[f"{key}_base"]
    lasting = "kept" if access.may("change") else "session"
    st.caption(f"{t('budget.offers.assumed')}{' ' if state.language() == 'en' else ''}{t(f'budget.offers.{lasting}')}")
    edited = st.data_editor(
        base,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        column_order=[column for column in base.columns if column != START],
        column_config=_columns(names, base["name"].dropna(), currency),
        placeholder="–",
        alt=t("budget.offers"),
    )
    rows = as_rows(edited, starting, kept.experiments)
    if rows != st.session_state[f"{key}_rows"]:
        st.session_state[f"{key}_rows"] = rows
        kept_offers.keep(dataset, rows={**kept.rows, segments.by: rows})
    offers = read_offers(edited, len(names))
    return check_offers(offers) if offers else ()


def starting_for(segments: Segments, language: str) -> pd.DataFrame:
    """Return :func:`starting_offers` for the segments of a scheme."""
    return starting_offers(segments.people[VALUE].to_numpy(), len(segments.names), language, segments.best)


def starting_offers(values: np.ndarray, tiers: int, language: str, best: Sequence[int] = (1, 2)) -> pd.DataFrame:
    """Return offers to begin with: costs in proportion to what a customer is worth, and modest effects.

    Args:
        values: predicted value, money, [n].
        tiers: number of tiers, or of segments of another scheme.
        language: of their names.
        best: numbers of the two most valuable ones: the dearest offer is for them alone.
    """
    worth = float(np.maximum(values, 0).mean()) if len(values) else 1.0
    top = dict(zip(best, (12.0, 10.0), strict=False))
    rows: list[tuple[str, float, list[float], float]] = [
        ("mail", 0.002, [1.0] * tiers, math.nan),
        ("voucher", 0.03, [5.0] * tiers, math.nan),
        (
            "call",
            0.15,
            [top.get(number, math.nan) for number in range(1, tiers + 1)],
            float(f"{max(1.0, 0.02 * len(values)):.1g}"),
        ),
    ]
    return pd.DataFrame(
        [
            {
                START: name,
                "name": translate(f"budget.offer.{name}", language),
                "cost": float(f"{max(share * worth, 1e-6):.1g}"),
                "unit": SHARE,
            }
            | {f"tier{tier}": effect for tier, effect in enumerate(effects, 1)}
            | {"capacity": capacity}
            for name, share, effects, capacity in rows
        ]
    )


def as_table(rows: Sequence[dict[str, Any]] | None, starting: pd.DataFrame) -> pd.DataFrame:
    """Return kept rows as a table to edit.

    Args:
        rows: of :func:`as_rows`; None for the starting offers.
        starting: of :func:`starting_offers`, for cells that were not changed.
    """
    if rows is None:
        return starting
    first = starting.set_index(START, drop=False)
    whole = [first.loc[row[START]].to_dict() | row if row[START] in first.index else row for row in rows]
    table = pd.DataFrame(whole, columns=list(starting.columns))
    return table.astype({column: kind for column, kind in starting.dtypes.items() if kind.kind == "f"})


def as_rows(table: pd.DataFrame, starting: pd.DataFrame, tried: Collection[str]) -> tuple[dict[str, Any], ...]:
    """Return the rows of an edited table, to be kept; of a starting offer only what was changed.

    So what was not changed follows the values, and the language. An offer that was tried keeps its name: the experiment
    is known by it.

    Args:
        table: of :func:`as_table`, edited.
        starting: of :func:`starting_offers`.
        tried: names of offers that an experiment measured.
    """
    first = {row[START]: row for row in _plain(starting)}
    rows = []
    for row in _plain(table):
        usual = first.get(row[START], {})
        named = {"name"} if row["name"] in tried else set()
        changed = {column: cell for column, cell in row.items() if column in named or usual.get(column, "") != cell}
        rows.append({START: row[START], **changed})
    return tuple(rows)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON types; an empty cell is None."""
    return [
        {str(column): None if pd.isna(cell) else cell for column, cell in row.items()}
        for row in table.to_dict("records")
    ]


def read_offers(table: pd.DataFrame, tiers: int) -> list[Offer]:
    """Return the offers of the table; a row without name, cost or effect is passed over.

    Args:
        table: name, cost, unit, one effect a tier or segment (percent, or money), capacity.
        tiers: number of tiers or segments.

    Raises:
        UsageError: an offer is out of bounds.
    """
    offers = []
    for row in table.to_dict("records"):
        unit = row["unit"] if row["unit"] in UNITS else SHARE
        effects = {
            tier: Effect(float(row[f"tier{tier}"]) / (100 if unit == SHARE else 1), unit)
            for tier in range(1, tiers + 1)
            if pd.notna(row[f"tier{tier}"])
        }
        if not row["name"] or pd.isna(row["name"]) or pd.isna(row["cost"]) or not effects:
            continue
        capacity = None if pd.isna(row["capacity"]) else int(row["capacity"])
        offers.append(Offer(str(row["name"]).strip(), float(row["cost"]), effects, capacity))
    return offers[: MAX_OFFERS + 1]


def _columns(names: Sequence[str], offers: Iterable[str], currency: str) -> dict[str, Any]:
    config, number = st.column_config, st.column_config.NumberColumn
    words, many = {SHARE: t("budget.unit.share"), MONEY: t("budget.unit.money")}, len(names) > MOST_IN_SIGHT
    cost, unit = cells.headed(t("budget.column.cost"), currency), t("budget.column.unit")
    capacity = t("budget.column.capacity")
    columns: dict[str, Any] = {
        "name": config.TextColumn(
            t("budget.column.name"), max_chars=60, width=min(WIDEST, max(map(written, offers), default=0)), pinned=many
        ),
        "cost": number(
            cost,
            min_value=0.0,
            format="%g",
            width=headed(cost),
            help=t("budget.column.cost.help", unit=saying.unit(currency)),
        ),
        "unit": config.SelectboxColumn(
            unit,
            options=list(UNITS),
            format_func=lambda unit: words.get(str(unit), str(unit)),
            default=SHARE,
            required=True,
            width=max(headed(unit), *map(written, words.values())),
            help=t("budget.column.unit.help"),
        ),
        "capacity": number(
            capacity,
            min_value=0,
            step=1,
            format=cells.COUNT,
            width=headed(capacity),
            help=t("budget.column.capacity.help"),
        ),
    }
    for tier, name in enumerate(names, 1):
        columns[f"tier{tier}"] = number(name, format="%g", width=headed(name), help=t("budget.column.effect.help"))
    return columns


def headed(heading: str) -> int:
    """Return the pixels that a heading needs: a column of an editor has a mark beside it."""
    return max(NARROWEST, written(heading) + MARK)


def written(text: str) -> int:
    """Return the pixels that a text needs in a cell; a Chinese character takes two letters."""
    return MARGIN + sum(13 if room(letter) == 2 else 6 for letter in str(text))
