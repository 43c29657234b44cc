"""A padded convolution and its gradients, in plain NumPy."""

from __future__ import annotations

import numpy as np


def convolve(stack: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The filters laid over every pixel, with zeros outside ("same"), as networks do it.

    Args:
        stack: float (images, height, width, maps in).
        kernel: float (size, size, maps in, maps out), size odd.

    Returns:
        (images, height, width, maps out).
    """
    return apply(windows(stack, len(kernel)), kernel, stack.shape[:3])


def convolve_back(slope: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What a change of the input does to the loss, (images, height, width, maps in).

    That is a convolution too: with the filters turned by 180°, maps in and out exchanged.

    Args:
        slope: d loss / d output, (images, height, width, maps out).
        kernel: as for `convolve`.
    """
    return convolve(slope, kernel[::-1, ::-1].swapaxes(2, 3))


def kernel_slope(seen: np.ndarray, slope: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What a change of the filters does to the loss, of the kernel's shape.

    Args:
        seen: `windows` of the convolution's input.
        slope: d loss / d output, (images, height, width, maps out).
        kernel: as for `convolve`.
    """
    return (seen.T @ slope.reshape(-1, slope.shape[-1])).reshape(kernel.shape)


def apply(seen: np.ndarray, kernel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The convolution, where its `windows` are known: (*shape, maps out)."""
    return (seen @ kernel.reshape(-1, kernel.shape[-1])).reshape(*shape, kernel.shape[-1])


def windows(stack: np.ndarray, size: int) -> np.ndarray:
    """What the filters see at every pixel: (images · height · width, size · size · maps)."""
    count, height, width, maps = stack.shape
    rim = size // 2
    padded = np.zeros((count, height + 2 * rim, width + 2 * rim, maps), stack.dtype)
    padded[:, rim : rim + height, rim : rim + width] = stack
    shifted = [padded[:, i : i + height, j : j + width] for i in range(size) for j in range(size)]
    return np.concatenate(shifted, axis=-1).reshape(-1, size * size * maps)
