"""Files of a folder, of a bucket with the protocol of S3, or at an HTTPS address, copied block by block."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from clv_core.collection.sources.saved_sources import Source, unreachable
from clv_core.errors import Refused, UsageError

BLOCK: Final = 1 << 20
"""Bytes copied at a time."""
MAX_REDIRECTS: Final = 10
"""Requests for one file, as curl's and browsers' limits of 20 to 50 are for pages."""
QUIET_SECONDS: Final = 10
"""A file that changed more recently than this may still be written; the next run takes it."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a source.

    Args:
        name: in its folder.
        fingerprint: differs once the file has changed.
        fetch: gives a local path of it, below a folder.
    """

    name: str
    fingerprint: str
    fetch: Callable[[Path], Path]


@dataclass(frozen=True)
class Listed:
    """The files of a source.

    Args:
        files: that match, the oldest first.
        links: names of links that match and are not followed: they lead out of the folder, or to nothing.
    """

    files: list[RemoteFile]
    links: tuple[str, ...] = ()


@contextmanager
def folder(source: Source, _: str) -> Iterator[Listed]:
    """Yield the files of a folder that match, where they lie."""
    root = Path(source.where)
    if not root.is_dir():
        raise Refused("source_no_folder", source=source.name, path=source.where)
    entries, links = [], []
    for path in root.glob(source.what):
        try:
            about = path.stat()
            is_inside = path.resolve(strict=True).is_relative_to(root.resolve())
        except (OSError, RuntimeError):  # of a loop of links
            is_inside = False
        if not is_inside:
            links.append(path.relative_to(root).as_posix())
        elif path.is_file() and not path.name.startswith(".") and time.time() - about.st_mtime > QUIET_SECONDS:
            name, mark = path.relative_to(root).as_posix(), f"{about.st_size}-{about.st_mtime_ns}"
            entries.append((about.st_mtime_ns, RemoteFile(name, mark, partial(_in_place, path))))
    yield Listed(
        [file for _, file in sorted(entries, key=lambda entry: (entry[0], entry[1].name))], tuple(sorted(links))
    )


def _in_place(path: Path, _: Path) -> Path:
    return path


def s3_system(address: str, secret: str) -> tuple[Any, str]:
    """Return the file system of ``s3://bucket/folder?region=NAME``, and the folder in it.

    Args:
        address: of another store than Amazon's with ``&endpoint=https://HOST``.
        secret: ``KEY_ID:SECRET_KEY``; "" for the keys of the environment or of this machine's role.

    Raises:
        UsageError: the secret is not two texts.
        OSError: the bucket's region is neither given nor detected.
    """
    from pyarrow import fs

    parts = urlsplit(address)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    options: dict[str, Any] = {key: query[key] for key in ("region", "scheme", "endpoint_override") if key in query}
    if endpoint := query.get("endpoint"):
        options |= {"endpoint_override": urlsplit(endpoint).netloc, "scheme": urlsplit(endpoint).scheme}
    if not {"region", "endpoint_override"} & {*options}:
        options["region"] = fs.resolve_s3_region(parts.netloc)
    if secret:
        options["access_key"], colon, options["secret_key"] = secret.partition(":")
        if not colon:
            raise UsageError("source_s3_secret")
    return fs.S3FileSystem(**options), f"{parts.netloc}{parts.path}".rstrip("/")


@contextmanager
def s3(source: Source, password: str) -> Iterator[Listed]:
    """Yield the objects of a bucket that match; they are copied when they are fetched."""
    from pyarrow import fs

    try:
        system, root = s3_system(source.where, password)
        listed = system.get_file_info(fs.FileSelector(root, recursive="/" in source.what or "**" in source.what))
    except OSError as error:
        raise unreachable(source, error) from error
    entries = []
    for about in listed:
        name = PurePosixPath(about.path).relative_to(root).as_posix()
        if about.is_file and fnmatch(name, source.what):

            def fetch(target: Path, path: str = about.path, name: str = name) -> Path:
                local = target / name.replace("/", "_")
                with system.open_input_stream(path) as remote, local.open("wb") as out:
                    shutil.copyfileobj(remote, out, BLOCK)
                return local

            entries.append((about.mtime_ns, RemoteFile(name, f"{about.size}-{about.mtime_ns}", fetch)))
    yield Listed([file for _, file in sorted(entries, key=lambda entry: (entry[0], entry[1].name))])


@contextmanager
def https(source: Source, token: str) -> Iterator[Listed]:
    """Yield the file at an address; a token is sent as ``Authorization: Bearer``, and not to another host.

    Raises:
        Refused: it answers with another status than 200, or redirects to where nothing is encrypted; then nothing is
            used there.
    """
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(headers=headers, timeout=60, verify=tls_context(source)) as client:
            request = client.build_request("GET", source.where)
            for _ in range(MAX_REDIRECTS):
                answer = client.send(request, stream=True)
                if answer.next_request is None:
                    break
                answer.close()
                request = answer.next_request
                _check_redirect(source, str(request.url))
            with closing(answer):
                if answer.status_code != httpx.codes.OK:
                    raise Refused("source_http", source=source.name, host=source.host, status=answer.status_code)
                changed = answer.headers.get("last-modified", "")
                mark = answer.headers.get("etag") or (parsedate_to_datetime(changed).isoformat() if changed else "")
                name = PurePosixPath(urlsplit(source.where).path).name or source.name

                def fetch(target: Path) -> Path:
                    with (target / name).open("wb") as out:
                        for block in answer.iter_bytes(BLOCK):
                            out.write(block)
                    return target / name

                yield Listed([RemoteFile(name, mark, fetch)])
    except httpx.HTTPError as error:
        raise unreachable(source, error) from error


def _check_redirect(source: Source, target: str) -> None:
    """Refuse a redirect that leaves encryption; one of a server on this machine may stay on it."""
    origin, redirect = urlsplit(source.where), urlsplit(target)
    if redirect.scheme != "https" and (origin.scheme, origin.hostname) != (redirect.scheme, redirect.hostname):
        shown = f"{redirect.scheme}://{redirect.hostname}"  # without its path, which may hold a signature
        raise Refused("source_redirect", source=source.name, host=source.host, target=shown)


def tls_context(source: Source) -> Any:
    """Return how an HTTPS server's certificate is checked."""
    import ssl

    return ssl.create_default_context(cafile=source.ca or None)
