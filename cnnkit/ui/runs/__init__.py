"""The pieces of the page Runs."""
