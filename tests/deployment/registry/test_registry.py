"""Versions, pointers and the way back."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.deployment import bundle as bundles
from clv_core.deployment.bundle import list_bundles, open_bundle, read_record
from clv_core.deployment.model_record import FORMAT
from clv_core.deployment.registry import ChampionConflict, Registry, Version
from clv_core.deployment.registry.database import path_of
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.upkeep.lifecycle import delete, rename
from clv_core.workspace import Workspace, write_json
from tests.deployment.registry import tiny

LOG = "customer_id,event_time,amount\na,2024-01-01,1\nb,2024-01-02,2\n"


def roles(registry: Registry, name: str = "shop") -> dict[int, str]:
    return {one.number: one.role for one in registry.versions(name)}


def damage(workspace: Workspace, version: Version, file: str = "weights.safetensors") -> None:
    path = workspace.models / version.bundle / file
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def old(workspace: Workspace, seed: int, name: str = "shop") -> str:
    """Leave a bundle that the registry does not know; return its id."""
    bundle = tiny.save(workspace, seed, name, held=True)
    return bundle.folder.rename(workspace.models / f"{name}-naive-{seed:08}").name


def test_the_first_version_speaks_and_later_ones_challenge(registry: Registry) -> None:
    assert roles(registry) == {3: "challenger", 2: "", 1: "champion"}
    champion, challenger = registry.champion("shop"), registry.challenger("shop")
    assert champion is not None and champion.number == 1 and champion.source == "trained"
    assert challenger is not None and challenger.record.horizon_days == tiny.HORIZON
    assert registry.champion("nothing") is None and registry.names() == ["shop"]


def test_the_same_content_is_the_same_version_and_another_is_not(workspace: Workspace, registry: Registry) -> None:
    again = tiny.save(workspace, 1, held=True, created="2027-01-01T00:00:00+00:00")
    assert registry.register(again).number == 1 and len(registry.versions("shop")) == 3
    other = tiny.save(workspace, 1, code_version="0.2.0")
    assert other.id != again.id and registry.register(other).number == 4
    assert again.id.endswith(again.record.digest[:12])


def test_promote_and_roll_back_walk_the_same_way(registry: Registry) -> None:
    assert registry.promote("shop", 3).role == "champion" and roles(registry) == {3: "champion", 2: "", 1: ""}
    assert registry.promote("shop", "v2").number == 2
    assert [registry.roll_back("shop").number for _ in range(2)] == [3, 1]
    with pytest.raises(Refused) as first:
        registry.roll_back("shop")
    assert first.value.code == "no_earlier_champion"
    assert [(line["version"], line["why"]) for line in reversed(registry.history("shop"))] == [
        (1, "first"), (3, "promote"), (2, "promote"), (3, "rollback"), (1, "rollback"),
    ]  # fmt: skip
    with pytest.raises(NotFound) as unknown:
        registry.promote("shop", 9)
    assert "3, 2, 1" in unknown.value.message()


def test_a_champion_that_a_roll_back_left_is_returned_to_by_the_next(registry: Registry) -> None:
    registry.promote("shop", 3)
    registry.promote("shop", 2)
    assert registry.roll_back("shop").number == 3
    registry.promote("shop", 2)
    assert registry.roll_back("shop").number == 3, "version 3 spoke last before 2"
    assert registry.roll_back("shop").number == 1


def test_a_roll_back_passes_over_an_archived_version(registry: Registry) -> None:
    registry.promote("shop", 3)
    registry.promote("shop", 2)
    registry.archive("shop", 3)
    assert registry.roll_back("shop").number == 1


def test_a_roll_back_from_a_champion_that_speaks_no_more_changes_nothing(registry: Registry) -> None:
    seen = registry.promote("shop", 3).bundle
    registry.promote("shop", 2)
    with pytest.raises(ChampionConflict) as late:
        registry.roll_back("shop", instead_of=seen)
    assert late.value.code == "overtaken_before_rollback" and late.value.params["version"] == 2
    assert roles(registry)[2] == "champion"
    assert registry.roll_back("shop", instead_of=registry.version("shop", 2).bundle).number == 3
    registry.roll_back("shop")
    with pytest.raises(ChampionConflict):
        registry.roll_back("shop", instead_of=seen)


def test_the_champion_is_neither_archived_nor_deleted(registry: Registry) -> None:
    for call in (registry.archive, registry.delete):
        with pytest.raises(Refused) as error:
            call("shop", 1)
        assert error.value.code == "champion_stays"
    assert registry.archive("shop", 3).archived and registry.challenger("shop") is None
    assert not registry.archive("shop", 3, back=True).archived
    registry.archive("shop", 2)
    assert not registry.promote("shop", 2).archived


def test_a_deleted_version_is_gone_with_all_it_scored_and_its_number_stays_used(
    workspace: Workspace, registry: Registry
) -> None:
    gone = registry.version("shop", 3)
    for folder in (("datasets", "shop", "made", "0123456789ab", gone.bundle), ("alerts", gone.bundle)):
        (workspace.folder(*folder) / "scores-20240101.parquet").write_bytes(b"customers")
    registry.delete("shop", 3)
    assert roles(registry) == {2: "", 1: "champion"}
    assert [path for path in workspace.root.rglob("*") if gone.bundle in path.name] == []
    assert registry.register(tiny.save(workspace, 3, held=True)).number == 4


def running(version: Version, workspace: Workspace) -> None:
    """Leave a run that works with a version."""
    args = ["score", "shop", "--model", version.bundle]
    status = {"command": "score", "args": args, "state": "running", "pid": None, "started": 9e9, "label": ""}
    write_json(workspace.jobs / "2026-score" / "status.json", status)


def test_a_version_in_use_by_a_run_is_neither_deleted_nor_pruned(workspace: Workspace, registry: Registry) -> None:
    running(registry.version("shop", 3), workspace)
    with pytest.raises(Refused) as busy:
        registry.delete("shop", 3)
    assert busy.value.code == "model_busy"
    running(registry.version("shop", 2), workspace)
    with pytest.raises(Refused):
        registry.prune("shop", keep=1)
    assert len(registry.versions("shop")) == 3
    assert registry.delete("shop", 3).number == 3


def test_a_version_that_is_promoted_while_it_is_deleted_stays(
    workspace: Workspace, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def promoted_now(*_: object) -> None:
        Registry(workspace).promote("shop", 3)

    monkeypatch.setattr("clv_core.deployment.registry.registry.check_unused", promoted_now)
    with pytest.raises(Refused) as error:
        registry.delete("shop", 3)
    assert error.value.code == "champion_stays"
    champion = registry.champion("shop")
    assert champion is not None and champion.number == 3 and registry.sound(champion)


def test_a_champion_that_became_the_last_version_while_it_is_deleted_stays(
    workspace: Workspace, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alone_now(*_: object) -> None:
        Registry(workspace).forget([registry.version("shop", number).bundle for number in (2, 3)])

    monkeypatch.setattr("clv_core.deployment.registry.registry.check_unused", alone_now)
    with pytest.raises(Refused) as error:
        registry.delete("shop", 1, last=False)
    assert error.value.code == "last_champion_stays" and roles(registry) == {1: "champion"}


def test_pruning_keeps_who_speaks_who_spoke_before_the_newest_and_what_is_archived(
    workspace: Workspace, registry: Registry
) -> None:
    for seed in range(4, 9):
        registry.register(tiny.save(workspace, seed, held=True))
    registry.promote("shop", 4)
    registry.archive("shop", 2)
    assert [one.number for one in registry.prune("shop", keep=4)] == [6, 5, 3]
    assert roles(registry) == {8: "challenger", 7: "", 4: "champion", 2: "", 1: ""}
    assert registry.roll_back("shop").number == 1 and registry.prune("shop", keep=5) == []
    assert [one.number for one in registry.prune("shop", keep=1)] == [8, 7, 4]
    with pytest.raises(UsageError):
        registry.prune("shop", keep=0)
    with pytest.raises(NotFound):
        registry.prune("nothing")


def test_with_its_last_version_a_name_is_gone(workspace: Workspace, registry: Registry) -> None:
    for number in (3, 2, 1):
        registry.delete("shop", number)
    assert registry.versions() == [] and registry.champion("shop") is None
    with pytest.raises(NotFound):
        registry.serving("shop")
    assert registry.register(tiny.save(workspace, 9)).role == "champion"


def test_a_damaged_champion_is_followed_by_the_last_good_version(workspace: Workspace, registry: Registry) -> None:
    registry.promote("shop", 3)
    assert registry.serving("shop").warnings == ()
    damage(workspace, registry.version("shop", 3))
    served = registry.serving("shop")
    assert served.version.number == 1 and served.bundle.model is not None
    for language in LANGUAGES:
        assert "3" in served.warnings[0].text(language) and "1" in served.warnings[0].text(language)
    assert roles(registry)[3] == "champion"
    damage(workspace, registry.version("shop", 1), "history.json")
    assert registry.serving("shop").version.number == 2
    shutil.rmtree(workspace.models / registry.version("shop", 2).bundle)
    with pytest.raises(Refused) as none:
        registry.serving("shop")
    assert none.value.code == "no_good_version"
    for number in (1, 2, 3):
        with pytest.raises(Refused):
            registry.promote("shop", number)


def test_a_damaged_version_that_is_trained_again_is_sound_again(workspace: Workspace, registry: Registry) -> None:
    damage(workspace, registry.version("shop", 1))
    assert registry.register(tiny.save(workspace, 1, held=True)).number == 1
    assert registry.serving("shop").warnings == ()


def test_a_foreign_file_in_a_bundle_is_damage(workspace: Workspace, registry: Registry) -> None:
    champion = registry.version("shop", 1)
    (workspace.models / champion.bundle / "extra.pkl").write_bytes(b"\x80\x04.")
    assert not registry.sound(champion) and registry.serving("shop").version.number == 3


def test_what_file_systems_and_desktops_leave_in_a_bundle_is_no_damage(
    workspace: Workspace, registry: Registry
) -> None:
    """NFS keeps a file that was replaced while somebody read it as ``.nfs...``; it was taken for a foreign one."""
    champion = registry.version("shop", 1)
    for name in (".nfs000000000a1b2c3d00000001", ".DS_Store", ".holdout.parquet.0123abcd.tmp"):
        (workspace.models / champion.bundle / name).write_bytes(b"left")
    assert registry.sound(champion) and registry.serving("shop").version.number == 1


def test_a_first_look_speaks_only_until_a_model_was_trained(workspace: Workspace) -> None:
    registry = Registry(workspace)
    registry.register(tiny.save(workspace, 1, untrained=True))
    registry.register(tiny.save(workspace, 2, untrained=True))
    assert roles(registry) == {2: "", 1: "champion"}
    registry.register(tiny.save(workspace, 3))
    registry.register(tiny.save(workspace, 4))
    assert roles(registry) == {4: "challenger", 3: "champion", 2: "", 1: ""}


def test_a_first_look_is_a_version_once_it_is_kept_or_promoted(workspace: Workspace) -> None:
    kept, promoted = (tiny.save(workspace, seed, untrained=True) for seed in (1, 2))
    assert roles(Registry(workspace)) == {} and roles(Registry(workspace)) == {}
    Registry(workspace).register(tiny.save(workspace, 3))
    assert roles(Registry(workspace)) == {1: "champion"}
    assert Registry(workspace).register(kept).number == 2
    assert Registry(workspace).promote("shop", promoted.id).number == 3
    assert roles(Registry(workspace)) == {3: "champion", 2: "", 1: ""}


def test_bundles_that_it_does_not_know_are_found_and_the_newest_is_champion(workspace: Workspace) -> None:
    names = [old(workspace, seed) for seed in (1, 2, 3)]
    broken = old(workspace, 4)
    (workspace.models / broken / "state.json").write_text("{}")
    registry = Registry(workspace)
    assert roles(registry) == {3: "champion", 2: "", 1: ""}
    assert [one.bundle for one in registry.versions("shop")] == names[::-1]
    assert {one.source for one in registry.versions()} == {"found"}
    for one in registry.versions():
        damage(workspace, one, "holdout.parquet")
        assert not registry.sound(one)
    assert Registry(workspace).find(broken) is None


def test_folders_that_are_copied_beside_a_champion_challenge_it(workspace: Workspace, registry: Registry) -> None:
    registry.promote("shop", 2)
    for seed in (7, 8):
        old(workspace, seed)
    assert roles(Registry(workspace)) == {5: "challenger", 4: "", 3: "", 2: "champion", 1: ""}


def test_looking_at_an_empty_workspace_makes_nothing(workspace: Workspace) -> None:
    assert Registry(workspace).champion("shop") is None
    assert not path_of(workspace).exists()


def test_a_deletion_that_was_not_committed_is_undone_and_one_that_was_is_finished(
    workspace: Workspace, registry: Registry
) -> None:
    two, three = registry.version("shop", 2), registry.version("shop", 3)
    (workspace.models / two.bundle).rename(workspace.models / f".leaving-{two.bundle}")
    (workspace.models / three.bundle).rename(workspace.models / f".leaving-{three.bundle}")
    with sqlite3.connect(path_of(workspace)) as rows:
        rows.execute("UPDATE names SET challenger = NULL")
        rows.execute("DELETE FROM versions WHERE number = 3")
    rows.close()
    registry = Registry(workspace)
    assert registry.sound(registry.version("shop", 2))
    assert sorted(path.name for path in workspace.models.iterdir()) == sorted(
        one.bundle for one in registry.versions("shop")
    )


def test_versions_follow_a_dataset_that_is_renamed_or_deleted(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    for name in ("shop", "store"):
        ingest(workspace, tmp_path / "log.csv", name)
    registry = Registry(workspace)
    for seed, name in ((1, "shop"), (2, "shop"), (3, "store")):
        registry.register(tiny.save(workspace, seed, name))
    registry.promote("shop", 2)
    delete(workspace, "store", progress=NoProgress())
    assert rename(workspace, "shop", "store")["models"] == 3
    assert roles(registry, "store") == {3: "champion", 2: "", 1: ""} and registry.versions("shop") == []
    assert [one.record.dataset.name for one in registry.versions("store")] == ["store"] * 3
    assert registry.serving("store").warnings == () and registry.roll_back("store").number == 2
    delete(workspace, "store", models=True, progress=NoProgress())
    assert registry.versions() == [] and list_bundles(workspace) == []


def test_a_champion_that_is_forgotten_leaves_its_place_to_the_one_before(
    workspace: Workspace, registry: Registry
) -> None:
    registry.promote("shop", 2)
    registry.forget([registry.version("shop", 2).bundle])
    assert roles(registry) == {3: "challenger", 1: "champion"}
    registry.forget([registry.version("shop", 1).bundle])
    assert roles(registry) == {3: "champion"}


def test_a_damaged_record_hides_a_model_and_breaks_nothing(workspace: Workspace, registry: Registry) -> None:
    one = registry.version("shop", 1)
    path = workspace.models / one.bundle / "bundle.json"
    path.write_text(path.read_text().replace('"horizon_days": 90', '"horizon_days": 91', 1))
    with pytest.raises(Refused):
        read_record(path.parent)
    with pytest.raises(Refused):
        open_bundle(workspace, one.bundle)
    assert one.bundle not in [bundle.id for bundle in list_bundles(workspace)]
    assert [version.number for version in Registry(workspace).versions("shop")] == [3, 2, 1]


@pytest.mark.parametrize("kept", [b"no database" * 1000, b""], ids=["garbage", "nothing"])
def test_a_file_that_is_no_registry_is_refused_in_words(kept: bytes, workspace: Workspace, registry: Registry) -> None:
    path_of(workspace).write_bytes(kept)
    with pytest.raises(Refused) as error:
        Registry(workspace)
    assert error.value.code == "registry_damaged" and str(path_of(workspace)) in error.value.message("zh")
    for path in path_of(workspace).parent.iterdir():
        path.unlink()
    assert {one.number for one in Registry(workspace).versions("shop")} == {1, 2, 3}


def test_a_registry_made_anew_takes_nothing_from_the_one_that_was_moved_away(
    workspace: Workspace, registry: Registry, tmp_path: Path
) -> None:
    """A process that is killed leaves SQLite's write-ahead log, which belongs to the file that was there."""
    kept = [Path(f"{path_of(workspace)}{end}") for end in ("-wal", "-shm")]
    rows = sqlite3.connect(path_of(workspace), isolation_level=None)
    rows.execute("INSERT INTO moves (name, number, at, why, stands) VALUES ('shop', 1, '', 'of before', 1)")
    for path in kept:
        shutil.copy(path, tmp_path)
    rows.close()
    path_of(workspace).rename(tmp_path / "moved")
    for path in kept:
        shutil.copy(tmp_path / path.name, path)
    assert [one.number for one in registry.versions("shop")] == [3, 2, 1]
    assert {move["why"] for move in registry.history("shop")} == {"first", "found"}


def test_readers_in_threads_always_see_one_champion(registry: Registry) -> None:
    def look(_: int) -> int:
        return sum(one.role == "champion" for one in Registry(registry.workspace).versions("shop"))

    with ThreadPoolExecutor(4) as pool:
        seen = pool.map(look, range(60))
        for number in (2, 3, 1, 2):
            registry.promote("shop", number)
        assert set(seen) == {1}


def test_the_file_is_in_wal_mode_and_its_rows_hold_no_customer(workspace: Workspace, registry: Registry) -> None:
    rows = sqlite3.connect(path_of(workspace))
    assert rows.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    dump = "\n".join(rows.iterdump())
    rows.close()
    assert "customer-7" not in dump and tiny.holdout()["customer_id"][0] == "customer-7"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_of_a_later_program_says_so_is_hidden_and_breaks_nothing(
    workspace: Workspace, registry: Registry, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    one = registry.version("shop", 1)
    with monkeypatch.context() as later, sqlite3.connect(path_of(workspace)) as rows:
        later.setattr(bundles, "FORMAT", FORMAT + 1)
        bundles.write_record(one.folder, one.record)
        text = bundles.sealed(one.record.to_json())
        rows.execute("UPDATE versions SET record = ? WHERE bundle = ?", (text, one.bundle))
    with pytest.raises(Refused) as error:
        open_bundle(workspace, one.bundle)
    said = error.value.message(language)
    assert error.value.code == "bundle_of_later_version" and str(FORMAT + 1) in said and str(FORMAT) in said
    assert one.bundle not in [bundle.id for bundle in list_bundles(workspace)]
    again = Registry(workspace)
    assert [version.number for version in again.versions("shop")] == [3, 2]
    assert [version.to_json()["version"] for version in again.versions()] == [3, 2]
    assert again.serving("shop").version.number == 3 and again.serving("shop").warnings
    assert again.register(tiny.save(workspace, 4)).number == 4
    assert again.promote("shop", 2).role == "champion"
