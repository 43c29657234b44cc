"""The exceptions of cnnkit, whose messages may be shown to a user as they stand.

    CnnkitError
    ├── SettingsError              an environment variable cannot be understood
    ├── UnknownNameError           also LookupError; the nearest name, and all that exist
    │   ├── UnknownModelError
    │   ├── UnknownDatasetError
    │   ├── UnknownRecipeError
    │   ├── UnknownLayerError
    │   └── UnknownSplitError
    ├── InvalidRecipeError         also ValueError; names the field
    ├── InvalidDefinitionError     also ValueError; a network's definition: names layer and field
    ├── AssetUnavailableError      which file, its official address, where to put it
    ├── CorruptAssetError          which file, what is wrong with it, what to do
    │   ├── CorruptResultError     one that a run or a cache wrote
    │   └── CorruptPackageError    one that ships with cnnkit
    ├── InvalidImageError          what was read and what is needed
    │   └── NotAnImageError        a file of another kind
    ├── InvalidImagesError       also ValueError; a folder or ZIP holds no data set
    ├── IncompatibleError          a model and data that do not fit: shapes of both
    ├── ExplanationError           a method finds nothing to show for an image: why
    ├── DivergedError              an image cannot be optimized further: what became infinite
    ├── LimitError                 more than this installation allows, and what it allows
    ├── NotAllowedError            it belongs to somebody else, or nobody is logged in
    ├── UnavailableExtraError      an optional library that is not installed, and how to get it
    ├── InvalidModelError          also ValueError; a file is no network that can be opened
    │   └── UnsafeModelError       opening it could run code, read other files, fill the memory
    ├── StorageError
    │   ├── RunNotFoundError
    │   └── CorruptRunError
    └── JobError                   a job cannot do what was asked of it now

Catch them together:

    try:
        run = store.get(run_id)
    except CnnkitError as error:
        print(error)
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class CnnkitError(Exception):
    """Base of every error that cnnkit raises for a user's mistake or missing thing."""


class SettingsError(CnnkitError):
    """An environment variable has a value that cannot be understood."""


class UnknownNameError(CnnkitError, LookupError):
    """A name that is not registered; the message lists those that are, the nearest first."""

    kind = "name"

    def __init__(self, name: str, names: Iterable[str]):
        """Keep the name and the names that would have worked."""
        self.name = name
        self.known = sorted(names)
        super().__init__(
            f"Unknown {self.kind} {name!r}.{did_you_mean(name, self.known)} "
            f"Known {self.kind}s: {', '.join(self.known) or 'none'}."
        )


class UnknownModelError(UnknownNameError):
    """No model of this name is registered."""

    kind = "model"


class UnknownDatasetError(UnknownNameError):
    """No data set of this name is registered."""

    kind = "data set"


class UnknownRecipeError(UnknownNameError):
    """No recipe of this name ships with cnnkit."""

    kind = "recipe"


class UnknownLayerError(UnknownNameError):
    """The model has no layer of this name."""

    kind = "layer"


class UnknownSplitError(UnknownNameError):
    """A data set has no split of this name."""

    kind = "split"


class InvalidRecipeError(CnnkitError, ValueError):
    """A recipe's field has a value that cannot work; the message names the field."""


class InvalidDefinitionError(CnnkitError, ValueError):
    """The definition of a network has a value that cannot be meant; names the layer."""


class AssetUnavailableError(CnnkitError):
    """A file is neither here nor to be fetched; the message says where to put it."""

    def __init__(self, *, filename: str, url: str, folder: Path, reason: str):
        """Keep what is needed to put the file in place by hand."""
        self.filename = filename
        self.url = url
        self.folder = folder
        super().__init__(
            f"{filename} is not on this machine ({reason}). "
            f"Download it from {url} and put it into {folder}."
        )


class CorruptAssetError(CnnkitError):
    """A file is here but cannot be what it should be."""

    remedy = "Delete it, or replace it with the official file."

    def __init__(self, path: Path, problem: str):
        """Keep the path and what is wrong."""
        self.path = path
        self.problem = problem
        super().__init__(f"{path} {problem}. {self.remedy}")


class CorruptResultError(CorruptAssetError):
    """A file that cnnkit wrote is damaged; nobody else has it."""

    remedy = "Make it again, or put it back from a backup (`cnnkit restore`)."


class CorruptPackageError(CorruptAssetError):
    """A file that ships with cnnkit is damaged."""

    remedy = "Install cnnkit again."


class InvalidImageError(CnnkitError, ValueError):
    """An image cannot be read, or has the wrong size or channels."""


class NotAnImageError(InvalidImageError):
    """A file is of another kind than the images that are read."""


class InvalidImagesError(CnnkitError, ValueError):
    """A folder or ZIP cannot become a data set; the message says what is missing."""


class IncompatibleError(CnnkitError, ValueError):
    """A model and data do not fit together; the message gives the shapes of both."""


class DivergedError(CnnkitError):
    """An optimization left the finite numbers and found no way back; names the terms."""


class ExplanationError(CnnkitError):
    """A method finds nothing to show for an image; the message says why, and what would work."""


class LimitError(CnnkitError):
    """More was asked than this installation allows; the message names the limit."""


class NotAllowedError(CnnkitError):
    """Something that this person may not do; the message says who may."""


class UnavailableExtraError(CnnkitError):
    """An optional library is not installed; the message says how to install it."""

    def __init__(self, what: str, package: str, extra: str):
        """Keep what is needed to install it."""
        self.package = package
        super().__init__(
            f"{what} needs the package {package}, which is not installed. Install it with "
            f"`pip install {package}` (or `pip install cnnkit[{extra}]`), and restart the app."
        )


class InvalidModelError(CnnkitError, ValueError):
    """A file that should hold a network cannot be opened; the message says why."""


class UnsafeModelError(InvalidModelError):
    """Opening a network could run code, read other files or fill the memory; names the part."""


class StorageError(CnnkitError):
    """Something that was stored cannot be had."""


class RunNotFoundError(StorageError, LookupError):
    """No run has this id."""

    def __init__(self, run_id: str):
        """Keep the id."""
        self.run_id = run_id
        super().__init__(f"There is no run {run_id!r}. It may have been deleted.")


class CorruptRunError(StorageError):
    """A run's file is missing or damaged."""

    def __init__(self, run_id: str, path: Path | str, problem: str):
        """Keep the run, the file and what is wrong."""
        self.run_id = run_id
        self.path = path
        super().__init__(f"Run {run_id}: {path} {problem}.")


class JobError(CnnkitError):
    """A job cannot do what was asked of it now; the message says why."""


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """A question with the known name that is spelled most alike; "" if none is near."""
    spelled = {known.casefold(): known for known in names}
    near = get_close_matches(str(name).casefold(), spelled, n=1, cutoff=0.7)
    return f" Did you mean {spelled[near[0]]!r}?" if near else ""
