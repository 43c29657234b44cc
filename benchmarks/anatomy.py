"""What every network costs, beside what was published: `python -m benchmarks.anatomy`.

Writes the table of `docs/anatomy.md`, and the totals that `cnnkit.published.measurements` reads.
Rows are the names that `cnnkit anatomy --model` knows; a published
figure appears once a network of that name is there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks._measure import ROOT
from cnnkit.errors import UnknownModelError
from cnnkit.models import list_architectures, model_info, open_architecture
from cnnkit.published.measurements import COSTS, Counts

if TYPE_CHECKING:
    from cnnkit.anatomy import LayerTable

PAGE = ROOT / "docs" / "anatomy.md"
BEGIN, END = "<!-- counted: begin -->", "<!-- counted: end -->"
SIZE = (224, 224, 3)  # of networks that take any
COLUMNS = (
    "Network",
    "Image",
    "Parameters",
    "Published",
    "MACs",
    "Published",
    "Difference",
    "Depth",
    "Activations, MiB",
    "Not counted",
    "Source",
)
TORCHVISION = "TorchVision maintainers: torchvision, metadata of the pretrained weights"
RESNET = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A network's cost as others wrote it down; None: not given there."""

    parameters: int | None = None
    macs: float | None = None
    source: str = TORCHVISION
    note: str = ""  # why ours may differ


STRIDE = "there the 3×3 convolutions have the strides, in the paper the 1×1 before them"
NORMALIZED = "there with batch normalization instead of biases and local response normalization"
PUBLISHED = {
    "alexnet": Published(macs=0.714e9, note="there without groups, with fewer filters"),
    "convnext_tiny": Published(parameters=28_589_128, macs=4.456e9),
    "densenet121": Published(parameters=7_978_856, macs=2.834e9),
    "efficientnet_b0": Published(parameters=5_288_548, macs=0.386e9),
    "googlenet": Published(parameters=6_624_904, macs=1.498e9, note=NORMALIZED),
    "inception_v3": Published(macs=5.713e9),
    "mobilenet_v2": Published(parameters=3_504_872, macs=0.301e9),
    "mobilenet_v3_large": Published(parameters=5_483_032, macs=0.217e9),
    "mobilenet_v3_small": Published(macs=0.057e9),
    "resnet18": Published(macs=1.814e9),
    "resnet34": Published(macs=3.664e9),
    "resnet50": Published(parameters=25_557_032, macs=4.089e9, note=STRIDE),
    "resnet101": Published(macs=7.801e9, note=STRIDE),
    "resnet152": Published(macs=11.3e9, source=RESNET),
    "squeezenet": Published(parameters=1_235_496, macs=0.349e9),
    "vgg16": Published(parameters=138_357_544, macs=15.47e9),
    "vgg19": Published(parameters=143_667_240, macs=19.632e9),
}


def main() -> None:
    """Count every network, and put the table between the two marks of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    found = {name: count(name) for name in list_architectures()}
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{after}", "utf-8")
    fields = [field.name for field in dataclasses.fields(Counts)]
    totals = {
        name: {field: getattr(anatomy, field) for field in fields}
        for name, anatomy in found.items()
    }
    COSTS.write_text(json.dumps(totals, indent=1) + "\n", "utf-8")


def table(found: Mapping[str, LayerTable]) -> str:
    """The table in Markdown."""
    rows = [row(name, anatomy) for name, anatomy in found.items()]
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def row(name: str, found: LayerTable) -> tuple[str, ...]:
    """One network, ours beside the published."""
    known = published(name)
    difference = f"{100 * (found.macs / known.macs - 1):+.1f} %" if known.macs else ""
    return (
        f"`{name}`",
        "×".join(map(str, found.input_shape)),
        f"{found.parameters:,}",
        f"{known.parameters:,}" if known.parameters else "",
        _millions(found.macs),
        _millions(known.macs) if known.macs else "",
        difference,
        str(found.depth),
        f"{found.activation_bytes / 2**20:.3g}",
        str(len(found.not_counted) or ""),
        known.source + (f" ({known.note})" if known.note else ""),
    )


def _millions(number: float) -> str:
    return f"{number / 1e6:,.0f} M" if number >= 1e8 else f"{number / 1e6:.3g} M"


def count(name: str) -> LayerTable:
    """A network by name, taken apart for its own size or for `SIZE`."""
    from cnnkit.anatomy import layer_table

    model = open_architecture(name)
    return layer_table(model, SIZE if None in model.inputs[0].shape[1:] else None)


def published(name: str) -> Published:
    """What is known of a network: looked up here, or in its registration."""
    if name in PUBLISHED:
        return PUBLISHED[name]
    try:
        spec = model_info(name)
    except UnknownModelError:
        return Published(source="")
    return Published(parameters=spec.parameters, source=spec.paper)


if __name__ == "__main__":
    main()
