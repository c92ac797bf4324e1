"""The door: what is wrong with the settings of signing in is said there, and opens the app to nobody."""

from __future__ import annotations

import base64
import http.server
import random
import re
import runpy
import string
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from clv_core import audit
from clv_core.program_files import ASSETS
from clv_core.workspace import Workspace
from pages.ui import access, identity_provider
from pages.ui.identity_provider import MIN_BITS, estimate_bits
from pages.ui.signin import FAILED
from tests.pages.conftest import OPEN, SIGN_IN, do

SIGN_IN_PAGE = ASSETS / "docs" / "sign-in.md"
GOOD = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "46642b3c0324c59928023eab9eeb967f840807fa30ea355bcf85024dd8f1d5c5",
    "client_id": "clv",
    "client_secret": "none",
    "server_metadata_url": "http://localhost:9/.well-known/openid-configuration",
}


def toml(**changed: str | None) -> str:
    said = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return "[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in said.items())


@pytest.fixture
def secrets(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Return what writes the secrets that the app reads."""
    before, path = st.get_option("secrets.files"), tmp_path / "secrets.toml"

    def write(text: str) -> None:
        path.write_text(text, encoding="utf-8")
        secrets_singleton._reset()

    config.set_option("secrets.files", [str(path)])
    yield write
    config.set_option("secrets.files", before)
    secrets_singleton._reset()


@pytest.fixture
def described() -> Iterator[Callable[[int, str], str]]:
    """Return what runs a provider that answers so when it is asked to describe itself, and gives its address."""
    servers: list[http.server.HTTPServer] = []

    def serve(status: int, body: str) -> str:
        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *words: Any) -> None:
                return None

        servers.append(http.server.HTTPServer(("127.0.0.1", 0), Answers))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/about"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("text", "said", "chinese"),
    [
        ("[auth\nredirect_uri = ", "cannot be read", "读取失败"),
        ("[auth]\n", "lacks redirect_uri, cookie_secret, client_id, client_secret", "缺少 redirect_uri"),
        ('auth = "yes"\n', "lacks redirect_uri", "缺少 redirect_uri"),
        (toml(client_secret=None), "lacks client_secret", "缺少 client_secret"),
        (toml(cookie_secret=""), "lacks cookie_secret", "缺少 cookie_secret"),
        (toml(cookie_secret="a long random text"), "can be guessed", "容易被猜到"),
        *(
            (toml(redirect_uri=uri), "ending in /oauth2callback", "以 /oauth2callback 结尾")
            for uri in ("https://clv.shop.example/callback", "/oauth2callback")
        ),
    ],
)
def test_secrets_that_ask_for_a_login_which_cannot_work_open_the_app_to_nobody_and_say_why(
    open_page: OPEN, tmp_path: Path, secrets: Callable[[str], None], text: str, said: str, chinese: str
) -> None:
    secrets(text)
    for language, sentence in (("en", said), ("zh", chinese)):
        app = open_page(tmp_path, lang=language)
        assert not app.title and not app.button and not app.metric
        assert [sentence in box.value.replace("\\", "") for box in app.error] == [True]


def test_secrets_that_the_user_of_the_app_may_not_read_end_its_start_in_a_sentence(
    secrets: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets(toml())
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SystemExit, match="secrets.toml cannot be read"):
        runpy.run_module("pages.ui", run_name="__main__")


def test_a_weak_secret_of_cookies_ends_the_start_with_another_one_and_a_strong_one_does_not(
    secrets: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    example = tomllib.loads(re.findall(r"```toml\n(.*?)```", SIGN_IN_PAGE.read_text(encoding="utf-8"), re.DOTALL)[0])
    printed = set()
    for weak in ("a long random text", example["auth"]["cookie_secret"], "0123456789abcdef" * 4):
        secrets(toml(cookie_secret=weak))
        with pytest.raises(SystemExit, match="everybody then signs in again") as stopped:
            runpy.run_module("pages.ui", run_name="__main__")
        printed.add(tomllib.loads(str(stopped.value).splitlines()[-1])["cookie_secret"])
    assert len(printed) == 3
    started = []
    monkeypatch.setattr("streamlit.web.cli.main", lambda prog_name: started.append(prog_name))
    secrets(toml(cookie_secret=printed.pop()))
    runpy.run_module("pages.ui", run_name="__main__")
    assert started == ["streamlit"]


def test_a_weak_secret_opens_nothing_to_whom_it_vouches_for_and_does_not_switch_sign_in_off(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN, secrets: Callable[[str], None]
) -> None:
    """Not every way to start goes by ``python -m pages.ui``, and ``[auth.default]`` must not hide what signs."""
    secrets(toml(cookie_secret="a long random text") + f'[auth.default]\ncookie_secret = "{GOOD["cookie_secret"]}"\n')
    sign_in("ana@shop.example")
    app = open_page(with_model)
    assert access.is_login_required() and access.role() == "" and access.current_user() == ""
    assert not app.metric and not app.title and ["can be guessed" in box.value for box in app.error] == [True]


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "changeme",
        "a long random text" * 4,
        "password" * 8,
        "0" * 64,
        "1234567890" * 4,
        "deadbeef" * 8,
        string.digits + string.ascii_letters,
        "only for this test, and long enough",
        "REPLACE_WITH_A_RANDOM_SECRET_STRING_OF_32_CHARS",
        "please-change-this-cookie-secret-before-you-use-it-in-production-2024",
        "MySuperSecretCookieSecret2024",
        "secret123secret456secret789secret000",
        "一个很长的随机文本" * 4,
        "9f86d081884c7d65",
    ],
)
def test_short_repeated_and_worded_secrets_are_weak(secret: str) -> None:
    assert estimate_bits(secret) < MIN_BITS


@pytest.mark.parametrize("encode", [bytes.hex, lambda data: base64.b64encode(data).decode()])
def test_what_openssl_makes_of_32_bytes_is_strong(encode: Callable[[bytes], str]) -> None:
    chance = random.Random(0)
    assert all(estimate_bits(encode(chance.randbytes(32))) >= MIN_BITS for _ in range(500))


def test_secrets_without_a_login_and_complete_ones_are_asked_for_nothing(secrets: Callable[[str], None]) -> None:
    secrets('[warehouse]\npassword = "x"\n')
    assert not access.is_login_required() and identity_provider.find_fault() is None
    secrets(toml())
    assert identity_provider.is_wanted() and identity_provider.find_fault() is None
    own = {name: None for name in identity_provider.KEYS[2:]}
    secrets(toml(**own) + "[auth.default]\n" + "".join(f'{name} = "{GOOD[name]}"\n' for name in own))
    assert identity_provider.find_fault() is None


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, '{"authorization_endpoint": "x"}', ""),
        (404, "{}", "HTTP 404"),
        (200, "{}", "HTTP 200"),
        (200, "<p>", "JSON"),
    ],
)
def test_a_provider_is_asked_before_anybody_is_led_there(
    secrets: Callable[[str], None], described: Callable[[int, str], str], status: int, body: str, reason: str
) -> None:
    secrets(toml(server_metadata_url=described(status, body)))
    failed = identity_provider.find_silence()
    assert (failed is None) is (reason == "")
    assert failed is None or (failed.params["host"] == "127.0.0.1" and reason in failed.params["reason"])


def test_a_provider_that_cannot_be_reached_is_said_at_the_door(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN, secrets: Callable[[str], None]
) -> None:
    secrets(toml())
    sign_in()
    app = do(open_page(with_model), "sign_in")
    assert ["localhost fails" in box.value for box in app.error] == [True]
    assert app.button(key="sign_in") and FAILED not in app.session_state


def test_who_signed_in_long_ago_signs_in_again(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("ana@shop.example", iat=int(time.time()) - 13 * 3600)
    app = open_page(with_model)
    assert [button.key for button in app.button] == ["sign_in"] and access.role() == ""
    assert "over 12 hours ago" in app.markdown[-1].value
    for hours, role in (("14", "admin"), ("0", "admin"), ("1.5", "")):
        monkeypatch.setenv("CLV_LOGIN_HOURS", hours)
        assert access.role() == role
    monkeypatch.setenv("CLV_LOGIN_HOURS", "a day")
    app = open_page(with_model)
    assert [button.key for button in app.button] == ["sign_out"] and "CLV_LOGIN_HOURS" in app.error[0].value.replace(
        "\\", ""
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[people\n", "is unreadable"),
        ('people = "ana@shop.example"\n', "is unreadable"),
        ('[people]\n"ana@shop.example" = "viewr"\n"*@shop.example" = "analyst"\n', "role “viewr”"),
        ('default = "all"\n', "role “all”"),
        ('[claims]\n"clv" = ["admin"]\n', "one of viewer, analyst, admin"),
    ],
)
def test_roles_that_cannot_be_read_let_nobody_in_and_say_why(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN, tmp_path: Path, text: str, said: str
) -> None:
    sign_in("ana@shop.example")
    (tmp_path / "access.toml").write_text(text, encoding="utf-8")
    app = open_page(with_model)
    assert not app.metric and [button.key for button in app.button] == ["sign_out"]
    assert said in app.error[0].value.replace("\\", "")


def test_a_sign_in_is_noted_once_however_often_pages_are_opened(
    open_page: OPEN, tmp_path: Path, sign_in: SIGN_IN, monkeypatch: pytest.MonkeyPatch
) -> None:
    for issued in (1, 2):
        sign_in("ana@shop.example", iat=time.time() - issued)
        for page in ("home", "models"):
            app = open_page(tmp_path, page)
    monkeypatch.setattr(st, "logout", lambda: None)
    app.button(key="sign_out").click().run()
    lines = [(line["action"], line["who"]) for line in audit.lines(Workspace(tmp_path))]
    assert lines == [("logout", "ana@shop.example"), *[("login", "ana@shop.example")] * 2]


def test_tables_have_a_download_of_their_own_only_where_nobody_signs_in(
    open_page: OPEN, tmp_path: Path, sign_in: SIGN_IN
) -> None:
    """It asks for no role and knows no do-not-contact list; a server that has just started has none either."""
    root = Path(__file__).resolve().parents[2]
    said = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert said["client"]["disableDataExport"] is True
    open_page(tmp_path)
    assert st.get_option("client.disableDataExport") is False
    sign_in("ana@shop.example")
    open_page(tmp_path)
    assert st.get_option("client.disableDataExport") is True
