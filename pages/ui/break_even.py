"""Break-even of offers, on the pages about known customers: what must an offer achieve before it pays?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Terms
from clv_core.errors import Message
from clv_core.strategy.audiences import Assumption, Side
from clv_core.strategy.customer import Card
from clv_core.strategy.plans import (
    BREAK_EVEN_UPLIFT,
    BUYERS,
    EVERYONE,
    PAID,
    BreakEven,
    MeasuredGain,
    Offer,
    OfferCost,
    easiest_break_even,
    measured_gain,
    offer_break_evens,
)
from pages.ui import cells, i18n, session, terms, widgets
from pages.ui.i18n import money, t

COST, PAID_FOR = "break_even_cost", "break_even_paid"
"""Session keys of the offer that a person entered; all pages share it."""
MEASURED: Final = "gain"
"""Column of what an experiment measured."""


def ask(currency: str) -> OfferCost | None:
    """Ask what an offer costs and for whom it is paid; None until a cost is entered."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            cells.headed(t("break_even.cost"), currency),
            0.0,
            None,
            None,
            step=1.0,
            format="%g",
            key=COST,
            width=180,
            help=t("break_even.cost.help"),
            persist_state="session",
        )
        st.segmented_control(
            t("break_even.paid"),
            PAID,
            format_func=lambda kind: t(f"break_even.paid.{kind}"),
            default=EVERYONE,
            required=True,
            key=PAID_FOR,
            help=t("break_even.paid.help"),
            persist_state="session",
        )
    return entered()


def entered() -> OfferCost | None:
    """Return the offer that was entered, for values after the margin; None without a cost."""
    cost = st.session_state.get(COST)
    return None if cost is None else OfferCost(float(cost), st.session_state.get(PAID_FOR) or EVERYONE)


def notes(at: Terms) -> tuple[Message, ...]:
    """Return what a break-even of values at these terms assumes."""
    return OfferCost(0.0, margin_rate=at.margin_rate).notes


def needed(point: BreakEven) -> str:
    """Return what must happen, in words."""
    return i18n.message_text(point.message())


def _short(point: BreakEven) -> str:
    """Return what must happen, in two or three words."""
    message = point.message()
    kind = message.code.rpartition(".")[2]
    return t(f"break_even.short.{kind}", **message.params)


def with_column(rows: pd.DataFrame, offer: OfferCost | None) -> pd.DataFrame:
    """Return a list of customers with an offer's break-even as its last column; without an offer as it is.

    ``offer`` is of :func:`entered`, asked while the page is drawn: files are written later.
    """
    return rows if offer is None else offer.added_to(rows)


def with_settings(side: Side, at: Terms, offer: OfferCost | None) -> Side:
    """Return the side file of :func:`with_column`'s list."""
    if offer is None:
        return side
    assumed = (*side.assumptions, *(Assumption.of(note, session.language()) for note in notes(at)))
    return replace(side, assumptions=assumed, settings={**side.settings, **offer.settings})


def of_segments(rows: pd.DataFrame, at: Terms, currency: str) -> None:
    """Ask for an offer, and show what it must achieve in each segment.

    Args:
        rows: of :func:`~clv_core.strategy.segments.segment_figures.segment_table`.
        at: terms of their values.
        currency: of the amounts.
    """
    with st.expander(t("break_even.title"), icon=":material/balance:"):
        st.caption(t("break_even.what"))
        offer = ask(currency)
        if offer is None:
            return
        points = [offer.of(row["p_purchase_mean"], row["value_mean"]) for row in rows.to_dict("records")]
        shown = pd.DataFrame(
            {
                "name": rows["name"].to_numpy(),
                "customers": rows["customers"].to_numpy(),
                **_figures(points),
                BREAK_EVEN_UPLIFT: [_percentage(point) for point in points],
                "needed": [needed(point) for point in points],
            }
        )
        text = st.column_config.TextColumn
        columns = {
            "name": text(t("column.segment"), pinned=True),
            "customers": cells.integer(t("column.customers")),
            **_columns(currency),
            BREAK_EVEN_UPLIFT: st.column_config.NumberColumn(
                t("break_even.column.uplift"), format="%.2f%%", help=t("break_even.column.uplift.help")
            ),
            "needed": text(t("break_even.column.needed"), width="large"),
        }
        cells.table(shown, t("break_even.title"), columns, height="content", key="break_even_segments")
        _say_notes(at)


def of_customer(card: Card, card_terms: Terms) -> None:
    """Ask for an offer and the margin, and say what the offer must achieve with customers like this one."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{t('break_even.title')}**")
        st.caption(t("break_even.customer.what"))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            offer, margin = ask(card.currency), terms.ask_margin() or 1.0
        if offer is None:
            return
        point = OfferCost(offer.cost, offer.paid, margin).of(card.p_purchase, card.predicted)
        about = {"cost": money(offer.cost, card.currency, 2), "needed": needed(point)}
        st.markdown(t("break_even.customer" if point.uplift is not None else "break_even.customer.never", **about))
        _say_notes(replace(card_terms, margin_rate=margin))


def headline(people: pd.DataFrame, offers: Sequence[Offer], names: Sequence[str], currency: str) -> str:
    """Return what the dearest offer for most segments must achieve where that is easiest; "" where nothing pays."""
    found = easiest_break_even(people, offers, len(names))
    if found is None:
        return ""
    offer, tier, point = found
    about = {"offer": widgets.escape(offer.name), "name": widgets.escape(names[tier - 1]), "needed": needed(point)}
    return t("break_even.headline", cost=money(offer.cost, currency, 2), **about)


def of_offers(people: pd.DataFrame, offers: Sequence[Offer], names: Sequence[str], at: Terms, currency: str) -> None:
    """Show what each offer must achieve in each segment that gets it, and what experiments measured.

    Args:
        people: all customers who may get an offer, with the number of their segment.
        offers: with measured effects where there are any.
        names: of the segments.
        at: terms of the values.
        currency: of the amounts.
    """
    rows = []
    for offer in offers:
        by_kind = {kind: offer_break_evens(people, offer, len(names), kind) for kind in PAID}
        for tier, point in by_kind[EVERYONE].items():
            gain = measured_gain(offer, tier)
            rows.append(
                {
                    "offer": offer.name,
                    "cost": offer.cost,
                    "name": names[tier - 1],
                    **{key: value[0] for key, value in _figures([point]).items()},
                    **{kind: _short(by_kind[kind][tier]) for kind in PAID},
                    MEASURED: "" if gain is None else _interval(gain, currency),
                }
            )
    shown, text = pd.DataFrame(rows), st.column_config.TextColumn
    unit = "gain.revenue" if at.margin_rate == 1 else "gain"
    columns: dict[str, Any] = {
        "offer": text(t("budget.column.name"), pinned=True),
        "cost": cells.money(t("break_even.cost"), currency),
        "name": text(t("column.segment")),
        MEASURED: text(t(f"break_even.column.{unit}"), help=t("break_even.column.gain.help")),
        EVERYONE: text(t("break_even.column.everyone"), help=t("break_even.column.everyone.help")),
        BUYERS: text(t("break_even.column.buyers"), help=t("break_even.paid.help")),
        **_columns(currency),
    }
    if shown.empty:
        return
    if not shown[MEASURED].any():
        del columns[MEASURED]
    cells.table(shown[list(columns)], t("break_even.title"), columns, height="content", key="break_even_offers")
    _say_notes(at)


def _interval(gain: MeasuredGain, currency: str) -> str:
    """Return a measured gain with its 90% interval."""
    return t(
        "break_even.measured", **{name: money(getattr(gain, name), currency, 2) for name in ("gain", "low", "high")}
    )


def _figures(points: Sequence[BreakEven]) -> dict[str, list[float]]:
    return {
        "p_purchase": [100 * point.p_purchase for point in points],
        "buyer_value": [point.buyer_value for point in points],
    }


def _percentage(point: BreakEven) -> float | None:
    return None if point.uplift is None else 100 * point.uplift


def _columns(currency: str) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "p_purchase": number(
            t("break_even.column.p_purchase"), format="%.1f%%", help=t("break_even.column.p_purchase.help")
        ),
        "buyer_value": cells.money(t("break_even.column.buyer_value"), currency),
    }


def _say_notes(at: Terms) -> None:
    st.caption(i18n.join_sentences([i18n.message_text(note) for note in notes(at)]))
