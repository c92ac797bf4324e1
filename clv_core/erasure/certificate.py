"""The certificate of an erasure: what was touched, who learned from it, what remains; it names no customer.

``erasures/<id>.json`` and ``erasures/<id>.md``. Each customer stands as HMAC-SHA256 of the certificate's salt and the
id, under the workspace's key: whoever holds id and key can show that it was this customer, nobody else can.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from clv_core.collection.values.pseudonyms import load_key
from clv_core.i18n import LANGUAGES, translate
from clv_core.workspace import Workspace, read_json, write_json, write_text

FOLDER: Final = "erasures"


@dataclass(frozen=True)
class Certificate:
    """What an erasure did.

    Args:
        id: of the request: the same ids under the same scope are the same request.
        salt: of the hashes, 32 hexadecimal digits.
        begun: ISO time in UTC.
        finished: ISO time in UTC; "" while it is under way, or was cut off.
        who: who asked for it.
        dataset: the dataset that it was limited to; "" for the whole workspace.
        customers: hash -> whether the customer was in any dataset.
        datasets: ``{name, destroyed, version, events, aside, people}``.
        removed: counts of what was removed whole: scores, explanations, views, uploads, records of runs.
        exports: names of lists that were removed.
        files: rows or texts taken out of other files, by path.
        models: ``{model, dataset, customers, holdout_rows}`` of models that learned from the customers, or held them.
        remains: ``{kind, name}`` of what still names a customer and was not changed.
        unsure: ``{file, column, cells, ids}`` of texts in which that many of the ids stand as words that may mean
            something else, so that they were not changed.
    """

    id: str
    salt: str
    begun: str
    finished: str = ""
    who: str = ""
    dataset: str = ""
    customers: dict[str, bool] = field(default_factory=dict)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    removed: dict[str, int] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    remains: list[dict[str, str]] = field(default_factory=list)
    unsure: list[dict[str, Any]] = field(default_factory=list)

    @property
    def learned(self) -> list[dict[str, Any]]:
        """The models that learned from the customers, whose weights remain."""
        return [one for one in self.models if one["customers"]]


def salted(workspace: Workspace, salt: str, customer: str) -> str:
    """Return what stands for a customer on a certificate, 64 hexadecimal digits."""
    message = f"clv studio certificate\n{salt}\n{customer}".encode()
    return hmac.new(load_key(workspace), message, hashlib.sha256).hexdigest()


def save(workspace: Workspace, certificate: Certificate) -> Path:
    """Write a certificate as JSON, and once it is finished as Markdown in each language; return the JSON's path."""
    path = workspace.folder(FOLDER) / f"{certificate.id}.json"
    if certificate.finished:
        for language in LANGUAGES:
            write_text(markdown_path(workspace, certificate.id, language), markdown(certificate, language))
    write_json(path, asdict(certificate))
    return path


def markdown_path(workspace: Workspace, identity: str, language: str) -> Path:
    """Return where a certificate lies as Markdown."""
    return workspace.root / FOLDER / f"{identity}.{language}.md"


def certificates(workspace: Workspace) -> list[Certificate]:
    """Return all certificates, the latest first, those of runs that were cut off among them."""
    found = [Certificate(**read_json(path)) for path in (workspace.root / FOLDER).glob("*.json")]
    return sorted(found, key=lambda one: (one.finished or one.begun, one.id), reverse=True)


def markdown(certificate: Certificate, language: str) -> str:
    """Return a certificate for people."""

    def t(key: str, **params: Any) -> str:
        return translate(key, language, **params)

    def line(what: str, value: object) -> str:
        return f"- {t('erasure.line', what=what, value=value)}"

    found = sum(certificate.customers.values())
    scope = certificate.dataset or t("erasure.scope.all")
    asked = len(certificate.customers)
    lines = [
        f"# {t('erasure.title.one' if asked == 1 else 'erasure.title', n=asked)}",
        "",
        line(t("erasure.id"), certificate.id),
    ]
    times = {"begun": _moment(certificate.begun), "finished": _moment(certificate.finished)}
    lines += [f"- {t('erasure.when', **times)}"]
    lines += [line(t("erasure.who"), certificate.who), line(t("erasure.scope"), scope)]
    lines += [f"- {t('erasure.found', found=found, n=len(certificate.customers))}", "", f"## {t('erasure.datasets')}"]
    for one in certificate.datasets:
        words = {key: one[key] for key in ("name", "events", "aside", "people")}
        lines.append(f"- {t('erasure.dataset' if one['version'] else 'erasure.dataset.gone', **words)}")
        lines.append(f"  {t('erasure.versions', versions=', '.join(one['destroyed']), version=one['version'] or '-')}")
    lines += ["", f"## {t('erasure.removed')}"]
    lines += [line(t(f"erasure.kind.{kind}"), count) for kind, count in certificate.removed.items() if count]
    lines += [line(t("erasure.export"), name) for name in certificate.exports]
    lines += [line(path, t("versions.of_rows", rows=count)) for path, count in certificate.files.items()]
    lines += [
        "",
        f"## {t('erasure.models')}",
        t("erasure.models.why" if certificate.learned else "erasure.models.none"),
    ]
    for one in certificate.models:
        rows = {"model": one["model"], "customers": one["customers"], "rows": one["holdout_rows"]}
        lines.append(f"- {t('erasure.model', **rows)}")
    lines += ["", f"## {t('erasure.remains')}", ""]
    for one in certificate.remains:
        lines.append(f"- {t('erasure.remains.' + one['kind'], name=one['name'])}")
    searched = "erasure.searched.dataset" if certificate.dataset else "erasure.searched"
    left = "some" if certificate.remains else "unsure" if certificate.unsure else "none"
    lines += ["", f"{t(searched, dataset=certificate.dataset)} {t(f'erasure.remains.{left}')}"]
    if certificate.unsure:
        lines += ["", f"## {t('erasure.unsure')}", t("erasure.unsure.why"), ""]
    for one in certificate.unsure:
        code = "erasure.unsure.column" if one["column"] else "erasure.unsure.file"
        lines.append(f"- {t(code, **one)}")
    lines += ["", f"## {t('erasure.customers')}", t("erasure.customers.how", salt=certificate.salt), ""]
    lines += [f"- `{one}`" for one in certificate.customers]
    return "\n".join(lines) + "\n"


def _moment(time: str) -> str:
    """Return an ISO time in UTC as a person reads it, to the second."""
    return time.removesuffix("+00:00").replace("T", " ")
