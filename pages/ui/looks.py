"""What the theme's colours cannot say: rules that keep words readable where they would take the primary colour."""

from __future__ import annotations

from typing import Final

import streamlit as st

CHOSEN: Final = tuple(
    rule
    for kind in ("segmented_control", "pills")
    for rule in (f"button[kind='{kind}Active']", f"button[data-variant='{kind}'][data-selected]")
)
SLIDER_VALUE: Final = "stSliderThumbValue"
STYLE: Final = (
    f"<style>{', '.join(f'{one}:not(:disabled):not([data-disabled])' for one in CHOSEN)}"
    " {color: inherit; font-weight: 600}"
    f" [data-testid='{SLIDER_VALUE}'] {{color: inherit}}</style>"
)
"""A chosen option is told by its border, its tint and its weight; its word is in the colour of all text. The primary
colour has to be dark enough for white words on it, and in the dark theme is then too dark to be words itself: so is
what stands over the knob of a slider."""


def apply() -> None:
    """Put the rules into the page; they take no room in it."""
    st.html(STYLE)
