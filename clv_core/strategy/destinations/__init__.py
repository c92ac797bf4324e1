"""Scores pushed to where they are used: a webhook, Klaviyo, HubSpot, a table of PostgreSQL, a bucket.

A push sends what changed since the last one, to those whom a file for the same system would hold, and leaves a receipt
in the export log. Killed or refused in the middle, the next push resumes where it stopped.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
