"""How far a share of right answers can be trusted."""

from __future__ import annotations

import math

LEVEL = 1.959964  # deviations of the normal distribution that 95 % lie within


def wilson(right: int, total: int, deviations: float = LEVEL) -> tuple[float, float]:
    """The shares between which the true one lies, 95 % of the times that this is said.

    Unlike "plus or minus two deviations" it stays within 0 to 1, and is not of no width
    where all answers are right.

    Args:
        right: right answers.
        total: answers, at least one.
        deviations: of the normal distribution; the default is that of 95 %.

    Reference:
        Wilson 1927: Probable inference, the law of succession, and statistical inference.
    """
    share, square = right / total, deviations**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    spread = share * (1 - share) / total + square / (4 * total**2)
    half = deviations * math.sqrt(spread) / (1 + square / total)
    return max(0.0, middle - half), min(1.0, middle + half)
