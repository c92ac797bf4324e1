"""Questions about a file, each with the control that answers it.

The same question comes from the check on the page and from a run that ended with it: both hand in what to do with the
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streamlit as st

from clv_core import jobs
from clv_core.collection import CHOICES as ANSWERS
from clv_core.collection import FILE, ROW_MEANINGS, Answers, with_answer
from clv_core.collection.infer import DOUBTS
from clv_core.collection.infer.columns import could_be, likeliest_first
from clv_core.collection.read import USUAL
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, QUANTITY, RETURN, UNIT_PRICE
from clv_core.errors import ClvError, NeedsAnswer
from clv_core.i18n import MINUS, without_options
from clv_core.records import JsonObject
from pages.ui import i18n, widgets
from pages.ui.i18n import t
from pages.ui.upload import uploading

CHOICES: Final = {
    "dates_ambiguous": ("date_order", ("dmy", "mdy")),
    "dates_ambiguous_year": ("date_order", ("dmy", "mdy", "ymd")),
    "dates_contradict": ("date_order", ("dmy", "mdy")),
    "dates_contradict_year": ("date_order", ("dmy", "mdy", "ymd")),
    "minor_fractions": ("amount_unit", ("major",)),
    "similar_ids": ("similar_ids", ANSWERS["similar_ids"]),
    "amount_of_what": ("amount_scope", ("order", "line")),
    "no_header": ("header", (False, True)),
}
"""Answered by one of a few words: the error's code -> the name of the answer, and its values."""

COLUMNS: Final = {
    "two_columns": "",
    "missing_column": "",
    "missing_columns": "",
    "no_time_column": "",
    "which_amount": "",
    "which_side": "",
    "customer_once": "",
    "customers_masked": "",
    "order_unnamed": "",
    "mapped_column_missing": "",
    "no_amount": AMOUNT,
    "no_readable_amount": AMOUNT,
    "no_readable_time": EVENT_TIME,
    "no_customer_ids": CUSTOMER_ID,
    "one_customer": CUSTOMER_ID,
}
"""Answered by naming a column: the error's code -> the canonical column; empty where its parameters say which."""

ENCODINGS: Final = ("names_unreadable", "unknown_encoding", "encoding_said")
"""Answered by the encoding of the file."""

READINGS: Final = (
    "decimal_unsure_point",
    "decimal_unsure_comma",
    "decimal_mixed",
    "maybe_cents",
    "cents_later",
    "cents_in_file",
    "amounts_unusual",
    "duplicates_kept",
    "duplicates_dropped",
    "repeated_orders",
    "status_unused",
    "unknown_states",
    "ended_late",
    "refunded_in_part",
    "partly_refunded",
    "other_event_types",
    "rival_amounts",
    "lower_amount",
    "lower_price",
    "price_of_what",
    "discount_unused",
    "discount_of_orders",
    "maybe_percent",
    "outlier",
    "returns_mostly",
    "orders_changed",
    "purchases_alike",
    "amounts_scaled",
    "customers_renamed",
    "customers_grouped",
    "which_converted",
    "split_rows",
    *(f"rows_{code}" for code in DOUBTS),
)
"""Answered by one of the readings that come with the question, each with the revenue that it gives."""

ANSWERABLE: Final = (
    *CHOICES,
    *COLUMNS,
    *ENCODINGS,
    *READINGS,
    *("amount_of_pieces", "which_mark", "which_sheet", "no_purchases", "currency_differs", "currency_of_log"),
)
Then = Callable[..., None]


def find_question(error: ClvError | jobs.JobError | None) -> tuple[str, JsonObject] | None:
    """Return code and parameters of an error that the page can ask about, None of others."""
    return (error.code, error.params) if error is not None and error.code in ANSWERABLE else None


def ask_for_run(job: jobs.Job, then: Then) -> bool:
    """Put the question that a run ended with, and say whether it did; ``then`` is called as :func:`ask` calls it."""
    status = job.status()
    question = find_question(status.failure)
    path = Path(status.args[1])
    if question is None or not path.exists():
        return False
    ask(*question, path, then)
    return True


def ask(code: str, params: JsonObject, path: Path, then: Then) -> None:
    """Put a question with the controls that answer it.

    Args:
        code: the error's code, one of :data:`ANSWERABLE`.
        params: its parameters.
        path: the file that it is about.
        then: called with the answer as keywords of :class:`~clv_core.collection.answers.Answers`.
    """
    if params.get("also"):
        _ask_together(code, params, then)
        return
    with st.container(border=True):
        readings = params.get("readings", [])
        st.markdown(f":orange[:material/help:] {widgets.escape(_sentence(code, params))}")
        if code in READINGS:
            _readings(readings, params, then)
            return
        canonical = str(params.get("canonical", COLUMNS.get(code, "")))
        if code in COLUMNS and canonical == AMOUNT:
            _readings(readings, params, then)
            _column(canonical, path, then)
            return
        if code in CHOICES:
            name, choices = CHOICES[code]
            spans = {order: f": {' – '.join(days)}" for order, days in params.get("spans", {}).items()}
            words = {choice: t(f"upload.{name}.{str(choice).lower()}") + spans.get(choice, "") for choice in choices}
            _buttons(words, name, then)
        elif code in COLUMNS:
            _column(canonical, path, then)
        elif code in ENCODINGS:
            _encoding(then)
        elif code == "amount_of_pieces":
            kinds = {canonical: t(f"upload.pieces.{canonical}") for canonical in (AMOUNT, UNIT_PRICE, QUANTITY)}
            _buttons(kinds, "kind", lambda kind: then(mapping=_mapping_of_pieces(kind, params)))
        elif code in ("currency_differs", "currency_of_log"):
            _buttons({params["currency"]: t("question.currency", name=params["currency"])}, "currency", then)
        elif code == "which_sheet":
            _buttons({title: title for title in params["sheets"]}, "sheet", then)
        elif code == "which_mark":
            marks = (params["first"], params["second"])
            words = {mark: t("upload.mark.sales", word=mark) for mark in marks}
            _buttons(words, "mark", lambda sales: then(events={m: PURCHASE if m == sales else RETURN for m in marks}))
        else:
            _purchases(path, then)
        revenues = [_label(item, params) for item in readings if item["net_revenue"] is not None]
        if revenues:
            st.caption(" · ".join(revenues))


def _ask_together(code: str, params: JsonObject, then: Then) -> None:
    """Put several questions in one form: each is answered by one of its readings, and the file is read once for all."""
    several = NeedsAnswer(code, **params).questions
    with st.container(border=True):
        st.markdown(f"**:orange[:material/help:] {t('question.together', n=len(several))}**")
        with st.form("answer_together", border=False):
            places = []
            for number, question in enumerate(several):
                labels = [_label(reading, question.params) for reading in question.params["readings"]]
                sentence = widgets.escape(_sentence(question.code, question.params))
                places.append(
                    st.radio(sentence, range(len(labels)), None, labels.__getitem__, f"answer_together_{number}")
                )
            if st.form_submit_button(t("question.together.use"), type="primary"):
                if None in places:
                    st.error(t("question.together.missing"), icon=":material/help:")
                    return
                answers = Answers()
                for question, place in zip(several, places, strict=True):
                    answers = with_answer(answers, question.params["readings"][place]["answers"])
                then(**{name: value for name, value in answers.to_json().items() if value != getattr(Answers(), name)})
                st.rerun()


def _sentence(code: str, params: JsonObject) -> str:
    """Return the question with columns and events as pages call them, and without options of the command line."""
    words = i18n.named_params({name: value for name, value in params.items() if name not in ("readings", "spans")})
    if code == "missing_columns":
        words["missing"] = [i18n.name_of("canonical", str(name)) for name in params["missing"]]
    if code == "no_purchases":
        words["types"] = [i18n.name_of("event", str(name)) for name in params["types"]]
    return without_options(t(f"error.{code}", **words))


def _readings(readings: list[JsonObject], params: JsonObject, then: Then) -> None:
    """Offer the readings of a file, each with what it makes of the revenue; none is preset."""
    for number, reading in enumerate(readings):
        if st.button(_label(reading, params), key=f"answer_reading_{number}"):
            then(**reading["answers"])
            st.rerun()


def _label(reading: JsonObject, params: JsonObject) -> str:
    """Return what a reading takes the file for, and its net revenue where it could be computed."""
    label = " · ".join(_answer(key, value, params) for key, value in reading["answers"].items())
    if reading["net_revenue"] is None:
        return label
    return t("question.reading", reading=label, revenue=f"{reading['net_revenue']:,.2f}".replace("-", MINUS))


def _answer(key: str, value: Any, params: JsonObject) -> str:
    """Return one answer in words."""
    if key == "mapping":
        ((canonical, column),) = value.items()
        if canonical == UNIT_PRICE and params.get("quantity"):
            quantity = widgets.escape(params["quantity"])
            return t("question.reading.product", quantity=quantity, price=widgets.escape(column))
        shown = {"canonical": i18n.name_of("canonical", canonical), "column": widgets.escape(column)}
        return t("question.reading.column" if column else "question.reading.no_column", **shown)
    if key == "rows":
        return _rows(value, str(params["column"]))
    if key in ("events", "states"):
        meant = [
            widgets.escape(word) for word, meaning in value.items() if meaning in (PURCHASE, "cancelled", "refunded")
        ]
        return t(f"question.reading.{key}", words=meant) if meant else t(f"question.reading.no_{key}")
    if key == "max_amount":
        slip = value < params["amount"]
        return t("question.reading.slip" if slip else "question.reading.no_slip", amount=f"{params['amount']:,.2f}")
    return t(f"upload.{key}.{value}")


def _rows(kinds: JsonObject, column: str) -> str:
    """Return the meaning of rows, by the values of a column, in words."""
    words: dict[str, list[str]] = {}
    for key, meaning in kinds.items():
        words.setdefault(meaning, []).append(widgets.escape(key[len(column) + 1 :] or t("question.rows.blank")))
    if column == FILE:
        return t("question.rows.file_return" if ROW_MEANINGS[2] in words else "question.rows.file")
    if list(words) == [ROW_MEANINGS[0]]:
        return t("question.rows.sale", column=widgets.escape(column))
    return " · ".join(t(f"question.rows.{meaning}", values=values) for meaning, values in words.items())


def _mapping_of_pieces(kind: str, params: JsonObject) -> dict[str, str]:
    """Return the mapping of pieces and a price: as a quantity and its price, or as an amount with the price unused."""
    if kind == QUANTITY:
        return {AMOUNT: params["column"]}
    return {QUANTITY: params["column"], kind: params["price"]}


def _buttons(words: dict[Any, str], name: str, then: Then) -> None:
    with st.container(horizontal=True):
        for choice, word in words.items():
            if st.button(word, key=f"answer_{name}_{choice}", type="primary"):
                then(**{name: choice})
                st.rerun()


def _column(canonical: str, path: Path, then: Then) -> None:
    """Ask which column it is; those that could be it come first. No amount is preset, and nothing that could not be."""
    columns, word = uploading.inspection(path).columns, i18n.name_of("canonical", canonical)
    likely = likeliest_first(canonical, columns)
    samples = {item.column: f"{item.column} — {' · '.join(item.samples[:3])}"[:90] for item in likely}
    clear = likely[0].canonical == canonical or could_be(canonical, likely[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index, hint = 0 if clear and canonical != AMOUNT else None, t("streamlit.choose_one")
        label, key = t("question.column", column=word), f"answer_column_{canonical}"
        selected = widgets.select(label, samples, key, index=index, placeholder=hint)
        use = t("question.column.use", column=word)
        if st.button(use, key=f"answer_use_{canonical}", type="primary", disabled=selected is None):
            then(mapping={canonical: selected})
            st.rerun()


def _encoding(then: Then) -> None:
    """Ask for the encoding of the file."""
    words = {name: t(f"upload.encoding.{name.replace('-', '_')}") for name in USUAL}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hint = t("streamlit.choose_one")
        selected = widgets.select(t("upload.encoding"), words, "answer_encoding", index=None, placeholder=hint)
        if st.button(t("question.encoding.use"), key="answer_use_encoding", type="primary", disabled=selected is None):
            then(encoding=selected)
            st.rerun()


def _purchases(path: Path, then: Then) -> None:
    """Ask which names of events are purchases, and which take money back: those whose amounts are all below zero."""
    mapping = {item.canonical: item.column for item in uploading.inspection(path).columns if item.canonical}
    mapping |= {canonical: column for canonical, column in uploading.answers().mapping.items() if column}
    if EVENT_TYPE not in mapping:
        st.caption(t("upload.question.columns"))
        return
    names = [item for item in uploading.names(path, mapping[EVENT_TYPE], mapping.get(AMOUNT, "")) if item.name]
    rows = {item.name: item.rows for item in names}
    label, hint = (lambda name: f"{name} ({rows[name]:,})"), t("streamlit.choose_several")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        bought = st.multiselect(
            t("question.purchases"), list(rows), format_func=label, key="answer_purchases", placeholder=hint
        )
        remaining = [item for item in names if item.name not in bought]
        below = [item.name for item in remaining if item.below]
        returns = st.multiselect(
            t("question.returns"),
            [item.name for item in remaining],
            below,
            format_func=label,
            key="answer_returns",
            placeholder=hint,
        )
        if st.button(t("question.purchases.use"), key="answer_use_purchases", type="primary", disabled=not bought):
            then(events=dict.fromkeys(returns, RETURN) | dict.fromkeys(bought, PURCHASE))
            st.rerun()
