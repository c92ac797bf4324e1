"""Inputs of a network that has never seen a log: statistics of the customer's own past, and of the log around her.

Everything is free of the log's scale: time is counted in horizons, money in mean orders. All of it reads what lies
before the cutoff only; what happened in complete windows before it is looked up, never what happens after it.

    log_days             a log by customer and day: events, orders, and what customers do besides buying; sums over days
    lookup               what happened to similar customers in complete windows before the cutoff
    log_statistics       statistics of the log at the cutoff
    customer_statistics  statistics of each customer
    context              a log at one cutoff: all of that together, with the expectations of BG/NBD and Gamma-Gamma
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
