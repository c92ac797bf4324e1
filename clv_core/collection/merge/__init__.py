"""Merge: several logs become one. Rows held twice count once; of an order, the newest state counts."""
