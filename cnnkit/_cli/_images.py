"""Options that the commands which make images share, and writing image files."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from PIL import Image

from cnnkit.visualize import presets

network_option = click.option(
    "--model",
    "name",
    default="googlenet",
    show_default=True,
    help="Pretrained network, run id, or .keras or .h5 file.",
)
untrained_option = click.option("--untrained", is_flag=True, help="Use random weights.")
preset_option = click.option(
    "--preset", default="all", show_default=True, type=click.Choice(presets.names())
)
steps_option = click.option(
    "--steps", type=click.IntRange(1, 100_000), help="Instead of the preset's."
)
seed_option = click.option("--seed", default=0, show_default=True, type=click.IntRange(0))


def write(path: Path, image: np.ndarray) -> None:
    """Write an image as a file of the format that its name says.

    Args:
        path: ending in .png, .jpg or another that Pillow knows.
        image: uint8 (height, width, 1, 3 or 4).
    """
    flat = image[..., 0] if image.shape[-1] == 1 else image
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        Image.fromarray(flat).save(path)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be written: {error}.") from error
