"""The pieces of the page Home."""
