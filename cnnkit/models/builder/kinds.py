"""The kinds of layers that a definition is made of: one table, which everything is read from.

A kind has the fields that can be set, and says which layers of Keras it becomes; what these
cost is in `keras_layers`. Forms, checks, costs, networks and exported code all follow.
"""

# Importing a module registers its kinds, in the order of the menu.
from cnnkit.models.builder import block_kinds, pointwise_kinds, spatial_kinds
from cnnkit.models.builder.layer_kind import GROUPS, KINDS, LayerKind
from cnnkit.models.builder.pointwise_kinds import OUTPUT, add_logits

__all__ = [
    "GROUPS",
    "KINDS",
    "OUTPUT",
    "LayerKind",
    "add_logits",
    "block_kinds",
    "pointwise_kinds",
    "spatial_kinds",
]
