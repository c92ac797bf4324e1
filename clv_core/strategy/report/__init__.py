"""The stakeholder report: its content as plain data, and what writes it as slides or as one page of HTML."""
