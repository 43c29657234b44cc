"""Memory of opening large networks: VGG16 under a limit, and three in turn within the bound.

Official weights of this size are rarely at hand, so files of the official layout are written
with random numbers: shapes, names and what must be read are the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._measure import ROOT, Row, save

IN_TURN = ("vgg16", "vgg19", "resnet152")
LIMIT = 4 * 2**30  # bytes of address space
BOUND = 1024  # MB, of all networks in memory

# Writes files as Keras's older versions wrote the official ones.
STAND_IN = """
import sys, h5py, keras
from pathlib import Path
from keras.src.legacy.saving import legacy_h5_format
from cnnkit.assets import ASSETS, weights_asset
from cnnkit.models import pretrained_info
for name in sys.argv[2:]:
    model = getattr(keras.applications, pretrained_info(name).builder)(weights=None)
    with h5py.File(Path(sys.argv[1]) / ASSETS[weights_asset(name)].filename, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
"""

MEASURE = """
import json, re, resource, sys
from pathlib import Path
def memory(key):
    return 1024 * int(re.search(key + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""

OURS = (
    MEASURE
    + """
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
import numpy as np
import tensorflow, keras
from cnnkit.models import Predictor, ModelCard, load_pretrained
before = memory("VmRSS")
card = ModelCard(
    model="vgg16", title="VGG16", class_names=tuple(map(str, range(1000))),
    input_shape=(224, 224, 3), dataset="imagenet",
)
network = Predictor(load_pretrained("vgg16"), card)
network.logits(np.zeros((1, 224, 224, 3), np.uint8))
print(json.dumps([before, memory("VmHWM"), memory("VmRSS")]))
"""
)

KERAS = (
    MEASURE
    + """
import numpy as np
import tensorflow, keras
before = memory("VmRSS")
model = keras.applications.VGG16(weights=sys.argv[1])
model.predict(np.zeros((1, 224, 224, 3), np.float32), verbose=0)
print(json.dumps([before, memory("VmHWM"), memory("VmRSS")]))
"""
)

TURNS = (
    MEASURE
    + """
import numpy as np
import tensorflow, keras
from cnnkit.models import ModelCache, ModelCard, Predictor, load_pretrained, pretrained_info
def opener(name):
    card = ModelCard(
        model=name, title=name, class_names=tuple(map(str, range(1000))),
        input_shape=(224, 224, 3), dataset="imagenet",
    )
    return lambda: Predictor(load_pretrained(name), card)
cache, found, before = ModelCache(int(sys.argv[1]) * 2**20), [], memory("VmRSS")
for name in sys.argv[2:]:
    network = cache.get(name, opener(name), 4 * pretrained_info(name).parameters)
    network.logits(np.zeros((1, 224, 224, 3), np.uint8))
    del network
    found.append([name, cache.bytes, memory("VmRSS") - before])
print(json.dumps(found))
"""
)


def child(code: str, *arguments: object, data: str) -> list:
    """What a Python process prints last, as JSON."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "CNNKIT_DATA_DIR": data, "CNNKIT_OFFLINE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads((done.stdout.splitlines() or [b"[]"])[-1])


def of_vgg16(data: str, weights: Path) -> tuple[Row, str]:
    """Peak of opening VGG16 and asking it once."""
    ours, keras = child(OURS, LIMIT, data=data), child(KERAS, weights, data=data)
    row = Row(
        what="Opening VGG16 and asking it once: peak of resident memory",
        ours=f"{ours[1] / 2**20:,.0f} MiB",
        peer=f"{keras[1] / 2**20:,.0f} MiB",
        ratio=f"{ours[1] / keras[1]:.2f}",
        target=f"runs within an address space of {LIMIT / 2**30:g} GiB",
    )
    note = (
        f"VGG16's weights are 528 MiB. {ours[0] / 2**20:,.0f} MiB are there before (Python and "
        f"TensorFlow), {ours[2] / 2**20:,.0f} MiB after; with `keras.applications.VGG16` and "
        f"`predict`, the peer, {keras[2] / 2**20:,.0f} MiB after, without a limit. Ours was run "
        "with RLIMIT_AS; random numbers in a file of the official layout."
    )
    return row, note


def of_three(data: str) -> tuple[Row, str]:
    """Three large networks through one bounded cache."""
    found = child(TURNS, BOUND, *IN_TURN, *IN_TURN, data=data)
    held = max(bytes_held for _, bytes_held, _ in found)
    first, last = found[len(IN_TURN) - 1][2], found[-1][2]
    row = Row(
        what=f"{', '.join(IN_TURN)} opened in turn, twice: most bytes of weights held",
        ours=f"{held / 2**20:,.0f} MiB",
        peer="",
        ratio="",
        target=f"at most {BOUND:,} MiB (`CNNKIT_MODEL_MEMORY`)",
    )
    steps = ", ".join(f"{name} {grown / 2**20:,.0f}" for name, _, grown in found)
    note = (
        f"Resident memory above an empty process with TensorFlow after each, in MiB: {steps}. "
        f"The second turn adds {(last - first) / 2**20:+,.0f} MiB."
    )
    return row, note


def main() -> None:
    """Write the stand-in files, measure, and print the rows."""
    with tempfile.TemporaryDirectory(prefix="cnnkit-bench-") as data:
        weights = Path(data) / "weights"
        weights.mkdir()
        child(STAND_IN, weights, *IN_TURN, data=data)
        results = [of_vgg16(data, next(weights.glob("vgg16*"))), of_three(data)]
    save([row for row, _ in results], [note for _, note in results])


if __name__ == "__main__":
    main()
