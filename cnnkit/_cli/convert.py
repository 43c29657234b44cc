"""`cnnkit convert`: a network of other origin as a `.keras` file that any Keras 3 opens."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from cnnkit._cli._console import json_option, print_result
from cnnkit._cli._networks import labels_option, preprocessing_option, read_labels
from cnnkit.files import replacing, write_atomic
from cnnkit.imported_runs import keras_file
from cnnkit.models import PREPROCESSINGS, CheckedUpload, check_upload, open_checked

SHOWN = 5  # class names


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@labels_option
@preprocessing_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("model.keras"),
    show_default=True,
    help="The .keras file to write; class names go beside it, into NAME.labels.txt.",
)
@json_option
def convert(file: Path, labels: Path | None, preprocessing: str | None, out: Path, as_json: bool):
    """Convert a network to a .keras file that any Keras 3 opens.

    FILE is a .keras or .h5 file of any Keras, as Teachable Machine makes them, or a ZIP with one
    of these or with a TensorFlow.js layers model. It is opened without running anything of it.
    The new network takes pixels of 0 to 255 and returns logits; softmax of them are probabilities.
    """
    if out.suffix != ".keras":
        raise click.UsageError(f"--out must end in .keras. Received: {out}.")
    with tempfile.TemporaryDirectory(prefix="cnnkit-convert-") as folder:
        upload = check_upload(file, Path(folder), preprocessing=preprocessing or "")
        card = upload.card(file.name, read_labels(labels))
        data = keras_file(open_checked(Path(folder), card))
    with replacing(out) as aside:
        aside.write_bytes(data)
    named = card.class_names if labels or upload.class_names else ()
    if named:
        write_atomic(out.with_suffix(".labels.txt"), "\n".join(named) + "\n")
    result = {
        "file": str(out),
        "bytes": len(data),
        "input_shape": list(card.input_shape),
        "class_names": list(card.class_names),
        "preprocessing": upload.preprocessing,
        "known": upload.known,
        "notes": list(upload.notes),
    }
    print_result(result, _describe(out, upload, card.class_names, preprocessing), as_json)


def _describe(
    out: Path, upload: CheckedUpload, class_names: tuple[str, ...], asked: str | None
) -> str:
    height, width, channels = upload.input_shape
    size = f"{width}×{height}" if width and height else "any size"
    shown = ", ".join(class_names[:SHOWN]) + (", …" if len(class_names) > SHOWN else "")
    lines = [
        f"{out}: images of {size}, {'RGB' if channels == 3 else 'gray'}, 0 to 255; "
        + (f"{len(class_names)} classes: {shown}." if class_names else "feature maps."),
        f"Pixels that the network was trained on: {PREPROCESSINGS[upload.preprocessing].title}.",
    ]
    if upload.known and not asked:
        lines.append(upload.known)
    elif not asked:
        lines.append(
            "The file does not say it. If the predictions are wrong, convert it with one of "
            f"--preprocessing {', '.join(PREPROCESSINGS)}."
        )
    return "\n".join([*lines, *upload.notes])
