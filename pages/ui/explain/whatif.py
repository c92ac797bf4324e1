"""What if a customer were different: sliders over what was seen, and the model's answer at once."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.explain.answers import ANSWERS
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.explain.sentences import level, move, reading
from clv_core.evaluation.explain.whatif import Reading, direction
from clv_core.features.labels import label
from pages.ui import session, widgets
from pages.ui.explain.answers import reason_name
from pages.ui.explain.asked import Found
from pages.ui.i18n import t

SLIDERS: Final = 4


@widgets.safe_fragment
def what_if(found: Found, explanation: Explanation, customer: str, bundle: Bundle) -> None:
    """Let the person change what a customer's strongest reasons read, and show the answers beside those of today.

    Args:
        found: the model, ready.
        explanation: holds the customer.
        customer: her id.
        bundle: the model.
    """
    asking, currency = found.asking, bundle.record["currency"]
    row = asking.row(customer)
    changeable = set(asking.what_if.changeable(row))
    strength = explanation.waterfall(customer)
    able = [part for part in strength["part"][strength["value"] != 0] if part in changeable]
    st.markdown(f"**{t('why.what_if')}**")
    st.caption(t("why.what_if.note"))
    if not able:
        st.caption(t("why.what_if.none"))
        return
    names = {part: reason_name(part) for part in able}
    parts = st.multiselect(
        t("why.what_if.choose"),
        able,
        default=able[:SLIDERS],
        format_func=names.__getitem__,
        key=f"what_if_{customer}",
        placeholder=t("streamlit.choose_several"),
    )
    with st.grid(2, min_column_width=320):
        asked = {part: _slider(found, customer, row, part, explanation) for part in parts}
    changes = {part: chosen for part, chosen in asked.items() if chosen is not None}
    now = asking.what_if.own[row]
    then = asking.what_if.answer(row, changes) if changes else now
    widgets.figures(
        (
            widgets.Figure(
                t(f"answer.{answer}"),
                level(float(then[place]), answer, currency, session.language()),
                t("why.what_if.help"),
                _beside(float(now[place]), float(then[place]), answer, currency) if changes else t("why.what_if.as_is"),
                None if not changes or now[place] == then[place] else bool(then[place] > now[place]),
            )
            for place, answer in enumerate(ANSWERS)
        ),
        columns=3,
    )


def _beside(now: float, then: float, answer: str, currency: str) -> str:
    change = move(then - now, answer, currency, session.language(), sign=True)
    return t("why.what_if.beside", change=change, now=level(now, answer, currency, session.language()))


def _options(found: Found, row: int, part: str, of: str) -> list[Reading]:
    """Return what a slider offers: what was seen, and her own reading, which changes nothing."""
    what_if = found.asking.what_if
    own, choices = what_if.readings[part].iloc[row], what_if.choices(part)
    if isinstance(own, str):
        return [own, *(choice for choice in choices if choice != own)]
    currency = found.bundle.record["currency"]
    by_text = {reading(float(choice), session.language(), of, currency): float(choice) for choice in choices}
    by_text[reading(float(own), session.language(), of, currency)] = float(own)
    return sorted(by_text.values())


def _slider(found: Found, customer: str, row: int, part: str, explanation: Explanation) -> Reading | None:
    """Offer one reading; None where it stays her own."""
    of, own = explanation.representative_of(part), found.asking.what_if.readings[part].iloc[row]
    options, own = _options(found, row, part, of), own if isinstance(own, str) else float(own)
    read, currency = label(of, session.language()), found.bundle.record["currency"]
    question = t("why.what_if.slider", name=reason_name(part), feature=read)
    key = f"what_if_{customer}_{part}"
    with st.container(gap="xsmall"):
        if isinstance(own, str):
            chosen = st.selectbox(question, options, key=key)
        else:
            texts = {option: reading(option, session.language(), of, currency) for option in options}
            chosen = st.select_slider(question, options, value=own, format_func=texts.get, key=key)
        st.caption(_words(found, customer, row, part))
    return None if chosen == own else chosen


def _words(found: Found, customer: str, row: int, part: str) -> str:
    """Say which way her value goes with one reading alone, her own among those offered."""
    curve, now = found.curve(customer, part), float(found.asking.what_if.own[row][0])
    ends = min(now, float(curve["answer"].min())), max(now, float(curve["answer"].max()))
    low, high = (level(end, ANSWERS[0], found.bundle.record["currency"], session.language()) for end in ends)
    return t(f"why.what_if.{direction(curve)}", low=low, high=high)
