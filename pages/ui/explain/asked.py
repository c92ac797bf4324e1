"""The model in use, ready for questions about the customers of a kept explanation; loaded once and shared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.explain.store import RECORD

if TYPE_CHECKING:
    from clv_core.deployment.explanation_session import ExplanationSession
    from clv_core.evaluation.explain.events import EventEffects


class Found:
    """A kept explanation to be asked more of.

    Args:
        bundle: the model.
        folder: where the explanation is kept.
    """

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self.bundle, self.folder = bundle, folder
        self.written = (folder / RECORD).stat().st_mtime

    @property
    def asking(self) -> ExplanationSession:
        """The model with the customers."""
        return _asking(self.bundle.id, str(self.folder), self.written, self.bundle)

    def reads_events(self) -> bool:
        """Say whether the model reads events in their order."""
        return self.asking.reads_events

    def events(self, customer: str) -> EventEffects:
        """Return what each event of a customer adds to her value."""
        return _events(self.bundle.id, str(self.folder), self.written, customer, self.bundle)

    def curve(self, customer: str, part: str) -> pd.DataFrame:
        """Return the value of a customer over the range of one part, all else her own."""
        return _curve(self.bundle.id, str(self.folder), self.written, customer, part, self.bundle)


@st.cache_resource(max_entries=4, show_spinner=False)
def _asking(model_id: str, folder: str, written: float, _bundle: Bundle) -> ExplanationSession:
    from clv_core.deployment.explanation_session import open_session

    return open_session(_bundle, Path(folder))


@st.cache_resource(max_entries=64, show_spinner=False)
def _events(model_id: str, folder: str, written: float, customer: str, _bundle: Bundle) -> EventEffects:
    return _asking(model_id, folder, written, _bundle).events(customer)


@st.cache_resource(max_entries=256, show_spinner=False)
def _curve(model_id: str, folder: str, written: float, customer: str, part: str, _bundle: Bundle) -> pd.DataFrame:
    asking = _asking(model_id, folder, written, _bundle)
    return asking.what_if.curve(asking.row(customer), part, {})
