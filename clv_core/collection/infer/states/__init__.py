"""Columns of states of orders: what their words mean, and which of them say that an order is no sale."""
