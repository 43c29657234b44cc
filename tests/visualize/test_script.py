"""The script that a page hands out makes the same image."""

import os
import subprocess
import sys

import numpy as np
from PIL import Image

from cnnkit.models import load_model
from cnnkit.visualize import Plan, channel, class_logit, maximize, presets
from cnnkit.visualize.fooling import to_8bit
from cnnkit.visualize.plan import script


def test_a_script_opens_a_network_by_its_reference():
    plan = presets.get("quick").plan(channel("block1_conv1", 0))
    opening = "model = NetworkRef.parse('without_top.vgg16').open().model"
    assert opening in script("without_top.vgg16", plan)


def test_the_script_runs_and_its_image_is_ours(root, tmp_path):
    plan = presets.get("quick").plan(class_logit(3), steps=6, seed=5)
    (tmp_path / "made.py").write_text(script("run.starter", plan))
    done = subprocess.run(
        [sys.executable, "made.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "step 6: class_logit(unit=3)" in done.stdout
    model, _ = load_model(root / "cnnkit" / "starter")
    *_, last = maximize(model, Plan.from_dict(plan.to_dict()))
    found = np.asarray(Image.open(tmp_path / "image-0.png"))
    np.testing.assert_array_equal(found, to_8bit(last.images[0])[..., 0])
