"""Campaigns: lists for marketing with a control group, so that what they brought can be measured.

:mod:`campaign` has the record of a campaign and who is in which of its groups; a customer's group is fixed by the first
list in which she could have been. :mod:`proposal` says how large a control group is proposed, and what it would show;
:mod:`outcome` reads from the log what a campaign brought, by the statistics of :mod:`uplift`; :mod:`learned_effects`
and :mod:`next_list` say what that teaches of the next, and :mod:`findings` says all of it in words.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
