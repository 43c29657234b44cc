"""The architecture of a network: every layer in it once, side by side what stands side by side."""

from __future__ import annotations

import keras
import pytest

from cnnkit.anatomy import Fork, architecture, graph_layout, layer_table
from cnnkit.models import list_pretrained, open_architecture, without_weights

layers = keras.layers
SMALL = ("lenet5", "alexnet", "vgg16", "googlenet", "squeezenet", "toy_cnn", "softmax_regression")
FAMOUS = ("resnet50", "mobilenet_v2", "densenet121", "inception_v3", "efficientnet_b0", "xception")


def anatomy(name, **options):
    return layer_table(open_architecture(name, options))


def blocks_of(found):
    return [block for resolution in architecture(found).resolutions for block in resolution.blocks]


def edges(parts, before):
    """Who reads from whom, if the parts are right: pairs of numbers."""
    found = set()
    for part in parts:
        if isinstance(part, Fork):
            ends = set()
            for branch in part.branches:
                inner, last = edges(branch, before)
                found |= inner
                ends |= last if branch else before
            if part.merge is not None:
                found |= {(end, part.merge) for end in ends}
                ends = {part.merge}
            before = ends
        else:
            found |= {(source, part) for source in before}
            before = {part}
    return found, before


@pytest.mark.parametrize("name", [*SMALL, *FAMOUS])
def test_the_outline_says_exactly_who_reads_from_whom(name):
    found = anatomy(name)
    laid, _ = edges(graph_layout(found).parts, set())
    real = {(source, n) for n, row in enumerate(found.rows) for source in row.inputs}
    assert laid == real


@pytest.mark.parametrize("name", [*FAMOUS, "nasnet_mobile", "convnext_tiny", "googlenet"])
def test_every_layer_is_in_one_block_and_the_totals_are_the_networks(name):
    found = anatomy(name)
    drawn = architecture(found)
    blocks = [*blocks_of(found), *drawn.heads]
    assert sum(block.macs for block in blocks) == found.macs
    assert sum(block.parameters for block in blocks) == found.parameters
    assert len(blocks) < 25


def test_residual_blocks_are_seen_without_their_names():
    def renamed(layer):
        return layers.Conv2D(8, 3, padding="same")(layer)

    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same")(image)
    for _ in range(3):
        x = layers.Add()([x, renamed(layers.ReLU()(renamed(x)))])
    x = layers.Dense(4)(layers.Flatten()(x))
    blocks = blocks_of(layer_table(keras.Model(image, x)))
    assert [block.kind for block in blocks] == ["input", "convolution", "residual", "dense"]
    (fork,) = (part for part in blocks[2].parts if isinstance(part, Fork))
    assert blocks[2].repeats == 3 and fork.straight and len(fork.branches) == 2


def test_resnet_has_the_blocks_of_its_table():
    found = [block for block in blocks_of(anatomy("resnet", depth=101)) if block.kind == "residual"]
    assert [block.repeats for block in found] == [1, 2, 1, 3, 1, 22, 1, 2]
    assert found[5].names[0] == "conv4_block2" and found[5].names[-1] == "conv4_block23"
    plain = blocks_of(anatomy("resnet", depth=101, skips=False))
    assert all(block.kind != "residual" for block in plain)


def test_an_inception_module_has_four_branches_in_the_order_of_the_paper():
    found = anatomy("googlenet")
    (module,) = (block for block in blocks_of(found) if block.names[0] == "inception_3a")
    (fork,) = (part for part in module.parts if isinstance(part, Fork))
    first = [found.rows[branch[0]].name.removeprefix("inception_3a_") for branch in fork.branches]
    assert first == ["1x1", "3x3_reduce", "5x5_reduce", "pool"]
    assert module.kind == "branches" and not fork.straight


def test_auxiliary_classifiers_stand_apart_from_the_way_to_the_logits():
    with_heads, without = anatomy("googlenet", auxiliary=True), anatomy("googlenet")
    drawn = architecture(with_heads)
    assert sorted(head.names[0] for head in drawn.heads) == ["auxiliary1", "auxiliary2"]
    assert len(blocks_of(with_heads)) == len(blocks_of(without))
    assert with_heads.rows[with_heads.output].name == "logits"


def test_bands_are_as_large_as_their_maps():
    resolutions = architecture(anatomy("vgg16")).resolutions
    assert [resolution.size for resolution in resolutions] == [
        (2**n * 7,) * 2 for n in range(5, -1, -1)
    ] + [()]


def test_dense_connections_count_as_alike_though_their_maps_grow():
    found = [b for b in blocks_of(anatomy("densenet121")) if b.kind == "dense connection"]
    assert [block.repeats for block in found] == [6, 12, 24, 16]


def test_cells_that_read_the_one_before_the_last_are_not_drawn_apart():
    kinds = [block.kind for block in blocks_of(anatomy("nasnet_mobile"))]
    assert kinds.count("cell") >= 12


def test_a_layer_read_by_its_neighbor_and_by_the_end_of_the_fork_is_no_cut():
    image = keras.Input((8, 8, 2))
    a = layers.Conv2D(2, 1, name="a")(image)
    b = layers.Conv2D(2, 1, name="b")(a)
    c = layers.Conv2D(2, 1, name="c")(b)
    x = layers.Add(name="end")([image, b, c])
    found = layer_table(without_weights(lambda: keras.Model(image, x)))
    laid, _ = edges(graph_layout(found).parts, set())
    real = {(source, n) for n, row in enumerate(found.rows) for source in row.inputs}
    assert laid == real


@pytest.mark.parametrize("name", list_pretrained()[:3])
def test_every_row_says_what_it_does_and_whom_it_reads(name):
    for number, row in enumerate(anatomy(name).rows):
        assert row.detail and all(source < number for source in row.inputs)
        assert bool(row.inputs) == (row.kind != "InputLayer")
