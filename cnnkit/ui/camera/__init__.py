"""The pieces of the Camera page: images that a camera takes, and answers to its frames."""
