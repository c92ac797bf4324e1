"""Tell those who want to know of new alerts: a webhook, people by e-mail."""

from __future__ import annotations

import hashlib

from clv_core.errors import ClvError
from clv_core.monitoring.report import Report
from clv_core.monitoring.telling.mail import Smtp, send
from clv_core.monitoring.telling.payload import not_told, note_told, payload, words
from clv_core.monitoring.telling.webhook import checked_url, post
from clv_core.workspace import Workspace


def tell(
    workspace: Workspace, report: Report, *, webhook: str | None = None, smtp: Smtp | None = None, language: str
) -> dict[str, int]:
    """Tell of the open alerts that were not told of before; where there is none, nobody hears anything.

    Args:
        workspace: where it is noted who was told.
        report: what was found.
        webhook: address; None: none.
        smtp: how mail is sent; None: it is not.
        language: of the words.

    Returns:
        How many alerts each of ``webhook`` and ``email`` was told of.

    Raises:
        UsageError: the address is none.
        ClvError: somebody could not be told; the others were.
    """
    failed: ClvError | None = None
    told: dict[str, int] = {}
    for channel, to in (("webhook", webhook), ("email", None if smtp is None else ",".join(smtp.to))):
        if to is None:
            continue
        mark = f"{channel}:{hashlib.sha256(to.encode()).hexdigest()[:16]}"  # an address may hold a secret
        alerts = not_told(workspace, report, mark)
        try:
            if alerts and channel == "webhook":
                post(checked_url(to), payload(report, alerts, language))
            elif alerts and smtp is not None:
                send(smtp, *words(report, alerts, language))
        except ClvError as error:
            failed = failed or error
            continue
        note_told(workspace, report, mark, alerts)
        told[channel] = len(alerts)
    if failed is not None:
        raise failed
    return told
