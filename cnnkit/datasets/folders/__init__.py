"""Data sets of people's own images: imported, listed, renamed, deleted.

They are kept in `CNNKIT_HOME` and bear names such as "own-3f9a0c12b7de", under which
`load_dataset` reads them.
"""

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
from cnnkit.datasets.folders.importing import LABEL_SOURCES, Imported, image_folder
from cnnkit.datasets.folders.report import KINDS, ImportReport, LeftOut

__all__ = [
    "KINDS",
    "LABEL_SOURCES",
    "ImportReport",
    "Imported",
    "LeftOut",
    "delete",
    "image_folder",
    "import_report",
    "is_own",
    "list_own",
    "own_bytes",
    "receive",
    "rename",
    "stored_folder",
]
