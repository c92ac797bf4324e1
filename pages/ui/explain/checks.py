"""How far the reasons can be relied on, in plain words: are they the model's own, and would they come out again."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from clv_core.evaluation.explain.faithful import Faithfulness
from clv_core.evaluation.explain.ranks import Stability
from clv_core.evaluation.explain.sentences import of_faithfulness, of_stability
from pages.ui import session, widgets
from pages.ui.i18n import t

ICONS: Final = {
    True: ":green[:material/check_circle:]",
    False: ":orange[:material/warning:]",
    None: ":material/info:",
}


def show(record: dict[str, Any], answer: str, currency: str) -> None:
    """Say what the checks of an explanation of many customers found."""
    faithful = Faithfulness.from_json(record["faithfulness"][answer])
    stable = Stability.from_json(record["stability"][answer])
    first = of_faithfulness(faithful, answer, currency, session.language())
    second = of_stability(stable, session.language())
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{t('why.checks')}**")
        st.markdown(f"{ICONS[faithful.passed]} {widgets.escape(first)}", help=t("why.faithful.help"))
        st.markdown(f"{ICONS[stable.steady]} {widgets.escape(second)}", help=t("why.stable.help"))
