"""Customer: the card of one customer, and how to find her."""
