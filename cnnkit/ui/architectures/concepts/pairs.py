"""Pairs of networks that differ in one option, shortcuts or auxiliary classifiers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from cnnkit.figures import curves
from cnnkit.models import create_model, load_model
from cnnkit.runs import Progress, Run, Status
from cnnkit.training import Recipe
from cnnkit.training.estimates import recipe_of
from cnnkit.ui.architectures import NOTES
from cnnkit.ui.common import cache, page, polling
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.messages import question
from cnnkit.ui.common.tasks import background, when_ready
from cnnkit.ui.train import forecast

IMAGES = 64  # of which the gradients are taken
Pair = Mapping[str, Recipe]  # two recipes by their titles
Norms = Mapping[str, float]  # layer -> L2 norm of its kernel's gradient


def show_pair(pair: Pair, *, key: str) -> None:
    """Gradient norms before training, learning curves, and gradient norms after it.

    Args:
        pair: the two recipes.
        key: of the elements, and in the runs' names.
    """
    st.markdown("##### Gradient norm of each layer before training")
    _show_gradient_norms(
        {name: partial(_initial_model, recipe) for name, recipe in pair.items()},
        pair,
        asked=("gradients", *(recipe.to_json() for recipe in pair.values())),
        key=f"{key}_before",
        waiting="Building both networks …",
    )
    st.markdown("##### Learning curves")
    runs = cache.list_runs(kind="train")
    latest = {name: _latest(recipe, runs) for name, recipe in pair.items()}
    missing = {name: pair[name] for name, run in latest.items() if run is None}
    if missing:
        _offer_training(missing, key)
    ids = [run.id for run in latest.values() if run]
    if ids:
        polling.follow_all(
            lambda: [cache.store().get(run_id) for run_id in ids],
            lambda runs: _show_training(
                dict(zip(filter(latest.get, latest), runs, strict=True)), pair
            ),
        )
    if all(run and run.status is Status.FINISHED for run in latest.values()):
        st.markdown("##### Gradient norm of each layer after training")
        folders = {name: cache.store().model_folder(run.id) for name, run in latest.items() if run}
        _show_gradient_norms(
            {
                name: lambda _, folder=folder: load_model(folder)[0]
                for name, folder in folders.items()
            },
            pair,
            asked=("trained gradients", *ids),
            key=f"{key}_after",
            waiting="Loading both networks …",
        )


def _latest(recipe: Recipe, runs: Iterable[Run]) -> Run | None:
    """The newest run of this recipe, whatever its name, that did not fail."""
    for run in runs:
        if run.status in (Status.FAILED, Status.CANCELLED):
            continue
        trained = recipe_of(run.spec)
        if trained and trained.replace(name=recipe.name) == recipe:
            return run
    return None


def _offer_training(missing: Mapping[str, Recipe], key: str) -> None:
    names = " and ".join(missing)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, recipe in missing.items():
            with st.container(key=f"{key}_time_{recipe.seed}_{name}", width=240):
                st.caption(name)
                forecast.time_needed(recipe)
        if st.button(f"Train {names}", type="primary", icon=":material/play_arrow:", key=key):
            for name, recipe in missing.items():
                cache.jobs().submit(kind="train", spec=recipe.to_dict(), name=f"{key}: {name}")
            st.rerun()
    st.caption("They train in the background, one after the other; you can leave this page.")


def _show_training(runs: Mapping[str, Run], pair: Pair) -> None:
    for name, run in runs.items():
        if run.status is not Status.FINISHED:
            progress = run.progress or Progress()
            st.progress(progress.fraction, f"{name}: {run.status}, {progress.fraction:.0%}")
            if run.status in (Status.PAUSED, Status.INTERRUPTED):
                page.link("pages/train.py", f"Resume {name}", run=run.id)
    # In the recipes' order, those without a run included: the order decides the colors.
    histories = {
        name: cache.store().history(runs[name].id) if name in runs else [] for name in pair
    }
    if not any(histories.values()):
        st.caption("The curves start after the first epoch.")
        return
    for column, metric, title in zip(
        st.columns(2), ("loss", "val_error"), ("training loss", "validation error"), strict=True
    ):
        series = {name: _points(rows, metric) for name, rows in histories.items()}
        with column:
            chart(
                curves.lines(
                    series,
                    x_title="epoch",
                    y_title=title,
                    percent=metric == "val_error",
                    markers=True,
                ),
                alt=f"{title}: "
                + ", ".join(f"{name} {y[-1]:.3g}" for name, (_, y) in series.items() if y),
                key=f"pair_{metric}",
            )


def _points(rows: Sequence[Mapping[str, float]], metric: str) -> tuple[list[float], list[float]]:
    """Epochs and values; an epoch that is being written may lack the metric for a moment."""
    whole = [row for row in rows if metric in row]
    return [row["epoch"] for row in whole], [row[metric] for row in whole]


def _show_gradient_norms(
    build: Mapping[str, Callable[[Any], Any]],
    pair: Pair,
    *,
    asked: Hashable,
    key: str,
    waiting: str,
) -> None:
    """The gradient norms of both networks for the same training images, in the background.

    Args:
        build: title to a function from the shape of an image to the network.
        pair: the two recipes.
        asked: key of the result in the background.
        key: of the chart.
        waiting: what is said until then.
    """
    images, labels = cache.dataset(next(iter(pair.values())).dataset).part("train")
    sample = np.random.default_rng(0).choice(len(images), IMAGES, replace=False)

    def work() -> dict[str, Norms]:
        from cnnkit.training import gradient_norms

        batch = images[sample], labels[sample]
        return {
            name: gradient_norms(make(images.shape[1:]), *batch) for name, make in build.items()
        }

    result = background().ask(asked, work)
    when_ready(result, lambda norms: _draw_norms(norms, key), waiting=waiting)


def _initial_model(recipe: Recipe, shape: Any) -> Any:
    return create_model(recipe.model, input_shape=shape, seed=recipe.seed, **recipe.model_options)


def _draw_norms(norms_of: Mapping[str, Norms], key: str) -> None:
    layers = list(next(iter(norms_of.values())))  # those of the auxiliary classifiers come last
    common = [layer for layer in layers if all(layer in norms for norms in norms_of.values())]
    chart(
        curves.lines(
            {
                name: (list(range(1, len(common) + 1)), [norms[layer] for layer in common])
                for name, norms in norms_of.items()
            },
            x_title="layer, from input to output",
            y_title="norm of the gradient",
            logarithmic=True,
            markers=True,
            words=common,
            height=260,
        ),
        alt="Norm of each layer's gradient: in the first layer "
        + ", ".join(f"{name} {norms[common[0]]:.2g}" for name, norms in norms_of.items()),
        key=key,
    )
    first = [norms[common[0]] for norms in norms_of.values()]
    names = list(norms_of)
    if min(first) > 0:
        st.caption(
            f"In the first layer the gradient norm of “{names[0]}” is {first[0] / first[1]:.2g} "
            f"times that of “{names[1]}”, for the same {IMAGES} training images."
        )


SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
DEPTHS = (8, 14, 20, 32, 44, 56)
# The keys of the controls stand in addresses that people have kept: they do not change.
DEPTH_KEY, AUXILIARY_KEY = "twin_depth", "twin_auxiliary"


def training_controls(key: str) -> dict[str, int]:
    """Size of the training set, and epochs: keyword arguments `images` and `epochs`."""
    images, _ = cache.digits().part("train")
    offered = [count for count in SIZES if count <= len(images)]
    if st.session_state.get(f"{key}_images") not in (None, *offered):
        del st.session_state[f"{key}_images"]  # an address may name any number
    usual = 5_000 if 5_000 in offered else offered[-1]
    return {
        "images": st.select_slider(
            "Training images", offered, usual, key=f"{key}_images", bind="query-params"
        ),
        "epochs": st.slider("Epochs", 1, 20, 4, key=f"{key}_epochs", bind="query-params"),
    }


def show_depth_comparison() -> None:
    """Controls, gradients and learning curves of a residual and a plain network."""
    question(
        "Why does a plain network get worse when it becomes deeper?",
        NOTES,
        "In theory more layers can only help: the added ones could learn the identity. In "
        "practice a deep plain network is hard to train, and its training error rises. With "
        "shortcuts the same layers, from the same initial weights, can be trained.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.select_slider(
            "Depth",
            DEPTHS,
            20,
            key=DEPTH_KEY,
            bind="query-params",
            help="Layers with weights from the image to the output.",
        )
        amount = training_controls(DEPTH_KEY)
    show_pair(depth_pair(depth, **amount), key=f"depth {depth}")
    st.caption(
        "ResNet for small images with 8, 16 and 32 filters, with batch normalization in both "
        "networks. Train them with 8 layers, then with 44, and compare."
    )


def depth_pair(depth: int, *, images: int, epochs: int) -> Pair:
    """Two recipes that differ in the shortcuts alone."""
    recipe = _recipe("resnet_digits", images, epochs).replace(
        optimizer="sgd", momentum=0.9, learning_rate=0.05
    )
    return {
        name: recipe.replace(model_options={"depth": depth, "width": 8, "skips": skips})
        for name, skips in (("residual", True), ("plain", False))
    }


def show_auxiliary_classifiers() -> None:
    """Controls, gradients and learning curves with and without auxiliary classifiers."""
    question(
        "What do auxiliary classifiers do?",
        NOTES,
        "Each adds 0.3 times its own loss, so the first half of the network gets a gradient by a "
        "shorter path, and has to give features that can be classified already. After training "
        "they are removed. They regularize a little, but do not make a deep network trainable.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = training_controls(AUXILIARY_KEY)
    show_pair(auxiliary_pair(**amount), key="auxiliary classifiers")
    st.caption(
        "GoogLeNet for small images: nine Inception modules with an eighth of the filters, "
        "auxiliary classifiers after modules 4a and 4d. The curves show the loss of the last "
        "classifier alone."
    )


def auxiliary_pair(*, images: int, epochs: int) -> Pair:
    """Two recipes that differ in the auxiliary classifiers alone."""
    recipe = _recipe("googlenet_digits", images, epochs).replace(
        optimizer="adam", learning_rate=2e-3
    )
    return {
        name: recipe.replace(model_options={"auxiliary": auxiliary})
        for name, auxiliary in (("with auxiliary", True), ("without", False))
    }


def _recipe(model: str, images: int, epochs: int) -> Recipe:
    return Recipe(
        name="pair",
        model=model,
        dataset=cache.digits().name,
        train_size=images,
        epochs=epochs,
        batch_size=64,
        schedule="cosine",
        keep_best=None,
    )
