import numpy as np

from cnnkit.training import Augmentation, Recipe
from cnnkit.training.pipeline import BatchStream, StoredRows


def epoch(batches, number):
    batches.begin(number)
    return [labels.numpy() for _, labels in batches.dataset()]


def make(count=50, **changes):
    recipe = Recipe(model="toy_cnn", batch_size=8, seed=5).replace(**changes)
    return BatchStream(np.zeros((count, 4, 4, 1), np.uint8), np.arange(count), recipe)


def test_each_pass_shows_every_image_once_in_another_order():
    batches = make()
    first, second = (np.concatenate(epoch(batches, n)) for n in (0, 1))
    assert sorted(first) == sorted(second) == list(range(50))
    assert (first != second).any() and (first != np.arange(50)).any()


def test_an_epoch_is_the_same_however_often_and_whenever_it_is_read():
    whole = make()
    expected = [np.concatenate(epoch(whole, n)) for n in range(4)]
    late = make()
    np.testing.assert_array_equal(np.concatenate(epoch(late, 3)), expected[3])
    np.testing.assert_array_equal(np.concatenate(epoch(late, 1)), expected[1])


def test_no_tuner_runs_whose_naps_the_next_epoch_would_wait_for():
    assert make().dataset().options().autotune.enabled is False


def test_epochs_of_any_length_continue_one_stream_of_passes():
    passes = make(drop_remainder=True)
    stream = [batch.tolist() for n in range(6) for batch in epoch(passes, n)]
    short = make(drop_remainder=True, steps_per_epoch=4)
    again = [batch.tolist() for n in range(9) for batch in epoch(short, n)]
    assert again == stream[: len(again)]
    long = make(drop_remainder=True, steps_per_epoch=15)
    assert [b.tolist() for n in range(2) for b in epoch(long, n)] == stream[:30]


def test_the_remainder_is_a_smaller_batch_or_left_out():
    assert [len(batch) for batch in epoch(make(), 0)] == [8] * 6 + [2]
    assert [len(batch) for batch in epoch(make(drop_remainder=True), 0)] == [8] * 6


def test_without_shuffling_the_order_is_the_data_sets():
    batches = make(shuffle=False)
    for number in (0, 1):
        np.testing.assert_array_equal(np.concatenate(epoch(batches, number)), np.arange(50))


def test_the_seed_decides_the_order():
    first, other = (np.concatenate(epoch(make(seed=s), 0)) for s in (1, 2))
    assert (first != other).any()


def test_augmentation_is_a_function_of_the_batch():
    images = np.random.default_rng(0).integers(0, 256, (50, 12, 12, 1), np.uint8)
    recipe = Recipe(model="toy_cnn", batch_size=8, augmentation=Augmentation(shift=2, elastic=1))
    first, again = (BatchStream(images, np.arange(50), recipe) for _ in range(2))
    for batches in (first, again):
        batches.begin(2)
    pairs = zip(first.dataset(), again.dataset(), strict=True)
    for (one, _), (two, _) in pairs:
        np.testing.assert_array_equal(one, two)


def test_every_batch_of_every_epoch_is_augmented_in_another_way():
    noise = np.random.default_rng(0).integers(0, 256, (12, 12, 1), np.uint8)
    images = np.tile(noise, (32, 1, 1, 1))  # what differs was made by the augmentation
    recipe = Recipe(model="toy_cnn", batch_size=8, augmentation=Augmentation(shift=2))
    batches = BatchStream(images, np.arange(32), recipe)
    seen = []
    for number in (0, 1):
        batches.begin(number)
        seen += [changed.numpy().tobytes() for changed, _ in batches.dataset()]
    assert len(set(seen)) == len(seen) == 8


def test_the_seed_decides_the_augmentation():
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 1), np.uint8)
    seen = set()
    for seed in (1, 2):
        recipe = Recipe(model="toy_cnn", batch_size=8, shuffle=False, seed=seed)
        recipe = recipe.replace(augmentation=Augmentation(shift=2))
        batches = BatchStream(images, np.arange(8), recipe)
        batches.begin(0)
        seen |= {changed.numpy().tobytes() for changed, _ in batches.dataset()}
    assert len(seen) == 2


def test_images_from_a_file_make_the_same_batches_as_from_memory(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 6, 6, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    rows = np.arange(59, 9, -1)
    recipe = Recipe(model="toy_cnn", batch_size=8, augmentation=Augmentation(flip=True))
    settings = {"size": (4, 4), "weights": np.linspace(1, 2, 60), "classes": 60}
    streams = [
        BatchStream(source, np.arange(50), recipe, **settings)
        for source in (images[rows], StoredRows((mapped,), rows))
    ]
    for batches in streams:
        batches.begin(1)
    for one, other in zip(*(batches.dataset() for batches in streams), strict=True):
        assert one[0].shape[1:] == (4, 4, 3)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_mixed_labels_are_probabilities():
    recipe = Recipe(model="toy_cnn", batch_size=8, augmentation=Augmentation(mixup=0.5))
    batches = BatchStream(np.zeros((50, 4, 4, 1), np.uint8), np.arange(50) % 5, recipe, classes=5)
    batches.begin(0)
    for _, labels in batches.dataset():
        assert labels.shape[1] == 5
        np.testing.assert_allclose(np.sum(labels, axis=1), 1, rtol=1e-5)
