"""Explain: why?"""

import streamlit as st

from pages.ui import widgets
from pages.ui.explain import groups, one_customer, overall
from pages.ui.i18n import t

scored = widgets.need_model()
dataset, bundle = scored.dataset, scored.model

many = overall.need_explanation(scored)
finding = st.container()
with st.grid(2, min_column_width=360):
    answer = overall.choose_answer()
    names = {name: t(f"explain.part.{name}") for name in ("overall", "dependence", "groups", "customer")}
    part = widgets.choose(t("explain.part"), names, "explain_part")
explanation = many.of(answer)
with finding:
    count = t("explain.count", customers=f"{len(explanation.customer_ids):,}")
    widgets.headline(overall.headline(explanation), widgets.context_line(bundle, dataset.log_end), count)

if part == "overall":
    overall.show(many, answer)
elif part == "dependence":
    groups.show_dependence(explanation, bundle.record.currency)
elif part == "groups":
    groups.show_segments(explanation, scored)
else:
    one_customer.show(many, scored, answer)
overall.download(explanation, scored)
