"""Keras behind `cnnkit._lazy`: absent until it is used, and whole for every thread then."""

import subprocess
import sys

TWO_THREADS = """
import sys, threading
from cnnkit._lazy import keras
assert "keras" not in sys.modules
found, start = [], threading.Barrier(4)
def touch():
    start.wait()
    found.append((keras.layers.Dense, keras.ops.ones, keras.Model))
threads = [threading.Thread(target=touch) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(found), len(set(found)))
"""


def test_threads_that_touch_keras_at_once_all_get_the_whole_of_it(root):
    output = subprocess.run(
        [sys.executable, "-c", TWO_THREADS], cwd=root, capture_output=True, text=True, timeout=300
    )
    assert output.stdout.split() == ["4", "1"], output.stderr
