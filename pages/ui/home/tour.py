"""The guided tour: a slim guide on top of the real pages, one story from the money to the deck, on the demo's shop.

The speaker's notes are on a separate page, ``notes``, for a second window; it follows the tour.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final, Literal

import streamlit as st

from clv_core.strategy.segments import QUADRANT, QUADRANT_KEYS, parse_scheme
from clv_core.upkeep import demo
from pages.ui import flash, navigation, progress, session
from pages.ui.i18n import t
from pages.ui.report import reporting
from pages.ui.upload import uploading

AT: Final = "tour_step"
WANTED: Final = "tour_wanted"
"""Session key of whether the tour begins when the sample has been loaded."""
TOKEN: Final = "tour"  # noqa: S105 - names a window, and opens nothing
"""In the address of the notes: which tour they follow."""
COMMAND: Final = "demo"
FORMAT: Final = "klaviyo"


def _drop_file() -> None:
    """Take the next quarter's file and begin to check it, which takes some seconds; where it is in hand, it stays."""
    file = uploading.chosen()
    if file is None or file.path != demo.NEXT_QUARTER:
        uploading.start_check(uploading.take_shipped(demo.NEXT_QUARTER), demo.NEXT_QUARTER)


def _open_customer() -> None:
    st.session_state[navigation.SEARCH] = demo.shown_customer()


def _choose_win_back() -> None:
    dataset = session.dataset()
    assert dataset is not None
    st.session_state[f"export_by_{dataset.name}"] = QUADRANT
    st.session_state["export_format"] = FORMAT
    st.session_state[f"export_segments_{parse_scheme(QUADRANT, dataset)}"] = [QUADRANT_KEYS.index("win_back") + 1]


def _choose_budget() -> None:
    st.session_state[navigation.STRATEGY_PART] = "budget"


def _begin_report() -> None:
    """Begin to make the report; again where the plan has changed since."""
    dataset, model = session.dataset(), session.model()
    if dataset is not None and model is not None:
        reporting.prepare(session.scored(dataset, model))


STEPS: Final[dict[str, Callable[[], None] | None]] = {
    "home": None,
    "upload": _drop_file,
    "evaluate": None,
    "customer": _open_customer,
    "exports": _choose_win_back,
    "strategy": _choose_budget,
    "acquisition": None,
    "forecast": None,
    "demand": None,
    "monitor": _begin_report,
    "report": _begin_report,
}
"""The pages in order, and what is chosen on each when the tour comes to it; each has the sentences
``tour.<page>.title``, ``tour.<page>.show`` and ``tour.<page>.say``."""
PAGES: Final = tuple(STEPS)


def load(*, begin: bool = False) -> None:
    """Put the demo into the workspace, unless it is there; ``begin``: the tour begins then."""
    st.session_state[WANTED] = begin
    model = demo.added_model(session.workspace())
    if model is None:
        progress.start_job([COMMAND], t("tour.name"))
    else:
        _open(demo.NAME, model)


def wait() -> None:
    """Follow the run that loads the demo, and show what it holds when it is over."""
    job = flash.follow(COMMAND, stop=False)
    if job is not None:
        result = job.status().result
        _open(result["dataset"], result["model"])


def _open(dataset: str, model: str) -> None:
    session.choose(dataset=dataset, model=model)
    if st.session_state.pop(WANTED, False):
        st.session_state[AT] = 0
        st.session_state[TOKEN] = secrets.token_urlsafe(6)
        _drop_file()
    st.rerun()


def show(page: str) -> None:
    """Draw the guide on top of a page while the tour is on."""
    at = st.session_state.get(AT)
    if at is None:
        return
    if page in PAGES and page != PAGES[at]:
        at = st.session_state[AT] = PAGES.index(page)  # the person went on through the menu
    name, token = PAGES[at], st.session_state.setdefault(TOKEN, secrets.token_urlsafe(6))
    _place(token)["at"] = at
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="tour"):
        words = t(f"tour.{name}.title") if page == name else t("tour.elsewhere", page=t(f"page.{name}"))
        st.markdown(f":blue-badge[{t('tour.step', step=at + 1, steps=len(PAGES))}] {words}")
        st.space("stretch")
        notes = f"notes?lang={session.language()}&{TOKEN}={token}"
        st.link_button(t("page.notes"), notes, icon=":material/speaker_notes:", type="tertiary", help=t("tour.notes"))
        if st.button(t("tour.back"), key="tour_back", icon=":material/arrow_back:", disabled=at == 0):
            _to(at - 1)
        ahead = at + 1 if page == name else at  # from a page that is no step, the tour goes on where it waits
        last = ahead == len(PAGES)
        if not last and st.button(t("tour.next"), key="tour_next", icon=":material/arrow_forward:", type="primary"):
            _to(ahead)
        kind: Literal["primary", "tertiary"] = "primary" if last else "tertiary"
        if st.button(t("tour.end"), key="tour_end", icon=":material/close:", type=kind):
            del st.session_state[AT]
            st.rerun()


def _to(step: int) -> None:
    st.session_state[AT] = step
    prepare = STEPS[PAGES[step]]
    if prepare is not None:
        prepare()
    navigation.go(PAGES[step])


@st.cache_resource(max_entries=100, show_spinner=False)
def _place(token: str) -> dict[str, Any]:  # noqa: ARG001 - names the tour
    """Return where a tour is, ``{"at": step}``, for its window and that of its notes."""
    return {"at": 0}


@st.fragment(run_every=1.0)
def show_notes() -> None:
    """Show what to show and to say at each step, that of the tour's window marked."""
    token = st.query_params.get(TOKEN) or st.session_state.get("notes_of", "")
    st.session_state["notes_of"] = token
    at = _place(token)["at"] if token else None
    st.caption(t("notes.what"))
    for number, name in enumerate(PAGES):
        now = number == at
        with st.container(border=True, gap="xsmall"):
            badge = f":{'blue' if now else 'gray'}-badge[{number + 1}]"
            st.markdown(f"{badge} **{t(f'page.{name}')}** · {t(f'tour.{name}.title')}")
            if now or at is None:
                st.markdown(f":material/touch_app: {t(f'tour.{name}.show')}")
                st.markdown(f":material/chat: {t(f'tour.{name}.say')}")
