"""Scores: how they are asked for, how wrong they are, and how often.

predicting.py: scores as plain numbers, and modules that learn or answer meanwhile. losses.py: losses and penalties;
targets.py: what they are told is right. metrics.py: accuracy. loss_advice.py: which loss to give.
"""
