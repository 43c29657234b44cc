"""Networks beside the pretrained and trained ones: untrained architectures, and brought files."""

from __future__ import annotations

from cnnkit import assets
from cnnkit.models import list_pretrained, pretrained_info
from cnnkit.settings import get_settings
from cnnkit.studio import Source, keep_brought
from cnnkit.ui.common import uploads

SHOWN_UNTRAINED = ("vgg16",)


def without_top() -> list[str]:
    """Names of pretrained networks of which only the weights without top are on this machine."""
    missing = [name for name in list_pretrained() if not pretrained_info(name).available]
    small = {name: assets.without_top_asset(name) for name in missing}
    return [name for name, asset in small.items() if asset in assets.ASSETS and assets.find(asset)]


def untrained() -> list[str]:
    """Names of architectures whose official weights are not on this machine."""
    return [name for name in SHOWN_UNTRAINED if not pretrained_info(name).available]


def brought() -> Source:
    """The file that this visitor brought, where the studio's child can read it."""
    home, title = get_settings().home, uploads.name() or ""
    return keep_brought(home, uploads.data(), title, uploads.class_names())
