"""Definitions of networks: the check without Keras against Keras itself, on random ones.

Each definition is checked, and built by Keras. Where the check finds it possible, the whole layer
table must be equal; else Keras must be unable to build or to compute it.
"""

from __future__ import annotations

import argparse
import statistics
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks._definitions import definitions, disagreement
from benchmarks._measure import Row, save
from cnnkit.models import seeds
from cnnkit.models.builder import (
    assemble,
    check_definition,
    get_template,
    list_templates,
)

EXAMPLES, ROUNDS = 3000, 5


def compare(examples: int) -> dict[str, int]:
    """How many random definitions are possible and impossible; fails at the first disagreement."""
    found = {"possible": 0, "impossible": 0}

    @seed(1)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions(most=10))
    def agree(definition) -> None:
        found["impossible" if check_definition(definition).problems else "possible"] += 1
        difference = disagreement(definition)
        if difference:
            raise AssertionError(difference)

    agree()
    return found


def milliseconds(work, rounds: int) -> float:
    """Median of one call."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def main() -> None:
    """Compare, measure, and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    examples = parser.parse_args().examples
    rows = []
    for name in (list_templates()[0], "resnet_digits"):
        definition = get_template(name)
        ours = milliseconds(lambda one=definition: check_definition(one), 4 * ROUNDS)
        keras = milliseconds(lambda one=definition: assemble(one, seeds(0)), ROUNDS)
        rows.append(
            Row(
                what=f"shapes and costs of {definition.title}",
                ours=f"{ours:.1f} ms, without Keras",
                peer=f"{keras:.0f} ms to build it",
                ratio=f"{ours / keras:.3f}",
                target="≤ 20 ms" + (": reached" if ours <= 20 else ": not reached"),
            )
        )
    found = compare(examples)
    notes = [
        f"{sum(found.values()):,} random definitions were checked and built: for "
        f"{found['possible']:,} possible ones the layer tables are equal, and Keras can build or "
        f"compute none of the {found['impossible']:,} impossible ones."
    ]
    save(rows, notes)


if __name__ == "__main__":
    main()
