"""Which source column is which canonical one: a proposal for each, then the best of several, or a question."""
