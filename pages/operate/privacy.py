"""Privacy: erase customers, the do-not-contact list, and the audit log."""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import access, flash, navigation, widgets
from pages.ui.i18n import t
from pages.ui.privacy import audit_table, erasure_form, suppression

# What can be done here, by the action of ``access`` that it is.
SECTIONS = {"erase": erasure_form.show, "suppress": suppression.show, "audit": audit_table.show}

erasure_form.follow()
flash.show()
widgets.headline(erasure_form.headline(erasure_form.all_certificates(), suppression.headline()), t("privacy.context"))
what = widgets.choose(t("privacy.what"), {one: t(f"privacy.what.{one}") for one in SECTIONS}, navigation.PRIVACY_PART)
if access.may(what):
    try:
        SECTIONS[what]()
    except ClvError as error:
        widgets.show_error(error)
else:
    st.info(access.ask_for(what), icon=":material/lock:")
