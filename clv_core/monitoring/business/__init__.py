"""What an operator fears most: an outage, customers who leave, a month loaded twice, told by day and in money.

``daily_figures`` reads what came by day; ``expectations`` says, week by week, what was expected of it, ``detector``
where it differs by more than chance, ``findings`` what that is and what it cost. ``watched_business`` does all of it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
