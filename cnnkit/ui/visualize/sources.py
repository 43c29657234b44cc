"""Which famous architectures are offered with random weights: those without official ones."""

from __future__ import annotations

from cnnkit.models import pretrained_info

SHOWN_UNTRAINED = ("vgg16",)


def untrained() -> list[str]:
    """Names of architectures whose official weights are not on this machine."""
    return [name for name in SHOWN_UNTRAINED if not pretrained_info(name).available]
