"""Files that are sent to the server: nothing is kept of who has not signed in, and nothing of who has left."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from clv_core.i18n import translate
from clv_core.scratch import LOCK_FILE, SENT, UPLOADS
from tests.e2e.conftest import guarding, serving, signed, window

MB = 1_000_000
TOKEN = "5be8e9b9d2c2d0a1"
PEOPLE = """
[people]
"vera@shop.example" = "viewer"
"ana@shop.example" = "analyst"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def guarded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that asks who is there, and forgets within seconds who has left."""
    settings = tmp_path_factory.mktemp("settings")
    environment = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1", "CLV_METRICS_TOKEN": TOKEN}
    with guarding(root, settings, PEOPLE, **environment) as address:
        yield address


@contextmanager
def browser(address: str, email: str = "") -> Iterator[tuple[httpx.Client, str]]:
    """Open the app as a browser does, signed in as ``email``; yield who can send files, and where one is sent to."""
    with httpx.Client(base_url=address, timeout=60) as client:
        client.get("/_stcore/health")
        mark = client.cookies["_streamlit_xsrf"]
        client.headers["X-Xsrftoken"] = mark
        if email:
            client.cookies.set("_streamlit_user", signed(address, email))
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        stream = address.replace("http", "ws") + "/_stcore/stream"
        with connect(
            stream,
            origin=address,  # type: ignore[arg-type]
            subprotocols=["streamlit", mark],  # type: ignore[list-item]
            additional_headers={"Cookie": cookies},
            max_size=None,
        ) as socket:
            asked, session = BackMsg(), ""
            asked.rerun_script.query_string = ""
            socket.send(asked.SerializeToString())
            while True:
                heard = ForwardMsg.FromString(socket.recv(60))  # type: ignore[arg-type]
                if heard.WhichOneof("type") == "new_session":
                    session = heard.new_session.initialize.session_id
                if heard.WhichOneof("type") == "script_finished":
                    break
            yield client, f"/_stcore/upload_file/{session}/file"


def put(client: httpx.Client, place: str, size: int = 5 * MB) -> httpx.Response:
    return client.put(place, files={"file": ("log.csv", b"x" * size)})


def stored(root: Path) -> int:
    """Return how many bytes lie on disk of what browsers have sent and no page has taken."""
    return sum(path.stat().st_size for path in (root / UPLOADS).glob(f"{SENT}*/*") if path.name != LOCK_FILE)


def server_at(address: str) -> Path:
    """Return the folder in ``/proc`` of the app's process at an address, which this one began."""
    port = str(urlsplit(address).port).encode()
    children = Path(f"/proc/{os.getpid()}/task/{threading.main_thread().native_id}/children").read_text().split()
    return next(path for path in map(Path("/proc").joinpath, children) if port in (path / "cmdline").read_bytes())


def memory(server: Path, which: str) -> int:
    """Return the bytes that a process has in memory, ``VmRSS``, or had at most, ``VmHWM``."""
    found = re.search(rf"{which}:\s*(\d+) kB", (server / "status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def until(met: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.parametrize("email", ["", "stranger@else.example", "vera@shop.example"])
def test_nothing_is_kept_of_a_file_of_who_may_not_upload(guarded: str, root: Path, email: str) -> None:
    with browser(guarded, email) as (client, place):
        for _ in range(3):
            answer = put(client, place)
            assert answer.status_code == 403 and "role analyst" in answer.text and "sign in" in answer.text
        assert stored(root) == 0


def test_a_file_of_an_analyst_is_kept_on_disk_until_she_leaves(guarded: str, root: Path) -> None:
    with browser(guarded, "ana@shop.example") as (client, place):
        assert put(client, place).status_code == 204
        assert stored(root) == 5 * MB
    until(lambda: stored(root) == 0)


def test_a_stranger_reads_no_metrics_and_may_show_no_page_in_a_frame(guarded: str) -> None:
    for path in ("/", "/upload", "/_stcore/health"):
        answer = httpx.get(f"{guarded}{path}")
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"
    for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore%2fmetrics", "//_stcore/metrics"):
        assert "active_sessions" not in httpx.get(f"{guarded}{path}", follow_redirects=True).text
    counts = httpx.get(f"{guarded}/_stcore/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert counts.status_code == 200 and "active_sessions" in counts.text


def test_an_analyst_sends_many_files_at_once_and_the_page_takes_them_all(
    chromium: str, guarded: str, root: Path, tmp_path: Path
) -> None:
    paths = [tmp_path / f"log{number}.csv" for number in range(12)]
    for path in paths:
        path.write_text("customer_id,event_time,amount\n" + "".join(f"c{n},2024-03-{n:02},5\n" for n in range(1, 29)))
    with window(chromium, guarded, locale="en-GB") as studio:
        cookie = {"name": "_streamlit_user", "value": signed(guarded, "ana@shop.example"), "url": guarded}
        studio.page.context.add_cookies([cookie])
        studio.open("upload")
        studio.page.set_input_files("input[type=file]", [str(path) for path in paths])
        studio.wait_for(translate("upload.more_files", "en", n=11))
        taken = [path for path in (root / UPLOADS).rglob("log*.csv") if path.parent.parent.name == UPLOADS]
        assert sorted(path.name for path in taken) == sorted(path.name for path in paths) and stored(root) == 0


@pytest.mark.slow
def test_files_at_once_need_no_memory_and_none_is_refused(tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    with guarding(tmp_path, settings, PEOPLE) as address, browser(address, "ana@shop.example") as (client, place):
        server = server_at(address)
        before = memory(server, "VmRSS")
        (server / "clear_refs").write_text("5")  # the peak begins anew
        with ThreadPoolExecutor(6) as senders:
            answers = list(senders.map(lambda number: put(client, f"{place}{number}", 150 * MB), range(6)))
        assert [answer.status_code for answer in answers] == [204] * 6
        assert memory(server, "VmHWM") - before < 200 * MB
        assert stored(tmp_path) == 900 * MB


def test_where_nobody_signs_in_everybody_may_send_files_and_none_of_gigabytes(tmp_path: Path) -> None:
    with serving(tmp_path) as address, browser(address) as (client, place):
        assert put(client, place).status_code == 204
        line = HTTPConnection(urlsplit(address).netloc, timeout=60)
        line.putrequest("PUT", place)
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        said = {"Cookie": cookies, "X-Xsrftoken": client.headers["X-Xsrftoken"], "Content-Length": str(1000 * MB)}
        for name, value in said.items():
            line.putheader(name, value)
        line.endheaders()
        assert line.getresponse().status == 413
        line.close()
