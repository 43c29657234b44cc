"""What a spare does before it has a run: all that every training begins with."""

from __future__ import annotations

from cnnkit.runs import RunStore
from cnnkit.settings import Settings


def warm_up(settings: Settings) -> None:
    """Import Keras, TensorFlow and MLflow, open the record, and learn something tiny.

    The first training in a process compiles and starts much that later ones find ready.
    """
    import keras

    from cnnkit.training import Recipe, evaluate, fit, recipe_dataset

    _ = RunStore(settings).client
    recipe = Recipe(model="toy_cnn", dataset="toy_patterns", epochs=1, validation_size=30)
    dataset = recipe_dataset(recipe)
    evaluate(fit(recipe, dataset=dataset).model, *dataset.part("test"))
    # The run's network gets the names it would have had in a new process.
    keras.utils.clear_session()
