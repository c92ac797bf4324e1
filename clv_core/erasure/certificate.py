"""The certificate of an erasure: what was changed, which models learned from it, what remains. It names no customer.

``erasures/<id>.json`` and ``erasures/<id>.<language>.md``. A customer is on it as HMAC-SHA256 of the certificate's salt
and the id, under the workspace's key: only with id and key can it be shown that it was this customer.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from clv_core import audit
from clv_core.collection.parse import load_key
from clv_core.deployment import Bundle
from clv_core.i18n import LANGUAGES, translate
from clv_core.records import StoredRecord
from clv_core.workspace import Workspace, read_json, write_json, write_text

FOLDER: Final = "erasures"


@dataclass(frozen=True)
class ErasedDataset(StoredRecord):
    """What an erasure did to a dataset.

    Args:
        name: of it.
        destroyed: versions that were.
        version: the one that took their place; "" where nothing was left.
        events: rows that were erased.
        aside: the same of rejected rows.
        people: the same of the customers table.
    """

    name: str
    destroyed: list[str]
    version: str
    events: int
    aside: int
    people: int


@dataclass(frozen=True)
class AffectedModel(StoredRecord):
    """A model that learned from the customers, or held them.

    Args:
        model: its id.
        dataset: what it was trained on.
        customers: how many of them it learned from.
        holdout_rows: of them that it held.
    """

    model: str
    dataset: str
    customers: int
    holdout_rows: int


@dataclass(frozen=True)
class Remains(StoredRecord):
    """What still names a customer and was not changed.

    Args:
        kind: of thing.
        name: of it.
    """

    kind: str
    name: str


@dataclass(frozen=True)
class Unsure(StoredRecord):
    """Texts in which ids stand as words that may mean something else, so that they were not changed.

    Args:
        file: that they are in.
        column: of it, "" where it has none.
        cells: how many.
        ids: how many of the ids.
    """

    file: str
    column: str
    cells: int
    ids: int


@dataclass(frozen=True)
class Certificate(StoredRecord):
    """What an erasure did.

    Args:
        id: of the request: the same ids under the same scope are the same request.
        salt: of the hashes, 32 hexadecimal digits.
        begun: ISO time in UTC.
        finished: ISO time in UTC; "" while it is under way, or was cut off.
        who: who started it.
        dataset: the dataset that it was limited to; "" for the entire workspace.
        customers: hash -> whether the customer was in any dataset.
        datasets: that were written anew.
        removed: counts of what was removed: scores, explanations, views, uploads, records of runs.
        exports: names of lists that were removed.
        files: rows or texts taken out of other files, by path.
        models: that learned from the customers, or held them.
        remains: what still names a customer.
        unsure: texts that may.
    """

    id: str
    salt: str
    begun: str
    finished: str = ""
    who: str = ""
    dataset: str = ""
    customers: dict[str, bool] = field(default_factory=dict)
    datasets: list[ErasedDataset] = field(default_factory=list)
    removed: dict[str, int] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    models: list[AffectedModel] = field(default_factory=list)
    remains: list[Remains] = field(default_factory=list)
    unsure: list[Unsure] = field(default_factory=list)

    @property
    def learned(self) -> list[AffectedModel]:
        """The models that learned from the customers, whose weights remain."""
        return [model for model in self.models if model.customers]

    def with_customers(self, workspace: Workspace, ids: Iterable[str]) -> Certificate:
        """Return the certificate with customers who were in a dataset."""
        return replace(self, customers={**self.customers, **{salted(workspace, self.salt, word): True for word in ids}})

    def with_model(self, bundle: Bundle, *, customers: int = 0, holdout_rows: int = 0) -> Certificate:
        """Return the certificate with what a model learned from, and what it lost.

        Args:
            bundle: the model.
            customers: how many of them it learned from; the larger number of two runs counts.
            holdout_rows: rows erased from its holdout; those of two runs add up.
        """
        models = {model.model: model for model in self.models}
        name = bundle.record.dataset.name
        earlier = models.get(bundle.id, AffectedModel(bundle.id, name, 0, 0))
        rows = earlier.holdout_rows + holdout_rows
        models[bundle.id] = replace(earlier, customers=max(earlier.customers, customers), holdout_rows=rows)
        return replace(self, models=list(models.values()))

    def with_removed(self, counts: Mapping[str, int]) -> Certificate:
        """Return the certificate with more things removed, by kind."""
        return replace(self, removed=_sums(self.removed, counts))

    def with_files(self, counts: Mapping[str, int]) -> Certificate:
        """Return the certificate with more rows or texts erased, by file."""
        return replace(self, files=_sums(self.files, counts))

    def with_dataset(self, changes: ErasedDataset | None) -> Certificate:
        """Return the certificate with a dataset that was written anew, None for none; those of two runs add up."""
        if changes is None:
            return self
        earlier = next((dataset for dataset in self.datasets if dataset.name == changes.name), None)
        if earlier is not None:
            sums = ("destroyed", "events", "aside", "people")
            changes = replace(changes, **{key: getattr(earlier, key) + getattr(changes, key) for key in sums})
        return replace(
            self, datasets=[*(dataset for dataset in self.datasets if dataset.name != changes.name), changes]
        )


def begin(workspace: Workspace, given: Collection[str], dataset: str) -> Certificate:
    """Return the certificate of the same request that was cut off, or a new one.

    Args:
        workspace: where customers are erased.
        given: their ids.
        dataset: the only one that is changed; "" for all.
    """
    request = "\n".join(["request", dataset, *sorted(given)])
    identity = hmac.new(load_key(workspace), request.encode(), hashlib.sha256).hexdigest()[:12]
    path, now = workspace.place(FOLDER) / f"{identity}.json", datetime.now(UTC)
    if path.exists():
        earlier = Certificate.from_json(read_json(path))
        if not earlier.finished:
            return earlier
        identity = f"{identity}-{now:%Y%m%d%H%M%S}"
    salt = secrets.token_hex(16)
    customers = {salted(workspace, salt, customer): False for customer in given}
    begun = now.isoformat(timespec="seconds")
    return Certificate(identity, salt, begun, who=audit.actor(), dataset=dataset, customers=customers)


def salted(workspace: Workspace, salt: str, customer: str) -> str:
    """Return the salted hash by which a certificate refers to a customer, 64 hexadecimal digits."""
    message = f"clv studio certificate\n{salt}\n{customer}".encode()
    return hmac.new(load_key(workspace), message, hashlib.sha256).hexdigest()


def save(workspace: Workspace, certificate: Certificate) -> Path:
    """Write a certificate as JSON, and once it is finished as Markdown in each language; return the JSON's path."""
    path = workspace.folder(FOLDER) / f"{certificate.id}.json"
    if certificate.finished:
        for language in LANGUAGES:
            write_text(markdown_path(workspace, certificate.id, language), markdown(certificate, language))
    write_json(path, certificate.to_json())
    return path


def markdown_path(workspace: Workspace, identity: str, language: str) -> Path:
    """Return where a certificate lies as Markdown."""
    return workspace.root / FOLDER / f"{identity}.{language}.md"


def certificates(workspace: Workspace) -> list[Certificate]:
    """Return all certificates, the latest first, with those of runs that were cut off."""
    read = [Certificate.from_json(read_json(path)) for path in workspace.place(FOLDER).glob("*.json")]
    return sorted(
        read, key=lambda certificate: (certificate.finished or certificate.begun, certificate.id), reverse=True
    )


def markdown(certificate: Certificate, language: str) -> str:
    """Return a certificate for people."""

    def t(key: str, **params: Any) -> str:
        return translate(key, language, **params)

    def item(key: str, **params: Any) -> str:
        return f"- {t(key, **params)}"

    def line(what: str, value: object) -> str:
        return item("erasure.line", what=what, value=value)

    n, in_dataset = len(certificate.customers), sum(certificate.customers.values())
    lines = [
        f"# {t('erasure.title.one' if n == 1 else 'erasure.title', n=n)}",
        "",
        line(t("erasure.id"), certificate.id),
        item("erasure.when", begun=_moment(certificate.begun), finished=_moment(certificate.finished)),
        line(t("erasure.who"), certificate.who),
        line(t("erasure.scope"), certificate.dataset or t("erasure.scope.all")),
        item("erasure.found", found=in_dataset, n=n),
    ]
    lines += ["", f"## {t('erasure.datasets')}"]
    for erased in certificate.datasets:
        lines.append(item("erasure.dataset" if erased.version else "erasure.dataset.gone", **vars(erased)))
        lines.append(f"  {t('erasure.versions', versions=', '.join(erased.destroyed), version=erased.version or '-')}")
    lines += ["", f"## {t('erasure.removed')}"]
    lines += [line(t(f"erasure.kind.{kind}"), count) for kind, count in certificate.removed.items() if count]
    lines += [line(t("erasure.export"), name) for name in certificate.exports]
    lines += [line(path, t("versions.of_rows", rows=count)) for path, count in certificate.files.items()]
    why = t("erasure.models.why" if certificate.learned else "erasure.models.none")
    lines += ["", f"## {t('erasure.models')}", why]
    lines += [item("erasure.model", rows=model.holdout_rows, **vars(model)) for model in certificate.models]
    lines += ["", f"## {t('erasure.remains')}", ""]
    lines += [item(f"erasure.remains.{rest.kind}", name=rest.name) for rest in certificate.remains]
    searched = t("erasure.searched.dataset" if certificate.dataset else "erasure.searched", dataset=certificate.dataset)
    left = "some" if certificate.remains else "unsure" if certificate.unsure else "none"
    lines += ["", f"{searched} {t(f'erasure.remains.{left}')}"]
    if certificate.unsure:
        lines += ["", f"## {t('erasure.unsure')}", t("erasure.unsure.why"), ""]
    for unsure in certificate.unsure:
        lines.append(item(f"erasure.unsure.{'column' if unsure.column else 'file'}", **vars(unsure)))
    lines += ["", f"## {t('erasure.customers')}", t("erasure.customers.how", salt=certificate.salt), ""]
    lines += [f"- `{customer}`" for customer in certificate.customers]
    return "\n".join(lines) + "\n"


def _sums(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {**first, **{key: first.get(key, 0) + count for key, count in second.items()}}


def _moment(time: str) -> str:
    """Return an ISO time in UTC as a person reads it, to the second."""
    return time.removesuffix("+00:00").replace("T", " ")
