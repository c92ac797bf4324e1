"""The audit log."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from clv_core import audit
from clv_core.i18n import has, say_clauses
from pages.ui import cells, i18n, page_files, session
from pages.ui.i18n import t
from pages.ui.page_files import dated

SHOWN: Final = 1000
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
    "outcome",
)


def show() -> None:
    """Show who did what and when, the latest first."""
    lines = audit.lines(session.workspace(), SHOWN)
    if not lines:
        st.caption(t("privacy.audit.empty"))
        return
    last = lines[0]
    st.markdown(f"**{t('privacy.audit.last', when=i18n.moment(last['at']), what=_word(last['action']))}**")
    kinds = sorted({line["action"] for line in lines})
    chosen = st.multiselect(
        t("privacy.audit.what"), kinds, format_func=_word, key="audit_kinds", placeholder=t("privacy.audit.all")
    )
    shown = [line for line in lines if not chosen or line["action"] in chosen]
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
        dated("audit", "jsonl"),
        "download_audit",
    )


def _word(action: str) -> str:
    key = f"audit.{action.replace(' ', '_')}"
    return t(key) if has(key, session.language()) else action


def _about(line: dict[str, object]) -> str:
    facts = []
    for part in PARTS:
        if part in line and line[part] not in ("done", "none"):
            worded = part in ("role", "outcome")
            value = t(f"access.{part}.{line[part]}") if worded else str(line[part])
            facts.append(i18n.with_label(t(f"audit.fact.{part}"), str(value)))
    return say_clauses(facts, session.language())
