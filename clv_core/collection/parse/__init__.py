"""Parsing: the texts of cells become numbers, times, amounts of money, phone numbers, ids and pseudonyms."""
