"""The 1,000 classes of ImageNet: their names, and what kind of thing each is."""

from __future__ import annotations

import bisect
import functools
import json
from dataclasses import dataclass
from pathlib import Path

from cnnkit import assets
from cnnkit.errors import CorruptAssetError

CLASSES = 1000
# First index -> what the classes from there on are. WordNet's order keeps relatives together.
_KINDS = {
    0: "fish", 7: "bird", 25: "salamander or newt", 30: "frog", 33: "turtle", 38: "lizard",
    49: "crocodile or alligator", 51: "dinosaur", 52: "snake", 69: "extinct sea animal",
    70: "arachnid", 79: "centipede", 80: "bird", 101: "elephant",
    102: "egg-laying mammal", 104: "marsupial", 107: "sea animal without a backbone",
    110: "worm", 112: "mollusc", 118: "crustacean", 127: "bird", 147: "sea mammal",
    151: "breed of dog", 269: "wild relative of the dog", 276: "hyena", 277: "fox",
    281: "domestic cat", 286: "wild cat", 294: "bear", 298: "mongoose", 300: "insect",
    321: "butterfly", 327: "sea animal without a backbone", 330: "rabbit or hare",
    333: "rodent", 339: "hoofed animal", 356: "relative of the weasel", 363: "armadillo",
    364: "sloth", 365: "ape, monkey or lemur", 385: "elephant", 387: "panda", 389: "fish",
    398: "artifact", 924: "food or drink", 958: "dried grass",
    959: "food or drink", 970: "landscape", 971: "soap or air", 972: "landscape",
    981: "person", 984: "flower", 987: "plant or fruit", 991: "fungus", 998: "plant or fruit",
    999: "artifact",
}  # fmt: skip
_STARTS = sorted(_KINDS)


@dataclass(frozen=True)
class ImageNetClass:
    """One thing that networks trained on ImageNet can tell from others."""

    index: int  # of its logit, 0 to 999
    wordnet_id: str  # "n02124075"
    name: str  # "Egyptian cat"

    @property
    def kind(self) -> str:
        """What it is, in plain words: "domestic cat"."""
        return kind(self.index)


def kind(index: int) -> str:
    """What the class of a logit is, in plain words.

    Args:
        index: 0 to 999.
    """
    return _KINDS[_STARTS[bisect.bisect_right(_STARTS, index) - 1]]


def imagenet_classes(progress: assets.Progress | None = None) -> tuple[ImageNetClass, ...]:
    """The classes in the order of the logits.

    Raises:
        AssetUnavailableError: the list cannot be had; says where to put it.
        CorruptAssetError: the file is not the list of 1,000 classes.
    """
    path = assets.fetch("imagenet_classes", progress)
    status = path.stat()
    return _read_classes(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4)  # a page asks for each pretrained network, whenever it runs
def _read_classes(path: Path, changed: int, size: int) -> tuple[ImageNetClass, ...]:
    del changed, size  # of the file: another content is read anew
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        rows = [index[str(i)] for i in range(CLASSES)]
        return tuple(
            ImageNetClass(i, str(wordnet_id), str(name).replace("_", " "))
            for i, (wordnet_id, name) in enumerate(rows)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptAssetError(path, f"is not the list of 1,000 classes ({error!r})") from error


def imagenet_class_names() -> tuple[str, ...]:
    """The classes' names, or "class 0", "class 1", … where their list is not on this machine.

    For what works without knowing what the classes are called; downloads nothing.

    Raises:
        CorruptAssetError: the file is not the list of 1,000 classes.
    """
    if assets.find("imagenet_classes") is None:
        return tuple(f"class {index}" for index in range(CLASSES))
    return tuple(one.name for one in imagenet_classes())
