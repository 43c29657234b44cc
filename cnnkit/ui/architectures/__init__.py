"""The pieces of the Architectures page."""
