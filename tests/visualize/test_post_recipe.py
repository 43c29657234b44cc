"""The post's recipe, written down a second time from its published formulas."""

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize.objectives import channel, class_logit
from cnnkit.visualize.optimize import maximize
from cnnkit.visualize.presets import get
from cnnkit.visualize.step import CompiledStep

EPSILON = 1e-7


def post(model, layer, unit, x, loops, lp_weight, tv_weight, softmax=False):
    """visualize_filter of the post: the images after each of its loops."""
    outputs = model.output if layer == "predictions" else model.get_layer(layer).output
    inner = type(model)(model.inputs, outputs)
    cache = np.zeros_like(x)
    found = []
    for _ in range(loops):
        image = tf.constant(x, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            answer = inner(image)
            if layer == "predictions":
                answer = tf.nn.softmax(answer) if softmax else answer
                activation = tf.reduce_mean(answer[:, unit])
            else:
                activation = tf.reduce_mean(answer[:, :, :, unit])
            size = np.prod(x.shape[1:])
            lp = tf.pow(tf.reduce_sum(tf.pow(tf.abs(image), 6.0)), 1.0 / 6.0)
            activation -= lp_weight * lp / size
            a = tf.square(image[:, 1:, :-1, :] - image[:, :-1, :-1, :])
            b = tf.square(image[:, :-1, 1:, :] - image[:, :-1, :-1, :])
            activation -= tv_weight * tf.reduce_sum(tf.pow(a + b, 1.0)) / size
        grads = tape.gradient(activation, image).numpy().astype("float64")
        grads /= np.sqrt(np.mean(np.square(grads))) + EPSILON
        cache = 0.95 * cache + (1 - 0.95) * grads**2
        x = x + grads / np.sqrt(cache + EPSILON)
        found.append(x.copy())
    return found


@pytest.mark.parametrize(
    ("preset", "objective", "layer", "weights", "softmax"),
    [
        ("post_naive", class_logit(3), "predictions", (0, 0), True),
        ("post_linear", class_logit(3), "predictions", (0, 0), False),
        ("post_lp", class_logit(3), "predictions", (10, 0), False),
        ("post_total_variation", class_logit(3), "predictions", (10, 10), False),
        ("post_total_variation", channel("conv2", 5), "conv2", (10, 10), False),
    ],
)
def test_its_first_ten_steps_are_those_of_the_preset(
    small, preset, objective, layer, weights, softmax
):
    plan = get(preset).plan(objective, seed=4)
    start = CompiledStep(small, plan).begin(plan).stored.numpy().astype("float64")
    assert start.min() >= 118 and start.max() <= 138
    expected = post(small, layer, 3 if layer == "predictions" else 5, start, 10, *weights, softmax)
    steps = [step for step, _ in zip(maximize(small, plan), range(10), strict=False)]
    for step, image in zip(steps, expected, strict=True):
        np.testing.assert_allclose(step.images, image, atol=0.02)
