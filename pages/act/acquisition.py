"""Acquisition: what may a new customer cost?"""

from dataclasses import replace

import streamlit as st

from clv_core.columns import CHANNEL
from clv_core.errors import ClvError
from clv_core.strategy.acquisition import COHORT, Question, headline
from pages.ui import navigation, scores, session, terms, widgets
from pages.ui.acquisition import asking, new_customers, spend_tables
from pages.ui.i18n import t

VIEWS = ("overview", "cohorts", "held", "figures", "spend")
VIEW = "acquisition_view"

trained = widgets.need_model()
dataset, bundle = trained.dataset, trained.model

top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    grouping = st.container(width="content")
    settings = st.popover(t("acquisition.settings"), icon=":material/tune:")
with settings:
    selected_terms = terms.choose(bundle)
    target, months, fewest = asking.choose_targets()
with top:
    everyone = scores.need_scores(trained)
    if len(everyone) > scores.IN_PAGE:  # a margin alone needs no run
        scores.need_scores(trained.at(asking.without_margin(selected_terms)))
scored = trained.at(selected_terms)
customers = asking.customers_of(scored)
with grouping:
    by = asking.choose_dimensions(customers)

report, failed, spend = None, None, asking.spend_of(dataset)
question, margins = Question(by, selected_terms.margin_rate, {}, target, months, fewest), {}
try:
    report = asking.answer(scored, customers, question)
    with settings:
        margins = asking.choose_margins(report, by[0])
    if margins:
        question = replace(question, margins=margins)
        report = asking.answer(scored, customers, question)
    contrast = asking.discounts(scored, customers, question)
except ClvError as error:
    failed = error
with top:
    context = widgets.context_line(bundle, dataset.log_end, selected_terms)
    if report is None:
        widgets.headline(t("acquisition.headline.none"), context)
    else:
        notes = [t("acquisition.no_margin")] if selected_terms.margin_rate == 1 and not margins else []
        widgets.headline(widgets.escape(headline(report, contrast, session.language())), context, *notes)
    if failed is not None:
        widgets.show_error(failed)

if st.session_state.get(VIEW) not in VIEWS or failed is not None:
    st.session_state[VIEW] = "spend" if failed is not None else "overview"
views = {view_key: t(f"acquisition.view.{view_key}") for view_key in VIEWS}
view = widgets.choose(t("acquisition.view"), views, VIEW, label_visibility="collapsed")


def open_spend() -> None:
    """Show the view of spend tables."""
    st.session_state[VIEW] = "spend"


def say_no_cause() -> None:
    """Say that a group's value is no promise of more, and lead to what can be measured."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/info: {t('warning.acquisition_not_causal')}", width="stretch")
        if st.button(t("acquisition.experiment"), key="to_experiment", icon=":material/science:"):
            navigation.open_budget()


if report is None or view == "spend":
    spend_tables.show(dataset, customers)
    st.stop()
if view == "cohorts":
    new_customers.cohorts(report)
elif view == "held":
    new_customers.held(report)
elif view == "figures":
    new_customers.table(report)
    new_customers.download(report, scored)
else:
    new_customers.totals(report)
    if CHANNEL not in customers.origin:
        with st.container(border=True, horizontal_alignment="left"):
            only = customers.dimensions == (COHORT,)
            st.markdown(t("acquisition.no_origin" if only else "acquisition.no_channel"))
            if st.button(t("acquisition.no_channel.button"), key="to_customers", icon=":material/group_add:"):
                navigation.open_customers_table()
    if spend is None:
        with st.container(border=True, horizontal_alignment="left"):
            st.markdown(t("acquisition.no_spend"))
            button, icon = t("acquisition.no_spend.button"), ":material/payments:"
            st.button(button, key="add_spend", type="primary", icon=icon, on_click=open_spend)
    new_customers.cards(report)
    say_no_cause()
    new_customers.worth_against_cost(report)
    new_customers.payback(report)
if view != "overview":
    say_no_cause()
st.caption("  \n".join(asking.notes(report, spend)))
