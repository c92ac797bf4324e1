"""Relations are written once for what is read of a dataset, cached beside it, and written anew when not complete."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Dataset, delete_dataset, open_dataset
from clv_core.features import relation_cache
from clv_core.features.log import open_log
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(1)

CUTOFF = date(2023, 12, 15)


@pytest.fixture
def dataset(shop: pd.DataFrame, tmp_path: Path) -> Dataset:
    shop.head(2000).to_csv(tmp_path / "shop.csv", index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "shop.csv", "shop", decimal="point")
    return open_dataset(workspace, "shop")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that relations were made in."""
    folders: list[Path] = []
    make = relation_cache.write_shards

    def counted(events: object, connection: object, folder: Path) -> None:
        folders.append(folder)
        make(events, connection, folder)  # type: ignore[arg-type]

    monkeypatch.setattr(relation_cache, "write_shards", counted)
    return folders


def features(dataset: Dataset, **options: object) -> pd.DataFrame:
    log = open_log(dataset, **options)  # type: ignore[arg-type]
    try:
        return log.snapshot(CUTOFF, 90).features
    finally:
        log.close()


def folders(dataset: Dataset) -> list[Path]:
    return sorted((dataset.folder.parent / relation_cache.FOLDER).iterdir())


def test_a_log_that_is_cut_at_a_day_is_not_the_whole_one_from_the_cache(dataset: Dataset) -> None:
    features(dataset)  # written: all days
    part = open_log(dataset, before=CUTOFF)
    try:
        assert part.steps.day.max() < (CUTOFF - date(1970, 1, 1)).days and part.end <= CUTOFF
    finally:
        part.close()


def test_the_second_time_nothing_is_made_and_everything_is_the_same(dataset: Dataset, made: list[Path]) -> None:
    first, again = features(dataset), features(dataset)
    assert len(made) == 1
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert [path.name[:12] for path in folders(dataset)] == [dataset.version]


def test_what_is_read_of_a_dataset_is_kept_apart_and_only_the_last_used_stay(
    dataset: Dataset, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relation_cache, "MAX_FOLDERS", 2)
    bought = features(dataset, event_types="purchases")
    assert (bought["views"] == 0).all() and (features(dataset)["views"] > 0).any()
    assert len(made) == 2
    for age, path in enumerate(folders(dataset)):
        os.utime(path, (age, age))
    features(dataset, before=date(2024, 1, 1))
    assert len(made) == 3 and len(folders(dataset)) == 2
    features(dataset, before=date(2024, 1, 1))
    assert len(made) == 3


def test_other_code_makes_them_anew(dataset: Dataset, made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    features(dataset)
    monkeypatch.setattr(relation_cache, "_code", lambda: "another")
    features(dataset)
    assert len(made) == 2


def test_a_file_cut_short_is_made_anew(dataset: Dataset, made: list[Path]) -> None:
    before = features(dataset)
    (file,) = folders(dataset)[0].glob("00000.tables")
    file.write_bytes(file.read_bytes()[:-100])
    pd.testing.assert_frame_equal(before, features(dataset), check_exact=True)
    assert len(made) == 2


def test_a_crash_leaves_nothing_that_stays(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(relation_cache, "_write_shard", fail)
        features(dataset)
    assert folders(dataset) == []
    dead = folders_of_a_dead_process(dataset)
    features(dataset)
    assert not dead.exists() and len(folders(dataset)) == 1


def folders_of_a_dead_process(dataset: Dataset) -> Path:
    gone = 2**22 + 1  # above the largest number of a process
    path = dataset.folder.parent / relation_cache.FOLDER / f".{dataset.version}-{'0' * 12}.{gone}.{'0' * 8}"
    path.mkdir()
    return path


def test_versions_and_datasets_that_are_gone_take_their_relations_along(dataset: Dataset, tmp_path: Path) -> None:
    features(dataset)
    gone = folders(dataset)[0].with_name(f"{'0' * 12}-{'0' * 12}")
    shutil.copytree(folders(dataset)[0], gone)
    features(dataset)
    assert not gone.exists()
    delete_dataset(Workspace(tmp_path / "workspace"), "shop")
    assert not list((tmp_path / "workspace").rglob("*.tables"))


def test_a_log_stays_usable_when_its_files_are_removed(dataset: Dataset) -> None:
    log = open_log(dataset)
    expected = log.snapshot(CUTOFF, 90).features
    shutil.rmtree(dataset.folder.parent)
    pd.testing.assert_frame_equal(log.snapshot(CUTOFF, 90).features, expected, check_exact=True)
    log.close()
