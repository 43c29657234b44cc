"""Photos to try a network with, before anybody has brought one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def example_photos(data_dir: Path | None) -> dict[str, Path]:
    """Photos that are on every machine (scikit-learn ships two), and the operator's own.

    Args:
        data_dir: the operator's folder, whose `photos` come first; None: there is none.

    Returns:
        What people call each → its file.
    """
    folder = resources.files("sklearn.datasets") / "images"
    paths = [Path(str(folder / name)) for name in ("flower.jpg", "china.jpg")]
    if data_dir:
        paths = [*sorted((data_dir / "photos").glob("*.jpg")), *paths]
    return {path.stem.replace("_", " "): path for path in paths}
