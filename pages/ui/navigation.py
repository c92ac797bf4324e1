"""The one table of pages, and the menu made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from clv_core.program_files import ASSETS
from pages.ui import session
from pages.ui.i18n import t

APP: Final = "CLV Studio"
SEARCH: Final = "card_search"
"""Session key of the customer page's search box."""
DATASETS_PART: Final = "datasets_what"
"""Session key of what the datasets page shows."""
EVALUATE_PART: Final = "evaluate_part"
"""Session key of what the evaluate page shows below its main figures."""
STRATEGY_PART: Final = "strategy_part"
"""Session key of what the strategy page shows."""
MONITOR_VIEW: Final = "monitor_view"
"""Key of what the monitor page shows: the business first, the model's details behind it."""
PRIVACY_PART: Final = "privacy_what"
"""Session key of what the privacy page shows."""
TUNING_OPEN: Final = "tuning_open"
"""Session key of whether the train page unfolds the search for better settings."""


@dataclass(frozen=True)
class Page:
    """One page: its title is the sentence ``page.<name>``, its tooltip ``page.<name>.help``.

    Args:
        section: group in the menu, ``section.<section>``.
        name: file name without ``.py``, and path in the address.
        icon: Material symbol.
        hidden: whether the menu leaves it out.
    """

    section: str
    name: str
    icon: str
    hidden: bool = False

    @property
    def path(self) -> str:
        """The script, relative to ``pages/shell.py``."""
        return f"{self.section}/{self.name}.py"


PAGES: Final = (
    Page("start", "home", ":material/home:"),
    Page("start", "notes", ":material/speaker_notes:", hidden=True),
    Page("data", "upload", ":material/upload_file:"),
    Page("data", "sources", ":material/cloud_download:"),
    Page("data", "look", ":material/bolt:"),
    Page("data", "datasets", ":material/database:"),
    Page("data", "explore", ":material/insights:"),
    Page("model", "train", ":material/model_training:"),
    Page("model", "evaluate", ":material/fact_check:"),
    Page("model", "explain", ":material/psychology_alt:"),
    Page("act", "segments", ":material/group_work:"),
    Page("act", "customer", ":material/person_search:"),
    Page("act", "acquisition", ":material/person_add:"),
    Page("act", "forecast", ":material/trending_up:"),
    Page("act", "demand", ":material/inventory_2:"),
    Page("act", "strategy", ":material/savings:"),
    Page("act", "exports", ":material/outbox:"),
    Page("act", "results", ":material/campaign:"),
    Page("act", "report", ":material/slideshow:"),
    Page("operate", "models", ":material/deployed_code_history:"),
    Page("operate", "monitor", ":material/monitor_heart:"),
    Page("operate", "schedules", ":material/schedule:"),
    Page("operate", "privacy", ":material/shield_person:"),
)
BY_NAME: Final = {page.name: page for page in PAGES}


def page_config() -> None:
    """Set title, icon and width of the browser page."""
    st.set_page_config(page_title=APP, page_icon=str(ASSETS / "mark.svg"), layout="wide")
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "mark.svg"))


def menu() -> StreamlitPage:
    """Draw the menu and return the selected page."""
    sections: dict[str, list[StreamlitPage]] = {}
    for page in PAGES:
        entry = st.Page(
            page.path,
            title=t(f"page.{page.name}"),
            icon=page.icon,
            help=t(f"page.{page.name}.help"),
            default=page is PAGES[0],
            visibility="hidden" if page.hidden else "visible",
        )
        sections.setdefault(t(f"section.{page.section}"), []).append(entry)
    selected = st.navigation(sections, expanded=True)
    st.set_page_config(page_title=f"{selected.title} · {APP}")
    return selected


def name_of(page: StreamlitPage) -> str:
    """Return the name of a page of the menu."""
    return page.url_path or PAGES[0].name


def go(name: str, **address: str) -> None:
    """Open another page under the same address, and ``address``; one that differs is an entry of the history more."""
    st.switch_page(BY_NAME[name].path, query_params=session.address(**address))


def button(name: str, label: str, key: str, **options: Any) -> None:
    """Draw a button that opens another page, with its icon."""
    if st.button(label, key=key, icon=BY_NAME[name].icon, **options):
        go(name)


def open_customer(customer: str) -> None:
    """Open the customer page with the card of one customer."""
    st.session_state[SEARCH] = customer
    go("customer", customer=customer)


def open_customers_table() -> None:
    """Open the datasets page where a customers table is added."""
    st.session_state[DATASETS_PART] = "customers"
    go("datasets")


def open_do_not_contact() -> None:
    """Open the privacy page with the do-not-contact list that is kept."""
    st.session_state[PRIVACY_PART] = "suppress"
    go("privacy")


def open_tuning() -> None:
    """Open the train page with the search for better settings unfolded."""
    st.session_state[TUNING_OPEN] = True
    go("train")


def open_budget() -> None:
    """Open the strategy page with the budget."""
    st.session_state[STRATEGY_PART] = "budget"
    go("strategy")
