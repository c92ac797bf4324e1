"""The models page's first screen: the champion, its challenger, whether files are intact; and how it is called."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle
from clv_core.deployment.api import example_call
from clv_core.deployment.registry import Registry, Version
from clv_core.errors import ClvError
from clv_core.upkeep import models_to_retrain
from pages.ui import evaluation_charts, i18n, navigation, session, verdict, widgets
from pages.ui.i18n import t
from pages.ui.models import actions
from pages.ui.widgets import Figure

ROLES: Final = {"champion": ("green", ":material/verified:"), "challenger": ("blue", ":material/swords:")}
SERVICE: Final = "http://localhost:8000/"
"""Default address of the service."""
CALLER: Final = "shop-system"


@dataclass(frozen=True)
class DatasetVersions:
    """The versions of a dataset's models, the newest first."""

    registry: Registry
    name: str
    versions: tuple[Version, ...]

    def of_role(self, role: str) -> Version | None:
        """Return the champion or the challenger."""
        return next((version for version in self.versions if version.role == role), None)

    @property
    def champion(self) -> Version:
        """The current version."""
        champion = self.of_role("champion")
        assert champion is not None, self.name
        return champion


def load_versions(dataset: Dataset) -> DatasetVersions:
    """Return the versions of a dataset's models."""
    registry = Registry(session.workspace())
    return DatasetVersions(registry, dataset.name, tuple(registry.versions(dataset.name)))


def show(every: DatasetVersions) -> None:
    """Show the current version next to its challenger."""
    champion, challenger = every.champion, every.of_role("challenger")
    names = {"name": widgets.escape(every.name), "version": champion.number, "kind": model_name(champion)}
    if challenger is None:
        widgets.headline(t("models.headline", **names), t("models.headline.alone"))
    else:
        rival = {"rival": challenger.number, "rival_kind": model_name(challenger)}
        widgets.headline(t("models.headline.challenged", **names, **rival), t("models.headline.compare"))
    _warn_of_damage(every)
    _warn_of_objected(every)
    with st.grid(2 if challenger else 1, min_column_width=380):
        for version in filter(None, (champion, challenger)):
            _card(every, version)


def model_name(version: Version) -> str:
    """Return the name of a version's model."""
    return t("models.first_look") if version.untrained else i18n.name_of("model", version.record.model)


def title(version: Version) -> str:
    """Return number, model, horizon, day of training and role of a version in one line."""
    parts = [
        t("models.version", n=version.number),
        model_name(version),
        t("unit.days", n=version.record.horizon_days),
    ]
    parts += [i18n.day(version.record.created)]
    parts += [t(f"models.role.{version.role}")] if version.role else []
    return " · ".join([*parts, *([t("models.archived")] if version.archived else [])])


def accept_button(bundle: Bundle) -> None:
    """Offer to make a model the champion of its dataset; nothing where it is, or has no version."""
    dataset, version = session.dataset(), session.versions_by_model().get(bundle.id)
    if dataset is None or version is None or version.role == "champion":
        return
    champion = load_versions(dataset).of_role("champion")
    actions.button(t("models.promote", version=version.number), "promote", version, champion, "accept_model")


def is_intact(every: DatasetVersions, version: Version) -> bool:
    """Return whether a version's files are what was saved; checked when a file changes, or after ten minutes."""
    folder = session.workspace().models / version.bundle
    files = sorted((item.name, item.stat()) for item in os.scandir(folder)) if folder.is_dir() else []
    stamp = tuple((name, about.st_size, about.st_mtime_ns) for name, about in files)
    return _checked(str(folder), version.digest, stamp, version, every.registry)


@st.cache_resource(max_entries=128, ttl=600, show_spinner=False)
def _checked(folder: str, digest: str, stamp: Any, _version: Version, _registry: Registry) -> bool:
    return _registry.sound(_version)


def _warn_of_damage(every: DatasetVersions) -> None:
    """Say so where the champion's files changed since they were saved, and which version is used instead."""
    if is_intact(every, every.champion):
        return
    try:
        for warning in every.registry.serving(every.name).warnings:
            st.error(widgets.escape(warning.text(session.language())), icon=":material/gpp_bad:")
    except ClvError as error:
        widgets.show_error(error)


def _warn_of_objected(every: DatasetVersions) -> None:
    """Name the versions that were trained with customers who objected since."""
    learned = {bundle.id for bundle, _ in models_to_retrain(session.workspace(), every.name)}
    numbers = [f"{version.number}" for version in every.versions if version.bundle in learned and not version.archived]
    if numbers:
        versions = i18n.join_names(numbers)
        st.warning(t("objections.versions", n=len(numbers), versions=versions), icon=":material/do_not_disturb_on:")


def _card(every: DatasetVersions, version: Version) -> None:
    record, metrics = version.record, version.record.metrics
    colour, icon = ROLES[version.role]
    with st.container(border=True, height="stretch"):
        st.markdown(f":{colour}-badge[{icon} {t(f'models.role.{version.role}')}]")
        st.header(f"{t('models.version', n=version.number)} · {model_name(version)}", anchor=False)
        times = {"last": i18n.last_day(record.cutoff), "when": i18n.moment(record.created)}
        st.caption(t("models.card.about", days=record.horizon_days, data=version.data_hash, **times))
        verdict.show(version.trust)
        if metrics:
            widgets.figures(_figures(version), 4, 180)
        else:
            st.caption(t("models.card.unmeasured"))
        cost = record.actual
        st.caption(t("models.card.cost", time=i18n.span(cost.seconds), memory=f"{cost.memory_mb / 1000:.1f}"))
        with st.container(horizontal=True):
            _buttons(every, version)


def _figures(version: Version) -> list[Figure]:
    """Return the main figures, named and rounded as on the evaluate page."""
    metrics, currency = version.record.metrics, version.record.currency
    return [
        Figure(
            t(f"metric.{name}"),
            evaluation_charts.metric_text(name, metrics[name], currency),
            t(f"metric.{name}.meaning"),
        )
        for name in evaluation_charts.MAIN
        if name in metrics
    ]


def _buttons(every: DatasetVersions, version: Version) -> None:
    if version.role == "challenger":
        label, primary = t("models.promote", version=version.number), version.trust.verdict != "not_trusted"
        actions.button(label, "promote", version, every.champion, "promote_challenger", primary=primary)
        return
    earlier = every.registry.earlier(every.name)
    if earlier:
        label = t("models.roll_back", version=earlier[0].number)
        actions.button(label, "roll_back", earlier[0], version, "roll_back")
    if st.button(t("train.evaluate"), icon=navigation.BY_NAME["evaluate"].icon, key="models_evaluate"):
        session.choose(model=version.bundle)
        navigation.go("evaluate")


def show_calls(every: DatasetVersions) -> None:
    """Show what is to be typed to call the champion: first to try it on this machine, then for other systems."""
    champion, root = every.champion, str(session.workspace().root.absolute())
    names = {"name": widgets.escape(every.name), "version": champion.number, "kind": model_name(champion)}
    serve = ["python", "-m", "clv_core", "serve", "--workspace", root, "--name", every.name]
    new_key = ["python", "-m", "clv_core", "keys", "add", CALLER, "--workspace", root]
    st.markdown(t("models.call.who", **names))
    st.markdown(f"**{t('models.call.start')}**")
    _code(shlex.join([*serve, "--open"]))
    st.markdown(f"**{t('models.call.ask')}**")
    _code(example_call(SERVICE, secured=False))
    st.caption(t("models.call.asked"))
    st.markdown(f"**{t('models.call.others')}**")
    _code("\n".join([shlex.join(new_key), shlex.join(serve), example_call(SERVICE, secured=True)]))
    st.caption(t("models.call.more", base=SERVICE))


def _code(text: str) -> None:
    st.code(text, language=None, wrap_lines=True)  # as plain text: the colours of code are too pale
