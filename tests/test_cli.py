"""The command line, verb by verb."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cnnkit.__main__ import main
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.training import get_recipe
from tests.records import new_store

TINY = ("--set", "epochs=3", "--set", "stopping=null")


@pytest.fixture(autouse=True)
def store(own_home, monkeypatch):
    # `cnnkit worker` lowers the priority of its own process, which here is that of all tests.
    monkeypatch.setattr(os, "setpriority", lambda *_: None)
    return new_store(get_settings())


def call(*arguments: str):
    return CliRunner().invoke(main, arguments)


def answer(*arguments: str):
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_models_and_datasets_are_listed():
    models = {model["name"]: model for model in answer("models")}
    assert models["lenet_tutorial"]["parameters"] == 431_080
    assert "published" in models["lenet_tutorial"]["recipes"]
    datasets = {dataset["name"]: dataset for dataset in answer("datasets")}
    assert datasets["digits"]["available"] and datasets["digits"]["images"] == 1797
    assert "lenet_tutorial" in call("models").output


def test_own_images_are_imported_listed_renamed_and_deleted(tmp_path):
    for name, shade in (("dark", 10), ("light", 200)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for n in range(3):
            Image.new("L", (9, 9), shade + n).save(tmp_path / "mine" / name / f"{n}.png")
    (tmp_path / "mine" / "notes.txt").write_text("shades")
    imported = answer("datasets", "import", str(tmp_path / "mine"), "--title", "Shades")
    assert imported["class_names"] == ["dark", "light"] and imported["images"] == 6
    assert [one["file"] for one in imported["left_out"]] == ["notes.txt"] and imported["new"]
    again = call("datasets", "import", str(tmp_path / "mine"))
    assert "6 images in 2 classes" in again.stdout and "no class: 1" in again.stdout
    name = imported["name"]
    assert answer("datasets", "rename", name, "Grays")["title"] == "Grays"
    listed = {dataset["name"]: dataset for dataset in answer("datasets")}
    assert listed[name]["title"] == "Grays" and listed[name]["images"] == 6
    assert answer("datasets", "delete", name, "--yes") == {"deleted": name}
    gone = call("datasets", "delete", name, "--yes")
    assert gone.exit_code == 1 and "Unknown data set" in gone.output
    refused = call("datasets", "import", str(tmp_path / "mine" / "dark"))
    assert refused.exit_code == 1 and "holds no image that can be used" in refused.output


def test_training_waits_tells_each_epoch_and_can_be_evaluated(store, forking):
    trained = call("train", "toy_cnn", "--name", "tiny", *TINY)
    assert trained.exit_code == 0, trained.output
    assert "epoch 1/3" in trained.stderr and "epoch 3/3" in trained.stderr
    assert "tiny" in trained.stdout and "finished" in trained.stdout
    (run,) = answer("runs", "list", "--text", "tiny")
    assert run["status"] == "finished" and run["spec"]["epochs"] == 3
    shown = answer("runs", "show", run["id"][:10])
    assert [row["epoch"] for row in shown["history"]] == [1, 2, 3]
    result = answer("evaluate", run["id"])
    assert result["test_error"] == pytest.approx(run["metrics"]["test_error"], abs=1e-6)
    assert sum(map(sum, result["confusion"])) == result["images"] == 30
    renamed = answer("runs", "rename", run["id"], "small")
    assert renamed["name"] == "small"
    wrong = call("evaluate", run["id"], "--dataset", "digits")
    assert wrong.exit_code == 1 and "(12, 12, 1)" in wrong.output
    assert answer("runs", "delete", run["id"], "--yes") == {"deleted": run["id"]}
    assert call("runs", "show", run["id"]).exit_code == 1


def test_a_detached_training_goes_on_by_itself_and_obeys(store, forking):
    run = answer("train", "toy_cnn", "--detach", "--set", "epochs=100000")
    assert run["status"] == "queued"
    wait(store, run["id"], lambda run: run.progress)
    assert answer("runs", "pause", run["id"])["id"] == run["id"]
    paused = wait(store, run["id"], lambda run: run.status.over)
    assert paused.status is Status.PAUSED
    assert answer("runs", "resume", run["id"], "--detach")["status"] == "queued"
    wait(store, run["id"], lambda run: run.progress.epoch > paused.progress.epoch)
    assert answer("runs", "cancel", run["id"])["status"] == "cancelled"


def test_cancelling_promises_only_the_epochs_that_were_finished(store):
    spec = get_recipe("toy_cnn", "fast").to_dict()
    run = store.create("train", spec, "queued")
    cancelled = call("runs", "cancel", run.id)
    assert "`cnnkit runs resume` begins with the first epoch, as none was finished." in (
        cancelled.stdout
    )


def test_a_resumed_run_that_fails_ends_the_command_with_an_error(store):
    run = store.create("rehearsal", {"fail": "error"}, "fails", status=Status.QUEUED)
    store.update(run.id, status=Status.INTERRUPTED)
    resumed = call("runs", "resume", run.id)
    assert resumed.exit_code == 1
    assert "This rehearsal was told to fail." in resumed.stdout


def wait(store, run_id, condition):
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        run = store.get(run_id)
        if condition(run):
            return run
        time.sleep(0.1)
    raise AssertionError(f"Waited in vain: {run}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "lenet6"], "lenet_tutorial"),
        (["train", "toy_cnn", "--recipe", "nonsense"], "published"),
        (["train", "toy_cnn", "--set", "epochs=0"], "epochs"),
        (["train", "toy_cnn", "--set", "color=1"], "color"),
        (["train", "toy_cnn", "--set", "epochs"], "FIELD=VALUE"),
        (["train", "toy_cnn", "--dataset", "nonsense"], "digits"),
        (["reproduce", "nonsense"], "lenet"),
        (["runs", "show", "nonsense"], "nonsense"),
        (["worker", "nonsense"], "nonsense"),
        (["anatomy", "--model", "lenet6"], "lenet_tutorial"),
        (["anatomy", "--model", "toy_cnn", "--option", "color=1"], "color"),
        (["anatomy", "--model", "toy_cnn", "--option", "color"], "--option needs FIELD=VALUE"),
        (
            ["anatomy", "--model", "toy_cnn", "--option", "input_shape=32"],
            "(height, width, channels)",
        ),
        (["anatomy", "--model", "toy_cnn", "--option", "classes=none"], "must be a whole number"),
        (["anatomy", "--model", "toy_cnn", "--option", "name=lenet5"], "no option 'name'"),
        (["anatomy", "--model", "toy_cnn", "--size", "large"], "HEIGHTxWIDTH"),
        (["anatomy", "--model", "toy_cnn", "--size", "28x28"], "(12, 12, 1)"),
        (["anatomy", "nowhere.keras"], "nowhere.keras"),
        (["anatomy", "--model", "toy_cnn", "--csv", "/nowhere/x.csv"], "/nowhere/x.csv: No such"),
        (["anatomy", "--model", "lenet_tutoral"], "Did you mean 'lenet_tutorial'?"),
        (["build", "lenet5", "-o", "/nowhere/x.json"], "/nowhere/x.json: No such"),
        (["train", "toy_cnn", "--recipe", "nowhere.json"], "nowhere.json cannot be read"),
        (["train", "toy_cnn", "--set", "epoch=3"], "Did you mean 'epochs'?"),
        (["train", "toy_cnn", "--set", "colors.hue=3"], "no field 'colors'"),
        (["train", "toy_cnn", "--set", "augmentation.shfit=3"], "Did you mean 'shift'?"),
        (["train", "toy_cnn", "--set", "augmentation=3"], "augmentation must be fields"),
        (["train", "toy_cnn", "--set", "epochs.first=3"], "epochs has no fields of its own"),
        (["train", "toy_cnn", "--set", "stopping=5"], "stopping has no fields of its own"),
        (["runs", "show", ""], "There is no run ''"),
    ],
)
def test_mistakes_are_told_in_one_sentence(store, arguments, words):
    result = call(*arguments)
    assert result.exit_code == 1
    assert words in result.output and "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["train", "toy_cnn", "--recipe"], ["build"]])
def test_a_file_that_is_no_text_is_named(tmp_path, arguments):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe{")
    result = call(*arguments, str(tmp_path / "x.json"))
    assert result.exit_code == 1 and "x.json is no text in UTF-8" in result.output


def test_the_beginning_of_an_id_means_one_run_or_none(store):
    runs = [store.create("rehearsal", {}, "first")]
    assert call("runs", "show", runs[0].id[:12]).output.startswith("first")
    assert call("runs", "delete", "", "--yes").exit_code == 1
    runs += [store.create("rehearsal", {}, "next") for _ in range(16)]
    # Of seventeen hexadecimal numbers, two begin alike.
    beginning = next(run.id[0] for run in runs if sum(o.id[0] == run.id[0] for o in runs) > 1)
    result = call("runs", "show", beginning)
    assert result.exit_code == 1 and f"an id that begins with '{beginning}'" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs", "list", "--limit", "-5"],
        ["build", "lenet5", "--seed", "-1"],
        ["gradcheck", "--seed", "-1"],
        ["reproduce", "lenet_published", "--seed", "-1"],
    ],
)
def test_numbers_out_of_range_are_wrong_usage(arguments):
    result = call(*arguments)
    assert result.exit_code == 2 and "is not in the range" in result.output


def test_the_table_of_reproductions_shows_ours_beside_the_published(store):
    from cnnkit.published.reproductions import get_reproduction

    row = get_reproduction("lenet")
    run = store.create("train", row.recipe.replace(seed=5).to_dict(), "ours")
    store.set_metrics(run.id, {"test_error": 0.0085, "seconds": 60.0})
    store.update(run.id, status=Status.FINISHED)
    rows = {line["name"]: line for line in answer("reproduce")}
    assert rows["lenet"]["published"] == 0.0092
    assert rows["lenet"]["ours"] == 0.0085 and rows["lenet"]["run"] == run.id
    assert rows["mlp"]["ours"] is None
    assert "0.85%" in call("reproduce").output


@pytest.mark.parametrize(
    "moved",
    [
        ("--dataset", "digits"),
        pytest.param(("--set", "dataset=digits"), marks=pytest.mark.endurance),
    ],
)
def test_a_recipe_trains_on_another_data_set_and_says_how_it_was_split(store, moved):
    trained = call("train", "softmax_regression", *moved, *TINY)
    assert trained.exit_code == 0, trained.output
    (run,) = [run for run in store.list() if not run.starter]
    assert run.spec["dataset"] == "digits"
    split = "1,198 images for training, 239 images for validation, 360 images for the test"
    assert split in trained.stderr and split in call("runs", "show", run.id).stdout
    card = json.loads(store.artifact(run.id, "card.json").read_text())
    assert card["split"] == {"train": 1198, "validation": 239, "test": 360}


def test_own_images_are_trained_from_scratch_and_evaluated_on_their_own_split(store, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 12, 4, 4, 3), np.uint8)
    for name, images in zip(("cup", "pen"), noise, strict=True):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).resize((32, 32)).save(tmp_path / name / f"{number}.png")
    own = answer("datasets", "import", str(tmp_path))["name"]
    changes = ("size=32", "per_class=4", "split_seed=3", "warmup_epochs=0", "epochs=1")
    flags = [word for change in changes for word in ("--set", change)]
    trained = answer("train", "compact_photo_cnn", "--dataset", own, *flags)
    assert store.get(trained["id"]).spec["head"] is None
    again = answer("evaluate", trained["id"])
    assert again["images"] == trained["metrics"]["test_images"] == 4
    assert again["test_loss"] == pytest.approx(trained["metrics"]["test_loss"], rel=1e-3)


def test_sizes_that_did_not_fit_are_named(store):
    run = store.create("train", {"validation_size": 5_000, "train_size": 700})
    sizes = {"train_images": 700, "validation_images": 239, "test_images": 360}
    store.set_metrics(run.id, sizes)
    split = store.get(run.id).split
    assert "239 images for validation" in split
    assert "(the recipe's 5,000 for validation did not fit)" in split
    assert store.create("train", {"validation_size": 5_000}).split == ""


def test_anatomy_counts_a_network_by_name(tmp_path):
    found = answer("anatomy", "--model", "lenet_tutorial", "--csv", str(tmp_path / "lenet.csv"))
    assert found["parameters"] == 431_080 and found["macs"] == 2_293_000
    assert found["layers"][2]["receptive_field"] == [5, 5]
    assert (tmp_path / "lenet.csv").read_text().count("\n") == len(found["layers"]) + 1
    wider = answer("anatomy", "--model", "toy_cnn", "--option", "input_shape=[32,32,3]")
    assert wider["input_shape"] == [32, 32, 3]
    words = call("anatomy", "--model", "lenet_tutorial").output
    assert "431,080 parameters" in words and "2,293,000 MACs" in words and "5×5" in words
    assert "One MAC is one multiplication and one addition" in words


def test_anatomy_opens_a_file_and_asks_for_a_size_left_open(tmp_path):
    import keras

    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv")(image)
    path = tmp_path / "open.keras"
    keras.Model(image, keras.layers.GlobalAveragePooling2D()(x)).save(path)
    asked = call("anatomy", str(path))
    assert asked.exit_code == 1 and "sizes are open" in asked.output
    assert answer("anatomy", str(path), "--size", "9x11")["macs"] == 4 * 5 * 9 * 3 * 4
    assert call("anatomy").exit_code == 2
    assert call("anatomy", str(path), "--model", "toy_cnn").exit_code == 2


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])
def test_a_network_of_ones_own_is_given_as_a_file(tmp_path, suffix):
    import keras

    image = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D(name="mean")(image)
    path, photo = tmp_path / f"mine{suffix}", tmp_path / "red.png"
    keras.Model(image, keras.layers.Dense(3, "softmax", name="dense")(x)).save(path)
    Image.new("RGB", (9, 9), "red").save(photo)
    (found,) = answer("predict", str(photo), "--model", str(path))
    assert {one["class"] for one in found["predictions"]} == {"class 0", "class 1", "class 2"}
    assert [row["name"] for row in answer("anatomy", str(path))["layers"][1:]] == ["mean", "dense"]


def test_help_is_quick_to_import_and_names_every_verb():
    program = "import sys, cnnkit.__main__; print({'keras', 'mlflow'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "set()"
    words = call("--help").output
    for verb in (
        "models",
        "datasets",
        "anatomy",
        "train",
        "runs",
        "evaluate",
        "reproduce",
        "worker",
    ):
        assert verb in words


def test_predict_answers_images_and_names_those_it_cannot_read(tmp_path):
    from sklearn.datasets import load_sample_images

    image = Path(load_sample_images().filenames[0])
    bad = tmp_path / "page.jpg"
    bad.write_text("<!doctype html>")
    result = call("predict", str(image), str(bad), "--model", "starter", "--top", "3", "--json")
    assert result.exit_code == 1
    good, refused = json.loads(result.stdout)
    assert good["error"] is None and len(good["predictions"]) == 3
    probabilities = [one["probability"] for one in good["predictions"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert "not an image" in refused["error"] and refused["predictions"] == []


def test_predict_with_an_unknown_network_lists_the_known():
    result = call("predict", "a.jpg", "--model", "mobilenet_v9")
    assert result.exit_code == 1 and "mobilenet_v2" in result.output


# What the photos show, as their SOURCES.md says; the owl is known to be hard.
PHOTOS = {
    "bear_tfkerasvis": "brown bear",
    "goldfish_tfkerasvis": "goldfish",
    "water_ouzel_kerasvis": "water ouzel",
    "cat_coral_720p": "Egyptian cat",
    "macaw_parrot_coral": "macaw",
    "hotdog_coral": "hotdog",
    "cat_squeezenet": "Egyptian cat",
}


@pytest.mark.weights
@pytest.mark.parametrize(
    ("model", "places"), [("mobilenet_v2", 1), ("googlenet", 5), ("squeezenet", 5)]
)
def test_predict_knows_what_the_photos_show(model, places):
    folder = get_settings().data_dir / "photos"
    paths = [str(folder / f"{name}.jpg") for name in PHOTOS]
    result = call("predict", *paths, "--model", model, "--top", str(places), "--json")
    assert result.exit_code == 0
    for one in json.loads(result.stdout):
        assert PHOTOS[Path(one["image"]).stem] in [a["class"] for a in one["predictions"]]


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_visualize_maximizes_a_class_and_classifies_the_image_again(tmp_path):
    out = tmp_path / "seven.png"
    found = answer(
        "visualize", "--model", "starter", "--class", "7", "--steps", "96", "--out", str(out)
    )
    assert pixels(out).shape == (28, 28)
    assert found["steps"] == 96 and found["values"]["class_logit(unit=7)"] > 0
    assert [one["form"] for one in found["reclassification"]][1] == "8 bit"
    assert found["reclassification"][1]["answers"][0]["name"] == "7"


def test_visualize_maximizes_a_filter_and_changes_numbers_of_the_plan(tmp_path):
    out = str(tmp_path / "filter.png")
    common = (
        "visualize",
        "--model",
        "starter",
        "--layer",
        "block2_conv1",
        "--steps",
        "2",
        "--out",
        out,
    )
    found = answer(*common, "--unit", "3", "--preset", "quick", "--set", "terms/1/weight=-2")
    assert found["plan"]["objective"][1]["weight"] == -2 and found["reclassification"] == []
    more = answer(
        *common, "--set", "objective.lp_norm.weight=-3", "--set", "transforms.jitter.pixels=1"
    )
    assert [term["weight"] for term in more["plan"]["objective"] if term["kind"] == "lp_norm"] == [
        -3
    ]
    wrong = call(*common, "--set", "objective.lp.weight=1").output
    assert "objective.channel.weight" in wrong and "regularizers." not in wrong
    assert "block1_conv1" in call(*common[:4], "conv9", *common[5:]).output
    assert "--class, or --layer" in call(*common, "--class", "7").output
    unknown = call("visualize", "--model", "starter", "--class", "seven", "--out", out)
    assert unknown.exit_code == 1 and "no class 'seven' among its 10" in unknown.output


def test_visualize_takes_an_untrained_network(tmp_path):
    found = answer(
        *("visualize", "--model", "squeezenet", "--untrained", "--class", "1"),
        *("--preset", "quick", "--steps", "2", "--out", str(tmp_path / "noise.png")),
    )
    assert found["steps"] == 2


def test_mosaic_writes_an_image_for_each_layer(tmp_path):
    found = answer(
        *("mosaic", "--model", "starter", "--layer", "block1_conv1"),
        *("--units", "4", "--steps", "2", "--out", str(tmp_path / "mosaics")),
    )
    assert len(found[0]["units"]) == 4 and pixels(found[0]["image"]).shape[1] == 1100
    wrong = call("mosaic", "--model", "starter", "--layer", "block1_conv1", "--units", "few")
    assert wrong.exit_code == 2 and "'few'" in wrong.output
    nowhere = call("mosaic", "--model", "starter", "--layer", "conv9")
    assert nowhere.exit_code == 1 and "Unknown layer 'conv9'" in nowhere.output


def test_dream_changes_an_image_and_names_what_cannot_be_read(tmp_path):
    image, out = tmp_path / "given.png", tmp_path / "dream.png"
    Image.fromarray(np.full((40, 60), 128, np.uint8)).save(image)
    common = ("--model", "starter", "--steps", "2", "--octaves", "2", "--side", "120")
    found = answer("dream", str(image), *common, "--layer", "block1_conv1=2", "--out", str(out))
    assert found["layers"] == {"block1_conv1": 2} and found["steps"] == 4
    assert pixels(out).shape == (80, 120) and np.ptp(pixels(out)) > 0
    bad = call("dream", str(tmp_path / "none.png"), *common)
    assert bad.exit_code == 1 and "cannot be read" in bad.output
    assert "LAYER=NUMBER" in call("dream", str(image), *common, "--layer", "block1_conv1=x").output


def test_a_data_set_is_embedded_and_its_features_are_kept(tmp_path):
    out = tmp_path / "points.csv"
    options = ("embed", "--dataset", "digits", "--count", "40", "-o", str(out))
    first = answer(*options, "--method", "pca")
    lines = out.read_text().splitlines()
    assert first["images"] == 40 and len(lines) == 41 and len(first["explained"]) == 2
    assert lines[0] == "x,y,number,file,class,predicted,probability"
    assert len(list(get_settings().features.glob("*/card.json"))) == 2
    again = answer(*options, "--perplexity", "8")
    assert again["layer"] == first["layer"] and again["divergence"] > 0
    assert out.read_text().splitlines()[1:] != lines[1:]


def test_an_embedding_that_cannot_be_made_says_why():
    assert "Known layers" in call("embed", "--layer", "conv9", "--dataset", "digits").output
    assert "perplexity" in call("embed", "--dataset", "digits", "--perplexity", "0").output
    few = call("embed", "--dataset", "digits", "--count", "20", "--perplexity", "30")
    assert few.exit_code == 1 and "less than the number of images, 20" in few.output
