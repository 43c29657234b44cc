"""`cnnkit embed`: a data set through a layer of a network, as two coordinates for each image."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path

import click

from cnnkit._cli._console import counting, json_option, print_result
from cnnkit._cli._networks import find_network, open_network, read_bytes
from cnnkit.datasets import list_datasets
from cnnkit.embedding import METHODS, Embedding, EmbeddingSettings, compute_embedding
from cnnkit.embedding.compute import FEATURES, PROJECTION, EmbeddedNetwork, Steps
from cnnkit.embedding.features import usual_layer
from cnnkit.embedding.settings import FEWEST, MOST, POOLINGS, SPLITS
from cnnkit.files import write_atomic
from cnnkit.models import Predictor
from cnnkit.networks import RUN
from cnnkit.settings import get_settings
from cnnkit.training.feature_cache import FeatureCache


@click.command()
@click.option(
    "--model",
    "name",
    default="starter",
    show_default=True,
    help="Pretrained network, run id, or a .keras, .h5 or .zip file.",
)
@click.option("--layer", help="Layer whose activations are the features; default: the last hidden.")
@click.option("--dataset", help="Data set; default: the one that the network was trained on.")
@click.option("--split", default="test", show_default=True, type=click.Choice(list(SPLITS)))
@click.option(
    "--count",
    default=1000,
    show_default=True,
    type=click.IntRange(FEWEST, MOST),
    help="Number of images at most, drawn with the seed.",
)
@click.option(
    "--pooling",
    default="mean",
    show_default=True,
    type=click.Choice(list(POOLINGS)),
    help="What becomes of feature maps.",
)
@click.option("--method", default="tsne", show_default=True, type=click.Choice(list(METHODS)))
@click.option("--perplexity", default=30.0, show_default=True, help="Of t-SNE.")
@click.option("--neighbors", default=15, show_default=True, help="Of UMAP.")
@click.option("--min-dist", default=0.1, show_default=True, help="Of UMAP.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Of the sample of images and of the projection.",
)
@click.option(
    "-o",
    "--out",
    default="embedding.csv",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the coordinates, as CSV.",
)
@json_option
def embed(name: str, layer: str | None, dataset: str | None, out: Path, as_json: bool, **options):
    """Project the images of a data set to two dimensions by the features of a layer.

    Features are kept in the feature cache, so another method or perplexity computes none.
    """
    network = open_network(name)
    chosen = dataset or _own_dataset(network)
    try:
        settings = EmbeddingSettings(
            layer=layer or usual_layer(network.model, network.card),
            dataset=chosen,
            split_seed=_split_seed(name, network, chosen),
            **options,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    source = EmbeddedNetwork(network.card, _digest(name), lambda: network)
    home = get_settings()
    cache = FeatureCache(home.features, home.features_memory)
    embedding = _finished(compute_embedding(source, settings, cache), settings.method_title)
    write_atomic(out, embedding.to_csv())
    result = {"csv": str(out), "images": len(embedding), "layer": settings.layer}
    result |= {"dataset": chosen, "method": settings.method, **embedding.facts}
    text = (
        f"{out}: {len(embedding):,} images of {chosen} by {settings.method_title} of "
        f"{embedding.facts['features']:,} features of {settings.layer}, "
        f"{embedding.facts['seconds']:.1f} s"
    )
    print_result(result, text, as_json)


def _finished(steps: Steps, method: str) -> Embedding:
    """The end of the steps, with a bar for each phase that says how far it is."""
    with ExitStack() as bars:
        show = {
            FEATURES: bars.enter_context(counting("features")),
            PROJECTION: bars.enter_context(counting(method)),
        }
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            if step.total:
                show[step.phase](step.done, step.total)


def _own_dataset(network: Predictor) -> str:
    known = [*list_datasets(), *list_datasets("own")]
    if network.card.dataset in known:
        return network.card.dataset
    raise click.UsageError(f"Say which data set: --dataset with one of {', '.join(known)}.")


def _split_seed(name: str, network: Predictor, dataset: str) -> int:
    """Of a run on its own data set: its own, so that its training images stay out of the test."""
    ref = find_network(name)
    own = ref is not None and ref.kind == RUN and network.card.dataset == dataset
    return int(network.card.recipe.get("split_seed", 0)) if own else 0


def _digest(name: str) -> str:
    ref = find_network(name)
    return ref.digest() if ref else hashlib.sha256(read_bytes(Path(name))).hexdigest()
