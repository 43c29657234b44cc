"""Weights of some epochs stay with a run, within a bound, whatever interrupts it."""

import numpy as np
import pytest

from cnnkit.errors import CorruptAssetError, InvalidRecipeError
from cnnkit.training import EpochEnded, Head, Phase, Recipe, epoch_weights, fit
from cnnkit.training.epoch_weights import epoch_file, epochs_to_keep, load_epoch

TOY = Recipe(model="toy_cnn", dataset="toy_patterns", epochs=4, keep_checkpoints=10, keep_best=None)


def weights_of(path):
    with np.load(path) as file:
        return {name: file[name] for name in file}


def test_epochs_are_spread_evenly_from_the_beginning_to_the_last():
    assert epochs_to_keep(4, 10) == [0, 1, 2, 3, 4]
    assert epochs_to_keep(100, 5) == [0, 1, 26, 50, 75, 100]
    assert epochs_to_keep(100, 1) == [0, 100]
    assert epochs_to_keep(100, 0) == []


def test_they_take_no_more_than_the_bound_together():
    size = epoch_weights.MOST_BYTES // 4
    kept = epochs_to_keep(100, 50, size)
    assert kept == [0, 1, 50, 100] and len(kept) * size <= epoch_weights.MOST_BYTES
    assert epochs_to_keep(100, 50, epoch_weights.MOST_BYTES) == []


def test_each_kept_epoch_is_the_network_as_it_was(tmp_path):
    result = fit(TOY, epochs_folder=tmp_path)
    assert result.kept_epochs == [0, 1, 2, 3, 4]
    assert {path.name for path in tmp_path.iterdir()} == set(map(epoch_file, range(5)))
    last = [weight.copy() for weight in result.model.get_weights()]
    shorter = fit(TOY.replace(epochs=2)).model
    load_epoch(result.model, tmp_path / epoch_file(2))
    for ours, theirs in zip(result.model.get_weights(), shorter.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    load_epoch(result.model, tmp_path / epoch_file(4))
    for ours, theirs in zip(result.model.get_weights(), last, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_training_that_was_stopped_keeps_the_same_epochs(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fit(TOY, epochs_folder=whole)
    ended = []
    report = ended.append
    checkpoint = tmp_path / "checkpoint.npz"
    paused = fit(
        TOY,
        report,
        checkpoint=checkpoint,
        control=lambda: "pause" if any(isinstance(e, EpochEnded) for e in ended) else None,
        epochs_folder=parts,
    )
    assert paused.kept_epochs == [0, 1]
    result = fit(TOY, checkpoint=checkpoint, epochs_folder=parts)
    assert result.kept_epochs == [0, 1, 2, 3, 4]
    for epoch in range(5):
        ours, theirs = (weights_of(folder / epoch_file(epoch)) for folder in (parts, whole))
        assert ours.keys() == theirs.keys()
        assert all((ours[name] == theirs[name]).all() for name in ours)


def test_by_default_nothing_is_kept_and_the_same_is_trained(tmp_path):
    off = TOY.replace(keep_checkpoints=0)
    assert off.fingerprint() == TOY.fingerprint()
    result = fit(off.replace(epochs=1), epochs_folder=tmp_path)
    assert result.kept_epochs == [] and not list(tmp_path.iterdir())
    with pytest.raises(InvalidRecipeError, match="keep_checkpoints"):
        TOY.replace(keep_checkpoints=1000)


def test_of_a_fine_tuning_only_the_layers_that_train_are_kept(tmp_path):
    recipe = Recipe(
        model="compact_cnn",
        head=Head(),
        dataset="digits",
        per_class=None,
        train_size=64,
        phases=(Phase(train_from="head", epochs=1),),
        keep_checkpoints=3,
    )
    result = fit(recipe, epochs_folder=tmp_path)
    layers = {name.rpartition("/")[0] for name in weights_of(tmp_path / epoch_file(1))}
    trained = {layer.name for layer in result.model.layers if layer.trainable and layer.weights}
    assert layers == trained and len(layers) < sum(bool(x.weights) for x in result.model.layers)


def test_a_damaged_file_and_one_of_another_network_are_refused(tmp_path):
    result = fit(TOY.replace(epochs=1), epochs_folder=tmp_path)
    path = tmp_path / epoch_file(1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CorruptAssetError, match="does not fit the network"):
        load_epoch(result.model, path)
    name = result.model.layers[1].name
    np.savez(path, **{f"{name}/0": np.zeros((1, 1, 1, 1))})
    with pytest.raises(CorruptAssetError, match="does not fit the network"):
        load_epoch(result.model, path)
