"""The record of every run: MLflow, read and written through `RunStore` alone.

Importing this loads neither MLflow nor Keras; the store opens its database at its first
use.
"""

from cnnkit.runs._mlflow import IMPATIENT
from cnnkit.runs._record import LIVE_COLUMNS, LIVE_PREFIX, Progress, Run, Status, to_tags
from cnnkit.runs._shared import SharedFolders
from cnnkit.runs._starter import STARTER_ID
from cnnkit.runs._store import Point, RunStore, select_runs, shared_store

__all__ = [
    "IMPATIENT",
    "LIVE_COLUMNS",
    "LIVE_PREFIX",
    "STARTER_ID",
    "Point",
    "Progress",
    "Run",
    "RunStore",
    "SharedFolders",
    "Status",
    "select_runs",
    "shared_store",
    "to_tags",
]
