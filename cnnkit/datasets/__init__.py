"""Data sets of images with labels: `load_dataset(name)`. Needs NumPy alone."""

from cnnkit.datasets._registry import (
    dataset_info,
    dataset_title,
    list_datasets,
    load_dataset,
    mnist_or_digits,
    read_ahead,
)
from cnnkit.datasets._splits import part_sizes
from cnnkit.datasets._types import Dataset, DatasetSpec, Progress, pixels_digest

__all__ = [
    "Dataset",
    "DatasetSpec",
    "Progress",
    "dataset_info",
    "dataset_title",
    "list_datasets",
    "load_dataset",
    "mnist_or_digits",
    "part_sizes",
    "pixels_digest",
    "read_ahead",
]
