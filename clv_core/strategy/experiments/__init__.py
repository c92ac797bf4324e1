"""Experiments: who gets an offer by chance, and what the offer brought.

:mod:`randomization` assigns the groups, :mod:`measurement` reads who was in which group and what they spent, and
:mod:`treatment_effect` has the statistics.
"""
