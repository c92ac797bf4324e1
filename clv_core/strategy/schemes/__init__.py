"""Schemes: ways to put every scored customer into segments, and what can be said of segments of any scheme.

    parse(text) -> Segmentation -> fit(customers) -> Fitted -> place(customers) -> Placed

``Fitted`` holds cuts, so that customers of another day are placed by the same ones.
"""
