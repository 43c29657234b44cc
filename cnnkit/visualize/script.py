"""A plan as a program that carries it out."""

from __future__ import annotations

import json

from cnnkit.visualize.plan import Plan

_OPENING = {
    "imagenet": "model = cnnkit.load_pretrained({name!r})",
    "untrained": "keras.utils.set_random_seed(0)\n"
    "model = cnnkit.load_pretrained({name!r}, weights=None)",
    "without_top": "model = cnnkit.models.load_headless({name!r})",
    "folder": "model, card = cnnkit.load_model(Path({name!r}))",
    "file": "model = keras.saving.load_model({name!r})",
}

_SCRIPT = '''"""Made by cnnkit: {headline}"""

import json
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import cnnkit
from cnnkit.visualize import Plan, maximize
from cnnkit.visualize.fooling import to_8bit

PLAN = json.loads("""
{plan}
""")

{opening}
for step in maximize(model, Plan.from_dict(PLAN)):
    values = ", ".join(f"{{name}} {{np.mean(v):.4g}}" for name, v in step.values.items())
    print(f"step {{step.number}}: {{values}}", *step.notes)
for number, image in enumerate(step.images):
    Image.fromarray(to_8bit(image).squeeze()).save(f"image-{{number}}.png")
'''


def script(kind: str, name: str, plan: Plan) -> str:
    """A program that makes a plan's images, with cnnkit installed.

    Args:
        kind: of the network: "imagenet", "without_top", "untrained", "folder" or "file".
        name: of the network, or its path.
        plan: what to do.
    """
    headline = str(plan).splitlines()[0].replace("\\", "/").replace('"', "'")
    return _SCRIPT.format(
        headline=headline,
        plan=json.dumps(plan.to_dict(), indent=1),
        opening=_OPENING[kind].format(name=name),
    )
