"""Realized against predicted value, for complete forecast periods and for parts of them."""
