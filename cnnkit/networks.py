"""`NetworkRef`: which network, said so that a page, a job or another process can open it.

    ref = NetworkRef.parse("pretrained.googlenet")
    predictor = ref.open()
    logits = predictor.logits(images)

Importing this loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import assets, models
from cnnkit.errors import (
    CorruptRunError,
    IncompatibleError,
    NotAllowedError,
    StorageError,
    UnknownModelError,
)
from cnnkit.files import TEMPORARY, BoundedFolder, Fetch, disk_size
from cnnkit.models import CARD_FILE, MODEL_FILE, ModelCard
from cnnkit.models.builder import is_code
from cnnkit.people import LOCAL, Person
from cnnkit.runs import shared_store
from cnnkit.settings import get_settings
from cnnkit.training.epoch_weights import EPOCHS_FILE, epoch_file, load_epoch, read_epochs

if TYPE_CHECKING:
    from cnnkit.models import ModelCache, Predictor

PRETRAINED, WITHOUT_TOP, RUN = "pretrained", "without_top", "run"
UPLOADED, BUILT = "uploaded", "built"
KINDS = (PRETRAINED, WITHOUT_TOP, RUN, UPLOADED, BUILT)
UPLOADS_BYTES = 2 * 2**30  # on disk, of all uploaded networks; the least recently used go first
# Kinds as addresses and stored runs of earlier versions call them.
_FORMER = {"imagenet": PRETRAINED, "folder": RUN, "file": UPLOADED, "untrained": BUILT}
_RUN_ID = re.compile(r"starter|[0-9a-f]{32}")
_UPLOAD_ID = re.compile("[0-9a-f]{32}")
_UPLOAD_FILE, _UPLOAD_FACTS = "network", "upload.json"


@dataclass(frozen=True)
class NetworkRef:
    """A network by its kind and its name.

    Args:
        kind: "pretrained": one with ImageNet weights; "without_top": the same without its
            classifier; "run": the trained network of a run; "uploaded": a file that a user
            uploaded; "built": a registered architecture, or a definition in the form of an
            address (`models.builder`), with random weights.
        name: of the pretrained network or the architecture, the run's id, or the id that
            `add_upload` gave.
        epoch: of a run that kept the weights of some epochs: after this one; 0: before the
            first. None: the trained network.

    Raises:
        UnknownModelError: there is no such kind, or an upload has no such name.
    """

    kind: str
    name: str
    epoch: int | None = None

    def __post_init__(self):
        """Refuse a kind that nothing can open."""
        complete = self.kind in KINDS and self.name and (self.epoch is None or self.kind == RUN)
        # An address may hold anything, and the name of an upload is that of a folder.
        if not complete or (self.kind == UPLOADED and not _UPLOAD_ID.fullmatch(self.name)):
            raise UnknownModelError(str(self), [f"{kind}.NAME" for kind in KINDS])

    def __str__(self) -> str:
        """The form in addresses and on the command line: `run.starter`, or `run.ID@3`."""
        return f"{self.kind}.{self.name}" + ("" if self.epoch is None else f"@{self.epoch}")

    @classmethod
    def parse(cls, text: str, *, bare: str = PRETRAINED) -> NetworkRef:
        """The inverse of `str`; forms of earlier versions are read too.

        Args:
            text: `KIND.NAME`, or a name alone: of a pretrained network, an architecture, or a
                run's id.
            bare: kind of a name alone that is both a pretrained network and an architecture.

        Raises:
            UnknownModelError: it is neither.
        """
        kind, dot, name = text.partition(".")
        kind = _FORMER.get(kind, kind)
        if dot and kind in KINDS:
            after = re.fullmatch(r"(.+)@(\d{1,9})", name)
            return cls(kind, after[1], int(after[2])) if after else cls(kind, name)
        if text in models.list_pretrained():
            return cls(bare, text)
        if text in models.list_models() or is_code(text):
            return cls(BUILT, text)
        if _RUN_ID.fullmatch(text):
            return cls(RUN, text)
        forms = ("run.ID", "uploaded.ID", "without_top.NAME", "built.NAME")
        raise UnknownModelError(text, [*models.list_pretrained(), *forms])

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> NetworkRef:
        """The network that the specification of a stored run names.

        Args:
            spec: with the reference under "network" or, as earlier versions stored it, a kind
                and a name or path under "source".
        """
        if "network" in spec:
            return cls.parse(spec["network"])
        name = str(spec["source"]["name"])
        kind = str(spec["source"]["kind"])
        kind = _FORMER.get(kind, kind)
        if kind == RUN:  # a folder: of the run, or "artifacts" inside of it
            folder = Path(name)
            name = folder.parent.name if folder.name == "artifacts" else folder.name
        return cls(kind, Path(name).stem if kind == UPLOADED else name)

    def open(
        self, networks: ModelCache | None = None, *, progress: assets.Progress | None = None
    ) -> Predictor:
        """The network and its card, ready to predict.

        Args:
            networks: keeps it for whoever asks next; None: it is opened anew.
            progress: called with the bytes so far and in all while weights are downloaded.

        Raises:
            CnnkitError: it cannot be had; says why.
        """
        if networks is None:
            return self._open(progress)
        key = (self, self._card_changed())
        return networks.get(key, lambda: self._open(progress), self.bytes())

    def card(self) -> ModelCard:
        """What it is: title, class names, input shape. Opens no network.

        Raises:
            CnnkitError: it cannot be had; says why.
        """
        if self.kind == UPLOADED and self._facts()["problem"]:
            raise IncompatibleError(self._facts()["problem"])
        if self.kind in (RUN, UPLOADED):
            return models.load_card(self._file(CARD_FILE))
        if self.name in models.list_pretrained():
            spec = models.pretrained_info(self.name)
            shape, dataset = (spec.size, spec.size, 3), "imagenet"
            class_names = () if self.kind == WITHOUT_TOP else models.imagenet_class_names()
        else:
            spec = models.model_info(self.name)
            shape, dataset = spec.input_shape, "unknown"
            class_names = tuple(f"class {number}" for number in range(spec.classes))
        return ModelCard(
            model=self.name,
            title=self.title(),
            class_names=class_names,
            input_shape=shape,
            dataset=dataset,
        )

    def title(self) -> str:
        """What people call it.

        Raises:
            CnnkitError: there is no such network.
        """
        if self.kind == RUN:
            after = "" if self.epoch is None else f", after epoch {self.epoch}"
            return shared_store(get_settings()).get(self.name).name + after
        if self.kind == UPLOADED:
            return self._facts()["title"]
        if self.kind == BUILT and (is_code(self.name) or self.name in models.list_models()):
            return f"{models.model_info(self.name).title}, untrained"
        title = models.pretrained_info(self.name).title
        words = {PRETRAINED: "", WITHOUT_TOP: " without top", BUILT: ", untrained"}
        return title + words[self.kind]

    def digest(self) -> str:
        """SHA-256 of its weights, or of what determines them: equal digests, equal networks.

        Raises:
            CnnkitError: its weights are not on this machine, or damaged.
        """
        if self.kind == BUILT:
            self.title()  # raises where there is no such architecture
            return hashlib.sha256(f"untrained:{self.name}".encode()).hexdigest()
        if self.kind == UPLOADED:
            return self._facts()["sha256"]
        digest = _weights_digest(self._weights())
        if self.epoch is None:
            return digest
        # Layers that never trained have the weights of the trained network.
        after = _weights_digest(self._file(epoch_file(self.epoch)))
        return hashlib.sha256(f"{digest}:{after}".encode()).hexdigest()

    def kept_epochs(self) -> list[int]:
        """After which epochs its weights are kept; 0: before the first. Empty: of none.

        Raises:
            RunNotFoundError, CorruptResultError: the run or its list cannot be read.
        """
        runs = shared_store(get_settings())
        if self.kind != RUN or not runs.get(self.name).spec.get("keep_checkpoints"):
            return []
        try:
            return read_epochs(runs.artifact(self.name, EPOCHS_FILE))
        except CorruptRunError:  # so few epochs fit that none was kept
            return []

    def convolutions_digest(self) -> str:
        """SHA-256 of the convolutions of a pretrained network, with top or without.

        Raises:
            CnnkitError: its weights are not on this machine, or damaged.
        """
        return models.convolutions_digest(self._weights())

    def bytes(self) -> int:
        """About what its weights take in memory.

        Raises:
            CnnkitError: there is no such network.
        """
        if self.kind == RUN:
            return self._file(MODEL_FILE).stat().st_size
        if self.kind == UPLOADED:
            return self._facts()["bytes"]
        if self.kind == WITHOUT_TOP and assets.without_top_asset(self.name) in assets.ASSETS:
            return assets.ASSETS[assets.without_top_asset(self.name)].bytes
        if self.name in models.list_pretrained():
            return 4 * models.pretrained_info(self.name).parameters
        return 4 * models.model_info(self.name).parameters

    def _open(self, progress: assets.Progress | None) -> Predictor:
        if self.kind == PRETRAINED:
            return models.open_pretrained(self.name, progress)
        if self.kind == UPLOADED:
            card, folder = self.card(), checked_folder(self)
            _uploads().touch(self.name)
            return models.open_checked(folder, card)
        if self.kind == RUN:
            folder = shared_store(get_settings()).model_folder(self.name)
            model, card = models.load_model(folder)
            if self.epoch is not None:
                load_epoch(model, self._file(epoch_file(self.epoch)))
            return models.Predictor(model, card)
        if self.kind == WITHOUT_TOP:
            model = models.load_without_top(self.name, progress=progress)
        else:
            model = _untrained(self.name)
        return models.Predictor(model, self.card())

    def _weights(self) -> Path:
        if self.kind == RUN:
            return self._file(MODEL_FILE)
        spec = models.pretrained_info(self.name)
        small = assets.without_top_asset(self.name) if self.kind == WITHOUT_TOP else ""
        path = assets.find(small) if small in assets.ASSETS else None
        path = path or assets.find(spec.asset)
        if path is None:
            raise StorageError(
                f"The weights of {self.title()} are not on this machine. Choose another network."
            )
        return path

    def _file(self, name: str) -> Path:
        if self.kind == RUN:
            return shared_store(get_settings()).artifact(self.name, name)
        path = _uploads().path(self.name) / name
        if not path.is_file():
            raise StorageError(
                "The uploaded network is no longer kept on this machine. Upload it again."
            )
        return path

    def _facts(self) -> dict:
        return json.loads(self._file(_UPLOAD_FACTS).read_text("utf-8"))

    def _card_changed(self) -> int:
        """Classes may be renamed: then the card is another."""
        return self._file(CARD_FILE).stat().st_mtime_ns if self.kind == RUN else 0


def add_upload(
    data: bytes,
    *,
    title: str,
    class_names: Sequence[str] = (),
    owner: Person = LOCAL,
    preprocessing: str = "",
) -> NetworkRef:
    """Check a file that a user uploaded, and keep it where other processes can open it.

    Files take 2 GB at most together; those that were not used for longest are removed. A
    network that is no image classifier is kept too: its layers can be shown.

    Args:
        data: the whole file, of one of the kinds that `cnnkit.models` opens.
        title: shown to people, such as the file's name.
        class_names: in the order of the logits; none: those in the file. Missing ones are named
            by number.
        owner: whose upload it is: nobody else may use it.
        preprocessing: key of `models.PREPROCESSINGS`, what it expects of its pixels; "": what its
            layers tell, or pixels as they are.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be opened; says why.
        IncompatibleError: there is no such preprocessing.
    """
    digest = hashlib.sha256(data).hexdigest()
    ref = NetworkRef(UPLOADED, _upload_id(digest, title, class_names, owner.id, preprocessing))
    uploads = _uploads()
    if uploads.path(ref.name).is_dir():
        uploads.touch(ref.name)
        return ref
    uploads.shrink(2 * len(data))  # as it came, and checked
    with uploads.adding(ref.name) as folder:
        upload = models.check_upload(data, folder, image=False, preprocessing=preprocessing)
        card = None if upload.problem else upload.card(title, class_names)
        facts: dict[str, Any] = {"sha256": digest, "title": title, "problem": upload.problem}
        facts |= {"bytes": upload.bytes, "notes": upload.notes, "owner": owner.id}
        facts |= {"asked": preprocessing, "preprocessing": upload.preprocessing}
        facts |= {"known": upload.known, "class_names": list(class_names), "litert": upload.litert}
        (folder / _UPLOAD_FILE).write_bytes(data)
        _describe_upload(folder, card, facts)
    return ref


def upload_notes(ref: NetworkRef) -> tuple[str, ...]:
    """What people should know of an uploaded network, in sentences.

    Raises:
        StorageError: the network is no longer kept.
    """
    return tuple(ref._facts().get("notes", ()))


@dataclass(frozen=True)
class UploadPreprocessing:
    """What is done to pixels before an uploaded network, and how one knows.

    Args:
        name: key of `models.PREPROCESSINGS`.
        known: how its layers tell, a sentence; "": they do not.
        asked: whether a person said so.
        litert: whether the network is a LiteRT file, which can predict alone.
    """

    name: str
    known: str
    asked: bool
    litert: bool = False

    @property
    def certain(self) -> bool:
        """Whether nobody needs to be asked."""
        return bool(self.known) or self.asked


def upload_preprocessing(ref: NetworkRef) -> UploadPreprocessing:
    """What is done to pixels before an uploaded network.

    Raises:
        StorageError: the network is no longer kept.
    """
    facts = ref._facts()  # those of an earlier version say nothing: it changed no pixels
    name = facts.get("preprocessing", models.AS_THEY_ARE)
    asked, litert = bool(facts.get("asked")), bool(facts.get("litert"))
    return UploadPreprocessing(name, facts.get("known", ""), asked, litert)


def prepare_upload(ref: NetworkRef, preprocessing: str) -> NetworkRef:
    """The same uploaded network for other pixels; the old one stays.

    Args:
        ref: of an uploaded network.
        preprocessing: key of `models.PREPROCESSINGS`.

    Raises:
        StorageError: the network is no longer kept.
        IncompatibleError: there is no such preprocessing, or it takes no image.
    """
    facts = ref._facts()
    names = facts.get("class_names")
    if names is None:  # kept by an earlier version
        names = [] if facts["problem"] else ref.card().class_names
    return add_upload(
        uploaded_file(ref).read_bytes(),
        title=facts["title"],
        class_names=names,
        owner=Person(facts.get("owner", ""), ""),
        preprocessing=preprocessing,
    )


def checked_folder(ref: NetworkRef) -> Path:
    """The folder with the checked form of an uploaded network: see `models.open_checked_model`.

    Raises:
        StorageError: the network is no longer kept.
        CnnkitError: it was kept by an earlier version, and does not pass the check of this one.
    """
    file = uploaded_file(ref)
    if not models.checked_files(file.parent):
        with tempfile.TemporaryDirectory(dir=file.parent.parent, prefix=TEMPORARY) as folder:
            asked = ref._facts().get("asked", "")
            models.check_upload(file, Path(folder), image=False, preprocessing=asked)
            for name in models.checked_files(Path(folder)):
                os.replace(Path(folder) / name, file.parent / name)
    return file.parent


def rename_upload_classes(ref: NetworkRef, class_names: Sequence[str]) -> NetworkRef:
    """The same uploaded network with other names of its classes; the old one stays.

    Args:
        ref: of an uploaded network.
        class_names: in the order of the logits; missing ones are named by number.

    Raises:
        StorageError: the network is no longer kept.
    """
    facts, checked = ref._facts(), checked_folder(ref)
    card = None if facts["problem"] else ref.card()
    owner, asked = facts.get("owner", ""), facts.get("asked", "")
    name = _upload_id(facts["sha256"], facts["title"], class_names, owner, asked)
    if card:
        classes = len(card.class_names)
        numbered = (f"class {number}" for number in range(len(class_names), classes))
        card = dataclasses.replace(card, class_names=(*class_names[:classes], *numbered))
    uploads = _uploads()
    with uploads.adding(name) as folder:
        for kept in (_UPLOAD_FILE, *models.checked_files(checked)):
            try:
                os.link(checked / kept, folder / kept)
            except OSError:  # a file system without hard links
                shutil.copyfile(checked / kept, folder / kept)
        _describe_upload(folder, card, {**facts, "class_names": list(class_names)})
    uploads.touch(name)
    return NetworkRef(UPLOADED, name)


def uploaded_file(ref: NetworkRef) -> Path:
    """The file of an uploaded network, as it came.

    Raises:
        StorageError: the network is no longer kept.
    """
    return ref._file(_UPLOAD_FILE)


def check_uploads(text: str, person: Person) -> None:
    """Refuse uploaded networks of others: whoever uploads a file shows it to nobody else.

    Args:
        text: in which references may stand: one, or a specification as JSON.
        person: who asks.

    Raises:
        NotAllowedError: one of them belongs to somebody else.
    """
    for name in re.findall(rf"{UPLOADED}\.({_UPLOAD_ID.pattern})", text):
        facts = _uploads().path(name) / _UPLOAD_FACTS
        owner = json.loads(facts.read_text("utf-8")).get("owner", "") if facts.exists() else None
        if owner is not None and not person.may_change(owner):
            raise NotAllowedError(
                "This uploaded network belongs to somebody else. Upload your own copy of the file."
            )


def remove_upload(ref: NetworkRef, person: Person) -> None:
    """Forget an uploaded network, and remove its files.

    Raises:
        NotAllowedError: it belongs to somebody else.
    """
    check_uploads(str(ref), person)
    _uploads().remove(ref.name)


def uploads_bytes(owner: str) -> int:
    """What the uploaded networks of a person take on disk."""
    uploads = _uploads()
    facts = {name: uploads.path(name) / _UPLOAD_FACTS for name in uploads.keys()}
    return sum(
        disk_size(uploads.path(name))
        for name, file in facts.items()
        if file.exists() and json.loads(file.read_text("utf-8")).get("owner", "") == owner
    )


def upload_folder(ref: NetworkRef) -> Path | None:
    """The folder with the files of an uploaded network; None: it is no longer kept here."""
    folder = _uploads().path(ref.name)
    return folder if ref.kind == UPLOADED and folder.is_dir() else None


def receive_upload(ref: NetworkRef, size: int, fetch: Fetch) -> None:
    """Keep a network that was uploaded on another machine, as it came; it is checked again here.

    Args:
        ref: of an uploaded network.
        size: bytes of its files.
        fetch: writes its files into a folder.
    """
    uploads = _uploads()
    if uploads.path(ref.name).is_dir():
        uploads.touch(ref.name)
        return
    uploads.shrink(size)
    with uploads.adding(ref.name) as folder:
        # Not its checked form: whoever can write to what it is fetched from could have made that.
        fetch(folder, (_UPLOAD_FILE, _UPLOAD_FACTS, CARD_FILE))


def _describe_upload(folder: Path, card: ModelCard | None, facts: Mapping[str, Any]) -> None:
    if card:
        (folder / CARD_FILE).write_text(card.to_json(), "utf-8")
    (folder / _UPLOAD_FACTS).write_text(json.dumps(facts), "utf-8")


def _upload_id(
    digest: str, title: str, class_names: Sequence[str], owner: str, preprocessing: str = ""
) -> str:
    more = [owner, preprocessing] if preprocessing else [owner] if owner else []
    described = json.dumps([digest, title, list(class_names), *more])
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def _uploads() -> BoundedFolder:
    return BoundedFolder(get_settings().home / "uploads", UPLOADS_BYTES)


def _untrained(name: str):
    if name not in models.list_pretrained():
        return models.create_model(name)
    import keras

    keras.utils.set_random_seed(0)  # the same random weights each time
    return models.load_pretrained(name, weights=None)


def _weights_digest(path: Path) -> str:
    status = path.stat()
    return _digest_of_version(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of_version(path: Path, size: int, changed: int) -> str:
    return models.weights_digest(path)
