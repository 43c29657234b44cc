from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnkit.concepts.inception_costs import (
    ConvolutionCost,
    InceptionBranch,
    count_branch,
    module_stack,
)

BRANCHES = st.builds(
    InceptionBranch,
    side=st.integers(1, 64),
    channels=st.integers(1, 1024),
    kernel=st.sampled_from([3, 5, 7]),
    filters=st.integers(1, 512),
    bottleneck=st.integers(1, 512),
)


def test_the_5x5_of_module_3a_is_worked_out_as_on_paper():
    branch = InceptionBranch(side=28, channels=192, kernel=5, filters=32, bottleneck=16)
    assert branch.direct == ConvolutionCost(28 * 28 * 192 * 25 * 32, 192 * 25 * 32 + 32)
    assert branch.reduction == ConvolutionCost(28 * 28 * 192 * 16, 192 * 16 + 16)
    assert branch.narrow == ConvolutionCost(28 * 28 * 16 * 25 * 32, 16 * 25 * 32 + 32)
    assert branch.with_bottleneck == ConvolutionCost(12_443_648, 15_920)
    assert branch.estimate == pytest.approx(1 / 12)


@given(BRANCHES)
def test_the_estimate_is_short_by_the_cost_of_the_1x1(branch):
    missing = branch.bottleneck / (branch.kernel**2 * branch.filters)
    assert branch.ratio == pytest.approx(branch.estimate + missing)


@given(BRANCHES)
def test_it_pays_below_the_break_even_and_not_above(branch):
    if abs(branch.bottleneck - branch.break_even) > 1e-6:
        assert (branch.with_bottleneck.macs < branch.direct.macs) == (
            branch.bottleneck < branch.break_even
        )


@pytest.mark.parametrize(
    "branch",
    [
        InceptionBranch(28, 192, 5, 32, 16),
        InceptionBranch(14, 512, 3, 288, 144),
        InceptionBranch(7, 64, 7, 16, 512),
        InceptionBranch(1, 16, 3, 16, 4),
    ],
)
def test_layers_really_built_cost_what_the_formula_says(branch):
    assert count_branch(branch) == (branch.direct, branch.with_bottleneck)


def test_every_published_bottleneck_pays():
    published = [
        branch for module in module_stack() for branch in module.bottleneck_branches().values()
    ]
    assert len(published) == 18
    assert all(branch.ratio < 0.7 for branch in published)
