"""What every room needs and none is about: checked arguments, files that are replaced whole, plain consoles."""
