"""A real browser over the real app; without a Chromium on the machine these tests skip and say so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from tests.e2e.studio import PATIENCE, Studio
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECRET = "1cdde7970f0516766e35db0e8fa2fa45c9103ddc217de1eab8c5b7ccb779556d"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install the system package chromium to run the browser tests")
    return found


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over an empty workspace."""
    with serving(tmp_path_factory.mktemp("workspace")) as base:
        yield base


@contextmanager
def serving(root: Path, port: int = 0, **environment: str) -> Iterator[str]:
    """Run the app over a workspace, on a free port unless one is given; yield its address."""
    port = port or free_port()
    command = [sys.executable, "-m", "pages.ui", "--server.port", str(port)]
    with (root / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "CLV_WORKSPACE": str(root), **environment}, stdout=log, stderr=log
        )
    base = f"http://localhost:{port}"
    try:
        wait_for(f"{base}/_stcore/health")
        yield base
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def guarding(root: Path, settings: Path, people: str, **environment: str) -> Iterator[str]:
    """Run the app over a workspace for these people alone; ``settings`` is a folder for their roles. Yield its address.

    No provider of identities is there: who comes in has a cookie signed with :data:`SECRET`.
    """
    port = free_port()
    auth = {
        "redirect_uri": f"http://localhost:{port}/oauth2callback",
        "cookie_secret": SECRET,
        "client_id": "clv",
        "client_secret": "none",
        "server_metadata_url": "http://localhost:9/.well-known/openid-configuration",
    }
    said = "".join(f"{name} = {json.dumps(value)}\n" for name, value in auth.items())
    (settings / "secrets.toml").write_text(f"[auth]\n{said}", encoding="utf-8")
    (settings / "access.toml").write_text(people, encoding="utf-8")
    files = {
        "STREAMLIT_SECRETS_FILES": str(settings / "secrets.toml"),
        "CLV_ACCESS_FILE": str(settings / "access.toml"),
    }
    with serving(root, port, CLV_LOGIN="required", **files, **environment) as address:
        yield address


def signed(address: str, email: str) -> str:
    """Return the cookie ``_streamlit_user`` of somebody whom a provider has vouched for."""
    person = {"email": email, "is_logged_in": True, "origin": address, "iat": time.time()}
    return str(create_signed_value(SECRET, "_streamlit_user", json.dumps(person)).decode())


def wait_for(url: str, seconds: float = PATIENCE) -> None:
    """Wait until an address answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(url)


@pytest.fixture
def studio(chromium: str, address: str) -> Iterator[Studio]:
    """The app in a browser window, and the addresses outside this machine that it asked for."""
    with window(chromium, address, locale="en-GB", accept_downloads=True) as found:
        yield found


@contextmanager
def window(chromium: str, address: str, **options: Any) -> Iterator[Studio]:
    """Open a browser window on an app; ``options`` are of Playwright's context."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        yield Studio(context.new_page(), address)
        browser.close()
