"""Dividing images at random into three parts, class by class, the same way every time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cnnkit.errors import IncompatibleError

SHARE = 0.15  # of each class, for validation and as much for the test
LEAST = 3  # images of a class from which all three parts have one


@dataclass(frozen=True, kw_only=True)
class Split:
    """How to divide.

    Args:
        seed: the same one draws the same parts.
        test: images of each class for the test; None: a share of it.
        validation: images of all classes together; None: `usual`.
        usual: the same where none are asked for; None: a share of each class.
        train: images of all classes together; None: all that are left.
        per_class: images of each class to learn from, at most; None: all. Fewer are
            always among more, so that curves over their number compare like with like.
        adapt: put the usual validation set, and all that is left for training, in the place
            of numbers that do not fit, instead of refusing them.
    """

    seed: int = 0
    test: int | None = None
    validation: int | None = None
    usual: int | None = None
    train: int | None = None
    per_class: int | None = None
    adapt: bool = False


def part_sizes(
    images: int, validation: int | None, train: int | None, *, adapt: bool = False
) -> tuple[int, int]:
    """How many images go to validation and how many are left to train on.

    Args:
        images: in the published training set.
        validation: asked for; None: a sixth.
        train: asked for; None: all that are left.
        adapt: a validation set that leaves nothing to train on becomes a sixth, and a training
            set that is too large becomes all that are left.

    Returns:
        (validation, train). Without `adapt` they may be more than there are, or none.
    """
    if validation is None or (adapt and validation >= images):
        validation = images // 6
    left = images - validation
    if train is None or (adapt and train > left):
        train = left
    return validation, train


def cannot_divide(
    title: str, images: int, validation: int | None, train: int | None, per_class: int | None = None
) -> IncompatibleError:
    """The error of sizes that do not fit; it repeats what was asked for, and computes nothing."""

    def words(size: int | None, usual: str) -> str:
        return usual if size is None else f"{size:,}" if size > 0 else "none"

    limit = "" if per_class is None else f", at most {words(per_class, '')} of each class,"
    return IncompatibleError(
        f"{title} has {images:,} images outside the test set, which cannot be split into "
        f"{words(train, 'all others')} for training{limit} and "
        f"{words(validation, 'the usual share')} for validation. "
        "Ask for fewer, or leave the sizes out."
    )


def divide(
    labels: np.ndarray, pixel_groups: np.ndarray, split: Split, title: str
) -> dict[str, np.ndarray]:
    """Indices of each part, ascending.

    The test part depends on the seed alone, so that it stays untouched whatever is chosen
    for the others. Images with the same pixels stay on one side; where their classes
    differ as well, they are only in the training set. A class of fewer than three is not tested.

    Args:
        labels: int64 (images,).
        pixel_groups: int64 (images,), equal for the same pixels.
        split: how.
        title: of the data set, for messages.

    Raises:
        IncompatibleError: the sizes asked for are more than there are.
    """
    if split.seed < 0:
        raise IncompatibleError(f"A split seed is a number from 0 on. Received: {split.seed}.")
    orders = _orders(labels, pixel_groups, split.seed)
    tests = [_tested(order, split.test) for order in orders]
    rest = [order[len(test) :] for order, test in zip(orders, tests, strict=True)]
    if split.adapt:
        split = _adapted(split, rest, orders)
    held = _validation(rest, orders, split)
    pool = [order[count:] for order, count in zip(rest, held, strict=True)]
    chosen = _train(pool, split)
    train = [order[:count] for order, count in zip(pool, chosen, strict=True)]
    if split.train is None and split.per_class is None:
        train.append(_contradictory(labels, pixel_groups))
    _check(split, title, sum(map(len, rest)), sum(held), sum(map(len, train)))
    return {
        "train": _together(train),
        "validation": _together([order[:count] for order, count in zip(rest, held, strict=True)]),
        "test": _together(tests),
    }


def _orders(labels: np.ndarray, pixel_groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """The images of each class in random order; of the same pixels only the first."""
    _, first = np.unique(pixel_groups, return_index=True)
    free = np.setdiff1d(first, _contradictory(labels, pixel_groups))
    return [
        np.random.default_rng([seed, k]).permutation(free[labels[free] == k])
        for k in range(int(labels.max()) + 1)
    ]


def _contradictory(labels: np.ndarray, pixel_groups: np.ndarray) -> np.ndarray:
    """Images whose pixels stand in several classes."""
    pairs = np.unique(np.stack([pixel_groups, labels]), axis=1)
    numbers, counts = np.unique(pairs[0], return_counts=True)
    return np.flatnonzero(np.isin(pixel_groups, numbers[counts > 1]))


def _tested(order: np.ndarray, count: int | None) -> np.ndarray:
    return order[: _share(len(order)) if count is None else count]


def _share(images: int) -> int:
    return max(1, round(SHARE * images)) if images >= LEAST else 0


def _adapted(split: Split, rest: list[np.ndarray], orders: list[np.ndarray]) -> Split:
    """The same without the numbers that are more than there are."""
    if split.validation is not None and sum(_validation(rest, orders, split)) < split.validation:
        split = replace(split, validation=None)
    held = _validation(rest, orders, split)
    pool = [order[count:] for order, count in zip(rest, held, strict=True)]
    if split.train is not None and sum(_train(pool, split)) < split.train:
        split = replace(split, train=None)
    return split


def _validation(rest: list[np.ndarray], orders: list[np.ndarray], split: Split) -> list[int]:
    asked = split.usual if split.validation is None else split.validation
    if asked is None:
        return [_share(len(order)) for order in orders]
    return _spread(asked, [max(0, len(order) - 1) for order in rest])


def _train(pool: list[np.ndarray], split: Split) -> list[int]:
    most = [len(order) for order in pool]
    if split.per_class is not None:
        most = [min(count, split.per_class) for count in most]
    return most if split.train is None else _spread(split.train, most)


def _spread(total: int, most: list[int]) -> list[int]:
    """Divide a number among the classes in proportion to what each has, exactly."""
    whole = sum(most)
    if not whole or total >= whole:
        return most
    ideal = [total * count / whole for count in most]
    counts = [int(share) for share in ideal]
    # Who lost most by rounding down gets one more; of equals, the first class.
    order = sorted(range(len(most)), key=lambda k: counts[k] - ideal[k])
    for k in order[: total - sum(counts)]:
        counts[k] += 1
    return counts


def _check(split: Split, title: str, count: int, held: int, chosen: int) -> None:
    requested = split.validation, split.train
    short = (requested[0] is not None and held < requested[0]) or (
        requested[1] is not None and chosen < requested[1]
    )
    negative = any(value is not None and value < 0 for value in requested)
    if short or negative or chosen < 1 or (split.per_class or 1) < 1:
        raise cannot_divide(title, count, *requested, split.per_class)


def _together(parts: list[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate([np.asarray(part, np.int64) for part in parts]))
