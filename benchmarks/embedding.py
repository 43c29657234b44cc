"""How long an embedding takes as a job, from pressing Compute to the points with thumbnails.

The job opens the starter network, computes the features of its last hidden layer for 5,000 images
of MNIST, projects them by t-SNE, and packs the thumbnails. The second job has another perplexity,
and so finds all features in the cache. The peer is scikit-learn's own t-SNE with its defaults on
the same features, in a process that has nothing else to do.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time

import numpy as np
import psutil
from sklearn.manifold import TSNE, trustworthiness

from benchmarks._measure import Row, ratio_text, save
from cnnkit.embedding import Embedding, EmbeddingSettings
from cnnkit.embedding.compute import EmbeddedNetwork, StoredFeatures
from cnnkit.embedding.sample import load_sample
from cnnkit.jobs import JobPool
from cnnkit.networks import NetworkRef
from cnnkit.runs import Run, RunStore
from cnnkit.settings import Settings, get_settings
from cnnkit.training.feature_cache import FeatureCache
from cnnkit.visualize.results import ResultCache

NETWORK = NetworkRef("run", "starter")
LAYER = "fc1_activation"
IMAGES, TARGET = 5000, 60  # seconds
NEIGHBORS, COMPARED = 10, 2000  # of the trustworthiness; images


class Bench:
    """A home of its own, and the jobs in it."""

    def __init__(self, home: str, dataset: str):
        environment = {"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": "0"}
        if data_dir := get_settings().data_dir:
            environment["CNNKIT_DATA_DIR"] = str(data_dir)
        self.settings = Settings.from_environment(environment)
        self.store = RunStore(self.settings)
        self.store.list()  # makes the database, as the first page that is opened does
        self.pool = JobPool(self.settings, self.store)
        self.plan = EmbeddingSettings(layer=LAYER, dataset=dataset, count=IMAGES)

    def job(self, perplexity: float) -> tuple[float, float, Embedding]:
        """Seconds, seconds of CPU, and what was made."""
        plan = EmbeddingSettings.from_dict({**self.plan.to_dict(), "perplexity": perplexity})
        began = time.monotonic()
        run = self.pool.submit(kind="embedding", spec={"network": str(NETWORK), **plan.to_dict()})
        run, cpu = self._wait(run)
        if run.status != "finished":
            raise SystemExit(f"The job is {run.status}: {run.reason}")
        seconds = time.monotonic() - began
        results = ResultCache(self.settings.results, self.settings.results_memory)
        embedding = Embedding.read(results, plan.key(NETWORK.digest()))
        if embedding is None:
            raise SystemExit("The job kept nothing.")
        return seconds, cpu, embedding

    def features(self) -> np.ndarray:
        """Those that the job left in the cache."""
        network = EmbeddedNetwork(NETWORK.card(), NETWORK.digest(), NETWORK.open)
        cache = FeatureCache(self.settings.features, self.settings.features_memory)
        return StoredFeatures(network, self.plan, load_sample(self.plan), cache).read()

    def _wait(self, run: Run) -> tuple[Run, float]:
        """Until it is over; CPU time as it was seen last."""
        cpu = 0.0
        while not (run := self.store.get(run.id)).status.over:
            if run.pid and psutil.pid_exists(run.pid):
                times = psutil.Process(run.pid).cpu_times()
                cpu = times.user + times.system
            time.sleep(0.2)
        return run, cpu


def plain_tsne(features: np.ndarray) -> tuple[float, np.ndarray]:
    """scikit-learn's defaults: seconds and coordinates."""
    began = time.monotonic()
    coordinates = TSNE(random_state=0).fit_transform(features)
    return time.monotonic() - began, coordinates


def trust(features: np.ndarray, coordinates: np.ndarray) -> float:
    """Trustworthiness (Venna, Kaski 2001) of the first images, 0 to 1."""
    return trustworthiness(features[:COMPARED], coordinates[:COMPARED], n_neighbors=NEIGHBORS)


def main() -> None:
    """Measure in turns and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--dataset", default="mnist")
    arguments = parser.parse_args()
    ours, again, cpus, peers = [], [], [], []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as home:
            bench = Bench(home, arguments.dataset)
            seconds, cpu, embedding = bench.job(30.0)
            again.append(bench.job(20.0)[0])
            bench.pool.close()
            features = bench.features()
        peer, coordinates = plain_tsne(features)
        ours.append(seconds)
        cpus.append(cpu)
        peers.append(peer)
    median, other = statistics.median(ours), statistics.median(peers)
    quality = f"{trust(features, embedding.coordinates):.3f}"
    save(
        [
            Row(
                what=f"t-SNE of {len(embedding):,} images of MNIST as a job, with thumbnails",
                ours=f"{median:.0f} s ({statistics.median(cpus):.0f} s of CPU)",
                peer=f"{other:.0f} s, `TSNE()` of scikit-learn on the finished features",
                ratio=ratio_text(ours, peers),
                target=f"{TARGET} s: {'reached' if median <= TARGET else 'missed'}",
            ),
            Row(
                what="The same with another perplexity: no features are computed",
                ours=f"{statistics.median(again):.0f} s",
                peer=f"{other:.0f} s",
                ratio=ratio_text(again, peers),
            ),
            Row(
                what=f"Trustworthiness of {NEIGHBORS} neighbors",
                ours=quality,
                peer=f"{trust(features, coordinates):.3f}",
                ratio="",
            ),
        ],
        [__doc__.split("\n\n", 1)[1].replace("\n", " ").strip()] if __doc__ else [],
    )


if __name__ == "__main__":
    main()
