"""The mail of the week, as a mail server receives it."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from clv_core.errors import Message
from clv_core.monitoring.health import GREEN, HealthStatus, Recommendation
from clv_core.monitoring.monitoring_report import Report, judge
from clv_core.monitoring.notifications.notify import summary_mail
from clv_core.monitoring.notifications.sending import Smtp, send
from clv_core.monitoring.realized.realized_value import Realised, Tier
from tests.manifests import report_facts


class Inbox:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append(envelope.content)
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, Smtp]]:
    found = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    yield found, Smtp("127.0.0.1", "clv@shop.example", ("ana@shop.example",), "none", port)
    controller.stop()


@pytest.fixture
def report() -> Report:
    about = report_facts(dataset="Shop <b>1</b>", model="shop-blend-1", as_of="2026-03-02", currency="EUR")
    lights = [HealthStatus("data", GREEN, 0, Message("light.data.green"))]
    realised = [Realised("2026-03-02", 60, 47_250.0, 3_000.0, 51_000.0, 45_000.0, 58_000.0, 0.4, None, 900, None)]
    tiers = [
        Tier(1, 100, 30_000.0, 28_000.0, None, None, [80, 20], 5),
        Tier(2, 300, 21_000.0, 19_250.0, None, None, [30, 270], 12),
    ]
    return Report(about, [], lights, Recommendation("keep", Message("recommend.keep")), [], [], [], realised, tiers, {})


def parts(content: bytes) -> tuple[EmailMessage, str, str]:
    message = email.message_from_bytes(content, policy=default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(message, EmailMessage) and plain is not None and html is not None
    return message, plain.get_content(), html.get_content()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            ["47,250 EUR after 60 days; expected 51,000 EUR.", "Tier 1: 80% of its customers stayed in it", "12 new"],
        ),
        ("zh", ["60 天后为 47,250 EUR；预期 51,000 EUR。", "层级 1：80% 仍在其中", "新增 12 位"]),
    ],
)
def test_it_says_what_came_true_and_who_moved_in_text_and_html(
    inbox: tuple[Inbox, Smtp], report: Report, language: str, said: list[str]
) -> None:
    found, smtp = inbox
    subject, text, html = summary_mail(report, language)
    send(smtp, subject, text, html=html)
    message, plain, page = parts(found.received[0])
    assert message["Subject"] == subject and message["To"] == "ana@shop.example"
    for sentence in said:
        assert sentence in plain and sentence in page


def test_a_tier_outside_its_range_is_called_by_name(report: Report) -> None:
    tiers = [replace(report.tiers[0], low=28_500.0, high=32_000.0), report.tiers[1]]
    lights, _ = judge(report.about, [], {}, report.realised, tiers)
    _, text, html = summary_mail(replace(report, lights=lights, tiers=tiers), "en")
    for said in (text, html):
        assert "Top value: 28,000 before 2 Mar 2026, 7% less than expected" in said
        assert "(28,500 to 32,000 EUR;" in said


def test_names_are_no_markup_and_nothing_is_loaded_from_elsewhere(report: Report) -> None:
    html = summary_mail(report, "en")[2]
    assert "<b>" not in html and "&lt;b&gt;1" in html
    assert not any(word in html for word in ("http", "src=", "url(", "<script"))
