"""All versions in a table, what can be done with one, its model card, and two of them side by side."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment.registry import TESTED, Comparison, Registry, Version, compare
from clv_core.deployment.registry.model_card import model_card
from clv_core.evaluation import CONFIDENCE, METRICS, RESAMPLES
from pages.ui import cells, evaluation_charts, i18n, page_files, session, widgets
from pages.ui.cache import cached
from pages.ui.i18n import t
from pages.ui.models import actions
from pages.ui.models.board import DatasetVersions, is_intact, model_name, title
from pages.ui.page_files import spoken

ROLES: Final = ("champion", "challenger", "")
ROLE_WIDTH: Final = 104
"""Pixels; a table that is wider than the page leaves a word of its own less room than it needs."""


def show(every: DatasetVersions) -> None:
    """List the versions and offer what can be done with one."""
    _table(every)
    version = pick(every, t("models.which"), "models_version", first_trained_place(every))
    with st.container(border=True):
        if not is_intact(every, version):
            st.error(t("models.damaged", version=version.number), icon=":material/gpp_bad:")
        with st.container(horizontal=True, vertical_alignment="center"):
            _actions(every, version)
    actions.export_form(version)
    with st.expander(t("models.history"), icon=":material/history:"):
        for line in every.registry.history(every.name):
            text = t(f"models.why.{line['why']}", version=line["version"])
            st.markdown(f"- {i18n.moment(line['at'])}: {text}")


def show_card(every: DatasetVersions) -> None:
    """Show the model card of a version."""
    version = pick(every, t("models.which"), "models_card", champion_place(every))
    text = model_card(version, session.language())
    name = f"{every.name.replace(' ', '-')}_{spoken('card')}_v{version.number}.md"
    page_files.download(t("models.card.download"), text, name, key="download_model_card")
    with st.container(border=True):
        st.markdown(re.sub(r"^#", "##", text, flags=re.MULTILINE))  # the page has a title of its own


def first_trained_place(every: DatasetVersions) -> int:
    """Return the place of the newest version that was trained on the log; a first look is nothing to promote."""
    return next((place for place, version in enumerate(every.versions) if not version.untrained), 0)


def champion_place(every: DatasetVersions) -> int:
    """Return the champion's place among the versions."""
    return [version.role for version in every.versions].index("champion")


def pick(every: DatasetVersions, label: str, key: str, start: int) -> Version:
    """Let the person choose a version; the list is the newest first."""
    by_number = {version.number: version for version in every.versions}
    labels = {number: title(version) for number, version in by_number.items()}
    key, usual = f"{key}_{every.name}", list(by_number)[min(start, len(by_number) - 1)]
    selected = st.session_state.get(key)
    # Set anew at each run: the browser keeps the words of its choice, also where another version became champion.
    st.session_state[key] = selected if selected in by_number else usual
    return by_number[widgets.select(label, labels, key)]


def _table(every: DatasetVersions) -> None:
    rows = sorted(
        every.versions, key=lambda version: ROLES.index(version.role)
    )  # the newest first, after those with a role
    records = [version.record for version in rows]
    table = pd.DataFrame(
        {
            t("models.column.version"): [version.number for version in rows],
            t("models.column.role"): [_role(version) for version in rows],
            t("column.model"): [model_name(version) for version in rows],
            t("column.horizon"): [record.horizon_days for record in records],
            t("column.verdict"): [t(f"trust.{version.trust.verdict}") for version in rows],
            t("metric.gini"): [record.metrics.get("gini") for record in records],
            t("metric.bias"): [
                None if (bias := record.metrics.get("bias")) is None else evaluation_charts.metric_text("bias", bias)
                for record in records
            ],
            t("models.column.tested"): [
                "–" if record.holdout is None else i18n.day(record.holdout.cutoff) for record in records
            ],
            t("modelcard.fact.cutoff"): [i18n.day(record.cutoff) for record in records],
            t("column.created"): [i18n.day(record.created) for record in records],
            t("models.column.seconds"): [record.actual.seconds for record in records],
            t("modelcard.fact.source"): [t(f"modelcard.source.{version.source}") for version in rows],
            t("models.column.sound"): [is_intact(every, version) for version in rows],
        }
    )
    number = st.column_config.NumberColumn
    formats: dict[str, Any] = {
        t("models.column.role"): st.column_config.TextColumn(width=ROLE_WIDTH),
        t("metric.gini"): number(format="%.3f", help=t("metric.gini.meaning")),
        t("metric.bias"): st.column_config.TextColumn(help=t("metric.bias.meaning"), alignment="right"),
        t("models.column.seconds"): number(format="%.0f"),
        t("models.column.sound"): st.column_config.CheckboxColumn(width="small"),
    }
    cells.table(table, t("models.what.versions"), formats)


def _role(version: Version) -> str:
    if version.role:
        return t(f"models.role.{version.role}")
    return t("models.archived") if version.archived else ""


def _actions(every: DatasetVersions, version: Version) -> None:
    number, champion = version.number, every.champion
    if version.role == "champion" and len(every.versions) > 1:
        st.caption(t("models.champion_stays"))
        return
    if version.role != "champion":
        actions.button(t("models.promote", version=number), "promote", version, champion, "promote")
        if version.archived:
            actions.restore_button(version)
        else:
            actions.button(t("models.archive"), "archive", version, champion, "archive")
    actions.button(t("models.delete"), "delete", version, champion, "delete_version")


def show_comparison(every: DatasetVersions) -> None:
    """Let the person choose two versions, and compare them."""
    if len(every.versions) < 2:
        st.caption(t("models.compare.alone"))
        return
    start = champion_place(every)
    other_places = [place for place in range(len(every.versions)) if place != start]
    measured = [place for place in other_places if every.versions[place].record.metrics]
    other = min(measured or other_places, key=lambda place: every.versions[place].role != "challenger")
    if not measured:
        st.caption(t("models.compare.none_measured"))
    left, right = st.columns(2)
    with left:
        first = pick(every, t("models.compare.one"), "compare_one", start)
    with right:
        second = pick(every, t("models.compare.other"), "compare_other", other)
    if first.number == second.number:
        st.caption(t("models.compare.same"))
        return
    with st.spinner(t("models.compare.working")):
        result = replace(_compared(first.digest, second.digest, first, second, every.registry), one=first, other=second)
    _verdict(result)
    _metrics(result)
    _differences(result)


@cached()
def _compared(digest: str, other: str, _one: Version, _two: Version, _registry: Registry) -> Comparison:
    return compare(_one, _two, (_registry.open(_one), _registry.open(_two)))


def _verdict(result: Comparison) -> None:
    """Say of order, level and size who is better, or that nobody can tell."""
    unmeasured = [version.number for version in (result.one, result.other) if not version.record.metrics]
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
        st.caption(t("models.compare.how", n=RESAMPLES, share=i18n.percent(CONFIDENCE)))


def _metrics(result: Comparison) -> None:
    def text(version: Version, name: str, value: float | None) -> str:
        return (
            "–"
            if value is None or pd.isna(value)
            else evaluation_charts.metric_text(name, value, version.record.currency)
        )

    names = (_head(result.one), _head(result.other))
    table = pd.DataFrame(
        {
            t("column.metric"): [t(f"metric.{name}") for name, _, _ in result.metrics],
            names[0]: [text(result.one, name, value) for name, value, _ in result.metrics],
            names[1]: [text(result.other, name, value) for name, _, value in result.metrics],
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
    rows += [(i18n.name_of("config", key), _value(first), _value(second)) for key, first, second in result.settings]
    if not rows:
        st.caption(t("models.compare.alike"))
        return
    columns = (t("modelcard.fact"), _head(result.one), _head(result.other))
    cells.table(pd.DataFrame(rows, columns=columns), t("models.compare.made"))


def _both(fact: str, pair: list[Any]) -> tuple[str, ...]:
    if fact == "cutoff":
        return tuple(i18n.day(value) for value in pair)
    return tuple(i18n.name_of("model", str(value)) if fact == "kind" else _value(value) for value in pair)


def _head(version: Version) -> str:
    return f"{t('models.version', n=version.number)} · {model_name(version)}"


def _value(setting: object) -> str:
    if setting is None or setting is False:
        return "–"
    return "✓" if setting is True else str(setting)
