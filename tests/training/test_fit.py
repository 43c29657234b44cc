import keras
import numpy as np
import pytest

from cnnkit.datasets import load_dataset
from cnnkit.errors import CorruptAssetError, IncompatibleError, UnknownModelError
from cnnkit.training import (
    Augmentation,
    Ended,
    EpochEnded,
    Recipe,
    Started,
    Stopping,
    evaluate,
    fit,
    get_recipe,
    list_recipes,
    recipe_dataset,
)
from cnnkit.training.estimates import training_images
from cnnkit.training.results import figures

pytestmark = pytest.mark.usefixtures("decoded")

# Dropout, shuffling, augmentation, a schedule and a stopping rule: all that has a state.
EVERYTHING = Recipe(
    model="keras_mnist_cnn",
    dataset="digits",
    train_size=200,
    validation_size=100,
    epochs=5,
    batch_size=32,
    optimizer="adam",
    schedule="cosine",
    warmup_epochs=1,
    augmentation=Augmentation(shift=2, rotation=10, elastic=1),
    stopping=Stopping(patience=3),
    seed=11,
)
TOY = get_recipe("toy_cnn", "published").replace(epochs=3)


def weights_equal(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


def untimed(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def pause_after(epochs):
    ended = []
    return ended.append, lambda: "pause" if _epochs(ended) >= epochs else None


def _epochs(events):
    return sum(isinstance(event, EpochEnded) for event in events)


def test_equal_recipes_give_equal_networks_bit_for_bit():
    assert weights_equal(fit(EVERYTHING).model, fit(EVERYTHING).model)


def test_a_recipe_fits_the_data_set_it_is_moved_to_and_says_how_it_was_split():
    # Its 5,000 validation images are more than the digits have.
    recipe = get_recipe("lenet_tutorial", "fast").replace(dataset="digits", epochs=1)
    events = []
    fit(recipe, events.append)
    (started,) = (event for event in events if isinstance(event, Started))
    sizes = started.train_images, started.validation_images, started.test_images
    assert sizes == (1_198, 239, 360)
    assert training_images(recipe) == 1_198  # what the page says beforehand


@pytest.mark.parametrize("dataset", ["digits", "toy_patterns", "drawn_flowers"])
def test_every_recipe_fits_every_data_set(dataset):
    for recipe in list_recipes():
        moved = recipe_dataset(recipe.replace(dataset=dataset))
        assert all(moved.size(part) > 0 for part in ("train", "validation", "test"))


@pytest.mark.parametrize("stops", [(1,), (2, 3, 4)])
def test_a_paused_run_ends_as_an_uninterrupted_one_bit_for_bit(tmp_path, stops):
    whole = fit(EVERYTHING)
    file = tmp_path / "checkpoint.npz"
    for done, stop in zip((0, *stops), stops, strict=False):
        report, control = pause_after(stop - done)
        part = fit(EVERYTHING, report, checkpoint=file, control=control)
        assert part.ended.reason == "paused" and part.ended.epoch == stop
    resumed = fit(EVERYTHING, checkpoint=file)
    assert weights_equal(resumed.model, whole.model)
    assert untimed(resumed.history) == untimed(whole.history)
    assert resumed.ended == whole.ended


def test_a_run_that_died_goes_on_from_its_last_finished_epoch(tmp_path):
    class PowerCut(Exception):
        pass

    def die(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise PowerCut

    with pytest.raises(PowerCut):
        fit(EVERYTHING, die, checkpoint=tmp_path / "checkpoint.npz")
    events = []
    resumed = fit(EVERYTHING, events.append, checkpoint=tmp_path / "checkpoint.npz")
    assert events[0].first_epoch == 3
    assert weights_equal(resumed.model, fit(EVERYTHING).model)


def test_a_checkpoint_of_a_stopped_run_does_not_learn_on(tmp_path):
    recipe = TOY.replace(epochs=40, stopping=Stopping(patience=0, min_delta=1.0))
    first = fit(recipe, checkpoint=tmp_path / "c.npz")
    again = fit(recipe, checkpoint=tmp_path / "c.npz")
    assert first.ended.reason == again.ended.reason == "early"
    assert first.ended.epoch == again.ended.epoch == 2
    assert weights_equal(first.model, again.model)


def test_a_damaged_checkpoint_is_named_and_another_recipes_refused(tmp_path):
    file = tmp_path / "checkpoint.npz"
    fit(TOY, checkpoint=file)
    with pytest.raises(IncompatibleError, match="another recipe"):
        fit(TOY.replace(seed=9), checkpoint=file)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(CorruptAssetError, match="checkpoint"):
        fit(TOY, checkpoint=file)


def test_no_file_is_left_beside_a_checkpoint(tmp_path):
    fit(TOY, checkpoint=tmp_path / "checkpoint.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_events_tell_the_whole_story_in_order():
    events = []
    result = fit(TOY, events.append)
    assert isinstance(events[0], Started) and events[0].parameters == 2_603
    assert [e.epoch for e in events if isinstance(e, EpochEnded)] == [1, 2, 3]
    assert events[-1] == result.ended == Ended(reason="finished", epoch=3, best_epoch=None)
    tested = evaluate(result.model, *recipe_dataset(TOY).part("test"))
    assert "best_epoch" not in figures(result, tested)  # no weights were restored


def test_a_cancelled_run_stops_within_its_epoch():
    recipe = EVERYTHING.replace(epochs=1000, stopping=None)
    asked = []
    result = fit(recipe, control=lambda: "cancel" if asked.append(1) or len(asked) > 3 else None)
    assert result.ended.reason == "cancelled" and result.history == []


def test_the_step_is_traced_once(monkeypatch):
    traced = []
    step = keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda self, data: traced.append(1) or step(self, data)
    )
    fit(TOY.replace(optimizer="adam"))
    assert len(traced) == 1, "each trace is seconds of a large network"


def test_the_best_weights_are_kept():
    recipe = EVERYTHING.replace(learning_rate=0.02, schedule="constant", keep_best="val_loss")
    result = fit(recipe)
    losses = [row["val_loss"] for row in result.history]
    assert result.ended.best_epoch == 1 + int(np.argmin(losses))
    validation = evaluate(result.model, *recipe_dataset(recipe).part("validation"))
    assert validation.loss == pytest.approx(min(losses), rel=1e-4)


def test_the_best_weights_survive_a_stop(tmp_path):
    rising = TOY.replace(learning_rate=20.0, keep_best="val_loss", epochs=6)  # it diverges
    whole = fit(rising)
    assert whole.ended.best_epoch < 5, "the best epoch must lie before the stop"
    report, control = pause_after(5)
    fit(rising, report, checkpoint=tmp_path / "c.npz", control=control)
    resumed = fit(rising, checkpoint=tmp_path / "c.npz")
    assert resumed.ended == whole.ended
    assert weights_equal(resumed.model, whole.model)


def test_gradient_descent_is_the_textbooks():
    """Softmax regression by hand in NumPy: the same batches give the same weights."""
    recipe = Recipe(
        model="softmax_regression",
        dataset="digits",
        train_size=100,
        validation_size=50,
        epochs=2,
        batch_size=20,
        optimizer="sgd",
        learning_rate=0.5,
        shuffle=False,
        keep_best=None,
    )
    images, labels = load_dataset("digits", train_size=100, validation_size=50).part("train")
    x, y = images.reshape(100, -1) / 255.0, np.eye(10)[labels]
    kernel, bias = np.zeros((784, 10)), np.zeros(10)
    for start in [*range(0, 100, 20)] * 2:
        batch, target = x[start : start + 20], y[start : start + 20]
        logits = batch @ kernel + bias
        probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        delta = (probabilities - target) / 20
        kernel -= 0.5 * batch.T @ delta
        bias -= 0.5 * delta.sum(0)
    dense = fit(recipe).model.get_layer("logits")
    np.testing.assert_allclose(np.array(dense.kernel), kernel, atol=1e-5)
    np.testing.assert_allclose(np.array(dense.bias), bias, atol=1e-5)


def test_a_summed_loss_is_reported_per_image():
    base = TOY.replace(model_options={"initialization": "sugomori"}, epochs=1)
    mean = fit(base.replace(learning_rate=0.15)).history[0]
    summed = fit(base.replace(learning_rate=0.001, loss_reduction="sum")).history[0]
    assert summed["loss"] == pytest.approx(mean["loss"], rel=1e-4)
    assert summed["val_loss"] == pytest.approx(mean["val_loss"], rel=1e-4), "150 × .001 = .15"


def test_a_network_learns_the_toy_patterns():
    recipe = TOY.replace(epochs=60, model_options={"initialization": "sugomori"})
    result = fit(recipe)
    assert evaluate(result.model, *recipe_dataset(recipe).part("test")).accuracy > 0.9


def test_an_unknown_network_says_which_exist():
    with pytest.raises(UnknownModelError, match="lenet_tutorial"):
        fit(Recipe(model="lenet6", dataset="digits"))
