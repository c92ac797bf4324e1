"""The guided tour: a slim guide on top of the real pages, from the log to the plan, on the sample that ships."""

from __future__ import annotations

from typing import Final, Literal

import streamlit as st

from pages.ui import navigation, progress, session
from pages.ui.i18n import t

STEPS: Final = ("upload", "explore", "evaluate", "explain", "segments", "customer", "acquisition", "strategy", "report")
"""The pages in order; each has the sentences ``tour.<page>.look`` and ``tour.<page>.say``."""
AT: Final = "tour_step"
COMMAND: Final = "demo"


def load() -> None:
    """Put the sample and the model that ships with it into the workspace; the tour begins when they are there."""
    progress.start_job([COMMAND], t("tour.name"))


def wait() -> None:
    """Follow the run that prepares the tour, and begin when it is over."""
    job = progress.followed_run(COMMAND)
    if job is None:
        return
    if progress.is_running(job):
        progress.watch(job)
    elif progress.consume_done(job):
        result = job.status()["result"]
        session.choose(dataset=result["dataset"], model=result["model"])
        st.session_state[AT] = 0
        navigation.go(STEPS[0])
    else:
        progress.failure_actions(job)


def show(page: str) -> None:
    """Draw the guide on top of a page while the tour is on.

    Args:
        page: the name of the page that is drawn below it.
    """
    at = st.session_state.get(AT)
    if at is None:
        return
    if page in STEPS and page != STEPS[at]:
        at = st.session_state[AT] = STEPS.index(page)  # the person went on through the menu
    name = STEPS[at]
    with st.container(border=True, gap="xsmall", key="tour"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":blue-badge[{t('tour.step', step=at + 1, steps=len(STEPS))}] **{t(f'page.{name}')}**")
            st.space("stretch")
            if st.button(t("tour.back"), key="tour_back", icon=":material/arrow_back:", disabled=at == 0):
                _to(at - 1)
            ahead = at + 1 if page == name else at  # from a page that is no step, the tour goes on where it waits
            last = ahead == len(STEPS)
            if not last and st.button(t("tour.next"), key="tour_next", icon=":material/arrow_forward:", type="primary"):
                _to(ahead)
            kind: Literal["primary", "tertiary"] = "primary" if last else "tertiary"
            if st.button(t("tour.end"), key="tour_end", icon=":material/close:", type=kind):
                del st.session_state[AT]
                st.rerun()
        if page != name:
            st.markdown(t("tour.elsewhere", page=t(f"page.{name}")))
            return
        st.markdown(f"{t('tour.look')} {t(f'tour.{name}.look')}")
        st.markdown(f"{t('tour.say')} {t(f'tour.{name}.say')}")


def _to(step: int) -> None:
    st.session_state[AT] = step
    navigation.go(STEPS[step])
