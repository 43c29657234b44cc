"""Data sets of people's own pictures."""
