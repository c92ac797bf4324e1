"""Scores pushed to where they are used: a webhook, Klaviyo, HubSpot, a table of PostgreSQL, a bucket.

A push sends what changed since the last one, to those whom a file for the same system would hold, and leaves a receipt
in the export log. Killed or refused in the middle, the next push goes on where it stopped.
"""

from clv_core.strategy.destinations.destination import Destination
from clv_core.strategy.destinations.push import Pushed, push
from clv_core.strategy.destinations.saved_destinations import (
    KINDS,
    add_destination,
    list_destinations,
    open_destination,
    remove_destination,
)

__all__ = [
    "KINDS",
    "Destination",
    "Pushed",
    "add_destination",
    "list_destinations",
    "open_destination",
    "push",
    "remove_destination",
]
