"""A program that makes the same maps again, with cnnkit installed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cnnkit.explain.request import ExplanationRequest


def script(requests: Sequence[ExplanationRequest], images: str) -> str:
    """A program for some requests.

    Args:
        requests: what to explain.
        images: an NPZ file with the images of each, as `input/<digest>`.
    """
    text = json.dumps([one.to_dict() for one in requests], indent=1)
    return _SCRIPT.format(requests=text, images=repr(images))


_SCRIPT = '''"""Made by cnnkit: attribution maps."""

import json

import numpy as np

from cnnkit.explain import get_method
from cnnkit.explain.request import ExplanationRequest
from cnnkit.networks import NetworkRef

REQUESTS = json.loads("""
{requests}
""")

images = np.load({images})
opened = {{}}
for values in REQUESTS:
    request = ExplanationRequest.from_dict(values)
    if request.network not in opened:
        opened[request.network] = NetworkRef.parse(request.network).open().model
    image = images["input/" + request.images][np.newaxis]
    method = get_method(request.method)
    maps = method(opened[request.network], image, request.target, **request.options)
    name = f"{{request.network}}-{{request.images}}-{{request.method}}.npy"
    np.save(name, maps[0])
    print(f"{{name}}: {{maps[0].shape}}, sum {{maps[0].sum():.4g}}")
'''
