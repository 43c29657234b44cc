import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from cnnkit.datasets import dataset_info, list_datasets, load_dataset
from cnnkit.datasets.folders import delete, image_folder, import_report, list_own, rename
from cnnkit.errors import (
    InvalidImagesError,
    LimitError,
    StorageError,
    UnknownDatasetError,
)

from .conftest import classes, image


def kinds(report):
    return {one.file: one.kind for one in report.left_out}


def test_a_folder_and_a_zip_of_it_become_the_same_set(pack, lay):
    files = classes("rose", "daisy", count=5)
    from_folder, from_zip = image_folder(lay(files)), image_folder(pack(files))
    assert from_folder.name == from_zip.name and (from_folder.new, from_zip.new) == (True, False)
    dataset = load_dataset(from_zip.name)
    assert dataset.class_names == ("daisy", "rose") and dataset.title == "images"
    assert dataset.images.shape == (10, 256, 256, 3) and isinstance(dataset.images, np.memmap)
    assert dataset.names[0] == "daisy/0.png" and np.bincount(dataset.labels).tolist() == [5, 5]
    assert [dataset.size(part) for part in ("train", "validation", "test")] == [6, 2, 2]
    assert dataset.spec.images == (8, 2) and from_zip.report.left_out == ()
    assert list_datasets("own") == list_own() == [from_zip.name]


def test_images_are_shrunk_smoothly_and_cut_to_the_middle(pack):
    wide = Image.new("RGB", (1200, 400), "red")
    wide.paste("lime", (400, 0, 800, 400))
    file = io.BytesIO()
    wide.save(file, "PNG")
    name = image_folder(pack({**classes("a", "b"), "a/wide.png": file.getvalue()})).name
    dataset = load_dataset(name)
    square = dataset.images[dataset.names.index("a/wide.png")]
    assert (square[:, 4:-4] == (0, 255, 0)).all()


def test_photos_as_phones_make_them_are_imported_and_others_called_by_their_names(pack):
    pillow_heif.register_heif_opener()
    files = classes("a", "b")
    for form in ("heif", "avif"):
        stream = io.BytesIO()
        Image.new("RGB", (90, 60), "teal").save(stream, form)
        files[f"a/phone.{form}"] = stream.getvalue()
    report = image_folder(pack(files | {"b/layers.psd": b"8BPS\0\1"})).report
    assert report.images == 10
    (left_out,) = report.left_out
    assert left_out.kind == "text" and "Photoshop" in left_out.why


def test_progress_counts_the_files_and_may_end_the_import(pack, own_home):
    said = []
    image_folder(pack(classes("a", "b")), progress=lambda *now: said.append(now))
    assert said == [(n, 8) for n in range(1, 9)]

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        image_folder(pack(classes("c", "d", count=5)), progress=stop)
    assert len([path for path in (own_home / "images").iterdir() if path.is_dir()]) == 1


def test_names_in_any_script_and_odd_ones(pack):
    files = classes("ひまわり", "Gänseblümchen", "Gänseblümchen ", "rose?*:", "<b>x")
    dataset = load_dataset(image_folder(pack(files)).name)
    assert dataset.class_names == ("<b>x", "Gänseblümchen", "rose?*:", "ひまわり")
    assert np.bincount(dataset.labels).tolist() == [4, 8, 4, 4]


def test_folders_around_and_parts_count_for_nothing_and_deeper_ones_belong_to_their_class(pack):
    files = {f"mine/train/{name}": data for name, data in classes("a", "b").items()}
    files |= {"mine/test/a/9.png": image(9), "mine/test/b/old/9.png": image(109)}
    imported = image_folder(pack(files))
    assert load_dataset(imported.name).class_names == ("a", "b")
    assert imported.report.images == 10
    assert imported.report.notes == (
        "test and train were put together: the images are divided anew.",
        "Images in folders within the folder of a class belong to that class.",
    )


def test_the_folder_that_holds_an_image_can_be_its_class(pack):
    files = {
        f"{2020 + k % 2}/{name}": data for k, (name, data) in enumerate(classes("a", "b").items())
    }
    assert load_dataset(image_folder(pack(files)).name).class_names == ("2020", "2021")
    assert load_dataset(image_folder(pack(files), by="deepest").name).class_names == ("a", "b")


def test_unbalanced_classes_are_divided_so_that_each_part_has_some(pack):
    files = classes("many", count=30) | {f"few/{n}.png": image(900 + n) for n in range(3)}
    files |= {"single/0.png": image(990)}
    imported = image_folder(pack(files))
    dataset = load_dataset(imported.name, split_seed=2)
    for part in ("train", "validation", "test"):
        assert set(dataset.part(part)[1]) >= {0, 1}
    assert (
        "single: with fewer than 3 images, in the training set but never in the test set."
        in imported.report.notes
    )
    assert dataset.labels[dataset.indices("train")].tolist().count(2) == 1


def test_duplicates_are_left_out_and_an_image_in_two_classes_is_only_used_for_training(pack):
    same = image(3)
    bitmap = io.BytesIO()
    Image.open(io.BytesIO(same)).save(bitmap, "BMP")  # other bytes, same pixels
    files = classes("a", "b") | {
        "a/copy.png": same,
        "a/copy.bmp": bitmap.getvalue(),
        "b/also.png": same,
    }
    imported = image_folder(pack(files))
    assert kinds(imported.report) == {"a/copy.png": "duplicate", "a/copy.bmp": "duplicate"}
    assert imported.report.two_classes == (("a/3.png", "b/also.png"),)
    for seed in range(4):
        dataset = load_dataset(imported.name, split_seed=seed)
        training = {dataset.names[k] for k in dataset.indices("train")}
        assert {"a/3.png", "b/also.png"} <= training


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "images.zip holds no image that can be used. Put the images of each class"),
        (classes("rose"), "of one class, 'rose'; at least two"),
        (classes("a", "b", "c", count=1), "3 classes, none of them with 3"),
        ({"a.png": image(1), "b.png": image(2)}, "It lies in no folder of a class. 1 more"),
        ({"a/1.txt": b"hello", "b/1.txt": b"hello"}, "2 classes, none of them"),
        (dict.fromkeys((f"{c}/{n}.png" for c in "ab" for n in range(3)), b"no"), "not an image"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_a_sentence_and_leaves_nothing(
    pack, own_home, files, sentence
):
    with pytest.raises(InvalidImagesError) as error:
        image_folder(pack(files))
    assert sentence in str(error.value)
    images = own_home / "images"
    assert not images.exists() or not any(images.iterdir())


def test_a_file_that_is_no_zip_and_a_folder_that_is_not_there_are_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK nothing")
    with pytest.raises(InvalidImagesError, match=r"a\.zip is no ZIP archive"):
        image_folder(tmp_path / "a.zip")
    with pytest.raises(InvalidImagesError, match="nowhere cannot be read: No such file"):
        image_folder(tmp_path / "nowhere")


def test_too_little_room_is_said_before_anything_is_decoded(pack, monkeypatch):
    from cnnkit.settings import get_settings

    monkeypatch.setenv("CNNKIT_IMAGES_MEMORY", "1")
    get_settings.cache_clear()
    with pytest.raises(LimitError, match=r"need 1\.6 MB; at most 1\.0 MB"):
        image_folder(pack(classes("a", "b")), progress=lambda *now: pytest.fail("decoded"))


def test_a_set_can_be_renamed_and_its_classes_and_keeps_its_own_name(pack):
    name = image_folder(pack(classes("a", "b")), title="  First \n try ").name
    fingerprint = load_dataset(name).fingerprint
    rename(name, title="Garden", classes=["rose/wild", "daisy"])
    assert dataset_info(name).title == "Garden"
    assert load_dataset(name).class_names == ("rose/wild", "daisy")
    assert load_dataset(name).fingerprint == fingerprint
    for wrong, sentence in (
        (["one"], "2 names are needed"),
        (["one", "one "], "same name, 'one'"),
        (["one", " "], "at least one letter"),
    ):
        with pytest.raises(InvalidImagesError, match=sentence):
            rename(name, classes=wrong)
    assert dataset_info(name).class_names == ("rose/wild", "daisy")


def test_a_deleted_set_is_gone_and_others_cannot_be_deleted(pack):
    name = image_folder(pack(classes("a", "b"))).name
    for wrong in ("own-none", "drawn_flowers", "../own-x", "own-../x"):
        with pytest.raises(UnknownDatasetError):
            delete(wrong)
        with pytest.raises(UnknownDatasetError):
            import_report(wrong)
    rename(name, title="Garden")
    delete(name)
    assert list_own() == []
    for ask in (import_report, delete):
        with pytest.raises(UnknownDatasetError):
            ask(name)
    with pytest.raises(StorageError, match="images of Garden were deleted. Import them again"):
        load_dataset(name)


def test_a_network_trained_on_a_deleted_set_still_finds_its_names(pack):
    path = pack(classes("a", "b"))
    name = image_folder(path).name
    delete(name)
    spec = dataset_info(name)
    assert (spec.title, spec.class_names, spec.available) == ("images", ("a", "b"), False)
    assert image_folder(path).new and dataset_info(name).available
    assert len(load_dataset(name).images) == 8


def test_the_report_is_kept_with_the_set(pack):
    imported = image_folder(pack(classes("a", "b") | {"readme.txt": b"hello", "a/x.png": b"no"}))
    assert import_report(imported.name) == imported.report
    assert kinds(imported.report) == {"readme.txt": "unlabelled", "a/x.png": "text"}
    assert imported.report.counts == {"unlabelled": 1, "text": 1}
