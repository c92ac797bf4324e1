"""Features of customers at a cutoff: ``open_log(dataset).snapshot(cutoff, horizon_days)`` gives a ``Snapshot``.

log, snapshot           the way in and what comes out; season and last_year add the seasonality of the year before
lines, relations        a log's rows as numbers, and the sums by customer and day that features are made from
event_store             holds them in memory or mapped files (columnar/, relation_cache); or
warehouse               tables of an engine: the same expressions as a query
behaviour, feature      the features, one row each; filling works them out in memory, table makes the table
sequences               a customer's events as steps
signals, review_texts   columns of one dataset's own: customer attributes, review texts
anchor                  BG/NBD and Gamma-Gamma (clv_core.btyd) at one cutoff
context/                what the pre-trained network reads of a log
explore/                the tables behind the Explore page
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
