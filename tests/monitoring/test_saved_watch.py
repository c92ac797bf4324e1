"""The saved watch: what is read is what was written, a finding stays the same the next night, and what is news."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import Dataset
from clv_core.errors import Message
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.monitoring import saved_watch
from clv_core.monitoring.notifications.notify import notify_findings
from clv_core.monitoring.saved_watch import (
    Watched,
    acknowledge_findings,
    find_watch,
    finding_text,
    watch_dataset,
    watch_path,
    write_watch,
)
from tests.monitoring.steady_shop import steady_log, stored
from tests.monitoring.test_telling import Hook, serving
from tests.monitoring.watched_shop import END, finding, moved, plant, watch_of

VIEWS = {"kind": "events_missing", "series": "events:view", "facts": {"name": "view"}}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return stored(steady_log(60, 60), tmp_path / "datasets" / "shop" / "v1")


def seen_of(dataset: Dataset, *findings: Any) -> Watched:
    """Plant findings and return what is read of them."""
    plant(dataset, watch_of(*findings))
    watched = find_watch(dataset)
    assert watched is not None
    return watched


def test_what_is_read_is_what_was_written_and_it_is_made_once(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwatched = Message("watch.unwatched.short", {"days": 60, "needed": 182})
    planted = watch_of(finding(), finding(5, None, **VIEWS, size=nan, low=nan, high=nan), unwatched=(unwatched,))
    planted.courses[0].low[3] = np.nan
    made: list[Dataset] = []
    monkeypatch.setattr(saved_watch, "business_watch", lambda of, _: (made.append(of), planted)[1])
    assert find_watch(dataset) is None
    for _ in range(2):
        watched = watch_dataset(dataset, NoProgress())
    read = watched.watch
    assert made == [dataset], "the second time it is read"
    assert (read.as_of, read.currency, read.unwatched) == (END, "EUR", (unwatched,))
    assert read.findings[0] == planted.findings[0] and not read.findings[1].has_money
    for one, other in zip(read.courses, planted.courses, strict=True):
        assert one.name == other.name and list(one.days) == list(other.days)
        np.testing.assert_allclose(one.low, other.low, atol=5e-4)
        np.testing.assert_allclose(one.actual, other.actual, atol=5e-4)


def test_a_log_without_figures_by_day_is_not_as_expected(dataset: Dataset) -> None:
    plant(dataset, watch_of(courses=False))
    watched = find_watch(dataset)
    assert watched is not None and watched.state == "unwatched" and "not watched" in watched.headline()


def test_a_file_of_another_version_of_the_program_is_made_anew(dataset: Dataset) -> None:
    plant(dataset, watch_of())
    path = watch_path(dataset)
    path.write_text(path.read_text().replace('"as_of"', '"day"'))
    assert find_watch(dataset) is None


def test_a_finding_stays_the_same_while_its_first_day_moves_by_up_to_three_weeks(dataset: Dataset) -> None:
    first = seen_of(dataset, finding(40))
    acknowledge_findings(dataset, first.records, "ana")
    same = seen_of(dataset, moved(finding(40), 21))
    assert same.records[0].id == first.records[0].id and same.recent == []
    other = seen_of(dataset, moved(finding(40), 22), finding(40, **VIEWS))
    assert len(other.recent) == 2 and other.records[0].id != first.records[0].id


def test_of_two_findings_near_each_other_the_nearer_one_is_the_known_one(dataset: Dataset) -> None:
    acknowledge_findings(dataset, seen_of(dataset, finding(40, 3)).records, "ana")
    worse = finding(30, 3)
    both = seen_of(dataset, worse, finding(40, 3))
    assert [found for found, _ in both.recent] == [worse] and len({record.id for record in both.records}) == 2


def test_what_lasts_or_ended_within_a_quarter_is_news_and_the_rest_is_history(dataset: Dataset) -> None:
    ended = [finding(ago, 10) for ago in (100, 101)]
    assert [found.last_day for found in ended] == [END - timedelta(days=days) for days in (91, 92)]
    watched = seen_of(dataset, *ended, finding(300, None, kind="fewer_buyers", series="active", facts={"share": 0.7}))
    assert [found.kind for found, _ in watched.recent] == ["outage", "fewer_buyers"]
    assert seen_of(dataset, finding(366, None)).recent == [], "for over a year: that is how things are"
    assert seen_of(dataset, ended[1]).headline() == "Business as expected as of 30 Jun 2024"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["18 Jun 2024", "27 Jun 2024", "27,266 EUR less", "24,100 to 31,000", "“View”"]),
        ("zh", ["2024年6月18日", "2024年6月27日", "少 27,266 EUR", "24,100 至 31,000", "“浏览”"]),
    ],
)
def test_it_says_what_happened_when_and_for_how_much(dataset: Dataset, language: str, said: list[str]) -> None:
    watched = seen_of(dataset, finding(), finding(5, None, **VIEWS, size=nan, low=nan, high=nan))
    text = "\n".join(watched.lines(language))
    assert all(words in text for words in said)
    assert watched.headline(language) == finding_text(watched.watch.findings[0], language, money=False)[:-1]
    answer = watched.to_json(language)
    assert [item["message"] for item in answer["findings"]] == [
        finding_text(found, language, money=False) for found in watched.watch.findings
    ]
    assert answer["state"] == "found" and answer["findings"][1]["size"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_address_is_told_of_a_finding_once_and_of_none_that_was_seen(dataset: Dataset, language: str) -> None:
    with contextmanager(serving)(Hook()) as hook:
        watched = seen_of(dataset, finding(), finding(300, 10))
        assert notify_findings(dataset, watched, webhook=hook.url, language=language) == {"webhook": 1}
        again = seen_of(dataset, moved(finding(), 2))
        assert notify_findings(dataset, again, webhook=hook.url, language=language) == {"webhook": 0}
        assert notify_findings(dataset, again, webhook=f"{hook.url}/2", language=language) == {"webhook": 1}
        other = seen_of(dataset, finding(**VIEWS))
        acknowledge_findings(dataset, other.records, "ana")
        after = find_watch(dataset)
        assert after is not None
        assert notify_findings(dataset, after, webhook=hook.url, language=language) == {"webhook": 0}
    assert len(hook.received) == 2
    assert finding_text(finding(), language) in json.loads(hook.received[0][1])["text"]


def test_files_hold_each_figure_of_each_day(dataset: Dataset, tmp_path: Path) -> None:
    write_watch(seen_of(dataset, finding()), tmp_path / "out", "en")
    table = pd.read_csv(tmp_path / "out" / "business.csv", parse_dates=["day"])
    assert len(table) == 2 * 200 and table["day"].max().date() == END
    assert list(table.columns) == ["series", "day", "actual", "expected", "low", "high"]
