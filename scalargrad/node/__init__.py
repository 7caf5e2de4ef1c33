"""What a node is made of: its number, its label, its rule, the modes it is made under, and the messages about it.

The engine (engine.py) stands on this and makes a graph of it.
"""
