"""The do-not-contact list: how many are on it, add, remove and look up people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from clv_core import audit
from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset, list_datasets
from clv_core.plot import cut
from clv_core.strategy.audiences import Entries, count_suppressed, entries_of, matches, words_of
from pages.ui import access, cells, confirmation, flash, i18n, navigation, session, widgets
from pages.ui.cache import cached
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

ROUND: Final = "suppress_round"
MAX_NAMED_ENTRIES: Final = 20
"""Entries that a message names."""


def headline() -> str:
    """Return how many entries the list has, and how many customers of the dataset in use they are."""
    listed, dataset = session.suppression_list(), session.dataset()
    entries = len(listed.entries())
    if not entries:
        return t("privacy.suppressed.none")
    if dataset is None:
        return t("privacy.suppressed", n=f"{entries:,}")
    count = _count_customers(dataset, listed.mark, listed)
    name = widgets.escape(dataset.name)
    return t("privacy.suppressed.customers", n=f"{entries:,}", customers=f"{count:,}", name=name)


@cached(8)
def _count_customers(dataset: Dataset, mark: str, _list: SuppressionList) -> int:  # noqa: ARG001 - part of the key
    return count_suppressed(dataset, _list)


def fill(words: Iterable[str]) -> None:
    """Open the page with words to add to the list."""
    st.session_state[f"suppress_ids_{st.session_state.get(ROUND, 0)}"] = "\n".join(words)
    navigation.open_do_not_contact()


def show() -> None:
    """Show the form to add, remove and look up people, and when entries were added: they name nobody."""
    people = session.suppression_list()
    with st.container(border=True):
        st.markdown(f"**{t('privacy.suppress')}**  \n{t('privacy.suppress.why')}")
        mark = st.session_state.get(ROUND, 0)
        typed = st.text_area(t("privacy.suppress.ids"), key=f"suppress_ids_{mark}", height=110)
        entries = entries_of(typed or "")
        words = sorted(words_of(entries))
        with st.container(horizontal=True):
            if st.button(t("privacy.suppress.add"), key="suppress_add", type="primary", icon=":material/person_off:"):
                if words:
                    _change("add", words, people.add, entries)
                    st.rerun()
                st.warning(t("privacy.suppress.nobody"), icon=":material/warning:")
            question = Confirmation(
                question=t("privacy.suppress.remove.sure", n=len(entries)),
                consequence=t("privacy.suppress.remove.why"),
                label=t("privacy.suppress.remove"),
                act=partial(_change, "remove", words, people.remove),
            )
            icon, label = ":material/person_add:", t("privacy.suppress.remove")
            confirmation.button(question, label, "suppress_remove", disabled=not words, icon=icon)
            if st.button(t("privacy.suppress.check"), key="suppress_check", icon=":material/search:") and words:
                st.caption(_checked(people, entries))
    listed = people.entries()
    if not listed:
        st.caption(t("privacy.suppress.empty"))
        return
    days = Counter((entry["at"][:10], entry["who"]) for entry in listed)
    table = pd.DataFrame(
        {
            t("privacy.suppress.day"): [i18n.day(day) for day, _ in days],
            t("privacy.certificate.who"): [who for _, who in days],
            t("privacy.suppress.entries"): list(days.values()),
        }
    )
    cells.table(table, t("privacy.suppress"))


def _checked(people: SuppressionList, entries: Entries) -> str:
    """Return how many of the entries are on the list, and which: the person has just written them."""
    listed_entries = [entry[0] for entry in entries if any(people.names(word) for word in entry)]
    counts = {"held": len(listed_entries), "n": len(entries)}
    if not listed_entries or len(entries) == 1:
        return t("privacy.suppress.checked", **counts)
    which = i18n.join_names(widgets.escape(cut(word)) for word in listed_entries[:MAX_NAMED_ENTRIES])
    if len(listed_entries) <= MAX_NAMED_ENTRIES:
        return t("privacy.suppress.checked.which", which=which, **counts)
    return t("privacy.suppress.checked.more", which=which, more=len(listed_entries) - MAX_NAMED_ENTRIES, **counts)


def _change(how: str, words: list[str], change: Callable[[list[str]], int], entries: Entries = ()) -> None:
    access.require("suppress")
    changed = change(words)
    audit.note(session.workspace(), f"suppress {how}", customers=changed)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    done = [t(f"privacy.suppress.{how}.done", n=changed)]
    if entries:
        people_matched = matches(session.workspace(), entries, list_datasets(session.workspace()))
        done.append(people_matched.message.text(session.language()))
    flash.say(i18n.join_sentences(done))
