"""A fine-tuning as a Python script that anyone can run and change."""

from __future__ import annotations

from cnnkit.training.script import docstring_words, literal
from cnnkit.training.transfer.recipe import TransferRecipe

_SCRIPT = '''"""{title}, fine-tuned again with cnnkit."""

from cnnkit.training import {imports}
from cnnkit.training.transfer import Head, Phase, TransferRecipe, fine_tune, transfer_dataset

recipe = {recipe}

result = fine_tune(recipe, report=print)
evaluation = evaluate(result.model, *transfer_dataset(recipe).part("test"))
low, high = evaluation.interval
print(f"test accuracy {{evaluation.accuracy:.1%}} ({{low:.1%}} to {{high:.1%}})")
result.model.save("{model}.keras")
'''


def write_transfer_script(recipe: TransferRecipe, title: str | None = None) -> str:
    """Python source that fine-tunes and tests a network exactly as a recipe says.

    The network of a run is not in it: whoever runs the script elsewhere brings it.

    Args:
        recipe: what to write down; only what differs from the defaults is written.
        title: first words of the script; None: the names of network and data set.

    Returns:
        The source, in the style of `ruff format`.
    """
    used = ["evaluate"]
    used += ["Augmentation"] if recipe.augmentation else []
    used += ["Stopping"] if recipe.stopping else []
    return _SCRIPT.format(
        title=docstring_words(title or f"{recipe.model} on {recipe.dataset}"),
        imports=", ".join(sorted(used)),
        recipe=literal(recipe),
        model=recipe.model,
    )
