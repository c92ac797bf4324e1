"""Customer: all that is said of one of them."""
