# The public names of cnnkit.training.transfer: read by type checkers, and by __init__.py,
# which imports each from its module when it is first touched.
from .depths import Depth, blocks
from .features import FeatureStore
from .fitting import fine_tune, transfer_dataset
from .network import TransferNetwork, build_network
from .recipe import ALL, HEAD, Head, Phase, TransferRecipe
from .recipes import get_transfer, list_transfers

__all__ = [
    "ALL",
    "Depth",
    "FeatureStore",
    "HEAD",
    "Head",
    "Phase",
    "TransferNetwork",
    "TransferRecipe",
    "blocks",
    "build_network",
    "fine_tune",
    "get_transfer",
    "list_transfers",
    "transfer_dataset",
]
