"""A model whose files were changed and sealed again: refused when it is imported, or it scores; never a failure."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.deployment.bundle import HISTORY, RECORD, REFERENCE, STATE, WEIGHTS, Bundle, sealed
from clv_core.deployment.dataset_scoring import snapshot_of
from clv_core.deployment.model_archive.import_export import check_files
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.scoring_warnings import lost_signal_warnings
from clv_core.errors import Refused
from clv_core.features.snapshot import Snapshot
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.training.fit import MODELS
from clv_core.upkeep.demo import SAMPLE, SHIPPED
from clv_core.workspace import Workspace, read_json
from tests.deployment.model_archive.damage import damaged
from tests.records import address

pytestmark = pytest.mark.first(2)

Files = dict[str, bytes]
MODEL = SHIPPED / "workspace" / "models" / read_json(SHIPPED / "record.json")["models"][-1]
LEARNED = {"attributes": [{"name": "age", "kind": "number", "dated_by": None}], "review_themes": [["good", "bad"]]}


@pytest.fixture(scope="module")
def files() -> Files:
    """Return the files of the hybrid inside the blend that ships; it says that it learned from an attribute."""
    found = {name: (MODEL / name).read_bytes() for name in (HISTORY, *REFERENCE)}
    whole, record = (json.loads((MODEL / name).read_bytes()) for name in (STATE, RECORD))
    tensors = load((MODEL / WEIGHTS).read_bytes())
    own = {name.removeprefix("hybrid."): value for name, value in tensors.items() if name.startswith("hybrid.")}
    found |= {WEIGHTS: save(own), STATE: json.dumps(whole["hybrid"]).encode()}
    return resealed(found, {**record, "model": "hybrid", "config": whole["hybrid"]["config"], "signals": LEARNED})


@pytest.fixture(scope="module")
def seen(files: Files, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Snapshot]:
    """Return the sample, and a few customers as the model wants to see them."""
    workspace = Workspace(tmp_path_factory.mktemp("damage"))
    ingest(workspace, SAMPLE, "sample")
    dataset = open_dataset(workspace, "sample")
    record = ModelRecord.from_json(json.loads(files[RECORD]))
    everyone = snapshot_of(Bundle(Path(), record), dataset, None, NoProgress())
    return dataset, everyone.take(range(0, len(everyone), 50))


def resealed(files: Files, record: Any) -> Files:
    """Return files with checksums, address and seal that match, where the record is one."""
    kept = {name: content for name, content in files.items() if name != RECORD}
    if not isinstance(record, dict):
        return {**kept, RECORD: json.dumps(record).encode()}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in kept.items()}
    if isinstance(record.get("checksums"), dict):
        record = {**record, "checksums": sums}
    if "digest" in record and isinstance(record.get("dataset"), dict) and "version" in record["dataset"]:
        record = {**record, "digest": address(record, {name: sums[name] for name in (STATE, WEIGHTS)})}
    return {**kept, RECORD: sealed(record).encode()}


def outcome(files: Files, seen: tuple[Dataset, Snapshot]) -> str:
    """Import, score and speak of it; return ``refused``, ``scored``, or ``impossible`` where scoring refused."""
    dataset, few = seen
    try:
        record = check_files(files)
    except Refused as error:
        assert all(error.message(language) for language in LANGUAGES)
        return "refused"
    assert all(one.text() for one in lost_signal_warnings(Bundle(Path(), record), dataset))
    for reason in (*record.trust.reasons, *record.warnings):
        assert all(reason.text(language) for language in LANGUAGES)
    model = MODELS[record.model].load(load(files[WEIGHTS]), json.loads(files[STATE]))
    try:
        assert len(model.predict(few)) == len(few)
    except Refused as error:
        assert error.code == "impossible_predictions"
        return "impossible"
    return "scored"


def test_one_of_a_version_with_fewer_settings_scores(files: Files, seen: tuple[Dataset, Snapshot]) -> None:
    state = json.loads(files[STATE])
    del state["config"]["delete_features"]
    earlier = {**files, STATE: json.dumps(state).encode()}
    assert outcome(resealed(earlier, json.loads(files[RECORD])), seen) == "scored"


def variants(files: Files, member: str, count: int = 0, under: str = "") -> Iterator[tuple[str, Files]]:
    """Yield damaged variants of one JSON file of a bundle."""
    for what, changed in damaged(json.loads(files[member]), 2, count, under):
        if member == RECORD:
            yield what, resealed(files, changed)
        else:
            yield what, resealed({**files, member: json.dumps(changed).encode()}, json.loads(files[RECORD]))


@pytest.mark.parametrize("under", ["attributes", "review_themes"])
def test_signals_of_other_types_are_refused(files: Files, seen: tuple[Dataset, Snapshot], under: str) -> None:
    """19 of 1,504 damaged variants were accepted and ended in a TypeError at scoring: all of them here."""
    found = {what: outcome(changed, seen) for what, changed in variants(files, RECORD, under=f"signals.{under}")}
    kept = {what for what, came in found.items() if came == "scored"}
    assert len(found) > 15 and "impossible" not in found.values()
    assert not [what for what in kept if "None" in what.replace("dated_by", "") or " = 5" in what or "True" in what]


@pytest.mark.examples(2)
@pytest.mark.parametrize(("member", "count"), [(RECORD, 40), (STATE, 60), (HISTORY, 10), (REFERENCE[0], 10)])
def test_damaged_json_is_refused_or_scores(
    files: Files, seen: tuple[Dataset, Snapshot], member: str, count: int
) -> None:
    found = [outcome(changed, seen) for _, changed in variants(files, member, count)]
    assert len(found) == count and found.count("refused") >= count / 3


def test_a_text_for_a_number_in_an_encoder_is_refused(files: Files, seen: tuple[Dataset, Snapshot]) -> None:
    for field in ("unit", "fill", "mean", "spread", "low", "high"):
        changed = json.loads(files[STATE])
        number = next(one for one in changed["encoder"]["table"]["encoders"] if "unit" in one)
        number[field] = str(number[field])
        forged = resealed({**files, STATE: json.dumps(changed).encode()}, json.loads(files[RECORD]))
        assert outcome(forged, seen) == "refused"


def test_damaged_weights_are_refused_or_score_or_are_refused_at_scoring(
    files: Files, seen: tuple[Dataset, Snapshot]
) -> None:
    chance, found = random.Random(3), list[str]()
    for number in range(20):
        content = bytearray(files[WEIGHTS])
        place = chance.randrange(len(content) * 8)
        content[place // 8] ^= 1 << place % 8
        whole = bytes(content) if number % 4 else bytes(content[: chance.randrange(len(content))])
        found.append(outcome(resealed({**files, WEIGHTS: whole}, json.loads(files[RECORD])), seen))
    tensors = load(files[WEIGHTS])
    for name in tensors:
        huge = save({**tensors, name: np.full_like(tensors[name], 1e30)})
        found.append(outcome(resealed({**files, WEIGHTS: huge}, json.loads(files[RECORD])), seen))
    assert found.count("refused") >= 5 and found.count("scored") > 10
