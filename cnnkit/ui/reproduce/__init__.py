"""The pieces of the page Reproduce."""
