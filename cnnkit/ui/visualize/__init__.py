"""The pieces of the page Visualize."""
