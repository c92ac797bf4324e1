"""The audit log's chain: whatever somebody does to the file is found, with its place, or named as what is not found."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clv_core import audit, audit_chain
from clv_core.audit_chain import Head
from clv_core.errors import UsageError
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.upkeep.backup import audit_head, back_up, recover
from clv_core.workspace import Workspace
from tests.commands.conftest import done, run

ROOT = Path(__file__).resolve().parents[1]
LINES = 20
OLD = [
    f'{{"at": "2024-01-{day:02}T00:00:00+00:00", "who": "ana", "action": "train", "rows": {day}}}' for day in (1, 2, 3)
]
WRITER = """
import sys
from pathlib import Path
from clv_core import audit
for number in range(25):
    audit.note(Workspace(Path(sys.argv[1])), "train", rows=number, model=sys.argv[2])
""".replace("from clv_core import audit", "from clv_core import audit\nfrom clv_core.workspace import Workspace")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose log has :data:`LINES` lines."""
    made = Workspace(tmp_path / "workspace")
    for number in range(1, LINES + 1):
        audit.note(made, "train", rows=number)
    return made


def stored(workspace: Workspace) -> list[bytes]:
    return audit.path_of(workspace).read_bytes().splitlines()


def write(workspace: Workspace, lines: list[bytes]) -> None:
    audit.path_of(workspace).write_bytes(b"".join(line + b"\n" for line in lines))


def findings(workspace: Workspace, earlier: Head | None = None) -> list[tuple[str, int, int]]:
    """Return what is found: of which kind, the line's number (0 for none), its place in the file."""
    found = audit.verify(workspace, earlier).findings
    return [(one.code.removeprefix("audit.found."), one.params.get("number", 0), one.params["place"]) for one in found]


def edited(line: bytes) -> bytes:
    """Return a line that tells of another person."""
    assert b'"action": "train"' in line
    return line.replace(b'"action": "train"', b'"action": "score"')


def changed(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], edited(lines[at]), *lines[at + 1 :]]


def swapped(lines: list[bytes], first: int, second: int) -> list[bytes]:
    mixed = [*lines]
    mixed[first], mixed[second] = lines[second], lines[first]
    return mixed


def moved(lines: list[bytes], at: int, to: int) -> list[bytes]:
    rest = [*lines[:at], *lines[at + 1 :]]
    return [*rest[:to], lines[at], *rest[to:]]


def unhashed(lines: list[bytes], at: int) -> list[bytes]:
    """Return lines of which one lost its number and hash."""
    record = json.loads(lines[at])
    del record["number"], record["previous"]
    return [*lines[:at], json.dumps(record).encode(), *lines[at + 1 :]]


FORGED = b'{"at": "2024-01-01T00:00:00+00:00", "who": "mallory", "action": "train"}'
TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], list[tuple[str, int, int]]]] = {
    "changed": (lambda lines: changed(lines, 4), [("changed", 5, 5)]),
    "two changed": (lambda lines: changed(changed(lines, 4), 9), [("changed", 5, 5), ("changed", 10, 10)]),
    "first changed": (lambda lines: changed(lines, 0), [("changed", 1, 1)]),
    "made unreadable": (lambda lines: [*lines[:4], b"{", *lines[5:]], [("changed", 5, 5)]),
    "lost its hash": (lambda lines: unhashed(lines, 4), [("changed", 5, 5)]),
    "removed": (lambda lines: [*lines[:4], *lines[5:]], [("removed", 5, 5)]),
    "several removed": (lambda lines: [*lines[:4], *lines[7:]], [("removed_several", 5, 5)]),
    "first removed": (lambda lines: lines[1:], [("removed", 1, 1)]),
    "added": (lambda lines: [*lines[:4], FORGED, *lines[4:]], [("added", 0, 5)]),
    "added at the end": (lambda lines: [*lines, FORGED], [("unhashed", 21, 21)]),
    "repeated": (lambda lines: [*lines[:4], lines[10], *lines[4:]], [("added", 0, 5)]),
    "a forged one beside the true": (lambda lines: [*lines[:5], edited(lines[4]), *lines[5:]], [("added", 0, 6)]),
    "neighbours swapped": (lambda lines: swapped(lines, 4, 5), [("swapped", 5, 5)]),
    "two swapped": (lambda lines: swapped(lines, 4, 9), [("swapped", 5, 5)]),
    "the ends swapped": (lambda lines: swapped(lines, 0, 19), [("swapped", 1, 1)]),
    "moved to the end": (lambda lines: moved(lines, 2, 19), [("moved", 3, 20)]),
    "removed and changed": (
        lambda lines: changed([*lines[:4], *lines[5:]], 9),
        [("removed", 5, 5), ("changed", 11, 10)],
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found_with_its_place(workspace: Workspace, how: str) -> None:
    tamper, expected = TAMPERED[how]
    assert findings(workspace) == [] and audit.verify(workspace).head.count == LINES
    write(workspace, tamper(stored(workspace)))
    assert findings(workspace) == expected


def test_a_line_carries_the_hash_of_the_one_before(workspace: Workspace) -> None:
    lines = stored(workspace)
    records = [json.loads(line) for line in lines]
    assert [record["number"] for record in records] == list(range(1, LINES + 1))
    hashes = [hashlib.sha256(line).hexdigest() for line in lines]
    assert [record["previous"] for record in records] == ["0" * 64, *hashes[:-1]]
    assert audit.head(workspace) == Head(LINES, hashes[-1])


def test_an_end_cut_off_is_found_against_a_head_and_only_so(workspace: Workspace) -> None:
    head = audit.head(workspace)
    write(workspace, stored(workspace)[:15])
    assert findings(workspace) == []
    assert "audit.limit.end" in [limit.code for limit in audit.verify(workspace).limits]
    assert findings(workspace, head) == [("cut", 16, 16)]
    audit.note(workspace, "train", rows=1)
    assert findings(workspace, head) == [("cut", 17, 17)]


def test_the_last_line_and_a_log_rewritten_in_whole_are_found_against_a_head_and_only_so(workspace: Workspace) -> None:
    head, lines = audit.head(workspace), stored(workspace)
    write(workspace, changed(lines, LINES - 1))
    assert findings(workspace) == [] and findings(workspace, head) == [("rewritten", LINES, LINES)]
    audit.path_of(workspace).unlink()
    for number in range(LINES + 5):
        audit.note(workspace, "train", rows=number + 2)
    assert findings(workspace) == [] and findings(workspace, head) == [("rewritten", LINES, LINES)]
    assert "audit.limit.rewritten" in [limit.code for limit in audit.verify(workspace, head).limits]


def test_lines_after_a_head_are_no_sign_and_named_as_open(workspace: Workspace) -> None:
    head = audit.head(workspace)
    audit.note(workspace, "delete", dataset="shop")
    checked = audit.verify(workspace, head)
    assert checked.found == 0 and checked.limits[0].params == {"number": LINES}


def test_several_processes_at_once_write_one_chain(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], cwd=ROOT) for name in ("a", "b", "c")
    ]
    for _ in range(5):
        audit.prune(workspace, datetime.now(UTC) - timedelta(days=1))
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    written = [(line["model"], line["rows"]) for line in audit.lines(workspace)][::-1]
    assert sorted(written) == [(name, number) for name in ("a", "b", "c") for number in range(25)]
    assert findings(workspace) == [] and audit.head(workspace).count == 75


def test_the_first_line_of_this_version_seals_an_earlier_ones(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    old = [line.encode() for line in OLD]
    write(workspace, old)
    assert audit.head(workspace).count == 3 and findings(workspace) == []
    for number in range(4):
        audit.note(workspace, "train", rows=number)
    new, checked = stored(workspace), audit.verify(workspace)
    assert checked.found == 0 and checked.head.count == 7 and json.loads(new[3])["number"] == 4
    assert ("audit.limit.sealed", 3) in [(limit.code, limit.params.get("number")) for limit in checked.limits]
    for kind, lines in {
        "seal_changed": [edited(new[0]), *new[1:]],
        "seal_removed": new[1:],
        "seal_added": [FORGED, *new],
    }.items():
        write(workspace, lines)
        assert [one[0] for one in findings(workspace)] == [kind]
    write(workspace, [new[1], new[0], *new[2:]])
    assert [one[0] for one in findings(workspace)] == ["seal_changed"]
    write(workspace, changed(new, 5))
    assert findings(workspace) == [("changed", 6, 6)]


def test_an_earlier_releases_backup_is_compared_by_the_log_in_it(tmp_path: Path) -> None:
    archive = ROOT / "tests" / "frozen" / "0.1.0" / "workspace.zip"
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        log = packed.read("audit/log.jsonl").decode()
    assert "audit/log.jsonl" in names and "previous" not in log
    workspace = Workspace(tmp_path / "workspace")
    recover(archive, workspace.root, NoProgress())
    head = audit_head(archive)
    assert head.count == log.count("\n") and head == audit.head(workspace)
    audit.note(workspace, "train")
    assert findings(workspace, head) == []
    write(workspace, stored(workspace)[1:])
    assert [kind for kind, *_ in findings(workspace, head)] == ["seal_removed"]


def test_a_line_that_a_crash_cut_off_is_no_tampering_and_is_sealed(workspace: Workspace) -> None:
    with audit.path_of(workspace).open("ab") as file:
        file.write(b'{"at": "2024-0')
    (note,) = audit.verify(workspace).notes
    assert (note.code, note.params["number"]) == ("audit.note.torn", LINES + 1)
    audit.note(workspace, "delete", dataset="shop")
    audit.note(workspace, "delete", dataset="shop")
    checked = audit.verify(workspace)
    assert checked.found == 0 and checked.head.count == LINES + 3 and len(checked.notes) == 1
    lines = stored(workspace)
    write(workspace, [*lines[:LINES], b'{"at": "2025-0', *lines[LINES + 1 :]])
    assert findings(workspace) == [("changed", LINES + 1, LINES + 1)]


def test_a_long_line_and_a_long_log_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    audit.note(workspace, "train", model="m" * 3 * audit_chain.TAIL_BYTES)
    audit.note(workspace, "train")
    monkeypatch.setattr(audit_chain, "TAIL_BYTES", 64)
    for number in range(50):
        audit.note(workspace, "train", rows=number)
    assert findings(workspace) == [] and audit.head(workspace).count == 52


def age(workspace: Workspace, days: int, lines: int) -> None:
    """Let the first ``lines`` of a log be ``days`` old, and chain them anew."""
    old = [json.loads(line) for line in stored(workspace)]
    for record in old[:lines]:
        record["at"] = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
    path = audit.path_of(workspace)
    path.write_bytes(b"")
    for record in old:
        previous = audit.head(workspace)
        record |= {"previous": previous.hash}
        with path.open("a") as file:
            file.write(json.dumps(record) + "\n")


def test_pruning_leaves_a_sealed_checkpoint(workspace: Workspace) -> None:
    age(workspace, 100, 12)
    before, lines = audit.head(workspace), stored(workspace)
    limit = datetime.now(UTC) - timedelta(days=50)
    assert audit.prune(workspace, limit, dry_run=True) == 12 and stored(workspace) == lines
    assert audit.prune(workspace, limit) == 12
    assert audit.prune(workspace, limit) == 0
    assert audit.path_of(workspace).stat().st_mode & 0o077 == 0
    assert [line["rows"] for line in audit.lines(workspace)] == [12, *range(20, 12, -1)]
    checked = audit.verify(workspace, before)
    assert checked.found == 0 and checked.checkpoint == Head(12, hashlib.sha256(lines[11]).hexdigest())
    assert checked.head.count == LINES + 1
    audit.note(workspace, "train")
    assert findings(workspace, before) == []
    pruned = stored(workspace)
    for tampered, expected in (
        (changed(pruned, 4), [("changed", 16, 5)]),
        ([pruned[0], *pruned[2:]], [("removed", 13, 2)]),
        (pruned[1:], [("checkpoint", 0, 1), ("removed_several", 1, 1)]),
    ):
        write(workspace, tampered)
        assert sorted(findings(workspace)) == expected


def test_a_checkpoint_that_no_pruning_wrote_is_found(workspace: Workspace) -> None:
    lines = stored(workspace)
    forged = {"action": "checkpoint", "checkpoint": f"5:{hashlib.sha256(lines[4]).hexdigest()}"}
    write(workspace, [json.dumps(forged).encode(), *lines[5:]])
    assert findings(workspace) == [("checkpoint", 5, 1)]


def test_a_head_from_before_the_checkpoint_is_said_to_be_too_old(workspace: Workspace) -> None:
    old = Head(3, hashlib.sha256(stored(workspace)[2]).hexdigest())
    age(workspace, 100, 12)
    audit.prune(workspace, datetime.now(UTC) - timedelta(days=50))
    checked = audit.verify(workspace, old)
    assert checked.found == 0 and [note.code for note in checked.notes] == ["audit.note.pruned"]


def test_an_earlier_versions_log_is_pruned_within_its_seal(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, [line.encode() for line in OLD])
    audit.note(workspace, "train")
    assert audit.prune(workspace, datetime(2024, 1, 3, tzinfo=UTC)) == 2
    assert findings(workspace) == [] and audit.head(workspace).count == 5
    lines = stored(workspace)
    write(workspace, [lines[0], edited(lines[1]), *lines[2:]])
    assert [one[0] for one in findings(workspace)] == ["seal_changed"]


def test_pruning_a_log_that_was_tampered_with_says_so(workspace: Workspace) -> None:
    write(workspace, changed(stored(workspace), 3))
    assert audit.prune(workspace, datetime.now(UTC) + timedelta(days=1)) == LINES
    (line,) = audit.lines(workspace)
    assert (line["action"], line["rows"], line["findings"]) == ("audit prune", LINES, 1)


def test_a_backup_holds_the_head_and_the_commands_compare_with_it(workspace: Workspace, tmp_path: Path) -> None:
    archive = tmp_path / "backup.zip"
    assert back_up(workspace, archive, NoProgress())["audit"] == done(workspace, "audit", "head")["head"]
    assert str(audit_head(archive)) == done(workspace, "audit", "head")["head"]
    with zipfile.ZipFile(archive) as packed:
        assert json.loads(packed.read("backup.json"))["audit"] == str(audit.head(workspace))
    answer = done(workspace, "audit", "verify", "--backup", archive)
    assert answer["findings"] == 0 and answer["compared"] == answer["head"]
    write(workspace, stored(workspace)[:15])
    assert done(workspace, "audit", "verify")["findings"] == 0
    code, answer = run(workspace, "audit", "verify", "--backup", archive)
    assert code == 5 and answer["error"]["code"] == "audit_tampered"
    (found,) = answer["result"]["found"]
    assert found["code"] == "found.cut" and "lines 16 to 20" in found["message"]
    assert run(workspace, "audit", "verify", "--head", answer["result"]["compared"])[0] == 5
    assert run(workspace, "audit", "verify", "--head", "20:nonsense")[0] == 2
    assert run(workspace, "audit", "verify", "--backup", audit.path_of(workspace))[0] == 4


def test_the_command_prunes_what_was_written_before_a_day(workspace: Workspace) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    counted = done(workspace, "audit", "prune", "--before", tomorrow, "--dry-run")
    assert counted["removed"] == LINES and len(stored(workspace)) == LINES
    assert done(workspace, "audit", "prune", "--before", tomorrow)["removed"] == LINES
    assert done(workspace, "audit", "verify")["pruned"] == LINES


@pytest.mark.parametrize("text", ["", "5", "5:abc", "-1:" + "0" * 64, "٣:" + "0" * 64, "1" * 13 + ":" + "0" * 64])
def test_a_text_that_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Head.parse(text)
    assert str(Head.parse(" 5:" + "AB" * 32)) == "5:" + "ab" * 32


def test_what_is_found_is_said_in_both_languages(workspace: Workspace) -> None:
    write(workspace, swapped(stored(workspace), 4, 9))
    (found,) = audit.verify(workspace).findings
    texts = {language: found.text(language) for language in LANGUAGES}
    assert texts["en"].startswith("Lines 5 and 10 were swapped") and "第 5 行与第 10 行" in texts["zh"]


def test_a_log_of_thousands_of_findings_lists_the_first_and_counts_all(workspace: Workspace) -> None:
    write(workspace, [*stored(workspace), *[FORGED] * 300, stored(workspace)[0]])
    checked = audit.verify(workspace)
    assert checked.found >= 300 and len(checked.findings) == audit_chain.MAX_FINDINGS
