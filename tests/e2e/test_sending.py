"""Files that are sent to the server: nothing is kept of who has not signed in, and nothing of who has left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from tests.e2e.conftest import guarding, serving, signed

MB = 1_000_000
KEPT = re.compile(r'cache_memory_bytes\{[^}]*cache_type="UploadedFileManager"[^}]*\} (\d+)')


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that asks who is there, and forgets within seconds who has left."""
    roles = '[people]\n"vera@shop.example" = "viewer"\n'
    root, settings = tmp_path_factory.mktemp("workspace"), tmp_path_factory.mktemp("settings")
    with guarding(root, settings, roles, STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="1") as address:
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


def put(client: httpx.Client, place: str) -> httpx.Response:
    return client.put(place, files={"file": ("log.csv", b"x" * 5 * MB)})


def kept(address: str) -> int:
    """Return how many bytes of files the server says that it holds."""
    found = KEPT.search(httpx.get(f"{address}/_stcore/metrics", timeout=60).text)
    return int(found[1]) if found else 0


def until(met: Callable[[], bool]) -> None:
    """Wait until something holds: the server counts what it keeps at most every five seconds."""
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.parametrize("email", ["", "stranger@else.example"])
def test_nothing_is_kept_of_a_file_that_is_sent_before_the_door(guarded: str, email: str) -> None:
    with browser(guarded, email) as (client, place):
        for _ in range(3):
            answer = put(client, place)
            assert answer.status_code == 403 and "sign in" in answer.text
        assert kept(guarded) == 0


def test_a_file_of_who_has_signed_in_is_kept_until_she_leaves(guarded: str) -> None:
    with browser(guarded, "vera@shop.example") as (client, place):
        assert put(client, place).status_code == 204
        until(lambda: kept(guarded) == 5 * MB)
    until(lambda: kept(guarded) == 0)


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
