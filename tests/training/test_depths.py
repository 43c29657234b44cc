import pytest

from cnnkit.models import load_without_top
from cnnkit.training import Augmentation, FreezableNetwork, Head, Phase, Recipe, list_depths
from cnnkit.training.estimates import estimate_time
from cnnkit.training.network import image_seconds, network_depths, with_head


@pytest.fixture(scope="module")
def vgg16():
    return list_depths("vgg16", size=150, head=Head(kind="flatten", units=256, dropout=0.5))


def test_the_depths_of_vgg16_are_its_blocks_from_the_top_down(vgg16):
    names = [depth.train_from for depth in vgg16]
    assert names == ["head", "block5", "block4", "block3", "block2", "block1", "all"]
    trainable = [depth.trainable for depth in vgg16]
    assert trainable[:2] == [2_101_777, 9_181_201] and trainable[-1] == 16_816_465
    assert trainable == sorted(trainable)
    assert {depth.parameters for depth in vgg16} == {16_816_465}


def test_what_is_frozen_and_what_works_make_up_the_network(vgg16):
    assert len({depth.macs for depth in vgg16}) == 1
    frozen = [depth.frozen_macs for depth in vgg16]
    assert frozen == sorted(frozen, reverse=True) and frozen[-2:] == [0, 0]
    assert vgg16[0].feature_bytes == 2 * 4 * 4 * 512
    assert vgg16[1].feature_bytes == 2 * 9 * 9 * 512 and vgg16[-1].feature_bytes == 0


def test_time_is_the_share_of_the_work(vgg16):
    known = {depth.train_from: depth for depth in vgg16}
    recipe = Recipe(model="vgg16", head=Head(), phases=(Phase(train_from="block5", epochs=10),))
    cached = estimate_time(recipe, known, (1000, 100, 0), 0.1)
    plain = estimate_time(recipe.replace(cached=False), known, (1000, 100, 0), 0.1)
    block5 = known["block5"]
    share = block5.frozen_macs / block5.macs
    assert cached.features == pytest.approx(1100 * 0.1 * share)
    assert plain.features == 0
    assert plain.training - cached.training == pytest.approx(10 * cached.features)
    everything = recipe.replace(phases=(Phase(train_from="all", epochs=1),))
    assert estimate_time(everything, known, (1000, 100, 0), 0.1).seconds == pytest.approx(310)
    tested = estimate_time(recipe, known, (1000, 100, 50), 0.1)
    assert tested.training - cached.training == pytest.approx(5)


def test_each_cached_variant_takes_its_time(vgg16):
    known = {depth.train_from: depth for depth in vgg16}
    flips = Augmentation(flip=True)
    recipe = Recipe(
        model="vgg16",
        head=Head(),
        phases=(Phase(train_from="block5", epochs=10),),
        augmentation=flips,
        variants=4,
    )
    plain = estimate_time(recipe.replace(variants=1), known, (1000, 100, 0), 0.1)
    varied = estimate_time(recipe, known, (1000, 100, 0), 0.1)
    assert varied.features / plain.features == pytest.approx(4100 / 1100)
    assert varied.training == plain.training, "a step takes one variant of each image"
    still = recipe.replace(augmentation=Augmentation())
    assert estimate_time(still, known, (1000, 100, 0), 0.1) == plain, "variants are of augmentation"


def test_a_network_that_is_there_has_the_same_depths_and_a_speed():
    network = FreezableNetwork(
        with_head(load_without_top("mobilenet_v2", weights=None, size=64), Head(), 17)
    )
    assert network_depths(network) == list_depths("mobilenet_v2", size=64)
    assert image_seconds(network) > 0
