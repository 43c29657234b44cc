"""An uploaded network, of whatever kind of file, ready to predict."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import sandbox
from cnnkit.errors import CnnkitError, IncompatibleError, InvalidModelError, UnsafeModelError
from cnnkit.models._logits import gives_maps, to_logits
from cnnkit.models._storage import ModelCard
from cnnkit.models._uploads import (
    CHECKED_FILES,
    UploadLimits,
    check_image,
    first_line,
    open_checked_model,
    read_litert_upload,
    read_upload,
)
from cnnkit.models.architectures import UPLOADED_MODEL
from cnnkit.models.class_names import clean_names
from cnnkit.models.litert import LITERT_FILES, LiteRTPredictor, write_litert_facts
from cnnkit.models.predictor import Predictor
from cnnkit.models.preprocessing import AS_THEY_ARE, PREPROCESSINGS, check_preprocessing
from cnnkit.sandbox import MIB, BreachError, Limits

if TYPE_CHECKING:
    from keras import Model


SIZE = 224  # pixels, for networks that take images of any size
READ = "cnnkit.models.uploaded:read_in_child"
# A damaged HDF5 file may keep its library in a circle for ever: a small file gets little time.
# Keras's files have some kilobytes for each layer, and a layer takes some 20 ms.
SECONDS, SECONDS_PER_BYTE, MOST_SECONDS = 3.5, 20 / 2**20, 40.0
WALL_FACTOR = 5  # on a busy machine
ODD = "of its weights are not finite (NaN or infinite): its answers may mean nothing."
MEMORY = 768 * MIB  # beyond what the child has, and five times the file


@dataclass(frozen=True)
class CheckedUpload:
    """What a child found out about an uploaded network.

    Args:
        bytes: of its weights in memory.
        classes: that it tells apart; 0: it returns feature maps.
        input_shape: height, width and channels; 0: any. Empty where it takes no image.
        problem: why nothing can be asked of it; "": it returns classes or feature maps.
        notes: sentences for people, such as one on weights that are not finite.
        preprocessing: key of `PREPROCESSINGS`, what is done to pixels of 0 to 255 before it.
        known: how its layers tell that, a sentence; "": they do not.
        class_names: that came with it.
        litert: whether it is a LiteRT file, which can predict alone.
    """

    bytes: int
    classes: int = 0
    input_shape: tuple[int, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()
    preprocessing: str = AS_THEY_ARE
    known: str = ""
    class_names: tuple[str, ...] = ()
    litert: bool = False

    def card(self, title: str, class_names: Sequence[str] = ()) -> ModelCard:
        """Its card.

        Args:
            title: shown to people, such as the file's name.
            class_names: in the order of the logits; none: those that came with it. Those that
                lack are called by number.

        Raises:
            IncompatibleError: it returns neither classes nor feature maps; says why.
        """
        if self.problem:
            raise IncompatibleError(self.problem)
        height, width, channels = self.input_shape
        class_names = tuple(class_names) or self.class_names
        numbered = [f"class {i}" for i in range(len(class_names), self.classes)]
        return ModelCard(
            model=UPLOADED_MODEL,
            title=title,
            class_names=(*class_names[: self.classes], *numbered),
            input_shape=(height or SIZE, width or SIZE, channels),
            dataset="unknown",
        )


def check_upload(
    source: Path | str | bytes, folder: Path, *, image: bool = True, preprocessing: str = ""
) -> CheckedUpload:
    """Have a child open a file and let the network answer once.

    Args:
        source: the file, or what is in it.
        folder: gets the checked form of the network, for `open_checked`.
        image: refuse a network that does not take one image.
        preprocessing: key of `PREPROCESSINGS`, what the network expects of its pixels; "": what
            its layers tell, or pixels as they are.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it does not take one image, or there is no such preprocessing.
    """
    if preprocessing:
        check_preprocessing(preprocessing)
    inside = tempfile.TemporaryDirectory(prefix="child-", dir=folder.resolve())
    with _file(source) as file, inside as own:
        limits = upload_limits(os.fstat(file).st_size, own)
        arguments = sandbox.FIRST_FILE, own, image, preprocessing
        try:
            facts = sandbox.networks.call(READ, *arguments, limits=limits, read=[file])
        except BreachError as breach:
            raise _refusal(breach, limits) from breach
        upload = _checked(facts)
        if upload.litert:
            write_litert_facts(Path(own), preprocessing or upload.preprocessing)
            upload = replace(upload, preprocessing=preprocessing or upload.preprocessing)
        for name in LITERT_FILES if upload.litert else CHECKED_FILES:
            os.replace(Path(own) / name, folder / name)
    return upload


def checked_files(folder: Path) -> tuple[str, ...]:
    """The files that `check_upload` left in a folder; none: they are not there."""
    both = (CHECKED_FILES, LITERT_FILES)
    return next((names for names in both if all((folder / one).exists() for one in names)), ())


def upload_limits(size: int, folder: str) -> Limits:
    """What a child may use to open a file of so many bytes and leave its checked form behind."""
    seconds = min(SECONDS + SECONDS_PER_BYTE * size, MOST_SECONDS)
    return Limits(
        seconds=seconds,
        wall_seconds=WALL_FACTOR * seconds,
        memory=MEMORY + 5 * size,
        folder=folder,
        written=UploadLimits().weights_bytes + 64 * MIB,
    )


def open_uploaded_model(source: Path | str | bytes, *, image: bool = True) -> Model:
    """Check a file in a child, and open its network here.

    Args:
        source: the file, or what is in it.
        image: insist on one input of (height, width, 1 or 3), sizes may be open.

    Returns:
        The network, not compiled.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it does not take one image.
    """
    with tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as folder:
        check_upload(source, Path(folder), image=image)
        return open_checked_model(Path(folder))


def open_uploaded(
    source: Path | str | bytes,
    *,
    title: str,
    class_names: Sequence[str] = (),
    preprocessing: str = "",
) -> Predictor:
    """Check a file in a child, and open its network here, ready to predict.

    Args:
        source: the file, or what is in it.
        title: shown to people, such as the file's name.
        class_names: in the order of the logits; none: those that came with it.
        preprocessing: see `check_upload`.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it returns neither one number a class nor feature maps.
    """
    with tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as folder:
        upload = check_upload(source, Path(folder), preprocessing=preprocessing)
        return open_checked(Path(folder), upload.card(title, class_names))


def open_checked(folder: Path, card: ModelCard) -> Predictor:
    """The network that `check_upload` left in a folder, ready to predict.

    Networks that end in softmax return the input of softmax: softmax of those logits
    is the very probabilities again.
    """
    if checked_files(folder) == LITERT_FILES:
        return LiteRTPredictor(folder, card)
    return Predictor(to_logits(open_checked_model(folder)), card)


def read_in_child(source: int, folder: str, image: bool, preprocessing: str = "") -> dict[str, Any]:
    """Open a file, leave the checked form of its network, and let it answer once.

    Args:
        source: descriptor of the file.
        folder: where to leave it.
        image: refuse a network that does not take one image.
        preprocessing: see `check_upload`.

    Returns:
        What `read_upload` tells of it, and "classes" and "input_shape", or "problem".
    """
    of_litert = read_litert_upload(source, Path(folder))
    if of_litert is not None:
        return of_litert
    model, facts = read_upload(source, Path(folder), image, preprocessing)
    try:
        check_image(model)
        model = to_logits(model)
        shape = tuple(side or 0 for side in model.input_shape[1:])
        classes = 0 if gives_maps(model) else int(model.output_shape[-1])
        found = CheckedUpload(bytes=facts["bytes"], classes=classes, input_shape=shape)
        _answer_once(model, found.card("the network"))
    except IncompatibleError as error:
        return facts | {"problem": str(error)}
    return facts | {"classes": found.classes, "input_shape": shape}


def _answer_once(model: Model, card: ModelCard) -> None:
    try:
        Predictor(model, card)
    except (CnnkitError, MemoryError):
        raise
    # Whatever TensorFlow stumbles on: dtypes that do not meet, sizes that do not fit.
    except Exception as error:
        if type(error).__name__ == "ResourceExhaustedError":
            raise MemoryError from error
        raise InvalidModelError(
            f"The network opens, but fails at its first answer: {first_line(error)}"
        ) from error


@contextmanager
def _file(source: Path | str | bytes) -> Iterator[int]:
    """A descriptor of a file, or of one with these bytes."""
    if isinstance(source, bytes):
        with tempfile.TemporaryFile() as file:
            file.write(source)
            file.flush()
            yield file.fileno()
        return
    try:
        file = Path(source).open("rb")
    except (OSError, ValueError) as error:  # a name with a zero byte, among others
        why = getattr(error, "strerror", None) or error
        raise InvalidModelError(f"{source} cannot be read: {why}.") from error
    with file:
        yield file.fileno()


def _refusal(breach: BreachError, limits: Limits) -> InvalidModelError:
    if breach.what == "time":
        return UnsafeModelError(
            f"The network takes more than {limits.seconds:.0f} s to open and to answer once, too "
            "long for a file of this size. It may be damaged; a smaller network opens."
        )
    if breach.what == "memory":
        return UnsafeModelError(
            f"The network takes more than {limits.memory / 2**20:,.0f} MB of memory to open and to "
            "answer once. A smaller one opens."
        )
    return InvalidModelError(
        "The network cannot be opened: its reader failed. Save it again with Keras 3: "
        "model.save('new.keras')."
    )


def _checked(facts: Any) -> CheckedUpload:
    """What came from a child, whose file may have made it answer anything."""
    try:
        shape = tuple(int(side) for side in facts.get("input_shape", ()))
        classes, problem = int(facts.get("classes", 0)), str(facts.get("problem", ""))[:500]
        size, odd = int(facts["bytes"]), int(facts["odd"])
        prepared, known = str(facts.get("preprocessing", AS_THEY_ARE)), str(facts.get("known", ""))
        names = clean_names(map(str, facts["class_names"])) if facts.get("class_names") else ()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refusal(BreachError("crash"), Limits()) from error
    counted = classes == 0 or 1 < classes < 10**6
    fits = len(shape) == 3 and counted and shape[2] in (1, 3) and prepared in PREPROCESSINGS
    if not problem and not fits:
        raise _refusal(BreachError("crash"), Limits())
    notes = (f"{odd:,} {ODD}",) if odd else ()
    litert = facts.get("litert") is True
    return CheckedUpload(size, classes, shape, problem, notes, prepared, known[:200], names, litert)
