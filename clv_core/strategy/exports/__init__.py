"""Exports: lists of customers as people, spreadsheets and platforms want them."""
