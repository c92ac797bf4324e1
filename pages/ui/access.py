"""Permissions: roles of signed-in people, from a settings file; without a login everybody may do everything.

The login is OpenID Connect by ``st.login``, off unless ``.streamlit/secrets.toml`` (or the file that
``STREAMLIT_SECRETS_FILES`` names) holds an ``[auth]`` section; ``CLV_LOGIN=required`` (or any word but :data:`OFF`)
refuses to open the app without one. It lasts ``CLV_LOGIN_HOURS``: Streamlit's own cookie is good for 30 days, however
soon the provider lets somebody go. Roles come from ``$CLV_ACCESS_FILE``, else ``.streamlit/access.toml``::

    default = ""                          # role of those who are not named; "" lets nobody else in
    claim = "groups"                      # claim of the identity token that names one of [claims]
    [people]
    "ana@shop.example" = "admin"
    "*@shop.example" = "viewer"
    [claims]
    "clv-analysts" = "analyst"
"""

from __future__ import annotations

import math
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import streamlit as st

from clv_core import audit
from clv_core.environment import Environment
from clv_core.errors import ClvError, Refused
from clv_core.i18n import DEFAULT_LANGUAGE, translate
from clv_core.monitoring import load_schedule
from clv_core.workspace import Workspace
from pages.ui import identity_provider
from pages.ui.i18n import t

Made = TypeVar("Made")
VIEWER, ANALYST, ADMIN = "viewer", "analyst", "admin"
ROLES: Final = (VIEWER, ANALYST, ADMIN)
"""From the least to the most; each may do what those before it may."""

ACTIONS: Final = {
    "read": VIEWER,
    "export": ANALYST,
    "upload": ANALYST,
    "train": ANALYST,
    "change": ANALYST,
    "suppress": ANALYST,
    "objections": ANALYST,
    "delete": ADMIN,
    "erase": ADMIN,
    "promote": ADMIN,
    "connect": ADMIN,
    "audit": ADMIN,
    "retention": ADMIN,
}
"""What can be done, and the least role that may."""

COMMANDS: Final = {
    **dict.fromkeys(("explore", "score", "explain", "check", "monitor", "price", "embed", "recommend"), "read"),
    **dict.fromkeys(("train", "look", "tune", "backtest", "pretrain"), "train"),
    **dict.fromkeys(("prune", "delete"), "delete"),
    "erase": "erase",
    "push": "export",
}
"""Runs by what they are; any other one is a ``change``."""

OPTIONS: Final = {
    ("clean", "--list"): "read",
    ("monitor", "--leave"): "train",
    ("monitor", "--retrain"): "promote",
    ("models", "prune"): "delete",
}
"""Commands that are something else with an option or an action; the first that is there decides."""

CHAIN: Final = ("schedule", "run")
"""How the command line of a run of a schedule begins; the third word is the schedule's name."""

PUBLIC: Final = (
    "template",
    "download_metrics",
    "download_scoreboard",
    "download_seasons",
    "download_slices",
    "download_stability",
    "download_folds",
    "download_compare",
    "download_model_card",
    "explore_download",
    "monitor_report",
    "monitor_checks",
    "watch_days",
)
"""Keys of downloads that hold no customer; any other one is an ``export``."""


OFF: Final = ("", "off", "no", "false", "0")
"""Values of ``CLV_LOGIN`` without a login; any other value requires one."""


class Denied(Refused):
    """The current user's role does not allow it; ``role`` and ``needed`` are some of :data:`ROLES`, or ``-``."""

    def message(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language``, roles by their names there."""
        role, needed = self.params["role"], self.params["needed"]
        names = {role_key: translate(f"access.role.{role_key}", language) for role_key in {role, needed} & {*ROLES}}
        return translate("error.access_denied", language, role=names.get(role, role), needed=names.get(needed, needed))


def is_login_required() -> bool:
    """Return whether people have to sign in."""
    required = Environment.from_environment().login.strip().lower() not in OFF
    return required or "is_logged_in" in st.user or identity_provider.is_wanted()


def is_configured() -> bool:
    """Return whether signing in can work."""
    return "is_logged_in" in st.user and identity_provider.find_fault() is None


def is_signed_in() -> bool:
    """Return whether somebody has signed in, not longer ago than that lasts, and by settings that can be relied on."""
    return bool(st.user.get("is_logged_in")) and identity_provider.find_fault() is None and not is_expired()


def is_expired() -> bool:
    """Return whether somebody signed in too long ago."""
    issued = st.user.get("iat")
    return isinstance(issued, int | float) and time.time() - issued > 3600 * lasting_hours()


def lasting_hours() -> float:
    """Return the hours that a login lasts; 0 or less in ``CLV_LOGIN_HOURS`` is for as long as the cookie.

    Raises:
        Refused: it is no number.
    """
    text = Environment.from_environment().login_hours.strip()
    try:
        hours = float(text or Environment().login_hours)
    except ValueError as error:
        raise Refused("login_hours", found=text[:40]) from error
    return hours if hours > 0 else math.inf


def current_user() -> str:
    """Return the e-mail address of who signed in, else the name that the identity token gives; "" for nobody."""
    return str(st.user.get("email") or st.user.get("sub") or "") if is_signed_in() else ""


def role() -> str:
    """Return the current user's role; "" without one."""
    if not is_login_required():
        return ADMIN
    return role_of(dict(st.user), settings()) if is_signed_in() else ""


def role_of(person: Mapping[str, Any], role_settings: Mapping[str, Any]) -> str:
    """Return the role of a person, "" where there is none.

    Args:
        person: claims of the identity token.
        role_settings: the settings file. The address itself comes first, then claims (the highest role), then the
            address's domain, then the default. An address that the provider marks as unverified is ignored.
    """
    email = str(person.get("email") or "").strip().lower()
    if person.get("email_verified") in (False, "false"):
        email = ""
    people = {str(name).lower(): str(given) for name, given in role_settings.get("people", {}).items()}
    raw = person.get(str(role_settings.get("claim", "")), ())
    groups = [raw] if isinstance(raw, str) else [str(group) for group in raw] if isinstance(raw, Sequence) else []
    claims = [str(role_settings.get("claims", {}).get(group, "")) for group in groups]
    by_claim = max((role for role in claims if role in ROLES), key=ROLES.index, default="")
    domain = people.get(f"*@{email.rpartition('@')[2]}", "") if email else ""
    candidates = (people.get(email, "") if email else "", by_claim, domain, str(role_settings.get("default", "")))
    return next((role for role in candidates if role in ROLES), "")


def settings_path() -> Path:
    """Return the path of the settings file, whether it exists or not."""
    return Path(Environment.from_environment().access_file)


def settings() -> dict[str, Any]:
    """Return the parsed settings file; where there is none, nobody has a role.

    Raises:
        Refused: it cannot be read, or gives somebody a role that is none: who means to take a right away and
            misspells it must not leave her with that of her domain.
    """
    path = settings_path()
    if not path.is_file():
        return {}
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("access_unreadable", path=str(path)) from error
    sections = {name: parsed.get(name, {}) for name in ("people", "claims")}
    if not all(isinstance(section, dict) for section in sections.values()):
        raise Refused("access_unreadable", path=str(path))
    given = {"default": parsed.get("default", ""), **sections["people"], **sections["claims"]}
    for name, entry in given.items():
        if entry not in ("", *ROLES):
            raise Refused("access_role", path=str(path), name=name, role=str(entry)[:40], roles=list(ROLES))
    return parsed


def may(action: str) -> bool:
    """Return whether the current user may do one of :data:`ACTIONS`."""
    mine = role()
    return mine in ROLES and ROLES.index(mine) >= ROLES.index(ACTIONS[action])


def action_of(command: Sequence[str]) -> str:
    """Return the action of :data:`ACTIONS` for a command line; of a chain, that of its strictest step."""
    option_action = next((action for key, action in OPTIONS.items() if _has_option(command, *key)), None)
    actions = [option_action or COMMANDS.get(command[0], "change")]
    if tuple(command[:2]) == CHAIN:
        actions += map(action_of, _steps_of(command[2]))
    return max(actions, key=lambda action: ROLES.index(ACTIONS[action]))


def _has_option(command: Sequence[str], name: str, option: str) -> bool:
    """Return whether a command line has an option; the parser takes ``--retr`` for ``--retrain``."""
    return name == command[0] and any(len(word) > 2 and option.startswith(word) for word in command)


def _steps_of(schedule: str) -> list[list[str]]:
    """Return the command lines of a chain; none where it was deleted or any step cannot be read."""
    try:
        return load_schedule(Workspace.default(), schedule)[0].commands()
    except ClvError:
        return []


def may_take(key: str) -> bool:
    """Return whether the current user may download a file, by its key."""
    return key in PUBLIC or may("export")


def require(action: str) -> None:
    """Refuse what the current user's role does not allow: the last line of defence behind a disabled button.

    Raises:
        Denied: it does not.
    """
    if not may(action):
        raise Denied("access_denied", role=role() or "-", needed=ACTIONS[action], action=action)


def require_run(command: Sequence[str]) -> None:
    """Refuse a run that the current user's role does not allow.

    Raises:
        Denied: it does not.
    """
    require(action_of(command))


def as_current_user(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return a function that makes a file later, in the name of the current user."""
    person = current_user()

    def later() -> Made:
        audit.set_actor(person)
        return make()

    return later


def if_may(action: str, *, disabled: bool = False) -> dict[str, Any]:
    """Return the options of a button that does something: grey, with a word on whom to ask, for those who may not.

    ``disabled`` greys it for everyone.
    """
    return {"disabled": disabled} if may(action) else {"disabled": True, "help": ask_for(action)}


def ask_for(action: str) -> str:
    """Say which role an action needs."""
    return t("access.ask_admin", role=t(f"access.role.{ACTIONS[action]}"))
