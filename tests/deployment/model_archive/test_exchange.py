"""Bundles out and in: what comes back is the same model, and nothing hostile comes in or is run."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
import shutil
import stat
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.deployment.bundle import HOLDOUT, RECORD, STATE, WEIGHTS, sealed
from clv_core.deployment.model_archive.archive_reader import CARD, MAX_RATIO
from clv_core.deployment.model_archive.import_export import export_bundle, import_bundle
from clv_core.deployment.registry import Registry
from clv_core.errors import ClvError, Refused, UsageError
from clv_core.i18n import LANGUAGES
from clv_core.workspace import Workspace
from tests.deployment.model_archive.hostile import hostile
from tests.deployment.registry import tiny
from tests.records import address

Files = dict[str, bytes]
_unpickled: list[str] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("pickle."):
        _unpickled.append(event)


@pytest.fixture(scope="module")
def unpickled() -> list[str]:
    """Return the list that every reading of a pickle in this process adds to."""
    sys.addaudithook(_audit)
    pickle.loads(b"cbuiltins\nlen\n.")
    assert _unpickled.pop() == "pickle.find_class"
    return _unpickled


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the files of a sound export, with its holdout."""
    folder = tmp_path_factory.mktemp("good")
    workspace = Workspace(folder / "workspace")
    version = Registry(workspace).register(tiny.save(workspace, 5, held=True))
    export_bundle(workspace, version, folder / "good.zip", holdout=True)
    with zipfile.ZipFile(folder / "good.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes], target: Path, change: Callable[[zipfile.ZipFile], None] | None = None) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if change is not None:
            change(archive)
    return target


def resealed(files: Files, **changed: Any) -> Files:
    """Return files whose record was changed, with checksums, address and seal that match again: a careful forger."""
    record = {**json.loads(files[RECORD]), **changed}
    kept = {name: content for name, content in files.items() if name not in (RECORD, CARD)}
    if "checksums" not in changed:
        record["checksums"] = {name: hashlib.sha256(content).hexdigest() for name, content in kept.items()}
        sums = {name: record["checksums"][name] for name in (STATE, WEIGHTS) if name in record["checksums"]}
        record["digest"] = address(record, sums)
    return {**kept, RECORD: sealed(record).encode()}


def refused(workspace: Workspace, path: Path) -> Refused:
    """Import, which must be refused with a sentence in each language and leave nothing behind."""
    with pytest.raises(Refused) as error:
        import_bundle(workspace, path)
    for language in LANGUAGES:
        assert error.value.message(language).strip()
    assert Registry(workspace).versions() == []
    assert not workspace.root.exists() or [item for item in workspace.root.rglob("*") if item.is_file()] == []
    return error.value


def tensors(**changed: Any) -> bytes:
    from safetensors.numpy import save

    arrays = {**tiny.model(5).state()[0], **changed}
    return save({name: value for name, value in arrays.items() if value is not None})


def state(**changed: Any) -> bytes:
    values = {**tiny.model(5).state()[1], **changed}
    return json.dumps({name: value for name, value in values.items() if value != "missing"}).encode()


def test_what_comes_in_is_the_same_model_without_its_customers(tmp_path: Path, workspace: Workspace) -> None:
    registry = Registry(workspace)
    version = registry.register(tiny.save(workspace, 1, held=True))
    names = export_bundle(workspace, version, tmp_path / "one.zip", language="zh")
    assert export_bundle(workspace, version, tmp_path / "two.zip", language="zh") == names
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert HOLDOUT not in names and CARD in names
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert not any(b"customer-7" in archive.read(name) for name in archive.namelist())
    other = Workspace(tmp_path / "other")
    came = import_bundle(other, tmp_path / "one.zip", name="store")
    assert (came.name, came.number, came.role, came.source) == ("store", 1, "champion", "imported")
    assert came.digest == version.digest and came.record.dataset.name == "store"
    served = Registry(other).serving("store").bundle
    assert served.holdout() is None
    ours, theirs = (bundle.model.state() for bundle in (registry.open(version), served))
    assert ours[1] == theirs[1] and all(np.array_equal(value, theirs[0][name]) for name, value in ours[0].items())
    assert import_bundle(other, tmp_path / "one.zip", name="store").number == 1
    assert import_bundle(workspace, tmp_path / "one.zip").number == 1


def test_an_export_has_a_zip_s_name_and_only_of_a_sound_version(tmp_path: Path, workspace: Workspace) -> None:
    version = Registry(workspace).register(tiny.save(workspace, 1))
    with pytest.raises(UsageError):
        export_bundle(workspace, version, tmp_path / "model.pkl")
    (workspace.models / version.bundle / STATE).write_text("{}")
    with pytest.raises(Refused):
        export_bundle(workspace, version, tmp_path / "model.zip")
    assert list(tmp_path.glob("*.zip")) == []


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("history.json")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("history.json", b"0" * 20_000_000)


def many(archive: zipfile.ZipFile) -> None:
    for number in range(40):
        archive.writestr(f"{number}.json", "")


def twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning):
        archive.writestr(RECORD, "{}")


HOSTILE_ENTRIES: dict[str, tuple[str, Callable[[zipfile.ZipFile], None]]] = {
    "climbing": ("import_path", lambda archive: archive.writestr("../../evil.json", "{}")),
    "absolute": ("import_path", lambda archive: archive.writestr("/etc/evil.json", "{}")),
    "backslash": ("import_path", lambda archive: archive.writestr("..\\evil.json", "{}")),
    "drive": ("import_path", lambda archive: archive.writestr("C:evil.json", "{}")),
    "folder": ("import_path", lambda archive: archive.writestr("folder/", "")),
    "hidden": ("import_path", lambda archive: archive.writestr(".bundle.json", "{}")),
    "link": ("import_path", link),
    "pickle": ("import_pickle", lambda archive: archive.writestr("data.pkl", b"\x80\x04.")),
    "torch": ("import_pickle", lambda archive: archive.writestr("archive/weights.pt", b"\x80\x04.")),
    "foreign": ("import_member", lambda archive: archive.writestr("run.py", "print()")),
    "twice": ("import_member", twice),
    "many": ("import_too_large", many),
    "bomb": ("import_too_large", bomb),
}


@pytest.mark.parametrize("kind", HOSTILE_ENTRIES)
def test_a_zip_that_holds_what_no_bundle_holds_is_refused(
    tmp_path: Path, good: Files, workspace: Workspace, kind: str
) -> None:
    code, change = HOSTILE_ENTRIES[kind]
    files = {name: content for name, content in good.items() if name != "history.json"}
    refusal = refused(workspace, packed(files, tmp_path / "x" / "bad.zip", change))
    assert refusal.code == code and refusal.params.get("megabytes", 1) > 0
    assert [path.name for path in tmp_path.rglob("evil*")] == []


def test_a_compressed_file_is_measured_by_what_comes_out_of_it(
    tmp_path: Path, good: Files, workspace: Workspace
) -> None:
    """A zip may say that a file is small: its own word does not count."""
    path = packed({**good, "history.json": b"0" * 20_000_000}, tmp_path / "bad.zip")
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        claimed = struct.pack("<L", archive.getinfo("history.json").file_size)
        assert archive.getinfo("history.json").file_size / archive.getinfo("history.json").compress_size > MAX_RATIO
    path.write_bytes(content.replace(claimed, struct.pack("<L", 100)))
    assert refused(workspace, path).code in ("import_too_large", "import_format")


@pytest.mark.parametrize("name", [STATE, "history.json"])
def test_json_too_large_for_a_model_is_refused_before_it_is_read(
    tmp_path: Path, good: Files, workspace: Workspace, name: str
) -> None:
    """64 MB of ``state.json`` took 1.6 GB of memory. Noise, so that no bound on compression comes first."""
    noise = json.dumps([np.random.default_rng(0).bytes(4_500_000).hex()]).encode()
    error = refused(workspace, packed({**good, name: noise}, tmp_path / "bad.zip"))
    assert (error.code, error.params["member"], error.params["megabytes"]) == ("import_too_large", name, 8)


@pytest.mark.parametrize("name", [RECORD, STATE, WEIGHTS, "history.json"])
def test_a_part_that_is_missing_is_named(tmp_path: Path, good: Files, workspace: Workspace, name: str) -> None:
    files = {key: content for key, content in good.items() if key != name}
    error = refused(workspace, packed(files, tmp_path / "bad.zip"))
    assert (error.code, error.params["member"]) == ("import_missing", name)


@pytest.mark.parametrize("name", [RECORD, STATE, WEIGHTS, "history.json", HOLDOUT])
def test_a_changed_byte_is_refused(tmp_path: Path, good: Files, workspace: Workspace, name: str) -> None:
    content = bytearray(good[name])
    place = content.index(b"EUR") if name == RECORD else len(content) // 2
    content[place] ^= 1
    error = refused(workspace, packed({**good, name: bytes(content)}, tmp_path / "bad.zip"))
    assert error.code in ("import_checksum", "import_json")


FORGED: dict[str, tuple[str, dict[str, bytes]]] = {
    "nan weights": ("import_not_finite", {WEIGHTS: tensors(zero=np.full(101, np.nan))}),
    "infinite weights": ("import_not_finite", {WEIGHTS: tensors(edges=np.full(9, np.inf))}),
    "another shape": ("import_mismatch", {WEIGHTS: tensors(shares=np.zeros(3))}),
    "too few quantiles": ("import_mismatch", {WEIGHTS: tensors(ratios=np.zeros((10, 5)))}),
    "a tensor missing": ("import_mismatch", {WEIGHTS: tensors(zero=None)}),
    "a tensor too many": ("import_mismatch", {WEIGHTS: tensors(more=np.zeros(2))}),
    "another type": ("import_header", {WEIGHTS: tensors(shares=np.zeros(6, np.float16))}),
    "no safetensors": ("import_header", {WEIGHTS: pickle.dumps(print)}),
    "a method replaced": ("import_mismatch", {STATE: state(predict="x")}),
    "a class replaced": ("import_mismatch", {STATE: state(__class__="x")}),
    "a state missing": ("import_mismatch", {STATE: state(largest_="missing")}),
    "a state of text": ("import_mismatch", {STATE: state(largest_="many")}),
    "a chance above one": ("import_mismatch", {STATE: state(never_share_=7.0)}),
    "another horizon": ("import_mismatch", {STATE: state(horizon_days_=30)}),
    "no object": ("import_mismatch", {STATE: b"[]"}),
    "nested state": ("import_json", {STATE: b'{"a":' * 100_000 + b"1" + b"}" * 100_000}),
    "not a number": ("import_json", {STATE: state().replace(b"500.0", b"NaN")}),
    "endless": ("import_json", {STATE: state().replace(b"500.0", b"1e999")}),
    "a name twice": ("import_json", {STATE: state().replace(b"{", b'{"largest_": 1.0, ', 1)}),
    "no text": ("import_json", {STATE: b"\xff\xfe"}),
    "a foreign history": ("import_field", {"history.json": b'[{"loss": "x"}]'}),
    "no table": ("import_table", {HOLDOUT: b"PAR1"}),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forger_who_seals_again_is_refused_for_what_it_is(
    tmp_path: Path, good: Files, workspace: Workspace, unpickled: list[str], kind: str
) -> None:
    code, changed = FORGED[kind]
    unpickled.clear()
    path = packed(resealed({**good, **changed}), tmp_path / "bad.zip")
    assert refused(workspace, path).code == code
    assert unpickled == []


def test_a_holdout_with_other_columns_or_values_is_refused(tmp_path: Path, good: Files, workspace: Workspace) -> None:
    for number, frame in enumerate(
        (
            tiny.holdout().drop(columns="actual"),
            tiny.holdout().assign(email="a@b.c"),
            tiny.holdout().assign(actual=np.inf),
            tiny.holdout().assign(actual="4"),
            tiny.holdout().assign(actual=pd.Series([1.0, None])),
        )
    ):
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        path = packed(resealed({**good, HOLDOUT: buffer.getvalue()}), tmp_path / f"{number}.zip")
        assert refused(workspace, path).code == "import_table"


def trust(verdict: str, code: str) -> dict[str, Any]:
    return {"trust": {"verdict": verdict, "reasons": [{"code": code, "params": {}}]}}


RECORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "a climbing name": ("dataset.name", {"dataset": {"name": "../../tmp/x", "version": "0123456789ab"}}),
    "a climbing version": ("dataset.version", {"dataset": {"name": "shop", "version": "1/../../x"}}),
    "an unknown model": ("model", {"model": "os.system"}),
    "a horizon of centuries": ("horizon_days", {"horizon_days": 90_000}),
    "an unknown setting": ("config", {"config": {**tiny.record(5)["config"], "shell": "rm"}}),
    "a setting out of bounds": ("config", {"config": {**tiny.record(5)["config"], "mlp_width": 10**9}}),
    "settings of another model": ("config", {"config": {**tiny.record(5)["config"], "model": "bgnbd"}}),
    "an unknown verdict": ("trust.verdict", trust("great", "reason.unvalidated")),
    "a reason without its values": ("trust", trust("caution", "reason.unvalidated")),
    "a reason that there is not": ("trust", trust("caution", "reason.made_up")),
    "no checksums": ("checksums", {"checksums": {}}),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_that_says_what_it_cannot_is_refused(
    tmp_path: Path, good: Files, workspace: Workspace, kind: str
) -> None:
    field, changed = RECORDS[kind]
    error = refused(workspace, packed(resealed(good, **changed), tmp_path / "bad.zip"))
    if field == "checksums":
        assert error.code in ("import_checksum", "import_missing")
    else:
        assert error.code == "import_field" and error.params["field"].startswith(field)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.zip", "model.txt", "model.pt"])
def test_a_file_of_another_kind_is_refused_unopened(
    tmp_path: Path, workspace: Workspace, unpickled: list[str], name: str
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return Path.mkdir, (tmp_path / "PWNED",)  # type: ignore[return-value]

    path = tmp_path / name
    path.write_bytes(pickle.dumps(Evil()))
    unpickled.clear()
    assert refused(workspace, path).code == "import_format"
    assert unpickled == [] and not (tmp_path / "PWNED").exists()


def test_the_hostile_pickle_would_act_if_it_were_read(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    pickle.loads(hostile(mark)["evil.pkl"][0])
    assert mark.is_dir()


@pytest.mark.parametrize("name", hostile(Path()))
def test_a_hostile_file_is_refused_alone_and_wherever_a_bundle_may_hold_it(
    tmp_path: Path, good: Files, workspace: Workspace, unpickled: list[str], name: str
) -> None:
    mark = tmp_path / "ran"
    content, asked = hostile(mark)[name]
    alone = tmp_path / name
    alone.write_bytes(content)
    unpickled.clear()
    assert re.search(asked, refused(workspace, alone).message(), re.IGNORECASE)
    place = WEIGHTS if not name.endswith(".json") else STATE
    inside = packed(resealed({**good, place: content}), tmp_path / "inside.zip")
    assert refused(workspace, inside).code.startswith("import_")
    beside = packed({**good, name: content}, tmp_path / "beside.zip")
    assert refused(workspace, beside).code in ("import_pickle", "import_member")
    record = packed({**good, RECORD: content}, tmp_path / "record.zip")
    assert refused(workspace, record).code in ("import_json", "import_field")
    assert unpickled == [] and not mark.exists()


def test_every_refusal_is_an_error_of_ours(tmp_path: Path, good: Files, workspace: Workspace) -> None:
    """Damaged archives: never anything but a refusal in words, or the very model that was exported."""
    path = packed({name: content for name, content in good.items() if name != HOLDOUT}, tmp_path / "good.zip")
    content, random = path.read_bytes(), np.random.default_rng(11)
    kept = 0
    for _ in range(150):
        changed = bytearray(content)
        for place in random.integers(0, len(content), random.integers(1, 4)):
            changed[place] ^= 1 << int(random.integers(8))
        path.write_bytes(changed[: len(changed) if random.random() < 0.8 else int(random.integers(len(changed)))])
        try:
            assert import_bundle(workspace, path).digest == json.loads(good[RECORD])["digest"]
            kept += 1
            shutil.rmtree(workspace.root)
        except ClvError:
            continue
    assert kept < 75
