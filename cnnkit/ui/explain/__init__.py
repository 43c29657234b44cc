"""The pieces of the page Explain."""
