"""Buy-till-you-die models: how often customers buy until they silently leave, and what an order is worth.

One protocol, :class:`PurchaseModel`: ``fit(frequency, recency, T)``, then ``p_alive``, ``expected_purchases``,
``p_purchases`` of those customers, of others, and, where no customer is given, of a new one. One chapter a model:

bgnbd        BG/NBD, MBG/NBD: customers may leave after each purchase; MBG/NBD also after the first
paretonbd    Pareto/NBD: customers may leave at any moment
bgbb         BG/BB: both are decided at each of so many opportunities
gammagamma   Gamma-Gamma: what an order is worth; ``lifetime_value``
covariates   any of the counts with static covariates of customers
tracking     what a model expects beside what came; :mod:`clv_core.plot` draws it

events_summary makes the table that they are fitted on; inputs checks it; fitting finds the parameters: maximum
likelihood on distinct rows with analytic gradients, quadrature in place of hypergeometric functions (so no overflow and
no NaN at large counts), a regularised answer where the log holds too little. Rates and ages are in one unit of time
throughout, whichever it is; CLV Studio uses days.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
