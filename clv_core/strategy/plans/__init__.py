"""Plans: which customer gets which offer within a budget, and what that is expected to bring.

:mod:`offers` says what can be given, :mod:`measured_offers` puts the effects of experiments in place of assumed ones,
:mod:`allocation` optimises, :mod:`budget_plan` makes the tables, :mod:`plan_warnings` says what a reader must know, and
:mod:`saved_offers` stores the offers of a dataset.
"""
