"""Webhook and e-mail against servers on this machine: what arrives, and what is said where it does not."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from clv_core.environment import Environment
from clv_core.errors import ClvError, Message, UsageError
from clv_core.monitoring.alerts import DATA, REALISED, Acknowledgement, alert_of
from clv_core.monitoring.health import assess_health, recommend
from clv_core.monitoring.monitoring_report import Report, acknowledge_alerts, acknowledged
from clv_core.monitoring.notifications.notify import notify
from clv_core.monitoring.notifications.sending import Smtp, checked_url, post, send
from clv_core.workspace import Workspace
from tests.manifests import report_facts

KIOSK = {"value": "kiosk", "found": "5.0%", "usual": "0.0%"}
ALERTS = [
    alert_of(DATA, "new_channel", "kiosk", KIOSK, "2024-01-01", "2024-02-01"),
    alert_of(DATA, "returns_rose", "", {"found": "16.0%", "usual": "8.0%"}, "2024-01-01", "2024-02-01"),
]


def report() -> Report:
    unknown = {"realised": Message("light.early", {"until": "2024-03-01"})}
    lights = assess_health(ALERTS, unknown)
    about = report_facts(model="shop-bgnbd", dataset="shop", as_of="2024-02-01")
    return Report(about, [], lights, recommend(lights), list(ALERTS), [], [], [], [], unknown)


class Hook:
    """A server that keeps what was posted and answers as told."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.status = 204
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.received.append((self.headers["Content-Type"], body))
                self.send_response(hook.status)
                if hook.status == 307:
                    self.send_header("Location", hook.url)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/secret-path"


class Post:
    """A mail server that speaks as much SMTP as is needed, and keeps what it was given."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.recipients: list[str] = []
        self.refuses = False
        post = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline():
                    word = line.strip().upper()
                    if word.startswith(b"DATA"):
                        self.wfile.write(b"354 go on\r\n")
                        lines = []
                        while (part := self.rfile.readline()) != b".\r\n":
                            lines.append(part.decode())
                        post.messages.append("".join(lines))
                    elif word.startswith(b"RCPT"):
                        if post.refuses:
                            self.wfile.write(b"550 unknown mailbox\r\n")
                            continue
                        post.recipients.append(line.decode().strip())
                    elif word.startswith(b"QUIT"):
                        self.wfile.write(b"221 bye\r\n")
                        return
                    self.wfile.write(b"250 fine\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_address[1]
        self.smtp = Smtp("127.0.0.1", "clv@here.test", ("a@there.test", "b@there.test"), "none", port)


@pytest.fixture
def hook() -> Iterator[Hook]:
    yield from serving(Hook())


@pytest.fixture
def office() -> Iterator[Post]:
    yield from serving(Post())


def serving(found: Any) -> Iterator[Any]:
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_new_alerts_are_posted_once_with_words_lights_and_advice(hook: Hook, tmp_path: Any) -> None:
    work = Workspace(tmp_path)
    assert notify(work, report(), webhook=hook.url, language="zh") == {"webhook": 2}
    assert notify(work, report(), webhook=hook.url, language="zh") == {"webhook": 0}
    ((kind, body),) = hook.received
    sent = json.loads(body)
    assert kind == "application/json"
    assert "新的渠道“kiosk”" in sent["text"] and "先排查" in sent["text"]
    assert sent["lights"]["data"]["light"] == "red" and sent["lights"]["realised"]["light"] == "unknown"
    assert [alert["code"] for alert in sent["alerts"]] == ["new_channel", "returns_rose"]
    assert sent["recommendation"]["action"] == "investigate"
    assert "secret-path" not in (tmp_path / "alerts" / "shop-bgnbd" / "told.json").read_text()


def test_nobody_is_told_of_what_was_acknowledged(hook: Hook, tmp_path: Any) -> None:
    work = Workspace(tmp_path)
    acknowledge_alerts(work, "shop-bgnbd", [ALERTS[1].id], "ann")
    seen = report().seen(acknowledged(work, "shop-bgnbd"))
    assert {light.question: light.colour for light in seen.lights}["data"] == "amber"
    assert seen.recommendation.to_wait and seen.alerts[1].acknowledged.by == "ann"
    assert notify(work, seen, webhook=hook.url, language="en") == {"webhook": 1}


def test_what_an_acknowledged_alert_covered_is_still_unknown(tmp_path: Any) -> None:
    outside = alert_of(REALISED, "outside", "", {"found": "40%", "usual": "20%"}, "2024-01-01", "2024-04-01")
    unknown = {REALISED: Message("light.realised.unmeasured")}
    lights = assess_health([outside], unknown)
    assert {light.question: light.colour for light in lights}[REALISED] == "amber"
    replace(report(), lights=lights, alerts=[outside], unknown=unknown).save(tmp_path)
    kept = Report.load(tmp_path)
    assert kept is not None
    seen = kept.seen({outside.id: Acknowledgement("ann", "")})
    assert {light.question: light.colour for light in seen.lights}[REALISED] == "unknown"
    assert seen.recommendation.why.code == "recommend.keep.partly"


@pytest.mark.parametrize(("status", "reason"), [(500, "HTTP 500"), (404, "HTTP 404"), (307, "HTTP 307")])
def test_a_refusal_is_told_without_the_secret_address(hook: Hook, status: int, reason: str) -> None:
    hook.status = status
    with pytest.raises(ClvError, match=reason) as caught:
        post(hook.url, {})
    assert "127.0.0.1" in str(caught.value) and "secret" not in str(caught.value)
    assert len(hook.received) == 1


def test_a_webhook_that_nobody_answers_is_an_error_in_time() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as silent:
        address = f"http://127.0.0.1:{silent.server_address[1]}/"
        with pytest.raises(ClvError, match="timed out"):
            post(address, {}, timeout=0.3)
    with pytest.raises(ClvError, match="refused"):
        post(address, {}, timeout=0.3)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://host/x", "file:///etc/passwd", "host/path", "https://", "http://[bad", "http://a.test:99999/",
        "http://a.test/é", "http://a.test/a b",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_url(url)
    assert caught.value.code == "webhook_url"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("hooks.test/services/T0/SECRET", "hooks.test…"),
        ("htp://hooks.test/SECRET", "htp://hooks.test…"),
        ("https://me:SECRET@hooks.test:99999/x", "https://hooks.test:99999…"),
        ("http://hooks.test?token=SECRET é", "http://hooks.test…"),
        ("http:///SECRET://x", "http://…"),
        ("SECRET@hooks.test", "hooks.test"),
    ],
)
def test_an_address_that_is_none_is_not_repeated_where_it_may_hold_a_secret(url: str, shown: str) -> None:
    """It comes from the environment, and the words end up in cron's mail."""
    with pytest.raises(UsageError) as caught:
        checked_url(url)
    assert caught.value.params["url"] == shown


def test_new_alerts_arrive_by_mail(office: Post, tmp_path: Any) -> None:
    assert notify(Workspace(tmp_path), report(), smtp=office.smtp, language="zh") == {"email": 2}
    (raw,) = office.messages
    mail = message_from_string(raw, policy=policy.default)
    assert mail["Subject"] == "CLV Studio：shop 有 2 条新告警" and mail["To"] == "a@there.test, b@there.test"
    text = mail.get_content()
    assert "退货占购买与退货合计的 16.0%" in text and "shop-bgnbd" in text
    assert len(office.recipients) == 2


def test_refused_mail_does_not_stop_the_webhook(hook: Hook, office: Post, tmp_path: Any) -> None:
    office.refuses = True
    with pytest.raises(ClvError, match="550 unknown mailbox|unknown mailbox"):
        notify(Workspace(tmp_path), report(), webhook=hook.url, smtp=office.smtp, language="en")
    assert len(hook.received) == 1
    with pytest.raises(ClvError, match="refused"):
        send(replace(office.smtp, port=1), "s", "t", timeout=1)


@pytest.mark.parametrize("url", ["http://hooks.example.org/é", "http://[bad", "http://.../x"])
def test_an_address_that_is_none_keeps_nobody_else_from_being_told(office: Post, tmp_path: Any, url: str) -> None:
    with pytest.raises(ClvError) as caught:
        notify(Workspace(tmp_path), report(), webhook=url, smtp=office.smtp, language="en")
    assert caught.value.code in ("webhook_url", "webhook_failed") and len(office.messages) == 1


def test_mail_settings_are_read_from_the_environment_and_each_fault_is_named() -> None:
    given = {"CLV_SMTP_HOST": "mail.test", "CLV_SMTP_FROM": "a@b.test", "CLV_SMTP_TO": "c@d.test, e@f.test"}
    known = _mail(given)
    assert (known.port, known.security, known.to) == (587, "starttls", ("c@d.test", "e@f.test"))
    assert _mail({**given, "CLV_SMTP_SECURITY": "ssl"}).port == 465
    assert "hidden" not in repr(_mail({**given, "CLV_SMTP_PASSWORD": "hidden"}))
    faults = [({"CLV_SMTP_TO": ""}, "CLV_SMTP_TO"), ({"CLV_SMTP_PORT": "x"}, "CLV_SMTP_PORT")]
    for fault, named in [*faults, ({"CLV_SMTP_SECURITY": "maybe"}, "CLV_SMTP_SECURITY")]:
        with pytest.raises(UsageError, match=named):
            _mail({**given, **fault})


def _mail(environment: dict[str, str]) -> Smtp:
    return Smtp.of(Environment.from_environment(environment))
