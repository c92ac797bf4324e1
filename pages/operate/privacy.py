"""Privacy: who is gone, who must be left alone, and who did what?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import access, outcomes, privacy_audit, privacy_erase, privacy_list, state, widgets
from pages.ui.state import t

SECTIONS = {
    "erase": ("erase", privacy_erase.show),
    "suppress": ("suppress", privacy_list.show),
    "audit": ("audit", privacy_audit.show),
}

privacy_erase.follow()
outcomes.show()
suppressed, done = len(state.stop_list().entries()), privacy_erase.done()
widgets.headline(privacy_erase.headline(done, suppressed), t("privacy.context"))
what = st.segmented_control(
    t("privacy.what"),
    list(SECTIONS),
    format_func=lambda what: t(f"privacy.what.{what}"),
    default="erase",
    required=True,
    key="privacy_what",
    persist_state="session",
)
needed, show = SECTIONS[what]
if access.may(needed):
    try:
        show()
    except ClvError as error:
        widgets.error_box(error)
else:
    st.info(t("access.ask_admin", role=t(f"access.role.{access.ACTIONS[needed]}")), icon=":material/lock:")
