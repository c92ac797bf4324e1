"""Steps of a schedule are checked before it is saved: by the command line's own parser, and for what they need.

A step that could never run would fail at night, when nobody is there: a dataset, a model or a destination that there is
not, a file with the wrong ending, an option that is missing. What an earlier step of the chain makes need not be there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from clv_core.commands.parser import SPECS, build_parser
from clv_core.environment import ALERT_ADDRESSES, Environment
from clv_core.errors import ClvError, Message, NeedsAnswer, UsageError
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.monitoring import Schedule


def check_steps(workspace: Workspace, schedule: Schedule) -> list[Message]:
    """Refuse a schedule with a step that could never run; return warnings of what this machine has no settings for.

    Raises:
        UsageError: a step is no command, or an option of it is missing or wrong; the error names the step.
        NotFound, Refused, NeedsAnswer: it needs something that there is not.
    """
    schedule.check()
    parser, made, warnings = build_parser(schedule.language, workspace), set[str](), list[Message]()
    for number, (step, words) in enumerate(zip(schedule.steps, schedule.commands(), strict=True), 1):
        try:
            options = parser.parse_args(words)
            command = " ".join(filter(None, [options.command, getattr(options, "action", None)]))
            if (check := SPECS[command].check) is not None:
                check(options)
            for needs in NEEDS[command]:
                needs(workspace, options, made)
        except SystemExit as error:  # --help: nothing would ever run
            raise UsageError("schedule_step_help", step=step[:60]) from error
        except ClvError as error:
            reason = error.params["reason"] if error.code.startswith("usage") else error.message(schedule.language)
            reason = reason if reason.endswith((".", "。")) else f"{reason}."
            raise type(error)("schedule_step_never", number=number, step=step[:80], reason=reason) from error
        if command == "summary" and options.out is None:
            warnings += _addresses(options)
    return warnings


Needs = Callable[[Workspace, argparse.Namespace, set[str]], None]
"""Refuses options of a command that need what there is not; the set has datasets that earlier steps make."""


def _source(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    from clv_core.collection.sources import load_source

    made.add(load_source(workspace, options.name).dataset)


def _dataset(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    from clv_core.collection.store import open_dataset

    if options.name is not None and options.name not in made:
        open_dataset(workspace, options.name)


def _model(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    from clv_core.deployment import open_bundle
    from clv_core.deployment.registry import resolve_bundle_id

    if options.model is None:  # of a step that does without
        return
    open_bundle(workspace, resolve_bundle_id(workspace, options.model, options.name))


def _segment(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    """Parse the scheme and the conditions, where the dataset is there to parse them by."""
    from clv_core.collection.store import open_dataset
    from clv_core.strategy.segments import parse_condition, parse_scheme

    if options.name not in made:
        scheme = parse_scheme(options.scheme, open_dataset(workspace, options.name))
        for condition in options.segment:
            parse_condition(condition, scheme)


def _destination(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    """Look at the destination, and whether it is known who agreed to be in it."""
    from clv_core.collection.store import open_dataset
    from clv_core.strategy.audiences import Contacts
    from clv_core.strategy.destinations import open_destination, push_contacts

    destination = open_destination(workspace, options.to)
    if options.name not in made:
        contacts = Contacts(assume_consent=options.assume_consent, ids_as_email=not options.no_ids_as_email)
        push_contacts(destination, contacts, open_dataset(workspace, options.name))


def _contacts(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    """Look whether a format for a platform has contacts, and whether it is known who agreed to be contacted."""
    from clv_core.collection.store import open_dataset
    from clv_core.strategy.audiences import EXPORTS, Contacts, knows_consent, with_stored_contacts

    if options.name in made or options.customers is not None or not EXPORTS[options.format].needs_contacts:
        return
    dataset = open_dataset(workspace, options.name)
    contacts = with_stored_contacts(Contacts(assume_consent=options.assume_consent), dataset, options.format)
    if contacts is None or contacts.customers is None:
        raise UsageError("export_needs_contacts", format=options.format)
    if not options.assume_consent and not knows_consent(dataset):
        raise NeedsAnswer("contacts_no_consent")


def _campaign(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    """Look whether a campaign that there is not yet has a share of its control group."""
    from clv_core.collection.store import open_dataset
    from clv_core.strategy.campaigns import open_campaign

    if options.campaign is None or options.control_share is not None:
        return
    if options.name in made:
        raise UsageError("campaign_share", name=options.campaign)
    open_campaign(open_dataset(workspace, options.name), options.campaign)


def _files(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    """Look at the files that a step reads each time."""
    for name in ("list", "customers", "suppress", "logo"):
        path = getattr(options, name, None)
        if path is not None and not path.is_file():
            raise UsageError("schedule_no_file", path=str(path))


def _address(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    from clv_core.monitoring.notifications import checked_url

    if options.webhook:
        checked_url(options.webhook)


def _versions(workspace: Workspace, options: argparse.Namespace, made: set[str]) -> None:
    from clv_core.deployment.registry import Registry

    registry = Registry(workspace)
    if options.name not in registry.names():
        raise registry.no_name(options.name)


NEEDS: Final[dict[str, Sequence[Needs]]] = {
    "source run": (_source,),
    "score": (_dataset, _model),
    "monitor": (_dataset, _model, _address),
    "segment": (_dataset, _model, _segment, _campaign),
    "export": (_dataset, _model, _segment, _contacts, _campaign, _files),
    "report": (_dataset, _model, _files),
    "summary": (_dataset, _model, _address),
    "push": (_dataset, _model, _segment, _destination, _campaign, _files),
    "backup": (),
    "prune": (_dataset,),
    "models prune": (_versions,),
}
"""Steps that a chain may have -> what each needs."""


def _addresses(options: argparse.Namespace) -> Iterator[Message]:
    """Yield a warning where nothing here says where a summary goes: whoever runs the chain may have other settings."""
    from clv_core.monitoring.notifications import channels

    if not options.webhook and not channels(Environment.from_environment()):
        yield Message("warning.schedule_no_address", {"variables": list(ALERT_ADDRESSES)})
