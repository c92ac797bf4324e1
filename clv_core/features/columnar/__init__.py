"""The feature language on arrays: what an engine does to tables, done to sorted columns in memory.

Relations and features are written once, as Ibis expressions. Handed an Ibis table they are a query; handed
:class:`~clv_core.features.columnar.rows.Rows` they are worked out on the spot, about ten times as fast as the embedded
engine does it, because rows that belong together lie side by side. Tests hold both to the same bits.
"""
