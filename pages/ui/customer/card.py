"""The customer page's choice of a customer by id, and the card of that customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core import audit
from clv_core.collection.privacy import note_card
from clv_core.deployment import Scored, find_explanation
from clv_core.erasure import FORMAT, PersonFile, json_text, make_person_file, note_person_file, side_of_person
from clv_core.errors import NotFound
from clv_core.evaluation.explain import Explanation
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences import log_download
from clv_core.strategy.customer import Card, Rhythm, load_rhythm, make_card
from clv_core.strategy.recommend import RECORD, WITH_BOUGHT, StoredRecommendations, recommendations_folder
from clv_core.strategy.segments import last_written
from pages.ui import access, page_files, recommending, scores, session, tiers, widgets
from pages.ui.cache import cached
from pages.ui.customer_search import search
from pages.ui.i18n import t
from pages.ui.navigation import SEARCH

ADDRESS: Final = "customer"
"""Names the customer in the address."""
GIVEN: Final = "card_given"
"""Session key of the customer whom the address was given last."""
NOTED: Final = "card_noted"
"""Session key of the card that the audit log was told of last."""


def need_customers(scored: Scored) -> pd.DataFrame:
    """Return all customers with scores, history and tier; while they are not there, show the run that makes them."""
    return tiers.tiered(scored, scores.need_scores(scored))


def shown(scored: Scored, customers: pd.DataFrame) -> pd.DataFrame:
    """Return the customers who may be looked up: all but those on the suppression list."""
    stop = session.suppression_list()
    return tiers.without_suppressed(customers, f"{scored.model.id} {scored.dataset.version} {stop.mark}", stop)


def choose(customers: pd.DataFrame, may_be_shown: pd.DataFrame, as_of: date) -> str:
    """Let the person, or the address, name a customer; without a name it is the one of the highest predicted value.

    Raises:
        NotFound: nobody has that id, and no id begins so; or the customer is on the suppression list.
    """
    highest = may_be_shown["customer_id"].iloc[int(may_be_shown["predicted_clv"].to_numpy().argmax())]
    ids = customers["customer_id"]
    first = int(ids.eq(highest).to_numpy().argmax())
    linked = st.query_params.get(ADDRESS)
    if linked and linked != st.session_state.get(GIVEN):
        st.session_state[SEARCH] = linked
    try:
        customer_id = search(
            ids,
            as_of,
            first=first,
            default_caption=t("card.first"),
            key=SEARCH,
            hits_key="card_hit",
            offered=may_be_shown["customer_id"],
        )
        session.suppression_list().check(customer_id)
    except NotFound as error:
        _give_address("")
        if error.code == "customer_objected":
            _say_objected(error.params["customer"])
        raise
    _give_address(customer_id if (st.session_state.get(SEARCH) or "").strip() else "")
    return customer_id


def _say_objected(customer: str) -> None:
    """Show of a customer who objected to profiling only that, offer what is held of her, and end the page here."""
    with st.container(border=True):
        st.header(t("objections.card", customer=widgets.escape(customer)), anchor=False)
        st.write(t("objections.card.why"))
    offer_person_file(customer)
    st.stop()


def offer_person_file(customer: str) -> None:
    """Offer what is held of a customer as a page and as JSON, to those who may export; each is made at the click."""
    language, work = session.language(), session.workspace()

    def made(content: Callable[[PersonFile], str]) -> Callable[[], str]:
        def later() -> str:
            found = make_person_file(work, customer, NoProgress())
            text = content(found)
            note_person_file(found)
            log_download(work, FORMAT, side_of_person(found), 1, 1)
            return text

        return later

    with st.container(horizontal=True):
        contents = {"html": lambda found: found.page(language), "json": lambda found: json_text(found, language)}
        for ending, content in contents.items():
            name = page_files.dated("person", ending)
            page_files.download(t(f"person.download.{ending}"), made(content), name, key=f"download_person_{ending}")
    st.caption(t("person.download.help"))


def _give_address(customer: str) -> None:
    """Let the address name the customer who was opened, or nobody."""
    st.session_state[GIVEN] = customer
    if customer and st.query_params.get(ADDRESS) != customer:
        st.query_params[ADDRESS] = customer
    elif not customer and ADDRESS in st.query_params:
        del st.query_params[ADDRESS]


def card_of(scored: Scored, customers: pd.DataFrame, customer: str) -> Card:
    """Return the customer's card in the language of the page; that it is looked at is noted in the audit log."""
    explanation = find_explanation(scored, customer)
    with st.spinner(t("card.working")):
        rhythm = load_rhythm(scored)
    stored = recommending.load(scored)
    versions = (explanation is not None, last_written(scored.dataset), recommendations_folder(scored) / RECORD)
    made = _card(scored, customer, session.language(), versions, customers, (rhythm, explanation, stored))
    _note_view(scored, customer)
    return made


def _note_view(scored: Scored, customer: str) -> None:
    """Note that the current user looks at a card: once until she opens another one."""
    mark = (scored.dataset.name, scored.model.id, customer)
    if st.session_state.get(NOTED) != mark:
        audit.set_actor(access.current_user())
        note_card(session.workspace(), *mark)
        st.session_state[NOTED] = mark


@cached()
def _card(
    scored: Scored,
    customer: str,
    language: str,
    versions: tuple[bool, int, Path],  # noqa: ARG001 - what else the card depends on
    _customers: pd.DataFrame,
    _parts: tuple[Rhythm, Explanation | None, StoredRecommendations | None],
) -> Card:
    rhythm, explanation, stored = _parts
    return make_card(
        scored,
        _customers,
        customer,
        rhythm=rhythm,
        explanation=explanation,
        recommended=None if stored is None else stored.of_customer(customer, WITH_BOUGHT),
        language=language,
    )
