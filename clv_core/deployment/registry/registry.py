"""The registry of a workspace: versions by name, one champion each; only intact bundles are served.

A command refers to one of them by a bundle's id, ``champion``, ``challenger``, or ``NAME@3``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from clv_core import audit
from clv_core.collection.store import open_dataset
from clv_core.deployment.artifacts import check_unused, remove_model_artifacts
from clv_core.deployment.bundle import LEAVING, RECORD, Bundle, open_bundle
from clv_core.deployment.registry import registry_rows as table
from clv_core.deployment.registry.database import path_of, transaction
from clv_core.deployment.registry.reconcile import reconcile, usable
from clv_core.deployment.registry.version import Served, Source, Version
from clv_core.errors import Message, NotFound, Refused, UsageError
from clv_core.workspace import Workspace

KEEP: Final = 3
"""Versions that stay by default."""


class ChampionConflict(Refused):
    """Another version became champion meanwhile; ``name``, and its ``version``."""


class Registry:
    """All versions of all models of a workspace.

    Opening it makes rows and folders agree, so bundles from before the registry, or left by a killed process, are
    versions as well. An instance holds no connection: it may be shared by threads, and is cheap to create. A file that
    was moved away as damaged is created again by the next call.

    Args:
        workspace: whose models.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        reconcile(workspace)

    def register(self, bundle: Bundle, *, source: Source = "trained") -> Version:
        """Make a bundle the next version of its dataset's name; a registered one keeps number and role.

        The first version of a name becomes its champion, a later one its challenger. An untrained champion is
        replaced by the first trained version. A first look is a version only by this call or :meth:`promote`.

        Args:
            bundle: on disk, in this workspace.
            source: where it comes from.

        Raises:
            Refused: its files do not match its checksums.
        """
        sound = usable(bundle.folder)
        with transaction(self.workspace, write=True) as rows:
            if table.find(rows, bundle.id) is None:
                table.add(rows, bundle.record.dataset.name, sound, source)
            table.set_source(rows, bundle.id, source)
            version = table.find(rows, bundle.id)
            assert version is not None
            return version

    def names(self) -> list[str]:
        """Return all names that have versions."""
        return list(dict.fromkeys(version.name for version in self.versions()))

    def versions(self, name: str | None = None) -> list[Version]:
        """Return the versions of a name, or of all, the newest first; without those of a later program."""
        with self._reading() as rows:
            return [version for version in table.versions(rows, name) if version.is_readable]

    def version(self, name: str, which: int | str) -> Version:
        """Return one version by its number, by ``champion`` or ``challenger``, or by its bundle's id.

        Raises:
            NotFound: there is none.
        """
        number = re.fullmatch(r"v?(\d{1,9})", str(which))
        versions = self.versions(name)
        for version in versions:
            if (number and version.number == int(number[1])) or which in (version.bundle, version.role or None):
                return version
        numbers = [str(version.number) for version in versions] or "-"
        raise NotFound("no_model_version", name=name, version=str(which), known=numbers)

    def no_name(self, name: str) -> NotFound:
        """Return the error for a name without versions; it lists the names that there are."""
        return NotFound("no_name", name=name, known=", ".join(self.names()) or "-")

    def find(self, bundle: str) -> Version | None:
        """Return the version that a bundle is registered as."""
        with self._reading() as rows:
            return table.find(rows, bundle)

    def challenger_warnings(self, version: Version | None) -> list[Message]:
        """Return a warning where a version that was just trained is not the champion of its name."""
        champion = None if version is None else self.champion(version.name)
        if version is None or champion is None or champion.number == version.number:
            return []
        params = {"name": version.name, "version": version.number, "champion": champion.number}
        quoted = shlex.quote(version.name)
        return [Message("warning.not_champion", {**params, "model": champion.bundle, "quoted": quoted})]

    def champion(self, name: str) -> Version | None:
        """Return the champion of a name; one query, no file is read."""
        with self._reading() as rows:
            return table.champion(rows, name)

    def challenger(self, name: str) -> Version | None:
        """Return the challenger of a name."""
        return next((version for version in self.versions(name) if version.role == "challenger"), None)

    def earlier(self, name: str) -> list[Version]:
        """Return the earlier champions that a rollback may return to, the latest first; no file is read."""
        with self._reading() as rows:
            return table.earlier_champions(rows, name)

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return who became champion when and why, the latest first: ``{version, at, why}``."""
        with self._reading() as rows:
            query = "SELECT number AS version, at, why FROM moves WHERE name = ? ORDER BY seq DESC"
            return [dict(row) for row in rows.execute(query, (name,))]

    def open(self, version: Version) -> Bundle:
        """Return the bundle of a version after all its files passed their checksums.

        Raises:
            NotFound: its folder is missing.
            Refused: a byte was changed.
        """
        bundle = open_bundle(self.workspace, version.bundle)
        if bundle.record.digest != version.digest:
            raise Refused("bundle_damaged", model=bundle.id, file=RECORD)
        bundle.check()
        return bundle

    def sound(self, version: Version) -> bool:
        """Return whether all files of a version are intact."""
        try:
            self.open(version)
        except Refused:
            return False
        return True

    def serving(self, name: str) -> Served:
        """Return the champion, or with a warning the last good version where the champion is damaged.

        Raises:
            NotFound: the name has no version.
            Refused: no version of it is sound.
        """
        with self._reading() as rows:
            first, earlier, all_versions = (
                table.champion(rows, name),
                table.earlier_champions(rows, name),
                table.versions(rows, name),
            )
        if first is None:
            raise self.no_name(name)
        candidates = [
            first,
            *earlier,
            *(candidate for candidate in table.by_succession(all_versions) if not candidate.archived),
        ]
        for version in {version.number: version for version in candidates}.values():
            try:
                bundle = self.open(version)
            except Refused:
                continue
            params = {"name": name, "champion": first.number, "version": version.number, "model": first.bundle}
            warnings = () if version.number == first.number else (Message("warning.champion_damaged", params),)
            return Served(version, bundle, warnings)
        raise Refused("no_good_version", name=name)

    def promote(self, name: str, which: int | str, *, instead_of: str = "") -> Version:
        """Make a version the champion, once all its files were checked; an archived one comes back into use.

        Args:
            name: what it is a version of.
            which: as in :meth:`version`, or the id of a first look that is no version yet.
            instead_of: bundle of the champion that it was compared with; "" is any.

        Raises:
            NotFound: there is no such version.
            ChampionConflict: another one than ``instead_of`` is champion by now.
            Refused: its files are damaged.
        """
        target = self.version(name, self._register_first_look(name, which))
        self.open(target)
        with transaction(self.workspace, write=True) as rows:
            if table.version(rows, name, target.number) is None:
                raise NotFound("no_model_version", name=name, version=str(which), known="-")
            champion = table.champion(rows, name)
            if champion is None or champion.number != target.number:
                if instead_of and champion is not None and champion.bundle != instead_of:
                    raise ChampionConflict("overtaken", name=name, version=champion.number)
                table.archive(rows, target, archived=False)
                table.set_champion(rows, name, target.number, "promote")
        self._note("promote", target)
        return self.version(name, target.number)

    def roll_back(self, name: str, *, instead_of: str = "") -> Version:
        """Make the champion before the present one champion again.

        Args:
            name: whose champion.
            instead_of: bundle of the champion to replace; "" is the current one.

        Raises:
            NotFound: the name has no version.
            ChampionConflict: another one than ``instead_of`` is champion by now.
            Refused: there was no champion before, or none whose files are sound.
        """
        champion = self.champion(name)
        if champion is None:
            raise self.no_name(name)
        replaced = instead_of or champion.bundle
        sound = next((version for version in self.earlier(name) if self.sound(version)), None)
        if sound is None and champion.bundle == replaced:
            raise Refused("no_earlier_champion", name=name)
        with transaction(self.workspace, write=True) as rows:
            current = table.champion(rows, name)
            if current is not None and current.bundle != replaced:
                raise ChampionConflict("overtaken_before_rollback", name=name, version=current.number)
            if sound is None or sound.number not in [version.number for version in table.earlier_champions(rows, name)]:
                raise Refused("no_earlier_champion", name=name)
            table.roll_back(rows, name, sound)
        self._note("rollback", sound)
        return self.version(name, sound.number)

    def archive(self, name: str, which: int | str, *, back: bool = False) -> Version:
        """Archive a version: it is kept but no longer offered; ``back`` offers it again.

        Raises:
            NotFound: there is no such version.
            Refused: it is the champion.
        """
        target = self.version(name, which)
        with transaction(self.workspace, write=True) as rows:
            champion = table.champion(rows, name)
            if not back and champion is not None and champion.number == target.number:
                raise Refused("champion_stays", name=name, version=target.number)
            table.archive(rows, target, archived=not back)
        self._note("archive", target)
        return self.version(name, target.number)

    def delete(self, name: str, which: int | str, *, last: bool = True) -> Version:
        """Remove a version, its bytes, and all that it scored and explained.

        Args:
            name: what it is a version of.
            which: as in :meth:`version`.
            last: whether it may be the only version of its name.

        Raises:
            NotFound: there is no such version.
            Refused: it is the champion, and another one could be, or it may not be the last; or a run works with it.
        """
        target = self.version(name, which)
        check_unused(self.workspace, target.bundle)
        with transaction(self.workspace, write=True) as rows:
            version = table.find(rows, target.bundle)
            if version is not None and version.role == "champion":
                has_others = len(table.versions(rows, version.name)) > 1
                if has_others or not last:
                    code = "champion_stays" if has_others else "last_champion_stays"
                    raise Refused(code, name=version.name, version=version.number)
            self._remove(rows, target.bundle)
        self._remove_leftovers(target.bundle)
        self._note("delete", target)
        return target

    def prune(self, name: str, *, keep: int = KEEP) -> list[Version]:
        """Remove all versions but ``keep``, as :meth:`delete` does; return those removed, the newest first.

        The champion is the first of those that stay, then comes the one that a rollback returns to, then the newest.
        An archived version stays too and is not counted.

        Raises:
            NotFound: the name has no version.
            UsageError: fewer than one should stay.
            Refused: a run works with one that would be removed; then none is.
        """
        if keep < 1:
            raise UsageError("keep_models", keep=keep)
        available = [version for version in self.versions(name) if not version.archived]
        if not available:
            raise self.no_name(name)
        previous = [version.number for version in self.earlier(name)[:1]]
        ranked = sorted(available, key=lambda version: (version.role != "champion", version.number not in previous))
        removable = sorted(ranked[keep:], key=lambda version: -version.number)
        for version in removable:
            check_unused(self.workspace, version.bundle)
        return [self.delete(name, version.number) for version in removable]

    def forget(self, bundles: list[str]) -> None:
        """Remove bundles of any role, with all that they scored; a champion is followed by its successor."""
        for bundle in bundles:
            with transaction(self.workspace, write=True) as rows:
                self._remove(rows, bundle)
            self._remove_leftovers(bundle)

    def rename(self, old: str, new: str) -> None:
        """Move the versions of ``old`` to ``new``."""
        with transaction(self.workspace, write=True) as rows:
            table.rename(rows, old, new)

    def _register_first_look(self, name: str, which: int | str) -> int | str:
        """Register the first look of a name that ``which`` is the id of; return ``which``."""
        with suppress(NotFound):
            bundle = open_bundle(self.workspace, str(which))
            if bundle.untrained and bundle.record.dataset.name == name:
                self.register(bundle)
        return which

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not path_of(self.workspace).exists():
            reconcile(self.workspace)
        with transaction(self.workspace) as rows:
            yield rows

    def _remove(self, rows: sqlite3.Connection, bundle: str) -> None:
        """Remove a bundle's row and all that it scored, and rename its folder for removal after the commit."""
        remove_model_artifacts(self.workspace, bundle)
        folder, version = self.workspace.models / bundle, table.find(rows, bundle)
        if folder.is_dir():
            self._remove_leftovers(bundle)
            os.rename(folder, folder.with_name(f"{LEAVING}{bundle}"))
        if version is not None:
            table.remove(rows, version)

    def _remove_leftovers(self, bundle: str) -> None:
        shutil.rmtree(self.workspace.models / f"{LEAVING}{bundle}", ignore_errors=True)

    def _note(self, action: str, version: Version) -> None:
        audit.note(self.workspace, f"models {action}", dataset=version.name, version=version.number, outcome="done")


ROLES: Final = ("champion", "challenger")


def resolve_bundle_id(workspace: Workspace, reference: str, name: str | None) -> str:
    """Return the id of the bundle that a reference means; with a role a cron command need not change.

    Args:
        workspace: whose models.
        reference: a bundle's id, which is returned as it is; a role of :data:`ROLES`; or ``NAME@WHICH``, a name of
            the registry and a version of it, by number or role.
        name: the dataset that a role alone is of; None where there is none.

    Raises:
        UsageError: a role alone, and no dataset.
        NotFound: there is no such version, or no such dataset.
    """
    of, at, which = reference.rpartition("@")
    if not at and reference not in ROLES:
        return reference
    if not at and name is None:
        raise UsageError("role_of_what", role=reference)
    registry, model_name = Registry(workspace), of if at else str(name)
    if which == "champion" and registry.champion(model_name) is None:
        if not at:
            open_dataset(workspace, model_name)
        raise NotFound("no_champion", name=model_name, known=list(registry.names()) or "-")
    return registry.version(model_name, which).bundle
