"""Are optimized images recognized, and what does total variation cost? docs/recognized.md.

For twenty ImageNet classes and all ten digits: the final 8-bit image of the preset "all"
goes back into its network; and the ladder's configuration with total variation is held against the
linear one, which takes as many steps of the same optimizer. Two ascents from the same noise do not
end alike, as TensorFlow adds up in whatever order its threads come: a class's logit moves by some
5 %. So the configurations are optimized from several starts, and their means are compared.

    python -m benchmarks.recognized googlenet mobilenet_v2 starter
    python -m benchmarks.recognized googlenet --starts 1
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from benchmarks._measure import ROOT
from cnnkit.figures.rasters import mosaic
from cnnkit.models import Predictor, load_model, open_pretrained, pretrained_info
from cnnkit.predict import softmax
from cnnkit.visualize import class_logit, presets
from cnnkit.visualize.fooling import to_8bit
from cnnkit.visualize.optimize import last_of, maximize
from cnnkit.visualize.presets import regularizer_ladder
from cnnkit.visualize.step import CompiledSteps

# Those of the post, and four more.
CLASSES = (
    65,
    18,
    130,
    779,
    302,
    100,
    870,
    366,
    99,
    9,
    351,
    144,
    63,
    704,
    248,
    282,
    1,
    88,
    291,
    985,
)
AT_ONCE = 10  # images
RESULTS = ROOT / "docs" / "recognized.json"
DOCUMENT = ROOT / "docs" / "recognized.md"
STARTER = "starter"
WIDTH = 1100  # pixels, of a mosaic
COLUMNS = (
    "class",
    "share",
    "logit, linear",
    "logit, smooth",
    "ratio",
    "variation, linear",
    "variation, smooth",
    "ratio",
)


@dataclass(frozen=True)
class Found:
    """What came of one class."""

    name: str
    share: float  # of the class in the network's answer to the 8-bit image of "all"
    # Mean logit and total variation over all starts, of the 8-bit images.
    linear: tuple[float, float]
    smooth: tuple[float, float]  # with total variation as a regularizer

    @property
    def variation(self) -> float:
        """Of the smooth image, as a share of the linear one's."""
        return self.smooth[1] / self.linear[1]

    @property
    def logit(self) -> float:
        """Of the smooth image, as a share of the linear one's."""
        return self.smooth[0] / self.linear[0]

    @property
    def cheap(self) -> bool:
        """Whether at most a fifth of the variation leaves at least nine tenths of the logit."""
        return self.variation <= 0.2 and self.logit >= 0.9


def opened(name: str) -> Predictor:
    """The starter, or a pretrained network."""
    if name == STARTER:
        return Predictor(*load_model(ROOT / "cnnkit" / "starter"))
    return open_pretrained(name)


def optimized(
    engines: CompiledSteps, network: Predictor, preset: presets.Preset, classes, seed: int = 0
) -> np.ndarray:
    """The final 8-bit images: uint8 (classes, height, width, channels)."""
    height, width, _ = network.card.input_shape
    found = []
    for first in range(0, len(classes), AT_ONCE):
        some = classes[first : first + AT_ONCE]
        plan = preset.plan(class_logit(some), images=len(some), size=(height, width), seed=seed)
        last = last_of(maximize(engines, plan))
        found += [to_8bit(image) for image in last.images]
        print(f"  {preset.name}: {len(found)} of {len(classes)}", flush=True)
    return np.stack(found)


def variation(image: np.ndarray) -> float:
    """Mean over pixels and colors of the squared differences downwards and to the right."""
    wide = image.astype(np.float64)
    here = wide[:-1, :-1]
    return float(((wide[1:, :-1] - here) ** 2 + (wide[:-1, 1:] - here) ** 2).mean())


def means(
    engines: CompiledSteps, network: Predictor, configuration: presets.Preset, classes, starts: int
) -> list[tuple[float, float]]:
    """Of each class, the mean logit and total variation of its images from all starts."""
    found = []
    for seed in range(starts):
        images = optimized(engines, network, configuration, classes, seed)
        logits = network.logits(images)[range(len(classes)), classes]
        found.append(list(zip(logits, map(variation, images), strict=True)))
    return [(float(logit), float(rough)) for logit, rough in np.mean(found, axis=0)]


def measure(name: str, starts: int) -> list[Found]:
    """All classes of one network; the mosaic goes to docs."""
    network = opened(name)
    classes = list(range(10)) if name == STARTER else list(CLASSES)
    engines = CompiledSteps(network.model)
    ladder = {
        configuration.name: configuration for configuration in regularizer_ladder(network=name)
    }
    best = optimized(engines, network, presets.get("all"), classes)
    linear, smooth = (
        means(engines, network, ladder[configuration], classes, starts)
        for configuration in ("linear", "variation")
    )
    shares = softmax(network.logits(best))
    grid = mosaic(best, columns=5 if len(classes) > 10 else 10, width=WIDTH)
    path = ROOT / "docs" / "images" / f"recognized-{name}.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(grid).convert("RGB").quantize(192).save(path, optimize=True)
    return [
        Found(network.card.class_names[unit], float(shares[n, unit]), linear[n], smooth[n])
        for n, unit in enumerate(classes)
    ]


def document(results: dict[str, list[Found]], starts: dict[str, int]) -> str:
    """The file as it is committed.

    Args:
        results: of each network.
        starts: how many each class of it was optimized from.
    """
    lines = [
        "# Are optimized images recognized?",
        "",
        "Written by `python -m benchmarks.recognized`. Shares are of the target class,",
        "predicted for the final 8-bit image of the preset *Everything together*.",
        "Logits and total variation are of the final 8-bit images of two steps of the ladder:",
        "before softmax, and with total variation. Both are means over several starts,",
        "as two ascents, even from the same noise, do not end alike.",
    ]
    for name, found in results.items():
        title = "Starter (LeNet on MNIST)" if name == STARTER else pretrained_info(name).title
        sure, cheap = sum(one.share > 0.99 for one in found), sum(one.cheap for one in found)
        lines += [
            "",
            f"## {title}",
            "",
            f"![Optimized images of {len(found)} classes](images/recognized-{name}.png)",
            "",
            f"{sure} of {len(found)} are recognized with over 99 %; median of variation "
            f"{statistics.median(o.variation for o in found):.2f}, of the logit "
            f"{statistics.median(o.logit for o in found):.2f} times that without (wanted: at most "
            f".20, at least .90: so are {cheap} of {len(found)}). Means of {starts[name]} starts.",
            "",
            f"| {' | '.join(COLUMNS)} |",
            "| --- " * len(COLUMNS) + "|",
            *(
                f"| {one.name} | {one.share:.2%} | {one.linear[0]:.1f} | {one.smooth[0]:.1f} | "
                f"{one.logit:.2f} | {one.linear[1]:.0f} | {one.smooth[1]:.0f} | "
                f"{one.variation:.2f} |"
                for one in found
            ),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the networks that are named, and write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=["googlenet", "mobilenet_v2", STARTER])
    parser.add_argument("--starts", type=int, default=3, help="of the two configurations")
    options = parser.parse_args()
    for name in options.networks:
        print(name, flush=True)
        measured = [asdict(one) for one in measure(name, options.starts)]
        known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
        known[name] = {"starts": options.starts, "classes": measured}
        RESULTS.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
        found = {key: [Found(**one) for one in of["classes"]] for key, of in known.items()}
        starts = {key: of["starts"] for key, of in known.items()}
        DOCUMENT.write_text(document(found, starts), "utf-8")


if __name__ == "__main__":
    main()
