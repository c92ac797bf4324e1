"""Keys and buckets, without a service."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request

from clv_core.deployment.api.api_errors import language_of
from clv_core.deployment.api.auth import RateLimiter, add_key, find_key, keys_path, list_keys, revoke_key
from clv_core.errors import NotFound, Refused
from clv_core.i18n import LANGUAGES
from clv_core.workspace import Workspace


def test_a_key_is_kept_as_a_hash_and_only_the_whole_of_it_opens(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    key, text = add_key(workspace, "backend")
    other, _ = add_key(workspace, "mail tool")
    kept = keys_path(workspace).read_text()
    assert text not in kept and text.split("_", 2)[2] not in kept and os.stat(keys_path(workspace)).st_mode & 0o77 == 0
    known = {one.id: one for one in list_keys(workspace)}
    assert find_key(known, text) == key and key.slot != other.slot
    for wrong in (text[:-1], text + "x", text.replace(key.id, other.id), "", "clv_", "ünïcode", text.swapcase()):
        assert find_key(known, wrong) is None


def test_a_name_is_used_once_and_free_again_when_revoked(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first, _ = add_key(workspace, "backend")
    with pytest.raises(Refused, match="exists"):
        add_key(workspace, "backend")
    assert revoke_key(workspace, "backend").id == first.id
    with pytest.raises(NotFound, match="backend"):
        revoke_key(workspace, "backend")
    second, _ = add_key(workspace, "backend")
    assert (
        revoke_key(workspace, second.id).revoked and [bool(one.revoked) for one in list_keys(workspace)] == [True] * 2
    )


def test_what_is_one_keys_name_and_anothers_id_revokes_neither_and_both_are_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first, _ = add_key(workspace, "backend")
    second, _ = add_key(workspace, first.id)
    for language in LANGUAGES:
        with pytest.raises(Refused) as error:
            revoke_key(workspace, first.id)
        assert all(word in error.value.message(language) for word in ("backend", first.id, second.id))
    assert not any(one.revoked for one in list_keys(workspace))
    assert revoke_key(workspace, second.id).name == first.id
    assert [bool(one.revoked) for one in list_keys(workspace)] == [False, True]
    assert revoke_key(workspace, first.id).id == first.id


def test_a_bucket_lets_through_what_a_bucket_of_tokens_would() -> None:
    rate, burst = 5.0, 10.0
    limiter, draw = RateLimiter(rate, burst), np.random.default_rng(1)
    tokens, last = burst, 0.0
    for now in np.cumsum(draw.exponential(0.1, 2000)):
        tokens, last = min(burst, tokens + (now - last) * rate), now
        wait = limiter.wait(3, float(now))
        if tokens >= 1:
            assert wait == 0
            tokens -= 1
        else:
            assert wait == pytest.approx((1 - tokens) / rate)


def test_buckets_are_separate_by_key() -> None:
    limiter = RateLimiter(1.0, 2.0)
    assert [limiter.wait(0, 1.0), limiter.wait(0, 1.0)] == [0, 0]
    assert limiter.wait(0, 1.0) > 0 and limiter.wait(1, 1.0) == 0
    assert limiter.wait(0, 2.0) == 0


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en;q=0.2, zh;q=0.7", "zh"), ("fr, en;q=0.1", "en"), ("", "en"),
     ("zh;q=0", "en"), ("zh;q=x", "en"), ("de", "en"), (";;,,q=", "en"), ("zh;q=nan", "en")],
)  # fmt: skip
def test_the_preferred_language_that_is_spoken(asked: str, spoken: str) -> None:
    request = Request({"type": "http", "headers": [(b"accept-language", asked.encode())]})
    assert language_of(request) == spoken
