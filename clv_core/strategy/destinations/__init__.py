"""Scores pushed to where they are used: a webhook, Klaviyo, HubSpot, a table of PostgreSQL, a bucket.

A push sends what changed since the last one, to those whom a file for the same system would hold, and leaves a receipt
in the export log. Killed or refused in the middle, the next push goes on where it stopped.
"""

from clv_core.strategy.destinations.destination import MARKETING, PURPOSES, WAREHOUSE, Destination
from clv_core.strategy.destinations.push import Pushed, push, push_contacts
from clv_core.strategy.destinations.saved_destinations import (
    KINDS,
    add_destination,
    list_destinations,
    open_destination,
    remove_destination,
    set_purpose,
)

__all__ = [
    "KINDS",
    "MARKETING",
    "PURPOSES",
    "WAREHOUSE",
    "Destination",
    "Pushed",
    "add_destination",
    "list_destinations",
    "open_destination",
    "push",
    "push_contacts",
    "remove_destination",
    "set_purpose",
]
