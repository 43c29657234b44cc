"""Figures from arrays, one module per topic. `images` needs no Plotly, the rest does."""
