"""The environment with PyTorch, which is no requirement of this project.

`make torch` puts it into `.venv-torch`; `CNNKIT_TORCH_PYTHON` names another Python that has it.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks._measure import ROOT

MISSING = (
    "There is no environment with PyTorch: `make torch` makes one, or set CNNKIT_TORCH_PYTHON to a "
    "Python that has it."
)


def torch_python() -> str | None:
    """The Python that has PyTorch; None: there is none."""
    named = os.environ.get("CNNKIT_TORCH_PYTHON")
    path = Path(named) if named else ROOT / ".venv-torch" / "bin" / "python"
    return str(path) if path.is_file() else None
