"""Finished runs whose networks were really trained, here and at once: no job is needed."""

from __future__ import annotations

from pathlib import Path

from cnnkit.runs import Point, Run, RunStore, Status
from cnnkit.training import Recipe, evaluate, fit, recipe_dataset
from cnnkit.training.epoch_weights import EPOCHS_FILE, write_epochs
from cnnkit.training.results import figures, write_result


def finished_run(
    store: RunStore, recipe: Recipe, folder: Path, *, name: str = "trained", kind: str = "train"
) -> Run:
    """Train as the recipe says, and make a finished run with all that its job would keep.

    Args:
        store: gets the run.
        recipe: small.
        folder: empty; its files are copied to the run.
        name: of the run.
        kind: of its job.
    """
    epochs = folder / "epochs"
    data = recipe_dataset(recipe)
    result = fit(recipe, dataset=data, epochs_folder=epochs)
    evaluation = evaluate(result.model, *data.part("test"))
    write_result(folder, recipe, data, result, evaluation)
    if result.kept_epochs:
        write_epochs(folder / EPOCHS_FILE, result.kept_epochs)
    run = store.create(kind, recipe.to_dict(), name)
    for path in sorted((*folder.iterdir(), *epochs.glob("*"))):
        if path.is_file():
            store.add_artifact(run.id, path)
    for row in result.history:
        step = int(row["epoch"])
        values = {metric: value for metric, value in row.items() if metric != "epoch"}
        store.log(run.id, [Point(metric=m, value=v, step=step, when=0) for m, v in values.items()])
    store.set_metrics(run.id, figures(result, evaluation))
    store.update(run.id, status=Status.FINISHED)
    return store.get(run.id)
