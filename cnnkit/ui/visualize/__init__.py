"""The pieces of the pages that show what units want to see."""
