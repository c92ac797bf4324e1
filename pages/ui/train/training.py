"""What the train page offers: horizons that the log allows, a form of the settings, the cost, and the run."""

from __future__ import annotations

import os
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from datetime import timedelta
from statistics import median
from typing import Any, Final, get_args, get_origin, get_type_hints

import streamlit as st

from clv_core.collection import (
    USUAL_HORIZONS,
    HoldoutSize,
    PaymentRhythm,
    RecommendedHorizon,
    history_days,
    holdout_sizes,
    horizons_to_count,
    longest_measured,
    payment_rhythm,
    recommended,
    support,
)
from clv_core.collection.store import Dataset
from clv_core.config import OWN, READS, TrainConfig, config_words, is_read
from clv_core.deployment import list_bundles
from clv_core.features import FEATURES, PREFIX, SOURCES, attributes_of, label
from clv_core.training import Cost, budget, estimate, longest_horizon, training_cutoffs
from clv_core.training import cost as choice
from pages.ui import i18n, progress, session, widgets
from pages.ui.cache import cached
from pages.ui.i18n import name_of, t

OTHER: Final = 0
"""The option for a number of days of one's own."""
GROUPS: Final = (BASIC := "basic", "data", "network", "training")
"""Of settings, in the order of the form."""
LATEST_TRAININGS: Final = 3
"""Trainings whose measured time corrects the estimate: the median of three ignores one outlier, and follows a new
machine."""
SHORTEST_LOG_DAYS: Final = 1 + history_days(1)
"""For a horizon of one day."""


@dataclass(frozen=True)
class Horizons:
    """Horizons that the length of a log allows.

    Args:
        days: length of the log.
        longest: longest horizon that leaves one training cutoff.
        measurable: longest horizon that also leaves its last span out, to measure the model on it.
        recommended: the horizon to begin with, and why.
        sizes: whom it could be tested on, for the usual horizons and ``measurable``; empty where not counted.
    """

    days: int
    longest: int
    measurable: int
    recommended: RecommendedHorizon
    sizes: Mapping[int, HoldoutSize] = field(default_factory=dict)

    def measured(self, days: int) -> bool:
        """Return whether a model of a horizon can be measured: by the length of the log, and by who bought."""
        return support(days, self.days, self.buyers(days)).verdict == "measured"

    def buyers(self, days: int) -> int | None:
        """Return how many buyers a model of a horizon would be tested on; None where they were not counted."""
        return self.sizes[days].buyers if days in self.sizes else None

    @property
    def checked(self) -> int:
        """The longest horizon with enough buyers to test, 0 where there is none."""
        return longest_measured(self.days, {days: size.buyers for days, size in self.sizes.items()})


def horizons(dataset: Dataset) -> Horizons:
    """Return what the length of the log allows, and the purchases in it."""
    first, end = dataset.log_start, dataset.log_end
    longest = longest_horizon(first, end)
    candidates = range(longest, 0, -1)
    held_out = (h for h in candidates if training_cutoffs(first, end - timedelta(days=h), h, 1))
    measurable = next(held_out, 0)
    log_days, customers = (end - first).days, dataset.manifest.customers
    candidates_days = tuple(
        sorted({*horizons_to_count(log_days), *(days for days in USUAL_HORIZONS if days <= longest)})
    )
    with st.spinner(t("train.counting")):
        sizes = _sizes(dataset, candidates_days) if candidates_days else {}
    return Horizons(log_days, longest, measurable, recommended(log_days, customers, sizes), sizes)


def counted(dataset: Dataset, allowed: Horizons, days: int) -> Horizons:
    """Return what a log allows with the holdout of a horizon that a person typed in."""
    if days in allowed.sizes or days > allowed.longest:
        return allowed
    return replace(allowed, sizes={**allowed.sizes, **_sizes(dataset, (days,))})


@cached()
def _sizes(dataset: Dataset, horizons_days: tuple[int, ...]) -> dict[int, HoldoutSize]:
    return holdout_sizes(dataset, horizons_days)


@cached()
def _rhythm(dataset: Dataset) -> PaymentRhythm:
    return payment_rhythm(dataset)


def rhythm_sentence(dataset: Dataset, allowed: Horizons, horizon_days: int) -> str:
    """Return how customers pay, and which silence is longer than any whose end the log can show."""
    with st.spinner(t("train.counting")):
        rhythm = _rhythm(dataset)
    facts = {"never": rhythm.never_paid, "usual": rhythm.usual_gap, "long": rhythm.long_gap}
    key = "train.rhythm" if rhythm.usual_gap else "train.rhythm.once"
    return " ".join((t(key, **facts), t("train.rhythm.silence", days=max(0, allowed.days - horizon_days))))


def form_id(dataset: Dataset) -> str:
    """Return what the keys of the page's widgets end in: another log, or version of it, begins with its own."""
    return f"{dataset.name}_{dataset.version}"


def choose_horizon(dataset: Dataset, allowed: Horizons) -> int:
    """Let the person choose a horizon; those that cannot be measured say so."""
    key, best = f"train_horizon_{form_id(dataset)}", allowed.recommended.days
    usual = [days for days in USUAL_HORIZONS if days <= allowed.longest]
    st.session_state.setdefault(key, best if best in usual else OTHER)
    selected_days = st.segmented_control(
        t("train.horizon"),
        [*usual, OTHER],
        format_func=lambda days: _horizon_label(days, allowed),
        key=key,
        required=True,
        help=t("train.horizon.help"),
        persist_state="session",
    )
    assert selected_days is not None, key
    if selected_days != OTHER:
        return int(selected_days)
    return int(
        st.number_input(
            t("config.horizon_days"),
            min_value=1,
            max_value=allowed.longest,
            value=min(allowed.longest, best),
            key=f"train_horizon_days_{form_id(dataset)}",
            help=t("train.horizon.other.help", longest=allowed.longest),
            width=260,
            persist_state="session",
        )
    )


def about(days: int, allowed: Horizons, customers: int) -> str:
    """Return on whom a model of this horizon is tested; where it cannot be, why, in the words of the upload page.

    Of the recommended one it is why it is recommended.
    """
    if days == allowed.recommended.days:
        mark = "check_circle" if allowed.measured(days) else "warning"
        return f":material/{mark}: {i18n.message_text(allowed.recommended.reason)}"
    supported, size = support(days, allowed.days, allowed.buyers(days)), allowed.sizes.get(days)
    if supported.verdict == "measured" and size is not None:
        return t("train.horizon.tested", customers=size.customers, all=customers, buyers=size.buyers)
    return f":material/warning: {i18n.message_text(supported.reason)}"


def _horizon_label(days: int, allowed: Horizons) -> str:
    if days == OTHER:
        return t("train.horizon.other")
    mark = ":material/check_circle:" if allowed.measured(days) else ":material/warning:"
    return f"{mark} {t('unit.days', n=days)}"


def default_model(dataset: Dataset) -> str:
    """Return the model that past origins favour for a log of this size."""
    return choice.default_model(dataset.manifest.customers)


def why_model(dataset: Dataset, model: str) -> str:
    """Return which model is trained, and why where nobody chose it."""
    name = name_of("choice.model", model)
    if model != default_model(dataset):
        return t("train.model", name=name)
    params = {"name": name, "customers": f"{dataset.manifest.customers:,}", "small": f"{choice.SMALL:,}"}
    return t("train.model.small" if dataset.manifest.customers < choice.SMALL else "train.model.usual", **params)


def settings_form(dataset: Dataset) -> dict[str, Any]:
    """Draw one widget for each setting that the chosen model reads but the horizon; return the values by name.

    Models that ship are offered; one of the user's own is trained in Python or by the command line. What was chosen for
    one log is not taken for another.
    """
    form, hints = form_id(dataset), get_type_hints(TrainConfig)
    values: dict[str, Any] = {}
    for group in GROUPS:
        items = [
            item for item in fields(TrainConfig) if item.metadata["group"] == group and item.name != "horizon_days"
        ]
        values |= {item.name: item.default for item in items if len(_offered(item, form)) == 1}
        items = [item for item in items if item.name not in values]
        if group != BASIC and not any(item.name in READS[values["model"]] for item in items):
            continue
        st.markdown(f"**{t(f'form.group.{group}')}**")
        with st.grid(3, min_column_width=220):
            for item in items:
                if item.name == "delete_features" and is_read(item.name, values):
                    values[item.name] = _required_features(dataset, form)
                elif group == BASIC or is_read(item.name, values):
                    start = default_model(dataset) if item.name == "model" else item.default
                    values[item.name] = _widget(item, hints[item.name], start, form)
    return values


def _required_features(dataset: Dataset, form: str) -> str:
    """Ask for features whose gaps delete a training window; first those of the customers table are chosen."""
    attribute_names = [PREFIX + attribute.name for attribute in attributes_of(dataset)]
    measured = [name for name, feature in FEATURES.items() if feature.empty is None and feature.source in SOURCES]
    selected = st.multiselect(
        t("config.delete_features"),
        [*attribute_names, *measured],
        default=attribute_names,
        format_func=lambda name: label(name, session.language()),
        placeholder=t("streamlit.choose_several"),
        help=t("config.delete_features.help"),
        key=key_of("delete_features", form),
        persist_state="session",
    )
    return ",".join(selected)


def key_of(name: str, form: str) -> str:
    """Return the key of the widget of one setting; ``form`` as in :func:`settings_form`."""
    return f"setting_{name}_{form}"


def _offered(item: Field[Any], form: str) -> list[str]:
    """Return the choices of a setting: of those that are leaving, only what a search of earlier settings found."""
    found = st.session_state.get(key_of(item.name, form))
    choices = [choice for choice in item.metadata["choices"] or () if choice != OWN]
    return choices + [choice for choice in item.metadata["leaving"] if choice == found]


def _widget(item: Field[Any], hint: Any, start: Any, form: str) -> Any:
    label, info, key = t(f"config.{item.name}"), t(f"config.{item.name}.help"), key_of(item.name, form)
    optional = get_origin(hint) is types.UnionType
    kind = next(part for part in get_args(hint) if part is not type(None)) if optional else hint
    default = None if start is MISSING else start
    offered = _offered(item, form)
    if offered:
        names = {choice: name_of(f"choice.{item.name}", choice) for choice in offered}
        index = offered.index(str(default))
        return widgets.select(label, names, key, index=index, help=info, persist_state="session")
    if kind is bool:
        return st.toggle(label, value=bool(default), help=info, key=key, persist_state="session")
    low, high = item.metadata["low"], item.metadata["high"]
    value = st.number_input(
        label,
        min_value=None if low is None else kind(low),
        max_value=None if high is None else kind(high),
        value=default,
        step=1 if kind is int else None,
        format=None if kind is int else "%g",
        placeholder=t("form.automatic"),
        help=info,
        key=key,
        persist_state="session",
    )
    return value if value is None else kind(value)


def expected_cost(dataset: Dataset, config: TrainConfig) -> Cost:
    """Return the expected time and memory: by the size of the log, and by the pace of earlier trainings here."""
    facts = dataset.manifest
    cost = estimate(config, dataset.log_start, dataset.log_end, facts.customers, facts.rows_kept)
    return replace(cost, seconds=cost.seconds * _pace())


def expected_windows(dataset: Dataset, config: TrainConfig) -> str:
    """Return how many windows will be read, and for how many steps, in words."""
    facts = dataset.manifest
    plan = budget(config, dataset.log_start, dataset.log_end, facts.customers, facts.rows_kept)
    steps = sorted({steps for steps in (plan.steps, plan.tuned_steps) if steps})
    windows = f"{plan.windows:,}"
    if not steps:
        return t("train.windows", windows=windows)
    return t("train.steps", windows=windows, steps="–".join(f"{number:,}" for number in steps))


def _pace() -> float:
    """Return how many times their estimate the latest trainings took on this machine; 1 without any."""
    records = [bundle.record for bundle in list_bundles(session.workspace()) if not bundle.untrained]
    latest = sorted(records, key=lambda record: record.created, reverse=True)[:LATEST_TRAININGS]
    ratios = [run.actual.seconds / run.estimate.seconds for run in latest if run.estimate.seconds]
    return median(ratios) if ratios else 1.0


def memory_here() -> float | None:
    """Return this machine's memory in MB, None where the system does not tell."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6


def running_elsewhere(dataset: Dataset) -> None:
    """Say that a training which this session started on another dataset still runs, with the way to it."""
    job = session.followed("train")
    if job is None or not progress.is_running(job) or job.status().label == dataset.name:
        return
    name = job.status().label
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(t("train.elsewhere", name=widgets.escape(name)), icon=":material/hourglass_top:")
        if st.button(t("train.elsewhere.show"), key="show_training", icon=":material/visibility:"):
            session.choose(dataset=name)
            st.rerun()


def start(dataset: Dataset, config: TrainConfig) -> None:
    """Start training as a job, with the model and the settings that differ from their defaults."""
    progress.start_job(["train", dataset.name, *config_words(config)], dataset.name)
