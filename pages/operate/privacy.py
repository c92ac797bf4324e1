"""Privacy: erase customers, the do-not-contact list, and the audit log."""

from typing import Final

import pandas as pd
import streamlit as st

from clv_core import audit
from clv_core.i18n import has, say_clauses
from pages.ui import access, cells, flash, i18n, navigation, page_files, session, widgets
from pages.ui.i18n import t
from pages.ui.privacy import audit_check, erasure_form, models_memory, objections, retention, suppression

MAX_SHOWN_LINES: Final = 1000
"""Newest lines of the audit log that the page shows; the file holds all."""
PARTS: Final = (
    "dataset",
    "renamed",
    "model",
    "format",
    "rows",
    "customers",
    "version",
    "certificate",
    "key",
    "role",
    "source",
    "schedule",
    "destination",
    "purpose",
    "card",
    "checkpoint",
    "findings",
    "kind",
    "days",
    "outcome",
)


def show_audit() -> None:
    """Show who did what and when, the latest first."""
    lines = audit.lines(session.workspace(), MAX_SHOWN_LINES)
    if not lines:
        st.caption(t("privacy.audit.empty"))
        return
    last = lines[0]
    st.markdown(f"**{t('privacy.audit.last', when=i18n.moment(last['at']), what=_word(last['action']))}**")
    kinds = sorted({line["action"] for line in lines})
    selected_actions = st.multiselect(
        t("privacy.audit.what"), kinds, format_func=_word, key="audit_kinds", placeholder=t("privacy.audit.all")
    )
    shown = [line for line in lines if not selected_actions or line["action"] in selected_actions]
    table = pd.DataFrame(
        {
            t("privacy.audit.when"): [i18n.moment(line["at"]) for line in shown],
            t("privacy.certificate.who"): [line["who"] for line in shown],
            t("privacy.audit.what"): [_word(line["action"]) for line in shown],
            t("privacy.audit.about"): [_about(line) for line in shown],
        }
    )
    cells.table(table, t("privacy.what.audit"))
    page_files.download(
        t("privacy.audit.download"),
        lambda: audit.path_of(session.workspace()).read_bytes(),
        page_files.dated("audit", "jsonl"),
        "download_audit",
    )
    audit_check.show()


def _word(action: str) -> str:
    key = f"audit.{action.replace(' ', '_')}"
    return t(key) if has(key, session.language()) else action


def _about(line: dict[str, object]) -> str:
    facts = []
    for part in PARTS:
        if part in line and line[part] not in ("done", "none"):
            value = str(line[part])
            if part in ("role", "outcome"):
                value = t(f"access.{part}.{value}")
            elif part == "kind":
                value = t(f"retention.kind.{value}")
            elif part == "purpose":
                value = t(f"pushing.purpose.{value}")
            facts.append(i18n.with_label(t(f"audit.fact.{part}"), value))
    return say_clauses(facts, session.language())


# What can be done here, by the action of ``access`` that it is.
SECTIONS: Final = {
    "erase": erasure_form.show,
    "suppress": suppression.show,
    "objections": objections.show,
    "audit": show_audit,
    "retention": retention.show,
}

erasure_form.follow()
retention.follow()
flash.show()
widgets.headline(
    erasure_form.headline(erasure_form.all_certificates(), suppression.headline()),
    *filter(None, (objections.headline(), t("privacy.context"))),
)
what = widgets.choose(
    t("privacy.what"), {section: t(f"privacy.what.{section}") for section in SECTIONS}, navigation.PRIVACY_PART
)
if access.may(what):
    SECTIONS[what]()
else:
    st.info(access.ask_for(what), icon=":material/lock:")
models_memory.show()
