import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from cnnkit import assets
from cnnkit.datasets import _flowers17, dataset_info, load_dataset
from cnnkit.errors import AssetUnavailableError, CorruptAssetError, IncompatibleError
from cnnkit.image_decoding import decode_square


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Whoever packs an archive of so many images of each kind."""
    from cnnkit.settings import get_settings

    monkeypatch.setattr(_flowers17, "PER_CLASS", 3)
    monkeypatch.setattr(_flowers17, "IMAGES", 51)
    monkeypatch.setattr(_flowers17, "TEST", 1)
    monkeypatch.setattr(_flowers17, "VALIDATION", 1)
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()

    def pack(numbers=range(1, 52), replace=None):
        with tarfile.open(tmp_path / "17flowers.tgz", "w:gz") as archive:
            for number in reversed(numbers):  # the official one is in no order either
                data = (replace or {}).get(number) or _jpeg(number)
                member = tarfile.TarInfo(f"jpg/image_{number:04d}.jpg")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))

    return pack


def _jpeg(number):
    file = io.BytesIO()
    Image.new("RGB", (9, 6), (4 * number, 0, 255 - 4 * number)).save(file, "JPEG")
    return file.getvalue()


def test_images_stand_in_the_order_of_their_numbers_one_class_after_another(small):
    small()
    dataset = load_dataset("flowers17")
    assert dataset.images.shape == (51, 256, 256, 3)
    reds = dataset.images[:, 128, 128, 0].astype(int)
    assert (np.diff(reds) > 0).all()
    assert dataset.labels.tolist() == [number // 3 for number in range(51)]
    assert dataset.names[0] == "image_0001.jpg" and dataset.names[-1] == "image_0051.jpg"
    assert [dataset.size(part) for part in ("train", "validation", "test")] == [17, 17, 17]


def test_an_archive_that_lacks_an_image_or_has_a_damaged_one_names_it(small):
    small(range(1, 51))
    with pytest.raises(CorruptAssetError, match="has no jpg/image_0051.jpg"):
        load_dataset("flowers17")
    small(replace={7: b"not an image at all"})
    with pytest.raises(CorruptAssetError, match="damaged image_0007.jpg"):
        load_dataset("flowers17")


def test_a_file_that_is_no_archive_says_so(small, tmp_path):
    (tmp_path / "17flowers.tgz").write_bytes(b"<html>Not found</html>")
    with pytest.raises(CorruptAssetError, match=r"cannot be read as a \.tgz archive"):
        load_dataset("flowers17")


def test_without_the_archive_it_says_where_to_get_it(monkeypatch, tmp_path):
    from cnnkit.settings import get_settings

    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    assert not dataset_info("flowers17").available
    with pytest.raises(AssetUnavailableError, match=r"https://www.robots.ox.ac.uk/.*17flowers.tgz"):
        load_dataset("flowers17")


def test_photos_are_not_redrawn(small):
    small()
    with pytest.raises(IncompatibleError, match="17 flowers is stored at"):
        load_dataset("flowers17", side=64)


@pytest.mark.flowers
def test_the_real_archive_holds_1360_images_that_can_be_read():
    path = assets.find("flowers17")
    files = _flowers17._files(path)
    assert sorted(files) == list(range(1, 1361))
    for number in (1, 640, 1360):
        assert decode_square(files[number], 256).shape == (256, 256, 3)


@pytest.mark.flowers
def test_the_first_kind_is_yellow_and_the_second_white():
    """Daffodils and snowdrops: names and blocks go together."""
    files = _flowers17._files(assets.find("flowers17"))
    saturated = []
    for first in (1, 81):
        middles = [decode_square(files[n], 64)[16:48, 16:48] for n in range(first, first + 80, 8)]
        red, _, blue = np.moveaxis(np.stack(middles).astype(float), -1, 0)
        saturated.append(np.mean((red > 150) & (blue < 0.5 * red)))
    assert _flowers17.CLASS_NAMES[:2] == ("Daffodil", "Snowdrop")
    assert saturated[0] > 5 * saturated[1]
