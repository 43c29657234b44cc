"""What a published network answered to single images, to be asked again.

The figures are their author's, never ours.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "aidiary: Classifying 17 kinds of flowers by fine-tuning VGG16, 2017"
DATASET = "flowers17"


@dataclass(frozen=True)
class PublishedAnswer:
    """The top-5 predictions for one image."""

    number: int  # of the image in its data set, 1-based: image_0724.jpg
    true: str  # class name
    answers: tuple[tuple[str, float], ...]  # class name and probability, the best first

    @property
    def file(self) -> str:
        """Name of the image's file."""
        return f"image_{self.number:04d}.jpg"

    @property
    def row(self) -> int:
        """Of the image in the data set, 0-based."""
        return self.number - 1


FLOWERS = (
    PublishedAnswer(
        724,
        "Sunflower",
        (
            ("Sunflower", 0.9999969),
            ("ColtsFoot", 1.3097971e-06),
            ("Iris", 8.8473638e-07),
            ("Tigerlily", 6.5053348e-07),
            ("Buttercup", 1.2474243e-07),
        ),
    ),
    PublishedAnswer(
        410,
        "Iris",
        (
            ("Iris", 0.99993575),
            ("Crocus", 1.9791674e-05),
            ("Sunflower", 1.734318e-05),
            ("Buttercup", 9.1189122e-06),
            ("Fritillary", 4.9292394e-06),
        ),
    ),
    PublishedAnswer(
        966,
        "Dandelion",
        (
            ("Dandelion", 0.99502832),
            ("ColtsFoot", 0.0034611411),
            ("Sunflower", 0.0014925624),
            ("Tigerlily", 5.2598648e-06),
            ("Buttercup", 4.0573868e-06),
        ),
    ),
    PublishedAnswer(
        1219,
        "Windflower",
        (
            ("Windflower", 0.99989629),
            ("Pansy", 4.6885198e-05),
            ("Daisy", 3.5976835e-05),
            ("LilyValley", 8.592202e-06),
            ("Snowdrop", 5.5862884e-06),
        ),
    ),
    PublishedAnswer(
        807,
        "Daisy",
        (
            ("Daisy", 0.99801069),
            ("Sunflower", 0.0019772816),
            ("ColtsFoot", 1.0563146e-05),
            ("Pansy", 8.2547245e-07),
            ("Windflower", 4.5572747e-07),
        ),
    ),
)
