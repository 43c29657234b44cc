import pytest

from cnnkit.datasets import load_dataset
from cnnkit.datasets.folders import image_folder
from cnnkit.datasets.folders.names import by_folders
from cnnkit.datasets.folders.tables import by_table, read_table
from cnnkit.errors import InvalidImagesError

from .conftest import classes, image

PATHS = [("images", f"{n}.png") for n in range(4)]


def labels(text, paths=PATHS, folder=()):
    return by_table(read_table(text.encode()), paths, folder).classes


@pytest.mark.parametrize(
    "text",
    [
        "images/0.png,rose\nimages/1.png,rose\nimages/2.png,oak\nimages/3.png,oak\n",
        "file,label\n0.png,rose\n1.png,rose\n2.png,oak\n3.png,oak\n",
        "Bild;Sorte\n0.png;rose\n1.png;rose\n2.png;oak\n3.png;oak\n",
        "species\tid\nrose\t0\nrose\t1\noak\t2\noak\t3\n",
        "no,height,image,species\n1,9,./images\\0.PNG,rose\n2,9,1.png,rose\n"
        "3,8,2.png,oak\n4,9,3.png,oak\n",
        '\ufefffile,label\n"0.png","rose"\n\n"1.png","rose"\n"2.png","oak"\n"3.png"," oak "\n',
    ],
)
def test_tables_of_any_form_say_the_same(text):
    assert labels(text) == ["rose", "rose", "oak", "oak"]


def test_a_class_may_have_a_slash_in_its_name(pack):
    files = {f"{n}.png": image(n) for n in range(8)}
    rows = "".join(f"{n}.png,{'red/blue' if n % 2 else '../green'}\n" for n in range(8))
    imported = image_folder(pack(files | {"labels.csv": rows.encode()}))
    assert load_dataset(imported.name).class_names == ("../green", "red/blue")
    assert imported.report.notes == ("The classes are those of the table labels.csv.",)


def test_what_the_table_does_not_say_is_reported_and_what_does_not_exist_too(pack):
    files = {f"{n}.png": image(n) for n in range(9)}
    rows = "file,label\n" + "".join(f"{n}.png,{'ab'[n % 2]}\n" for n in range(6))
    rows += "6.png,\n7.png,a\n7.png,b\n99.png,a\n"
    report = image_folder(pack(files | {"labels.csv": rows.encode()})).report
    why = {one.file: one.why for one in report.left_out}
    assert why == {
        "6.png": "The table does not say its class.",
        "7.png": "The table names it twice, as a and as b.",
        "8.png": "The table does not say its class.",
        "99.png": "A row of the table names it, and there is no such file.",
    }


def test_a_name_that_two_files_bear_needs_its_folder():
    paths = [("x", "1.png"), ("y", "1.png"), ("y", "2.png")]
    found = by_table(read_table(b"1.png,a\n2.png,b"), paths, ())
    assert found.classes == [None, None, "b"] and "another file" in found.why[0]
    assert labels("x/1.png,a\ny/1.png,b\ny/2.png,b", paths) == ["a", "b", "b"]


def test_folders_come_first_and_the_table_where_it_is_asked_for(pack):
    files = classes("a", "b")
    rows = "".join(f"{name},{'odd' if k % 2 else 'even'}\n" for k, name in enumerate(files))
    path = pack(files | {"sizes.csv": rows.encode()})
    assert load_dataset(image_folder(path).name).class_names == ("a", "b")
    assert load_dataset(image_folder(path, by="table").name).class_names == ("even", "odd")
    with pytest.raises(InvalidImagesError, match="holds no table"):
        image_folder(pack(files), by="table")


def test_a_file_that_is_no_table_says_no_classes():
    assert labels("just some words") == [None] * 4
    assert labels("") == [None] * 4
    assert read_table(b'"' + b"x" * 200_000) == []
    assert read_table("größe;ß".encode("cp1252")) == [["größe", "ß"]]
    assert read_table("a,b".encode("utf-16")) == [["a", "b"]]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/1", "b/1"], ["a", "b"]),
        (["x/y/a/1", "x/y/b/1"], ["a", "b"]),
        (["x/a/1", "x/b/1", "x/cover"], ["a", "b", None]),
        (["x/a/1", "x/b/1", "cover"], ["a", "b", None]),
        (["rose/wild/1", "rose/tame/1"], ["wild", "tame"]),
        (["Train/a/1", "valid/b/1"], ["a", "b"]),
        (["x/train/a/1", "x/test/b/1"], ["a", "b"]),
        (["train/1", "test/1"], ["train", "test"]),
        (["a/1", "b/c/1"], ["a", "b"]),
        (["1", "2"], [None, None]),
        (["a/1"], ["a"]),
        ([], []),
    ],
)
def test_the_first_folder_that_differs_is_the_class(paths, expected):
    assert by_folders([tuple(path.split("/")) for path in paths]).classes == expected
