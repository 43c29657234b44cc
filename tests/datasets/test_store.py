import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cnnkit.datasets._store import Card, ImageStore
from cnnkit.errors import LimitError, StorageError

SIDE = 8
IMAGE = SIDE * SIDE * 3


def card(fingerprint="", *, count=4, derived=True):
    return Card(
        title="Noise",
        class_names=("a", "b"),
        counts=(count - 1, 1),
        side=SIDE,
        source="here",
        license="free",
        fingerprint=fingerprint,
        derived=derived,
    )


def write(store, key="noise", *, count=4, derived=True, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)
    with store.writing(count, SIDE) as writer:
        for image in images:
            writer.add(image)
        names = [f"{n}.png" for n in range(count)]
        labels = [0] * (count - 1) + [1]
        return images, writer.keep(
            key, lambda f: card(f, count=count, derived=derived), labels, names
        )


def bytes_of(store):
    return sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "images", 100 * 2**20)


def test_what_was_written_is_mapped_and_cannot_be_written_to(store):
    images, entry = write(store)
    assert isinstance(entry.images, np.memmap) and not entry.images.flags.writeable
    np.testing.assert_array_equal(entry.images, images)
    assert entry.names == ("0.png", "1.png", "2.png", "3.png") and entry.labels.tolist() == [
        0,
        0,
        0,
        1,
    ]
    assert store.keys() == ["noise"] and store.card("noise") == entry.card


def test_the_fingerprint_is_of_the_pixels_alone(store):
    same = write(store)[1].card.fingerprint
    assert write(store, "again")[1].card.fingerprint == same
    assert write(store, "other", seed=1)[1].card.fingerprint != same


def test_an_image_of_another_size_is_a_fault_of_ours(store):
    with pytest.raises(ValueError, match=r"uint8 of \(8, 8, 3\)"), store.writing(1, SIDE) as writer:
        writer.add(np.zeros((4, 4, 3), np.uint8))


def test_nothing_stays_of_an_entry_that_was_not_finished(store):
    with pytest.raises(KeyError), store.writing(4, SIDE) as writer:
        writer.add(np.zeros((SIDE, SIDE, 3), np.uint8))
        raise KeyError
    assert list(store.folder.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_by_the_next_that_writes(store):
    code = f"""
        import numpy as np, time
        from pathlib import Path
        from cnnkit.datasets._store import ImageStore
        with ImageStore(Path({str(store.folder)!r}), 10**8).writing(4, 8) as writer:
            writer.add(np.zeros((8, 8, 3), np.uint8))
            print("half way", flush=True)
            time.sleep(60)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "half way\n"
    write(store, "meanwhile")  # what is being written is left alone
    assert len(list(store.folder.glob(".aside-*"))) == 2  # its folder and its lock
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    write(store)
    assert sorted(path.name for path in store.folder.iterdir()) == ["meanwhile", "noise"]


def test_a_damaged_entry_says_so_and_one_that_can_be_made_again_is(store):
    write(store)
    images = store.folder / "noise" / "images.npy"
    images.write_bytes(images.read_bytes()[:-100])
    with pytest.raises(StorageError, match="images of noise .* are damaged"):
        store.read("noise")
    made = []
    entry = store.get_or_make("noise", lambda: made.append(1) or write(store)[1])
    assert made == [1] and len(entry.images) == 4
    assert store.get_or_make("noise", lambda: made.append(2)).names == entry.names
    assert made == [1]


@pytest.mark.parametrize(
    "wrong", [{"labels": [0, 0, 0, 2]}, {"names": ["one.png"]}, {"labels": "four"}]
)
def test_a_listing_that_does_not_fit_the_images_is_damage(store, wrong):
    write(store)
    listing = store.folder / "noise" / "pictures.json"
    listing.write_text(json.dumps({**json.loads(listing.read_text()), **wrong}))
    with pytest.raises(StorageError, match="damaged"):
        store.read("noise")


def test_the_least_used_of_what_can_be_made_again_goes_first(tmp_path):
    store = ImageStore(tmp_path, 10**6)
    for age, key in enumerate(("old", "newer", "newest")):
        write(store, key)
        os.utime(tmp_path / key, (1000 + age, 1000 + age))
    store.read("old")  # used now
    store.max_bytes = bytes_of(store)
    write(store, "next")
    assert store.keys() == ["newest", "next", "old"]


def test_a_persons_own_images_never_go_and_what_does_not_fit_is_refused(tmp_path):
    store = ImageStore(tmp_path, 10**6)
    write(store, "own", derived=False)
    write(store, "drawn")
    store.max_bytes = bytes_of(store)
    with pytest.raises(LimitError, match=r"need 0\.0 MB.*CNNKIT_IMAGES_MEMORY"):
        write(store, "more", count=20)
    assert store.keys() == ["drawn", "own"]  # refused before anything went
    write(store, "more")
    assert store.keys() == ["more", "own"]


def test_a_full_disk_is_said_in_one_sentence(store, monkeypatch):
    monkeypatch.setattr(
        "shutil.disk_usage", lambda path: type("Usage", (), {"free": 2**29 + 100})()
    )
    with pytest.raises(LimitError, match="has 0.0 MB free"):
        write(store)


def test_what_somebody_has_mapped_outlives_its_entry(store):
    images, entry = write(store)
    store.delete("noise")
    assert store.read("noise") is None and list(store.folder.iterdir()) == []
    np.testing.assert_array_equal(entry.images, images)


def test_a_card_of_an_earlier_version_is_read(store):
    write(store)
    path = store.folder / "noise" / "card.json"
    path.write_text(path.read_text().replace('"license"', '"licence"'))
    assert store.card("noise").license == "free"
