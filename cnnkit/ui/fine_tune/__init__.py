"""The pieces of the Fine-tune page."""
