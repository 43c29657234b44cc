"""Dense layers, activations and the other layers without a window."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import Layer


class Dense(Layer):
    """Each unit is a weighted sum of all inputs, and a bias.

        y[o] = b[o] + Σ_i x[i] · W[i, o]

    Backward, the deltas are multiplied by the transposed weights; the gradient of a weight
    is its input times the delta of its unit:

        input_delta[i] = Σ_o δ[o] · W[i, o]        ΔW[i, o] = x[i] · δ[o]        Δb[o] = δ[o]

    With several images, ΔW and Δb are summed over them.

    Args:
        name: of the layer.
        kernel: (inputs, units).
        bias: (units,), or None.

    Reference:
        Rumelhart, Hinton, Williams: Learning representations by back-propagating errors,
        1986.
    """

    kind = "dense"

    def __init__(self, name: str, kernel: np.ndarray, bias: np.ndarray | None = None):
        """Keep the weights."""
        super().__init__(name)
        self.parameters = {"kernel": kernel} | ({} if bias is None else {"bias": bias})

    def check(self, shape: tuple[int, ...]) -> None:
        """A vector of as many numbers as the kernel has rows."""
        inputs = len(self.parameters["kernel"])
        if shape != (inputs,):
            raise self.incompatible(f"a vector of {inputs:,} numbers", "×".join(map(str, shape)))

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """One matrix product."""
        y = x @ self.parameters["kernel"]
        return y + self.parameters["bias"] if "bias" in self.parameters else y

    def parameter_gradients(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """Transposed inputs times deltas."""
        gradients = {"kernel": self.input.T @ delta}
        return gradients | ({"bias": delta.sum(axis=0)} if "bias" in self.parameters else {})

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Deltas times the transposed weights."""
        return delta @ self.parameters["kernel"].T


class _Activation(Layer):
    """y = f(x) elementwise; backward, input_delta = δ · f'(x)."""

    def derivative(self) -> np.ndarray:
        """f'(x) at the last input, of its shape."""
        raise NotImplementedError

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Each delta times the derivative at its element."""
        return delta * self.derivative()


class ReLU(_Activation):
    """y = max(x, 0); f'(x) is 1 where x > 0, else 0."""

    kind = "ReLU"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Zero where x is negative."""
        return np.maximum(x, 0)

    def derivative(self) -> np.ndarray:
        """1 or 0; at 0 itself 0, as in TensorFlow."""
        return (self.output > 0).astype(self.output.dtype)


class Tanh(_Activation):
    """y = tanh x; f'(x) = 1 - y²: near ±1 the unit is saturated."""

    kind = "tanh"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Between -1 and 1."""
        return np.tanh(x)

    def derivative(self) -> np.ndarray:
        """1 - y²."""
        return 1 - self.output**2


class Sigmoid(_Activation):
    """y = 1 / (1 + e^-x); f'(x) = y (1 - y), at most a quarter."""

    kind = "sigmoid"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Between 0 and 1; written with tanh, whose exponential never overflows."""
        half = x.dtype.type(0.5)
        return half + half * np.tanh(half * x)

    def derivative(self) -> np.ndarray:
        """The derivative is y (1 - y)."""
        return self.output * (1 - self.output)


class Flatten(Layer):
    """Maps become one row: first pixel with all its channels, then the next.

    Backward, the row of deltas is folded back into the maps it came from. Nothing is
    computed in either direction.

    Reference:
        eijian: DeepLearning(4), 2017, section 2-1.
    """

    kind = "flatten"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """(images, numbers)."""
        return x.reshape(len(x), -1)

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """The fold."""
        return delta.reshape(self.input.shape)


class Scaling(Layer):
    """y = x · scale + offset, as a network does first with pixels of 0 to 255.

    Backward, input_delta = δ · scale.

    Args:
        name: of the layer.
        scale: one number, or one for each channel.
        offset: likewise.
    """

    kind = "scaling"

    def __init__(self, name: str, scale: np.ndarray | float, offset: np.ndarray | float = 0):
        """Keep both; they are not trained, so they are no parameters."""
        super().__init__(name)
        self.scale, self.offset = np.asarray(scale), np.asarray(offset)

    def check(self, shape: tuple[int, ...]) -> None:
        """Where there is a number for each channel, there must be as many channels."""
        channels = {values.shape[-1] for values in (self.scale, self.offset) if values.size > 1}
        if channels - {shape[-1]}:
            raise self.incompatible(f"{channels.pop()} channels", f"{shape[-1]}")

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Scaled, then moved."""
        return x * self.scale.astype(x.dtype) + self.offset.astype(x.dtype)

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Scaled alike."""
        return delta * self.scale.astype(delta.dtype)


class Dropout(Layer):
    """During training each number is set to zero with a probability; else nothing happens.

        y = x · mask,        mask = 0 with probability rate, else 1 / (1 - rate)

    Backward, input_delta = δ · mask.

    Args:
        name: of the layer.
        rate: probability, 0 to below 1.
        seed: of the masks (equal seeds, equal masks), or a generator to draw them from.

    Raises:
        ValueError: a rate outside 0 to below 1.

    Reference:
        Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout: A Simple Way to
        Prevent Neural Networks from Overfitting, 2014.
    """

    kind = "dropout"

    def __init__(self, name: str, rate: float, seed: int | np.random.Generator = 0):
        """Check the rate."""
        super().__init__(name)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be from 0 to below 1. Received: {rate!r}.")
        self.rate = rate
        self.mask: np.ndarray | None = None  # of the last input; None: nothing was dropped
        self._generator = np.random.default_rng(seed)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """With a new mask during training."""
        self.mask = None
        if not training:
            return x
        mask = self._generator.random(x.shape) >= self.rate
        self.mask = mask.astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * self.mask

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Through the same mask."""
        return delta if self.mask is None else delta * self.mask
