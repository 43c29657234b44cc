"""Data sets of pictures with labels: `load_dataset(name)`. Needs NumPy alone."""

from cnnkit.datasets._registry import (
    Dataset,
    DatasetSpec,
    dataset_info,
    list_datasets,
    load_dataset,
    mnist_or_digits,
    read_ahead,
)

__all__ = [
    "Dataset",
    "DatasetSpec",
    "dataset_info",
    "list_datasets",
    "load_dataset",
    "mnist_or_digits",
    "read_ahead",
]
