# The public names of cnnkit.embedding: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from .alignment import Alignment, align
from .compute import Step, compute_embedding, embed
from .features import FeatureExtractor, compute_features
from .neighbors import nearest_neighbors
from .placement import Placement, place
from .projection import Projection, project
from .result import Embedding
from .settings import METHODS, EmbeddingSettings

__all__ = [
    "METHODS",
    "Alignment",
    "Embedding",
    "EmbeddingSettings",
    "FeatureExtractor",
    "Placement",
    "Projection",
    "Step",
    "align",
    "compute_embedding",
    "compute_features",
    "embed",
    "nearest_neighbors",
    "place",
    "project",
]
