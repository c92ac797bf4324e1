"""Sources: where a shop's log lives, saved once and read again and again.

``source.py`` is a saved source and the table of kinds; ``query.py`` lets only a SELECT through; ``databases.py``,
``files.py`` and ``shopify.py`` fetch rows or files. What they fetch is read as any uploaded file is
(:mod:`clv_core.preprocessing.refresh`).
"""

from clv_core.collection.sources.pull import Days as Days
from clv_core.collection.sources.pull import Held as Held
from clv_core.collection.sources.pull import Pulled as Pulled
from clv_core.collection.sources.pull import check_role as check_role
from clv_core.collection.sources.pull import first_day as first_day
from clv_core.collection.sources.pull import pull as pull
from clv_core.collection.sources.source import APPEND as APPEND
from clv_core.collection.sources.source import KINDS as KINDS
from clv_core.collection.sources.source import NO_ORDERS as NO_ORDERS
from clv_core.collection.sources.source import REPLACE as REPLACE
from clv_core.collection.sources.source import Source as Source
from clv_core.collection.sources.source import SourceState as SourceState
from clv_core.collection.sources.source import add_source as add_source
from clv_core.collection.sources.source import change_source as change_source
from clv_core.collection.sources.source import changes_of as changes_of
from clv_core.collection.sources.source import list_sources as list_sources
from clv_core.collection.sources.source import load_source as load_source
from clv_core.collection.sources.source import load_state as load_state
from clv_core.collection.sources.source import remove_source as remove_source
from clv_core.collection.sources.source import save_state as save_state
from clv_core.collection.sources.source import update_source as update_source
