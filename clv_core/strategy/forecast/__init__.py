"""What the shop will take, and how what came differs from it.

``shop_days`` reads what came by day; ``known_customers`` and ``new_customers`` forecast the two parts, ``baselines``
the total without any; ``shop_forecast`` puts them together and tests them on past dates, ``saved_forecast`` makes it
for a scored dataset and keeps it, ``asked_forecast`` answers those who ask for it outside the pages. ``bridge`` leads
from a forecast to what came, line by line.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
