"""Networks beside the pretrained and trained ones: untrained architectures, and brought files."""

from __future__ import annotations

from cnnkit.models import pretrained_info
from cnnkit.settings import get_settings
from cnnkit.studio import Source, keep_brought
from cnnkit.ui.common import uploads

SHOWN_UNTRAINED = ("vgg16",)


def untrained() -> list[str]:
    """Names of architectures whose official weights are not on this machine."""
    return [name for name in SHOWN_UNTRAINED if not pretrained_info(name).available]


def brought() -> Source:
    """The file that this visitor brought, where the studio's child can read it."""
    home, title = get_settings().home, uploads.name() or ""
    return keep_brought(home, uploads.data(), title, uploads.class_names())
