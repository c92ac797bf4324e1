"""What to do with scores: which customers, which offers, which products, at which prices.

acquisition/                                  what new customers cost, are worth, and when they pay back
segments/                                     schemes that cut customers, conditions on them, figures of segments
activation, audiences/                        lists, plans and exports; what leaves, and who is left out of it
plans/, experiments/                          offers within a budget; control groups and measured effects
campaigns/                                    lists with a control group that stays: who is in which group
recommend/, pricing/, recommend_and_price     products for customers, and how sales respond to prices
customer/                                     the card of one customer
report/                                       slides and a page for stakeholders
purchase_history, explanation_files           what customers bought, and explanations as files
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
