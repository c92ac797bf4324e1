"""The stakeholder report: ``make_report`` fills ``sections`` of a ``document``, which ``slides`` and ``html`` write."""
