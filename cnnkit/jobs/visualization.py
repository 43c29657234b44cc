"""The visualization worker, with a method for each kind of session.

    worker = VisualizationWorker(get_settings())
    session = worker.optimize(network, plan)
    worker.command(session, "steer", numbers={...})
    state = worker.state(session)

One child process keeps the networks and the compiled steps between starts, and takes a
step of each running session in turn, so that nobody's image waits for the end of another's.

Importing this loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cnnkit.jobs.resident import ResidentWorker
from cnnkit.networks import NetworkRef
from cnnkit.settings import Settings
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.results import ResultCache


class VisualizationWorker(ResidentWorker):
    """Sessions that optimize images, dream, and answer questions about networks."""

    def __init__(self, settings: Settings):
        """Start nothing yet."""
        super().__init__(settings)
        self.results = ResultCache(settings.results, settings.results_memory)

    def key(self, network: NetworkRef, plan: Plan) -> str:
        """Of the result of a plan, whether it is there or not."""
        return self.results.key(network.digest(), plan)

    def optimize(
        self,
        network: NetworkRef,
        plan: Plan,
        *,
        image: np.ndarray | None = None,
        title: str = "",
        address: Mapping[str, str] | None = None,
        target: Mapping[str, Any] | None = None,
    ) -> str:
        """Begin an optimization.

        Args:
            network: whose units.
            plan: what to do.
            image: (images, height, width, channels), 0 to 255, to begin with; None: noise.
            title: under which the end is recorded as a run; "": it is not.
            address: parameters of the page that shows it, for the record.
            target: plain values that the page wants back in the state's details.

        Returns:
            The session's id, for the other calls.

        Raises:
            CnnkitError: the network is not there, or its weights.
        """
        network.digest()
        spec = {"network": str(network), "plan": plan.to_dict(), "title": title}
        spec |= {"address": dict(address or {}), "target": dict(target or {})}
        return self.start("optimize", spec, {} if image is None else {"image": image})

    def dream(
        self,
        network: NetworkRef,
        dream: Dream,
        image: np.ndarray,
        *,
        guide: np.ndarray | None = None,
    ) -> str:
        """Begin a dream.

        Args:
            network: whose layers.
            dream: how.
            image: (height, width, channels), 0 to 255.
            guide: the same, of a second image, where the dream is guided.

        Returns:
            The session's id.
        """
        arrays = {"image": image} | ({} if guide is None else {"guide": guide})
        return self.start("dream", {"network": str(network), "dream": asdict(dream)}, arrays)

    def ask_layers(self, network: NetworkRef) -> str:
        """Ask which layers a network has; the state's details say it when it is finished."""
        return self.start("layers", {"network": str(network)})

    def ask_recheck(
        self,
        network: NetworkRef,
        others: Sequence[NetworkRef],
        targets: Sequence[str | None],
        *,
        session: str = "",
        images: np.ndarray | None = None,
    ) -> str:
        """Ask how networks classify images that were optimized.

        Args:
            network: the network they were made with.
            others: that had no part in them.
            targets: name of the class that was maximized, for each image.
            session: whose images, as they are now; "" with `images`.
            images: (images, height, width, channels), 0 to 255.
        """
        networks = [str(one) for one in (network, *others)]
        spec = {"networks": networks, "targets": list(targets), "session": session}
        return self.start("recheck", spec, {} if images is None else {"images": images})
