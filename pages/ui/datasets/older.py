"""Earlier versions of a dataset, which can go to free the room that they take."""

from __future__ import annotations

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.lifecycle import KEEP, plan_pruning, prune
from clv_core.errors import Refused
from pages.ui import access, by_role, outcomes, saying, state, widgets
from pages.ui.saying import t


def offer(dataset: Dataset, many: int) -> None:
    """Offer to keep only some of a dataset's ``many`` versions, two at least."""
    with st.expander(t("older.headline"), icon=":material/delete_sweep:"):
        usual = min(KEEP, many - 1)
        keep = st.number_input(t("older.keep"), 1, many - 1, usual, key=f"keep_{dataset.name}_{many}", width=360)
        found = plan_pruning(state.workspace(), dataset.name, int(keep))
        if not found.removed:
            st.caption(t("older.nothing"))
            return
        facts = {"n": len(found.removed), "all": many, "size": saying.size(found.size)}
        st.markdown(t("older.what", last=saying.moment(found.removed[0].manifest.created), **facts))
        st.caption(t("older.stays"))
        sure = st.checkbox(t("older.sure"), key=f"older_sure_{dataset.name}_{many}")
        if st.button(
            t("older.button"),
            icon=":material/delete_sweep:",
            key="older_remove",
            **by_role.if_may("delete", disabled=not sure),
        ):
            access.require("delete")
            try:
                prune(state.workspace(), dataset.name, keep=int(keep))
            except Refused as error:
                widgets.error_box(error)
                return
            outcomes.say(t("older.done", name=widgets.plain(dataset.name), **facts))
            st.rerun()
