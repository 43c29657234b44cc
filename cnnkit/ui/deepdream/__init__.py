"""The pieces of the page DeepDream."""
