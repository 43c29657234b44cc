"""The pieces of the page Layers."""
