"""Columns that say what each row is: names of events, a ledger's documents, sides of an account, visits."""
