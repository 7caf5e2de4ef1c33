"""Layers of images, which are nested lists [channel][row][column].

image.py: how images are read, and the windows that slide over them. convolution.py: Conv2d; pooling.py: MaxPool2d and
AvgPool2d; response_norm.py: LocalResponseNorm; flatten.py: from images to rows of numbers, and back.
"""
