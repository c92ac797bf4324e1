"""What answers where no model is named follows the names that the registry has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clv_core.deployment.service import roster as rosters
from clv_core.deployment.service.roster import Roster
from clv_core.errors import NotFound, UsageError
from clv_core.workspace import Workspace


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the registry; each has a scorer, which is its name."""
    known = ["shop"]

    def look_up(workspace: Workspace, registry: Any, asked: str) -> str:
        if asked not in known:
            raise NotFound("no_model", model=asked, known="-")
        return asked

    monkeypatch.setattr(rosters, "Registry", lambda workspace: SimpleNamespace(names=lambda: list(known)))
    monkeypatch.setattr(rosters, "look_up", look_up)
    monkeypatch.setattr(rosters, "load", lambda workspace, registry, wanted: wanted)
    yield known


def test_a_renamed_only_name_answers_after_the_next_look(names: list[str], tmp_path: Path) -> None:
    async def served() -> list[object]:
        roster = Roster(Workspace(tmp_path), "", 1, lambda scorer: None)
        before: list[object] = [await roster.get(None)]
        names[:] = ["store"]
        await roster.refresh()
        said = [*before, await roster.get(None), roster.serving()]
        names[:] = []
        await roster.refresh()
        names[:] = ["again"]
        said.append(await roster.get(None))
        roster.close()
        return said

    assert asyncio.run(served()) == ["shop", "store", "store", "again"]


def test_a_second_name_is_asked_about_as_after_a_restart(names: list[str], tmp_path: Path) -> None:
    async def served(name: str) -> object:
        names[:] = ["shop"]
        roster = Roster(Workspace(tmp_path), name, 1, lambda scorer: None)
        await roster.get(None)
        names.append("store")
        await roster.refresh()
        try:
            return await roster.get(None)
        finally:
            roster.close()

    with pytest.raises(UsageError):
        asyncio.run(served(""))
    assert asyncio.run(served("shop")) == "shop"
