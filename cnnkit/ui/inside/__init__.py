"""The pieces of the page Inside."""
