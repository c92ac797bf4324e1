"""A write leaves the old or the new, never a half; a name is safe or refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clv_core.errors import Refused, UsageError
from clv_core.workspace import Workspace, atomic_path, check_name, read_json, write_json, write_text

BAD_NAMES = (
    # out of the folder: upwards, absolute, a drive, a share, escaped once and twice, overlong, into folders, home
    *("../../etc/passwd", "..\\..\\evil.csv", "/etc/cron.d/x.csv", "C:\\Windows\\x.csv"),
    *("\\\\attacker.example\\share\\x.csv", "%2e%2e%2fx.csv", "%252e%252e%252fx.csv", "..%c0%af..%c0%afx.csv"),
    *("a/b/c.csv", "~/.ssh/authorized_keys", "file:///etc/passwd", "model\u2215name", "..", "."),
    # hidden, empty, too long for a file system, or a device of Windows
    *(".csv", "", " ", "x.csv.", "x" * 252 + ".csv", "\U00020000" * 64, "con.csv", "nul", "AUX.csv"),
    # read as something else: by C, in a header, as markup, by a shell, as an option, a formula, against its direction
    *("x.csv\0.png", "x\r\nSet-Cookie: a=b.csv", "<img src=x onerror=alert(1)>.csv", '"; rm -rf ~;.csv', "x;y.csv"),
    *("$(touch here).csv", "`id`.csv", "-rf.csv", "=1+1.csv", "\u202evsc.exe"),
)
GOOD_NAMES = ["cdnow", "CDNOW 1997-12-31", "数据 文件", "x.csv", "shop_2.v1", "é", "2024", "数" * 53]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(Refused) as caught:
        check_name(name)
    assert caught.value.code == "bad_name"
    assert caught.value.message("en") and caught.value.message("zh")


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names_stay_as_they_are(name: str) -> None:
    assert check_name(name) == name


@given(st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_accepted_name_is_one_folder_below_its_parent(tmp_path: Path, name: str) -> None:
    try:
        accepted = check_name(name)
    except Refused:
        return
    made = tmp_path / accepted
    made.mkdir(exist_ok=True)
    assert made.resolve().parent == tmp_path.resolve()
    assert made.name in os.listdir(tmp_path)


def test_surrounding_blanks_are_taken_off() -> None:
    assert check_name("  shop ") == check_name("shop\n") == "shop"


def test_default_workspace_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLV_WORKSPACE", str(tmp_path / "elsewhere"))
    assert Workspace.default().root == tmp_path / "elsewhere"
    monkeypatch.delenv("CLV_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    assert Workspace.default().root == tmp_path / "workspace"


def test_a_workspace_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError) as caught:
        _ = Workspace(tmp_path / "file").datasets
    assert caught.value.code == "workspace_not_writable" and "file" in caught.value.message("zh")


def test_an_error_while_writing_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    write_json(target, {"version": 1})
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(target) == {"version": 1} and os.listdir(tmp_path) == ["state.json"]


def test_an_error_while_making_a_folder_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "bundle") as temporary:
        temporary.mkdir()
        (temporary / "weights").write_bytes(b"half")
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_a_folder_appears_at_once_and_whole(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "deep" / "bundle") as temporary:
        temporary.mkdir()
        (temporary / "one").write_text("1")
        assert not (tmp_path / "deep" / "bundle").exists()
    assert os.listdir(tmp_path / "deep") == ["bundle"] and os.listdir(tmp_path / "deep" / "bundle") == ["one"]


def test_a_value_that_json_cannot_say_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"loss": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert read_json(tmp_path / "x.json") == {"loss": 1.0}


def test_kill_in_the_middle_of_a_write_leaves_old_or_new(tmp_path: Path) -> None:
    """The child rewrites one file without pause and is killed at once; what remains is one whole version."""
    target = tmp_path / "status.json"
    write_json(target, {"n": 0, "filler": "x" * 50_000})
    script = (
        "import sys; from pathlib import Path; from clv_core.workspace import write_json\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1; write_json(Path(sys.argv[1]), {'n': n, 'filler': 'x' * 50_000})\n"
        "    if n == 3: print('going', flush=True)\n"
    )
    root = Path(__file__).resolve().parent.parent
    for pause in (0.0, 0.003, 0.011):
        command = [sys.executable, "-c", script, str(target)]
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None and child.stdout.readline() == b"going\n"
            threading.Event().wait(pause)
            child.send_signal(signal.SIGKILL)
        value = read_json(target)
        assert value["n"] >= 2 and len(value["filler"]) == 50_000


def test_writers_at_the_same_time_leave_one_whole_version(tmp_path: Path) -> None:
    target = tmp_path / "shared.txt"
    texts = [str(number) * 20_000 for number in range(8)]
    threads = [threading.Thread(target=write_text, args=(target, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in texts and os.listdir(tmp_path) == ["shared.txt"]
