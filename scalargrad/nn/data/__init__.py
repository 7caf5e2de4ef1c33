"""Data to learn from, shipped with the package or made from a seed, and texts as numbers.

datasets.py: points in the plane, as moons and spirals. handwriting.py: digits; given_names.py: names.
tokens.py: texts as numbers, and sampling.
"""
