"""What may be asked of the visualization worker: a method for each kind of session.

Importing this loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.explain.request import ExplanationRequest
from cnnkit.jobs.kinds import MAPS, images_file
from cnnkit.networks import NetworkRef
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.results import ResultCache


@dataclass(frozen=True, eq=False)
class Explanation:
    """What was found for a request.

    Args:
        arrays: "maps", float32 (images, height, width); of a check, see `cnnkit.explain.checks`.
        card: plain values: "seconds", "gaps" of integrated gradients, and those of a check.
    """

    arrays: dict[str, np.ndarray]
    card: dict[str, Any]

    @property
    def maps(self) -> np.ndarray:
        """Of a request for maps."""
        return self.arrays[MAPS]


class SessionStarter(ABC):
    """Begins sessions: they optimize images, dream, and answer questions about networks."""

    results: ResultCache  # of all sessions, by what determines them

    @abstractmethod
    def start(
        self, kind: str, spec: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> str:
        """Begin a session.

        Args:
            kind: one of `SESSION_KINDS`.
            spec: plain values, for its task.
            arrays: by name, for its task.

        Returns:
            The session's id, for the other calls.
        """

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
        """Begin a dream on an image, perhaps guided by another: (height, width, channels)."""
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

    def ask_top_activations(self, network: NetworkRef, layer: str, dataset: str = "") -> str:
        """Ask which images activate each unit of a layer most.

        Args:
            network: whose layer.
            layer: of `visualize.network.target_layers`.
            dataset: whose test images are searched; "": the example photos.
        """
        spec = {"network": str(network), "layer": layer, "dataset": dataset}
        return self.start("top_activations", spec)

    def ask_class_map(self, network: NetworkRef, image: np.ndarray) -> str:
        """Ask for the Grad-CAM map of one image, which passes by: it is in no cache.

        The session's frame is the map, uint8 (1, height, width, 1), 255 where most speaks for
        the predicted class.

        Args:
            network: of whom is asked.
            image: (height, width, channels), 0 to 255, of its input shape.
        """
        return self.start("class_map", {"network": str(network)}, {"image": image})

    def explain(
        self, requests: Sequence[ExplanationRequest], images: Mapping[str, np.ndarray]
    ) -> str:
        """Ask for explanations; each is among the results as soon as it is there.

        Args:
            requests: in the order in which they are worked on.
            images: by their `images_digest`: (images, height, width, channels), 0 to 255.

        Raises:
            CnnkitError: a network is not there, or its weights.
        """
        for one in requests:
            NetworkRef.parse(one.network).digest()
        arrays = {Path(images_file(digest)).stem: array for digest, array in images.items()}
        return self.start("explain", {"requests": [one.to_dict() for one in requests]}, arrays)

    def explanation(self, request: ExplanationRequest) -> Explanation | None:
        """What was found for a request, now or earlier; None: nothing yet.

        Raises:
            CnnkitError: the network is not there, or its weights.
        """
        key = request.key(NetworkRef.parse(request.network).digest())
        found = self.results.read(key, ())
        if found is None:
            return None
        card, _ = found
        whole = self.results.read(key, card["arrays"])
        return None if whole is None else Explanation(whole[1], card)
