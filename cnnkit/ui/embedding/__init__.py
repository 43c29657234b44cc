"""The page Embedding: what is embedded, the job, the scatter plot, and what one does with it."""
