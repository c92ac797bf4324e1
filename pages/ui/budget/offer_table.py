"""Offers on the budget page: what is saved of them, the segments that they have effects for, and the table to edit."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Scored, Terms
from clv_core.errors import ClvError
from clv_core.i18n import translate
from clv_core.strategy.experiments import Experiment
from clv_core.strategy.plans import (
    ALL_TIERS,
    EVIDENCE,
    MAX_OFFERS,
    MONEY,
    SHARE,
    TIERS,
    UNITS,
    Effect,
    Offer,
    SavedOffers,
    check_offers,
    load_offers,
    update_offers,
    with_experiments,
)
from clv_core.strategy.segments import DEFAULT_SCHEME, TIER, VALUE, Segmentation, last_written, parse_scheme
from pages.ui import access, cells, i18n, scores, segmenting, session, tiers, widgets
from pages.ui.i18n import t

MANY_SEGMENTS: Final = 4
"""With more, the table is scrolled and the offers' names stay in sight."""
TIER_WIDTH: Final = 100
"""Pixels of a column of effects: of four tiers all columns stand side by side on a laptop."""
MEASURED_DIGITS: Final = 4
"""Of measured effects as the table shows them; plans take them as they are."""
START: Final = "start"
"""Which of the starting offers a row was; None for one that a person added."""


def saved_offers(dataset: Dataset) -> SavedOffers:
    """Return what is saved with the dataset, or in this session by those who may not change it."""
    session_offers: SavedOffers | None = (
        None if access.may("change") else st.session_state.get(f"budget_saved_{dataset.name}")
    )
    return load_offers(dataset) if session_offers is None else session_offers


def save(dataset: Dataset, **changed: Any) -> None:
    """Save the named parts of :class:`SavedOffers`; the others stay."""
    if access.may("change"):
        update_offers(dataset, **changed)
    else:
        st.session_state[f"budget_saved_{dataset.name}"] = replace(saved_offers(dataset), **changed)


@dataclass(frozen=True, eq=False)
class Segments:
    """Customers in the segments that offers have effects for.

    Args:
        by: text of the scheme; :data:`TIERS` for value tiers.
        scheme: its description in side files.
        names: of the segments, in the scheme's order.
        people: all customers with ``tier``, the number of their segment from 1; shared, not to be written to.
        overlapping: whether one may be in several segments; she counts in the first.
        mark: a key for caches: all that the segments depend on except model, log and terms.
    """

    by: str
    scheme: str
    names: tuple[str, ...]
    people: pd.DataFrame
    overlapping: bool
    mark: str

    @property
    def best(self) -> tuple[int, ...]:
        """The numbers of the two segments whose customers are worth most on average, the most valuable first."""
        means = self.people.groupby(TIER)[VALUE].mean().sort_values(ascending=False, kind="stable")
        return tuple(int(number) for number in means.index[:2])


@dataclass(frozen=True)
class PlanInputs:
    """What a plan is made from.

    Args:
        scored: the log as the model scores it, with the terms of the predicted values.
        segments: the segments that offers have effects for.
        people: all customers who may get an offer with the number of their segment; shared, not to be written to.
        offers: what can be given.
        stop: mark of the suppression list that was held against them.
    """

    scored: Scored
    segments: Segments
    people: pd.DataFrame
    offers: tuple[Offer, ...]
    stop: str = ""

    @property
    def people_mark(self) -> str:
        """A key for caches: all that the customers and their values depend on."""
        scored = self.scored
        marks = (scored.model.id, scored.dataset.version, scored.terms.mark, self.segments.mark, self.stop)
        return " ".join(marks)

    @property
    def mark(self) -> str:
        """A key for caches: all that the plan depends on but the budget."""
        return f"{self.people_mark} {[offer.to_json() for offer in self.offers]!r}"

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return self.scored.currency

    @property
    def has_effect(self) -> bool:
        """Whether any offer has an entered or measured effect."""
        return any(effect.value > 0 for offer in self.offers for effect in offer.effects.values())


def choose_scheme(dataset: Dataset) -> str:
    """Ask for the scheme of the segments and return its text; the choice is saved with the dataset."""
    saved, options = saved_scheme(dataset), segmenting.scheme_texts(dataset)
    options += [] if saved in options else [saved]
    key, names = f"budget_by_{dataset.name}", {option: segmenting.scheme_name(option, dataset) for option in options}
    if st.session_state.get(key) not in options:
        st.session_state[key] = saved
    by = widgets.select(t("budget.by"), names, key, help=t("budget.by.help"), persist_state="session", width=380)
    if by != saved:
        save(dataset, by=by)
    return by


def use_scheme(scheme: Segmentation, dataset: Dataset) -> None:
    """Have offers planned by a scheme of the segments page, with its cuts."""
    save(dataset, by=TIERS if str(scheme) == str(DEFAULT_SCHEME) else str(scheme))
    st.session_state.pop(f"budget_by_{dataset.name}", None)


def saved_scheme(dataset: Dataset) -> str:
    """Return the scheme that is saved; deleted rules fall back to the value tiers."""
    by = saved_offers(dataset).by
    try:
        return by if by == TIERS or parse_scheme(by, dataset) else TIERS
    except ClvError:
        return TIERS


def segment_customers(by: str, scored: Scored, customers: pd.DataFrame) -> Segments:
    """Put customers into the segments of a scheme; while a run has to prepare this, show it.

    Raises:
        NotFound: rules that are not there any more.
    """
    dataset = scored.dataset
    if by == TIERS:
        people = tiers.tiered(scored, customers)
        return Segments(by, str(DEFAULT_SCHEME), tuple(tiers.names(dataset)), people, False, by)
    scheme = parse_scheme(by, dataset)
    trained = scores.need_scores(scored.trained)
    segmenting.need_points(scheme, scored)
    segmented = segmenting.segment(scored, scheme, customers, trained)
    people = segmented.customers.assign(**{TIER: segmented.placed.where + 1})
    overlapping = segmented.placed.inside is not None
    return Segments(by, str(scheme), tuple(segmented.names), people, overlapping, f"{scheme} {last_written(dataset)}")


def edit(dataset: Dataset, mark: str, segments: Segments, plan_terms: Terms, currency: str) -> tuple[Offer, ...]:
    """Show the offers as a table, save changes and return the offers; unfinished rows are skipped.

    Effects that an experiment measured stand in the table; who changes them sees them stand again.

    Args:
        dataset: with which they are saved.
        mark: key of the values: starting costs depend on them.
        segments: the customers, in the segments that offers have effects for.
        plan_terms: of the plan: its horizon and margin say which measured effects count, and for how much.
        currency: of costs.

    Raises:
        UsageError: an offer is out of bounds, or two have one name.
    """
    saved, names = saved_offers(dataset), segments.names
    table = f"budget_table_{mark}_{segments.mark}_{session.language()}_{hash(repr(saved.experiments))}"
    times = int(st.session_state.get(table, 0))
    key = f"{table}_{times}"
    if key not in st.session_state:
        starting = starting_for(segments, session.language())
        base = as_table(saved.rows.get(segments.by), starting)
        st.session_state[f"{key}_base"] = starting, base, with_measured(base, saved.experiments, plan_terms, segments)
        st.session_state[f"{key}_rows"] = as_rows(base, starting, saved.experiments)
    starting, base, shown = st.session_state[f"{key}_base"]
    lasting = "kept" if access.may("change") else "session"
    st.caption(i18n.join_sentences([t("budget.offers.assumed"), t(f"budget.offers.{lasting}")]))
    edited = st.data_editor(
        shown,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        column_order=[column for column in shown.columns if column != START],
        column_config=_columns(names, currency),
        placeholder="–",
        alt=t("budget.offers"),
    )
    entered, touched = without_measured(edited, shown, base)
    rows = as_rows(entered, starting, saved.experiments)
    if rows != st.session_state[f"{key}_rows"]:
        st.session_state[f"{key}_rows"] = rows
        save(dataset, rows={**saved.rows, segments.by: rows})
    if touched:
        st.session_state[table] = times + 1
        st.rerun()
    offers = read_offers(edited, len(names))
    return check_offers(offers) if offers else ()


def with_measured(
    table: pd.DataFrame, experiments: Mapping[str, Experiment], plan_terms: Terms, segments: Segments
) -> pd.DataFrame:
    """Return a table of offers with the effects that experiments measured in place of the assumed ones, and which are.

    Args:
        table: of :func:`as_table`.
        experiments: by the name of the offer that was tried.
        plan_terms: of the plan.
        segments: that offers have effects for.
    """
    shown = table.copy()
    shown.insert(2, EVIDENCE, t("budget.evidence.assumed"))  # behind the name
    for place, name in table["name"].dropna().items():
        offer = Offer(str(name).strip() or "–", 0.0, {ALL_TIERS: Effect(0.0, MONEY)})
        (made,) = with_experiments(
            [offer], experiments, plan_terms.horizon_days, plan_terms.margin_rate, by_tier=segments.by == TIERS
        )
        if made is offer:
            continue
        shown.loc[place, "unit"] = MONEY
        shown.loc[place, EVIDENCE] = t(f"budget.evidence.{'measured' if made.measured else 'tried'}")
        for tier, column in enumerate(_effect_columns(table), 1):
            effect = made.effect_on(tier)
            shown.loc[place, column] = math.nan if effect is None else float(f"{effect.value:.{MEASURED_DIGITS}g}")
    return shown


def without_measured(edited: pd.DataFrame, shown: pd.DataFrame, base: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Return an edited table with the assumed effects below the measured ones, and whether these were changed.

    An offer that got another name is none that was tried: it keeps what stands in its row as assumed.

    Args:
        edited: what was shown, as a person left it.
        shown: of :func:`with_measured`.
        base: what that was made of.
    """
    columns, touched = ["unit", *_effect_columns(base)], False
    entered = edited.drop(columns=EVIDENCE)
    tried = shown.index[shown[EVIDENCE] != t("budget.evidence.assumed")]
    for place in tried.intersection(edited.index):
        if edited.loc[place, "name"] == shown.loc[place, "name"]:
            touched = touched or not edited.loc[place, columns].equals(shown.loc[place, columns])
            for column in columns:
                entered.loc[place, column] = base.loc[place, column]
    return entered, touched


def _effect_columns(table: pd.DataFrame) -> list[str]:
    return [str(column) for column in table.columns if str(column).startswith("tier")]


def starting_for(segments: Segments, language: str) -> pd.DataFrame:
    """Return :func:`starting_offers` for the segments of a scheme."""
    return starting_offers(segments.people[VALUE].to_numpy(), len(segments.names), language, segments.best)


def starting_offers(values: np.ndarray, tiers: int, language: str, best: Sequence[int] = (1, 2)) -> pd.DataFrame:
    """Return offers to begin with: costs in proportion to what a customer is worth, and no effect.

    Args:
        values: predicted value, money, [n].
        tiers: number of tiers, or of segments of another scheme.
        language: of their names.
        best: numbers of the two most valuable ones: the dearest offer is for them alone.
    """
    worth = float(np.maximum(values, 0).mean()) if len(values) else 1.0
    some = float(f"{max(1.0, 0.02 * len(values)):.1g}")
    everyone = range(1, tiers + 1)
    rows: list[tuple[str, float, Collection[int], float]] = [
        ("mail", 0.002, everyone, math.nan),
        ("voucher", 0.03, everyone, math.nan),
        ("call", 0.15, best, some),
    ]
    return pd.DataFrame(
        [
            {
                START: name,
                "name": translate(f"budget.offer.{name}", language),
                "cost": float(f"{max(share * worth, 1e-6):.1g}"),
                "unit": SHARE,
            }
            | {f"tier{tier}": 0.0 if tier in offered else math.nan for tier in everyone}
            | {"capacity": capacity}
            for name, share, offered, capacity in rows
        ]
    )


def as_table(rows: Sequence[dict[str, Any]] | None, starting: pd.DataFrame) -> pd.DataFrame:
    """Return saved rows as a table to edit.

    ``rows`` are of :func:`as_rows`; cells that were not changed come from ``starting``.
    """
    if rows is None:
        return starting
    first = starting.set_index(START, drop=False)
    complete = [first.loc[row[START]].to_dict() | row if row[START] in first.index else row for row in rows]
    table = pd.DataFrame(complete, columns=list(starting.columns))
    return table.astype({column: kind for column, kind in starting.dtypes.items() if kind.kind == "f"})


def as_rows(table: pd.DataFrame, starting: pd.DataFrame, tried: Collection[str]) -> tuple[dict[str, Any], ...]:
    """Return the rows of an edited table, to be saved; of a starting offer only what was changed.

    So what was not changed follows the values, and the language. An offer that was tried keeps its name, which is
    the key of its experiment.

    Args:
        table: of :func:`as_table`, edited.
        starting: of :func:`starting_offers`.
        tried: names of offers that an experiment measured.
    """
    first = {row[START]: row for row in _json_rows(starting)}
    rows = []
    for row in _json_rows(table):
        usual = first.get(row[START], {})
        named = {"name"} if row["name"] in tried else set()
        changed = {column: cell for column, cell in row.items() if column in named or usual.get(column, "") != cell}
        rows.append({START: row[START], **changed})
    return tuple(rows)


def _json_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON types; an empty cell is None."""
    return [
        {str(column): None if pd.isna(cell) else cell for column, cell in row.items()}
        for row in table.to_dict("records")
    ]


def read_offers(table: pd.DataFrame, tiers: int) -> list[Offer]:
    """Return the offers of the table; a row without name, cost or effect is skipped.

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


def _columns(names: Sequence[str], currency: str) -> dict[str, Any]:
    config, number = st.column_config, st.column_config.NumberColumn
    units = {SHARE: t("budget.unit.share"), MONEY: t("budget.unit.money")}
    cost, capacity = cells.headed(t("budget.column.cost"), currency), t("budget.column.capacity")
    columns: dict[str, Any] = {
        "name": config.TextColumn(t("budget.column.name"), max_chars=60, pinned=len(names) > MANY_SEGMENTS),
        "cost": number(cost, width=92, min_value=0.0, format="%g", help=t("budget.column.cost.help")),
        "unit": config.SelectboxColumn(
            t("budget.column.unit"),
            options=list(UNITS),
            format_func=lambda kind: units.get(str(kind), str(kind)),
            default=SHARE,
            required=True,
            width=88,
            help=t("budget.column.unit.help"),
        ),
        "capacity": number(
            capacity, width=80, min_value=0, step=1, format=cells.COUNT, help=t("budget.column.capacity.help")
        ),
    }
    for tier, name in enumerate(names, 1):
        columns[f"tier{tier}"] = number(name, width=TIER_WIDTH, format="%g", help=t("budget.column.effect.help"))
    columns[EVIDENCE] = config.TextColumn(t("budget.column.evidence"), disabled=True, width=76)
    return columns
