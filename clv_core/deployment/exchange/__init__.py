"""Bundles out of a workspace and into one: a zip of known files, of which nothing is believed until it is checked.

archive      the zip itself: names, links, sizes, compression
documents    JSON: syntax, depth, numbers
record       what ``bundle.json`` must say, and that its sentences can be said
weights      safetensors: header, offsets, finite values
boosters     the trees of a boosting model
expectations the model built from it, and whether it writes again what it was read from
importing    all of these in turn, then the same way in as a trained bundle
exporting    the zip
"""
