"""Who objected to profiling: add, withdraw, whom that leaves out of each dataset, and models to train again."""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.privacy import objection_list
from clv_core.collection.store import list_datasets
from clv_core.errors import ClvError, Message
from clv_core.strategy.audiences import Entries, entries_of, matches, read_entries, words_of
from clv_core.upkeep import change_objections, models_to_retrain, objected_customers
from pages.ui import access, cells, confirmation, flash, i18n, navigation, received, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

ROUND: Final = "objections_round"


def headline() -> str:
    """Return how many entries the list has, and with whom how many models were trained; "" while it is empty."""
    entries = len(objection_list(session.workspace()).entries())
    if not entries:
        return ""
    models = len(models_to_retrain(session.workspace()))
    listed = t("objections.headline", n=entries)
    return i18n.join_sentences([listed, t("objections.headline.retrain", n=models)]) if models else listed


def show() -> None:
    """Show the form to add and withdraw objections, whom they leave out, and the models that were trained with them."""
    with st.container(border=True):
        st.markdown(f"**{t('objections.title')}**  \n{t('objections.why')}")
        entries = _entries()
        words = sorted(words_of(entries))
        with st.container(horizontal=True):
            icon = ":material/do_not_disturb_on:"
            if st.button(t("objections.add"), key="objections_add", type="primary", icon=icon):
                if words:
                    _change("add", entries)
                    st.rerun()
                st.warning(t("privacy.suppress.nobody"), icon=":material/warning:")
            question = Confirmation(
                question=t("objections.remove.sure", n=len(entries)),
                consequence=t("objections.remove.why"),
                label=t("objections.remove"),
                act=partial(_change, "remove", entries),
            )
            confirmation.button(question, t("objections.remove"), "objections_remove", disabled=not words)
    if not objection_list(session.workspace()).entries():
        st.caption(t("privacy.suppress.empty"))
        return
    _left_out()
    _models()


def _entries() -> Entries:
    """Return the entries that were typed or uploaded in a file."""
    mark = st.session_state.get(ROUND, 0)
    typed = st.text_area(t("privacy.suppress.ids"), key=f"objections_ids_{mark}", height=110)
    file = st.file_uploader(t("objections.file"), received.LISTS, key=f"objections_file_{mark}")
    entries = entries_of(typed or "")
    if file is not None:
        try:
            entries = (*entries, *received.read_once(file, session.workspace(), read_entries))
        except ClvError as error:
            widgets.show_error(error)
    return entries


def _left_out() -> None:
    """Show whom the list leaves out of each dataset, and what they spent."""
    counts = objected_customers(session.workspace())
    currency = {dataset.name: dataset.manifest.currency for dataset in session.newest_datasets()}
    table = pd.DataFrame(
        {
            t("column.dataset"): list(counts),
            t("objections.customers"): [objected.customers for objected in counts.values()],
            t("objections.revenue"): [
                i18n.money(objected.net_revenue, currency[name]) for name, objected in counts.items()
            ],
        }
    )
    cells.table(table, t("objections.title"), {t("objections.customers"): cells.integer()})


def _models() -> None:
    """Name the models that were trained with customers who objected since."""
    learned = models_to_retrain(session.workspace())
    if not learned:
        st.caption(t("objections.no_model"))
        return
    versions = session.versions_by_model()
    table = pd.DataFrame(
        {
            t("column.dataset"): [bundle.record.dataset.name for bundle, _ in learned],
            t("models.column.version"): [
                versions[bundle.id].number if bundle.id in versions else None for bundle, _ in learned
            ],
            t("column.model"): [i18n.name_of("model", bundle.record.model) for bundle, _ in learned],
            t("objections.learned"): [customers for _, customers in learned],
        }
    )
    st.markdown(f"**{t('objections.retrain', n=len(learned))}**")
    cells.table(table, t("objections.retrain", n=len(learned)), {t("objections.learned"): cells.integer()})
    navigation.button("train", t("objections.train"), "objections_train")


def _change(how: str, entries: Entries) -> None:
    access.require("objections")
    changed, notes = change_objections(session.workspace(), how, sorted(words_of(entries)))
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    if how == "add":
        counts = matches(session.workspace(), entries, list_datasets(session.workspace())).to_json()
        notes = [Message("warning.objections_matched", counts), *notes]
    sentences = [note.text(session.language()) for note in notes if note.code != "warning.objections_retrain"]
    flash.say(i18n.join_sentences([t(f"privacy.suppress.{how}.done", n=changed), *sentences]))
