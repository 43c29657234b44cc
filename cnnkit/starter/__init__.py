"""The trained LeNet that ships with cnnkit: files, no code. `python -m cnnkit.starter` rebuilds it.

`model.keras`, `card.json`, `recipe.json`, `history.csv` and `predictions.npz` are those of
any finished training. `examples.npz` holds a few test images, so that the network's
mistakes can be seen where MNIST itself is not at hand: `images` uint8 (n, 28, 28, 1) and
their `indices` int64 (n,) in the test part, the most confident mistakes first.
"""
