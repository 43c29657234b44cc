"""Networks named so that another process can open them."""

from cnnkit.studio.sources import Source, keep_brought

__all__ = ["Source", "keep_brought"]
