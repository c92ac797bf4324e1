"""Acquisition economics: where customers came from, what they cost, what they are worth, and when they pay back.

customers = load_new_customers(scored, progress)               origin and value of every customer, read once
spend = read_spend.read_spend(path)                            a table of costs by day, week or month and channel
acquisition_report(customers, spend, Question(by=("channel",)))  figures with intervals, fast enough for a slider
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
