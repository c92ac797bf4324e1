"""What answers where no model is named follows the names that the registry has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clv_core.deployment.api import model_cache as caches
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.errors import NotFound, UsageError
from clv_core.workspace import Workspace


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the registry; each has a scorer, which is its name."""
    known = ["shop"]

    def resolve_model(workspace: Workspace, registry: Any, asked: str) -> str:
        if asked not in known:
            raise NotFound("no_model", model=asked, known="-")
        return asked

    monkeypatch.setattr(caches, "Registry", lambda workspace: SimpleNamespace(names=lambda: list(known)))
    monkeypatch.setattr(caches, "resolve_model", resolve_model)
    yield known


class Alike:
    """Workers to whom what was wanted is what was loaded."""

    async def load(self, wanted: Any) -> Any:
        return SimpleNamespace(key=wanted)

    async def retain(self, keys: Any) -> None:
        pass


def roster_of(folder: Path, name: str) -> ModelCache:
    return ModelCache(Workspace(folder), [Alike()], Alike(), name, 1, lambda: None)  # type: ignore[arg-type, list-item]


async def said_by(roster: ModelCache, asked: str | None = None) -> object:
    return (await roster.get(asked)).key


def test_a_renamed_only_name_answers_after_the_next_look(names: list[str], tmp_path: Path) -> None:
    async def served() -> list[object]:
        roster = roster_of(tmp_path, "")
        before: list[object] = [await said_by(roster)]
        names[:] = ["store"]
        await roster.refresh()
        said = [*before, await said_by(roster)]
        serving = roster.default
        said.append(serving and serving.key)
        names[:] = []
        await roster.refresh()
        names[:] = ["again"]
        said.append(await said_by(roster))
        roster.close()
        return said

    assert asyncio.run(served()) == ["shop", "store", "store", "again"]


def test_a_second_name_is_asked_about_as_after_a_restart(names: list[str], tmp_path: Path) -> None:
    async def served(name: str) -> object:
        names[:] = ["shop"]
        roster = roster_of(tmp_path, name)
        await roster.get(None)
        names.append("store")
        await roster.refresh()
        try:
            return await said_by(roster)
        finally:
            roster.close()

    with pytest.raises(UsageError):
        asyncio.run(served(""))
    assert asyncio.run(served("shop")) == "shop"
