"""One file for each lesson, with its exercises in the order in which the notebook asks them."""
