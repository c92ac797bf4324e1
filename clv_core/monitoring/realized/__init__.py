"""Realized against predicted value, for whole forecast periods and for parts of them."""
