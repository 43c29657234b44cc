"""`docs/explain.md`, from what `benchmarks.explanations` measured."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks._measure import ROOT
from cnnkit.explain import get_method, list_methods
from cnnkit.explain.randomization import UNCHANGED

RESULTS = ROOT / "cnnkit" / "published" / "measured" / "explanations.jsonl"
RANDOM = "random"  # a map of noise
COPIES = 3  # with noise, of which the largest change counts
TITLES = {
    "mobilenet_v2": "MobileNetV2",
    "googlenet": "GoogLeNet",
    "vgg16_flowers": "VGG16 on the 17 flowers",
}
HEAD = """# Explanations

Which pixels of an image speak for an answer:

```python
import numpy as np

from cnnkit import explain
from cnnkit.networks import NetworkRef

model = NetworkRef.parse("run.starter").open().model
images = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 1))

maps = explain.integrated_gradients(model, images, target=3)  # float32 (2, 28, 28)
curve = explain.deletion(model, images, maps, target=3)
test = explain.weight_randomization("gradient", model, images, target=3)
print(curve.areas, explain.depends_on_weights(test))
```

A map always looks like something. Four measures tell whether it can be trusted:

- **Deletion and insertion** (Petsiuk et al. 2018). The most important pixels are deleted, or
  inserted into a blurred image, and the probability of the class is followed. A good map has a
  small area under the deletion curve and a large one under the insertion curve.
- **Weight randomization** (Adebayo et al. 2018). The weights are shuffled layer by layer, from the
  top of the network down. A map that stays as it was does not depend on what the network learned.
- **Agreement**. The rank correlation of the maps of each two methods, and how many of their most
  important pixels they share.
- **Sensitivity** (Yeh et al. 2019). The largest change of a map under noise that nobody sees
  (`explain.max_sensitivity`).

The tables below are written by `python -m benchmarks.explanations`: real weights, the predicted
class of each image, example photos for MobileNetV2 and GoogLeNet, and test images for VGG16, which
was trained on the 17 flowers with its recipe `fast`.
"""
AREAS = """## Deletion and insertion

The mean area over the images, and for how many of them it is better than that of a random map, the
floor. Deleted pixels become gray; {steps} steps of equal size. Methods have fewer samples than by
default where the table says so.
"""
RANDOMIZATION = """## Weight randomization

The rank correlation with the map of the trained network, on average over the stages of the cascade
in which at most half of the layers are randomized, and in the last stage, when all are. A method
**fails** where the first figure is {unchanged:g} or more for one of the two images: its map counts
as one that does not depend on the weights. RISE has few masks here, and the same ones in each
stage: much of its map is theirs. Score-CAM weighs feature maps by probabilities, which are small
and nearly equal in a randomized network: what is left is the sum of the maps.
"""
FOUND = {
    True: "Guided backpropagation is the one method that fails, as Adebayo et al. found.",
    False: "Methods that fail for an image: {failed}.",
}
SENSITIVITY = """## Sensitivity

The largest change of a map under uniform noise of two percent of the range of values, as a share of
the map's norm (`explain.max_sensitivity`): of {samples} noisy copies, the mean over two images.
RISE and SmoothGrad draw the same random numbers for all copies.
"""
COMPLETENESS = """## Completeness of integrated gradients

A map of integrated gradients should sum up to the difference of the scores of the image and of the
black baseline. The gap, as a share of the difference:
"""
RULE = """\
With Gauss and Legendre's rule, 64 steps left 0.5 to 8 % on GoogLeNet and 2 to 17 % on
MobileNetV2: ReLUs and max pooling make jumps in the gradient. The trapezoidal rule, which is used
instead, is coarser where the gradient is smooth, but the scores at the ends of an interval say how
large its error is, and the intervals with the largest errors are halved.
"""
AGREEMENT = """## Agreement

Rank correlation of the magnitudes, the mean over the images.
"""
ON_THE_PAGE = """## On the page

The page Explain shows the maps of any methods and networks side by side for one image, or a grid
for up to 48. Predict, Draw, misclassified images and the re-classification check of Visualize lead
to it with "Why?".

- **Target.** The predicted class, any other, one class against another, or a channel or neuron of a
  layer. With several networks, each is asked about the class of the same name.
- **Colors.** Each map is scaled by itself: the 99th percentile of its magnitudes has the full
  color. Zero is dark in both scales; methods with signs show what speaks for the target in blue,
  against it in orange.
- **Time.** The seconds below a map are the method's own, compilation included, without the turns of
  other visitors. The first map of a network takes longest.
- **Checks** are made on demand. A map that does not depend on the weights says so after its weight
  randomization.
- **Sessions.** Maps and checks are made in the visualization worker, batch by batch, four sessions
  in turn, at a lower priority than the pages. They are kept by network, image, target, method and
  options. `python -m benchmarks page_switches` measures an eleventh visitor's pages beside ten
  who wait for Score-CAM.
- **Files.** The maps as NPZ hold the networks' inputs, which the script reads to make the same maps
  again.
"""
Line = dict[str, Any]


def lines() -> list[Line]:
    """All measurements, oldest first."""
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]


def document(measured: list[Line]) -> str:
    """The page: what the measures are, and a table of each."""
    names = [name for name in TITLES if any(one["network"] == name for one in measured)]
    parts = [HEAD, *_grid()]
    parts += [AREAS.format(steps=12), *(_areas(_of(measured, name, "areas")) for name in names)]
    parts += [RANDOMIZATION.format(unchanged=UNCHANGED), *_randomization(measured, names)]
    parts += [SENSITIVITY.format(samples=COPIES), _sensitivity(measured, names)]
    parts += [COMPLETENESS, _completeness(measured, names), RULE]
    parts += [AGREEMENT, *(_agreement(_of(measured, name, "agreement")) for name in names)]
    parts.append(ON_THE_PAGE)
    machines = dict.fromkeys(note for line in measured for note in line["machine"])
    parts.append("\n".join(f"- {note}" for note in machines))
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _grid() -> list[str]:
    if not (ROOT / "docs" / "images" / "explanations.jpg").exists():
        return []
    return [
        "![Maps of twelve methods for one photo](images/explanations.jpg)",
        "MobileNetV2's answer for `china.jpg` of scikit-learn, a photo by danielbuechele "
        "([CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)), explained by each method.",
    ]


def _of(measured: list[Line], network: str, kind: str) -> dict[str, Line]:
    """The findings of a kind, by what they are about."""
    return {
        one["what"]: one for one in measured if (one["network"], one["kind"]) == (network, kind)
    }


def _areas(found: dict[str, Line]) -> str:
    if RANDOM not in found:
        return ""
    floor = found[RANDOM]
    rows = [
        (
            _title(name),
            f"{statistics.mean(found[name]['deletion']):.3f}",
            "–" if name == RANDOM else _better(floor["deletion"], found[name]["deletion"]),
            f"{statistics.mean(found[name]['insertion']):.3f}",
            "–" if name == RANDOM else _better(found[name]["insertion"], floor["insertion"]),
            _options(found[name]["options"]),
        )
        for name in (*list_methods(), RANDOM)
        if name in found
    ]
    head = ("Method", "Deletion", "better", "Insertion", "better", "Options")
    title = f"**{TITLES[floor['network']]}**, {floor['images']} images"
    return f"{title}\n\n{_table(head, rows)}"


def _better(larger: list[float], smaller: list[float]) -> str:
    """For how many images one area is larger than the other."""
    return str(sum(a > b for a, b in zip(larger, smaller, strict=True)))


def _randomization(measured: list[Line], names: Sequence[str]) -> list[str]:
    found = {name: _of(measured, name, "randomization") for name in names}
    found = {name: own for name, own in found.items() if own}
    rows, failed = [], []
    for method in list_methods():
        cells = [_title(method)]
        for name, own in found.items():
            if method not in own:
                cells += ["–"]
                continue
            one = own[method]
            upper, last = statistics.mean(one["upper"]), statistics.mean(one["correlations"][-1])
            fails = one["depends"].count(False)
            cells.append(f"{upper:z.2f}, {last:z.2f}" + (" **fails**" if fails else ""))
            if fails:
                failed.append((method, TITLES[name]))
        rows.append(tuple(cells))
    table = _table(("Method", *(TITLES[name] for name in found)), rows)
    return [table, _found(failed)]


def _found(failed: list[tuple[str, str]]) -> str:
    if {method for method, _ in failed} == {"guided_backpropagation"}:
        return FOUND[True]
    names = ", ".join(f"{_title(method)} ({network})" for method, network in failed) or "none"
    return FOUND[False].format(failed=names)


def _sensitivity(measured: list[Line], names: Sequence[str]) -> str:
    found = {name: _of(measured, name, "sensitivity") for name in names}
    rows = [
        (_title(method), *(_mean(found[name].get(method), "changes") for name in names))
        for method in list_methods()
    ]
    return _table(("Method", *(TITLES[name] for name in names)), rows)


def _mean(line: Line | None, key: str) -> str:
    return f"{statistics.mean(line[key]):.2f}" if line else "–"


def _completeness(measured: list[Line], names: Sequence[str]) -> str:
    rows = []
    for name in names:
        found = _of(measured, name, "completeness")
        for steps, one in sorted(found.items(), key=lambda item: int(item[0])):
            gaps = one["gaps"]
            row = (TITLES[name], steps, f"{100 * statistics.mean(gaps):.2f} %")
            rows.append(
                (*row, f"{100 * statistics.median(gaps):.2f} %", f"{100 * max(gaps):.2f} %")
            )
    return _table(("Network", "Steps", "Mean", "Median", "Largest"), rows)


def _agreement(found: dict[str, Line]) -> str:
    if "all" not in found:
        return ""
    one = found["all"]
    head = ("", *(str(number) for number in range(1, len(one["names"]) + 1)))
    rows = [
        (f"{number} {_title(name)}", *(f"{value:z.2f}" for value in row))
        for number, (name, row) in enumerate(
            zip(one["names"], one["correlations"], strict=True), start=1
        )
    ]
    return f"**{TITLES[one['network']]}**\n\n{_table(head, rows)}"


def _title(method: str) -> str:
    return "Random map" if method == RANDOM else get_method(method).title


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [tuple(head)]
    cells += [("---",) * len(cells[0]), *map(tuple, rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
