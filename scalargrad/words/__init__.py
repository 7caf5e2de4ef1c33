"""Graphs and rules in words: names, equations, formulas, the code that says the same, and how to read one back."""
