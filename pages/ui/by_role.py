"""Buttons of those who may not press them: grey, with a word on whom to ask."""

from __future__ import annotations

from typing import Any

from pages.ui import access
from pages.ui.i18n import t


def if_may(action: str, *, disabled: bool = False) -> dict[str, Any]:
    """Return the options of a button that does something: grey, with a word on whom to ask, for those who may not.

    Args:
        action: one of :data:`~pages.ui.access.ACTIONS`.
        disabled: whether it is grey for everyone now.
    """
    return {"disabled": disabled} if access.may(action) else {"disabled": True, "help": ask_for(action)}


def ask_for(action: str) -> str:
    """Say which role an action needs."""
    return t("access.ask_admin", role=t(f"access.role.{access.ACTIONS[action]}"))
