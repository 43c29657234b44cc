"""An embedding as a job: features batch by batch, then the projection.

Every batch of features stays in the feature cache: an attempt that is stopped loses at most one
of them, and another method or perplexity computes none. t-SNE begins again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from cnnkit.embedding import EmbeddingSettings, compute_embedding
from cnnkit.embedding.compute import EmbeddedNetwork, Steps
from cnnkit.embedding.result import Embedding
from cnnkit.jobs._sharing import result_cache
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress, Status
from cnnkit.training.feature_cache import FeatureCache
from cnnkit.visualize.results import ResultCache

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext


def run(job: JobContext) -> Status:
    """Make the embedding and keep it among the results, unless it is there."""
    settings = EmbeddingSettings.from_dict(job.run.spec)
    network = NetworkRef.from_spec(job.run.spec)
    job.params({"network": network.title(), **settings.to_dict()})
    home = job.store.settings
    results = result_cache(home, job.shared)
    key = settings.key(network.digest())
    if Embedding.read(results, key):
        return Status.FINISHED
    return job.drive(_make(job, network, settings, results, key))


def _make(
    job: JobContext,
    network: NetworkRef,
    settings: EmbeddingSettings,
    results: ResultCache,
    key: str,
) -> Iterator[Progress | None]:
    """Compute it and keep it; see `JobContext.drive`."""
    home = job.store.settings
    cache = FeatureCache(home.features, home.features_memory)
    source = EmbeddedNetwork(network.card(), network.digest(), network.open)
    embedding = yield from _progress(compute_embedding(source, settings, cache))
    embedding.keep(results, key)
    job.share_result(results, key)
    names = ("features", "seconds", "divergence")
    figures = {name: embedding.facts[name] for name in names if name in embedding.facts}
    job.metrics({"images": len(embedding), **figures})


def _progress(steps: Steps) -> Generator[Progress | None, None, Embedding]:
    """The same steps as a job reports them; between two of them it may be paused."""
    while True:
        yield None
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        yield Progress(stage=step.phase, step=step.done, steps=step.total)
