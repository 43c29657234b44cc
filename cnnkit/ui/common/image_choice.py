"""One image of any source, for one network or several.

    image = image_choice.picker({ref: card})
    if image is not None:
        seen = image.input_for(card)

The address holds the source (`?from=`), and of an example or a test image which one it is. A
file of the visitor's cannot stand in an address: it is kept for the visit, so that a link
with `from=upload` opens another page on the same image.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st
from streamlit.errors import StreamlitAPIException

from cnnkit.datasets import DatasetSpec, dataset_info, dataset_title, list_datasets
from cnnkit.image_io import decode_image
from cnnkit.models import ModelCard
from cnnkit.networks import RUN, NetworkRef
from cnnkit.predict import FITS, example_photos, prepare
from cnnkit.settings import get_settings
from cnnkit.ui.common import cache, handwriting, inputs, messages
from cnnkit.ui.common.handwriting import IMAGE_MB, TYPES

SOURCES = {
    "test": "Test image",
    "example": "Example photo",
    "upload": "Upload",
    "paste": "Paste",
    "camera": "Camera",
    "drawing": "Draw a digit",
}
FORMER_SOURCES = {"from": {"photo": "upload"}}  # in addresses of earlier versions
NUMBER = "number"  # in links: the number of a test image
DIGIT_SHAPE = (28, 28, 1)  # of networks for which a digit is located in a photo
DIGITS = {"mnist", "digits"}  # data sets with the same classes
MOST_PILLS = 20  # classes; more are a list
_KEPT, _NETWORKS, _DATA = "image_file", "image_networks", "image_data"  # in the visit's state


@dataclass(frozen=True)
class File:
    """One file of the visitor's.

    Args:
        name: shown to people.
        data: the whole image file.
        exact: a network has seen it as it is, so no digit is located in it.
    """

    name: str
    data: bytes
    exact: bool = False

    @cached_property
    def key(self) -> str:
        """Equal for equal contents."""
        return hashlib.sha256(self.data).hexdigest()[:16]


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenImage:
    """An image as it was chosen, before it is fitted to a network.

    Args:
        array: uint8 (height, width, 1 or 3), 0 to 255.
        words: what it is, for people.
        fit: how it is fitted to a network's input, a key of `FITS`.
        digit: uint8 (28, 28, 1), the digit that was located in a photo; None: none was sought.
        dataset: registered name of its data set; "": it is of none.
        label: its true class in that data set; None: unknown.
    """

    array: np.ndarray
    words: str
    fit: str = "crop"
    digit: np.ndarray | None = None
    dataset: str = ""
    label: int | None = None

    @cached_property
    def key(self) -> str:
        """Equal for equal inputs of every network."""
        digest = hashlib.sha256(f"{self.array.shape} {self.fit}".encode())
        digest.update(np.ascontiguousarray(self.array).data)
        digest.update(b"" if self.digit is None else self.digit.tobytes())
        return digest.hexdigest()[:16]

    def input_for(self, card: ModelCard) -> np.ndarray:
        """The exact input of a network: uint8, of the card's input shape."""
        if self.digit is not None and card.input_shape == DIGIT_SHAPE:
            return self.digit
        return prepare(self.array, card.input_shape, self.fit)

    def label_for(self, card: ModelCard) -> int | None:
        """Its true class among those of a network; None: unknown, or none of them."""
        same = card.dataset == self.dataset or {card.dataset, self.dataset} <= DIGITS
        return self.label if same else None


def picker(networks: Mapping[NetworkRef, ModelCard]) -> ChosenImage | None:
    """An image for networks; None while there is none yet.

    Args:
        networks: at least one. What the first was trained on is offered first.
    """
    inputs.follow_old_address(FORMER_SOURCES, renamed={"digit": "class"})
    _take_number()
    ref, card = next(iter(networks.items()))
    _follow_networks(networks)
    own = _own_dataset(card)
    source = inputs.choice(
        "Image",
        list(SOURCES),
        parameter="from",
        title=SOURCES.__getitem__,
        default="test" if own else "example",
        widget=st.pills,
        required=True,
    )
    if source == "test":
        return _from_test_set(ref, card, own)
    if source == "example":
        return _example()
    if source == "drawing":
        return _drawn()
    taken = {"upload": _uploaded, "paste": _pasted, "camera": _photographed}[source]()
    return None if taken is None else _read(taken, networks.values())


def keep(file: File) -> None:
    """Keep a file for the visit: links to other pages with `from=upload` open on it."""
    st.session_state[_KEPT] = file


def address(
    ref: NetworkRef, labels: np.ndarray, index: int, class_names: Sequence[str]
) -> dict[str, str]:
    """Parameters of a link that opens a page on one test image of a network's own data set.

    Args:
        ref: the network.
        labels: of the whole test set.
        index: of the image in the test set.
        class_names: in the order of the labels.
    """
    number = int(np.flatnonzero(np.flatnonzero(labels == labels[index]) == index)[0])
    name = class_names[int(labels[index])]
    return {"network": str(ref), "from": "test", "class": name, "image": str(number)}


def fit_picker() -> str:
    """How an image is fitted to a network's input, `?fit=` in the address."""
    return inputs.choice(
        "Resize to the input by",
        list(FITS),
        parameter="fit",
        title=lambda fit: {"crop": "cropping", "stretch": "stretching", "pad": "padding"}[fit],
        widget=st.segmented_control,
        help="; ".join(f"**{fit}**: {words}" for fit, words in FITS.items()),
    )


def _take_number() -> None:
    """Read `number`, which stands for `image` in links from pages that bind `image` themselves.

    The browser takes a bound parameter out of the address when its page is left, and so also
    that of the page that is opened.
    """
    number = st.query_params.get(NUMBER, "")
    if number.isdecimal():
        st.session_state["image"] = int(number)
        with contextlib.suppress(StreamlitAPIException):  # bound already, it writes the address
            st.query_params["image"] = number
    st.query_params.pop(NUMBER, None)


def _follow_networks(networks: Mapping[NetworkRef, ModelCard]) -> None:
    """With other networks, offer what suits them first, unless the address says otherwise."""
    now = tuple(map(str, networks))
    if st.session_state.setdefault(_NETWORKS, now) != now:
        st.session_state[_NETWORKS] = now
        for parameter in ("from", "data"):
            if parameter not in st.query_params:
                st.session_state.pop(inputs.key_of(parameter), None)


def _own_dataset(card: ModelCard) -> str | None:
    """The data set here that has the network's classes; None: there is none."""
    available = _datasets()
    if card.dataset in available:
        return card.dataset
    return "digits" if card.dataset in DIGITS else None


def _datasets() -> list[str]:
    names = [*list_datasets(), *list_datasets("own")]
    return [name for name in names if dataset_info(name).available]


def _from_test_set(ref: NetworkRef, card: ModelCard, own: str | None) -> ChosenImage:
    names = _datasets()
    alike = [name for name in names if dataset_info(name).input_shape[-1] == card.input_shape[-1]]
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        name = inputs.choice(
            "Data set",
            names,
            parameter="data",
            title=dataset_title,
            default=own or next(iter(alike), None),
            width=280,
        )
    _forget_other_dataset(name)
    spec, images, labels = _test_set(ref, card, name)
    label = _class_picker(spec, labels)
    indices = np.flatnonzero(labels == label)
    with row:
        number = inputs.image_picker(len(indices), label=f"Test image (of {len(indices):,})")
    messages.embedded_notice(name)
    index = int(indices[number])
    return ChosenImage(
        array=images[index],
        words=f"Test image {index:,} of {spec.title}: “{spec.class_names[label]}”",
        fit="stretch",  # as training and evaluation resize the images
        dataset=name,
        label=label,
    )


def _forget_other_dataset(name: str) -> None:
    """Classes and numbers in the address belong to the data set that was shown before."""
    if st.session_state.setdefault(_DATA, name) != name:
        st.session_state[_DATA] = name
        st.query_params.pop("class", None)


def _test_set(
    ref: NetworkRef, card: ModelCard, name: str
) -> tuple[DatasetSpec, np.ndarray, np.ndarray]:
    """A test set's images and labels; of a run's own data set, as the run split it."""
    spec = dataset_info(name)
    if ref.kind == RUN and name == card.dataset:
        return spec, *cache.test_images(cache.store().get(ref.name))
    return spec, *cache.dataset(name).part("test")


def _class_picker(spec: DatasetSpec, labels: np.ndarray) -> int:
    present = [spec.class_names[label] for label in np.unique(labels)]
    few = len(present) <= MOST_PILLS
    how: dict[str, Any] = {"widget": st.pills, "required": True} if few else {"width": 280}
    name = inputs.choice("Class", present, parameter="class", default="7", **how)
    return spec.class_names.index(name)


def _example() -> ChosenImage:
    photos = example_photos(get_settings().data_dir)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = inputs.choice("Photo", list(photos), parameter="example", width=280)
        fit = fit_picker()
    array = decode_image(photos[name].read_bytes())
    return ChosenImage(array=array, words=f"Example photo: {name}", fit=fit)


def _drawn() -> ChosenImage | None:
    digit = handwriting.drawing_input()
    if digit is not None:
        return ChosenImage(array=digit.image, words="Your digit, as in MNIST")
    before = handwriting.last_drawing()
    return None if before is None else ChosenImage(array=before, words="Your last drawing")


def _read(file: File, cards: Iterable[ModelCard]) -> ChosenImage | None:
    """A file as an image; for networks that read digits, with the digit in it located."""
    shapes = {card.input_shape for card in cards}
    locate = DIGIT_SHAPE in shapes and not file.exact
    fit = "crop" if locate and len(shapes) == 1 else fit_picker()
    with messages.shown_errors(stop=False):
        array = decode_image(file.data)
        digit = handwriting.locate_digit(file.data).image if locate else None
        return ChosenImage(array=array, words=f"Your image {file.name}", fit=fit, digit=digit)
    return None


def _uploaded() -> File | None:
    uploaded = st.file_uploader(
        "Drop an image here",
        max_upload_size=IMAGE_MB,
        key="image_upload",
        on_change=_take_upload,
        help=f"Any image: {', '.join(TYPES)}; {IMAGE_MB} MB at most.",
    )
    return _kept(shown=uploaded is not None)


def _take_upload() -> None:
    file = st.session_state["image_upload"]
    if file is None:
        st.session_state.pop(_KEPT, None)
    else:
        keep(File(file.name, file.getvalue()))


def _pasted() -> File | None:
    message = st.chat_input(
        "Click here, then press Ctrl+V (or ⌘V) to paste an image, and Enter",
        accept_file=True,
        file_type=TYPES,
        max_upload_size=IMAGE_MB,
        key="image_pasted",
    )
    if message and message.files:
        keep(File(message.files[0].name, message.files[0].getvalue()))
    return _kept()


def _photographed() -> File | None:
    photo = st.camera_input("Take a photo", key="image_camera")
    if photo:
        keep(File("camera.jpg", photo.getvalue()))
    return _kept(shown=photo is not None)


def _kept(*, shown: bool = False) -> File | None:
    """The visitor's file; named where no widget on the page shows it."""
    file = st.session_state.get(_KEPT)
    if file and not shown:
        st.caption(
            f":material/image: {messages.literal(file.name)} is used until you choose another."
        )
    return file
