"""Audiences: lists of customers for people, spreadsheets, and ad or mail platforms.

Read in this order: :mod:`.contacts` (how contact fields are written), :mod:`.audience_filter` (who must be left out,
and why), :mod:`.formats` with :mod:`.platforms` (what each platform takes), :mod:`.export` (the files and the log).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
