"""Two versions side by side: who is better by more than luck, and what they are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from clv_core.deployment.registry import Registry, Version
from clv_core.deployment.registry.version_comparison import TESTED, Comparison, compare
from clv_core.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from clv_core.evaluation.metrics import METRICS
from pages.ui import cells, judged, saying
from pages.ui.models import versions
from pages.ui.models.board import Shelf, kind
from pages.ui.saying import t


def show(found: Shelf) -> None:
    """Let the person choose two versions, and compare them."""
    if len(found.versions) < 2:
        st.caption(t("models.compare.alone"))
        return
    start = versions.champion(found)
    others = [place for place, one in enumerate(found.versions) if place != start]
    measured = [place for place in others if found.versions[place].record["metrics"]]
    other = min(measured or others, key=lambda place: found.versions[place].role != "challenger")
    if not measured:
        st.caption(t("models.compare.none_measured"))
    left, right = st.columns(2)
    with left:
        one = versions.pick(found, t("models.compare.one"), "compare_one", start=start)
    with right:
        two = versions.pick(found, t("models.compare.other"), "compare_other", start=other)
    if one.number == two.number:
        st.caption(t("models.compare.same"))
        return
    with st.spinner(t("models.compare.working")):
        result = replace(_compared(one.digest, two.digest, one, two, found.registry), one=one, other=two)
    _verdict(result)
    _metrics(result)
    _differences(result)


@st.cache_resource(max_entries=16, show_spinner=False)
def _compared(digest: str, other: str, _one: Version, _two: Version, _registry: Registry) -> Comparison:
    return compare(_one, _two, (_registry.open(_one), _registry.open(_two)))


def _verdict(result: Comparison) -> None:
    """Say of order, level and size who is better, or that nobody can tell."""
    unmeasured = [version.number for version in (result.one, result.other) if not version.record["metrics"]]
    if unmeasured:
        st.info(t("models.compare.unmeasured", version=unmeasured[0]), icon=":material/info:")
        return
    if not result.advantage:
        st.info(t("models.compare.untested"), icon=":material/info:")
        return
    lines = []
    for name in TESTED:
        if name in result.advantage:
            better = result.better(name)
            if better is None:
                lines.append(f":gray[:material/balance:] {t('models.compare.even', metric=t(f'metric.{name}'))}")
            else:
                lines.append(f":green[:material/check:] {t(f'models.compare.better.{name}', version=better.number)}")
    with st.container(border=True):
        st.markdown("  \n".join(lines))
        st.caption(t("models.compare.how", n=RESAMPLES, share=saying.percent(CONFIDENCE)))


def _metrics(result: Comparison) -> None:
    def said(version: Version, name: str, value: float | None) -> str:
        return "–" if value is None or pd.isna(value) else judged.said(name, value, version.record["currency"])

    names = (_head(result.one), _head(result.other))
    table = pd.DataFrame(
        {
            t("column.metric"): [t(f"metric.{name}") for name, _, _ in result.metrics],
            names[0]: [said(result.one, name, value) for name, value, _ in result.metrics],
            names[1]: [said(result.other, name, value) for name, _, value in result.metrics],
            t("models.compare.best"): [
                t(f"models.compare.best.{METRICS[name].better}") for name, _, _ in result.metrics
            ],
        }
    )
    st.markdown(f"**{t('models.compare.metrics')}**")
    cells.table(table, t("models.compare.metrics"), height="content")


def _differences(result: Comparison) -> None:
    st.markdown(f"**{t('models.compare.made')}**")
    rows = [(t(f"modelcard.fact.{fact}"), *_both(fact, pair)) for fact, *pair in result.facts]
    rows += [(saying.name_of("config", key), _value(one), _value(two)) for key, one, two in result.settings]
    if not rows:
        st.caption(t("models.compare.alike"))
        return
    columns = (t("modelcard.fact"), _head(result.one), _head(result.other))
    cells.table(pd.DataFrame(rows, columns=columns), t("models.compare.made"))


def _both(fact: str, pair: list[Any]) -> tuple[str, ...]:
    if fact == "cutoff":
        return tuple(saying.day(value) for value in pair)
    return tuple(saying.name_of("model", str(value)) if fact == "kind" else _value(value) for value in pair)


def _head(version: Version) -> str:
    return f"{t('models.version', n=version.number)} · {kind(version)}"


def _value(setting: object) -> str:
    if setting is None or setting is False:
        return "–"
    return "✓" if setting is True else str(setting)
