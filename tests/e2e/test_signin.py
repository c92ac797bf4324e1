"""Signing in through a real OpenID Connect provider: who may come in, as what, and out again."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from clv_core import audit
from clv_core.i18n import translate
from clv_core.workspace import Workspace
from tests.e2e.conftest import free_port, serving, wait_for, window
from tests.e2e.studio import Studio

pytestmark = pytest.mark.slow

PEOPLE = (
    {"sub": "ana", "email": "ana@shop.example", "groups": ["clv-analysts"]},
    {"sub": "vera", "email": "vera@shop.example"},
    {"sub": "mallory", "email": "ana@shop.example", "email_verified": False},
)
ROLES = """
claim = "groups"
[people]
"*@shop.example" = "viewer"
[claims]
"clv-analysts" = "analyst"
"""


@contextmanager
def provider() -> Iterator[str]:
    """Run an identity provider who knows :data:`PEOPLE`; yield its address."""
    port = free_port()
    known = [word for person in PEOPLE for word in ("--user-claims", json.dumps(person))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *known]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://localhost:{port}/.well-known/openid-configuration")
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def guarded(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that asks who is there."""
    if importlib.util.find_spec("oidc_provider_mock") is None:
        pytest.skip("the package oidc-provider-mock is not installed")
    settings, port = tmp_path_factory.mktemp("settings"), free_port()
    (settings / "access.toml").write_text(ROLES, encoding="utf-8")
    with provider() as issuer:
        auth = {
            "redirect_uri": f"http://localhost:{port}/oauth2callback",
            "cookie_secret": "edf709f0f36476a95834d4cdc10d870a9135061137b5e4daf31b30b2ca388c02",
            "client_id": "clv",
            "client_secret": "none",
            "server_metadata_url": f"{issuer}/.well-known/openid-configuration",
        }
        said = "".join(f"{name} = {json.dumps(value)}\n" for name, value in auth.items())
        (settings / "secrets.toml").write_text(f"[auth]\n{said}", encoding="utf-8")
        files = {
            "STREAMLIT_SECRETS_FILES": str(settings / "secrets.toml"),
            "CLV_ACCESS_FILE": str(settings / "access.toml"),
        }
        with serving(workspace.root, port, CLV_LOGIN="required", **files) as address:
            yield address


def sign_in(studio: Studio, who: str) -> None:
    """Go through the door and the provider's page, back to the app."""
    studio.open("home", lang="en")
    studio.page.get_by_role("button", name=translate("access.in", "en")).click()
    studio.page.locator(f"button[name=sub][value={who}]").click()
    studio.page.wait_for_url(f"{studio.base}/**")
    studio.wait()


def test_nobody_sees_a_page_before_signing_in(chromium: str, guarded: str) -> None:
    with window(chromium, guarded) as studio:
        for page in ("home", "segments", "customer", "privacy"):
            studio.open(page, lang="en")
            studio.begins(translate("access.ask", "en"))
            assert studio.page.get_by_test_id("stSidebarNavLink").count() == 0
            assert (translate("access.ask.again", "en") in studio.text()) == (page != "home")


@pytest.mark.parametrize(("who", "role", "may_load"), [("ana", "analyst", True), ("vera", "viewer", False)])
def test_who_signs_in_has_her_role_until_she_signs_out(
    chromium: str, guarded: str, workspace: Workspace, who: str, role: str, may_load: bool
) -> None:
    with window(chromium, guarded) as studio:
        sign_in(studio, who)
        named = translate("access.as", "en", who=f"{who}@shop.example", role=translate(f"access.role.{role}", "en"))
        sidebar = studio.page.get_by_test_id("stSidebar")
        studio.until(lambda: named in sidebar.inner_text().replace("\u2060", ""))  # which keeps it from being a link
        sample = studio.page.get_by_role("button", name=translate("home.sample.button", "en"))
        assert sample.is_enabled() == may_load
        studio.page.get_by_role("button", name=translate("access.out", "en")).click()
        studio.page.wait_for_url(lambda url: not url.startswith(guarded))
        studio.open("segments", lang="en")
        studio.begins(translate("access.ask", "en"))
    logins = [one for one in audit.lines(workspace) if one["action"] == "login"]
    assert [one["role"] for one in logins if one["who"] == f"{who}@shop.example"] == [role]


def test_an_address_that_the_provider_does_not_vouch_for_opens_nothing(chromium: str, guarded: str) -> None:
    with window(chromium, guarded) as studio:
        sign_in(studio, "mallory")
        studio.begins(translate("access.none", "en"))
        assert studio.page.get_by_test_id("stSidebarNavLink").count() == 0
