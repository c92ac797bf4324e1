"""The cleaning rules: what each would change, in numbers and examples, before it is switched on; and undo."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from clv_core import jobs
from clv_core.collection.store import Dataset
from clv_core.preprocessing import RULES
from clv_core.records import JsonObject
from pages.ui import access, cells, flash, i18n, progress, widgets
from pages.ui.i18n import t

LIMITS = "clean_limits"


def follow(dataset: Dataset) -> None:
    """Watch a cleaning that runs, and say how it ended."""
    job = flash.follow("clean", dataset.name)
    if job is not None:
        result = job.status().result
        params = {"kept": f"{result['rows_kept']:,}", "read": f"{result['rows_read']:,}"}
        flash.say(t("cleaning.done", **params) if result["rules"] else t("cleaning.undone"))
        st.rerun()


def show(dataset: Dataset) -> None:
    """List the rules with their effects, and apply what the person switches."""
    on = dataset.manifest.rules
    st.markdown(f"**{t('cleaning.headline')}**")
    if on and st.button(t("cleaning.undo"), key="clean_undo", icon=":material/undo:", **access.if_may("change")):
        start(dataset, {})
    effects = _count_effects(dataset)
    effective = [item for item in effects if item["rows"] or item["on"]]
    wanted = {item["rule"]: limit for item in effective if (limit := _rule(dataset, item)) is not False}
    nothing = [item for item in effects if item not in effective]
    titles = i18n.join_names(t(f"clean.{item['rule']}.title") for item in nothing)
    if not effective:
        st.caption(t("cleaning.none", rules=titles))
        return
    if nothing:
        st.caption(t("cleaning.nothing", rules=titles))
    if len(effective) > 1:
        st.caption(t("cleaning.alone"))
    unchanged = wanted == {rule: limit for rule, limit in on.items()}
    with st.container(horizontal=True, vertical_alignment="center"):
        may = access.if_may("change", disabled=unchanged)
        if st.button(t("cleaning.apply"), type="primary", key="clean_apply", **may):
            start(dataset, wanted)
        if unchanged:
            st.caption(t("cleaning.same"))
    limits = {
        item["rule"]: float(st.session_state.get(_limit_key(dataset, item["rule"]), item["limit"]))
        for item in effective
        if item["limit"] is not None
    }
    if any(limits[item["rule"]] != item["limit"] for item in effective if item["limit"] is not None):
        if st.button(t("cleaning.again"), key="clean_count", icon=":material/calculate:"):
            st.session_state[LIMITS] = limits
            st.rerun()


def start(dataset: Dataset, rules: Mapping[str, float | None]) -> None:
    """Start the run that makes the version in which exactly ``rules`` are on."""
    progress.start_job(["clean", dataset.name, *_words(rules)], dataset.name)
    st.rerun()


def _words(rules: Mapping[str, float | None]) -> list[str]:
    words = []
    for rule, limit in rules.items():
        words += ["--rule", rule if limit is None else f"{rule}={limit:.15g}"]
    return words


def _count_effects(dataset: Dataset) -> list[JsonObject]:
    """Return the effects of all rules, counted by a run that is started where there is none."""
    limits: dict[str, float] = st.session_state.get(LIMITS, {})
    words = _words(limits)
    label = " · ".join([dataset.name, dataset.version[:6], *words[1::2]])
    job = progress.latest_run("clean", label)
    ready = job is not None and job.status().state == jobs.DONE
    progress.need_result(ready, ["clean", dataset.name, "--list", *words], label, t("cleaning.looking"))
    assert job is not None
    rules: list[JsonObject] = job.status().result["rules"]
    return rules


def _rule(dataset: Dataset, item: JsonObject) -> float | None | bool:
    """Show one rule; return its limit (None: it has none) where it is switched on, False where it is off."""
    rule = item["rule"]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            on = st.toggle(
                f"**{t(f'clean.{rule}.title')}**",
                item["on"],
                key=f"rule_{dataset.version}_{rule}",
                help=t(f"clean.{rule}.why"),
                width="content",
            )
            if item["examples"]:
                with st.popover(t("cleaning.examples"), type="tertiary"):
                    st.caption(t(f"clean.{rule}.why"))
                    rows = pd.DataFrame(item["examples"]).rename(columns=lambda name: i18n.name_of("canonical", name))
                    cells.table(rows, t("cleaning.examples"))
        if item["limit"] is None:
            st.markdown(_effect(item, dataset.manifest.currency))
            return None if on else False
        effect, setting = st.columns([3, 2], vertical_alignment="center")
        effect.markdown(_effect(item, dataset.manifest.currency))
        limit = setting.number_input(
            t("cleaning.limit", unit=t(f"clean.unit.{RULES[rule].unit}")),
            min_value=float(RULES[rule].lowest),
            value=float(item["limit"]),
            format="%g",
            key=_limit_key(dataset, rule),
        )
        return float(limit) if on else False


def _limit_key(dataset: Dataset, rule: str) -> str:
    return f"limit_{dataset.version}_{rule}"


def _effect(item: JsonObject, currency: str) -> str:
    params = {
        "rows": f"**{item['rows']:,}**",
        "lines": f"{item['purchases']:,}",
        "revenue": widgets.escape(i18n.money(item["net_revenue"], currency)),
        "customers": f"{item['customers']:,}",
        "lost": f"{item['customers_lost']:,}",
    }
    return t("cleaning.effect.on" if item["on"] else "cleaning.effect", **params)
