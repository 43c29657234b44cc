"""Data sets as points in a plane: features of a layer, projected to two dimensions.

    from cnnkit.embedding import EmbeddingSettings, embed

    settings = EmbeddingSettings(layer="dense", dataset="digits", method="tsne")
    embedding = embed(NetworkRef.parse("run.starter").open(), settings)
    print(embedding.coordinates.shape)

Images whose features are alike lie close together. Only computing features needs TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
