"""Pieces of the page Build: the layers of a network, its costs, and where it goes from there."""
