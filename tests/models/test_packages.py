"""ZIPs that hold a network and the names of its classes."""

from __future__ import annotations

import keras
import pytest

from cnnkit._cli._networks import find_network
from cnnkit.errors import InvalidModelError, UnsafeModelError
from cnnkit.models import UploadLimits, open_uploaded, read_class_names
from cnnkit.models._uploads import open_uploaded_model
from tests.old_files import zipped

layers = keras.layers


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("network")
    chain = [keras.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    model = keras.Sequential(chain)
    model.save(folder / "mine.keras")
    model.save(folder / "mine.h5")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
@pytest.mark.parametrize("labels", ["labels.txt", "folder/Classes.txt", "labels.json"])
def test_a_network_and_its_names_in_one_zip_open(files, name, labels):
    text = '{"0": "cat", "1": "dog"}' if labels.endswith("json") else "cat\ndog\n"
    extra = {"__MACOSX/._mine.keras": b"x", ".DS_Store": b"x", "README.md": b"hello"}
    data = zipped({f"folder/{name}": files[name], labels: text, **extra})
    assert open_uploaded(data, title="mine.zip").card.class_names == ("cat", "dog")


def test_names_that_are_given_count_before_those_in_the_zip(files):
    data = zipped({"mine.h5": files["mine.h5"], "labels.txt": "cat\ndog\n"})
    network = open_uploaded(data, title="mine.zip", class_names=["a", "b"])
    assert network.card.class_names == ("a", "b")


def test_a_zip_without_a_network_or_with_several_says_what_is_read(files):
    for parts in ({"labels.txt": b"cat"}, {"a.keras": files["mine.keras"], "b.h5": b"x"}):
        with pytest.raises(InvalidModelError, match="must hold one network.*Read are .keras"):
            open_uploaded_model(zipped(parts))


def test_a_file_of_another_program_says_what_is_read(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"\x80\x02pickle")
    assert find_network(str(tmp_path / "model.pt")) is None, "a file, whatever its name"
    with pytest.raises(InvalidModelError, match="no network that can be read. Read are .keras"):
        open_uploaded_model(tmp_path / "model.pt")


def test_a_zip_within_a_zip_is_not_opened(files):
    inner = zipped({"mine.h5": files["mine.h5"]})
    with pytest.raises(InvalidModelError, match="The archive holds 'mine.h5'; only config.json"):
        open_uploaded_model(zipped({"mine.keras": inner}))


def test_a_member_that_grows_too_much_is_refused(files):
    with pytest.raises(UnsafeModelError, match="would grow from"):
        open_uploaded_model(zipped({"mine.h5": bytes(64 * 2**20)}))
    with pytest.raises(UnsafeModelError, match="unpacked; at most"):
        open_uploaded_model(
            zipped({"mine.h5": files["mine.h5"]}), limits=UploadLimits(file_bytes=10_000)
        )


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"0 Cat\n1 Dog\n", ("Cat", "Dog")),
        (b"0 5 Galoon\n1 500ML", ("5 Galoon", "500ML")),
        (b"0: a\r\n1: b\r\n\r\n", ("a", "b")),
        (b"7\n8\n", ("7", "8")),
        (b"0 a\nb\n", ("0 a", "b")),
        ("\ufeff猫\n犬".encode(), ("猫", "犬")),
        (b'["a", "b"]', ("a", "b")),
        (b'{"labels": ["a", ""]}', ("a", "class 1")),
    ],
)
def test_class_names_are_read_as_people_write_them(data, names):
    assert read_class_names(data) == names


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff\xfe\x00", b"{", b"[1, 2]", b"x" * 2**21])
def test_a_file_that_holds_no_names_gets_a_sentence(data):
    with pytest.raises(InvalidModelError, match="class names"):
        read_class_names(data)
