"""The pieces of the page Backpropagation."""
