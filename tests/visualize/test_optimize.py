"""The loop: it ascends, can be steered, repeats, and survives what is not finite."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.errors import DivergedError, IncompatibleError, UnknownLayerError
from cnnkit.visualize import (
    channel,
    class_logit,
    class_margin,
    class_probability,
    direction,
    diversity,
    guide,
    l2,
    layer_energy,
    lp_norm,
    neuron,
    optimizers,
    parametrizations,
    registry,
    regularizers,
    total_variation,
    transforms,
)
from cnnkit.visualize.optimize import Maximization, maximize
from cnnkit.visualize.plan import Plan, noise
from cnnkit.visualize.presets import PRESETS, get
from cnnkit.visualize.step import CompiledSteps

SGD = optimizers.sgd(20.0, normalized="rms")


@pytest.fixture(scope="module")
def engines(small):
    return CompiledSteps(small)


def optimize(engines, objective, steps=4, **changes):
    plan = Plan(objective=objective, steps=steps, **({"optimizer": SGD} | changes))
    return list(maximize(engines, plan))


def total(step, plan_terms):
    return sum(weight * step.values[str(term)].sum() for weight, term in plan_terms)


@pytest.mark.parametrize(
    "objective",
    [
        class_logit(3),
        class_probability(3),
        class_margin(3),
        channel("conv1", 2),
        channel("logits", 1),
        neuron("conv2", 1),
        direction("conv2", [1, -1, 0, 0, 2, 0]),
        layer_energy("conv1"),
        class_logit(3) - 0.5 * class_logit(1),
        channel("conv1", 0) + 2 * channel("conv2", 3),
        -1 * total_variation(2),
        -1 * lp_norm(6),
        -1 * l2(127),
    ],
    ids=str,
)
def test_three_steps_raise_the_score_of_every_objective(engines, objective):
    steps = optimize(engines, objective, optimizer=optimizers.sgd(2.0, normalized="rms"))
    assert total(steps[3], objective.terms) > total(steps[0], objective.terms)


def test_diversity_makes_a_batch_differ(engines):
    steps = optimize(engines, channel("conv1", 2) + 5 * diversity("conv1"), images=3, steps=10)
    assert steps[-1].values["diversity(conv1)"].mean() > steps[0].values["diversity(conv1)"].mean()


def test_a_guide_draws_an_image_towards_another(small, images):
    plan = Plan(objective=guide("conv1", "other"), steps=5, optimizer=SGD)
    steps = list(maximize(small, plan, guides={"other": images[:1]}))
    name = "guide(conv1)"
    assert steps[-1].values[name] > steps[0].values[name]
    with pytest.raises(IncompatibleError, match="not given. There are: none"):
        next(maximize(small, plan))


@pytest.mark.parametrize(
    "parametrization",
    [
        parametrizations.pixels(bounds="clip"),
        parametrizations.pixels(bounds="sigmoid", decorrelated=True),
        parametrizations.fourier(),
    ],
    ids=str,
)
def test_every_parametrization_ascends_within_the_range(engines, parametrization):
    start = noise(0.05, shape="stored") if parametrization.kind == "fourier" else noise()
    steps = optimize(
        engines,
        class_logit(3),
        12,
        parametrization=parametrization,
        start=start,
        optimizer=optimizers.adam(0.5 if "sigmoid" in str(parametrization) else 20.0),
    )
    assert steps[-1].values["class_logit(unit=3)"] > steps[0].values["class_logit(unit=3)"]
    assert steps[-1].images.min() >= 0 and steps[-1].images.max() <= 255


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs_and_ascends(engines, name):
    preset = get(name).for_field((3, 3))  # its penalties may be made for larger activations
    changes = (
        {"transforms": (transforms.pad(2), transforms.jitter(1), transforms.crop(2))}
        if (preset.transforms)
        else {}
    )
    # The papers' steps are made for networks of other sizes; here the direction counts.
    plan = preset.plan(class_logit(3), steps=6, **changes)
    steps = [*maximize(engines, plan)]
    assert np.isfinite(steps[-1].images).all()
    terms = plan.objective.terms
    assert total(steps[-1], terms) > total(steps[0], terms) - 0.05


def test_a_batch_ascends_a_unit_for_each_image_as_it_would_alone(engines):
    together = optimize(engines, class_logit([0, 1, 2]), images=3)[-1].images
    plan = Plan(objective=class_logit(1), optimizer=SGD)
    begun = (
        CompiledSteps(engines.model)
        .get(plan.turned({}))
        .begin(Plan(objective=class_logit(1), images=1))
    )
    noises = engines.get(Plan(objective=class_logit([0, 1, 2]), images=3, optimizer=SGD)).begin(
        Plan(objective=class_logit([0, 1, 2]), images=3)
    )
    assert begun.stored.shape[0] == 1
    alone = Maximization(engines, plan, images=noises.stored.numpy()[1:2])
    for _ in range(4):
        last = alone.step()
    np.testing.assert_allclose(last.images[0], together[1], atol=0.05)


def test_the_same_seed_gives_the_same_image_and_another_does_not(engines):
    def image(seed):
        parts = (transforms.jitter(2), transforms.rotate(5))
        return optimize(engines, class_logit(1), seed=seed, transforms=parts)[-1].images

    np.testing.assert_array_equal(image(5), image(5))
    assert not np.allclose(image(5), image(6))


def test_gray_networks_get_gray_images():
    keras.utils.set_random_seed(2)
    image = keras.Input((12, 12, 1))
    x = keras.layers.Conv2D(3, 3, activation="tanh", name="conv")(image)
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    for preset in ("lucid", "post_total_variation"):
        plan = get(preset).plan(class_logit(1), steps=2)
        plan = Plan.from_dict({**plan.to_dict(), "transforms": []})
        assert list(maximize(model, plan))[-1].images.shape == (1, 12, 12, 1)


# Steering


def test_turning_a_number_goes_on_from_the_image_and_compiles_nothing(engines):
    plan = Plan(objective=class_logit(2) - 0 * total_variation(), optimizer=SGD)
    running = Maximization(engines, plan)
    before = [running.step() for _ in range(3)]
    graphs = running.engine._step.experimental_get_tracing_count()
    running.steer(
        {
            "objective.total_variation.weight": -1000,
            "objective.total_variation.beta": 1.5,
            "optimizer.learning_rate": 5,
        }
    )
    after = [running.step() for _ in range(10)]
    assert running.engine._step.experimental_get_tracing_count() == graphs == 1
    assert after[0].number == 4
    variations = [step.values["total_variation(beta=1.5)"][0] for step in after]
    assert variations[-1] < 0.8 * variations[0]
    moved = np.abs(after[0].images - before[-1].images).max()
    assert moved < np.abs(before[-1].images - 128).max()


def test_adam_makes_the_steps_of_kerass_adam(small, images):
    # So large that no epsilon counts, which Keras adds elsewhere.
    plan = Plan(objective=1e4 * class_logit(3), optimizer=optimizers.adam(5.0))
    running = Maximization(small, plan, images=images[:1])
    image, reference = keras.Variable(images[:1]), keras.optimizers.Adam(5.0)
    for number in range(1, 6):
        with tf.GradientTape() as tape:
            loss = -1e4 * small(image.value)[0, 3]
        reference.apply([tape.gradient(loss, image.value)], [image])
        step = running.step()
        np.testing.assert_allclose(step.images, image, atol=0.1, err_msg=f"after step {number}")
    assert np.abs(step.images - images[:1]).max() > 5


def test_going_back_to_a_step_repeats_what_came_after_it(engines):
    plan = Plan(objective=class_logit(2), transforms=(transforms.jitter(3),), optimizer=SGD)
    running = Maximization(engines, plan)
    steps = [running.step() for _ in range(5)]
    running.go_back(steps[1].state)
    again = [running.step() for _ in range(3)]
    assert [step.number for step in again] == [3, 4, 5]
    np.testing.assert_array_equal(again[-1].images, steps[-1].images)


def test_what_cannot_be_steered_is_refused_and_nothing_changes(engines):
    running = Maximization(engines, Plan(objective=class_logit(2), optimizer=SGD))
    with pytest.raises(ValueError, match="No number"):
        running.steer({"objective.l2.weight": 1})
    with pytest.raises(IncompatibleError, match="5 units, 0 to 4. Received: 7"):
        running.steer({"objective.class_logit.unit": (7.0,)})
    with pytest.raises(IncompatibleError, match="Every weight is 0"):
        running.steer({"objective.class_logit.weight": 0})
    assert running.plan.numbers()["objective.class_logit.unit"] == (2.0,)
    running.step()


# Bad input


def test_an_unknown_layer_lists_those_there_are(small):
    with pytest.raises(UnknownLayerError, match="conv1, conv2, flatten, logits"):
        Maximization(small, Plan(objective=channel("conv9", 0)))


@pytest.mark.parametrize("unit", [4, -1, 1.5])
def test_a_filter_that_is_not_there_is_refused(unit, small):
    message = f"Layer 'conv1' has 4 units, 0 to 3. Received: {unit}"
    with pytest.raises(IncompatibleError, match=message):
        Maximization(small, Plan(objective=channel("conv1", unit)))


def test_an_image_too_small_for_the_network_is_refused(small):
    with pytest.raises(IncompatibleError, match="conv2.*cannot take an input"):
        Maximization(small, Plan(objective=channel("conv2", 0), size=(5, 5)))


def test_weights_all_zero_are_refused(small):
    with pytest.raises(IncompatibleError, match="Every weight is 0"):
        Maximization(small, Plan(objective=0 * class_logit(1)))


def test_a_layer_without_gradient_is_refused():
    image = keras.Input((8, 8, 3))
    steps = keras.layers.Conv2D(2, 3, name="conv")(image)
    rounded = keras.ops.cast(keras.ops.cast(steps, "int32"), "float32")
    model = keras.Model(image, keras.layers.Flatten(name="flat")(rounded))
    with pytest.raises(IncompatibleError, match="No gradient comes through 'flat'"):
        next(maximize(model, Plan(objective=channel("flat", 1))))


def test_images_of_another_shape_are_refused(small, images):
    with pytest.raises(IncompatibleError, match=r"\(1, 16, 16, 3\). Received: \(3, 16, 16, 3\)"):
        Maximization(small, Plan(objective=class_logit(1)), images=images)


# Guard rails


@pytest.fixture
def literal_norm(monkeypatch):
    """An Lp norm as the formula says it, which has no gradient at zero."""

    def literal(image, p):
        return tf.pow(tf.reduce_sum(tf.pow(tf.abs(image), p), (1, 2, 3)), 1 / p)

    changed = dataclasses.replace(registry.definition("lp_norm"), compute=literal)
    monkeypatch.setitem(registry.DEFINITIONS, "lp_norm", changed)
    return literal


def test_without_a_guard_the_literal_formula_gives_nan_on_an_image_of_zeros(literal_norm, small):
    image = tf.zeros((1, 16, 16, 3))
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = small(image)[0, 1] - 10 * literal_norm(image, tf.constant(6.0))[0]
    image += tape.gradient(value, image)
    assert np.isnan(image.numpy()).all()


def test_the_guard_names_the_guilty_term_and_goes_on(literal_norm, small):
    plan = Plan(objective=class_logit(1) - 10 * lp_norm(6), optimizer=SGD)
    running = Maximization(small, plan, images=np.zeros((1, 16, 16, 3)))
    first = running.step()
    assert "lp_norm(p=6) has no finite value or gradient" in first.notes[0]
    assert np.isfinite(first.images).all()
    later = [running.step() for _ in range(3)]
    assert not later[-1].notes  # away from zero it counts again
    assert later[-1].values["class_logit(unit=1)"] > first.values["class_logit(unit=1)"]


def test_a_step_too_large_is_made_smaller_and_grows_again(engines):
    plan = Plan(objective=class_logit(1), optimizer=optimizers.sgd(3e38, normalized="rms"))
    running = Maximization(engines, plan)
    first = running.step()
    assert np.isfinite(first.images).all() and first.rates < 1
    assert "led out of the finite numbers" in first.notes[0]
    running.steer({"optimizer.learning_rate": 1.0})
    running.state = running.engine.begin(plan)
    steps = [running.step() for _ in range(120)]
    assert steps[-1].rates == 1 and not steps[-1].notes


def test_going_back_to_a_step_makes_whole_steps_again(engines):
    plan = Plan(objective=class_logit(1), optimizer=optimizers.sgd(1.0, normalized="rms"))
    running = Maximization(engines, plan)
    good = running.step()
    running.steer({"optimizer/learning_rate": 3e38})
    assert running.step().rates < 1
    running.steer({"optimizer/learning_rate": 1.0})
    running.go_back(good.state)
    assert running.step().rates == 1


def test_with_nothing_finite_left_it_says_so(literal_norm, small):
    plan = Plan(objective=-10 * lp_norm(6), optimizer=SGD)
    running = Maximization(small, plan, images=np.zeros((1, 16, 16, 3)))
    with pytest.raises(DivergedError, match=r"Step 1 cannot be made: lp_norm\(p=6\)"):
        running.step()


def test_relus_that_are_off_are_noticed_and_warmed_up():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(
        2,
        3,
        activation="relu",
        name="conv",
        kernel_initializer="glorot_uniform",
        bias_initializer=keras.initializers.Constant(-400.0),
    )(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D(name="mean")(x))
    plan = Plan(objective=channel("conv", 1), optimizer=optimizers.sgd(60.0, normalized="rms"))
    running = Maximization(model, plan)
    steps = [running.step() for _ in range(12)]
    assert steps[0].gradient_norm == 0
    assert (
        "the units on the way are off or saturated; their ReLUs let the gradient through"
        in steps[0].notes[0]
    )
    assert steps[-1].gradient_norm > 0 and not steps[-1].notes
    assert steps[-1].values["channel(conv, unit=1)"] > 0


@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_a_unit_that_is_off_ascends_as_if_it_had_no_relu(activation):
    """Warming lets nothing through the ReLUs below it that the unit itself does not see."""

    def network(last):
        image = keras.Input((8, 8, 3))
        x = keras.layers.Conv2D(6, 3, activation="relu", name="below")(image)
        x = keras.layers.Conv2D(2, 3, name="before")(x)
        return keras.Model(image, keras.layers.Activation(last, name="unit")(x))

    keras.utils.set_random_seed(0)
    off, linear = network(activation), network("linear")
    off.get_layer("before").bias.assign([-1e4, -1e4])
    linear.set_weights(off.get_weights())
    plan = Plan(objective=channel("unit", 1), optimizer=optimizers.sgd(5.0, normalized="rms"))
    warmed, wanted = (Maximization(each, plan).step() for each in (off, linear))
    assert warmed.gradient_norm == 0 and wanted.gradient_norm > 0
    np.testing.assert_allclose(warmed.images, wanted.images, atol=1e-3)


def test_every_operator_does_what_it_says(images):
    batch, gradient = tf.constant(images), tf.constant(images[::-1] - 100)

    def after(part, number=4):
        numbers = {k: tf.constant(v, tf.float32) for k, v in part.numbers.items()}
        compute = registry.definition(part.kind).compute
        return compute(batch, gradient, tf.constant(number), **numbers).numpy()

    np.testing.assert_allclose(
        after(regularizers.decay(0.3)), 127.5 + 0.7 * (images - 127.5), rtol=1e-5
    )
    from scipy.ndimage import gaussian_filter1d

    blurred = gaussian_filter1d(images, 1.0, axis=1, mode="mirror", truncate=16)
    blurred = gaussian_filter1d(blurred, 1.0, axis=2, mode="mirror", truncate=16)
    np.testing.assert_allclose(after(regularizers.blur(1.0, 4)), blurred, atol=0.05)
    np.testing.assert_array_equal(after(regularizers.blur(1.0, 4), number=3), images)
    for part, measure in (
        (regularizers.clip_norm(50), np.linalg.norm(images - 127.5, axis=-1)),
        (
            regularizers.clip_contribution(50),
            np.abs(((images - 127.5) * gradient.numpy()).sum(-1)),
        ),
    ):
        gray = (after(part) == 127.5).all(-1)
        for n in range(3):
            expected = measure[n] < np.percentile(measure[n], 50)
            assert (gray[n] == expected).mean() > 0.99
        np.testing.assert_array_equal(after(registry.definition(part.kind).neutral()), images)
