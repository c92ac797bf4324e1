"""Datasets on disk: stored whole, listed, opened with every canonical column, deleted for good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ibis
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import (
    Manifest,
    delete_dataset,
    derive,
    list_datasets,
    open_dataset,
    restore,
    versions,
)
from clv_core.columns import COLUMNS, Kind
from clv_core.errors import Message, NotFound, Refused
from clv_core.i18n import LANGUAGES
from clv_core.workspace import Workspace, write_json

pytestmark = pytest.mark.first(3)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    file = tmp_path / "log.csv"
    file.write_text("customer_id,event_time,amount,colour\na,2024-01-01,5,red\nb,2024-01-09,7.25,\n")
    workspace = Workspace(tmp_path / "workspace")
    for name in ("b shop", "a"):
        ingest(workspace, file, name)
    return workspace


def test_every_canonical_column_is_there_with_its_type(workspace: Workspace) -> None:
    connection = ibis.duckdb.connect()
    events = open_dataset(workspace, "a").events(connection)
    wanted = {Kind.TEXT: "string", Kind.NUMBER: "float64", Kind.TIME: "timestamp"}
    for column in COLUMNS:
        assert str(events.schema()[column.name]).startswith(wanted[column.kind])
    assert events.columns[-1] == "colour"
    table = events.order_by("customer_id").to_pyarrow().to_pylist()
    connection.disconnect()
    assert [(row["amount"], row["colour"], row["rating"]) for row in table] == [(5.0, "red", None), (7.25, None, None)]


def test_listing_opening_deleting(workspace: Workspace) -> None:
    assert [dataset.name for dataset in list_datasets(workspace)] == ["a", "b shop"]
    dataset = open_dataset(workspace, "a")
    assert str(dataset.log_start) == "2024-01-01" and str(dataset.log_end) == "2024-01-10"
    assert Manifest.from_json(dataset.manifest.to_json()) == dataset.manifest
    assert dataset.events_path.exists() and dataset.rejected_path.exists()
    delete_dataset(workspace, "a")
    assert not dataset.folder.exists() and [item.name for item in list_datasets(workspace)] == ["b shop"]
    with pytest.raises(NotFound, match="b shop"):
        open_dataset(workspace, "a")


def test_a_manifest_of_a_later_version_is_refused(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "a")
    path, about = dataset.folder / "manifest.json", dataset.manifest.to_json()
    write_json(path, {**about, "format": 3, "of a later version": 1})
    with pytest.raises(Refused, match=r"manifest\.json was made by a later version .*format 3; this one reads up to 1"):
        open_dataset(workspace, "a")
    assert write_json(path, {**about, "format": 1}) or open_dataset(workspace, "a") == dataset
    for unknown in ({**about, "of nobody": 1}, {**about, "parts": [{**about["parts"][0], "of nobody": 1}]}):
        write_json(path, unknown)
        with pytest.raises(Refused) as refused:
            open_dataset(workspace, "a")
        assert refused.value.code == "dataset_damaged"


def test_a_stored_manifest_is_written_again_as_it_was(workspace: Workspace) -> None:
    path = open_dataset(workspace, "a").folder / "manifest.json"
    stored = path.read_text(encoding="utf-8")
    write_json(path, open_dataset(workspace, "a").manifest.to_json())
    assert path.read_text(encoding="utf-8") == stored


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".", "con", "x" * 80, "a\0b"])
def test_names_that_would_leave_the_workspace_are_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(Refused):
        open_dataset(workspace, name)


def test_a_derived_version_shares_what_is_not_new_and_every_version_can_be_returned_to(workspace: Workspace) -> None:
    first = open_dataset(workspace, "a")
    later = {"version": "0123456789ab", "created": "2999-01-01T00:00:00+00:00", "parent": first.version}
    second = derive(first, replace(first.manifest, **later))
    assert second.events_path.samefile(first.events_path)
    assert [item.version for item in versions(workspace, "a")] == ["0123456789ab", first.version]
    assert open_dataset(workspace, "a") == second
    assert restore(workspace, "a", first.version) == first == open_dataset(workspace, "a")
    assert len(versions(workspace, "a")) == 2
    with pytest.raises(NotFound, match=first.version):
        restore(workspace, "a", "ffffffffffff")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["current.json", "manifest.json", "events.parquet"])
@pytest.mark.parametrize("rest", [None, 0, 0.5])
def test_a_file_that_a_failing_disk_cut_off_or_lost_is_named(
    workspace: Workspace, file: str, rest: float | None
) -> None:
    dataset = open_dataset(workspace, "b shop")
    path = (dataset.folder.parent if file == "current.json" else dataset.folder) / file
    content = path.read_bytes()
    path.unlink()
    if rest is not None:
        path.write_bytes(content[: int(rest * len(content))])
    elif file == "current.json":
        assert [one.name for one in list_datasets(workspace)] == ["a"]  # as of one that was never stored to its end
        return
    for call in (lambda: open_dataset(workspace, "b shop"), lambda: list_datasets(workspace)):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.code == "dataset_damaged" and refused.value.params["path"] == str(path)
    path.write_bytes(content)
    assert open_dataset(workspace, "b shop") == dataset


def test_warnings_of_earlier_releases_are_shown_under_their_code_now(workspace: Workspace) -> None:
    about = open_dataset(workspace, "a").manifest.to_json()
    before = {"rows": 3, "days": 700, "day": "2024-01-01", "others": "2022-01-31"}
    of_phones = {"customers": 4, "people": 2, "examples": ["0170 1", "+49 170 1"]}
    stored = [
        Message("warning.far_after", before),
        Message("warning.customers_of_one", {"name": "a", "left": []}),
        Message("warning.similar_phones", of_phones),
    ]
    manifest = Manifest.from_json(about | {"warnings": [message.coded() for message in stored]})
    codes = [message.code.removeprefix("warning.") for message in manifest.messages]
    assert codes == ["far_dates", "customers_of", "similar_phones"]
    for language in LANGUAGES:
        sentences = [message.text(language) for message in manifest.messages]
        assert "2022-01-31" in sentences[0] and "a" in sentences[1] and "+49 170 1" in sentences[2]


def test_a_dataset_with_a_warning_that_is_given_no_more_opens_without_it(workspace: Workspace) -> None:
    about = open_dataset(workspace, "a").manifest.to_json()
    stored = [Message("warning.spelt_mails", {"column": "email"}), Message("warning.cancelled", {"rows": 2})]
    manifest = Manifest.from_json(about | {"warnings": [message.coded() for message in stored]})
    assert manifest.messages == (stored[1],)
