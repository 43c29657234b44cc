"""Data sets of people's own images: imported, listed, renamed, deleted.

They are kept in `CNNKIT_HOME` and bear names such as "own-3f9a0c12b7de", under which
`load_dataset` reads them.
"""

from cnnkit.datasets.folders.captured import labeled_images
from cnnkit.datasets.folders.entries import LEAST, Imported
from cnnkit.datasets.folders.imported import (
    delete,
    import_report,
    is_own,
    list_own,
    own_bytes,
    receive,
    rename,
    stored_folder,
)
from cnnkit.datasets.folders.importing import LABEL_SOURCES, image_folder
from cnnkit.datasets.folders.report import KINDS, ImportReport, LeftOut
from cnnkit.datasets.folders.versions import move_images, newest_own, versions

__all__ = [
    "KINDS",
    "LABEL_SOURCES",
    "LEAST",
    "ImportReport",
    "Imported",
    "LeftOut",
    "delete",
    "image_folder",
    "import_report",
    "is_own",
    "labeled_images",
    "list_own",
    "move_images",
    "newest_own",
    "own_bytes",
    "receive",
    "rename",
    "stored_folder",
    "versions",
]
