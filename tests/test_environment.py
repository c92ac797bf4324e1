"""Environment variables are read at call time, by type."""

from __future__ import annotations

import pytest

from clv_core.environment import ALERT_ADDRESSES, Environment, ServiceSettings, table
from clv_core.errors import UsageError


def test_a_variable_that_cannot_be_read_stops_only_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CLV_API_PORT", "many"), ("CLV_SMTP_PORT", "many"), ("CLV_LOGIN_HOURS", "a day")):
        monkeypatch.setenv(name, value)
    assert Environment.from_environment().smtp_port == "many"
    with pytest.raises(UsageError, match="port"):
        ServiceSettings.from_environment()


def test_secrets_are_not_shown() -> None:
    names = {"CLV_SMTP_PASSWORD": "hidden", "CLV_WEBHOOK_URL": "https://chat.example/hidden"}
    assert "hidden" not in repr(Environment.from_environment(names))
    assert ALERT_ADDRESSES == ("CLV_WEBHOOK_URL", "CLV_SMTP_HOST", "CLV_SMTP_TO")


def test_the_table_shows_defaults_as_they_are_written() -> None:
    for row in ("| `CLV_API_OPEN` | `false` |", "| `CLV_API_RATE` | `200` |", "| `CLV_KEY_FILE` | `<workspace>.key` |"):
        assert row in table()
