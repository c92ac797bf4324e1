"""The models page's first screen: which version speaks, who challenges it, and whether its files are sound."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.registry import Registry, Version
from clv_core.errors import ClvError
from pages.ui import by_role, judged, navigation, saying, state, trusting, widgets
from pages.ui.models import pressed
from pages.ui.saying import t
from pages.ui.widgets import Figure

ROLES: Final = {"champion": ("green", ":material/record_voice_over:"), "challenger": ("blue", ":material/swords:")}


@dataclass(frozen=True)
class Shelf:
    """The versions of the dataset in use.

    Args:
        registry: where they are.
        dataset: whose they are.
        versions: the newest first.
    """

    registry: Registry
    dataset: Dataset
    versions: tuple[Version, ...]

    @property
    def name(self) -> str:
        """What they are versions of."""
        return self.dataset.name

    def of_role(self, role: str) -> Version | None:
        """Return the champion or the challenger."""
        return next((one for one in self.versions if one.role == role), None)


def shelf(dataset: Dataset) -> Shelf:
    """Return the versions of a dataset's models."""
    registry = Registry(state.workspace())
    return Shelf(registry, dataset, tuple(registry.versions(dataset.name)))


def show(found: Shelf) -> None:
    """Say which version speaks, and show it beside its challenger."""
    champion, challenger = found.of_role("champion"), found.of_role("challenger")
    assert champion is not None
    known = {"name": widgets.plain(found.name), "version": champion.number, "kind": kind(champion)}
    if challenger is None:
        widgets.headline(t("models.headline", **known), t("models.headline.alone"))
    else:
        rival = {"rival": challenger.number, "rival_kind": kind(challenger)}
        widgets.headline(t("models.headline.challenged", **known, **rival), t("models.headline.compare"))
    _warn(found, champion)
    with st.grid(2 if challenger else 1, min_column_width=380):
        _card(found, champion)
        if challenger is not None:
            _card(found, challenger)


def kind(version: Version) -> str:
    """Return the name of a version's model."""
    return t("models.first_look") if version.untrained else saying.name_of("model", version.record["model"])


def title(version: Version) -> str:
    """Return number, kind, horizon, day of training and role of a version in one line."""
    parts = [t("models.version", n=version.number), kind(version), t("unit.days", n=version.record["horizon_days"])]
    parts += [saying.day(version.record["created"])]
    parts += [t(f"models.role.{version.role}")] if version.role else []
    return " · ".join([*parts, *([t("models.archived")] if version.archived else [])])


def accept(bundle: Bundle) -> None:
    """Offer to make a model the champion of its dataset; nothing where it is, or has no version."""
    dataset, version = state.dataset(), state.registered().get(bundle.id)
    if dataset is None or version is None or version.role == "champion":
        return
    label, may = t("models.promote", version=version.number), by_role.if_may("promote")
    champion = shelf(dataset).of_role("champion")
    pressed.button(label, "promote", version, champion, icon=":material/upgrade:", key="accept_model", **may)


def _warn(found: Shelf, champion: Version) -> None:
    """Say so where the champion's files changed since they were kept, and who speaks instead."""
    if sound(found, champion):
        return
    try:
        for warning in found.registry.serving(found.name).warnings:
            st.error(widgets.plain(warning.text(state.language())), icon=":material/gpp_bad:")
    except ClvError as error:
        widgets.error_box(error)


def sound(found: Shelf, version: Version) -> bool:
    """Say whether a version's files are what was kept; looked at again when a file changes, or after ten minutes."""
    folder = state.workspace().models / version.bundle
    files = sorted((item.name, item.stat()) for item in os.scandir(folder)) if folder.is_dir() else []
    stamp = (str(folder), version.digest, tuple((name, about.st_size, about.st_mtime_ns) for name, about in files))
    known = _looked_at()
    if stamp not in known:
        known[stamp] = found.registry.sound(version)
    return known[stamp]


@st.cache_resource(max_entries=1, ttl=600, show_spinner=False)
def _looked_at() -> dict[Any, bool]:
    """Return what was found of files by name, size and time; shared by all sessions."""
    return {}


def _card(found: Shelf, version: Version) -> None:
    record, metrics = version.record, version.record["metrics"]
    colour, icon = ROLES[version.role]
    with st.container(border=True, height="stretch"):
        st.markdown(f":{colour}-badge[{icon} {t(f'models.role.{version.role}')}]")
        st.header(f"{t('models.version', n=version.number)} · {kind(version)}", anchor=False)
        known = {"last": saying.last_day(record["cutoff"]), "when": saying.moment(record["created"])}
        st.caption(t("models.card.about", days=record["horizon_days"], data=version.data_hash, **known))
        trusting.verdict(version.trust)
        if metrics:
            widgets.figures(_figures(version), 4, 180)
        else:
            st.caption(t("models.card.unmeasured"))
        cost = record["actual"]
        st.caption(t("models.card.cost", time=saying.span(cost["seconds"]), memory=f"{cost['memory_mb'] / 1000:.1f}"))
        with st.container(horizontal=True):
            _buttons(found, version)


def _figures(version: Version) -> list[Figure]:
    """Return the main figures, named and rounded as on the evaluate page."""
    metrics, currency = version.record["metrics"], version.record["currency"]
    return [
        Figure(t(f"metric.{name}"), judged.said(name, metrics[name], currency), t(f"metric.{name}.meaning"))
        for name in judged.MAIN
        if name in metrics
    ]


def _buttons(found: Shelf, version: Version) -> None:
    may, speaking = by_role.if_may("promote"), found.of_role("champion")
    if version.role == "challenger":
        label = t("models.promote", version=version.number)
        how = {"type": "secondary" if version.trust.verdict == "not_trusted" else "primary"} | may
        pressed.button(label, "promote", version, speaking, icon=":material/upgrade:", key="promote_challenger", **how)
        return
    earlier = found.registry.earlier(found.name)
    if earlier:
        label = t("models.roll_back", version=earlier[0].number)
        pressed.button(label, "roll_back", earlier[0], speaking, icon=":material/undo:", key="roll_back", **may)
    if st.button(t("train.evaluate"), icon=navigation.BY_NAME["evaluate"].icon, key="models_evaluate"):
        state.choose(model=version.bundle)
        navigation.go("evaluate")
