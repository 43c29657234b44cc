"""The pieces of the page Ladder."""
