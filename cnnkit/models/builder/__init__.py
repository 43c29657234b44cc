"""Networks that people put together layer by layer: definitions, their checks and costs.

    definition = get_template("lenet_tutorial")
    definition = add_layer(definition, 1, "Conv2D")
    checked = check_definition(definition)  # shapes, parameters, MACs; what does not fit

Nothing here imports Keras before a model is built.
"""

from cnnkit.models.builder.building import assemble, build_definition
from cnnkit.models.builder.checking import (
    CheckedDefinition,
    CheckedEntry,
    LayerProblem,
    check_definition,
    costs_of,
)
from cnnkit.models.builder.definition import (
    MOST_LAYERS,
    MOST_TEXT,
    LayerEntry,
    NetworkDefinition,
    is_code,
    kind_of,
)
from cnnkit.models.builder.differences import LayerDifference, entry_words, layer_differences
from cnnkit.models.builder.editing import (
    add_layer,
    copy_layer,
    move_layer,
    remove_layer,
    rename_layer,
    set_value,
)
from cnnkit.models.builder.fields import LayerField
from cnnkit.models.builder.keras_code import keras_code
from cnnkit.models.builder.kinds import GROUPS, KINDS, LayerKind
from cnnkit.models.builder.templates import REGISTERED, get_template, list_templates

__all__ = [
    "GROUPS",
    "KINDS",
    "MOST_LAYERS",
    "MOST_TEXT",
    "REGISTERED",
    "CheckedDefinition",
    "CheckedEntry",
    "LayerDifference",
    "LayerEntry",
    "LayerField",
    "LayerKind",
    "LayerProblem",
    "NetworkDefinition",
    "add_layer",
    "assemble",
    "build_definition",
    "check_definition",
    "copy_layer",
    "entry_words",
    "get_template",
    "is_code",
    "keras_code",
    "kind_of",
    "layer_differences",
    "list_templates",
    "move_layer",
    "remove_layer",
    "rename_layer",
    "costs_of",
    "set_value",
]
