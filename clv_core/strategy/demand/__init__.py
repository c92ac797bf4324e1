"""What will be bought of each product, in the coming weeks.

``product_days`` reads what was sold by product and day; ``baskets`` says what of a shop's revenue goes to each product,
and how sure that is; ``methods`` puts it together with the shop's forecast, beside simple methods; ``product_demand``
tests them on past dates and shows what was closest. ``saved_demand`` makes it for a scored dataset and keeps it;
``ordering`` makes the table to order by, for those who ask for it outside the pages too.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
