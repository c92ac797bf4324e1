"""Privacy: who is gone, who must be left alone, and who did what?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import access, by_role, navigation, outcomes, widgets
from pages.ui.privacy import audit, erase, suppression
from pages.ui.saying import t

# What can be done here, by the action of ``access`` that it is.
SECTIONS = {"erase": erase.show, "suppress": suppression.show, "audit": audit.show}

erase.follow()
outcomes.show()
widgets.headline(erase.headline(erase.done(), suppression.headline()), t("privacy.context"))
what = widgets.choose(t("privacy.what"), {one: t(f"privacy.what.{one}") for one in SECTIONS}, navigation.PRIVACY_PART)
if access.may(what):
    try:
        SECTIONS[what]()
    except ClvError as error:
        widgets.error_box(error)
else:
    st.info(by_role.ask_for(what), icon=":material/lock:")
