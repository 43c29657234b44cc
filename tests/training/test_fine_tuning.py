"""Fine-tuning: what is frozen, what is kept on disk, and that stops change nothing."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from cnnkit.errors import InvalidRecipeError, LimitError, UnknownLayerError
from cnnkit.models import load_without_top
from cnnkit.training import (
    Augmentation,
    EpochEnded,
    FeatureCache,
    FreezableNetwork,
    Head,
    Phase,
    Recipe,
    build_network,
    evaluate,
    fit,
)
from cnnkit.training.events import FeaturesCached
from cnnkit.training.network import with_head
from tests.training.fine_tuning_parts import base, dataset, recipe

DATA = dataset()
CHANGES = Augmentation(flip=True, brightness=0.1)


@pytest.fixture
def store(tmp_path):
    return FeatureCache(tmp_path / "features", 100 * 2**20)


def tuned(wanted, cache, report=lambda event: None, **options):
    return fit(wanted, report, dataset=DATA, base=base, cache=cache, **options)


def weights_equal(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


def untimed(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def test_vgg16_with_the_seeds_head_has_the_parameters_of_the_seed():
    base = load_without_top("vgg16", weights=None, size=150)
    head = Head(kind="flatten", units=256, dropout=0.5)
    network = FreezableNetwork(with_head(base, head, 17))
    assert network.whole.count_params() == 16_816_465
    assert network.trainable_parameters("block5") == 9_181_201
    split = network.split("block5")
    assert split.cut == "block4_pool"
    assert sum(np.prod(w.shape) for w in split.top.trainable_weights) == 9_181_201
    assert sum(np.prod(w.shape) for w in network.whole.trainable_weights) == 9_181_201
    assert list(network.blocks()) == [f"block{n}" for n in range(1, 6)]


def test_cached_features_do_not_change_the_result(store):
    kept = tuned(recipe(), store)
    plain = tuned(recipe(cached=False), store)
    for row, other in zip(kept.history, plain.history, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-4)
        assert row["val_loss"] == pytest.approx(other["val_loss"], rel=1e-4)
    for one, other in zip(kept.model.get_weights(), plain.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_what_is_frozen_stays_and_what_learns_changes(store):
    untouched = build_network(recipe(), 3, base).whole
    result = tuned(recipe(), store).model
    changed = {
        layer.name
        for layer, other in zip(result.layers, untouched.layers, strict=True)
        for a, b in zip(layer.get_weights(), other.get_weights(), strict=True)
        if (a != b).any()
    }
    assert changed == {"block3_conv1", "head_fc1", "logits"}, "normalization stays as it was"


def test_the_network_that_comes_out_takes_images_and_gives_logits(store, tmp_path):
    result = tuned(recipe(), store)
    assert result.model.input_shape == (None, 16, 16, 3)
    evaluation = evaluate(result.model, *DATA.part("validation"))
    best = result.history[result.ended.best_epoch - 1]
    assert evaluation.loss == pytest.approx(best["val_loss"], rel=1e-4)
    result.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [layer.name for layer in again.layers] == [layer.name for layer in result.model.layers]
    assert not any(hasattr(layer, "layers") for layer in again.layers)
    images = DATA.images[:5].astype(np.float32)
    np.testing.assert_allclose(again(images), result.model(images), atol=1e-5)


def test_it_learns(store):
    wanted = recipe(
        phases=(Phase(epochs=6, learning_rate=0.03), Phase(train_from="all", epochs=6)),
        head=Head(dropout=0),
    )
    assert evaluate(tuned(wanted, store).model, *DATA.part("test")).accuracy > 0.9


@pytest.mark.parametrize("stop", [1, 3])
def test_a_paused_run_ends_as_an_uninterrupted_one(store, tmp_path, stop):
    wanted = recipe(augmentation=CHANGES, variants=3)
    whole = tuned(wanted, store)
    events, file = [], tmp_path / "checkpoint.npz"

    def control():
        return "pause" if sum(isinstance(e, EpochEnded) for e in events) >= stop else None

    part = tuned(wanted, store, events.append, checkpoint=file, control=control)
    assert part.ended.reason == "paused" and part.ended.epoch == stop
    resumed = tuned(wanted, store, checkpoint=file)
    assert untimed(resumed.history) == untimed(whole.history)
    assert weights_equal(resumed.model, whole.model) and resumed.ended == whole.ended


def test_a_stop_among_features_loses_nothing(store):
    wanted = recipe(augmentation=CHANGES, variants=3)
    asked = []
    stopped = tuned(wanted, store, control=lambda: asked.append(1) or len(asked) > 3 and "cancel")
    assert stopped.ended.reason == "cancelled" and stopped.history == []
    events = []
    tuned(wanted, store, events.append)
    kept = [event for event in events if isinstance(event, FeaturesCached)]
    assert kept[0].done == 2 * 32 + 3, "of 67 plain images three batches, the last one small"
    assert kept[-1].done == kept[-1].total == 67 + 2 * 45


def test_a_crash_within_a_batch_loses_that_batch(store, monkeypatch):
    from cnnkit.training.feature_cache import FeatureEntry

    written = []
    write = FeatureEntry.write

    def crash(self, rows, values):
        if len(written) == 1:
            raise OSError("No space left on device")
        written.append(len(rows))
        write(self, rows, values)

    monkeypatch.setattr(FeatureEntry, "write", crash)
    alone = recipe(phases=(Phase(epochs=1),))
    with pytest.raises(OSError, match="No space"):
        tuned(alone, store)
    monkeypatch.undo()
    events = []
    tuned(alone, store, events.append)
    assert events[0].done == written[0] == 32


def test_other_splits_and_rates_share_what_was_computed(store):
    tuned(recipe(), store)
    events = []
    other = recipe(seed=9, phases=(Phase(train_from="block3", epochs=1, learning_rate=0.1),))
    tuned(other, store, events.append)
    assert events[0].done == events[0].total
    assert len(list(store.folder.iterdir())) == 2, "one for each phase's cut"


def test_another_size_augmentation_or_type_is_computed_anew(store):
    short = {"phases": (Phase(epochs=1),)}
    tuned(recipe(**short), store)
    for changes in ({"feature_type": "float16"}, {"augmentation": CHANGES, "variants": 2}):
        events = []
        tuned(recipe(**short, **changes), store, events.append)
        assert events[0].done < events[0].total


def test_features_from_another_splits_training_are_those_that_would_be_computed_now(
    store, tmp_path
):
    wanted = recipe(augmentation=CHANGES, variants=3, phases=(Phase(epochs=2),))
    order = np.concatenate([DATA.indices(part) for part in ("validation", "train", "test")])
    other = replace(
        DATA, splits={"train": order[:40], "validation": order[40:60], "test": order[60:]}
    )
    tuned(wanted, store)
    shared = fit(wanted, dataset=other, base=base, cache=store)
    alone = fit(wanted, dataset=other, base=base, cache=FeatureCache(tmp_path / "new", 10**8))
    assert untimed(shared.history) == untimed(alone.history)


def test_another_networks_features_are_computed_anew(store, tmp_path):
    def trained():
        model = base()
        kernel = model.get_layer("block1_conv1").kernel
        kernel.assign(-kernel.value)
        return model

    wanted = recipe(phases=(Phase(epochs=1),))
    tuned(wanted, store)
    events = []
    options = {"dataset": DATA, "base": trained}
    second = fit(wanted, events.append, cache=store, **options)
    assert events[0].done == 0
    alone = fit(wanted, cache=FeatureCache(tmp_path / "new", 10**8), **options)
    assert untimed(second.history) == untimed(alone.history)


def test_the_store_is_bounded_and_keeps_what_is_needed(store, tmp_path):
    small = FeatureCache(store.folder, 3_000)
    with pytest.raises(LimitError, match="CNNKIT_FEATURES_MEMORY"):
        tuned(recipe(), small)
    one = FeatureCache(store.folder, 40_000)  # room for the features of one recipe
    first, second = (recipe(phases=(Phase(train_from=b, epochs=1),)) for b in ("block3", "head"))
    tuned(first, one)
    (old,) = store.folder.iterdir()
    tuned(second, FeatureCache(store.folder, 20_000))
    (left,) = store.folder.iterdir()
    assert left != old


@pytest.mark.parametrize("file", ["features.npy", "done.npy"])
@pytest.mark.parametrize("damage", ["nonsense", "a row lacks"])
def test_a_damaged_entry_is_made_again(store, file, damage):
    tuned(recipe(), store)
    for entry in store.folder.iterdir():
        if damage == "nonsense":
            (entry / file).write_bytes(b"nonsense")
        else:
            np.save(entry / file, np.load(entry / file)[:-1])
    events = []
    tuned(recipe(), store, events.append)
    assert events[0].done == 0


def test_variants_are_changed_images_and_validation_sees_the_plain_ones(store):
    from cnnkit.training.fitting import feature_extraction

    wanted = recipe(augmentation=CHANGES, variants=3)
    network = build_network(wanted, 3, base)
    features = feature_extraction(wanted, network, DATA, store)
    features.compute(lambda event: None, lambda: None)
    layer = next(iter(features.bases))
    train, validation = (
        features.read_split(layer, "train"),
        features.read_split(layer, "validation"),
    )
    assert len(train.variants) == 3 and len(validation.variants) == 1
    rows = DATA.indices("train")
    plain, first, second = (variant[rows] for variant in train.variants)
    assert (plain != first).any() and (first != second).any()
    expected = features.bases[layer](DATA.images[rows].astype(np.float32))
    np.testing.assert_allclose(plain, expected, atol=1e-5)
    many = np.arange(len(rows))
    np.testing.assert_array_equal(train.read(many, 7), train.read(many, 7))
    assert (train.read(many, 7) != train.read(many, 8)).any()


def test_a_block_a_layer_the_head_and_all_are_depths():
    network = build_network(recipe(), 3, base)
    assert list(network.blocks()) == ["block1", "block2", "block3"]
    assert network.split("block2").cut == "block1_pool"
    assert network.split("block3_bn").cut == "block3_conv1"
    assert network.split("head").cut == "head_pool"
    assert network.split("all").cut is None and network.split("block1").cut is None
    with pytest.raises(UnknownLayerError, match="block1, block2, block3"):
        network.split("block9")


def test_within_a_residual_block_the_cut_is_below_and_the_layers_between_are_frozen():
    base = load_without_top("mobilenet_v2", weights=None, size=64)
    network = FreezableNetwork(with_head(base, Head(), 17))
    split = network.split("block_15_project")
    assert split.cut == "block_14_add"
    learning = [layer.name for layer in split.top.layers if layer.trainable_weights]
    assert learning == [
        "block_15_project", "block_16_expand", "block_16_depthwise", "block_16_project",
        "Conv_1", "logits",
    ]  # fmt: skip


def test_batch_normalization_trains_in_a_network_from_scratch():
    small = FreezableNetwork(with_head(keras.Model(*_ends()), Head(), 3), pretrained=False)
    small.freeze("all")
    assert small.whole.get_layer("block2_bn").trainable
    count = sum(np.prod(w.shape) for w in small.whole.trainable_weights)
    assert small.trainable_parameters("all") == count


def test_normalization_of_a_new_head_trains_its_statistics_and_nothing_below(store):
    result = tuned(recipe(head=Head(normalization=True)), store).model
    mean, variance = result.get_layer("head_normalization").get_weights()
    assert (mean != 0).any() and (variance != 1).any()
    untouched = build_network(recipe(head=Head(normalization=True)), 3, base).whole
    for name in ("block2_bn", "block3_bn"):
        pairs = zip(
            result.get_layer(name).get_weights(),
            untouched.get_layer(name).get_weights(),
            strict=True,
        )
        assert all((one == other).all() for one, other in pairs)
    # Whatever the scale of the features, the head gets the same.
    assert build_network(recipe(head=Head(normalization=True)), 3, base).split("head").cut == (
        "head_pool"
    )


def test_a_normalized_head_does_not_mind_the_scale_of_the_features(store):
    losses = []
    for factor in (1.0, 1000.0):

        def scaled(factor=factor):
            model = base()
            kernel, bias = model.get_layer("block3_conv1").get_weights()
            gamma, beta, mean, variance = model.get_layer("block3_bn").get_weights()
            model.get_layer("block3_conv1").set_weights([kernel, bias])
            model.get_layer("block3_bn").set_weights([factor * gamma, beta, mean, variance])
            return model

        wanted = recipe(
            head=Head(dropout=0, normalization=True),
            phases=(Phase(epochs=3, learning_rate=0.01),),
        )
        result = fit(wanted, dataset=DATA, base=scaled, cache=store)
        losses.append([row["loss"] for row in result.history])
    # Not exactly: the epsilon of the normalization has no scale.
    np.testing.assert_allclose(*losses, rtol=0.1)


def test_pausing_keeps_the_statistics_of_a_normalized_head(store, tmp_path):
    wanted, file = recipe(head=Head(normalization=True)), tmp_path / "checkpoint.npz"
    whole = tuned(wanted, store)
    events = []

    def control():
        ended = sum(isinstance(event, EpochEnded) for event in events)
        return "pause" if ended == 1 else None

    tuned(wanted, store, events.append, checkpoint=file, control=control)
    assert weights_equal(whole.model, tuned(wanted, store, checkpoint=file).model)


def _ends():
    model = base()
    return model.input, model.get_layer("block3_pool").output


def test_a_trunk_may_not_change_after_its_features_were_computed(store):
    back = (Phase(train_from="block2", epochs=1), Phase(train_from="head", epochs=1))
    with pytest.raises(InvalidRecipeError, match="deeper. Received: block2, head"):
        tuned(recipe(phases=back), store)


def test_rare_classes_count_more():
    from cnnkit.training.fitting import class_weights

    weights = class_weights(np.array([0, 0, 0, 1, 2, 2]), DATA)
    np.testing.assert_allclose(weights * [3, 1, 2], [2, 2, 2])


def test_balanced_and_mixed_training_runs(store):
    wanted = recipe(
        balanced=True, augmentation=Augmentation(mixup=0.3, flip=True), label_smoothing=0.1
    )
    assert len(tuned(wanted, store).history) == 4


def test_a_recipe_survives_json():
    wanted = recipe(augmentation=CHANGES, run="", size=96, per_class=5)
    assert Recipe.from_json(wanted.to_json()) == wanted
    assert wanted.fingerprint() == wanted.replace(name="other").fingerprint()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": "mine"}, "weights must be"),
        ({"variants": 0}, "variants must be"),
        ({"phases": ({"epochs": 0},)}, "epochs must be"),
        ({"head": {"kind": "max"}}, "head.kind"),
        ({"deep": 3}, "no field 'deep'"),
        ({"phases": ({"deep": 3},)}, "A phase has no field 'deep'"),
    ],
)
def test_a_bad_value_is_named(changes, words):
    with pytest.raises(InvalidRecipeError, match=words):
        Recipe.from_dict({"model": "vgg16"} | changes)
