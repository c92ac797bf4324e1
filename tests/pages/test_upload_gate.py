"""Files that browsers send: who may send them, and that they lie on disk alone, until their session ends."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import config, runtime
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from clv_core import scratch
from clv_core.erasure.erase import remove_uploads
from clv_core.workspace import Workspace
from pages.ui import received, signin, upload_gate
from pages.ui.upload_gate import UploadsOnDisk, keep_on_disk
from tests.pages.conftest import SIGN_IN

SESSION = "0f4c"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("CLV_WORKSPACE", str(tmp_path))
    return Workspace(tmp_path)


@pytest.fixture
def files(workspace: Workspace) -> UploadsOnDisk:
    return UploadsOnDisk("/upload")


@pytest.fixture
def entered(files: UploadsOnDisk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Return what runs the gate of sign-in in a session of a server that keeps ``files``."""
    context = type("Context", (), {"uploaded_file_mgr": files, "session_id": SESSION})()
    server = type("Server", (), {"uploaded_file_mgr": files, "is_active_session": lambda _, one: one == SESSION})()
    monkeypatch.setattr(upload_gate, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(received, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(runtime, "get_instance", lambda: server)
    monkeypatch.setattr(upload_gate, "is_xsrf_enabled", lambda: False)
    yield signin.gate
    upload_gate.shut_out()


@pytest.fixture
def client() -> TestClient:
    """The gate before an app that has nothing but a page."""
    page = Route("/", lambda _: PlainTextResponse("page"))
    return TestClient(Starlette(routes=[page], middleware=[Middleware(upload_gate.Door)]))


def put(client: TestClient, data: bytes, file: str = "f1", session: str = SESSION) -> int:
    answer = client.put(f"/_stcore/upload_file/{session}/{file}", files={"file": ("log.csv", data, "text/csv")})
    return int(answer.status_code)


def stored(workspace: Workspace) -> list[Path]:
    found = workspace.place("uploads").rglob("*")
    return sorted(path for path in found if path.is_file() and path.name != scratch.LOCK_FILE)


def test_a_file_is_on_disk_for_its_account_alone_and_not_in_memory(workspace: Workspace, files: UploadsOnDisk) -> None:
    files.add_file("s1", UploadedFileRec("../f1", "../log.csv", "text/csv", b"x" * 1000))
    (path,) = stored(workspace)
    assert path.read_bytes() == b"x" * 1000 and path == files.path_of("s1", "../f1")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    (record,) = files.get_files("s1", ["../f1", "f2"])
    assert (record.name, record.type, record.data) == ("../log.csv", "text/csv", b"")
    assert files.get_files("s2", ["../f1"]) == []


def test_files_go_with_their_widget_their_session_and_an_erasure(workspace: Workspace, files: UploadsOnDisk) -> None:
    for session, file in (("s1", "a"), ("s1", "b"), ("s1", "b"), ("s2", "a")):
        files.add_file(session, UploadedFileRec(file, "log.csv", "text/csv", file.encode()))
    assert len(stored(workspace)) == 3
    files.remove_file("s1", "a")
    assert len(stored(workspace)) == 2 and files.get_files("s1", ["a"]) == []
    files.remove_session_files("s1")
    assert [path.read_bytes() for path in stored(workspace)] == [b"a"]
    assert remove_uploads(workspace) == 1 and files.get_files("s2", ["a"]) == []
    files.add_file("s2", UploadedFileRec("c", "log.csv", "text/csv", b"c"))
    assert [path.read_bytes() for path in stored(workspace)] == [b"c"]
    files.remove_session_files("s2")
    assert stored(workspace) == [] and remove_uploads(workspace) == 0


def test_files_of_a_killed_server_are_removed_and_those_of_a_running_one_stay(
    workspace: Workspace, files: UploadsOnDisk
) -> None:
    files.add_file("s1", UploadedFileRec("a", "log.csv", "text/csv", b"a"))
    killed = workspace.folder("uploads", f"{scratch.SENT}killed")
    (killed / "log").write_bytes(b"x")
    scratch.sweep_killed(workspace)
    assert not killed.exists() and files.path_of("s1", "a").read_bytes() == b"a"


def test_a_disk_that_is_full_leaves_nothing_behind(workspace: Workspace, files: UploadsOnDisk) -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        files.add_stream("s1", UploadedFileRec("a", "log.csv", "text/csv", b""), Broken())
    assert stored(workspace) == [] and files.get_files("s1", ["a"]) == []


@pytest.mark.parametrize(
    ("email", "status"), [("", 403), ("eve@other.example", 403), ("bob@shop.example", 403), ("ana@shop.example", 204)]
)
def test_files_are_taken_of_those_who_may_upload(
    workspace: Workspace, client: TestClient, entered: Callable[[], None], sign_in: SIGN_IN, email: str, status: int
) -> None:
    assert put(client, b"x") == 403
    sign_in(email)
    entered()
    assert put(client, b"x" * 100_000) == status and put(client, b"x", session="another") == 403
    assert [path.stat().st_size for path in stored(workspace)] == [100_000] * (status == 204)
    assert client.get("/").text == "page"


def test_who_loses_the_role_can_send_no_more_and_what_was_sent_is_gone(
    workspace: Workspace, client: TestClient, entered: Callable[[], None], sign_in: SIGN_IN
) -> None:
    sign_in("ana@shop.example")
    entered()
    assert put(client, b"x") == 204
    sign_in("bob@shop.example")
    entered()
    assert put(client, b"x") == 403 and stored(workspace) == []


def test_none_of_many_files_is_refused_and_a_page_reads_them_all(
    client: TestClient, entered: Callable[[], None], files: UploadsOnDisk, tmp_path: Path
) -> None:
    entered()  # where nobody signs in
    names = [f"f{number}" for number in range(300)]
    assert {put(client, name.encode(), name) for name in names} == {204}
    given = [UploadedFile(record, FileURLs()) for record in files.get_files(SESSION, names)]
    target = tmp_path / "taken"
    target.mkdir()
    paths = received.copy(given, target)
    assert [path.read_bytes().decode() for path in paths] == names and files.get_files(SESSION, names) == []


def test_a_body_that_is_too_long_is_refused_also_where_it_does_not_say_so(
    workspace: Workspace, client: TestClient, entered: Callable[[], None]
) -> None:
    entered()
    before = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 1)
    try:
        assert put(client, b"x" * upload_gate.MIB) == 204
        assert put(client, b"x" * (upload_gate.MIB + 1), "f2") == 413
        assert put(client, b"x" * 3 * upload_gate.MIB, "f3") == 413
        endless = (b"x" * 100_000 for _ in range(100))
        kind = {"content-type": "multipart/form-data; boundary=b"}
        answer = client.put(f"/_stcore/upload_file/{SESSION}/f4", content=endless, headers=kind)
        assert answer.status_code in (400, 413)
    finally:
        config.set_option("server.maxUploadSize", before)
    assert [path.stat().st_size for path in stored(workspace)] == [upload_gate.MIB]


def test_the_server_keeps_files_on_disk_or_does_not_start(
    files: UploadsOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_uploaded_file_manager, "MemoryUploadedFileManager", MemoryUploadedFileManager)
    keep_on_disk()
    assert memory_uploaded_file_manager.MemoryUploadedFileManager is UploadsOnDisk
    other: Any = type("Server", (), {"uploaded_file_mgr": MemoryUploadedFileManager("/upload")})()
    monkeypatch.setattr(runtime, "get_instance", lambda: other)
    with pytest.raises(TypeError, match="memory"):
        upload_gate._files()
