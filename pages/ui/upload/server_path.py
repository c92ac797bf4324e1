"""A path on the server that somebody typed: whose it may be, and where it may lead."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from clv_core.collection.parse.pseudonyms import key_path
from clv_core.environment import Environment
from clv_core.errors import Refused
from pages.ui import access, state


def checked(text: str) -> Path:
    """Return the file or folder that a typed path means; a relative one begins at ``$CLV_FILES``.

    Raises:
        Denied: the role of who is here does not allow to change data.
        Refused: there is none, it lies outside of ``$CLV_FILES``, or it is what CLV Studio keeps for itself.
    """
    access.require("change")
    said = text.strip().strip("\"'")
    named = Environment.from_environment().files
    if access.on() and not named:
        raise Refused("path_unset", variable=Environment.variable("files"))
    below = Path(named).resolve()
    try:
        path = (below / Path(said).expanduser()).resolve()
        if named and not path.is_relative_to(below):
            raise Refused("path_outside", folder=str(below))
        if _kept(path):
            raise Refused("path_kept", path=said[:200])
        found = bool(said) and path.exists()
    except (OSError, RuntimeError, ValueError):
        found = False
    if not found:
        raise Refused("no_file", path=said[:200])
    return path


def _kept(path: Path) -> bool:
    """Say whether a path leads into the workspace, or to a key, a secret, or the roles of people."""
    workspace = state.workspace()
    own = [workspace.root, key_path(workspace), access.settings_path(), *map(Path, st.get_option("secrets.files"))]
    return ".streamlit" in path.parts or any(path.is_relative_to(one.resolve()) for one in own)
