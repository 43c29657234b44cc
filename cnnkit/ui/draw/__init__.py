"""The pieces of the page Draw."""
