"""What answers where no model is named follows the names that the registry has."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.registry import Registry
from clv_core.errors import UsageError
from clv_core.upkeep.lifecycle import rename
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny


class Alike:
    """Workers to whom what was wanted is what was loaded."""

    async def load(self, wanted: Any) -> Any:
        return SimpleNamespace(key=wanted)

    async def retain(self, keys: Any) -> None:
        pass


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return add(Workspace(tmp_path / "workspace"), "shop")


def add(workspace: Workspace, name: str) -> Workspace:
    """Give a workspace a log of this name and a model of it."""
    log = workspace.root.with_name("log.csv")
    log.write_text("customer_id,event_time,amount\na,2024-01-01,1\nb,2024-01-02,2\n")
    ingest(workspace, log, name)
    Registry(workspace).register(tiny.save(workspace, 1, name))
    return workspace


def roster_of(workspace: Workspace, name: str) -> ModelCache:
    return ModelCache(workspace, [Alike()], Alike(), name, 1, lambda: None)  # type: ignore[arg-type, list-item]


async def answering(roster: ModelCache) -> str:
    return (await roster.get(None)).key.name


def test_a_renamed_only_name_answers_after_the_next_look(workspace: Workspace) -> None:
    async def served() -> list[str]:
        roster = roster_of(workspace, "")
        names = [await answering(roster)]
        rename(workspace, "shop", "store")
        await roster.refresh()
        serving = roster.default
        assert serving is None or serving.key.name != "shop"
        names.append(await answering(roster))
        Registry(workspace).forget([one.bundle for one in Registry(workspace).versions()])
        await roster.refresh()
        add(workspace, "again")
        names.append(await answering(roster))
        roster.close()
        return names

    assert asyncio.run(served()) == ["shop", "store", "again"]


def test_a_second_name_is_asked_about_as_after_a_restart(workspace: Workspace) -> None:
    async def served(name: str) -> str:
        roster = roster_of(workspace, name)
        await roster.get(None)
        add(workspace, "store")
        await roster.refresh()
        try:
            return await answering(roster)
        finally:
            roster.close()

    with pytest.raises(UsageError):
        asyncio.run(served(""))
    assert asyncio.run(served("shop")) == "shop"
